/** The items of a queue: znodes of one directory, in order. */
import type { CallOptions, Client, Data } from '@quorate/client';
import { CreateMode, isZooKeeperError, joinPath, type Zxid } from '@quorate/protocol';
import { childrenOf } from './children.js';
import { makeZnode, type ZnodeOptions } from './parents.js';
import { persevere } from './persevere.js';
import type { Receipts } from './receipts.js';
import { RecipeError } from './recipe-error.js';
import type { Watchpost } from './watchpost.js';

/** How many items a queue has at most, unless its options say otherwise: to list them takes one answer, of some 60 bytes for each. */
export const ITEMS_MAX = 10_000;

/** How a queue is made. */
export interface QueueOptions extends ZnodeOptions {
  /** How many items it may have; 10,000 when absent. Those who put items at the same time may exceed it by as many as they are. */
  readonly itemsMax?: number | undefined;
}

/** An item. No other one has the same name, because the directory stays and counts on. */
export interface Item {
  readonly name: string;
  readonly path: string;
  /** The lesser ones first; 0 where the queue has no ranks. */
  readonly rank: number;
  /** Among those of one rank, the order in which they were put. */
  readonly number: number;
}

/** The items that there were at some moment. */
export interface Listing {
  /** The first one first. */
  readonly items: readonly Item[];
  /** The last txn that made or deleted one. */
  readonly pzxid: Zxid;
}

/** `item-0000000007`, with a rank `item000000000000300-0000000007`. */
const ITEM = /^item(\d*)-(\d{10}|-\d{9,10})$/;

/** How many digits a rank has, so that names sort by it for people who look at them. */
const RANK_DIGITS = 15;

export class Backlog {
  readonly directory: string;
  readonly #client: Client;
  readonly #receipts: Receipts;
  readonly #posts: Watchpost;
  readonly #options: ZnodeOptions;
  readonly #itemsMax: number;

  constructor(client: Client, path: string, receipts: Receipts, posts: Watchpost, { acl, itemsMax = ITEMS_MAX }: QueueOptions) {
    if (!Number.isInteger(itemsMax) || itemsMax < 1)
      throw new TypeError(`itemsMax must be a whole number, 1 or more, not ${String(itemsMax)}`);
    this.directory = joinPath(path, 'items');
    this.#client = client;
    this.#receipts = receipts;
    this.#posts = posts;
    this.#options = { acl };
    this.#itemsMax = itemsMax;
  }

  /**
   * Adds an item, once. A protected create would not do: where the answer to the first one is lost, the item may have been taken before it is looked for.
   *
   * @throws RecipeError FULL.
   */
  async put(data: Data, rank: number | undefined, options: CallOptions | undefined): Promise<void> {
    const own = typeof data === 'string' ? data : data.slice();
    if ((await this.count(options)) >= this.#itemsMax)
      throw new RecipeError('FULL', `${this.directory} has ${this.#itemsMax} items or more: wait until some are taken, or raise itemsMax`);
    options?.signal?.throwIfAborted();
    const path = joinPath(this.directory, `item${rank === undefined ? '' : String(rank).padStart(RANK_DIGITS, '0')}-`);
    for (;;) {
      try {
        return await this.#receipts.commit([{ op: 'create', path, data: own, mode: CreateMode.PERSISTENT_SEQUENTIAL, ...this.#options }]);
      } catch (error) {
        if (!isZooKeeperError(error, 'NO_NODE')) throw error;
      }
      await makeZnode(this.#client, this.directory, CreateMode.PERSISTENT, this.#options);
    }
  }

  /** How many items there are. */
  async count(options: CallOptions | undefined): Promise<number> {
    const stat = await persevere(this.#client, () => this.#client.exists(this.directory, options), options);
    return stat?.numChildren ?? 0;
  }

  /** All items, as the server knows them: it may lag behind. */
  async list(options: CallOptions | undefined): Promise<Listing> {
    const { names, pzxid } = await persevere(this.#client, () => childrenOf(this.#client, this.directory, options), options);
    const items = names.flatMap((name) => this.#parse(name));
    return { items: items.sort((a, b) => a.rank - b.rank || compareSequence(a.number, b.number)), pzxid };
  }

  /** Resolves when there may be other items than in a listing. */
  untilChanged({ pzxid }: Listing, options: CallOptions): Promise<void> {
    return this.#posts.changed(
      this.directory,
      async (watch) => (await childrenOf(this.#client, this.directory, { ...options, watch })).pzxid === pzxid,
      options,
    );
  }

  #parse(name: string): Item[] {
    const [, rank, number] = ITEM.exec(name) ?? [];
    if (rank === undefined) return [];
    return [{ name, path: joinPath(this.directory, name), rank: Number(rank), number: Number(number) }];
  }
}

/** The numbers of sequential znodes are those of an int32, which wraps: of two that are less than 2^31 apart it is known which came first. */
function compareSequence(a: number, b: number): number {
  return (a - b) | 0;
}
