/** How the calls to one instance have gone lately, and whether it is spared for a while (passive health checking). */

/** So many failures in a row set an instance aside. */
export const FAILURES_MAX = 3;

/** For how long, in milliseconds; then one more failure sets it aside again. */
export const ASIDE_MS = 10_000;

export class InstanceHealth {
  #failures = 0;
  #asideUntilMs = Number.NEGATIVE_INFINITY;

  noteSuccess(): void {
    this.#failures = 0;
    this.#asideUntilMs = Number.NEGATIVE_INFINITY;
  }

  noteError(nowMs: number): void {
    this.#failures++;
    if (this.#failures >= FAILURES_MAX) this.#asideUntilMs = nowMs + ASIDE_MS;
  }

  isAside(nowMs: number): boolean {
    return nowMs < this.#asideUntilMs;
  }
}
