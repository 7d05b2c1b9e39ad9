import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CRC32_START, crc32, crc32Of, crc32OfBytes, crc32OfInt, crc32OfInts, crc32OfText, encodeUtf8 } from '../src/index.js';
import { run } from './arbitraries.js';
import { hex } from './hex.js';

test('the checksums that everybody knows', () => {
  expect(crc32(hex(''))).toBe(0);
  expect(crc32(encodeUtf8('123456789'))).toBe(0xcbf4_3926);
  expect(crc32(encodeUtf8('The quick brown fox jumps over the lazy dog'))).toBe(0x414f_a339);
  expect(crc32(new Uint8Array(32))).toBe(0x190a_55ad);
  expect(crc32(new Uint8Array(32).fill(0xff))).toBe(0xff6c_ab0b);
});

test('it is the checksum of zlib, of a part too', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(), (bytes, a, b) => {
      const [start, end] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((one, other) => one - other) as [number, number];
      expect(crc32(bytes)).toBe(zlibCrc32(bytes));
      expect(crc32(bytes, start, end)).toBe(zlibCrc32(bytes.subarray(start, end)));
    }),
    run,
  );
});

test('in steps it is the checksum of everything together', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.uint8Array({ maxLength: 60 }), fc.integer(), (text, bytes, value) => {
      const remainder = crc32OfInt(crc32OfBytes(crc32OfText(CRC32_START, text), bytes), value);
      const last = Uint8Array.of(value >> 24, value >> 16, value >> 8, value);
      expect(crc32Of(remainder)).toBe(zlibCrc32(Uint8Array.from([...encodeUtf8(text), ...bytes, ...last])));
      expect(crc32OfInts(remainder, value, ~value)).toBe(crc32OfInt(crc32OfInt(remainder, value), ~value));
    }),
    run,
  );
});

test('every flipped bit is seen', () => {
  const bytes = encodeUtf8('a proposal');
  const whole = crc32(bytes);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(crc32(flipped)).not.toBe(whole);
  }
});
