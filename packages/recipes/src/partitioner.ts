/** A set of partitions divided among the members of a group: each has one owner at a time, and few move when members come and go. */
import { type CallOptions, type Client, EventStream } from '@quorate/client';
import { joinPath, validatePath, type Zxid } from '@quorate/protocol';
import { divide } from './consistent-hash.js';
import { follow } from './deadline.js';
import type { GroupView } from './group-view.js';
import type { Hold } from './hold.js';
import { Lock } from './lock.js';
import { type Joined, Membership } from './membership.js';
import type { ZnodeOptions } from './parents.js';
import { RecipeError } from './recipe-error.js';

/** A partition in the hands of this member. */
export interface OwnedPartition {
  readonly partition: string;
  /** Aborts when the partition goes to somebody else (RecipeError RELEASED), or it is not safe any more, as that of a `Hold`. */
  readonly signal: AbortSignal;
  /** Greater than that of every owner of this partition before. */
  readonly fencingToken: Zxid;
}

/** What has changed. */
export interface PartitionChange {
  readonly type: 'ACQUIRED' | 'LOST';
  readonly partition: string;
  readonly fencingToken: Zxid;
}

/** How a partitioner is made. */
export interface PartitionerOptions extends ZnodeOptions {
  /** The name of this member, different from those of the others. */
  readonly id: string;
  /** The names of all partitions, the same for every member. */
  readonly partitions: readonly string[];
  /**
   * Works at one partition: called when this member has become its owner, and expected to end soon after its signal has aborted, because the next owner waits for
   * that. It may end earlier; the partition stays with this member then. What it throws ends `run`.
   */
  work(owned: OwnedPartition): void | Promise<void>;
}

/**
 * One member of those who divide the partitions among them: by consistent hashing of the names of who is there, so that all come to the same result. Whoever owns a partition holds its
 * lock, so that no two do even while they see different members.
 *
 * @example
 * const partitioner = new Partitioner(client, '/orders', { id, partitions, work: async ({ partition, signal }) => consume(partition, signal) });
 * await partitioner.run({ signal });
 */
export class Partitioner {
  readonly path: string;
  readonly #client: Client;
  readonly #options: PartitionerOptions;
  readonly #membership: Membership;
  readonly #changes = new EventStream<PartitionChange>();
  readonly #owned = new Map<string, OwnedPartition>();
  /** The partitions that this member has or waits for: how to tell it that it is not to any more. */
  readonly #claims = new Map<string, AbortController>();
  #hasRun = false;

  /** @param path the directory of the group, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path; TypeError. */
  constructor(client: Client, path: string, options: PartitionerOptions) {
    const { partitions, work, acl } = options;
    validatePath(path);
    if (!Array.isArray(partitions)) throw new TypeError('partitions must be an array of names');
    if (typeof work !== 'function') throw new TypeError('work must be a function of an owned partition');
    this.path = path;
    this.#client = client;
    this.#options = options;
    this.#membership = new Membership(client, joinPath(path, 'members'), { acl });
    for (const partition of partitions) validatePath(this.#pathOf(partition));
  }

  /** What this member owns. */
  get owned(): readonly OwnedPartition[] {
    return [...this.#owned.values()];
  }

  /** Every change from the beginning of the loop to the end of `run`. A loop that lags by more than 1,024 loses the oldest. */
  get changes(): AsyncIterable<PartitionChange> {
    return this.#changes;
  }

  /**
   * Takes part, once, until the signal aborts; resolves when all work has ended and all partitions are given back.
   *
   * @throws what `work` throws, ZooKeeperError SESSION_EXPIRED where the session has ended, RecipeError LOST where this member was removed or another one has joined under its id: each once all work
   * has ended. RecipeError CONFLICT where it has run already.
   */
  async run({ signal }: CallOptions = {}): Promise<void> {
    if (this.#hasRun) throw new RecipeError('CONFLICT', `this member has taken part in ${this.path} already: make another Partitioner`);
    signal?.throwIfAborted();
    this.#hasRun = true;
    try {
      await using view = await this.#membership.view({ signal });
      await using joined = await this.#membership.join(this.#options.id, { signal });
      await this.#takePart(view, joined, signal);
    } catch (error) {
      if (signal?.aborted !== true || error !== signal.reason) throw error;
    } finally {
      this.#changes.end();
    }
  }

  async #takePart(view: GroupView, joined: Joined, signal: AbortSignal | undefined): Promise<void> {
    const stop = new AbortController();
    const unfollow = [follow(stop, signal), follow(stop, view.ended)];
    const tenures = new Set<Promise<void>>();
    let isSeen = false;
    const settle = (): void => {
      const isMember = view.members.some((member) => member.joined === joined.fencingToken);
      if (isSeen && !isMember) stop.abort(new RecipeError('LOST', `${joined.path} was removed, or another member has the id ${joined.id}`));
      isSeen ||= isMember;
      const mine = new Set(isMember && !stop.signal.aborted ? this.#shareOf(view) : []);
      for (const [partition, claim] of this.#claims)
        if (!mine.has(partition)) claim.abort(new RecipeError('RELEASED', `${partition} goes to another member`));
      for (const partition of mine) if (!this.#claims.has(partition)) begin(partition);
    };
    const begin = (partition: string): void => {
      const tenure = this.#serve(partition)
        .catch((error) => stop.abort(error))
        .finally(() => {
          tenures.delete(tenure);
          this.#claims.delete(partition);
          settle();
        });
      tenures.add(tenure);
    };
    unfollow.push(view.onChange(settle));
    settle();
    await aborted(stop.signal);
    // The others may line up for the partitions meanwhile.
    joined.release().catch(() => {});
    settle();
    await Promise.all(tenures);
    for (const end of unfollow) end();
    throw stop.signal.reason;
  }

  #shareOf(view: GroupView): readonly string[] {
    const members = view.members.map(({ id }) => id);
    return divide(this.#options.partitions, members).get(this.#options.id) ?? [];
  }

  /** Owns a partition, again whenever its hold was not safe any more, until it goes to another member. */
  async #serve(partition: string): Promise<void> {
    const claim = new AbortController();
    this.#claims.set(partition, claim);
    const lock = new Lock(this.#client, this.#pathOf(partition), { acl: this.#options.acl });
    while (!claim.signal.aborted) {
      try {
        await lock.run((held) => this.#own(partition, held, claim.signal), { signal: claim.signal });
      } catch (error) {
        if (error !== claim.signal.reason) throw error;
      }
    }
  }

  async #own(partition: string, held: Hold, claim: AbortSignal): Promise<void> {
    // It may have gone to another member while the lock was on its way.
    if (held.signal.aborted || claim.aborted) return;
    const { fencingToken } = held;
    const controller = new AbortController();
    const unfollow = [follow(controller, held.signal), follow(controller, claim)];
    const owned: OwnedPartition = {
      partition,
      fencingToken,
      get signal() {
        // To be asked for it makes the hold look at the clock.
        void held.signal;
        return controller.signal;
      },
    };
    this.#owned.set(partition, owned);
    this.#changes.push({ type: 'ACQUIRED', partition, fencingToken });
    try {
      await this.#options.work(owned);
      await aborted(controller.signal);
    } catch (error) {
      // That is how much code ends when its signal aborts.
      if (!controller.signal.aborted || error !== controller.signal.reason) throw error;
    } finally {
      for (const end of unfollow) end();
      this.#owned.delete(partition);
      this.#changes.push({ type: 'LOST', partition, fencingToken });
    }
  }

  #pathOf(partition: string): string {
    return joinPath(joinPath(this.path, 'partitions'), partition);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
