/**
 * A record: consecutive txns of one epoch, written at once, bound to the place where they were written.
 *
 * Two checksums say different things. That of the header covers the file's number and the offset, so that a header which is in order was written here, by this
 * store, and what it says was true then; it needs no other record. `prev` and `chain` are those of the segment's txns (`extendChain`) before this record and with it: a record
 * follows from all before it, and tells what they were where they cannot be read.
 *
 * `durableTo` is what tells a crash from corruption: up to there the file had been flushed when the record was written. What is unreadable below some record's
 * `durableTo` has been whole and safe once.
 */
import { CRC32_START, counterOf, crc32Of, crc32OfBytes, crc32OfInt, EPOCH_MAX, epochOf, makeZxid, type Zxid } from '@quorate/protocol';
import { extendChain } from '@quorate/zab';

export interface Record {
  readonly offset: number;
  /** Where the next record begins. */
  readonly end: number;
  /** The first of its txns. */
  readonly zxid: Zxid;
  /** How many txns; one at least. */
  readonly count: number;
  readonly bodyBytes: number;
  readonly durableTo: number;
  /** The chain of the segment's txns before this record. */
  readonly prev: number;
  /** The same with those of this record. */
  readonly chain: number;
}

/** A place in a segment, and the chain of the txns before it. */
export interface Place {
  readonly offset: number;
  readonly chain: number;
}

/** Records begin at multiples of this, in bytes. */
export const RECORD_ALIGNMENT = 8;
export const RECORD_HEADER_BYTES = 40;

/** The greatest count of a record: each txn has at least its length. */
const COUNT_MAX = 0x0fff_ffff;
const MAGIC = 0x5152_4543;
/** All of the header that its checksum covers. */
const COVERED_BYTES = RECORD_HEADER_BYTES - 4;

/** The room that these txns take as one record, padding included. */
export function recordBytes(payloads: readonly Uint8Array[], from = 0, to = payloads.length): number {
  let bytes = RECORD_HEADER_BYTES;
  for (let i = from; i < to; i++) bytes += 4 + (payloads[i] as Uint8Array).length;
  return aligned(bytes);
}

export interface RecordContent {
  readonly zxid: Zxid;
  readonly payloads: readonly Uint8Array[];
  readonly durableTo: number;
}

/** Writes a record into bytes that will stand at `start` of the segment `file`. The bytes are zeros before. */
export function writeRecord(
  bytes: Uint8Array,
  start: number,
  file: number,
  place: Place,
  { zxid, payloads, durableTo }: RecordContent,
): Place {
  const at = place.offset - start;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const body = at + RECORD_HEADER_BYTES;
  let end = body + 4 * payloads.length;
  let chain = place.chain;
  for (let i = 0; i < payloads.length; i++) {
    const payload = payloads[i] as Uint8Array;
    view.setUint32(body + 4 * i, payload.length);
    bytes.set(payload, end);
    end += payload.length;
    chain = extendChain(chain, (zxid + i) as Zxid, payload);
  }
  view.setUint32(at, MAGIC);
  view.setUint32(at + 4, end - body);
  view.setUint32(at + 8, epochOf(zxid));
  view.setUint32(at + 12, counterOf(zxid));
  view.setUint32(at + 16, payloads.length);
  view.setUint32(at + 20, durableTo);
  view.setUint32(at + 24, place.chain);
  view.setUint32(at + 28, chain);
  view.setUint32(at + 32, file);
  view.setUint32(at + 36, headerChecksum(bytes, at, file, place.offset));
  return { offset: start + aligned(end), chain };
}

/** Reads the header of a record that stands at `offset` of the segment `file`; undefined where there is none, or another's, or not as it was written. */
export function readHeader(bytes: Uint8Array, at: number, file: number, offset: number): Record | undefined {
  // It is asked of every place behind a tear, and most have zeros: a view of each would cost more than all the rest.
  if (at + RECORD_HEADER_BYTES > bytes.length || bytes[at] !== MAGIC >>> 24) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_HEADER_BYTES);
  if (view.getUint32(0) !== MAGIC || view.getUint32(32) !== file) return undefined;
  if (view.getUint32(36) !== headerChecksum(bytes, at, file, offset)) return undefined;
  const bodyBytes = view.getUint32(4);
  const count = view.getUint32(16);
  const epoch = view.getUint32(8);
  if (epoch > EPOCH_MAX || count === 0 || count > COUNT_MAX || count * 4 > bodyBytes) return undefined;
  return {
    offset,
    end: offset + aligned(RECORD_HEADER_BYTES + bodyBytes),
    zxid: makeZxid(epoch, view.getUint32(12)),
    count,
    bodyBytes,
    durableTo: view.getUint32(20),
    prev: view.getUint32(24),
    chain: view.getUint32(28),
  };
}

/** The txns of a record: views of its body; undefined where that is not as it was written. */
export function payloadsOf(record: Record, body: Uint8Array): Uint8Array[] | undefined {
  if (body.length !== record.bodyBytes) return undefined;
  const view = new DataView(body.buffer, body.byteOffset);
  const payloads: Uint8Array[] = [];
  let at = record.count * 4;
  for (let i = 0; i < record.count; i++) {
    const length = view.getUint32(i * 4);
    payloads.push(body.subarray(at, at + length));
    at += length;
  }
  return at === body.length && chainThrough(record, payloads, lastZxidIn(record)) === record.chain ? payloads : undefined;
}

/** The chain with the txns of a record up to `zxid`. */
export function chainThrough({ prev, zxid: first }: Record, payloads: readonly Uint8Array[], zxid: Zxid): number {
  let chain = prev;
  for (let i = 0; i <= zxid - first; i++) chain = extendChain(chain, (first + i) as Zxid, payloads[i] as Uint8Array);
  return chain;
}

/** The last of its txns. */
export function lastZxidIn(record: Record): Zxid {
  return (record.zxid + record.count - 1) as Zxid;
}

function headerChecksum(bytes: Uint8Array, at: number, file: number, offset: number): number {
  const place = crc32OfInt(crc32OfInt(CRC32_START, file), offset);
  return crc32Of(crc32OfBytes(place, bytes, at, at + COVERED_BYTES));
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
}
