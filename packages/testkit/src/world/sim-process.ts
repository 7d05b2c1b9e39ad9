import type { Clock, Timer, VirtualClock } from '@quorate/ports';

/**
 * One life of one process: the clock that its server or client is given, and the door through which everything from outside enters.
 *
 * A paused process (a long garbage collection, a suspended machine) runs nothing; what comes meanwhile, timers included, waits at the
 * door and enters in its order when the process goes on. A process that has ended lets nothing in any more.
 */
export class SimProcess implements Clock {
  readonly #clock: VirtualClock;
  readonly #wallSkewMs: number;
  #paused = false;
  #ended = false;
  #waiting: (() => void)[] = [];

  constructor(clock: VirtualClock, wallSkewMs = 0) {
    this.#clock = clock;
    this.#wallSkewMs = wallSkewMs;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  now(): number {
    return this.#clock.now();
  }

  wallNow(): number {
    return this.#clock.wallNow() + this.#wallSkewMs;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    const timer = new ProcessTimer(task);
    timer.inner = this.#clock.setTimer(delayMs, () => {
      if (this.#paused) this.enter(() => timer.fire());
      else if (!this.#ended) timer.fire();
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

class ProcessTimer implements Timer {
  #task: (() => void) | undefined;
  inner: Timer | undefined;

  constructor(task: () => void) {
    this.#task = task;
  }

  /** It may have been cancelled while it waited at the door. */
  fire(): void {
    const task = this.#task;
    this.#task = undefined;
    task?.();
  }

  cancel(): void {
    this.#task = undefined;
    this.inner?.cancel();
  }
}
