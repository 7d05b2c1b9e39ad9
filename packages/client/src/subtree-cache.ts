/**
 * A copy of a subtree that follows it (Apache Curator: class `CuratorCache`).
 *
 * One recursive watch tells which znode has changed, and a read tells what is there now. After a reconnection that may have missed something the subtree is compared, znode by
 * znode, with what is here. Invariants:
 * - a znode here is never older than one that was here before: what a read shows is compared by czxid and mzxid, and nothing is taken off but by a read that did not find it;
 * - every path whose event came after its last read was sent is read again;
 * - the changes, applied in their order to what was here when the loop began, give what is here.
 */
import { baseNameOf, isZooKeeperError, joinPath, parentOf, type Stat } from '@quorate/protocol';
import { type CallOptions, checkPath, checkWhole, signalOf } from './arguments.js';
import type { Client } from './client.js';
import { isFinal } from './client-state.js';
import { EVENTS_KEPT_MAX, EventStream } from './event-stream.js';
import { WHILE_IT_LIVES } from './follow.js';
import type { PersistentWatch } from './persistent-watch.js';
import type { WatchEvent } from './watch-registry.js';

/** How many znodes a cache holds unless its options say otherwise. */
export const CACHE_NODES_MAX = 100_000;

/** How many paths are being read at a time. */
const READS_MAX = 256;

/** A znode as a cache has it. Not to be written to. */
export interface CachedNode {
  readonly data: Uint8Array;
  /** Of the last read of this znode: what counts its children (numChildren, cversion, pzxid) may be older than the children here. */
  readonly stat: Stat;
}

/** One change of a cache. A znode that was deleted and created again is told as both. */
export type CacheChange =
  | { readonly type: 'CREATED'; readonly path: string; readonly node: CachedNode }
  | { readonly type: 'CHANGED'; readonly path: string; readonly node: CachedNode; readonly previous: CachedNode }
  | { readonly type: 'DELETED'; readonly path: string; readonly previous: CachedNode }
  /** The loop lagged, and the oldest changes are lost to it: what is there now is in the cache. */
  | { readonly type: 'CHANGES_MISSED'; readonly path: string };

/** Why a cache does not follow any more. */
export class CacheError extends Error {
  override readonly name = 'CacheError';
  readonly code: 'TOO_MANY_NODES' | 'WATCH_REMOVED' | 'CLOSED';

  constructor(code: CacheError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** What `SubtreeCache.open` takes. */
export interface SubtreeCacheOptions extends CallOptions {
  /** How many znodes it may hold; 100,000 when absent. One more ends it with TOO_MANY_NODES. */
  readonly nodesMax?: number | undefined;
}

export class SubtreeCache implements AsyncIterable<CacheChange>, AsyncDisposable {
  readonly path: string;
  readonly #client: Client;
  readonly #nodesMax: number;
  readonly #nodes = new Map<string, CachedNode>();
  /** The names of the children that are here, by the path of their parent, be that here yet or not. */
  readonly #names = new Map<string, Set<string>>();
  readonly #changes: EventStream<CacheChange>;
  /** What is to be read, and whether its children are to be compared too. */
  readonly #due = new Map<string, boolean>();
  readonly #reading = new Set<string>();
  readonly #waiters = new Set<() => void>();
  readonly #stopListening: () => void;
  #watch: PersistentWatch | undefined;
  /** Set once it follows no more. */
  #end: { readonly reason: unknown } | undefined;

  private constructor(client: Client, path: string, nodesMax: number) {
    this.path = path;
    this.#client = client;
    this.#nodesMax = nodesMax;
    this.#changes = new EventStream<CacheChange>(EVENTS_KEPT_MAX, () => ({ type: 'CHANGES_MISSED', path }));
    this.#stopListening = client.onState((state) => {
      if (isFinal(state))
        this.#finish(new CacheError('CLOSED', `the session of the cache of ${path} has ended: open another one over a new client`));
    });
  }

  /**
   * A cache that has read the subtree; the path itself need not exist. It costs a `getData` and a `getChildren` for each znode, then a `getData` for each change; and after a reconnection that
   * may have missed something a `getChildren` for each znode, and a `getData` for those that have changed.
   *
   * @throws CacheError TOO_MANY_NODES; ZooKeeperError BAD_ARGUMENTS, SESSION_EXPIRED, NO_AUTH where something in it may not be read; the signal's reason.
   *
   * @example
   * await using cache = await SubtreeCache.open(client, '/services');
   * console.log(cache.children('/services'));
   * for await (const change of cache) console.log(change.type, change.path);
   */
  static async open(client: Client, path: string, options: SubtreeCacheOptions = {}): Promise<SubtreeCache> {
    if (typeof client?.addWatch !== 'function') throw new TypeError('client must be a Client: SubtreeCache.open(client, path)');
    checkPath(path);
    const signal = signalOf(options);
    const { nodesMax = CACHE_NODES_MAX } = options;
    checkWhole('nodesMax', nodesMax, 1, Number.MAX_SAFE_INTEGER);
    const cache = new SubtreeCache(client, path, nodesMax);
    try {
      const watch = (event: WatchEvent): void => cache.#onEvent(event);
      cache.#watch = await client.addWatch(path, { recursive: true, watch, signal, retry: WHILE_IT_LIVES });
      cache.#read(path, true);
      await cache.ready({ signal });
      return cache;
    } catch (error) {
      await cache.close();
      throw error;
    }
  }

  /** How many znodes are here, the path itself among them. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Whether everything that the server has told is here, and it goes on to tell. */
  get isCurrent(): boolean {
    return this.#end === undefined && this.#isIdle && this.#client.state === 'CONNECTED';
  }

  /** A znode of the subtree; undefined where there is none. */
  get(path: string): CachedNode | undefined {
    return this.#nodes.get(path);
  }

  /** The names of the children of a znode, in no particular order; none where there is no znode. */
  children(path: string): string[] {
    return this.#nodes.has(path) ? [...(this.#names.get(path) ?? [])] : [];
  }

  /** Every znode with its path, as it is now; in no particular order. */
  entries(): IterableIterator<[string, CachedNode]> {
    return this.#nodes.entries();
  }

  /**
   * Every change from the beginning of the loop to the end of the cache. A loop that lags by more than 1,024 loses the oldest and is told CHANGES_MISSED in their place.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<CacheChange> {
    return this.#changes[Symbol.asyncIterator]();
  }

  /**
   * Resolves once everything that the server has told is here: after `client.sync()` that is everything that was committed before it.
   *
   * @throws why the cache follows no more: CacheError, ZooKeeperError; the signal's reason.
   */
  ready(options?: CallOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const signal = signalOf(options);
      const look = (): void => {
        if (this.#end !== undefined) settle(() => reject(this.#end?.reason));
        else if (this.#isIdle) settle(resolve);
      };
      const abort = (): void => settle(() => reject(signal?.reason));
      const settle = (how: () => void): void => {
        this.#waiters.delete(look);
        signal?.removeEventListener('abort', abort);
        how();
      };
      this.#waiters.add(look);
      signal?.addEventListener('abort', abort);
      look();
    });
  }

  /** Follows no more. What is here stays as it is. */
  async close(): Promise<void> {
    this.#finish(new CacheError('CLOSED', `the cache of ${this.path} was closed`));
    await this.#watch?.remove();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #isIdle(): boolean {
    return this.#due.size === 0 && this.#reading.size === 0;
  }

  #onEvent({ type, path }: WatchEvent): void {
    if (type === 'PERSISTENT_WATCH_REMOVED')
      return this.#finish(new CacheError('WATCH_REMOVED', `the watch of the cache of ${this.path} was taken away by removeWatches`));
    this.#read(path, type === 'EVENTS_MISSED');
  }

  /** Has a path read, at once or after those that are before it. */
  #read(path: string, deep: boolean): void {
    if (this.#end !== undefined) return;
    this.#due.set(path, deep || this.#due.get(path) === true);
    if (this.#due.size > 2 * this.#nodesMax) return this.#finish(this.#tooMany());
    this.#readMore();
  }

  #readMore(): void {
    for (const [path, deep] of this.#due) {
      if (this.#reading.size >= READS_MAX) return;
      // What is under way may have been answered before the change.
      if (this.#reading.has(path)) continue;
      this.#due.delete(path);
      this.#reading.add(path);
      void this.#readNow(path, deep);
    }
  }

  async #readNow(path: string, deep: boolean): Promise<void> {
    try {
      const stat = deep ? await this.#compareChildren(path) : undefined;
      const known = this.#nodes.get(path)?.stat;
      if (stat === undefined || known?.czxid !== stat.czxid || known.mzxid !== stat.mzxid) {
        const { data, stat } = await this.#client.getData(path, { retry: WHILE_IT_LIVES });
        this.#put(path, { data, stat });
      }
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) this.#remove(path);
      else this.#finish(error);
    }
    this.#reading.delete(path);
    this.#readMore();
    if (this.#isIdle) this.#tellWaiters();
  }

  async #compareChildren(path: string): Promise<Stat> {
    const { children, stat } = await this.#client.getChildren(path, { retry: WHILE_IT_LIVES });
    const there = new Set(children);
    for (const name of there) this.#read(joinPath(path, name), true);
    for (const name of this.#names.get(path) ?? []) if (!there.has(name)) this.#read(joinPath(path, name), false);
    return stat;
  }

  #put(path: string, node: CachedNode): void {
    if (this.#end !== undefined) return;
    const previous = this.#nodes.get(path);
    if (previous === undefined) return this.#create(path, node);
    const { czxid, mzxid } = previous.stat;
    if (node.stat.czxid < czxid || node.stat.mzxid < mzxid) return;
    if (node.stat.czxid > czxid) {
      this.#remove(path);
      return this.#create(path, node);
    }
    this.#nodes.set(path, node);
    if (node.stat.mzxid > mzxid) this.#changes.push({ type: 'CHANGED', path, node, previous });
  }

  #create(path: string, node: CachedNode): void {
    if (this.#nodes.size >= this.#nodesMax) return this.#finish(this.#tooMany());
    this.#nodes.set(path, node);
    if (path !== this.path) {
      const parent = parentOf(path);
      const names = this.#names.get(parent);
      if (names === undefined) this.#names.set(parent, new Set([baseNameOf(path)]));
      else names.add(baseNameOf(path));
    }
    this.#changes.push({ type: 'CREATED', path, node });
  }

  /** A znode is gone. What is here below it has been deleted before it, or belongs to another one of the same path that is there by now. */
  #remove(path: string): void {
    const previous = this.#nodes.get(path);
    if (previous === undefined || this.#end !== undefined) return;
    this.#nodes.delete(path);
    if (path !== this.path) {
      const names = this.#names.get(parentOf(path));
      names?.delete(baseNameOf(path));
      if (names?.size === 0) this.#names.delete(parentOf(path));
    }
    this.#changes.push({ type: 'DELETED', path, previous });
    for (const name of this.#names.get(path) ?? []) this.#read(joinPath(path, name), false);
  }

  #tooMany(): CacheError {
    return new CacheError('TOO_MANY_NODES', `there are more than ${this.#nodesMax} znodes at ${this.path}: allow more by nodesMax`);
  }

  #finish(reason: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { reason };
    this.#due.clear();
    this.#stopListening();
    this.#changes.end();
    this.#tellWaiters();
  }

  #tellWaiters(): void {
    for (const look of [...this.#waiters]) look();
  }
}
