/**
 * A clock that stands still within a turn. Each write asks twice what time it is, and to ask the platform takes as long as to find a znode.
 *
 * A turn is what runs until a deferred task has its turn, so it ends before any timer fires and before anything else is heard.
 */
import type { Clock, Timer } from '@quorate/ports';

export class TurnClock implements Clock {
  readonly #clock: Clock;
  /** Undefined where nobody has asked in this turn. */
  #nowMs: number | undefined;
  #wallNowMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    if (this.#nowMs !== undefined) return this.#nowMs;
    this.#beginTurn();
    this.#nowMs = this.#clock.now();
    return this.#nowMs;
  }

  wallNow(): number {
    if (this.#wallNowMs !== undefined) return this.#wallNowMs;
    this.#beginTurn();
    this.#wallNowMs = this.#clock.wallNow();
    return this.#wallNowMs;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    return this.#clock.setTimer(delayMs, task);
  }

  defer(task: () => void): void {
    this.#clock.defer(task);
  }

  #beginTurn(): void {
    if (this.#nowMs === undefined && this.#wallNowMs === undefined) this.#clock.defer(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#nowMs = undefined;
    this.#wallNowMs = undefined;
  };
}
