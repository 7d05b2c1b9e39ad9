import { expect, test } from 'vitest';
import { passwordMatches, sessionPassword } from '../src/index.js';

/** Made by OpenJDK 17: `new Random(id ^ 0xB3415C00L).nextBytes(new byte[16])`. */
const FROM_JAVA: readonly [sessionId: bigint, password: string][] = [
  [0n, 'f22acd4a97e69d6d20a49bb638eadb38'],
  [1n, '054cc74a37327db215e702e20c73f005'],
  [-1n, '20f62cb5648dc2d771471c8a2486a9ee'],
  [4294967296n, 'f22a606497e6346320a4e6f138eacad9'],
  [72059308722638080n, '1e38213b0690b468e3222a8df39eeb50'],
  [-72055879353217791n, '31591b3ba6db93add86591b8c727001e'],
  [9223372036854775807n, '20f62cb5648dc2d771471c8a2486a9ee'],
  [-9223372036854775808n, 'f22acd4a97e69d6d20a49bb638eadb38'],
  [3007405056n, '60b420bb3851d9d47acb933dbe70399b'],
];

test.each(FROM_JAVA)('the password of session %s is the one that Java makes', (sessionId, hex) => {
  const password = sessionPassword(sessionId);
  expect([...password].map((byte) => byte.toString(16).padStart(2, '0')).join('')).toBe(hex);
  expect(passwordMatches(sessionId, password)).toBe(true);
});

test('a password that differs in one bit, or in length, does not match', () => {
  for (let at = 0; at < 16; at++) {
    const password = sessionPassword(7n);
    password[at] = (password[at] as number) ^ 0x10;
    expect(passwordMatches(7n, password)).toBe(false);
  }
  expect(passwordMatches(7n, new Uint8Array(0))).toBe(false);
  expect(passwordMatches(7n, Uint8Array.of(...sessionPassword(7n), 0))).toBe(false);
});
