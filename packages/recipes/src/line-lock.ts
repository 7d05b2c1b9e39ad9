/** What locks have in common: somebody stands in a line until nobody before him is in his way. */
import type { CallOptions, Client, Data } from '@quorate/client';
import { joinPath } from '@quorate/protocol';
import { beforeDeadline, type WaitOptions } from './deadline.js';
import { Hold, leaseOf, runHolding } from './hold.js';
import type { Line, Member, Place } from './line.js';
import { RecipeError } from './recipe-error.js';
import { Watchpost } from './watchpost.js';

/** What `acquire` takes. */
export interface AcquireOptions extends WaitOptions {
  /**
   * A hold of the same lock that the caller is part of: it need not wait then, and what it gets ends with that one at the latest. That is how a function that needs the lock is
   * called by one that has it.
   */
  readonly within?: Hold | undefined;
}

/** What a lock over a line is made of. */
export interface LineLockOptions<Kind extends string> {
  readonly client: Client;
  readonly line: Line<Kind>;
  readonly kind: Kind;
  /** Of the znode that stands in line. */
  readonly data: Data | undefined;
  /** Whom to wait for, of those who stand before; undefined for nobody. */
  readonly inTheWay: (before: readonly Member<Kind>[]) => Member<Kind> | undefined;
  /** A lock whose holds include this one. */
  readonly wider?: LineLock<Kind> | undefined;
}

/** One way to stand in a line: a `Lock`, or a side of a `ReadWriteLock`. */
export class LineLock<Kind extends string = string> {
  readonly client: Client;
  readonly path: string;
  readonly #options: LineLockOptions<Kind>;
  readonly #posts: Watchpost;
  readonly #holds = new WeakSet<Hold>();

  /** @internal */
  constructor(options: LineLockOptions<Kind>) {
    this.client = options.client;
    this.path = options.line.directory;
    this.#options = options;
    this.#posts = new Watchpost(options.client);
  }

  /**
   * Waits for the lock. Where it does not get it, its place in line is given up.
   *
   * @throws RecipeError TIMEOUT; RecipeError LOST where somebody has removed its place, or `within` is not safe any more; the signal's reason; ZooKeeperError SESSION_EXPIRED
   * and what a create rejects with.
   */
  async acquire(options: AcquireOptions = {}): Promise<Hold> {
    if (options?.within !== undefined) return this.#enter(options.within);
    return beforeDeadline(this.client, `waiting for the lock ${this.path}`, options, (bounds) =>
      this.#stand(async (place) => {
        for (;;) {
          const other = await this.#obstacle(place, bounds);
          if (other === undefined) break;
          await this.#posts.gone(joinPath(this.path, other.name), bounds);
        }
        await leaseOf(this.client, bounds);
        return this.#hold(place);
      }, bounds),
    );
  }

  /**
   * Takes the lock where nobody is in the way; undefined where somebody is.
   *
   * @throws as `acquire`.
   */
  async tryAcquire(options: CallOptions = {}): Promise<Hold | undefined> {
    options.signal?.throwIfAborted();
    return this.#stand(async (place) => {
      const isFree = (await this.#obstacle(place, options)) === undefined;
      return isFree && !this.client.leaseSignal.aborted ? this.#hold(place) : undefined;
    }, options);
  }

  /**
   * Runs a task with the lock, and releases it however the task ends.
   *
   * @throws what the task throws, whatever else fails; as `acquire` and `release`.
   */
  run<T>(task: (held: Hold) => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    return runHolding(() => this.acquire(options), task);
  }

  #stand<T>(turn: (place: Place) => Promise<T>, options: CallOptions): Promise<T> {
    const { line, kind, data } = this.#options;
    return line.stand(kind, data, turn, options);
  }

  async #obstacle(place: Place, options: CallOptions): Promise<Member<Kind> | undefined> {
    const { line, inTheWay } = this.#options;
    return inTheWay(await line.before(place, options));
  }

  #hold(place: Place): Hold {
    const { path, czxid } = place;
    const giveUp = (): Promise<void> => this.#options.line.leave(place);
    return this.#keep(new Hold({ path, fencingToken: czxid, safe: () => this.client.leaseSignal, posts: this.#posts, giveUp }));
  }

  /** The lock is the caller's already. */
  #enter(within: Hold): Hold {
    const { wider } = this.#options;
    if (!this.#holds.has(within) && wider?.owns(within) !== true) throw new TypeError(`within must be a hold of this lock, ${this.path}`);
    if (within.signal.aborted)
      throw new RecipeError('LOST', `the hold of ${this.path} is not safe any more`, { cause: within.signal.reason });
    const { path, fencingToken } = within;
    return this.#keep(new Hold({ path, fencingToken, safe: () => within.signal, giveUp: () => Promise.resolve() }));
  }

  #keep(hold: Hold): Hold {
    this.#holds.add(hold);
    return hold;
  }

  /** @internal */
  owns(hold: Hold): boolean {
    return this.#holds.has(hold);
  }
}
