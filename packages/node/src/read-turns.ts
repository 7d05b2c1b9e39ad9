/**
 * When the requests of clients are taken: at once, and where they are many, a few milliseconds of them in each turn of the event loop, one client after the other.
 *
 * Whoever sends a thousand requests at once must not make the others wait for all of them; and between two turns the process hears its peers, and lets in a new connection. The
 * runtime lets in one in a turn, so turns are short while there are newcomers: else a crowd of them would keep out who belongs here.
 */

/** How long requests may be taken in one turn, in milliseconds, and in one that has let somebody in. */
export const READ_MS_MAX = 4;
const READ_MS_AMONG_NEWCOMERS_MAX = 0.5;

export class ReadTurns {
  /** In their order. */
  readonly #waiting: (() => void)[] = [];
  #hasNewcomers = false;
  #isOpen = false;
  #endsAt = 0;

  /** Whether whoever comes now has to `wait`. */
  get isOver(): boolean {
    if (this.#waiting.length > 0) return true;
    this.#open();
    return performance.now() > this.#endsAt;
  }

  /** A connection has been let in, or turned away. */
  onNewcomer(): void {
    this.#hasNewcomers = true;
    this.#endsAt = Math.min(this.#endsAt, performance.now() + READ_MS_AMONG_NEWCOMERS_MAX);
  }

  /** Calls `take` in one of the next turns. */
  wait(take: () => void): void {
    this.#open();
    this.#waiting.push(take);
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#endsAt = performance.now() + (this.#hasNewcomers ? READ_MS_AMONG_NEWCOMERS_MAX : READ_MS_MAX);
    setImmediate(this.#end);
  }

  readonly #end = (): void => {
    this.#isOpen = false;
    if (this.#waiting.length > 0) this.#takeWaiting();
    this.#hasNewcomers = false;
  };

  /** One at least has its turn. Those who wait again are behind the others. */
  #takeWaiting(): void {
    this.#open();
    let taken = 0;
    do (this.#waiting[taken++] as () => void)();
    while (taken < this.#waiting.length && performance.now() < this.#endsAt);
    this.#waiting.splice(0, taken);
  }
}
