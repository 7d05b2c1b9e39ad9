/** What the queues have in common whose items are taken for good. */
import type { CallOptions, Client } from '@quorate/client';
import { CreateMode, validatePath } from '@quorate/protocol';
import { Backlog, type QueueOptions } from './backlog.js';
import { beforeDeadline, type WaitOptions } from './deadline.js';
import { Receipts } from './receipts.js';
import { Taking, type TakingRule } from './taking.js';
import { WaitingLine } from './waiting-line.js';
import { Watchpost } from './watchpost.js';

/**
 * An item goes to one taker at most, and is gone with it: a process that dies with an item in its hands loses it (`AckQueue` does not). One object serves any number of callers.
 */
export abstract class TakingQueue implements AsyncDisposable {
  readonly path: string;
  /** @internal */
  protected readonly backlog: Backlog;
  readonly #client: Client;
  readonly #receipts: Receipts;
  readonly #taking: Taking;
  readonly #line: WaitingLine;

  /** @internal */
  protected constructor(client: Client, path: string, rule: TakingRule, options: QueueOptions) {
    validatePath(path);
    const znodes = { acl: options.acl };
    const posts = new Watchpost(client);
    this.path = path;
    this.#client = client;
    this.#receipts = new Receipts(client, path, CreateMode.CONTAINER, znodes);
    this.backlog = new Backlog(client, path, this.#receipts, posts, options);
    this.#taking = new Taking(client, this.backlog, this.#receipts, rule);
    this.#line = new WaitingLine(client, path, posts, znodes);
  }

  /**
   * Waits for an item and takes it. An item that is being taken when the time is over or the signal aborts is taken first, so that none is lost with nobody to know; that
   * needs a connection, or the end of the session.
   *
   * @throws RecipeError TIMEOUT, the signal's reason: nothing was taken. ZooKeeperError SESSION_EXPIRED and AUTH_FAILED, RecipeError LOST: an item may have been taken.
   */
  take(options?: WaitOptions): Promise<Uint8Array> {
    return beforeDeadline(this.#client, `waiting for an item of ${this.path}`, options, (bounds) => this.#line.take(this.#taking, bounds));
  }

  /**
   * Takes an item if there is one; undefined where there is none.
   *
   * @throws as `take`.
   */
  async tryTake(options?: CallOptions): Promise<Uint8Array | undefined> {
    options?.signal?.throwIfAborted();
    return this.#taking.tryTake({ ...options });
  }

  /** How many items there are, those among them that may not be taken yet. */
  size(options?: CallOptions): Promise<number> {
    return this.backlog.count(options);
  }

  /** Removes what this object has left besides the items. The next call makes it again. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#receipts.remove();
  }
}
