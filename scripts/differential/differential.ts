/** Many histories against two servers or ensembles, the first that differs made small. */
import fc from 'fast-check';
import { histories } from './arbitrary.ts';
import { describeStep } from './columns.ts';
import { isForOneServer, type Step } from './history.ts';
import type { KnownDifference } from './known-differences.ts';
import { quotaHistories } from './quota-histories.ts';
import { type Outcome, runHistory } from './run-history.ts';
import { Side } from './side.ts';
import { Tally } from './tally.ts';
import type { Way } from './way.ts';

export interface DifferentialOptions {
  /** The ways to the servers of each, as many to one as to the other; the first lead. */
  readonly theirs: readonly Way[];
  readonly ours: readonly Way[];
  /** What may differ. */
  readonly known: readonly KnownDifference[];
  readonly runs: number;
  readonly stepsMax: number;
  readonly seed?: number | undefined;
  /** Where fast-check has found a counter-example. */
  readonly path?: string | undefined;
  /** How many histories may be run to make the one that differs smaller. */
  readonly shrinksMax: number;
  readonly onHistory?: ((tally: Tally) => void) | undefined;
}

export interface Result {
  readonly seed: number;
  /** Only histories without a difference, and none of those of shrinking. */
  readonly tally: Tally;
  /** The smallest history that differs, as it went then and when it was run once more; undefined where none differs. */
  readonly found:
    | { readonly steps: readonly Step[]; readonly path: string; readonly outcome: Outcome; readonly again: Outcome }
    | undefined;
}

export async function differential(options: DifferentialOptions): Promise<Result> {
  const { theirs, ours, known, runs, stepsMax, seed, path, shrinksMax, onHistory } = options;
  const tally = new Tally();
  /** Of the last history that differed. */
  let outcome: Outcome | undefined;
  /** Why no further history can be run: there is nothing to be made smaller. */
  let broken = undefined as Error | undefined;
  let shrinks = 0;
  let count = 0;
  const run = async (steps: readonly Step[]): Promise<Outcome> => {
    // In another folder, so that the number of a sequential znode beside it does not depend on the histories before.
    const folder = `/h${String(++count).padStart(6, '0')}/t`;
    const sides = { theirs: await Side.open(theirs, folder), ours: await Side.open(ours, folder) };
    const went = await runHistory(steps, sides, { known, tally: outcome === undefined ? tally : new Tally() });
    await Promise.all([sides.theirs.close(), sides.ours.close()]);
    return went;
  };
  const mixed = fc.oneof({ weight: 7, arbitrary: histories(stepsMax) }, { weight: 1, arbitrary: quotaHistories(stepsMax) });
  const arbitrary = new Set(theirs).size === 1 ? mixed : mixed.map((steps) => steps.filter((step) => !isForOneServer(step)));
  const property = fc.asyncProperty(arbitrary, async (steps) => {
    if (outcome !== undefined && shrinks++ >= shrinksMax) return true;
    if (broken !== undefined) return true;
    const went = await run(steps).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      broken = new Error(`${why}, in the history\n${steps.map(describeStep).join('\n')}`, { cause: error });
    });
    if (went?.differs === true) outcome = went;
    if (outcome === undefined) onHistory?.(tally);
    return went?.differs !== true;
  });
  const details = await fc.check(property, { numRuns: runs, ...(seed !== undefined && { seed }), ...(path !== undefined && { path }) });
  const { counterexample, counterexamplePath } = details;
  if (counterexample !== null && outcome !== undefined) {
    const [steps] = counterexample;
    return { seed: details.seed, tally, found: { steps, path: counterexamplePath ?? '', outcome, again: await run(steps) } };
  }
  if (broken !== undefined) throw broken;
  return { seed: details.seed, tally, found: undefined };
}
