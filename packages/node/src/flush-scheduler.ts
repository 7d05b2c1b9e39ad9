/**
 * When sockets are written to: at the end of the turn, and where they are many, in turns of a few milliseconds each.
 *
 * An event for 10,000 clients is 10,000 system calls. Done in one turn they would hold up everything else that the process has to hear and to say for a
 * tenth of a second, the heartbeats of its servers among it.
 */

/** How long the writes of one turn may take, in milliseconds. */
export const FLUSH_MS_MAX = 5;

/** How many sockets are written to between two looks at the time. */
const FLUSHES_PER_LOOK = 16;

export class FlushScheduler {
  /** Waiting from `#next` on, in their order. */
  #flushes: (() => void)[] = [];
  #next = 0;

  /** Calls `flush` at the end of this turn or in one of the next. */
  readonly schedule = (flush: () => void): void => {
    // nextTick runs when the turn and all that it has set off are done, and before the loop waits for anything.
    if (this.#flushes.length === 0) process.nextTick(this.#run);
    this.#flushes.push(flush);
  };

  readonly #run = (): void => {
    const end = performance.now() + FLUSH_MS_MAX;
    while (this.#next < this.#flushes.length) {
      (this.#flushes[this.#next++] as () => void)();
      if (this.#next % FLUSHES_PER_LOOK === 0 && this.#next < this.#flushes.length && performance.now() > end) {
        setImmediate(this.#run);
        return;
      }
    }
    this.#flushes = [];
    this.#next = 0;
  };
}
