import { expect, test } from 'vitest';
import { EventStream } from '../src/index.js';

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

test('every loop sees what comes after it has begun', async () => {
  const stream = new EventStream<number>();
  stream.push(0);
  const first = collect(stream);
  stream.push(1);
  const second = collect(stream.from(() => -1));
  stream.push(2);
  stream.end();
  expect(await first).toEqual([1, 2]);
  expect(await second).toEqual([-1, 2]);
  expect(await collect(stream)).toEqual([]);
});

test('a loop that lags loses the oldest', async () => {
  const stream = new EventStream<number>(3);
  const loop = stream[Symbol.asyncIterator]();
  for (let event = 0; event < 10; event++) stream.push(event);
  expect((await loop.next()).value).toBe(7);
  const rest = collect(loop);
  stream.push(10);
  stream.end();
  expect(await rest).toEqual([8, 9, 10]);
});

test('a loop that is left costs nothing more', async () => {
  const stream = new EventStream<number>();
  const loop = stream[Symbol.asyncIterator]();
  const pending = loop.next();
  await loop.return?.();
  stream.push(1);
  expect(await pending).toEqual({ value: undefined, done: true });
  expect(await loop.next()).toEqual({ value: undefined, done: true });
});

test('a loop that lags is told so where there is a word for it, once, in place of what it has lost', async () => {
  const stream = new EventStream<string>(2, (last) => `lost up to ${last}`);
  const loop = stream[Symbol.asyncIterator]();
  for (const event of ['a', 'b', 'c', 'd']) stream.push(event);
  expect((await loop.next()).value).toBe('lost up to b');
  stream.push('e');
  stream.end();
  expect(await collect(loop)).toEqual(['lost up to c', 'd', 'e']);
});
