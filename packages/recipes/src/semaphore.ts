/** So many at a time. */
import type { CallOptions, Client, Data } from '@quorate/client';
import { joinPath, validatePath } from '@quorate/protocol';
import { beforeDeadline, type WaitOptions } from './deadline.js';
import { Hold, leaseOf, runHolding } from './hold.js';
import { Line, type Place } from './line.js';
import { Lock, type LockOptions } from './lock.js';
import { Watchpost } from './watchpost.js';

/** How a semaphore is made. */
export interface SemaphoreOptions extends LockOptions {
  /** How many permits there are, 1 or more. All who use the semaphore must say the same. */
  readonly permits: number;
}

/**
 * Permits, of which only so many are held at a time. Fair: who comes first gets the next one.
 *
 * Two lines stand below its path, as those of Curator's `InterProcessSemaphoreV2`: `leases`, of those who have a permit, and `locks`, of those who want one. Only the first of
 * the latter looks at the former, so that a release wakes one.
 *
 * @example
 * const semaphore = new Semaphore(client, '/limits/export', { permits: 3 });
 * await semaphore.run(({ signal }) => exportAll({ signal }));
 */
export class Semaphore {
  readonly path: string;
  readonly permits: number;
  readonly #client: Client;
  readonly #gate: Lock;
  readonly #leases: Line<'lease'>;
  readonly #data: Data | undefined;
  readonly #posts: Watchpost;

  /** @throws ZooKeeperError BAD_ARGUMENTS for what is no path; TypeError. */
  constructor(client: Client, path: string, options: SemaphoreOptions) {
    validatePath(path);
    const { permits, data, acl } = options ?? {};
    if (!Number.isSafeInteger(permits) || permits < 1)
      throw new TypeError(`permits must be a whole number, 1 or more, not ${String(permits)}`);
    this.path = path;
    this.permits = permits;
    this.#client = client;
    this.#gate = new Lock(client, joinPath(path, 'locks'), { data, acl });
    this.#leases = new Line(client, joinPath(path, 'leases'), ['lease'], { acl });
    this.#data = data;
    this.#posts = new Watchpost(client);
  }

  /**
   * Waits for a permit.
   *
   * @throws RecipeError TIMEOUT; RecipeError LOST where somebody has removed its place; the signal's reason; ZooKeeperError SESSION_EXPIRED and what a create rejects with.
   */
  acquire(options: WaitOptions = {}): Promise<Hold> {
    return beforeDeadline(this.#client, `waiting for a permit of ${this.path}`, options, async (bounds) =>
      this.#pass(await this.#gate.acquire(bounds), (place) => this.#wait(place, bounds), bounds),
    );
  }

  /**
   * Takes a permit where one is left and nobody waits for it; undefined otherwise.
   *
   * @throws as `acquire`.
   */
  async tryAcquire(options: CallOptions = {}): Promise<Hold | undefined> {
    const gate = await this.#gate.tryAcquire(options);
    if (gate === undefined) return undefined;
    return this.#pass(gate, (place) => this.#look(place, options), options);
  }

  /** Runs a task with a permit, and releases it however the task ends. @throws what the task throws, whatever else fails; as `acquire` and `release`. */
  run<T>(task: (held: Hold) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return runHolding(() => this.acquire(options), task);
  }

  /** Nobody else asks for a permit meanwhile. */
  async #pass<T>(gate: Hold, turn: (place: Place) => Promise<T>, options: CallOptions): Promise<T> {
    try {
      return await this.#leases.stand('lease', this.#data, turn, options);
    } finally {
      // What has been got is the caller's, also where this takes its time.
      gate.release().catch(() => {});
    }
  }

  async #wait(place: Place, options: CallOptions): Promise<Hold> {
    const { directory } = this.#leases;
    await this.#posts.until(
      directory,
      (watch) => this.#leases.before(place, { ...options, watch }),
      (before) => before.length < this.permits,
      options,
    );
    await leaseOf(this.#client, options);
    return this.#hold(place);
  }

  async #look(place: Place, options: CallOptions): Promise<Hold | undefined> {
    const before = await this.#leases.before(place, options);
    return before.length < this.permits && !this.#client.leaseSignal.aborted ? this.#hold(place) : undefined;
  }

  #hold(place: Place): Hold {
    const { path, czxid } = place;
    const giveUp = (): Promise<void> => this.#leases.leave(place);
    return new Hold({ path, fencingToken: czxid, safe: () => this.#client.leaseSignal, posts: this.#posts, giveUp });
  }
}
