/** A lock that is had for a time and not for ever. */
import type { Client } from '@quorate/client';
import type { Timer } from '@quorate/ports';
import { checkMs, follow } from './deadline.js';
import { Hold, runHolding } from './hold.js';
import type { AcquireOptions } from './line-lock.js';
import { Lock, type LockOptions } from './lock.js';
import { RecipeError } from './recipe-error.js';

/** How a lease is made. */
export interface LeaseOptions extends LockOptions {
  /** How long it is given for, in milliseconds, by the monotonic clock of who has it. */
  readonly durationMs: number;
}

/**
 * An exclusive lock that is given back by itself after a time, unless it is renewed: against work that hangs while its process goes on living. A process that does not live
 * loses it with its session, as any lock.
 *
 * @example
 * const lease = new Lease(client, '/leases/import', { durationMs: 30_000 });
 * await using held = await lease.acquire();
 * for (const part of parts) {
 *   await importPart(part, { signal: held.signal });
 *   held.renew();
 * }
 */
export class Lease {
  readonly path: string;
  readonly #client: Client;
  readonly #lock: Lock;
  readonly #durationMs: number;

  /** @throws ZooKeeperError BAD_ARGUMENTS for what is no path; TypeError. */
  constructor(client: Client, path: string, { durationMs, ...options }: LeaseOptions) {
    checkMs('durationMs', durationMs);
    this.path = path;
    this.#client = client;
    this.#lock = new Lock(client, path, options);
    this.#durationMs = durationMs;
  }

  /** Waits for the lease; its time begins when it is given. @throws as `Lock.acquire`. */
  async acquire(options: Omit<AcquireOptions, 'within'> = {}): Promise<LeaseHold> {
    return new LeaseHold(this.#client, await this.#lock.acquire(options), this.#durationMs);
  }

  /** Runs a task with the lease, and releases it however the task ends. @throws what the task throws, whatever else fails; as `acquire`. */
  run<T>(task: (held: LeaseHold) => T | Promise<T>, options?: Omit<AcquireOptions, 'within'>): Promise<T> {
    return runHolding(() => this.acquire(options), task);
  }
}

/** A lease that is held. Its signal aborts with RecipeError TIMEOUT when its time is over; it is given back then without being asked for. */
export class LeaseHold extends Hold {
  readonly #client: Client;
  readonly #durationMs: number;
  readonly #over: AbortController;
  #endsAtMs = 0;
  #timer: Timer | undefined;

  /** @internal */
  constructor(client: Client, inner: Hold, durationMs: number) {
    const { path, fencingToken, signal } = inner;
    const over = new AbortController();
    super({
      ...{ path, fencingToken },
      safe: () => (inner.signal.aborted ? inner.signal : over.signal),
      giveUp: () => {
        this.#timer?.cancel();
        return inner.release();
      },
    });
    follow(over, signal);
    this.#client = client;
    this.#durationMs = durationMs;
    this.#over = over;
    this.#begin();
  }

  /** How much time is left, in milliseconds; 0 where it is over. */
  get remainingMs(): number {
    return this.signal.aborted ? 0 : Math.max(0, this.#endsAtMs - this.#client.clock.now());
  }

  /** Lets the time begin anew. @throws RecipeError LOST where the lease is not held any more. */
  renew(): void {
    if (this.remainingMs === 0) throw new RecipeError('LOST', `the lease of ${this.path} is over`, { cause: this.signal.reason });
    this.#begin();
  }

  #begin(): void {
    this.#timer?.cancel();
    this.#endsAtMs = this.#client.clock.now() + this.#durationMs;
    this.#timer = this.#client.clock.setTimer(this.#durationMs, () => {
      this.#over.abort(new RecipeError('TIMEOUT', `the ${this.#durationMs} ms of the lease of ${this.path} are over`));
      this.release().catch(() => {});
    });
  }
}
