/** What goes on by itself from `start` to `close`. */
import { RecipeError } from './recipe-error.js';

export class Background<T> {
  readonly #task: (signal: AbortSignal) => Promise<T>;
  readonly #closed: string;
  readonly #closing = new AbortController();
  #ended: Promise<T> | undefined;

  /**
   * @param task what goes on, until its signal aborts at the latest.
   * @param closed what the signal's reason says.
   */
  constructor(task: (signal: AbortSignal) => Promise<T>, closed: string) {
    this.#task = task;
    this.#closed = closed;
  }

  /** Aborts at `close`. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** How it ends; undefined where it was not started. */
  get ended(): Promise<T> | undefined {
    return this.#ended;
  }

  /** Asked twice, it is done once. @throws RecipeError DISPOSED after `close`. */
  start(): void {
    const { signal } = this;
    if (signal.aborted) throw signal.reason;
    if (this.#ended !== undefined) return;
    this.#ended = this.#task(signal);
    // Whoever looks at `ended` is told.
    this.#ended.catch(() => {});
  }

  /** Resolves when it has ended; never rejects. */
  async close(): Promise<void> {
    this.#closing.abort(new RecipeError('DISPOSED', this.#closed));
    await this.#ended?.catch(() => {});
  }
}
