/** `npm run sim -- --seeds 1000`: simulates whole ensembles, one per seed; `--seed N` replays one. A failure prints the command that replays it. */
import { parseArgs } from 'node:util';
import { simulate } from '@quorate/testkit';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    events: { type: 'string', default: '60' },
  },
});

/** How many seeds are simulated again to see that they give the same trace: one in this many. */
const REPEAT_EVERY = 20;

const first = whole('seed', values.seed ?? values.from);
const count = values.seed === undefined ? whole('seeds', values.seeds) : 1;
const failures: number[] = [];
let virtualMs = 0;
let committed = 0;
let faults = 0;
const started = performance.now();

for (let seed = first; seed < first + count; seed++) {
  const result = simulate({ seed });
  virtualMs += result.virtualMs;
  committed += result.committed;
  faults += result.faults;
  if (values.seed !== undefined || result.violation !== undefined)
    console.log(result.lastEvents(whole('events', values.events)).join('\n'));
  if (result.violation !== undefined) fail(seed, `${result.violation.property}: ${result.violation.message}`);
  else if (seed % REPEAT_EVERY === 0 || count === 1) {
    const again = simulate({ seed });
    if (again.traceHash !== result.traceHash) fail(seed, `two runs differ: trace ${result.traceHash}, then ${again.traceHash}`);
  }
}

const seconds = (performance.now() - started) / 1000;
console.log(
  `${count} seeds, ${(virtualMs / 60_000).toFixed(1)} virtual minutes, ${committed} txns and ${faults} faults in ${seconds.toFixed(1)} s: ` +
    `${count - failures.length} passed, ${failures.length} failed`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

function fail(seed: number, what: string): void {
  failures.push(seed);
  console.log(`seed ${seed}: ${what}\nreplay it: npm run sim -- --seed ${seed}\n`);
}

function whole(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  console.error(`--${name} takes a whole number, not ${JSON.stringify(text)}`);
  process.exit(2);
}
