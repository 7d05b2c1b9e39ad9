/**
 * Waiting for changes of znodes, for one recipe on one client.
 *
 * A one-shot watch cannot be taken back alone, so a caller who stops waiting leaves his behind, on the server and in the client. Therefore
 * there is one watcher for each path, however many callers come and go: the client knows it as the same one and keeps it once.
 */
import { type CallOptions, type Client, isFinal, type Watcher } from '@quorate/client';
import { isZooKeeperError, ZooKeeperError } from '@quorate/protocol';
import { firstOf } from './first-of.js';
import { pause, persevere } from './persevere.js';

export class Watchpost {
  readonly #client: Client;
  /** Invariant: each has somebody who waits, or a watch that has not fired. */
  readonly #posts = new Map<string, Post>();
  #unsubscribe: (() => void) | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Resolves once there is no znode at a path.
   *
   * @throws as `until`.
   */
  async gone(path: string, options?: CallOptions): Promise<void> {
    try {
      // Not `exists`, which would leave a watch for a znode that never comes.
      await this.until(
        path,
        (watch) => this.#client.getData(path, { ...options, watch }),
        () => false,
        options,
      );
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
    }
  }

  /**
   * Makes a read that leaves a watch, again after every change, until what it gives is what is waited for.
   *
   * @param read as `changed` takes it.
   * @throws as `changed` does.
   */
  async until<T>(path: string, read: (watch: Watcher) => Promise<T>, isWanted: (result: T) => boolean, options?: CallOptions): Promise<T> {
    for (;;) {
      let found: { readonly result: T } | undefined;
      const look = async (watch: Watcher): Promise<boolean> => {
        const result = await read(watch);
        if (isWanted(result)) found = { result };
        return found === undefined;
      };
      await this.changed(path, look, options);
      if (found !== undefined) return found.result;
    }
  }

  /**
   * Makes a read that leaves a watch, and resolves once that has fired: the next read shows what has changed.
   *
   * @param read must read that path with the watcher that it is given; made again over lost connections. Where it gives false nothing is waited for, where it gives a number no longer than so
   * many milliseconds.
   * @throws what the read rejects with; the signal's reason; ZooKeeperError SESSION_EXPIRED or AUTH_FAILED where the client ends.
   */
  async changed(path: string, read: (watch: Watcher) => Promise<unknown>, options?: CallOptions): Promise<void> {
    const post = this.#post(path);
    // Before the read, because the watch may fire in the turn in which the answer comes.
    const waiter = new Waiter(options?.signal);
    post.waiters.add(waiter);
    try {
      const waits = await persevere(this.#client, () => read(post.watcher), options);
      post.armed = true;
      if (typeof waits === 'number') await firstOf(options, [() => waiter.told, (bounds) => pause(this.#client.clock, waits, bounds)]);
      else if (waits !== false) await waiter.told;
    } finally {
      waiter.end();
      post.waiters.delete(waiter);
      if (post.waiters.size === 0 && !post.armed) this.#remove(path, post);
    }
  }

  #post(path: string): Post {
    this.#unsubscribe ??= this.#client.onState((state) => {
      if (isFinal(state)) this.#end(state === 'AUTH_FAILED' ? 'AUTH_FAILED' : 'SESSION_EXPIRED');
    });
    const known = this.#posts.get(path);
    if (known !== undefined) return known;
    const post: Post = { waiters: new Set(), armed: false, watcher: () => this.#fire(path, post) };
    this.#posts.set(path, post);
    return post;
  }

  #fire(path: string, post: Post): void {
    this.#remove(path, post);
    for (const waiter of post.waiters) waiter.tell();
  }

  #remove(path: string, post: Post): void {
    if (this.#posts.get(path) === post) this.#posts.delete(path);
    if (this.#posts.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  /** The session has ended, and its watches with it. */
  #end(code: 'SESSION_EXPIRED' | 'AUTH_FAILED'): void {
    for (const [path, post] of [...this.#posts]) {
      this.#remove(path, post);
      for (const waiter of post.waiters)
        waiter.fail(new ZooKeeperError(code, `the client has ended: nothing more is heard of ${path}`, { path }));
    }
  }
}

/** A path that is watched. */
interface Post {
  readonly watcher: Watcher;
  readonly waiters: Set<Waiter>;
  /** Whether the server has the watch, or has had it. */
  armed: boolean;
}

/** One caller. */
class Waiter {
  readonly told: Promise<void>;
  tell!: () => void;
  fail!: (reason: unknown) => void;
  /** Takes back the interest in the signal. */
  readonly end: () => void;

  constructor(signal: AbortSignal | undefined) {
    this.told = new Promise((resolve, reject) => {
      this.tell = resolve;
      this.fail = reject;
    });
    // It may fail while the read is under way, which then fails as well.
    this.told.catch(() => {});
    const abort = (): void => this.fail(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    this.end = () => signal?.removeEventListener('abort', abort);
  }
}
