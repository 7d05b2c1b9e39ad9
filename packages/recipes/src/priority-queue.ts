/** A queue by priority. */
import type { CallOptions, Client, Data } from '@quorate/client';
import type { QueueOptions } from './backlog.js';
import { TakingQueue } from './taking-queue.js';

/** The last priority. */
const PRIORITY_MAX = 999_999_999;

/** What `PriorityQueue.put` takes. */
export interface PriorityOptions extends CallOptions {
  /** Whole numbers from 0, which is taken first, to 999,999,999. */
  readonly priority: number;
}

/**
 * A queue whose items are taken by priority, 0 before 1, and within one priority in the order in which they were put. Every take lists the items, so it is for
 * some thousands of them.
 *
 * @example
 * const queue = new PriorityQueue(client, '/queues/repairs');
 * await queue.put('bridge 7', { priority: 0 });
 */
export class PriorityQueue extends TakingQueue {
  /** @param path the directory of the queue, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path; TypeError. */
  constructor(client: Client, path: string, options: QueueOptions = {}) {
    super(client, path, { ranked: true, msUntilReady: () => 0 }, options);
  }

  /**
   * Adds an item, once, also where the connection is lost.
   *
   * @throws TypeError for what is no priority; RecipeError FULL; what a create rejects with; the signal's reason: nothing was added. ZooKeeperError SESSION_EXPIRED, RecipeError LOST: it may have been.
   */
  async put(data: Data, { priority, signal }: PriorityOptions): Promise<void> {
    if (!Number.isInteger(priority) || priority < 0 || priority > PRIORITY_MAX)
      throw new TypeError(`priority must be a whole number from 0 to ${PRIORITY_MAX}, not ${String(priority)}`);
    await this.backlog.put(data, priority, { signal });
  }
}
