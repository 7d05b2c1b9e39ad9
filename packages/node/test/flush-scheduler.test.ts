import { expect, test } from 'vitest';
import { FLUSH_MS_MAX, FlushScheduler } from '../src/flush-scheduler.js';

/** Takes time, as a system call does. */
function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('what is short runs at the end of the turn, in its order', async () => {
  const order: number[] = [];
  const { schedule } = new FlushScheduler();
  for (let i = 0; i < 5; i++) schedule(() => order.push(i));
  expect(order).toEqual([]);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  expect(order).toEqual([0, 1, 2, 3, 4]);
});

test('what is long runs in several turns, none of them much over the limit, in its order', async () => {
  const { schedule } = new FlushScheduler();
  const order: number[] = [];
  let turn = 0;
  let turnMs = 0;
  let longest = 0;
  const perFlushMs = 0.2;
  for (let i = 0; i < 100; i++) {
    schedule(() => {
      order.push(i);
      work(perFlushMs);
      turnMs += perFlushMs;
      longest = Math.max(longest, turnMs);
      if (i === 50) schedule(() => order.push(100));
    });
  }
  while (order.length < 101) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    turn++;
    turnMs = 0;
  }
  expect(order).toEqual(Array.from({ length: 101 }, (_, i) => i));
  expect(turn).toBeGreaterThan(2);
  expect(longest).toBeLessThan(FLUSH_MS_MAX + 17 * perFlushMs);
});
