/** The segment at the end of the log, which grows. */
import type { DiskFile } from '@quorate/ports';
import type { Zxid } from '@quorate/protocol';
import { lastZxidOf, type Run } from '@quorate/zab';
import { encodeNote, type NoteSlot } from './durable-note.js';
import { BATCH_BYTES_MAX, RECORD_BYTES_MAX } from './limits.js';
import { type Place, recordBytes, writeRecord } from './record.js';
import { Segment } from './segment.js';
import { encodeSegmentHeader, noteOffset, SEGMENT_HEAD_BYTES } from './segment-header.js';
import type { SegmentFile } from './spare-segment.js';
import { type Steps, wait } from './steps.js';

/** Runs as they will stand in a segment: cut into records, so that they can be read a part at a time. */
export interface Batch {
  readonly records: readonly Run[];
  readonly bytes: number;
}

/** @param runs at least one. */
export function batchOf(runs: readonly Run[]): Batch {
  const records = runs.flatMap(cut);
  return { records, bytes: records.reduce((bytes, { payloads }) => bytes + recordBytes(payloads), 0) };
}

export class SegmentWriter {
  readonly segment: Segment;
  readonly #file: DiskFile;
  readonly #reserved: number;
  /** What the last note said. */
  #notedTo: number;
  #nextNote: NoteSlot = 0;

  private constructor({ id, file, reserved }: SegmentFile, base: Zxid) {
    this.#file = file;
    this.#reserved = reserved;
    this.segment = new Segment(id, base);
    this.#notedTo = this.segment.end.offset;
  }

  /** Makes a segment of a file, and flushes it. It counts once a manifest names it. */
  static *begin(made: SegmentFile, base: Zxid): Steps<SegmentWriter> {
    const { id, file, reserved } = made;
    yield* wait<void>((done) => file.write(0, encodeSegmentHeader({ id, base, reserved }), done));
    yield* wait<void>((done) => file.flush(done));
    return new SegmentWriter(made, base);
  }

  /** How long a segment must be for this to fit in. */
  static roomFor({ bytes }: Batch): number {
    return SEGMENT_HEAD_BYTES + bytes;
  }

  /** Whether this fits into what has been reserved. */
  hasRoomFor({ bytes }: Batch): boolean {
    return this.segment.end.offset + bytes <= this.#reserved;
  }

  /** Writes what follows the end, in one array, and flushes. */
  *append({ records, bytes: length }: Batch): Steps<void> {
    const { segment } = this;
    const start = segment.end.offset;
    const bytes = new Uint8Array(length);
    let place: Place = segment.end;
    let last = segment.end.zxid;
    for (const { zxid, payloads } of records) {
      segment.pass({ ...place, zxid: last });
      last = lastZxidOf({ zxid, payloads });
      place = writeRecord(bytes, start, segment.id, place, { zxid, payloads, durableTo: start });
    }
    yield* wait<void>((done) => this.#file.write(start, bytes, done));
    yield* wait<void>((done) => this.#file.flush(done));
    segment.end = { ...place, zxid: last };
  }

  /** Writes down that everything so far is safe, unless that is written already. It is not flushed; until the next flush, the loss of power may take it. */
  *note(): Steps<void> {
    const { id, end } = this.segment;
    if (this.#notedTo === end.offset) return;
    this.#notedTo = end.offset;
    const slot = this.#nextNote;
    this.#nextNote = slot === 0 ? 1 : 0;
    yield* wait<void>((done) => this.#file.write(noteOffset(slot), encodeNote(end, id, slot), done));
  }

  close(): void {
    this.#file.close();
  }
}

/** The same in batches of `BATCH_BYTES_MAX`, or of one record. */
export function* partsOf({ records }: Batch): Iterable<Batch> {
  let part: Run[] = [];
  let bytes = 0;
  for (const record of records) {
    const length = recordBytes(record.payloads);
    if (bytes + length > BATCH_BYTES_MAX && bytes > 0) {
      yield { records: part, bytes };
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += length;
  }
  if (bytes > 0) yield { records: part, bytes };
}

function cut({ zxid, payloads }: Run): Run[] {
  const records: Run[] = [];
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < payloads.length; i++) {
    const { length } = payloads[i] as Uint8Array;
    if (i > from && bytes + length > RECORD_BYTES_MAX) {
      records.push({ zxid: (zxid + from) as Zxid, payloads: payloads.slice(from, i) });
      from = i;
      bytes = 0;
    }
    bytes += length + 4;
  }
  records.push({ zxid: (zxid + from) as Zxid, payloads: from === 0 ? payloads : payloads.slice(from) });
  return records;
}
