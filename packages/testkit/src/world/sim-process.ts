import type { Clock, Timer } from '@quorate/ports';

/** The clocks of a machine: they outlive its processes, and may be wrong. */
export class HostClock {
  readonly #clock: Clock;
  /** Added to the wall clock. */
  wallSkewMs: number;
  #rate = 1;
  /** What the monotonic clock showed when its rate was set, and when that was. */
  #shown = 0;
  #sinceMs = 0;
  readonly #timers = new Set<HostTimer>();

  constructor(clock: Clock, wallSkewMs = 0) {
    this.#clock = clock;
    this.wallSkewMs = wallSkewMs;
  }

  /** How fast the monotonic clock runs; timers that are set already go with it. */
  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    this.#shown = this.now();
    this.#sinceMs = this.#clock.now();
    this.#rate = rate;
    for (const timer of this.#timers) {
      timer.inner?.cancel();
      this.#wait(timer, timer.due - this.#shown);
    }
  }

  now(): number {
    return this.#shown + (this.#clock.now() - this.#sinceMs) * this.#rate;
  }

  setTimer(delayMs: number, task: () => void): HostTimer {
    const timer = new HostTimer(this.#timers, this.now() + delayMs, task);
    this.#timers.add(timer);
    this.#wait(timer, delayMs);
    return timer;
  }

  #wait(timer: HostTimer, delayMs: number): void {
    timer.inner = this.#clock.setTimer(delayMs / this.#rate, () => timer.fire());
  }
}

class HostTimer implements Timer {
  /** By the clock of its host. */
  readonly due: number;
  readonly #pending: Set<HostTimer>;
  readonly #task: () => void;
  inner: Timer | undefined;
  isCancelled = false;

  constructor(pending: Set<HostTimer>, due: number, task: () => void) {
    this.#pending = pending;
    this.due = due;
    this.#task = task;
  }

  fire(): void {
    this.#pending.delete(this);
    this.#task();
  }

  cancel(): void {
    this.isCancelled = true;
    this.#pending.delete(this);
    this.inner?.cancel();
  }
}

/**
 * One life of one process: the clock that its server or client is given, and the door through which everything from outside enters.
 *
 * A paused process (a long garbage collection, a suspended machine) runs nothing; what comes meanwhile, timers included, waits at the
 * door and enters in its order when the process goes on. A process that has ended lets nothing in any more.
 */
export class SimProcess implements Clock {
  readonly #clock: Clock;
  readonly #clockOf: HostClock;
  #paused = false;
  #ended = false;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock, host: HostClock = new HostClock(clock)) {
    this.#clock = clock;
    this.#clockOf = host;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  now(): number {
    return this.#clockOf.now();
  }

  wallNow(): number {
    return this.#clock.wallNow() + this.#clockOf.wallSkewMs;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    // It may be cancelled while it waits at the door.
    const timer = this.#clockOf.setTimer(delayMs, () => {
      this.enter(() => {
        if (!timer.isCancelled) task();
      });
    });
    return timer;
  }

  defer(task: () => void): void {
    this.#clock.defer(() => this.enter(task));
  }

  /** Runs the task now, when the process goes on, or never. */
  enter(task: () => void): void {
    if (this.#ended) return;
    if (this.#paused) this.#waiting.push(task);
    else task();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const task of waiting) this.enter(task);
  }

  end(): void {
    this.#ended = true;
    this.#waiting = [];
  }
}
