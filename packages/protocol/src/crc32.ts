/**
 * CRC-32 as in Ethernet, zlib and Java's `java.util.zip.CRC32`: the reflected polynomial 0xedb88320, begun and ended with all bits inverted.
 *
 * It finds every burst of up to 32 wrong bits and all but one in 2^32 of other faults. It is no defence against somebody who means harm.
 */

const POLYNOMIAL = 0xedb8_8320;

/** What each byte does to the remainder. */
const TABLE = makeTable();

/** The checksum of `bytes` from `start` up to `end`, 0 to 2^32 − 1. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let remainder = -1;
  for (let at = start; at < end; at++) remainder = (remainder >>> 8) ^ (TABLE[(remainder ^ (bytes[at] as number)) & 0xff] as number);
  return ~remainder >>> 0;
}

function makeTable(): Int32Array {
  const table = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder & 1) === 0 ? remainder >>> 1 : (remainder >>> 1) ^ POLYNOMIAL;
    table[byte] = remainder;
  }
  return table;
}
