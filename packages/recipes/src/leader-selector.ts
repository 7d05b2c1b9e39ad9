/** Leader election for those who have something to do while they lead. */
import type { CallOptions, Client } from '@quorate/client';
import { Background } from './background.js';
import { follow } from './deadline.js';
import { type CandidateOptions, Electorate } from './electorate.js';
import { Hold, runHolding } from './hold.js';
import { RecipeError } from './recipe-error.js';

/** How a selector is made. */
export interface LeaderSelectorOptions extends CandidateOptions {
  /** Whether it stands for election again when its task has ended; true when absent. */
  readonly requeue?: boolean | undefined;
}

/**
 * Stands for election from `start` on and runs a task as the leader. It leads until the task has ended, and then stands again, behind the others (Curator: `LeaderSelector`).
 *
 * The task must end soon after the signal of its term has aborted: the lease may be over, and somebody else may lead; or the selector is being closed.
 *
 * @example
 * const selector = new LeaderSelector(client, '/election', async ({ signal, fencingToken }) => {
 *   for await (const job of jobs(signal)) await perform(job, fencingToken);
 * }).start();
 * await selector.close();
 */
export class LeaderSelector implements AsyncDisposable {
  readonly #electorate: Electorate;
  readonly #task: (term: Hold) => Promise<void>;
  readonly #requeue: boolean;
  readonly #background: Background<void>;

  /** @param path the directory of the election, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path; TypeError. */
  constructor(client: Client, path: string, task: (term: Hold) => Promise<void>, options: LeaderSelectorOptions = {}) {
    if (typeof task !== 'function') throw new TypeError('task must be a function');
    this.#electorate = new Electorate(client, path, options);
    this.#task = task;
    this.#requeue = options.requeue ?? true;
    this.#background = new Background((signal) => this.#stand(signal), `the selector of ${path} was closed`);
  }

  /** Stands for election. Asked twice, it is done once. @throws RecipeError DISPOSED after `close`. */
  start(): this {
    this.#background.start();
    return this;
  }

  /**
   * Resolves when it stands no more: closed, or its task has ended where it does not stand again.
   *
   * @throws what the task throws, unless its term was not safe any more; ZooKeeperError SESSION_EXPIRED and what a create rejects with.
   */
  async ended(): Promise<void> {
    if (this.#background.ended === undefined)
      throw new RecipeError('DISPOSED', `the selector of ${this.#electorate.path} was not started: start() first`);
    await this.#background.ended;
  }

  /** The id of who leads or is about to, whoever that is; undefined where nobody stands. */
  leader(options?: CallOptions): Promise<string | undefined> {
    return this.#electorate.leader(options);
  }

  /** The ids of all who stand, the leader first. */
  participants(options?: CallOptions): Promise<string[]> {
    return this.#electorate.participants(options);
  }

  /** Aborts the signal of the term, waits for the task to end, and then gives up its place. Never rejects; `ended` tells how it came. */
  close(): Promise<void> {
    return this.#background.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #stand(signal: AbortSignal): Promise<void> {
    try {
      do
        await runHolding(
          () => this.#electorate.seat.acquire({ signal }),
          (seat) => this.#lead(seat),
        );
      while (this.#requeue && !signal.aborted);
    } catch (error) {
      if (error !== signal.reason) throw error;
    }
  }

  /** Leads until the task has ended: the seat is given up no earlier. */
  async #lead(seat: Hold): Promise<void> {
    const ending = new AbortController();
    const unfollow = [follow(ending, seat.signal), follow(ending, this.#background.signal)];
    const { path, fencingToken } = seat;
    const term = new Hold({
      path,
      fencingToken,
      safe: () => (seat.signal.aborted ? seat.signal : ending.signal),
      giveUp: () => seat.release(),
    });
    try {
      await this.#task(term);
    } catch (error) {
      // That is how a task ends when it is told to.
      if (!term.signal.aborted) throw error;
    } finally {
      for (const stop of unfollow) stop();
    }
  }
}
