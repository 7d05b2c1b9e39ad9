#!/usr/bin/env node
/** The `quorate` command. */
import { main } from './main.js';

const stop = new AbortController();

/** The second signal does not wait for the goodbye. */
function onSignal(): void {
  if (stop.signal.aborted) process.exit(130);
  stop.abort();
}

process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
const { stdin, stdout, stderr } = process;
void main(process.argv.slice(2), { stdin, stdout, stderr, stop: stop.signal }).then((code) => {
  process.exitCode = code;
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
});
