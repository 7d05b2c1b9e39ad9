/**
 * `npm run test:storage`: what can happen to the store on its disk, one thing after the other (docs/decisions/0018-what-a-store-can-tell.md).
 *
 *     npm run test:storage                              losses of power, rot, failing calls, damage on several servers; CI turns over fewer bits
 *     npm run test:storage -- --only power --enough 1000000 [--seed 7] [--jobs 4]
 *     npm run test:storage -- --mutants                 bugs put in: each has to be found
 *
 * Exit status 1 where the store does not start, loses what it had completed, or does not notice what it has lost; 2 for a command line that makes no sense.
 */
import { parseArgs } from 'node:util';
import { bundle, inTemporaryFolder } from './bundle.ts';
import { command, whole } from './command-line.ts';
import { FAULTS } from './storage/failing-calls.ts';
import { COMBINATIONS } from './storage/matrix.ts';
import { MUTANTS } from './storage/mutants.ts';
import { CHILD, type Part, type RunOptions, runPart } from './storage/parts.ts';
import { LOSSES } from './storage/power-losses.ts';
import { FLIPS } from './storage/rot.ts';

/** The flips are those of 64 KiB. */
const PARTS: readonly Part[] = [
  { name: 'power', counted: LOSSES, enough: 20_000 },
  { name: 'rot', counted: FLIPS, enough: 524_288 },
  { name: 'faults', counted: FAULTS, enough: 3_000 },
  { name: 'matrix', counted: COMBINATIONS, enough: 4_096 },
];

const FAILURES_SHOWN = 3;

/** True where nothing was wrong. */
async function tryStore(folder: string, parts: readonly Part[], options: RunOptions): Promise<boolean> {
  const program = await bundle(CHILD, { folder });
  let clean = true;
  for (const part of parts) {
    const startedAt = performance.now();
    const { counts, failures } = await runPart(program, part, options);
    const counted = Object.entries(counts).map(([what, times]) => `${times} ${what}`);
    console.log(`${part.name}: ${counted.join(', ')}; ${failures.length} wrong; ${seconds(startedAt)} s`);
    for (const failure of failures.slice(0, FAILURES_SHOWN)) console.log(`  ${failure}`);
    clean &&= failures.length === 0;
  }
  return clean;
}

/** True where every bug was found. */
async function tryMutants(folder: string, parts: readonly Part[], options: RunOptions): Promise<boolean> {
  let found = 0;
  for (const mutant of MUTANTS) {
    const startedAt = performance.now();
    const program = await bundle(CHILD, { folder, mutant });
    let by: string | undefined;
    for (const part of parts) {
      if (by !== undefined) break;
      const { failures } = await runPart(program, part, { ...options, untilFailure: true });
      if (failures.length > 0) by = part.name;
    }
    if (by !== undefined) found++;
    console.log(`${mutant.id}: ${by === undefined ? 'NOT FOUND' : `found by ${by}`}; ${seconds(startedAt)} s`);
  }
  console.log(`${found} of ${MUTANTS.length} bugs found`);
  return found === MUTANTS.length;
}

function seconds(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(1);
}

await command(async () => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '2' },
      only: { type: 'string' },
      enough: { type: 'string' },
      mutants: { type: 'boolean', default: false },
    },
  });
  const { only, enough } = values;
  if (only !== undefined && !PARTS.some(({ name }) => name === only))
    throw new RangeError(`--only is ${PARTS.map(({ name }) => name).join(', ')}, not "${only}"`);
  const options = { firstSeed: whole('seed', values.seed, 0), jobs: whole('jobs', values.jobs, 1) };
  const parts = PARTS.filter(({ name }) => only === undefined || name === only).map((part) =>
    enough === undefined ? part : { ...part, enough: whole('enough', enough, 1) },
  );
  return inTemporaryFolder((folder) => (values.mutants ? tryMutants(folder, parts, options) : tryStore(folder, parts, options)));
});
