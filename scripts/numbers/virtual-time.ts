/** Promises over a virtual clock. */
import { setImmediate } from 'node:timers/promises';
import type { VirtualClock } from '@quorate/ports';

/** Lets time pass, a task at a time, until a promise has settled. @throws what it rejects with; Error where no task is left that could settle it. */
export async function settled<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let done = false;
  const mark = (): void => {
    done = true;
  };
  promise.then(mark, mark);
  for (;;) {
    // Whoever waits for what the last task has settled gets a turn before the next.
    await setImmediate();
    if (done) return promise;
    if (!clock.step()) throw new Error('nothing is left to happen, and the promise has not settled');
  }
}
