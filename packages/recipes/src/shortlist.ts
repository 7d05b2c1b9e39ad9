/** Which item of a queue a taker tries to get. */
import type { CallOptions } from '@quorate/client';
import { type Random, randomBelow } from '@quorate/ports';
import type { Item } from './backlog.js';

/** How many items of one listing are tried before another one is read. */
const TRIED_MAX = 100;

/** Items that could be taken when they were listed. */
export class Shortlist {
  readonly #random: Random;
  readonly #list: (options: CallOptions) => Promise<Item[]>;
  readonly #isLasting: boolean;
  /** The first one first. What is tried is taken out. */
  #items: Item[] = [];

  /**
   * @param list all items that can be taken now, the first one first.
   * @param isLasting whether those that are put later come after all that are here. Otherwise they are listed for every take.
   */
  constructor(random: Random, list: (options: CallOptions) => Promise<Item[]>, isLasting: boolean) {
    this.#random = random;
    this.#list = list;
    this.#isLasting = isLasting;
  }

  /**
   * Tries items until one is got; undefined where there is none.
   *
   * @param attempt gives undefined where somebody else has the item.
   */
  async take<T>(attempt: (item: Item) => Promise<T | undefined>, options: CallOptions): Promise<T | undefined> {
    for (let losses = 0; ; losses++) {
      if (!this.#isLasting || this.#items.length === 0) this.#items = (await this.#list(options)).slice(0, TRIED_MAX);
      // Whoever loses items to others looks further and further away from them.
      const spread = Math.min(this.#items.length, 1 + 4 * losses);
      if (spread === 0) return undefined;
      const [item] = this.#items.splice(randomBelow(this.#random, spread), 1) as [Item];
      try {
        const got = await attempt(item);
        if (got !== undefined) return got;
      } catch (error) {
        this.#items.unshift(item);
        throw error;
      }
    }
  }
}
