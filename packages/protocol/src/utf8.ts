/**
 * UTF-8 without the platform's TextEncoder and TextDecoder, which a core does not have.
 *
 * Decoding is strict: overlong forms, encoded surrogates and anything above U+10FFFF are errors, where Java puts U+FFFD, because
 * what is read here is written again by every server and must come out as the same bytes. Encoding is total: a surrogate without
 * its partner becomes `?`, as `String.getBytes` of Java does it.
 *
 * ZooKeeper's own writer (`BinaryOutputArchive.stringToByteBuffer`) makes three bytes of each surrogate, which its own reader cannot read
 * back. No path can hold such a character, only an ACL id; clients in other languages send the four bytes of UTF-8, and so do we.
 */
import { ProtocolError } from './protocol-error.js';

/** How many code units are turned into a string at once: what is well below any engine's limit on arguments. */
const UNITS_PER_CHUNK = 1024;

/** What stands for a surrogate without its partner. */
const QUESTION_MARK = 0x3f;

/**
 * The string of `bytes` from `start` up to `end`.
 *
 * @throws ProtocolError BAD_UTF8
 */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const length = end - start;
  if (length > UNITS_PER_CHUNK) return decodeInChunks(bytes, start, end);
  const units = new Array<number>(length);
  for (let index = 0; index < length; index++) {
    const byte = bytes[start + index] as number;
    if (byte >= 0x80) return decodeInChunks(bytes, start, end);
    units[index] = byte;
  }
  return String.fromCharCode.apply(null, units);
}

/** The bytes of a string. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * UTF8_BYTES_PER_UNIT_MAX);
  return bytes.slice(0, encodeUtf8Into(text, bytes, 0));
}

/** The most bytes that one UTF-16 code unit takes. */
export const UTF8_BYTES_PER_UNIT_MAX = 3;

/** Writes a string at `position`, where there is room for `UTF8_BYTES_PER_UNIT_MAX` bytes per code unit. Returns the position behind it. */
export function encodeUtf8Into(text: string, bytes: Uint8Array, position: number): number {
  let at = position;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes[at++] = unit;
    } else if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes[at++] = 0xe0 | (unit >> 12);
      bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else {
      // charCodeAt behind the end is NaN, which is no low surrogate.
      const next = text.charCodeAt(index + 1);
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) {
        bytes[at++] = QUESTION_MARK;
        continue;
      }
      index++;
      const point = 0x1_0000 + ((unit & 0x3ff) << 10) + (next & 0x3ff);
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
    }
  }
  return at;
}

function decodeInChunks(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let units: number[] = [];
  let at = start;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      units.push(byte);
      at++;
    } else {
      const size = sequenceSize(byte);
      if (at + size > end) throw bad('ends within a character');
      const point = decodeSequence(bytes, at, size);
      if (point > 0xffff) units.push(0xd800 + ((point - 0x1_0000) >> 10), 0xdc00 + (point & 0x3ff));
      else units.push(point);
      at += size;
    }
    if (units.length >= UNITS_PER_CHUNK) {
      text += String.fromCharCode.apply(null, units);
      units = [];
    }
  }
  return text + String.fromCharCode.apply(null, units);
}

/** How many bytes the character takes that starts with `byte`, which is not ASCII. */
function sequenceSize(byte: number): number {
  // 0xc0 and 0xc1 could only start an overlong form, 0xf5 and above only something beyond U+10FFFF.
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  if (byte >= 0xf0 && byte <= 0xf4) return 4;
  throw bad('has a byte that starts no character');
}

/** The code point of the `size` bytes at `at`. */
function decodeSequence(bytes: Uint8Array, at: number, size: number): number {
  let point = (bytes[at] as number) & (0x7f >> size);
  for (let index = 1; index < size; index++) {
    const byte = bytes[at + index] as number;
    if ((byte & 0xc0) !== 0x80) throw bad('has a character without its continuation');
    point = (point << 6) | (byte & 0x3f);
  }
  if (size === 3 && point < 0x800) throw bad('has an overlong character');
  if (size === 4 && (point < 0x1_0000 || point > 0x10_ffff)) throw bad('has an overlong character or one above U+10FFFF');
  if (point >= 0xd800 && point <= 0xdfff) throw bad('has an encoded surrogate');
  return point;
}

function bad(what: string): ProtocolError {
  return new ProtocolError('BAD_UTF8', `a string ${what}`);
}
