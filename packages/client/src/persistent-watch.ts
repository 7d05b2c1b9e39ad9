/** A watch that stays until it is taken back, as its owner sees it (ZooKeeper: `addWatch`). */
import { type CallOptions, signalOf } from './arguments.js';
import { EVENTS_KEPT_MAX, EventStream } from './event-stream.js';
import type { WatchEvent, Watcher } from './watch-registry.js';

/**
 * A watch that stays: of one path, or of everything below it too. Made by `Client.addWatch`.
 *
 * It is told of every change, in the order of the changes, each before any reply that shows it: `NODE_CREATED`, `NODE_DELETED`, `NODE_DATA_CHANGED`
 * of its path, and `NODE_CHILDREN_CHANGED` unless it is recursive; a recursive one of every path below its own. No server keeps what
 * changes while the client is between two connections: `EVENTS_MISSED` says that there may have been something, so read again.
 *
 * @example
 * await using watch = await client.addWatch('/config', { recursive: true });
 * for await (const { type, path } of watch) if (type === 'EVENTS_MISSED') await readAll(); else await readAgain(path);
 */
export class PersistentWatch implements AsyncIterable<WatchEvent>, AsyncDisposable {
  readonly path: string;
  readonly recursive: boolean;
  readonly #events: EventStream<WatchEvent>;
  readonly #callback: Watcher | undefined;
  readonly #remove: (watch: PersistentWatch) => Promise<void>;
  /** What has come since the watch was set is for the first loop. */
  #first: AsyncIterableIterator<WatchEvent> | undefined;
  #removed: Promise<void> | undefined;

  /** @internal */
  constructor(options: {
    readonly path: string;
    readonly recursive: boolean;
    readonly callback: Watcher | undefined;
    readonly remove: (watch: PersistentWatch) => Promise<void>;
  }) {
    const { path, recursive, callback, remove } = options;
    this.path = path;
    this.recursive = recursive;
    this.#callback = callback;
    this.#remove = remove;
    this.#events = new EventStream(EVENTS_KEPT_MAX, ({ zxid }) => ({ type: 'EVENTS_MISSED', path, zxid }));
    if (callback === undefined) this.#first = this.#events[Symbol.asyncIterator]();
  }

  /**
   * The events, until the watch or the session ends: to the first loop all since the watch was set, unless they go to a callback; to every
   * other one those since it has begun. A loop that lags by more than 1,024 loses the oldest and is told `EVENTS_MISSED` in their place. A loop
   * that is left leaves the watch as it is.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<WatchEvent> {
    const first = this.#first;
    this.#first = undefined;
    return first ?? this.#events[Symbol.asyncIterator]();
  }

  /**
   * Takes the watch back: it is told of nothing more from now on, and its loops end. Resolves once the server has taken it back too, where it
   * is connected and no other watch needs that.
   */
  async remove(options?: CallOptions): Promise<void> {
    const signal = signalOf(options);
    this.#removed ??= this.#remove(this);
    if (signal === undefined) return this.#removed;
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      void this.#removed?.then(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.remove();
  }

  /** @internal */
  tell(event: WatchEvent): void {
    this.#events.push(event);
    if (event.type === 'PERSISTENT_WATCH_REMOVED') this.#events.end();
    this.#callback?.(event);
  }

  /** @internal */
  end(): void {
    this.#events.end();
  }
}
