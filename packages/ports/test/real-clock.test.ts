import { realClock } from '@quorate/ports';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

test('deferred tasks run after the current stack, in order, before the next timer', async () => {
  const ran: string[] = [];
  const timer = new Promise<void>((resolve) => realClock.setTimer(0, resolve)).then(() => ran.push('timer'));
  realClock.defer(() => {
    ran.push('first');
    realClock.defer(() => ran.push('third'));
  });
  realClock.defer(() => ran.push('second'));
  expect(ran).toEqual([]);
  await timer;
  expect(ran).toEqual(['first', 'second', 'third', 'timer']);
});

test('an endless chain of deferred tasks lets the platform have its turn', async () => {
  let go = true;
  let links = 0;
  const link = () => {
    links++;
    if (go) realClock.defer(link);
  };
  realClock.defer(link);
  await new Promise((resolve) => setTimeout(resolve, 1));
  go = false;
  expect(links).toBeGreaterThan(0);
});

test('many deferred tasks at once are cut into turns, in their order, and so are those that they defer', async () => {
  const ran: number[] = [];
  let turns = 0;
  const countTurns = (): void => {
    turns++;
    if (ran.length < 2_001) setImmediate(countTurns);
  };
  for (let i = 0; i < 2_000; i++) {
    realClock.defer(() => {
      const end = performance.now() + 0.02;
      while (performance.now() < end);
      ran.push(i);
      if (i === 10) realClock.defer(() => ran.push(2_000));
    });
  }
  setImmediate(countTurns);
  while (ran.length < 2_001) await new Promise((resolve) => setImmediate(resolve));
  expect(ran).toEqual(Array.from({ length: 2_001 }, (_, i) => i));
  expect(turns).toBeGreaterThan(3);
});

test('monotonic time ascends and wall time is whole milliseconds of today', () => {
  const before = realClock.now();
  expect(realClock.now()).toBeGreaterThanOrEqual(before);
  expect(Number.isInteger(realClock.wallNow())).toBe(true);
  expect(Math.abs(realClock.wallNow() - Date.now())).toBeLessThan(1_000);
});

describe('long timers', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  test('a timer of more than 2^31 − 1 ms does not fire at once, and can be cancelled in any leg', () => {
    const fired: string[] = [];
    realClock.setTimer(5_000_000_000, () => fired.push('long'));
    const cancelled = realClock.setTimer(5_000_000_000, () => fired.push('cancelled'));
    vi.advanceTimersByTime(4_999_999_999);
    expect(fired).toEqual([]);
    cancelled.cancel();
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['long']);
  });
});
