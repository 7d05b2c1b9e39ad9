/** A lock for the processes of a system: one of them has it at a time. */
import type { CallOptions, Client, Data } from '@quorate/client';
import { joinPath, validatePath } from '@quorate/protocol';
import { beforeDeadline, type WaitOptions } from './deadline.js';
import { Hold, runHolding } from './hold.js';
import { Line, type Place } from './line.js';
import type { ZnodeOptions } from './parents.js';
import { RecipeError } from './recipe-error.js';
import { Watchpost } from './watchpost.js';

/** How a lock is made. */
export interface LockOptions extends ZnodeOptions {
  /** Data of the znode with which this process stands in line: for people who look who has the lock. None when absent. */
  readonly data?: Data | undefined;
}

/** What `acquire` takes. */
export interface AcquireOptions extends WaitOptions {
  /**
   * A hold of the same lock that the caller is part of: it need not wait then, and what it gets ends with that one at the latest. That is how a function that needs the lock is
   * called by one that has it.
   */
  readonly within?: Hold | undefined;
}

/**
 * An exclusive lock, fair: who comes first has it first, and a release wakes the next one alone (ZooKeeper's recipe; znodes as those of Curator's `InterProcessMutex`).
 *
 * One object serves any number of callers, each of which stands in line for itself. It holds nothing by itself, so there is nothing to close.
 *
 * @example
 * const lock = new Lock(client, '/locks/billing');
 * await lock.run(async ({ signal, fencingToken }) => bill({ signal, fencingToken }), { timeoutMs: 5_000 });
 */
export class Lock {
  readonly path: string;
  readonly #client: Client;
  readonly #line: Line<'lock'>;
  readonly #data: Data | undefined;
  readonly #posts: Watchpost;
  readonly #holds = new WeakSet<Hold>();

  /** @param path the directory of the lock, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path. */
  constructor(client: Client, path: string, { data, acl }: LockOptions = {}) {
    validatePath(path);
    this.path = path;
    this.#client = client;
    this.#line = new Line(client, path, ['lock'], { acl });
    this.#data = data;
    this.#posts = new Watchpost(client);
  }

  /**
   * Waits for the lock. Where it does not get it, its place in line is given up.
   *
   * @throws RecipeError TIMEOUT; RecipeError LOST where somebody has removed its place, or `within` is not safe any more; the signal's reason; ZooKeeperError SESSION_EXPIRED
   * and what a create rejects with.
   */
  async acquire(options: AcquireOptions = {}): Promise<Hold> {
    if (options.within !== undefined) return this.#enter(options.within);
    return beforeDeadline(this.#client, `waiting for the lock ${this.path}`, options, (bounds) =>
      this.#line.stand('lock', this.#data, (place) => this.#wait(place, bounds), bounds),
    );
  }

  /**
   * Takes the lock where nobody has it; undefined where somebody has.
   *
   * @throws as `acquire`.
   */
  async tryAcquire(options: CallOptions = {}): Promise<Hold | undefined> {
    options.signal?.throwIfAborted();
    return this.#line.stand('lock', this.#data, (place) => this.#look(place, options), options);
  }

  /**
   * Runs a task with the lock, and releases it however the task ends.
   *
   * @throws what the task throws, whatever else fails; as `acquire` and `release`.
   */
  run<T>(task: (held: Hold) => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    return runHolding(() => this.acquire(options), task);
  }

  async #wait(place: Place, options: CallOptions): Promise<Hold> {
    for (;;) {
      const before = await this.#line.before(place, options);
      const last = before.at(-1);
      if (last !== undefined) await this.#posts.gone(joinPath(this.path, last.name), options);
      else if (!this.#client.leaseSignal.aborted) return this.#hold(place);
    }
  }

  async #look(place: Place, options: CallOptions): Promise<Hold | undefined> {
    const before = await this.#line.before(place, options);
    return before.length === 0 && !this.#client.leaseSignal.aborted ? this.#hold(place) : undefined;
  }

  #hold(place: Place): Hold {
    const { path, czxid } = place;
    const giveUp = (): Promise<void> => this.#line.leave(place);
    const hold = new Hold({ path, fencingToken: czxid, safe: this.#client.leaseSignal, posts: this.#posts, giveUp });
    this.#holds.add(hold);
    return hold;
  }

  /** The lock is the caller's already. */
  #enter(within: Hold): Hold {
    if (!this.#holds.has(within)) throw new TypeError(`within must be a hold of this lock, ${this.path}`);
    if (within.signal.aborted)
      throw new RecipeError('LOST', `the hold of ${this.path} is not safe any more`, { cause: within.signal.reason });
    const { path, fencingToken, signal } = within;
    const hold = new Hold({ path, fencingToken, safe: signal, giveUp: () => Promise.resolve() });
    this.#holds.add(hold);
    return hold;
  }
}
