import { VirtualClock } from '@quorate/ports';
import { expect, test } from 'vitest';
import { TurnClock } from '../src/turn-clock.ts';

test('time is asked for once in a turn, and anew in the next', () => {
  const virtual = new VirtualClock();
  let asked = 0;
  const clock = new TurnClock({
    now: () => ++asked,
    wallNow: () => 1_000 + ++asked,
    setTimer: (delayMs, task) => virtual.setTimer(delayMs, task),
    defer: (task) => virtual.defer(task),
  });
  expect([clock.now(), clock.now(), clock.wallNow(), clock.wallNow()]).toEqual([1, 1, 1_002, 1_002]);
  let seen: number[] = [];
  clock.setTimer(5, () => {
    seen = [clock.wallNow(), clock.now()];
  });
  virtual.advance(5);
  expect(seen).toEqual([1_003, 4]);
});
