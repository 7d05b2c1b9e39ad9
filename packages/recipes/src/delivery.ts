/** An item of a queue with acknowledgement, in the hands of one consumer. */
import { type Client, MultiError, type Operation } from '@quorate/client';
import { isZooKeeperError } from '@quorate/protocol';
import { follow } from './deadline.js';
import type { Receipts } from './receipts.js';
import { RecipeError } from './recipe-error.js';

/** What a delivery is made of. */
interface DeliveryOptions {
  readonly client: Client;
  readonly receipts: Receipts;
  readonly item: string;
  readonly claim: string;
  readonly data: Uint8Array;
  readonly attempt: number;
}

/** Acknowledge it or give it back; what is done with neither goes back when it is disposed of, or with the session. */
export class Delivery implements AsyncDisposable {
  readonly data: Uint8Array;
  /** Of the item, which has the same one in every delivery: what a receiver can tell duplicates by. */
  readonly id: string;
  /** How many deliveries there were of the item, with this one. It serves as a fencing token: later ones have greater numbers. */
  readonly attempt: number;
  readonly #client: Client;
  readonly #receipts: Receipts;
  readonly #claim: string;
  readonly #controller = new AbortController();
  readonly #unfollow: () => void;
  #state: 'HELD' | 'ACKNOWLEDGED' | 'RELEASED' = 'HELD';

  /** @internal */
  constructor({ client, receipts, item, claim, data, attempt }: DeliveryOptions) {
    this.data = data;
    this.id = item;
    this.attempt = attempt;
    this.#client = client;
    this.#receipts = receipts;
    this.#claim = claim;
    this.#unfollow = follow(this.#controller, client.leaseSignal);
  }

  /** Aborts when the item may be delivered to somebody else: the session may be about to end, or `release` was called. Read from the delivery, it looks at the clock. */
  get signal(): AbortSignal {
    // To be asked for it makes the lease look whether it is over.
    void this.#client.leaseSignal;
    return this.#controller.signal;
  }

  /**
   * Removes the item from the queue for good.
   *
   * @param operations what is done in the same txn, such as to write down a result: it is done once, however often the item was delivered.
   * @throws RecipeError CONFLICT where it was acknowledged or given back already, LOST where somebody has removed the claim; MultiError where an operation is
   * refused: nothing was done, the item is still held. ZooKeeperError SESSION_EXPIRED: the outcome is unknown.
   */
  async ack(operations: readonly Operation[] = []): Promise<void> {
    if (this.#state !== 'HELD') throw new RecipeError('CONFLICT', `${this.id} is ${this.#state} already`);
    try {
      await this.#receipts.commit([{ op: 'delete', path: this.#claim }, { op: 'delete', path: this.id }, ...operations]);
    } catch (error) {
      if (error instanceof MultiError && error.code === 'NO_NODE' && (error.path === this.#claim || error.path === this.id))
        throw new RecipeError('LOST', `the claim to ${this.id} is gone, so it may be with another consumer`, { cause: error });
      throw error;
    }
    this.#state = 'ACKNOWLEDGED';
    this.#unfollow();
  }

  /** Gives the item back, to be delivered again. Nothing happens where that was done, or it was acknowledged. */
  async release(): Promise<void> {
    if (this.#state !== 'HELD') return;
    this.#state = 'RELEASED';
    this.#unfollow();
    this.#controller.abort(new RecipeError('RELEASED', `${this.id} was given back`));
    try {
      // Once: a second time it could be the claim of the next consumer.
      await this.#receipts.commit([{ op: 'delete', path: this.#claim }]);
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE') && !isZooKeeperError(error, 'SESSION_EXPIRED')) throw error;
    }
  }

  /** Releases and never rejects, so that an error of the block is what its caller hears of. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => {});
  }
}
