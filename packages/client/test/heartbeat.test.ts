import type { Clock } from '@quorate/ports';
import { expect, test } from 'vitest';
import { Heartbeat } from '../src/heartbeat.js';

const TIMEOUT_MS = 6_000;

/** Time that passes when the test says so, and timers that may be late. */
class LateClock implements Clock {
  time = 0;
  #due: { readonly at: number; readonly task: () => void } | undefined;

  now(): number {
    return this.time;
  }

  wallNow(): number {
    return this.time;
  }

  setTimer(delayMs: number, task: () => void) {
    this.#due = { at: this.time + delayMs, task };
    return { cancel: () => (this.#due = undefined) };
  }

  defer(task: () => void): void {
    task();
  }

  /** Fires the timer that is set, so much too late. */
  fire(lateMs: number): void {
    const due = this.#due;
    if (due === undefined) return;
    this.#due = undefined;
    this.time = due.at + lateMs;
    due.task();
  }
}

function beating() {
  const clock = new LateClock();
  const events: string[] = [];
  const heartbeat = new Heartbeat(
    clock,
    () => events.push('idle'),
    () => events.push('silent'),
  );
  heartbeat.start(TIMEOUT_MS);
  return { clock, events };
}

test('a third of the timeout without sending asks for a ping, two thirds without hearing end it', () => {
  const { clock, events } = beating();
  clock.fire(0);
  expect([clock.time, events]).toEqual([2_000, ['idle']]);
  clock.fire(0);
  expect([clock.time, events]).toEqual([4_000, ['idle', 'silent']]);
});

test('a process that stands still again and again gives what lies unread its turn each time', () => {
  const { clock, events } = beating();
  for (let stall = 0; stall < 4; stall++) clock.fire(8_000);
  expect(events).not.toContain('silent');
  clock.fire(0);
  expect(events).toContain('silent');
});
