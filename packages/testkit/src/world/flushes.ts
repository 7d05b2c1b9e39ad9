/** How long a simulated disk takes: whatever it is at takes some flushes, of which a few are much slower. */
import type { Random, Timer, VirtualClock } from '@quorate/ports';
import { chance, millis } from './random-streams.js';

export interface FlushTimes {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly flushMinMs: number;
  readonly flushMaxMs: number;
  /** How many of a thousand flushes take up to forty times as long. */
  readonly spikePermille: number;
}

/** Something that the disk is at. */
interface Work {
  readonly flushes: number;
  readonly task: () => void;
  timer: Timer | undefined;
}

export class Flushes {
  /** Times the usual duration. */
  slowness = 1;
  readonly #times: FlushTimes;
  readonly #works = new Set<Work>();
  #calm = false;

  constructor(times: FlushTimes) {
    this.#times = times;
  }

  /** Does the task after the time that so many flushes take; a part of one will do. */
  after(flushes: number, task: () => void): void {
    const work: Work = { flushes, task, timer: undefined };
    this.#works.add(work);
    this.#wait(work);
  }

  /** From now on no flush is slow, and what is under way begins anew. */
  calm(): void {
    this.#calm = true;
    this.slowness = 1;
    for (const work of this.#works) {
      work.timer?.cancel();
      this.#wait(work);
    }
  }

  /** Nothing that is under way comes to its end. */
  drop(): void {
    for (const { timer } of this.#works) timer?.cancel();
    this.#works.clear();
  }

  #wait(work: Work): void {
    work.timer = this.#times.clock.setTimer(this.#drawMs() * work.flushes, () => {
      this.#works.delete(work);
      work.task();
    });
  }

  #drawMs(): number {
    const { random, flushMinMs, flushMaxMs, spikePermille } = this.#times;
    const flush = millis(random, flushMinMs, flushMaxMs) * this.slowness;
    return !this.#calm && chance(random, spikePermille) ? flush * millis(random, 2, 40) : flush;
  }
}
