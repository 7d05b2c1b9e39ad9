/**
 * A record: consecutive txns of one epoch, written at once, bound to the place where they were written.
 *
 * Two checksums say different things. That of the header covers the file's number and the offset, so that a header which is in order was written here, by this
 * store, and what it says was true then; it needs no other record. `prev` is the checksum of the record before, which covers its own `prev`: a record follows from all before it.
 *
 * `durableTo` is what tells a crash from corruption: up to there the file had been flushed when the record was written. What is unreadable below some record's
 * `durableTo` has been whole and safe once.
 */
import {
  COUNTER_MAX,
  CRC32_START,
  counterOf,
  crc32,
  crc32Of,
  crc32OfBytes,
  crc32OfInt,
  EPOCH_MAX,
  epochOf,
  makeZxid,
  type Zxid,
} from '@quorate/protocol';

export interface Record {
  readonly offset: number;
  /** Where the next record begins. */
  readonly end: number;
  /** The first of its txns. */
  readonly zxid: Zxid;
  /** How many txns; one at least. */
  readonly count: number;
  readonly bodyBytes: number;
  readonly bodyChecksum: number;
  readonly durableTo: number;
  readonly prev: number;
  /** The checksum of the header. */
  readonly chain: number;
}

/** A place in a segment, and what the record there has to follow from. */
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
  let end = at + RECORD_HEADER_BYTES;
  for (const payload of payloads) {
    view.setUint32(end, payload.length);
    end += 4;
  }
  for (const payload of payloads) {
    bytes.set(payload, end);
    end += payload.length;
  }
  const body = at + RECORD_HEADER_BYTES;
  view.setUint32(at, MAGIC);
  view.setUint32(at + 4, end - body);
  view.setUint32(at + 8, epochOf(zxid));
  view.setUint32(at + 12, counterOf(zxid));
  view.setUint32(at + 16, payloads.length);
  view.setUint32(at + 20, durableTo);
  view.setUint32(at + 24, place.chain);
  view.setUint32(at + 28, crc32(bytes, body, end));
  view.setUint32(at + 32, file);
  const chain = headerChecksum(bytes, at, file, place.offset);
  view.setUint32(at + 36, chain);
  return { offset: start + aligned(end), chain };
}

/** Reads the header of a record that stands at `offset` of the segment `file`; undefined where there is none, or another's, or not as it was written. */
export function readHeader(bytes: Uint8Array, at: number, file: number, offset: number): Record | undefined {
  // It is asked of every place behind a tear, and most have zeros: a view of each would cost more than all the rest.
  if (at + RECORD_HEADER_BYTES > bytes.length || bytes[at] !== MAGIC >>> 24) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_HEADER_BYTES);
  if (view.getUint32(0) !== MAGIC || view.getUint32(32) !== file) return undefined;
  const chain = view.getUint32(36);
  if (chain !== headerChecksum(bytes, at, file, offset)) return undefined;
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
    bodyChecksum: view.getUint32(28),
    durableTo: view.getUint32(20),
    prev: view.getUint32(24),
    chain,
  };
}

/** Whether this is the body of the record, as it was written. */
export function isBodyOf(record: Record, body: Uint8Array): boolean {
  return body.length === record.bodyBytes && crc32(body) === record.bodyChecksum;
}

/** The txns of a record whose body has been checked: views of it. */
export function payloadsOf(record: Record, body: Uint8Array): Uint8Array[] {
  const view = new DataView(body.buffer, body.byteOffset);
  const payloads: Uint8Array[] = [];
  let at = record.count * 4;
  for (let i = 0; i < record.count; i++) {
    const length = view.getUint32(i * 4);
    payloads.push(body.subarray(at, at + length));
    at += length;
  }
  return payloads;
}

/** The last of its txns. */
export function lastZxidIn(record: Record): Zxid {
  return (record.zxid + record.count - 1) as Zxid;
}

/** Whether a txn may come next: the next counter of the same epoch, or the first of a later one. */
export function follows(last: Zxid, zxid: Zxid): boolean {
  return zxid === last + 1 ? counterOf(last) !== COUNTER_MAX : epochOf(zxid) > epochOf(last) && counterOf(zxid) === 1;
}

function headerChecksum(bytes: Uint8Array, at: number, file: number, offset: number): number {
  const place = crc32OfInt(crc32OfInt(CRC32_START, file), offset);
  return crc32Of(crc32OfBytes(place, bytes, at, at + COVERED_BYTES));
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
}
