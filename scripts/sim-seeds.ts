/** Runs many seeds on several processes. Which process runs a seed changes nothing: a seed is a world of its own. */
import type { Level, SimulationResult } from '@quorate/testkit';
import { bundle, inTemporaryFolder } from './bundle.ts';
import { serveChildren } from './serve-children.ts';

/** What a child is asked to run. */
export interface SeedOrder {
  readonly seeds: readonly number[];
  /** Those to be run a second time, to see whether they do the same. */
  readonly twice: readonly number[];
  readonly level: Level;
  readonly servers: number | undefined;
}

/** What came of a seed. */
export type SeedOutcome = Omit<SimulationResult, 'lastEvents'> & {
  /** False where a second run of it did something else. */
  readonly repeated: boolean;
  readonly ranTwice: boolean;
};

export interface SeedRun {
  readonly from: number;
  readonly count: number;
  readonly jobs: number;
  readonly level: Level;
  readonly servers: number | undefined;
  /** Asked before seeds are given out; where it is false, what has begun is the last. */
  readonly goesOn: () => boolean;
  readonly onOutcome: (outcome: SeedOutcome) => void;
}

/** How many seeds a child is given at a time. */
const BATCH = 4;
/** One seed in so many is run twice. */
const TWICE_EVERY = 100;

/** Resolves when all seeds have been run; rejects where a child dies. */
export async function runSeeds(run: SeedRun): Promise<void> {
  let next = run.from;
  const end = run.from + run.count;
  const take = (): SeedOrder | undefined => {
    const seeds: number[] = [];
    while (run.goesOn() && seeds.length < BATCH && next < end) seeds.push(next++);
    const twice = seeds.filter((seed) => (seed - run.from) % TWICE_EVERY === 0);
    return seeds.length === 0 ? undefined : { seeds, twice, level: run.level, servers: run.servers };
  };
  await inTemporaryFolder(async (folder) => {
    const program = await bundle(new URL('./sim-worker.ts', import.meta.url), { folder });
    await serveChildren(program, { jobs: Math.min(run.jobs, run.count), take, onOutcome: run.onOutcome });
  });
}
