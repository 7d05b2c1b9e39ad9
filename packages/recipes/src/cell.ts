/** Data that several clients change, each change exactly once and none of them lost. */
import type { CallOptions, Client, Data, Operation, Watcher } from '@quorate/client';
import { CreateMode, isZooKeeperError, NO_ZXID, validatePath, type Zxid } from '@quorate/protocol';
import type { ZnodeOptions } from './parents.js';
import { backOffMs, pause, persevere } from './persevere.js';
import { Receipt } from './receipt.js';
import { Watchpost } from './watchpost.js';

/** What a cell has. */
export interface Content {
  /** Empty before the first change. */
  readonly data: Uint8Array;
  /** How many changes there were. */
  readonly version: number;
  /** The txn of the last one; 0 where there is no znode yet. */
  readonly mzxid: Zxid;
}

/** How a cell is to be changed. */
export interface Change {
  readonly data: Data;
  /** What is done in the same txn. */
  readonly alongside?: readonly Operation[] | undefined;
}

/** Gives the change, or undefined for none. */
export type Changer = (content: Content) => Change | undefined | Promise<Change | undefined>;

const NOTHING: Content = { data: new Uint8Array(0), version: 0, mzxid: NO_ZXID };

/**
 * One znode, which is made by the first change and stays. The receipts of those who change it are its children.
 *
 * Invariant: each change is made at the version that it was computed from.
 */
export class Cell {
  readonly path: string;
  readonly #client: Client;
  readonly #receipt: Receipt;
  readonly #posts: Watchpost;
  /** Settles when the changes so far have: two of one client would only refuse each other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(client: Client, path: string, options: ZnodeOptions) {
    validatePath(path);
    this.path = path;
    this.#client = client;
    this.#receipt = new Receipt(client, path, CreateMode.PERSISTENT, options);
    this.#posts = new Watchpost(client);
  }

  /** What is there once all is known that was done before the call. */
  async read(options?: CallOptions): Promise<Content> {
    await this.#sync(options);
    return this.#read(options);
  }

  /**
   * Changes the data, after earlier changes of this object.
   *
   * @param changer called again whenever somebody else was faster.
   * @returns the version of what there is then.
   * @throws what the changer throws, or the signal's reason: nothing was done. What `Receipt.commit` throws.
   */
  update(changer: Changer, options?: CallOptions): Promise<number> {
    const update = this.#last.then(() => this.#update(changer, options));
    this.#last = update.catch(() => {});
    return update;
  }

  /** What is there, with all that was done before the call, and again after each change of it. A loop that lags gets the newest and nothing in between. */
  async *follow(options?: CallOptions): AsyncGenerator<Content, void, undefined> {
    await this.#sync(options);
    for (let seen: Content | undefined; ; ) {
      const last = seen?.mzxid;
      const read = (watch: Watcher): Promise<Content> => this.#watch({ ...options, watch });
      seen = await this.#posts.until(this.path, read, ({ mzxid }) => mzxid !== last, options);
      yield seen;
    }
  }

  /** Takes the receipt away. */
  dispose(): Promise<void> {
    return this.#receipt.remove();
  }

  async #update(changer: Changer, options: CallOptions | undefined): Promise<number> {
    let content = await this.#read(options);
    for (let attempt = 0; ; attempt++) {
      options?.signal?.throwIfAborted();
      let change = await changer(content);
      if (change === undefined) {
        // That may be because of what is old.
        content = await this.read(options);
        change = await changer(content);
      }
      const { version } = content;
      if (change === undefined) return version;
      try {
        const { data, alongside = [] } = change;
        await this.#receipt.commit([{ op: 'setData', path: this.path, data, version }, ...alongside]);
        return version + 1;
      } catch (error) {
        if (!isZooKeeperError(error, 'BAD_VERSION')) throw error;
      }
      await pause(this.#client.clock, backOffMs(this.#client.random, attempt), options);
      content = await this.#read(options);
    }
  }

  #sync(options: CallOptions | undefined): Promise<void> {
    return persevere(this.#client, () => this.#client.sync(this.path, options), options);
  }

  /** As the server knows it, which may be less than others know. */
  async #read(options: CallOptions | undefined): Promise<Content> {
    return (await persevere(this.#client, () => this.#get(options), options)) ?? NOTHING;
  }

  /** Leaves a watch, whether there is a znode or not. */
  async #watch(options: CallOptions & { readonly watch: Watcher }): Promise<Content> {
    for (;;) {
      const content = await this.#get(options);
      if (content !== undefined) return content;
      if ((await this.#client.exists(this.path, options)) === undefined) return NOTHING;
    }
  }

  async #get(options: (CallOptions & { readonly watch?: Watcher }) | undefined): Promise<Content | undefined> {
    try {
      const { data, stat } = await this.#client.getData(this.path, options);
      return { data, version: stat.version, mzxid: stat.mzxid };
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) return undefined;
      throw error;
    }
  }
}
