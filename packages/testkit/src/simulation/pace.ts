import type { VirtualClock } from '@quorate/ports';
import type { Verdict } from '../check/verdict.js';

/** Tasks that may run at one instant. Real work at one instant is a few dozen; more than this is a loop that never ends. */
const TASKS_AT_ONE_INSTANT_MAX = 100_000;

/** Moves the virtual clock, counts what it runs, and sees when time stands still. */
export class Pace {
  readonly #clock: VirtualClock;
  readonly #verdict: Verdict;
  #instant = 0;
  #tasksAtInstant = 0;
  #events = 0;

  constructor(clock: VirtualClock, verdict: Verdict) {
    this.#clock = clock;
    this.#verdict = verdict;
  }

  /** Tasks that have run. */
  get events(): number {
    return this.#events;
  }

  /** Runs everything that is due by `untilMs`, as long as `goOn` says so and no property has failed. */
  runUntil(untilMs: number, goOn: () => boolean = always): void {
    while (this.#verdict.isClean && goOn() && this.#clock.step(untilMs)) {
      this.#events++;
      const now = this.#clock.now();
      if (now !== this.#instant) {
        this.#instant = now;
        this.#tasksAtInstant = 0;
      } else if (++this.#tasksAtInstant > TASKS_AT_ONE_INSTANT_MAX) {
        this.#verdict.fail('Progress', `more than ${TASKS_AT_ONE_INSTANT_MAX} tasks run at one instant: something goes round for ever`);
      }
    }
  }
}

function always(): boolean {
  return true;
}
