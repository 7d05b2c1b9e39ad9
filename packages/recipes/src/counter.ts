/** A number that several clients count in. */
import type { CallOptions, Client } from '@quorate/client';
import { decodeUtf8 } from '@quorate/protocol';
import { Cell, type Content } from './cell.js';
import type { ZnodeOptions } from './parents.js';
import { RecipeError } from './recipe-error.js';

/**
 * A whole number, 0 at first, kept as text in one znode. Every change counts once, also where connections are lost; only where the session ends during a change is it
 * unknown whether it has counted.
 *
 * @example
 * await using counter = new Counter(client, '/counters/orders');
 * const number = await counter.add(1);
 */
export class Counter implements AsyncDisposable {
  readonly #cell: Cell;

  /** @param path of the znode, which is made by the first change. @throws ZooKeeperError BAD_ARGUMENTS for what is no path. */
  constructor(client: Client, path: string, { acl }: ZnodeOptions = {}) {
    this.#cell = new Cell(client, path, { acl });
  }

  get path(): string {
    return this.#cell.path;
  }

  /**
   * What the counter says, with all changes that were made before the call.
   *
   * @throws RecipeError INVALID_DATA where the znode has something else than a whole number.
   */
  async get(options?: CallOptions): Promise<number> {
    return this.#parse(await this.#cell.read(options));
  }

  /**
   * Adds a whole number, which may be negative. Nobody else gets the same result by adding the same amount.
   *
   * @returns what the counter says then.
   * @throws RecipeError OUT_OF_RANGE where that would be beyond ±(2^53 − 1), INVALID_DATA, LOST; the signal's reason: nothing was added. ZooKeeperError
   * SESSION_EXPIRED: the outcome is unknown.
   */
  async add(amount: number, options?: CallOptions): Promise<number> {
    checkNumber('amount', amount);
    let sum = 0;
    await this.#cell.update((content) => {
      sum = this.#parse(content) + amount;
      if (!Number.isSafeInteger(sum)) throw new RecipeError('OUT_OF_RANGE', `${this.path} plus ${amount} is beyond ±(2^53 - 1)`);
      return { data: String(sum) };
    }, options);
    return sum;
  }

  /**
   * Sets the counter if it says what is expected.
   *
   * @returns whether it did.
   * @throws as `add`.
   */
  async compareAndSet(expected: number, next: number, options?: CallOptions): Promise<boolean> {
    checkNumber('expected', expected);
    checkNumber('next', next);
    let matches = false;
    await this.#cell.update((content) => {
      matches = this.#parse(content) === expected;
      return matches ? { data: String(next) } : undefined;
    }, options);
    return matches;
  }

  /** Removes what this object has left besides the counter. The next change makes it again. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#cell.dispose();
  }

  #parse({ data }: Content): number {
    if (data.length === 0) return 0;
    const text = decodeUtf8(data);
    const value = Number(text);
    if (String(value) === text && Number.isSafeInteger(value)) return value;
    throw new RecipeError('INVALID_DATA', `${this.path} must have a whole number as its data, not ${JSON.stringify(text.slice(0, 40))}`);
  }
}

function checkNumber(name: string, value: number): void {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${name} must be a whole number within ±(2^53 - 1), not ${String(value)}`);
}
