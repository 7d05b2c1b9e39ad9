/**
 * CRC-32 as in Ethernet, zlib and Java's `java.util.zip.CRC32`: the reflected polynomial 0xedb88320, begun and ended with all bits inverted.
 *
 * It finds every burst of up to 32 wrong bits and all but one in 2^32 of other faults. It is no defence against somebody who means harm.
 *
 * A checksum of things that do not lie in one array is made in steps: from `CRC32_START` by `crc32OfBytes`, `crc32OfText`, `crc32OfInt` and `crc32OfInts` from one
 * remainder to the next, and `crc32Of` at the end.
 */
import { encodeUtf8 } from './utf8.js';

const POLYNOMIAL = 0xedb8_8320;

/** At `256 * n + byte`: what a byte does to the remainder when n more bytes have followed it, so that eight bytes are one step. */
const TABLES = makeTables(8);

/** The remainder before the first byte. */
export const CRC32_START = -1;

/** The checksum of `bytes` from `start` up to `end`, 0 to 2^32 − 1. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return crc32Of(crc32OfBytes(CRC32_START, bytes, start, end));
}

/** The checksum of everything that has led to this remainder, 0 to 2^32 − 1. */
export function crc32Of(remainder: number): number {
  return ~remainder >>> 0;
}

/** The remainder, an int32, behind further bytes. */
export function crc32OfBytes(remainder: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let rest = remainder;
  let at = start;
  for (const lastWhole = end - 8; at <= lastWhole; at += 8) {
    const low = rest ^ littleEndian(bytes, at);
    const high = littleEndian(bytes, at + 4);
    rest = table(7, low) ^ table(6, low >>> 8) ^ table(5, low >>> 16) ^ table(4, low >>> 24);
    rest ^= table(3, high) ^ table(2, high >>> 8) ^ table(1, high >>> 16) ^ table(0, high >>> 24);
  }
  for (; at < end; at++) rest = (rest >>> 8) ^ table(0, rest ^ (bytes[at] as number));
  return rest;
}

/** The remainder behind the UTF-8 of a text. */
export function crc32OfText(remainder: number, text: string): number {
  let rest = remainder;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return crc32OfBytes(rest, encodeUtf8(text.slice(index)));
    rest = (rest >>> 8) ^ table(0, rest ^ unit);
  }
  return rest;
}

/** The remainder behind the four bytes of a big-endian int32. */
export function crc32OfInt(remainder: number, value: number): number {
  return (
    table(3, remainder ^ (value >>> 24)) ^
    table(2, (remainder >>> 8) ^ (value >>> 16)) ^
    table(1, (remainder >>> 16) ^ (value >>> 8)) ^
    table(0, (remainder >>> 24) ^ value)
  );
}

/** The remainder behind the eight bytes of two big-endian int32s, or of an int64 in two halves. */
export function crc32OfInts(remainder: number, first: number, second: number): number {
  const rest = table(7, remainder ^ (first >>> 24)) ^ table(6, (remainder >>> 8) ^ (first >>> 16));
  const more = table(5, (remainder >>> 16) ^ (first >>> 8)) ^ table(4, (remainder >>> 24) ^ first);
  return rest ^ more ^ table(3, second >>> 24) ^ table(2, second >>> 16) ^ table(1, second >>> 8) ^ table(0, second);
}

function table(following: number, byte: number): number {
  return TABLES[(following << 8) | (byte & 0xff)] as number;
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

function makeTables(count: number): Int32Array {
  const tables = new Int32Array(256 * count);
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder & 1) === 0 ? remainder >>> 1 : (remainder >>> 1) ^ POLYNOMIAL;
    tables[byte] = remainder;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] as number;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}
