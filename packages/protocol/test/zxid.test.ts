import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  COUNTER_MAX,
  counterOf,
  EPOCH_MAX,
  epochOf,
  formatSessionId,
  formatZxid,
  InvariantError,
  makeZxid,
  NO_ZXID,
  type Zxid,
  zxidFromBigInt,
  zxidToBigInt,
} from '../src/index.js';
import { ordinaryZxid, run } from './arbitraries.js';

const tooLarge = expect.objectContaining({ code: 'EPOCH_TOO_LARGE' });

test('epoch and counter go in and come out, up to their bounds', () => {
  expect(EPOCH_MAX).toBe(2 ** 21 - 1);
  expect(COUNTER_MAX).toBe(2 ** 32 - 1);
  for (const epoch of [0, 1, EPOCH_MAX]) {
    for (const counter of [0, 1, 2 ** 31, COUNTER_MAX]) {
      const zxid = makeZxid(epoch, counter);
      expect([epochOf(zxid), counterOf(zxid)]).toEqual([epoch, counter]);
      expect(zxidFromBigInt(zxidToBigInt(zxid))).toBe(zxid);
    }
  }
  expect(makeZxid(EPOCH_MAX, COUNTER_MAX)).toBe(Number.MAX_SAFE_INTEGER);
});

test('outside of the bounds there is no zxid', () => {
  const outside = [
    [EPOCH_MAX + 1, 0],
    [-1, 0],
    [0.5, 0],
    [0, COUNTER_MAX + 1],
    [0, -1],
    [0, Number.NaN],
  ] as const;
  for (const [epoch, counter] of outside) expect(() => makeZxid(epoch, counter)).toThrow(InvariantError);
});

test('zxids are ordered by epoch, then by counter', () => {
  fc.assert(
    fc.property(ordinaryZxid, ordinaryZxid, (a, b) => {
      const byParts = epochOf(a) - epochOf(b) || counterOf(a) - counterOf(b);
      expect(Math.sign(a - b)).toBe(Math.sign(byParts));
      expect(zxidToBigInt(a)).toBe((BigInt(epochOf(a)) << 32n) | BigInt(counterOf(a)));
    }),
    run,
  );
});

test('-1 and -2^63 are let in, every other zxid of a large epoch is not', () => {
  expect(zxidFromBigInt(-1n)).toBe(-1);
  expect(zxidFromBigInt(-(2n ** 63n))).toBe(-(2 ** 63));
  expect(zxidToBigInt(zxidFromBigInt(-(2n ** 63n)))).toBe(-(2n ** 63n));
  expect([epochOf(-1 as Zxid), counterOf(-1 as Zxid)]).toEqual([-1, COUNTER_MAX]);
  for (const value of [-2n, -(2n ** 63n) + 1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 32n)]) {
    expect(() => zxidFromBigInt(value)).toThrow(tooLarge);
  }
});

test('zxids and session ids print as ZooKeeper prints them', () => {
  expect(formatZxid(NO_ZXID)).toBe('0x0');
  expect(formatZxid(makeZxid(1, 2))).toBe('0x100000002');
  expect(formatZxid(-1 as Zxid)).toBe('0xffffffffffffffff');
  expect(formatZxid(-(2 ** 63) as Zxid)).toBe('0x8000000000000000');
  expect(formatSessionId(0x0100_0186_a0b1_c2d3n)).toBe('0x1000186a0b1c2d3');
  expect(formatSessionId(-1n)).toBe('0xffffffffffffffff');
});
