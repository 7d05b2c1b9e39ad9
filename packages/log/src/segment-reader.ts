/** Reads a segment record by record, a part of the file at a time. */
import { DiskError, type DiskFile } from '@quorate/ports';
import { decodeNote, NOTE_BYTES, type NoteSlot } from './durable-note.js';
import { READ_BYTES } from './limits.js';
import type { SegmentEnd } from './manifest.js';
import {
  chainThrough,
  lastZxidIn,
  type Place,
  payloadsOf,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  type Record,
  readHeader,
} from './record.js';
import { decodeSegmentHeader, noteOffset, SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-header.js';
import { type Steps, wait } from './steps.js';

export interface Read {
  readonly record: Record;
  readonly payloads: readonly Uint8Array[];
}

/** How much is looked through for headers at a time, in bytes: what a device loses as a whole. */
const SCAN_BYTES = 4096;

const NOTHING = new Uint8Array(0);

/** The place behind a record, or the end of the segment, where a truncation has left less of it. */
export function behind({ record, payloads }: Read, end?: SegmentEnd): SegmentEnd {
  const last = lastZxidIn(record);
  if (end?.offset !== record.end || end.zxid >= last) return { offset: record.end, chain: record.chain, zxid: last };
  return { offset: record.end, chain: chainThrough(record, payloads, end.zxid), zxid: end.zxid };
}

export class SegmentReader {
  readonly #file: DiskFile;
  readonly #id: number;
  #buffer: Uint8Array = NOTHING;
  #bufferAt = 0;
  #failed = false;

  constructor(file: DiskFile, id: number) {
    this.#file = file;
    this.#id = id;
  }

  /** Whether the device could not read something. No crash does that. */
  get hasFailed(): boolean {
    return this.#failed;
  }

  /** Undefined where the file does not begin as this segment. */
  *header(): Steps<SegmentHeader | undefined> {
    const header = decodeSegmentHeader(yield* this.#bytes(0, SEGMENT_HEADER_BYTES));
    return header?.id === this.#id ? header : undefined;
  }

  /** How far the segment was safe, as the later of its notes tells; undefined where there is none. */
  *note(): Steps<SegmentEnd | undefined> {
    const first = yield* this.#note(0);
    const second = yield* this.#note(1);
    return first === undefined || (second !== undefined && second.offset > first.offset) ? second : first;
  }

  *#note(slot: NoteSlot): Steps<SegmentEnd | undefined> {
    return decodeNote(yield* this.#bytes(noteOffset(slot), NOTE_BYTES), this.#id, slot);
  }

  /** The record at a place; undefined where none is there that follows from what was before. */
  *next(place: Place): Steps<Read | undefined> {
    const head = this.#held(place.offset, RECORD_HEADER_BYTES) ?? (yield* this.#bytes(place.offset, RECORD_HEADER_BYTES));
    const record = readHeader(head, 0, this.#id, place.offset);
    if (record === undefined || record.prev !== place.chain) return undefined;
    const at = place.offset + RECORD_HEADER_BYTES;
    const body = this.#held(at, record.bodyBytes) ?? (yield* this.#bytes(at, record.bodyBytes));
    const payloads = payloadsOf(record, body);
    return payloads === undefined ? undefined : { record, payloads };
  }

  /**
   * Whether what is unreadable at `offset` has been whole once. A crash leaves nothing behind that would say so: it spoils only what had not been flushed, and
   * no record can tell of a flush that has not been.
   */
  *wasDurable(offset: number): Steps<boolean> {
    for (let at = offset + RECORD_ALIGNMENT; ; ) {
      const bytes = yield* this.#bytes(at, READ_BYTES);
      if (this.#failed) return true;
      const last = bytes.length - RECORD_HEADER_BYTES;
      for (let i = 0; i <= last; i += RECORD_ALIGNMENT) {
        const record = readHeader(bytes, i, this.#id, at + i);
        if (record !== undefined && record.durableTo > offset) return true;
      }
      if (bytes.length < READ_BYTES) return false;
      at += READ_BYTES - RECORD_HEADER_BYTES;
    }
  }

  /** Every header between two places that is as it was written, whatever stands before it. */
  *headers(from: number, to: number): Steps<Record[]> {
    const headers: Record[] = [];
    for (let at = from; at < to; at += SCAN_BYTES) {
      let bytes = yield* this.#bytes(at, SCAN_BYTES + RECORD_HEADER_BYTES - RECORD_ALIGNMENT);
      // The device may fail behind it.
      if (bytes.length === 0) bytes = yield* this.#bytes(at, SCAN_BYTES);
      const last = Math.min(SCAN_BYTES, to - at, bytes.length - RECORD_HEADER_BYTES + 1);
      for (let i = 0; i < last; i += RECORD_ALIGNMENT) {
        const record = readHeader(bytes, i, this.#id, at + i);
        if (record !== undefined) headers.push(record);
      }
    }
    return headers;
  }

  #held(offset: number, length: number): Uint8Array | undefined {
    const at = offset - this.#bufferAt;
    return at >= 0 && at + length <= this.#buffer.length ? this.#buffer.subarray(at, at + length) : undefined;
  }

  /** Fewer where the file ends, none where the device fails. */
  *#bytes(offset: number, length: number): Steps<Uint8Array> {
    const held = this.#held(offset, length);
    if (held !== undefined) return held;
    // One bad sector makes a long read fail as a whole.
    for (const wanted of length < READ_BYTES ? [READ_BYTES, length] : [length]) {
      try {
        this.#buffer = yield* wait<Uint8Array>((done) => this.#file.read(offset, wanted, done));
        this.#bufferAt = offset;
        return this.#buffer.subarray(0, length);
      } catch (error) {
        if (!(error instanceof DiskError && error.code === 'IO')) throw error;
      }
    }
    this.#failed = true;
    return NOTHING;
  }
}
