import { oneIn, randomBelow, realRandom, SeededRandom } from '@quorate/ports';
import { expect, test } from 'vitest';

test('the same seed gives the same stream, another seed another', () => {
  const draw = (seed: number) =>
    Array.from(
      { length: 5 },
      (
        (random) => () =>
          random.uint32()
      )(new SeededRandom(seed)),
    );
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  // Written down, so that a change of the generator, which would change what every seed means, is noticed.
  expect(draw(42)).toMatchInlineSnapshot(`
    [
      1959603763,
      2423114712,
      2466933512,
      4144396390,
      3569536208,
    ]
  `);
});

test('randomBelow stays below and reaches every value evenly', () => {
  const random = new SeededRandom(7);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const value = randomBelow(random, 10);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  expect(counts).toHaveLength(10);
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test('a draw that would favour small results is drawn again', () => {
  const draws = [0xffff_ffff, 5];
  // 3 divides 2^32 − 1, so the draw 2^32 − 1 is the one that is left over.
  expect(randomBelow({ uint32: () => draws.shift() as number }, 3)).toBe(2);
});

test('oneIn is true that often', () => {
  const random = new SeededRandom(3);
  let hits = 0;
  for (let i = 0; i < 40_000; i++) if (oneIn(random, 4)) hits++;
  expect(Math.abs(hits - 10_000)).toBeLessThan(500);
});

test('the platform gives 32 bits, and not always the same', () => {
  const draws = new Set(Array.from({ length: 8 }, () => realRandom.uint32()));
  expect(draws.size).toBeGreaterThan(1);
  for (const draw of draws) expect(draw).toBe(draw >>> 0);
});
