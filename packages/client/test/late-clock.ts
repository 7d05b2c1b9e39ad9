import { VirtualClock } from '@quorate/ports';

/** A clock of a process that can be blocked: time passes, and timers come late. */
export class LateClock extends VirtualClock {
  #lateMs = 0;

  override now(): number {
    return super.now() + this.#lateMs;
  }

  /** Passes `ms` in which nothing runs; then what is due. */
  standStill(ms: number): void {
    this.#lateMs += ms;
    const due = this.nextDue();
    if (due !== undefined) super.advance(Math.max(0, due - super.now()));
  }
}
