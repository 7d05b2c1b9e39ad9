/** A queue whose items become ready after a time. */
import type { CallOptions, Client, Data } from '@quorate/client';
import type { QueueOptions } from './backlog.js';
import { checkMs } from './deadline.js';
import { TakingQueue } from './taking-queue.js';

/** What `DelayQueue.put` takes. */
export interface DelayOptions extends CallOptions {
  /** How long the item cannot be taken, in milliseconds, up to 2^40 (34 years). */
  readonly delayMs: number;
}

const DELAY_MS_MAX = 2 ** 40;

/**
 * A queue whose items can be taken once their time has come, the earliest first. The putter reads that time off its wall clock and the taker compares it with his, so it is as
 * exact as these clocks agree. Every take lists the items, so it is for some thousands of them.
 *
 * @example
 * const queue = new DelayQueue(client, '/queues/reminders');
 * await queue.put('call back', { delayMs: 60_000 });
 */
export class DelayQueue extends TakingQueue {
  readonly #client: Client;

  /** @param path the directory of the queue, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path; TypeError. */
  constructor(client: Client, path: string, options: QueueOptions = {}) {
    super(client, path, { ranked: true, msUntilReady: ({ rank }) => Math.max(0, rank - client.clock.wallNow()) }, options);
    this.#client = client;
  }

  /**
   * Adds an item, once, also where the connection is lost.
   *
   * @throws TypeError for what is no delay; RecipeError FULL; what a create rejects with; the signal's reason: nothing was added. ZooKeeperError SESSION_EXPIRED, RecipeError LOST: it may have been.
   */
  async put(data: Data, { delayMs, signal }: DelayOptions): Promise<void> {
    checkMs('delayMs', delayMs);
    if (delayMs > DELAY_MS_MAX) throw new TypeError(`delayMs must be at most 2^40, not ${delayMs}`);
    await this.backlog.put(data, Math.ceil(this.#client.clock.wallNow() + delayMs), { signal });
  }
}
