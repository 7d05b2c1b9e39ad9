/** Against the platform's TextEncoder and TextDecoder, which the package itself does without. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8, isProtocolError } from '../src/index.js';
import { run } from './arbitraries.js';
import { hex, sameBytes } from './hex.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function platformDecode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function ourDecode(bytes: Uint8Array): string | undefined {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (!isProtocolError(error, 'BAD_UTF8')) throw error;
    return undefined;
  }
}

test('any text is encoded and decoded as the platform does it', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 1000, maxLength: 3000 }));
  fc.assert(
    fc.property(text, (value) => {
      const bytes = encodeUtf8(value);
      expect(sameBytes(bytes, encoder.encode(value))).toBe(true);
      expect(decodeUtf8(bytes)).toBe(value);
    }),
    run,
  );
});

test('every code point there is', () => {
  for (let first = 0; first <= 0x10ffff; first += 0x400) {
    if (first >= 0xd800 && first <= 0xdfff) continue;
    const value = String.fromCodePoint(...Array.from({ length: 0x400 }, (_, index) => first + index));
    const bytes = encodeUtf8(value);
    expect(sameBytes(bytes, encoder.encode(value))).toBe(true);
    expect(decodeUtf8(bytes)).toBe(value);
  }
});

test('any bytes are accepted or refused as the platform does it', () => {
  const nearly = fc
    .tuple(fc.string({ unit: 'binary', maxLength: 8 }), fc.nat(), fc.integer({ min: 0, max: 255 }))
    .map(([value, at, byte]) => {
      const bytes = encoder.encode(value);
      if (bytes.length > 0) bytes[at % bytes.length] = byte;
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 8 }), nearly), (bytes) => {
      expect(ourDecode(bytes)).toBe(platformDecode(bytes));
    }),
    { ...run, numRuns: 20_000 },
  );
});

test('every start of two, three and four bytes at its edges', () => {
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  for (let first = 0x80; first <= 0xff; first++) {
    for (const second of edges) {
      for (const third of edges) {
        for (const fourth of edges) {
          const bytes = Uint8Array.of(first, second, third, fourth);
          if (ourDecode(bytes) !== platformDecode(bytes)) expect.fail(`different for ${bytes}`);
        }
      }
    }
  }
});

test.each([
  ['c0 80', 'an overlong NUL'],
  ['c1 bf', 'an overlong character of two bytes'],
  ['e0 9f bf', 'an overlong character of three bytes'],
  ['f0 8f bf bf', 'an overlong character of four bytes'],
  ['ed a0 80', 'a surrogate'],
  ['ed a0 bd ed b8 80', 'a pair of surrogates, as Java’s jute writes it'],
  ['f4 90 80 80', 'something above U+10FFFF'],
  ['80', 'a continuation alone'],
  ['c3', 'half a character'],
  ['ff', 'a byte that is never there'],
])('%s is refused: %s', (bytes) => {
  expect(() => decodeUtf8(hex(bytes))).toThrow(expect.objectContaining({ code: 'BAD_UTF8' }));
});

test('a surrogate without its partner is written as a question mark', () => {
  expect(encodeUtf8('a\ud800')).toEqual(encoder.encode('a?'));
  expect(encodeUtf8('\udc00b')).toEqual(encoder.encode('?b'));
  expect(encodeUtf8('\ud800\ud83d\ude00')).toEqual(encoder.encode('?\u{1f600}'));
  expect(encodeUtf8('\ud83d\u00e9')).toEqual(encoder.encode('?é'));
});

test('a part of the bytes is decoded by itself', () => {
  const bytes = encoder.encode('aé€');
  expect(decodeUtf8(bytes, 1, 3)).toBe('é');
  expect(decodeUtf8(bytes, 1, 1)).toBe('');
  expect(() => decodeUtf8(bytes, 1, 2)).toThrow(expect.objectContaining({ code: 'BAD_UTF8' }));
});
