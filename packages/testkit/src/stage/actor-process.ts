import type { Clock, Timer } from '@quorate/ports';
import { SimProcess } from '../world/sim-process.js';

/** The process of an actor: the clock of all that runs in it, and its door. Whoever drives the stage is told when something has run, so that promises get their turn. */
export class ActorProcess implements Clock {
  readonly #process: SimProcess;
  readonly #stirred: () => void;
  readonly #clock: Clock;
  #pausedAtMs: number | undefined;
  #endedAtMs: number | undefined;
  #evictedAtMs: number | undefined;

  constructor(clock: Clock, stirred: () => void) {
    this.#clock = clock;
    this.#process = new SimProcess(clock);
    this.#stirred = stirred;
  }

  get isPaused(): boolean {
    return this.#process.isPaused;
  }

  /** When it has ended; undefined while it has not. */
  get endedAtMs(): number | undefined {
    return this.#endedAtMs;
  }

  /** When a session of it was ended from outside. */
  get evictedAtMs(): number | undefined {
    return this.#evictedAtMs;
  }

  evict(): void {
    this.#evictedAtMs ??= this.#clock.now();
  }

  /** When it was paused last; undefined where it never was. */
  get pausedAtMs(): number | undefined {
    return this.#pausedAtMs;
  }

  now(): number {
    return this.#process.now();
  }

  wallNow(): number {
    return this.#process.wallNow();
  }

  setTimer(delayMs: number, task: () => void): Timer {
    return this.#process.setTimer(delayMs, this.#stirring(task));
  }

  defer(task: () => void): void {
    this.#process.defer(this.#stirring(task));
  }

  /** Runs the task now, when the process goes on, or never. */
  enter(task: () => void): void {
    this.#process.enter(this.#stirring(task));
  }

  pause(): void {
    this.#pausedAtMs = this.#clock.now();
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  end(): void {
    this.#endedAtMs ??= this.#clock.now();
    this.#process.end();
  }

  #stirring(task: () => void): () => void {
    return () => {
      this.#stirred();
      task();
    };
  }
}
