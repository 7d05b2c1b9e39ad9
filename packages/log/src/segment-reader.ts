/** Reads a segment record by record, a part of the file at a time. */
import { DiskError, type DiskFile } from '@quorate/ports';
import { decodeNote, NOTE_BYTES, type NoteSlot } from './durable-note.js';
import { READ_BYTES } from './limits.js';
import { isBodyOf, type Place, RECORD_ALIGNMENT, RECORD_HEADER_BYTES, type Record, readHeader } from './record.js';
import { decodeSegmentHeader, noteOffset, SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-header.js';
import { type Steps, wait } from './steps.js';

export interface Read {
  readonly record: Record;
  readonly body: Uint8Array;
}

const NOTHING = new Uint8Array(0);

export class SegmentReader {
  readonly #file: DiskFile;
  readonly #id: number;
  #buffer: Uint8Array = NOTHING;
  #bufferAt = 0;
  /** The device could not read something. No crash does that. */
  #failed = false;

  constructor(file: DiskFile, id: number) {
    this.#file = file;
    this.#id = id;
  }

  /** Undefined where the file does not begin as this segment. */
  *header(): Steps<SegmentHeader | undefined> {
    const header = decodeSegmentHeader(yield* this.#bytes(0, SEGMENT_HEADER_BYTES));
    return header?.id === this.#id ? header : undefined;
  }

  /** How far the segment was safe, as the later of its notes tells; undefined where there is none. */
  *note(): Steps<Place | undefined> {
    const first = yield* this.#note(0);
    const second = yield* this.#note(1);
    return first === undefined || (second !== undefined && second.offset > first.offset) ? second : first;
  }

  *#note(slot: NoteSlot): Steps<Place | undefined> {
    return decodeNote(yield* this.#bytes(noteOffset(slot), NOTE_BYTES), this.#id, slot);
  }

  /** The record at a place; undefined where none is there that follows from what was before. */
  *next(place: Place): Steps<Read | undefined> {
    const head = this.#held(place.offset, RECORD_HEADER_BYTES) ?? (yield* this.#bytes(place.offset, RECORD_HEADER_BYTES));
    const record = readHeader(head, 0, this.#id, place.offset);
    if (record === undefined || record.prev !== place.chain) return undefined;
    const at = place.offset + RECORD_HEADER_BYTES;
    const body = this.#held(at, record.bodyBytes) ?? (yield* this.#bytes(at, record.bodyBytes));
    return isBodyOf(record, body) ? { record, body } : undefined;
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
