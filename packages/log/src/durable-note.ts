/**
 * How far a segment is safe, written down without a flush of its own when the log comes to rest: without it a record that rots at the end of the log would look like
 * one that a crash has torn.
 *
 * A segment has two places for notes, which take turns, so that a crash while one is written leaves the one before. Each is alone in its sector: what takes the last
 * records with it, or a note, does not take both.
 */
import { counterOf, crc32, EPOCH_MAX, epochOf, makeZxid } from '@quorate/protocol';
import type { SegmentEnd } from './manifest.js';

/** Of a note's place in the head of a segment. */
export type NoteSlot = 0 | 1;

export const NOTE_BYTES = 32;

const MAGIC = 0x514e_4f54;

/** @param end everything before it is safe. */
export function encodeNote({ offset, chain, zxid }: SegmentEnd, file: number, slot: NoteSlot): Uint8Array {
  const bytes = new Uint8Array(NOTE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, file);
  view.setUint32(8, slot);
  view.setUint32(12, offset);
  view.setUint32(16, chain);
  view.setUint32(20, epochOf(zxid));
  view.setUint32(24, counterOf(zxid));
  view.setUint32(28, crc32(bytes, 0, 28));
  return bytes;
}

/** Undefined for what is no note, or another's, or not as it was written. */
export function decodeNote(bytes: Uint8Array, file: number, slot: NoteSlot): SegmentEnd | undefined {
  if (bytes.length < NOTE_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(0) !== MAGIC || view.getUint32(4) !== file || view.getUint32(8) !== slot) return undefined;
  const epoch = view.getUint32(20);
  if (view.getUint32(28) !== crc32(bytes, 0, 28) || epoch > EPOCH_MAX) return undefined;
  return { offset: view.getUint32(12), chain: view.getUint32(16), zxid: makeZxid(epoch, view.getUint32(24)) };
}
