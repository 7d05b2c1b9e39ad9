import { SeededRandom } from '@quorate/ports';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawNonce, FRAME_BODY_BYTES_MAX, FrameReader, FrameWriter, NO_NONCE } from '../../src/wire/frame.js';
import * as any from './arbitraries.js';
import { hex, toHex } from './hex.js';

const MINE = { high: 0x0102_0304, low: 0xf1f2_f3f4 };
const OTHER = { high: 0x0102_0304, low: 0xf1f2_f3f5 };
const HEADER_BYTES = 28;

function writerTo(nonce = MINE): FrameWriter {
  const writer = new FrameWriter();
  writer.address(nonce);
  return writer;
}

function readerOf(nonce = MINE, bodyBytesMax = FRAME_BODY_BYTES_MAX): FrameReader {
  const reader = new FrameReader();
  reader.expect(nonce, bodyBytesMax);
  return reader;
}

/** What a reader says to these chunks: the bodies, and the rule that was broken. */
function read(reader: FrameReader, ...chunks: readonly Uint8Array[]) {
  const bodies: Uint8Array[] = [];
  for (const chunk of chunks) {
    const copy = chunk.slice();
    reader.push(copy);
    copy.fill(0xee);
    for (let body = reader.next(); body !== undefined; body = reader.next()) bodies.push(body);
  }
  return { bodies, rule: reader.fault?.rule };
}

function frames(...bodies: readonly Uint8Array[]): Uint8Array[] {
  const writer = writerTo();
  return bodies.map((body) => writer.frame(body));
}

const [ONE, TWO, THREE] = [hex('a1'), hex('b1b2'), hex('c1c2c3')];

test('the bytes of two frames', () => {
  const writer = writerTo();
  // The checksums are those of zlib.
  const first = '00000001 01020304f1f2f3f4 0000000000000000 73d37cf3 e7c98160 a1';
  const second = '00000000 01020304f1f2f3f4 0000000000000001 00000000 14083a09';
  expect(toHex(writer.frame(ONE))).toBe(first.replaceAll(' ', ''));
  expect(toHex(writer.frame(new Uint8Array(0)))).toBe(second.replaceAll(' ', ''));
});

test('cut at arbitrary places, a stream of frames is the same bodies', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 30 }), (bodies, places) => {
      const stream = any.concat(frames(...bodies));
      expect(read(readerOf(), ...any.cutAt(stream, places))).toEqual({ bodies, rule: undefined });
    }),
    any.run,
  );
});

test('cut at every byte, a stream of frames is the same bodies', () => {
  const stream = any.concat(frames(ONE, new Uint8Array(0), THREE));
  const result = { bodies: [ONE, new Uint8Array(0), THREE], rule: undefined };
  expect(read(readerOf(), ...Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(result);
  for (let at = 0; at <= stream.length; at++) expect(read(readerOf(), stream.slice(0, at), stream.slice(at))).toEqual(result);
});

test('the first frame of a connection has no nonce', () => {
  const frame = new FrameWriter().frame(ONE);
  expect(read(new FrameReader(), frame)).toEqual({ bodies: [ONE], rule: undefined });
  expect(read(readerOf(), frame).rule).toBe('FOREIGN_FRAME');
});

test('a nonce is never the one that stands for none', () => {
  const draws = [0, 0, 0, 7];
  expect(drawNonce({ uint32: () => draws.shift() ?? 1 })).toEqual({ high: 0, low: 7 });
  expect(drawNonce(new SeededRandom(1))).not.toEqual(NO_NONCE);
});

describe('what a reader finds', () => {
  const [one, two, three] = frames(ONE, TWO, THREE) as [Uint8Array, Uint8Array, Uint8Array];

  test('a frame that is lost', () => {
    expect(read(readerOf(), one, three)).toEqual({ bodies: [ONE], rule: 'FRAME_LOST' });
  });

  test('a frame that comes twice, at once or later', () => {
    expect(read(readerOf(), one, one)).toEqual({ bodies: [ONE], rule: 'FRAME_REPEATED' });
    expect(read(readerOf(), one, two, one)).toEqual({ bodies: [ONE, TWO], rule: 'FRAME_REPEATED' });
  });

  test('frames that overtake one another', () => {
    expect(read(readerOf(), one, three, two)).toEqual({ bodies: [ONE], rule: 'FRAME_LOST' });
  });

  test('a frame that is meant for another connection', () => {
    const foreign = writerTo(OTHER).frame(ONE);
    expect(read(readerOf(), foreign)).toEqual({ bodies: [], rule: 'FOREIGN_FRAME' });
    const otherHigh = writerTo({ high: 1, low: MINE.low }).frame(ONE);
    expect(read(readerOf(), otherHigh)).toEqual({ bodies: [], rule: 'FOREIGN_FRAME' });
  });

  test('every flipped bit, as soon as the header or the body is there', () => {
    for (let bit = 0; bit < three.length * 8; bit++) {
      const seenAt = bit < HEADER_BYTES * 8 ? HEADER_BYTES : three.length;
      const flipped = any.flipBit(three, bit);
      expect(read(readerOf(), one, two, flipped.slice(0, seenAt))).toEqual({ bodies: [ONE, TWO], rule: 'CORRUPT_FRAME' });
    }
  });

  test('bytes that are dropped, inserted or moved', () => {
    const stream = any.concat([one, two, three]);
    const after = frames(ONE, TWO, THREE, new Uint8Array(60))[3] as Uint8Array;
    for (let at = 0; at < stream.length; at++) {
      const dropped = any.concat([stream.slice(0, at), stream.slice(at + 1), after]);
      const inserted = any.concat([stream.slice(0, at), hex('5a'), stream.slice(at), after]);
      const moved = any.concat([stream.slice(0, at), stream.slice(at + 5), stream.slice(at, at + 5), after]);
      for (const spoilt of [dropped, inserted, moved]) {
        const { bodies, rule } = read(readerOf(), spoilt);
        expect(rule === 'CORRUPT_FRAME' || bodies.length === 4).toBe(true);
        expect(bodies).toEqual([ONE, TWO, THREE, new Uint8Array(60)].slice(0, bodies.length));
      }
    }
  });

  test('a frame that is too large, before its body has come', () => {
    const large = writerTo().frame(new Uint8Array(11));
    expect(read(readerOf(MINE, 11), large).rule).toBeUndefined();
    expect(read(readerOf(MINE, 10), large.slice(0, HEADER_BYTES)).rule).toBe('FRAME_TOO_LARGE');
  });

  test('somebody who speaks something else', () => {
    expect(read(new FrameReader(), Buffer.from('GET / HTTP/1.1\r\nHost: quorate\r\n\r\n')).rule).toBe('CORRUPT_FRAME');
    expect(read(new FrameReader(), new Uint8Array(100)).rule).toBe('CORRUPT_FRAME');
    expect(read(new FrameReader(), new Uint8Array(100).fill(0xff)).rule).toBe('CORRUPT_FRAME');
  });

  test('nothing more after the first fault', () => {
    const reader = readerOf();
    expect(read(reader, one, three).rule).toBe('FRAME_LOST');
    expect(read(reader, two, three)).toEqual({ bodies: [], rule: 'FRAME_LOST' });
  });
});

test('random bytes and spoilt streams are bodies that were sent, in their order, or a fault', () => {
  const bodies = [ONE, TWO, THREE, new Uint8Array(0), hex('d1d2d3d4')];
  const stream = any.concat(frames(...bodies));
  const edit = fc.record({ at: fc.nat(stream.length), drop: fc.nat(40), insert: fc.uint8Array({ maxLength: 40 }) });
  fc.assert(
    fc.property(fc.oneof(edit, fc.uint8Array({ maxLength: 120 })), fc.array(fc.nat(), { maxLength: 6 }), (spoil, places) => {
      const bytes =
        spoil instanceof Uint8Array ? spoil : any.concat([stream.slice(0, spoil.at), spoil.insert, stream.slice(spoil.at + spoil.drop)]);
      const result = read(readerOf(), ...any.cutAt(bytes, places));
      expect(result.bodies).toEqual(bodies.slice(0, result.bodies.length));
    }),
    { ...any.run, numRuns: 5000 },
  );
});

test('the largest body is sent and taken, one byte more is not sent', () => {
  const largest = new Uint8Array(FRAME_BODY_BYTES_MAX).fill(7);
  const writer = writerTo();
  expect(() => writer.frame(new Uint8Array(FRAME_BODY_BYTES_MAX + 1))).toThrow(/16777217 bytes does not fit/);
  const reader = readerOf();
  reader.push(writer.frame(largest));
  expect(Buffer.compare(reader.next() as Uint8Array, largest)).toBe(0);
});

test('byte by byte, a stream takes time in proportion to its length, and a claimed length sets nothing aside', () => {
  const stream = writerTo().frame(new Uint8Array(1_000_000).fill(7));
  const reader = readerOf();
  const start = performance.now();
  let found: Uint8Array | undefined;
  for (let at = 0; at < stream.length; at++) {
    reader.push(stream.subarray(at, at + 1));
    found ??= reader.next();
  }
  // In quadratic time this is 5 * 10^11 bytes moved, minutes.
  expect(performance.now() - start).toBeLessThan(5000);
  expect(found?.length).toBe(1_000_000);

  const header = writerTo().frame(new Uint8Array(FRAME_BODY_BYTES_MAX)).slice(0, HEADER_BYTES);
  const readers = Array.from({ length: 1000 }, () => readerOf());
  const before = process.memoryUsage().arrayBuffers;
  for (const one of readers) expect(read(one, header)).toEqual({ bodies: [], rule: undefined });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
});
