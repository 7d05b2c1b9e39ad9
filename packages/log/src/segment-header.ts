/** How a segment begins: what it is, which one, and how long it was made; a sector for each of its notes; then the records. */
import { counterOf, crc32, EPOCH_MAX, epochOf, makeZxid, type Zxid } from '@quorate/protocol';
import type { NoteSlot } from './durable-note.js';
import type { Place } from './record.js';

export interface SegmentHeader {
  readonly id: number;
  /** The last txn before those of this segment. */
  readonly base: Zxid;
  /** How long the file was made before anything was written to it. It is never shorter again. */
  readonly reserved: number;
}

export const SEGMENT_HEADER_BYTES = 32;

/** What a device loses as a whole, in bytes, if it is not less. */
const SECTOR_BYTES = 4096;

/** Where the records begin, in bytes. */
export const SEGMENT_HEAD_BYTES = 3 * SECTOR_BYTES;

const MAGIC = 0x5153_4547;
const VERSION = 2;

export function encodeSegmentHeader({ id, base, reserved }: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, VERSION);
  view.setUint32(8, id);
  view.setUint32(12, epochOf(base));
  view.setUint32(16, counterOf(base));
  view.setUint32(20, reserved);
  view.setUint32(28, crc32(bytes, 0, 28));
  return bytes;
}

/** Undefined for what is no such header, or not as it was written. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(0) !== MAGIC || view.getUint32(4) !== VERSION || view.getUint32(28) !== crc32(bytes, 0, 28)) return undefined;
  const epoch = view.getUint32(12);
  if (epoch > EPOCH_MAX) return undefined;
  return { id: view.getUint32(8), base: makeZxid(epoch, view.getUint32(16)), reserved: view.getUint32(20) };
}

/** Where the first record stands. The chain of a segment begins with the number of its file. */
export function beginningOf(id: number): Place {
  return { offset: SEGMENT_HEAD_BYTES, chain: id };
}

/** Where a note stands. */
export function noteOffset(slot: NoteSlot): number {
  return (1 + slot) * SECTOR_BYTES;
}
