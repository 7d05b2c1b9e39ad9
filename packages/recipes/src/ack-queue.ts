/** A queue whose items are delivered until somebody has dealt with them. */
import type { CallOptions, Client, Data } from '@quorate/client';
import { CreateMode, isZooKeeperError, joinPath, validatePath } from '@quorate/protocol';
import { Backlog, type Item, type Listing, type QueueOptions } from './backlog.js';
import { type Children, childrenOf } from './children.js';
import { beforeDeadline, type WaitOptions } from './deadline.js';
import { Delivery } from './delivery.js';
import { firstOf } from './first-of.js';
import { leaseOf } from './hold.js';
import { makeZnode, type ZnodeOptions } from './parents.js';
import { persevere } from './persevere.js';
import { Receipts } from './receipts.js';
import { Shortlist } from './shortlist.js';
import { WaitingLine } from './waiting-line.js';
import { Watchpost } from './watchpost.js';

/**
 * A queue with acknowledgement: at least once. An item stays in the queue while a consumer has it, under an ephemeral claim. When he acknowledges, both go in one txn; when he gives it
 * back, or his session ends, it is delivered again. Items are delivered in the order in which they were put, those that are delivered again as soon as they are noticed.
 *
 * @example
 * await using delivery = await queue.take();
 * await send(delivery.data, { signal: delivery.signal });
 * await delivery.ack();
 */
export class AckQueue implements AsyncDisposable {
  readonly path: string;
  readonly #client: Client;
  readonly #options: ZnodeOptions;
  readonly #backlog: Backlog;
  readonly #claims: string;
  readonly #posts: Watchpost;
  readonly #receipts: Receipts;
  readonly #shortlist: Shortlist;
  readonly #line: WaitingLine;

  /** @param path the directory of the queue, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path; TypeError. */
  constructor(client: Client, path: string, options: QueueOptions = {}) {
    validatePath(path);
    this.path = path;
    this.#client = client;
    this.#options = { acl: options.acl };
    this.#posts = new Watchpost(client);
    this.#claims = joinPath(path, 'claims');
    this.#receipts = new Receipts(client, path, CreateMode.CONTAINER, this.#options);
    this.#backlog = new Backlog(client, path, this.#receipts, this.#posts, options);
    this.#shortlist = new Shortlist(client.random, async (bounds) => (await this.#look(bounds)).free, true);
    this.#line = new WaitingLine(client, path, this.#posts, this.#options);
  }

  /**
   * Adds an item, once, also where the connection is lost.
   *
   * @throws RecipeError FULL; what a create rejects with; the signal's reason: nothing was added. ZooKeeperError SESSION_EXPIRED, RecipeError LOST: it may have been.
   */
  put(data: Data, options?: CallOptions): Promise<void> {
    return this.#backlog.put(data, undefined, options);
  }

  /**
   * Waits for an item that nobody has, and claims it.
   *
   * @throws RecipeError TIMEOUT, the signal's reason, ZooKeeperError SESSION_EXPIRED and AUTH_FAILED, RecipeError LOST: nothing is lost, what may have been claimed is
   * delivered again when the session has ended.
   */
  take(options?: WaitOptions): Promise<Delivery> {
    const source = {
      tryTake: (bounds: CallOptions) => this.#tryTake(bounds),
      untilWork: (bounds: CallOptions) => this.#untilWork(bounds),
    };
    return beforeDeadline(this.#client, `waiting for an item of ${this.path}`, options, (bounds) => this.#line.take(source, bounds));
  }

  /**
   * Claims an item if there is one that nobody has; undefined where there is none.
   *
   * @throws as `take`.
   */
  async tryTake(options?: CallOptions): Promise<Delivery | undefined> {
    options?.signal?.throwIfAborted();
    return this.#tryTake({ ...options });
  }

  /** How many items there are, those among them that somebody has. */
  size(options?: CallOptions): Promise<number> {
    return this.#backlog.count(options);
  }

  /** Removes what this object has left besides items and claims. The next call makes it again. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#receipts.remove();
  }

  #tryTake(options: CallOptions): Promise<Delivery | undefined> {
    return this.#shortlist.take((item) => this.#claim(item, options), options);
  }

  async #claim(item: Item, options: CallOptions): Promise<Delivery | undefined> {
    const claim = joinPath(this.#claims, item.name);
    for (;;) {
      try {
        const { data, stat } = await persevere(this.#client, () => this.#client.getData(item.path, options), options);
        options.signal?.throwIfAborted();
        await this.#receipts.commit([
          { op: 'create', path: claim, mode: CreateMode.EPHEMERAL, ...this.#options },
          // The data stay as they are; the version counts the deliveries.
          { op: 'setData', path: item.path, data, version: stat.version },
        ]);
        await leaseOf(this.#client);
        const [client, receipts] = [this.#client, this.#receipts];
        return new Delivery({ client, receipts, item: item.path, claim, data, attempt: stat.version + 1 });
      } catch (error) {
        if (isZooKeeperError(error, 'NO_NODE') && error.path === claim) {
          await makeZnode(this.#client, this.#claims, CreateMode.CONTAINER, { ...this.#options, ...options });
        } else if (isZooKeeperError(error, 'NO_NODE') || isZooKeeperError(error, 'NODE_EXISTS') || isZooKeeperError(error, 'BAD_VERSION')) {
          return undefined;
        } else {
          throw error;
        }
      }
    }
  }

  async #untilWork(options: CallOptions): Promise<void> {
    const { free, listing, claims } = await this.#look(options);
    if (free.length > 0) return;
    await firstOf(options, [(bounds) => this.#backlog.untilChanged(listing, bounds), (bounds) => this.#untilClaimsChange(claims, bounds)]);
  }

  #untilClaimsChange({ pzxid }: Children, options: CallOptions): Promise<void> {
    return this.#posts.changed(
      this.#claims,
      async (watch) => (await childrenOf(this.#client, this.#claims, { ...options, watch })).pzxid === pzxid,
      options,
    );
  }

  async #look(options: CallOptions): Promise<{ listing: Listing; claims: Children; free: Item[] }> {
    const listing = await this.#backlog.list(options);
    const claims = await persevere(this.#client, () => childrenOf(this.#client, this.#claims, options), options);
    const claimed = new Set(claims.names);
    return { listing, claims, free: listing.items.filter(({ name }) => !claimed.has(name)) };
  }
}
