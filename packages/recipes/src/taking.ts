/** Taking items out of a queue for good: each goes to one taker. */
import { type CallOptions, type Client, MultiError } from '@quorate/client';
import { isZooKeeperError } from '@quorate/protocol';
import type { Backlog, Item } from './backlog.js';
import { firstOf } from './first-of.js';
import { pause, persevere } from './persevere.js';
import type { Receipts } from './receipts.js';
import { Shortlist } from './shortlist.js';
import type { Source } from './waiting-line.js';

/** The longest time without a look at the wall clock, in milliseconds: it may be set forward. */
const LOOK_MS_MAX = 10_000;

/** Which items may be taken. */
export interface TakingRule {
  /** Whether an item that is put later may have to be taken earlier. */
  readonly ranked: boolean;
  /** How long until an item may be taken, in milliseconds; 0 for now. */
  msUntilReady(item: Item): number;
}

export class Taking implements Source<Uint8Array> {
  readonly #client: Client;
  readonly #backlog: Backlog;
  readonly #rule: TakingRule;
  readonly #shortlist: Shortlist;
  readonly #receipts: Receipts;

  constructor(client: Client, backlog: Backlog, receipts: Receipts, rule: TakingRule) {
    this.#client = client;
    this.#backlog = backlog;
    this.#rule = rule;
    this.#shortlist = new Shortlist(client.random, (bounds) => this.#ready(bounds), !rule.ranked);
    this.#receipts = receipts;
  }

  tryTake(options: CallOptions): Promise<Uint8Array | undefined> {
    return this.#shortlist.take(async (item) => {
      const data = await this.#read(item, options);
      options.signal?.throwIfAborted();
      return data !== undefined && (await this.#remove(item)) ? data : undefined;
    }, options);
  }

  async untilWork(options: CallOptions): Promise<void> {
    const listing = await this.#backlog.list(options);
    const ms = listing.items.reduce((least, item) => Math.min(least, this.#rule.msUntilReady(item)), Number.POSITIVE_INFINITY);
    if (ms === 0) return;
    const tasks = [(bounds: CallOptions) => this.#backlog.untilChanged(listing, bounds)];
    if (ms < Number.POSITIVE_INFINITY) tasks.push((bounds) => pause(this.#client.clock, Math.min(ms, LOOK_MS_MAX), bounds));
    await firstOf(options, tasks);
  }

  async #ready(options: CallOptions): Promise<Item[]> {
    const { items } = await this.#backlog.list(options);
    return items.filter((item) => this.#rule.msUntilReady(item) === 0);
  }

  async #read({ path }: Item, options: CallOptions): Promise<Uint8Array | undefined> {
    try {
      return (await persevere(this.#client, () => this.#client.getData(path, options), options)).data;
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) return undefined;
      throw error;
    }
  }

  /** Whether it was this taker who has removed it. */
  async #remove({ path }: Item): Promise<boolean> {
    try {
      await this.#receipts.commit([{ op: 'delete', path }]);
      return true;
    } catch (error) {
      if (error instanceof MultiError && error.code === 'NO_NODE') return false;
      throw error;
    }
  }
}
