import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FRAME_BYTES_MAX, FrameSplitter, frame, type ProtocolErrorCode } from '../src/index.js';
import { run } from './arbitraries.js';
import { hex, sameBytes } from './hex.js';

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function drain(splitter: FrameSplitter): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  for (let body = splitter.next(); body !== undefined; body = splitter.next()) bodies.push(body);
  return bodies;
}

const failsWith = (code: ProtocolErrorCode) => expect.objectContaining({ code });

test('a frame is a length and the bytes', () => {
  expect(frame(hex('aabbcc'))).toEqual(hex('00000003 aabbcc'));
  expect(frame(hex(''))).toEqual(hex('00000000'));
  expect(frame(new Uint8Array(0x12345)).slice(0, 4)).toEqual(hex('00012345'));
});

test('every way to cut a short stream in three gives the same frames', () => {
  const bodies = [hex('01'), hex(''), hex('0203040506'), hex('07')];
  const stream = concat(bodies.map(frame));
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second++) {
      const splitter = new FrameSplitter();
      const out: Uint8Array[] = [];
      for (const chunk of [stream.slice(0, first), stream.slice(first, second), stream.slice(second)]) {
        splitter.push(chunk);
        out.push(...drain(splitter));
      }
      expect(out).toEqual(bodies);
    }
  }
});

test('any frames in any chunks, taken out at any time, come out as they went in', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
      fc.infiniteStream(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.boolean())),
      (bodies, cuts) => {
        const stream = concat(bodies.map(frame));
        const splitter = new FrameSplitter();
        const out: Uint8Array[] = [];
        for (let at = 0; at < stream.length; ) {
          const [size, take] = cuts.next().value;
          const chunk = stream.slice(at, at + size);
          splitter.push(chunk);
          // Whoever pushes may use the chunk again.
          chunk.fill(0xee);
          at += size;
          if (take) out.push(...drain(splitter));
        }
        out.push(...drain(splitter));
        expect(out).toEqual(bodies);
      },
    ),
    run,
  );
});

test('byte by byte, a stream takes time in proportion to its length', () => {
  const body = new Uint8Array(FRAME_BYTES_MAX).fill(7);
  const stream = frame(body);
  const splitter = new FrameSplitter();
  const start = performance.now();
  let found: Uint8Array | undefined;
  for (let at = 0; at < stream.length; at++) {
    splitter.push(stream.subarray(at, at + 1));
    found ??= splitter.next();
  }
  // In quadratic time this is 5 * 10^11 bytes moved, minutes.
  expect(performance.now() - start).toBeLessThan(5000);
  expect(sameBytes(found, body)).toBe(true);
});

test('a million small frames in one chunk take time in proportion', () => {
  const stream = new Uint8Array(5_000_000);
  for (let at = 0; at < stream.length; at += 5) stream[at + 3] = 1;
  const splitter = new FrameSplitter();
  splitter.push(stream);
  const start = performance.now();
  expect(drain(splitter).length).toBe(1_000_000);
  expect(performance.now() - start).toBeLessThan(5000);
});

test('a stream of which much always stands takes time in proportion', () => {
  const splitter = new FrameSplitter();
  const standing = new Uint8Array(4_000_000);
  for (let at = 0; at < standing.length; at += 5) standing[at + 3] = 1;
  splitter.push(standing);
  const one = hex('00000001 00');
  const start = performance.now();
  for (let round = 0; round < 200_000; round++) {
    splitter.next();
    splitter.push(one);
  }
  // Moved to the front each time, these are 8 * 10^11 bytes.
  expect(performance.now() - start).toBeLessThan(5000);
  expect(drain(splitter).length).toBe(800_000);
});

test('the longest frame is accepted, one byte more is not, and is refused before it has come', () => {
  const splitter = new FrameSplitter();
  splitter.push(hex('000fffff'));
  expect(splitter.next()).toBeUndefined();
  const longer = new FrameSplitter();
  longer.push(hex('00100000'));
  expect(() => longer.next()).toThrow(failsWith('FRAME_TOO_LONG'));
  const small = new FrameSplitter(10);
  small.push(hex('0000000b'));
  expect(() => small.next()).toThrow(failsWith('FRAME_TOO_LONG'));
});

test('a four-letter word is a frame that is too long, a negative length is negative', () => {
  const word = new FrameSplitter();
  word.push(hex('72756f6b'));
  expect(() => word.next()).toThrow(failsWith('FRAME_TOO_LONG'));
  const negative = new FrameSplitter();
  negative.push(hex('ffffffff'));
  expect(() => negative.next()).toThrow(failsWith('NEGATIVE_LENGTH'));
});

test('a length is a claim: nothing is set aside for it', () => {
  const splitters: FrameSplitter[] = [];
  const before = process.memoryUsage().arrayBuffers;
  for (let index = 0; index < 1000; index++) {
    const splitter = new FrameSplitter();
    splitter.push(hex('000fffff 01'));
    expect(splitter.next()).toBeUndefined();
    splitters.push(splitter);
  }
  // A thousand claims of 1 MiB each.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  expect(splitters.length).toBe(1000);
});

test('frames before a bad length come out; behind it there is nothing, whatever comes', () => {
  const splitter = new FrameSplitter();
  splitter.push(hex('00000001 aa 80000000'));
  expect(splitter.next()).toEqual(hex('aa'));
  expect(() => splitter.next()).toThrow(failsWith('NEGATIVE_LENGTH'));
  splitter.push(hex('00000001 bb'));
  expect(() => splitter.next()).toThrow(failsWith('NEGATIVE_LENGTH'));
});

test('a body is an array of its own', () => {
  const splitter = new FrameSplitter();
  splitter.push(hex('00000002 0102 00000001 03'));
  const body = splitter.next();
  expect(body?.buffer.byteLength).toBe(2);
  body?.fill(0xee);
  expect(splitter.next()).toEqual(hex('03'));
});

test('read where they lie, bodies are the same, and what was taken out as a view is not written to again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
      fc.infiniteStream(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.boolean())),
      (bodies, cuts) => {
        // Each body is a buffer, so that the reader gives a view.
        const stream = concat(bodies.map((body) => frame(frame(body))));
        const splitter = new FrameSplitter();
        const views: unknown[] = [];
        const take = (): void => {
          for (let reader = splitter.nextReader(); reader !== undefined; reader = splitter.nextReader()) {
            views.push(reader.buffer());
            expect(reader.remaining).toBe(0);
          }
        };
        for (let at = 0; at < stream.length; ) {
          const [size, takes] = cuts.next().value;
          splitter.push(stream.slice(at, at + size));
          at += size;
          if (takes) take();
        }
        take();
        expect(views).toEqual(bodies);
      },
    ),
    run,
  );
});
