/**
 * A checksum of txns in their order, each on top of those before it. However a history is cut into runs, records and segments, the same txns behind the same beginning have the same chain.
 *
 * So a store that keeps the chain on both sides of a gap can tell whether txns that come from elsewhere are what stood there.
 */
import { CRC32_START, counterOf, crc32Of, crc32OfBytes, crc32OfInt, crc32OfInts, epochOf, type Zxid } from '@quorate/protocol';

/** The chain behind one more txn. @param chain of all before it; 0 to 2^32 − 1, as the result. */
export function extendChain(chain: number, zxid: Zxid, payload: Uint8Array): number {
  const place = crc32OfInts(crc32OfInt(CRC32_START, chain), epochOf(zxid), counterOf(zxid));
  return crc32Of(crc32OfBytes(crc32OfInt(place, payload.length), payload));
}
