// Runs every example as a program of its own. Each has to end by itself, in time and with status 0.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const EXAMPLE_MS_MAX = 60_000;

/** @type {Record<string, readonly string[]>} what an example is told; most need nothing */
const argumentsOf = { 'tour.ts': ['--exit', '--port', '0'] };

let failed = 0;
const examples = readdirSync(`${root}examples/src`).filter((name) => name.endsWith('.ts'));
for (const name of examples) {
  console.log(`\n--- examples/src/${name}`);
  const flags = ['--conditions=@quorate/source', '--import', 'tsx', `examples/src/${name}`, ...(argumentsOf[name] ?? [])];
  const { status, signal } = spawnSync(process.execPath, flags, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: EXAMPLE_MS_MAX,
  });
  if (status === 0) continue;
  failed++;
  console.error(`examples/src/${name} ended with ${signal ?? `status ${status}`}`);
}
console.log(`\n${examples.length - failed} examples passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
