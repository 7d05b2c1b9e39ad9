/** Runs many seeds on several processes. Which process runs a seed changes nothing: a seed is a world of its own. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Level, SimulationResult } from '@quorate/testkit';
import { bundle, inTemporaryFolder } from './bundle.ts';

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
    await Promise.all(Array.from({ length: Math.min(run.jobs, run.count) }, () => serveChild(program, { take, onOutcome: run.onOutcome })));
  });
}

function serveChild(
  program: string,
  { take, onOutcome }: { readonly take: () => SeedOrder | undefined; readonly onOutcome: (outcome: SeedOutcome) => void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = fork(program, { execArgv: ['--enable-source-maps'] });
    const give = (): void => {
      const order = take();
      if (order === undefined) child.disconnect();
      else child.send(order);
    };
    child.on('message', (message: SeedOutcome | 'done') => {
      if (message === 'done') give();
      else onOutcome(message);
    });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a process of the simulator ended with status ${code}`))));
    give();
  });
}
