/** A barrier: a znode that holds everybody back while it is there (ZooKeeper's recipe "Barriers"). */
import type { CallOptions, Client } from '@quorate/client';
import { CreateMode, isZooKeeperError, validatePath } from '@quorate/protocol';
import { beforeDeadline, type WaitOptions } from './deadline.js';
import { makeZnode, type ZnodeOptions } from './parents.js';
import { persevere } from './persevere.js';
import { Watchpost } from './watchpost.js';

/**
 * Holds back whoever waits while it is set. It stays set until somebody removes it, whatever becomes of the client that has set it.
 *
 * @example
 * const barrier = new Barrier(client, '/maintenance');
 * await barrier.set();
 * // Elsewhere:
 * await barrier.wait({ timeoutMs: 60_000 });
 */
export class Barrier {
  readonly path: string;
  readonly #client: Client;
  readonly #options: ZnodeOptions;
  readonly #posts: Watchpost;

  /** @param path of the znode that is the barrier. @throws ZooKeeperError BAD_ARGUMENTS for what is no path. */
  constructor(client: Client, path: string, { acl }: ZnodeOptions = {}) {
    validatePath(path);
    this.path = path;
    this.#client = client;
    this.#options = { acl };
    this.#posts = new Watchpost(client);
  }

  /** Sets the barrier, if it is not set. Whoever begins to wait once this has resolved is held back. */
  set(options?: CallOptions): Promise<void> {
    return makeZnode(this.#client, this.path, CreateMode.PERSISTENT, { ...this.#options, ...options });
  }

  /** Removes the barrier, if it is set: all who wait go on. */
  async remove(options?: CallOptions): Promise<void> {
    try {
      await persevere(this.#client, () => this.#client.delete(this.path, options), options);
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
    }
  }

  /** Whether the barrier is set, as of some moment during the call. */
  isSet(options?: CallOptions): Promise<boolean> {
    return persevere(this.#client, () => this.#read(options), options);
  }

  /**
   * Resolves once the barrier is not set.
   *
   * @throws RecipeError TIMEOUT, the signal's reason, ZooKeeperError SESSION_EXPIRED and AUTH_FAILED.
   */
  wait(options?: WaitOptions): Promise<void> {
    return beforeDeadline(this.#client, `waiting at the barrier ${this.path}`, options, async (bounds) => {
      // A server that lags behind may not know yet that it is set.
      await persevere(this.#client, () => this.#client.sync(this.path, bounds), bounds);
      await this.#posts.gone(this.path, bounds);
    });
  }

  async #read(options: CallOptions | undefined): Promise<boolean> {
    await this.#client.sync(this.path, options);
    return (await this.#client.exists(this.path, options)) !== undefined;
  }
}
