/** What a recipe gives to one caller at a time, or to so many: for as long as the caller wants it, or as it is safe. */
import type { CallOptions, Client } from '@quorate/client';
import type { Zxid } from '@quorate/protocol';
import { follow } from './deadline.js';
import { backOffMs, pause, persevere } from './persevere.js';
import { RecipeError } from './recipe-error.js';
import type { Watchpost } from './watchpost.js';

/**
 * A lock that is held, a permit of a semaphore, a leadership.
 *
 * It is safe while `signal` has not aborted. The signal cannot reach what is under way elsewhere already, nor a process that stands still: where two holders at a time
 * would do harm, send `fencingToken` along and let the receiver refuse every token that is less than the greatest it has seen.
 *
 * @example
 * await using held = await lock.acquire();
 * await store.write(data, { token: held.fencingToken, signal: held.signal });
 */
export class Hold implements AsyncDisposable {
  /** Greater than that of every holder before. It is the czxid of `path`. */
  readonly fencingToken: Zxid;
  /** The znode that stands for the hold. */
  readonly path: string;
  readonly #controller = new AbortController();
  readonly #safe: () => AbortSignal;
  readonly #giveUp: () => Promise<void>;
  readonly #unfollow: () => void;
  #released: Promise<void> | undefined;

  /** @internal */
  constructor(options: HoldOptions) {
    const { path, fencingToken, safe, posts, giveUp } = options;
    this.path = path;
    this.fencingToken = fencingToken;
    this.#safe = safe;
    this.#giveUp = giveUp;
    this.#unfollow = follow(this.#controller, safe());
    posts?.gone(path, { signal: this.signal }).then(
      () => this.#controller.abort(new RecipeError('LOST', `${path} was removed by somebody else`)),
      // It is not safe any more by now, or its owner may not read it.
      () => {},
    );
  }

  /**
   * Aborts when the hold is not safe any more, and stays so: the session may be about to end (its reason is a ZooKeeperError CONNECTION_LOSS or SESSION_EXPIRED), somebody has
   * removed the znode (RecipeError LOST), or `release` was called (RecipeError RELEASED). Before that, nobody else holds the same.
   *
   * A process that stood still finds it aborted before any call of the library resolves. What its own timers wake may run before that: `held.signal.aborted` looks at the clock, a signal
   * that was taken from the hold earlier does not.
   */
  get signal(): AbortSignal {
    // To be asked for it makes the lease look whether it is over.
    this.#safe();
    return this.#controller.signal;
  }

  /**
   * Gives it back; also where it is not safe any more, because the znode may still be there. Asked twice, it is done once. An abort ends the wait and not the work.
   *
   * @throws the signal's reason; ZooKeeperError NO_AUTH where the ACL of the directory does not permit it. Not where the session has ended.
   */
  async release(options?: CallOptions): Promise<void> {
    if (this.#released === undefined) {
      this.#unfollow();
      this.#controller.abort(new RecipeError('RELEASED', `${this.path} was released`));
      this.#released = this.#giveUp();
      // It is told to whoever waits for it.
      this.#released.catch(() => {});
    }
    return unlessAborted(this.#released, options);
  }

  /** Releases and never rejects, so that an error of the block is what its caller hears of. Call `release` to hear of a failure. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => {});
  }
}

/** What a hold is made of. */
export interface HoldOptions {
  readonly path: string;
  readonly fencingToken: Zxid;
  /** Gives what aborts when it is not safe any more, at first after an answer that has shown the znode; what it gives then counts. Called again, it looks at the clock. */
  readonly safe: () => AbortSignal;
  /** Where it is seen that the znode is removed; absent where that signal knows. */
  readonly posts?: Watchpost | undefined;
  /** Gives it back. */
  readonly giveUp: () => Promise<void>;
}

/** Runs a task with something that is held, and releases that however the task ends. @throws what the task throws, whatever else fails. */
export async function runHolding<H extends { release(): Promise<void> }, T>(
  acquire: () => Promise<H>,
  task: (held: H) => T | Promise<T>,
): Promise<T> {
  if (typeof task !== 'function') throw new TypeError(`task must be a function, not ${String(task)}`);
  const held = await acquire();
  let result: T;
  try {
    result = await task(held);
  } catch (error) {
    await held.release().catch(() => {});
    throw error;
  }
  await held.release();
  return result;
}

/** Waits until the lease of a client is good, or its session has ended. A read does not tell: a server that has lost its leader answers those too. */
export async function leaseOf(client: Client, options?: CallOptions): Promise<void> {
  for (let attempt = 0; client.leaseSignal.aborted; attempt++) {
    // What renews it is a question of the client's own, which may be under way.
    if (attempt > 0) await pause(client.clock, backOffMs(client.random, attempt), options);
    await persevere(client, () => client.sync('/', options), options);
  }
}

/** Waits for something that goes on in any case. @throws the signal's reason. */
function unlessAborted<T>(work: Promise<T>, options: CallOptions | undefined): Promise<T> {
  const signal = options?.signal;
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
