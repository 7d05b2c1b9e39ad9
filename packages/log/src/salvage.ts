/**
 * What of a log can be read behind its damage, and what is known of each gap: between which txns it lies, and their chains on both sides. Whoever brings what stood in all
 * gaps makes the log whole again, and can prove it.
 *
 * Behind a gap the log goes on at the next header that is as it was written, which tells the chain before itself. Where there is none, the manifest tells how a closed segment
 * ends, and a note how far the last one was safe.
 */
import { type Disk, DiskError, type DiskFile } from '@quorate/ports';
import type { Zxid } from '@quorate/protocol';
import type { Gap, Salvage } from '@quorate/zab';
import { fileName } from './file-names.js';
import type { SegmentEnd, SegmentEntry } from './manifest.js';
import type { Record } from './record.js';
import { RunGatherer } from './run-gatherer.js';
import { Segment } from './segment.js';
import { behind, SegmentReader } from './segment-reader.js';
import { type Steps, wait } from './steps.js';

/**
 * @param entries the segments from the one with the damage on.
 * @param from where the damage begins in the first of them.
 * @param above the snapshot below the log: what it covers is not needed.
 * @returns undefined where what is there contradicts itself, or does not tell how much there was.
 */
export function* salvage(
  disk: Disk,
  entries: readonly SegmentEntry[],
  { from, above }: { readonly from: SegmentEnd; readonly above: Zxid },
): Steps<Salvage | undefined> {
  const salvager = new Salvager(disk, above);
  for (const [i, entry] of entries.entries()) {
    const start = i === 0 ? from : new Segment(entry.id, entry.base).end;
    if (!(yield* salvager.read(entry, start))) return undefined;
  }
  const { gaps, runs, endIsKnown } = salvager;
  return { gaps: gaps.filter(({ before }) => before > above + 1), runs, endIsKnown };
}

/** The last segment, as far as it tells of its end. */
interface OpenSegment {
  readonly reader: SegmentReader;
  readonly size: number;
  /** How far it was safe at least, as its note tells. */
  readonly note: SegmentEnd | undefined;
}

class Salvager {
  readonly #disk: Disk;
  readonly #gathered: RunGatherer;
  readonly gaps: Gap[] = [];
  /** Of the segment that was read last. */
  endIsKnown = true;

  constructor(disk: Disk, above: Zxid) {
    this.#disk = disk;
    this.#gathered = new RunGatherer(above);
  }

  get runs(): Salvage['runs'] {
    return this.#gathered.runs;
  }

  /** False where a segment does not tell what it has lost. */
  *read(entry: SegmentEntry, start: SegmentEnd): Steps<boolean> {
    let file: DiskFile | undefined;
    try {
      file = yield* wait<DiskFile>((done) => this.#disk.open(fileName('segment', entry.id), done));
      const reader = new SegmentReader(file, entry.id);
      const size = yield* wait<number>((done) => (file as DiskFile).size(done));
      const { end } = entry;
      return yield* end === undefined
        ? this.#readOpen({ reader, size, note: yield* reader.note() }, start)
        : this.#readClosed(reader, start, end);
    } catch (error) {
      if (!(error instanceof DiskError && (error.code === 'NOT_FOUND' || error.code === 'IO'))) throw error;
      return entry.end !== undefined && this.#gap(start, entry.end) !== undefined;
    } finally {
      file?.close();
    }
  }

  *#readClosed(reader: SegmentReader, start: SegmentEnd, end: SegmentEnd): Steps<boolean> {
    const headers = yield* reader.headers(start.offset, end.offset);
    let at: SegmentEnd | undefined = start;
    while (at !== undefined && at.offset < end.offset) {
      const next: SegmentEnd | undefined = yield* this.#take(reader, at, end);
      at = next ?? this.#gap(at, (yield* this.#nextOf(reader, headers, at.offset, end.offset)) ?? end);
    }
    return at?.offset === end.offset && at.chain === end.chain;
  }

  *#readOpen({ reader, size, note }: OpenSegment, start: SegmentEnd): Steps<boolean> {
    const headers = yield* reader.headers(start.offset, size);
    const safeTo = headers.reduce((most, { durableTo }) => Math.max(most, durableTo), note?.offset ?? 0);
    let at: SegmentEnd | undefined = start;
    this.endIsKnown = false;
    while (at !== undefined) {
      if (note?.offset === at.offset && note.chain !== at.chain) return false;
      const next: SegmentEnd | undefined = yield* this.#take(reader, at);
      // What a crash has torn ends the log.
      if (next === undefined && at.offset >= safeTo) break;
      // At rest the note stands at the end of a record that can be read; where it speaks for what cannot, more may have been lost with it.
      this.endIsKnown = next !== undefined && next.offset === note?.offset;
      at = next ?? this.#gap(at, (yield* this.#nextOf(reader, headers, at.offset, safeTo)) ?? note);
    }
    const header = yield* reader.header();
    this.endIsKnown &&= header !== undefined && size >= header.reserved && !reader.hasFailed;
    return at !== undefined;
  }

  /** Takes the record at a place; undefined where none can be read. */
  *#take(reader: SegmentReader, at: SegmentEnd, end?: SegmentEnd): Steps<SegmentEnd | undefined> {
    const read = yield* reader.next(at);
    if (read === undefined || read.record.zxid <= at.zxid) return undefined;
    const place = behind(read, end);
    this.#gathered.take(read, place.zxid);
    return place;
  }

  /** Where the log goes on behind a place: at a record that can be read, or at one that need not have been safe. */
  *#nextOf(reader: SegmentReader, headers: readonly Record[], offset: number, safeTo: number): Steps<SegmentEnd | undefined> {
    for (const header of headers) {
      if (header.offset <= offset) continue;
      const place = { offset: header.offset, chain: header.prev, zxid: (header.zxid - 1) as Zxid };
      if (header.offset >= safeTo || (yield* reader.next(place)) !== undefined) return place;
    }
    return undefined;
  }

  /** Notes a gap between two places, and goes on behind it; undefined where nothing can have been in it. */
  #gap(from: SegmentEnd, to: SegmentEnd | undefined): SegmentEnd | undefined {
    if (to === undefined || to.zxid <= from.zxid) return undefined;
    this.gaps.push({ after: from.zxid, before: (to.zxid + 1) as Zxid, chain: from.chain, proof: to.chain });
    return to;
  }
}
