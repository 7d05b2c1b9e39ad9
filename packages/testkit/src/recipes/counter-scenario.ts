import { Counter } from '@quorate/recipes';
import type { Scenario, Stage } from '../stage/stage.js';
import { between, chance, millis } from '../world/random-streams.js';

const PATH = '/counters/one';

/** Processes count in one counter. In the end it says no less than they know to have counted, and no more than they may have. */
export const counterScenario: Scenario = {
  name: 'counter',
  async play(stage) {
    const tally = new Tally(stage);
    const names = ['a', 'b', 'c'].slice(0, between(stage.random, 1, 3));
    await Promise.all(
      names.map((name) =>
        stage.cast(name, async ({ client, random, over, pause }) => {
          await using counter = new Counter(client, PATH);
          while (!over.aborted) {
            await Promise.all(Array.from({ length: between(random, 1, 2) }, () => tally.add(counter)));
            if (chance(random, 100)) await tally.compareAndSet(counter, await counter.get());
            await pause(millis(random, 0, stage.sessionTimeoutMs / 10), over);
          }
        }),
      ),
    );
    await stage.cast('judge', async ({ client }) => tally.judge(await new Counter(client, PATH).get()), { unharmed: true });
  },
};

/** What was added, and what may have been. */
class Tally {
  readonly #stage: Stage;
  /** What the counter said after each addition. */
  readonly #sums = new Set<number>();
  #begun = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async add(counter: Counter): Promise<void> {
    this.#begun++;
    this.#note(await counter.add(1));
  }

  async compareAndSet(counter: Counter, expected: number): Promise<void> {
    this.#begun++;
    if (await counter.compareAndSet(expected, expected + 1)) this.#note(expected + 1);
    else this.#begun--;
  }

  judge(value: number): void {
    const [known, possible] = [this.#sums.size, this.#begun];
    this.#stage.note(`the counter says ${value} after ${known} additions, and ${possible - known} that may have been made`);
    if (value < known) this.#stage.fail('NoLostUpdate', `the counter says ${value} after ${known} additions`);
    if (value > possible) this.#stage.fail('NoDoubleUpdate', `the counter says ${value} after ${possible} additions at most`);
    if (value > known) this.#stage.seen('addition made by one who did not hear of it');
  }

  #note(sum: number): void {
    if (this.#sums.has(sum)) this.#stage.fail('NoLostUpdate', `two were told that their addition made ${sum}`);
    this.#sums.add(sum);
  }
}
