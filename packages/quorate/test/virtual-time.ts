import type { VirtualClock } from '../src/index.js';

/** Moves virtual time until a promise has settled, at most for so long. Promises go on between two steps. */
export async function settle<T>(clock: VirtualClock, promise: Promise<T>, withinMs = Number.POSITIVE_INFINITY): Promise<T> {
  const limit = clock.now() + withinMs;
  let settled = false;
  const end = () => {
    settled = true;
  };
  promise.then(end, end);
  while (!settled) {
    // A step may wake a promise, and that another one: a few turns of the queue let them all run.
    for (let turn = 0; turn < 10 && !settled; turn++) await Promise.resolve();
    if (!settled && !clock.step(limit)) throw new Error(`nothing settles the promise within ${withinMs} ms`);
  }
  return promise;
}
