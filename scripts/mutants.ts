/**
 * `npm run mutants`: known bugs are put back into the source one at a time, and the simulator has to catch each (docs/mutants.md).
 *
 *     npm run mutants                            all of them, over seeds 1 to 300 at most
 *     npm run mutants -- --only ZK-4646,E1       these
 *     npm run mutants -- --seeds 1000 --jobs 1
 *
 * Exit status 1 where one gets through that should not, or where the source without a mutant fails; 2 for a command line that makes no sense.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { bundle, inTemporaryFolder } from './bundle.ts';
import { command, whole } from './command-line.ts';
import { MUTANTS, mutantOf, SECTIONS } from './mutants/catalogue.ts';
import type { Mutant, MutantLevel } from './mutants/mutant.ts';
import { checkThatAllFit, StaleMutants } from './mutants/patch.ts';
import { complaints, isCaught, type MutantOutcome, progressLine, survivors, table, totals } from './mutants/report.ts';
import { runSeeds, type SeedsOutcome } from './mutants/seeds-run.ts';
import { inParallel } from './parallel.ts';

interface Options {
  readonly seeds: number;
  readonly jobs: number;
  readonly mutants: readonly Mutant[];
}

const CHILD = new URL('./mutants/seeds-child.ts', import.meta.url);
const SEEDS = 300;
const JOBS_MAX = 2;

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: String(SEEDS) },
      jobs: { type: 'string', default: String(Math.min(JOBS_MAX, availableParallelism())) },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  const ids = values.only.flatMap((list) => list.split(','));
  const mutants = ids.length === 0 ? MUTANTS : ids.map(mutantOf);
  return { seeds: whole('seeds', values.seeds, 1), jobs: whole('jobs', values.jobs, 1), mutants };
}

async function run({ seeds, jobs, mutants }: Options, folder: string): Promise<boolean> {
  checkThatAllFit(mutants);
  // All are built before any is run, so that an edit in the meantime changes nothing.
  const files = new Map<Mutant, string>();
  for (const mutant of mutants) files.set(mutant, await bundle(CHILD, { mutant, folder }));
  const control = await bundle(CHILD, { folder });

  const outcomes: MutantOutcome[] = [];
  const runOne = async (mutant: Mutant): Promise<void> => {
    const outcome = { mutant, ...(await runSeeds(files.get(mutant) as string, { level: mutant.level, to: seeds })) };
    outcomes.push(outcome);
    console.log(progressLine(outcomes.length, mutants.length, outcome));
  };
  await inParallel(
    jobs,
    mutants.map((mutant) => () => runOne(mutant)),
  );

  const controls: (SeedsOutcome & { readonly level: MutantLevel })[] = [];
  const runControl = async (level: MutantLevel): Promise<void> => {
    const to = Math.max(...outcomes.filter(({ mutant }) => mutant.level === level).map((outcome) => outcome.seeds));
    const outcome = { level, ...(await runSeeds(control, { level, to })) };
    controls.push(outcome);
    console.log(
      `without a mutant, level ${level}: ${outcome.property ?? 'all holds'} at seeds 1 to ${outcome.seeds} (${outcome.seconds.toFixed(1)} s)`,
    );
  };
  const levels = [...new Set(mutants.map(({ level }) => level))];
  await inParallel(
    jobs,
    levels.map((level) => () => runControl(level)),
  );

  for (const line of [...table(SECTIONS, outcomes), ...survivors(outcomes), '', totals(outcomes), ...complaints(outcomes, controls)])
    console.log(line);
  const through = outcomes.filter((outcome) => !isCaught(outcome) && outcome.mutant.survives === undefined);
  return through.length === 0 && !controls.some(isCaught);
}

await command(async () => {
  const options = readOptions();
  return inTemporaryFolder((folder) => run(options, folder));
}, StaleMutants);
