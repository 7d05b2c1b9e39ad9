/** Plays scenarios for many seeds, on several processes, and says what came of it. */
import { bundle, inTemporaryFolder } from '../bundle.ts';
import { serveChildren } from '../serve-children.ts';
import type { PlayOrder, PlayOutcome } from './recipes-worker.ts';

export interface ScenariosRun {
  readonly names: readonly string[];
  readonly from: number;
  /** How many seeds each scenario is played for, besides the interruptions of the first. */
  readonly count: number;
  /** Every so manieth interruption. */
  readonly every: number;
  readonly jobs: number;
}

/** How many seeds a child is given at a time. */
const BATCH = 5;
/** Of each scenario. */
const FAILURES_SHOWN = 5;

/** Gives true where everything has held. */
export async function runScenarios(run: ScenariosRun): Promise<boolean> {
  const orders = ordersOf(run);
  const tallies = new Map(run.names.map((name) => [name, new Tally()]));
  const startedAt = performance.now();
  const onOutcome = (outcome: PlayOutcome): void => {
    const tally = tallies.get(outcome.name) as Tally;
    tally.add(outcome);
    if (outcome.violation !== undefined && tally.failed <= FAILURES_SHOWN) console.log(explain(outcome));
  };
  await inTemporaryFolder(async (folder) => {
    const program = await bundle(new URL('./recipes-worker.ts', import.meta.url), { folder });
    await serveChildren(program, { jobs: run.jobs, take: () => orders.shift(), onOutcome });
  });
  const sum = (of: (tally: Tally) => number): number => [...tallies.values()].reduce((before, tally) => before + of(tally), 0);
  const plays = sum((tally) => tally.plays);
  const failed = sum((tally) => tally.failed);
  for (const [name, tally] of tallies) console.log(`${name.padEnd(22)} ${tally.tell()}`);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `${plays} plays in ${seconds.toFixed(0)} s (${(plays / seconds / run.jobs).toFixed(1)} per second and process), ${failed} failed`,
  );
  return failed === 0;
}

function ordersOf({ names, from, count, every }: ScenariosRun): PlayOrder[] {
  const orders: PlayOrder[] = names.map((name) => ({ name, seeds: [], interruptSeed: from, every }));
  for (let begin = from; begin < from + count; begin += BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, from + count - begin) }, (_, i) => begin + i);
    for (const name of names) orders.push({ name, seeds, interruptSeed: undefined, every });
  }
  return orders;
}

function explain({ name, which, violation, interrupted }: PlayOutcome): string {
  const again = interrupted ? '' : `\n  see it: npm run test:recipes -- --only ${name} --${which}`;
  return `${name}, ${which}: ${violation?.property}: ${violation?.message}${again}`;
}

/** Sums over the plays of a scenario. */
class Tally {
  plays = 0;
  failed = 0;
  #interrupted = 0;
  #faults = 0;
  #virtualMs = 0;
  readonly #sometimes = new Map<string, number>();

  add({ violation, interrupted, faults, virtualMs, sometimes }: PlayOutcome): void {
    this.plays++;
    if (interrupted) this.#interrupted++;
    if (violation !== undefined) this.failed++;
    this.#faults += faults;
    this.#virtualMs += virtualMs;
    for (const [condition, count] of sometimes) this.#sometimes.set(condition, (this.#sometimes.get(condition) ?? 0) + count);
  }

  tell(): string {
    const seen = [...this.#sometimes].map(([condition, count]) => `${condition} ${count}`).join(', ');
    const sums = `${this.plays - this.#interrupted} seeds, ${this.#interrupted} interruptions, ${this.#faults} faults, ${Math.round(this.#virtualMs / 1000)} virtual s`;
    return `${this.failed === 0 ? 'holds' : `FAILS ${this.failed}`} | ${sums} | ${seen}`;
  }
}
