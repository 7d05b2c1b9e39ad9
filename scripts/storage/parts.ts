/** The parts, each in several processes, seed after seed until enough has been counted. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { inParallel } from '../parallel.ts';
import type { Tally } from './tally.ts';

export type PartName = 'power' | 'rot' | 'faults' | 'matrix';

export interface StorageOrder {
  readonly part: PartName;
  readonly seed: number;
}

export interface Part {
  readonly name: PartName;
  /** What is counted to see whether it is enough. */
  readonly counted: string;
  readonly enough: number;
}

export interface RunOptions {
  readonly firstSeed: number;
  readonly jobs: number;
  /** Ends with the first failure. */
  readonly untilFailure?: boolean;
}

/** What is bundled for `runPart`. */
export const CHILD = new URL('./child.ts', import.meta.url);

/** @param program the bundle of `CHILD`. */
export async function runPart(
  program: string,
  { name, counted, enough }: Part,
  { firstSeed, jobs, untilFailure }: RunOptions,
): Promise<Tally> {
  const sum: Tally = { counts: {}, failures: [] };
  let seed = firstSeed;
  const isEnough = (): boolean => (sum.counts[counted] ?? 0) >= enough || (untilFailure === true && sum.failures.length > 0);
  await inParallel(
    jobs,
    Array.from({ length: jobs }, () => async () => {
      const child = fork(program, { execArgv: [] });
      const end = ended(child);
      // It ends at last in any case, and then nobody waits for it.
      end.catch(() => {});
      while (!isEnough()) {
        child.send({ part: name, seed: seed++ } satisfies StorageOrder);
        const [tally] = (await Promise.race([once(child, 'message'), end])) as [Tally];
        for (const [what, times] of Object.entries(tally.counts)) sum.counts[what] = (sum.counts[what] ?? 0) + times;
        sum.failures.push(...tally.failures);
      }
      child.disconnect();
    }),
  );
  return sum;
}

async function ended(child: ReturnType<typeof fork>): Promise<never> {
  const [status] = (await once(child, 'exit')) as [number | null];
  throw new Error(`a process that tries the store ended with status ${status}`);
}
