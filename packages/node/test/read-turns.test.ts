import { expect, test } from 'vitest';
import { READ_MS_MAX, ReadTurns } from '../src/read-turns.js';

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Takes time, as requests do. */
function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('who comes at the beginning of a turn is taken at once, and who comes late waits for the next', async () => {
  const turns = new ReadTurns();
  expect(turns.isOver).toBe(false);
  work(READ_MS_MAX + 1);
  expect(turns.isOver).toBe(true);
  const order: string[] = [];
  turns.wait(() => order.push('first'));
  turns.wait(() => order.push('second'));
  expect(order).toEqual([]);
  await nextTurn();
  expect(order).toEqual(['first', 'second']);
  expect(turns.isOver).toBe(false);
});

test('nobody overtakes who waits, and who has much to do lets the others go between', async () => {
  const turns = new ReadTurns();
  const order: string[] = [];
  const greedy = (): void => {
    order.push('greedy');
    work(READ_MS_MAX / 2);
    turns.wait(greedy);
  };
  turns.wait(greedy);
  expect(turns.isOver).toBe(true);
  await nextTurn();
  const before = order.length;
  turns.wait(() => order.push('modest'));
  expect(turns.isOver).toBe(true);
  while (!order.includes('modest')) await nextTurn();
  expect(order.indexOf('modest')).toBe(before + 1);
});

test('no turn is much over the limit; with newcomers it is one at a time', async () => {
  const turns = new ReadTurns();
  let taken = 0;
  const busy = (): void => {
    taken++;
    work(READ_MS_MAX / 4);
    turns.wait(busy);
  };
  turns.wait(busy);
  for (let turn = 0; turn < 10; turn++) {
    const before = taken;
    await nextTurn();
    expect(taken - before).toBeLessThanOrEqual(5);
  }
  expect(taken).toBeGreaterThan(10);
  const before = taken;
  turns.onNewcomer();
  await nextTurn();
  expect(taken - before).toBe(1);
});
