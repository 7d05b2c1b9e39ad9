import { randomBelow, SeededRandom } from '@quorate/ports';
import { expect, test } from 'vitest';
import { OUTBOX_PAUSE_BYTES } from '../src/limits.js';
import { LinkMemory } from '../src/link-memory.js';

function burdens(count: number) {
  return Array.from({ length: count }, () => ({
    isGone: false,
    destroy() {
      this.isGone = true;
    },
  }));
}

test('above the limit those are disconnected who have made it keep something for longest, and no more than must be', () => {
  const memory = new LinkMemory(100);
  const [first, second, third, fourth] = burdens(4) as [Burden, Burden, Burden, Burden];
  memory.keep(first, 10);
  memory.keep(second, 40);
  memory.keep(third, 40);
  // It has read everything, and begins anew.
  memory.keep(first, 0);
  memory.keep(first, 20);
  expect(gone(first, second, third, fourth)).toEqual([false, false, false, false]);
  memory.keep(fourth, 30);
  expect(gone(first, second, third, fourth)).toEqual([false, true, false, false]);
  // Its end is told later.
  memory.keep(second, 0);
  memory.keep(fourth, 40);
  expect(gone(first, second, third, fourth)).toEqual([false, true, false, false]);
  memory.keep(fourth, 41);
  expect(gone(first, second, third, fourth)).toEqual([false, true, true, false]);
});

test('from a quarter on clients get less at a time, until it is less again', () => {
  const memory = new LinkMemory(100);
  const [one] = burdens(1) as [Burden];
  memory.keep(one, 25);
  expect(memory.pauseBytes).toBe(OUTBOX_PAUSE_BYTES);
  memory.keep(one, 26);
  expect(memory.pauseBytes).toBe(0);
  memory.keep(one, 0);
  expect(memory.pauseBytes).toBe(OUTBOX_PAUSE_BYTES);
});

test('whatever is kept and given back, all that is kept stays within the limit', () => {
  const random = new SeededRandom(1);
  const memory = new LinkMemory(1_000);
  const all = burdens(20);
  const kept = new Map<object, number>();
  for (let i = 0; i < 10_000; i++) {
    const one = all[randomBelow(random, all.length)] as Burden;
    const bytes = randomBelow(random, 3) === 0 ? 0 : randomBelow(random, 300);
    one.isGone = false;
    kept.set(one, bytes);
    memory.keep(one, bytes);
    for (const other of all) if (other.isGone) kept.delete(other);
    const sum = [...kept.values()].reduce((a, b) => a + b, 0);
    expect(sum).toBeLessThanOrEqual(1_000);
    expect(memory.pauseBytes === 0).toBe(sum > 250);
  }
});

type Burden = ReturnType<typeof burdens>[number];

function gone(...all: readonly Burden[]): readonly boolean[] {
  return all.map(({ isGone }) => isGone);
}
