/** Leader election for those who want to know whether they lead. */
import type { CallOptions, Client } from '@quorate/client';
import { Background } from './background.js';
import { aborted, beforeDeadline, type WaitOptions } from './deadline.js';
import { type CandidateOptions, Electorate } from './electorate.js';
import type { Hold } from './hold.js';
import { RecipeError } from './recipe-error.js';

/** Called with the term that begins, or with undefined when it has ended. */
export type LeadershipListener = (term: Hold | undefined) => void;

/**
 * Stands for election from `start` on, and leads from being first in line until its lease is over; then it stands again, behind the others (Curator: `LeaderLatch`).
 *
 * A term is a `Hold`: it has a signal, and a fencing token that is greater than that of every leader before. When the session ends the latch does too: make another one over a
 * new client.
 *
 * @example
 * await using latch = new LeaderLatch(client, '/election', { id: 'node-1' }).start();
 * const term = await latch.leadership();
 * await lead({ signal: term.signal, fencingToken: term.fencingToken });
 */
export class LeaderLatch implements AsyncDisposable {
  readonly #client: Client;
  readonly #electorate: Electorate;
  readonly #listeners = new Set<LeadershipListener>();
  readonly #background: Background<never>;
  #term: Hold | undefined;

  /** @param path the directory of the election, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path. */
  constructor(client: Client, path: string, options: CandidateOptions = {}) {
    this.#client = client;
    this.#electorate = new Electorate(client, path, options);
    this.#background = new Background((signal) => this.#stand(signal), `the latch of ${path} was closed`);
  }

  /** Stands for election. Asked twice, it is done once. @throws RecipeError DISPOSED after `close`. */
  start(): this {
    this.#background.start();
    return this;
  }

  /** The term in which it leads; undefined while it does not. */
  get term(): Hold | undefined {
    return this.#term?.signal.aborted === false ? this.#term : undefined;
  }

  /** Whether it stands for election: started, and not closed. */
  get isStanding(): boolean {
    return this.#background.ended !== undefined && !this.#background.signal.aborted;
  }

  /** Calls `listener` at each change, until the function that is returned is called. */
  onChange(listener: LeadershipListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits until it leads.
   *
   * @throws RecipeError TIMEOUT; RecipeError DISPOSED where it is closed, or was not started; the signal's reason; ZooKeeperError SESSION_EXPIRED and what a create rejects with.
   */
  leadership(options: WaitOptions = {}): Promise<Hold> {
    const { path } = this.#electorate;
    return beforeDeadline(this.#client, `waiting to lead ${path}`, options, ({ signal }) => this.#untilElected(signal));
  }

  /** The id of who leads or is about to, whoever that is; undefined where nobody stands. */
  leader(options?: CallOptions): Promise<string | undefined> {
    return this.#electorate.leader(options);
  }

  /** The ids of all who stand, the leader first. */
  participants(options?: CallOptions): Promise<string[]> {
    return this.#electorate.participants(options);
  }

  /** Gives up its place, and its leadership. Resolves when that is done; never rejects. */
  close(): Promise<void> {
    return this.#background.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Rejects at the end, whatever ends it. */
  async #stand(signal: AbortSignal): Promise<never> {
    for (;;) {
      const term = await this.#electorate.seat.acquire({ signal });
      this.#tell(term);
      await aborted(term.signal, signal);
      this.#tell(undefined);
      await term.release();
    }
  }

  #tell(term: Hold | undefined): void {
    this.#term = term;
    // A listener that fails does not end the latch: the platform reports it.
    for (const listener of [...this.#listeners]) this.#client.clock.defer(() => listener(term));
  }

  #untilElected(signal: AbortSignal | undefined): Promise<Hold> {
    return new Promise((resolve, reject) => {
      const { term } = this;
      if (term !== undefined) return resolve(term);
      if (this.#background.ended === undefined)
        return reject(new RecipeError('DISPOSED', `the latch of ${this.#electorate.path} was not started: start() first`));
      const end = (reason: unknown): void => {
        unsubscribe();
        signal?.removeEventListener('abort', abort);
        reject(reason);
      };
      const abort = (): void => end(signal?.reason);
      const unsubscribe = this.onChange(() => {
        if (this.term === undefined) return;
        resolve(this.term);
        end(undefined);
      });
      signal?.addEventListener('abort', abort, { once: true });
      this.#background.ended.catch(end);
    });
  }
}
