import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CONTAINER_OWNER, isTtl, sessionOf, TTL_MS_MAX, ttlOf, ttlOwner } from '../src/index.js';
import { int64, run } from './arbitraries.js';

const hexOf = (owner: bigint): string => BigInt.asUintN(64, owner).toString(16).padStart(16, '0');

test('the values are those of ZooKeeper', () => {
  expect(hexOf(CONTAINER_OWNER)).toBe('8000000000000000');
  expect(hexOf(ttlOwner(1))).toBe('ff00000000000001');
  expect(hexOf(ttlOwner(100_000))).toBe('ff000000000186a0');
  expect(hexOf(ttlOwner(TTL_MS_MAX))).toBe('ff0000ffffffffff');
});

test.each([
  [0, false],
  [-1, false],
  [1, true],
  [1.5, false],
  [TTL_MS_MAX, true],
  [TTL_MS_MAX + 1, false],
  [Number.NaN, false],
])('%d is a TTL: %s', (ttlMs, expected) => {
  expect(isTtl(ttlMs)).toBe(expected);
});

test('a TTL comes back, and is no session', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: TTL_MS_MAX }), (ttlMs) => {
      expect(ttlOf(ttlOwner(ttlMs))).toBe(ttlMs);
      expect(sessionOf(ttlOwner(ttlMs))).toBe(0n);
    }),
    run,
  );
});

test('every owner is nobody, a container, a TTL or a session', () => {
  fc.assert(
    fc.property(int64, (owner) => {
      const kinds = [owner === 0n, owner === CONTAINER_OWNER, ttlOf(owner) !== undefined, sessionOf(owner) !== 0n];
      expect(kinds.filter(Boolean)).toEqual([true]);
      if (kinds[3]) expect(sessionOf(owner)).toBe(owner);
    }),
    run,
  );
  expect(sessionOf(CONTAINER_OWNER)).toBe(0n);
  // What ZooKeeper would refuse to read, an extended type that is no TTL, was made by nobody and is as good as a session.
  expect(sessionOf(BigInt.asIntN(64, 0xff00_0100_0000_0001n))).not.toBe(0n);
});
