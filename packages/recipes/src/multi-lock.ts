/** Several locks as one: all of them, or none. */
import type { CallOptions } from '@quorate/client';
import type { Zxid } from '@quorate/protocol';
import { beforeDeadline, follow, type WaitOptions } from './deadline.js';
import { type Hold, runHolding } from './hold.js';
import type { LineLock } from './line-lock.js';

/** A `Lock`, or a side of a `ReadWriteLock`. */
export type SingleLock = Pick<LineLock, 'client' | 'path' | 'acquire'>;

/**
 * Takes several locks, also of different clients and ensembles, in the order of their paths: so that two who want some of the same do not wait for one another.
 *
 * @example
 * const both = new MultiLock([new Lock(client, '/locks/from'), new Lock(client, '/locks/to')]);
 * await both.run(({ signal }) => transfer({ signal }));
 */
export class MultiLock {
  readonly #locks: readonly SingleLock[];

  /** @throws TypeError where there is none, or two of one path: such a lock would wait for itself. */
  constructor(locks: readonly SingleLock[]) {
    if (!Array.isArray(locks) || locks.length === 0) throw new TypeError('locks must be an array of at least one lock');
    this.#locks = [...locks].sort((a, b) => (a.path < b.path ? -1 : 1));
    const paths = this.#locks.map(({ path }) => path);
    const twice = paths.find((path, index) => paths[index + 1] === path);
    if (twice !== undefined) throw new TypeError(`locks must have paths of their own, and two have ${twice}`);
  }

  /**
   * Waits for all locks. Where it does not get one, it gives back those that it has; where it has lost one when it gets the last, it begins anew.
   *
   * @throws what `acquire` of a lock rejects with. `timeoutMs` is for all of them together.
   */
  acquire(options: WaitOptions = {}): Promise<MultiHold> {
    const { client } = this.#locks[0] as SingleLock;
    return beforeDeadline(client, `waiting for the locks ${this.#locks.map(({ path }) => path).join(', ')}`, options, async (bounds) => {
      for (;;) {
        const held = new MultiHold(await this.#acquireEach(bounds));
        if (!held.signal.aborted) return held;
        await held.release();
      }
    });
  }

  async #acquireEach(options: CallOptions): Promise<Hold[]> {
    const holds: Hold[] = [];
    try {
      for (const lock of this.#locks) holds.push(await lock.acquire(options));
      return holds;
    } catch (error) {
      for (const hold of holds) hold.release().catch(() => {});
      throw error;
    }
  }

  /** Runs a task with all locks, and releases them however the task ends. @throws what the task throws, whatever else fails; as `acquire`. */
  run<T>(task: (held: MultiHold) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return runHolding(() => this.acquire(options), task);
  }
}

/** Several locks that are held. */
export class MultiHold implements AsyncDisposable {
  /** In the order of their paths. */
  readonly holds: readonly Hold[];
  readonly #controller = new AbortController();

  /** @internal */
  constructor(holds: readonly Hold[]) {
    this.holds = holds;
    for (const { signal } of holds) follow(this.#controller, signal);
  }

  /** Aborts as soon as one of the holds is not safe any more, with its reason. */
  get signal(): AbortSignal {
    const aborted = this.holds.find(({ signal }) => signal.aborted)?.signal;
    return aborted ?? this.#controller.signal;
  }

  /** The token of each lock, in the order of `holds`. */
  get fencingTokens(): readonly Zxid[] {
    return this.holds.map(({ fencingToken }) => fencingToken);
  }

  /** Gives all back. @throws what the first `release` rejects with; all are tried. */
  async release(): Promise<void> {
    const outcomes = await Promise.allSettled(this.holds.map((hold) => hold.release()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** Releases and never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => {});
  }
}
