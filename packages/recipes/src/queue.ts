/** A queue: first in, first out. */
import type { CallOptions, Client, Data } from '@quorate/client';
import type { QueueOptions } from './backlog.js';
import { TakingQueue } from './taking-queue.js';

/**
 * A queue whose items are taken in the order in which they were put; of several takers at a time each gets one of the first.
 *
 * @example
 * const queue = new Queue(client, '/queues/mail');
 * await queue.put('to: somebody');
 * const data = await queue.take({ timeoutMs: 5_000 });
 */
export class Queue extends TakingQueue {
  /** @param path the directory of the queue, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path; TypeError. */
  constructor(client: Client, path: string, options: QueueOptions = {}) {
    super(client, path, { ranked: false, msUntilReady: () => 0 }, options);
  }

  /**
   * Adds an item, once, also where the connection is lost.
   *
   * @throws RecipeError FULL; what a create rejects with; the signal's reason: nothing was added. ZooKeeperError SESSION_EXPIRED, RecipeError LOST: it may have been.
   */
  put(data: Data, options?: CallOptions): Promise<void> {
    return this.backlog.put(data, undefined, options);
  }
}
