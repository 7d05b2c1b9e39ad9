import { InvariantError } from '@quorate/protocol';
import { expect, test } from 'vitest';
import { SessionIds } from '../src/index.js';

/** Made by OpenJDK 17: `((wallMs << 24) >>> 8) | (sid << 56)`. */
const FROM_JAVA: readonly [wallMs: number, sid: number, first: bigint][] = [
  [1700000000000, 1, 111411200000000000n],
  [1700000000000, 254, -104761582113783808n],
  [1763719936123, 3, 259702337809612800n],
  [0, 2, 144115188075855872n],
  [2 ** 41, 7, 504403158265495552n],
  [2 ** 44 - 1, 128, -9151314442816913408n],
];

test.each(FROM_JAVA)('at %s ms the first id of server %s is the one that Java makes', (wallMs, sid, first) => {
  const ids = new SessionIds({ sid, wallMs });
  expect([ids.next(), ids.next(), ids.next()]).toEqual([first, first + 1n, first + 2n]);
});

test('no id is 0n, which is no session, or the owner of containers', () => {
  expect(new SessionIds({ sid: 0, wallMs: 0 }).next()).toBe(1n);
  expect(new SessionIds({ sid: 128, wallMs: 0 }).next()).toBe(-(2n ** 63n) + 1n);
});

test('a sid that does not fit into a byte is refused, since it would take the ids of another server', () => {
  for (const sid of [-1, 256, 0.5]) expect(() => new SessionIds({ sid, wallMs: 0 })).toThrow(InvariantError);
});
