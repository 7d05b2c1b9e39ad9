import type { Clock, Timer } from '../clock.js';
import { platform } from './platform.js';

/** The platform's own time. */
export const realClock: Clock = createRealClock();

/** Timers longer than this fire at once on every platform (2^31 − 1 ms), so longer ones are set in legs. */
const LEG_MS = 2_147_483_647;

/** How long deferred tasks may follow one another before the platform gets its turn for sockets and timers. */
const TURN_MS_MAX = 4;

/** How many tasks run between two looks at the time. */
const TASKS_PER_LOOK = 4;

function createRealClock(): Clock {
  let queue: (() => void)[] = [];
  let scheduled = false;
  let turnStart = 0;
  let turnOpen = false;
  let late = false;

  const openTurn = (): void => {
    if (turnOpen) return;
    turnOpen = true;
    late = false;
    turnStart = platform.performance.now();
    macrotask(() => {
      turnOpen = false;
    });
  };

  let looks = 0;
  /** Whether the turn has lasted too long. To look at the time costs more than most tasks do, so it is done once in a while. */
  const isLate = (): boolean => {
    looks++;
    if (looks % TASKS_PER_LOOK !== 0) return late;
    late = platform.performance.now() - turnStart > TURN_MS_MAX;
    return late;
  };

  /** Runs what is deferred, microtask after microtask, and yields to the platform once the turn has lasted too long. */
  const drain = (): void => {
    openTurn();
    const tasks = queue;
    queue = [];
    let next = 0;
    try {
      // One batch can be as long as there are connections.
      do (tasks[next++] as () => void)();
      while (next < tasks.length && !isLate());
    } finally {
      if (next < tasks.length) queue = tasks.slice(next).concat(queue);
      if (queue.length > 0) schedule();
      else scheduled = false;
    }
  };

  const schedule = (): void => {
    scheduled = true;
    openTurn();
    if (isLate()) macrotask(drain);
    else platform.queueMicrotask(drain);
  };

  return {
    now: () => platform.performance.now(),
    wallNow: () => Date.now(),
    setTimer: (delayMs, task) => new RealTimer(delayMs, task),
    defer(task) {
      queue.push(task);
      if (!scheduled) schedule();
    },
  };
}

function macrotask(task: () => void): void {
  if (platform.setImmediate) platform.setImmediate(task);
  else platform.setTimeout(task, 0);
}

class RealTimer implements Timer {
  #handle: unknown;
  #leftMs: number;
  readonly #task: () => void;

  constructor(delayMs: number, task: () => void) {
    this.#leftMs = Math.max(0, delayMs);
    this.#task = task;
    this.#arm();
  }

  cancel(): void {
    platform.clearTimeout(this.#handle);
  }

  #arm(): void {
    const legMs = Math.min(this.#leftMs, LEG_MS);
    this.#leftMs -= legMs;
    this.#handle = platform.setTimeout(() => (this.#leftMs > 0 ? this.#arm() : this.#task()), legMs);
  }
}
