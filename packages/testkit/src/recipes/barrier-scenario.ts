import { Barrier } from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { millis } from '../world/random-streams.js';

const PATH = '/barriers/one';

/** One sets and removes a barrier, others wait at it: nobody gets past while it is set for sure. */
export const barrierScenario: Scenario = {
  name: 'barrier',
  async play(stage) {
    const gate = new Gate(stage);
    await Promise.all([
      stage.cast('keeper', (actor) => setAndRemove(stage, actor, gate)),
      ...['a', 'b'].map((name) => stage.cast(name, (actor) => passAgainAndAgain(stage, actor, gate))),
    ]);
    gate.judge();
  },
};

async function setAndRemove(stage: Stage, { client, random, over, pause }: Actor, gate: Gate): Promise<void> {
  const barrier = new Barrier(client, PATH);
  while (!over.aborted) {
    await barrier.set();
    gate.wasSet();
    await pause(millis(random, 0, stage.sessionTimeoutMs / 4), over);
    gate.isRemoved();
    await barrier.remove();
    await pause(millis(random, 0, stage.sessionTimeoutMs / 8), over);
  }
  // A keeper who has died may have left it set.
  gate.isRemoved();
  await barrier.remove();
}

async function passAgainAndAgain(stage: Stage, { client, random, over, pause }: Actor, gate: Gate): Promise<void> {
  const barrier = new Barrier(client, PATH);
  while (!over.aborted) {
    const fromMs = stage.now();
    await barrier.wait();
    gate.passed(fromMs);
    await pause(millis(random, 0, stage.sessionTimeoutMs / 10), over);
  }
}

/** When the barrier was set for sure, and who has got past it. */
class Gate {
  readonly #stage: Stage;
  readonly #shut: { readonly fromMs: number; untilMs: number }[] = [];
  readonly #passages: { readonly fromMs: number; readonly atMs: number }[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  wasSet(): void {
    const last = this.#shut.at(-1);
    // One keeper may have died before it removed the barrier, and the next one sets it again.
    if (last?.untilMs !== Number.POSITIVE_INFINITY) this.#shut.push({ fromMs: this.#stage.now(), untilMs: Number.POSITIVE_INFINITY });
  }

  isRemoved(): void {
    const last = this.#shut.at(-1);
    if (last?.untilMs === Number.POSITIVE_INFINITY) last.untilMs = this.#stage.now();
  }

  passed(fromMs: number): void {
    this.#passages.push({ fromMs, atMs: this.#stage.now() });
  }

  judge(): void {
    for (const { fromMs, atMs } of this.#passages) {
      const shut = this.#shut.find((interval) => interval.fromMs <= fromMs && atMs <= interval.untilMs);
      if (shut !== undefined)
        this.#stage.fail(
          'HeldBack',
          `somebody came at ${fromMs} and was past at ${atMs}, and the barrier was set from ${shut.fromMs} to ${shut.untilMs}`,
        );
      if (this.#shut.some((interval) => interval.fromMs <= fromMs && interval.untilMs > fromMs)) this.#stage.seen('held back');
    }
  }
}
