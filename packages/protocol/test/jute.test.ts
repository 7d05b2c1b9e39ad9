import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JuteReader, JuteWriter, type ProtocolErrorCode, type Zxid } from '../src/index.js';
import * as any from './arbitraries.js';
import { hex, toHex } from './hex.js';

const failsWith = (code: ProtocolErrorCode) => expect.objectContaining({ code });

function written(write: (writer: JuteWriter) => void): string {
  const writer = new JuteWriter(0);
  write(writer);
  return toHex(writer.finish());
}

test('integers are big-endian and two’s complement, as DataView has them', () => {
  fc.assert(
    fc.property(any.int32, any.int64, any.time, (int, long, time) => {
      const view = new DataView(new ArrayBuffer(20));
      view.setInt32(0, int);
      view.setBigInt64(4, long);
      view.setBigInt64(12, BigInt(time));
      const bytes = new Uint8Array(view.buffer);
      expect(
        written((writer) => {
          writer.int(int);
          writer.long(long);
          writer.longNumber(time);
        }),
      ).toBe(toHex(bytes));
      const reader = new JuteReader(bytes);
      expect([reader.int(), reader.long(), reader.longNumber()]).toEqual([int, long, time]);
    }),
    { ...any.run, numRuns: 2000 },
  );
});

test.each([
  [0n, '0000000000000000'],
  [1n, '0000000000000001'],
  [-1n, 'ffffffffffffffff'],
  [0xffff_ffffn, '00000000ffffffff'],
  [-0x1_0000_0000n, 'ffffffff00000000'],
  [2n ** 53n, '0020000000000000'],
  [-(2n ** 53n), 'ffe0000000000000'],
  [-(2n ** 53n) - 1n, 'ffdfffffffffffff'],
  [2n ** 63n - 1n, '7fffffffffffffff'],
  [-(2n ** 63n), '8000000000000000'],
])('the int64 %s', (value, digits) => {
  expect(written((writer) => writer.long(value))).toBe(digits);
  expect(new JuteReader(hex(digits)).long()).toBe(value);
});

test('what is too wide is cut, as in Java', () => {
  expect(written((writer) => writer.int(2 ** 31))).toBe('80000000');
  expect(written((writer) => writer.int(2 ** 32 + 5))).toBe('00000005');
  expect(written((writer) => writer.long(2n ** 64n + 5n))).toBe('0000000000000005');
});

test('a time is exact or refused', () => {
  expect(new JuteReader(hex('001fffffffffffff')).longNumber()).toBe(2 ** 53 - 1);
  expect(new JuteReader(hex('ffe0000000000001')).longNumber()).toBe(-(2 ** 53) + 1);
  for (const digits of ['0020000000000000', 'ffe0000000000000', '7fffffffffffffff', '8000000000000000']) {
    expect(() => new JuteReader(hex(digits)).longNumber()).toThrow(failsWith('BAD_VALUE'));
  }
});

test('a zxid of a large epoch is refused, -1 and -2^63 are not', () => {
  for (const zxid of [0, 1, 2 ** 53 - 1, -1, -(2 ** 63)]) {
    expect(new JuteReader(hex(written((writer) => writer.zxid(zxid as Zxid)))).zxid()).toBe(zxid);
  }
  for (const digits of ['0020000000000000', 'fffffffffffffffe', '8000000000000001', 'ffffffff00000000']) {
    expect(() => new JuteReader(hex(digits)).zxid()).toThrow(failsWith('EPOCH_TOO_LARGE'));
  }
});

test('a boolean is written as 1 or 0, and any byte but 0 is true', () => {
  expect(written((writer) => writer.bool(true))).toBe('01');
  expect(written((writer) => writer.bool(false))).toBe('00');
  expect([0, 1, 2, 255].map((byte) => new JuteReader(Uint8Array.of(byte)).bool())).toEqual([false, true, true, true]);
});

test('null is -1, and is not the same as empty', () => {
  expect(written((writer) => writer.buffer(null))).toBe('ffffffff');
  expect(written((writer) => writer.buffer(new Uint8Array(0)))).toBe('00000000');
  expect(written((writer) => writer.nullableString(null))).toBe('ffffffff');
  expect(written((writer) => writer.nullableString(''))).toBe('00000000');
  expect(new JuteReader(hex('ffffffff')).buffer()).toBeNull();
  expect(new JuteReader(hex('00000000')).buffer()).toEqual(new Uint8Array(0));
  expect(new JuteReader(hex('ffffffff')).nullableString()).toBeNull();
  expect(new JuteReader(hex('00000000')).string()).toBe('');
  expect(() => new JuteReader(hex('ffffffff')).string()).toThrow(failsWith('BAD_VALUE'));
  expect(() => new JuteReader(hex('ffffffff')).enclosed()).toThrow(failsWith('BAD_VALUE'));
  expect(new JuteReader(hex('ffffffff')).strings()).toEqual([]);
});

test('a length below -1 is refused wherever there is one', () => {
  for (const digits of ['fffffffe', '80000000']) {
    const reader = () => new JuteReader(hex(digits, '0000000000'));
    expect(() => reader().buffer()).toThrow(failsWith('NEGATIVE_LENGTH'));
    expect(() => reader().string()).toThrow(failsWith('NEGATIVE_LENGTH'));
    expect(() => reader().strings()).toThrow(failsWith('NEGATIVE_LENGTH'));
    expect(() => reader().enclosed()).toThrow(failsWith('NEGATIVE_LENGTH'));
  }
});

test('nothing is read behind the end', () => {
  const reads: ((reader: JuteReader) => unknown)[] = [
    (reader) => reader.int(),
    (reader) => reader.long(),
    (reader) => reader.longNumber(),
    (reader) => reader.zxid(),
    (reader) => reader.buffer(),
    (reader) => reader.string(),
    (reader) => reader.strings(),
  ];
  for (const read of reads) {
    expect(() => read(new JuteReader(hex('000000')))).toThrow(failsWith('TRUNCATED'));
    // The bytes go on, but the reader was given the first three.
    expect(() => read(new JuteReader(hex('0000000000000000'), 0, 3))).toThrow(failsWith('TRUNCATED'));
  }
  expect(() => new JuteReader(hex('')).bool()).toThrow(failsWith('TRUNCATED'));
  expect(() => new JuteReader(hex('00000002 61')).string()).toThrow(failsWith('TRUNCATED'));
  expect(() => new JuteReader(hex('0001'), 0, 100).int()).toThrow(failsWith('TRUNCATED'));
});

test('a count is bounded by the bytes that its items must take', () => {
  const readInt = (reader: JuteReader) => reader.int();
  expect(new JuteReader(hex('00000002 00000007 00000008')).vector(readInt, 4)).toEqual([7, 8]);
  expect(() => new JuteReader(hex('00000003 00000007 00000008')).vector(readInt, 4)).toThrow(failsWith('TRUNCATED'));
  let calls = 0;
  const count = (reader: JuteReader) => {
    calls++;
    return reader.int();
  };
  expect(() => new JuteReader(hex('7fffffff', '00'.repeat(96))).vector(count, 4)).toThrow(failsWith('TRUNCATED'));
  expect(calls).toBe(0);
});

test('an enclosed record is read by itself and skipped in the outer one', () => {
  const reader = new JuteReader(hex('00000005 00000007 01 00000009'));
  const inner = reader.enclosed();
  expect([inner.int(), inner.remaining]).toEqual([7, 1]);
  expect(() => inner.finish()).toThrow(failsWith('TRAILING_BYTES'));
  expect(inner.bool()).toBe(true);
  inner.finish();
  expect(() => inner.bool()).toThrow(failsWith('TRUNCATED'));
  expect(reader.int()).toBe(9);
  reader.finish();
});

test('a length is filled in when it is known, however deep', () => {
  expect(
    written((writer) => {
      const outer = writer.beginLength();
      writer.bool(true);
      const inner = writer.beginLength();
      writer.string('ab');
      writer.endLength(inner);
      writer.endLength(outer);
      writer.bool(false);
    }),
  ).toBe('0000000b 01 00000006 00000002 6162 00'.replaceAll(' ', ''));
});

test('a writer grows as it must, and gives exactly what was written', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(any.text, any.bytes), { maxLength: 20 }), fc.nat(64), (items, capacity) => {
      const writer = new JuteWriter(capacity);
      for (const item of items) typeof item === 'string' ? writer.string(item) : writer.buffer(item);
      const length = writer.length;
      const bytes = writer.finish();
      expect([bytes.length, bytes.buffer.byteLength, writer.length]).toEqual([length, length, 0]);
      const reader = new JuteReader(bytes);
      for (const item of items) expect(typeof item === 'string' ? reader.string() : reader.buffer()).toEqual(item);
      reader.finish();
    }),
    any.run,
  );
});

test('a writer that is used again begins empty, after a large record too', () => {
  const writer = new JuteWriter();
  writer.buffer(new Uint8Array(200_000).fill(0xee));
  expect(writer.finish().length).toBe(200_004);
  writer.int(7);
  writer.clear();
  writer.int(8);
  expect(toHex(writer.finish())).toBe('00000008');
});

test('records that are cut from one writer, large and small, keep their bytes whatever is written after them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.uint8Array({ size: 'large', maxLength: 20_000 }), fc.constantFrom('cut', 'finish', 'take')), { maxLength: 30 }),
      (records) => {
        const writer = new JuteWriter(8);
        const out = records.map(([data, how]) => {
          // What was begun and given up leaves nothing.
          writer.buffer(data);
          writer.clear();
          const length = writer.beginLength();
          writer.raw(data);
          writer.endLength(length);
          expect(writer.length).toBe(4 + data.length);
          return writer[how]();
        });
        expect(writer.length).toBe(0);
        expect(out.map((bytes) => new JuteReader(bytes).buffer())).toEqual(records.map(([data]) => data));
      },
    ),
    { ...any.run, numRuns: 200 },
  );
});

test('expected bytes are skipped where they come next, and only there', () => {
  const reader = new JuteReader(hex('0102030405'), 1, 4);
  expect(reader.skip(hex('0203'))).toBe(true);
  expect(reader.skip(hex('05'))).toBe(false);
  // It lies behind the end of what may be read.
  expect(reader.skip(hex('0405'))).toBe(false);
  expect(reader.skip(hex('04'))).toBe(true);
  expect(reader.remaining).toBe(0);
});
