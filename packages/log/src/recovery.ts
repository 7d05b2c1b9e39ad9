/**
 * What a store holds, read without changing anything, and whether all of it is there.
 *
 * Everything but the end of the last segment had been flushed before the manifest named it or its end. So whatever is unreadable there is damage. At the end of the last
 * segment a crash may have torn what was not flushed yet: that is cut off, unless something behind it proves that it had been whole.
 */
import { type Disk, DiskError, type DiskFile } from '@quorate/ports';
import { formatZxid, type Zxid } from '@quorate/protocol';
import { follows, type Run, type Salvage, type StoredImage } from '@quorate/zab';
import { fileName, MANIFEST_NAMES, parseFileName } from './file-names.js';
import { EMPTY_MANIFEST, type Manifest, type SegmentEntry, type SnapshotEntry } from './manifest.js';
import type { ManifestStore } from './manifest-store.js';
import { RunGatherer } from './run-gatherer.js';
import { salvage } from './salvage.js';
import { Segment, segmentAfter } from './segment.js';
import { behind, SegmentReader } from './segment-reader.js';
import { readSnapshot } from './snapshot-file.js';
import { type Steps, wait } from './steps.js';

/** Something that cannot be read although it was safe once, and where. */
export interface Damage {
  readonly file: string;
  /** In bytes from its beginning. */
  readonly offset: number;
  readonly reason: string;
}

export interface Recovered {
  readonly image: StoredImage;
  /** What stands in the way of the whole history; then `image` is the part below it. */
  readonly damage: Damage | undefined;
  /** What cannot be read and is not needed, because something else tells the same. */
  readonly spared: readonly Damage[];
  readonly isNew: boolean;
  readonly manifest: Manifest;
  /** The history that can be read, as it may be continued. */
  readonly segments: readonly Segment[];
  readonly snapshots: readonly SnapshotEntry[];
  /** Files that count for nothing. */
  readonly garbage: readonly string[];
  readonly nextId: number;
}

export function* recover(disk: Disk, store: ManifestStore): Steps<Recovered> {
  const names = yield* wait<readonly string[]>((done) => disk.list(done));
  const { newest, files } = yield* store.read();
  const numbered = names.flatMap((name) => parseFileName(name) ?? []);
  // A store's first crash may leave a copy that is not whole, and nothing else.
  const isNew = newest === undefined && files < MANIFEST_NAMES.length && numbered.length === 0;
  const manifest = newest ?? { ...EMPTY_MANIFEST, historyLost: !isNew };
  store.assume(manifest);
  const history = yield* readHistory(disk, manifest);
  const ids = [...manifest.segments, ...manifest.snapshots].map(({ id }) => id);
  const { acceptedEpoch, currentEpoch, mark } = manifest;
  const { snapshot, runs, damage, salvaged } = history;
  return {
    ...history,
    image: {
      ...{ acceptedEpoch, currentEpoch, snapshot, runs, mark },
      ...(damage !== undefined && { damage: describeDamage(damage) }),
      ...(salvaged !== undefined && { salvage: salvaged }),
    },
    isNew,
    manifest,
    garbage: numbered.filter(({ id }) => !ids.includes(id)).map(({ kind, id }) => fileName(kind, id)),
    nextId: 1 + Math.max(0, ...ids, ...numbered.map(({ id }) => id)),
  };
}

/** In words, with the place. */
export function describeDamage({ file, offset, reason }: Damage): string {
  return `${file} at byte ${offset}: ${reason}`;
}

interface History extends Pick<Recovered, 'damage' | 'spared' | 'segments' | 'snapshots'> {
  readonly snapshot: StoredImage['snapshot'];
  readonly runs: readonly Run[];
  readonly salvaged?: Salvage | undefined;
}

const NO_HISTORY = { snapshot: undefined, runs: [], segments: [], snapshots: [], spared: [] };

function* readHistory(disk: Disk, manifest: Manifest): Steps<History> {
  if (manifest.historyLost)
    return { ...NO_HISTORY, damage: { file: MANIFEST_NAMES[0], offset: 0, reason: 'neither copy of the manifest can be read' } };
  const spared: Damage[] = [];
  let snapshot: StoredImage['snapshot'];
  let kept = manifest.snapshots.length;
  while (kept > 0 && snapshot === undefined) {
    const entry = manifest.snapshots[--kept] as SnapshotEntry;
    const pieces = yield* readSnapshot(disk, entry);
    if (pieces !== undefined) snapshot = { zxid: entry.zxid, pieces };
    else
      spared.push({ file: fileName('snapshot', entry.id), offset: 0, reason: `the snapshot of ${formatZxid(entry.zxid)} cannot be read` });
  }
  const from = snapshot?.zxid ?? (0 as Zxid);
  const snapshots = snapshot === undefined ? [] : manifest.snapshots.slice(0, kept + 1);
  const first = segmentAfter(
    manifest.segments.map(({ id, base }) => new Segment(id, base)),
    from,
  );
  // The log begins above what is left of the snapshots.
  if (first === -1 && (manifest.segments.length > 0 || spared.length > 0)) {
    const hole = { file: MANIFEST_NAMES[0], offset: 0, reason: `the log does not reach back to ${formatZxid(from)}` };
    return { ...NO_HISTORY, snapshot, snapshots, damage: spared[0] ?? hole };
  }
  const log = new LogScan(disk, from);
  const damage = yield* log.read(manifest.segments, first);
  const damaged = log.segments[log.segments.length - 1];
  const salvaged =
    damage === undefined || damaged === undefined
      ? undefined
      : yield* salvage(disk, manifest.segments.slice(log.segments.length - 1), { from: damaged.end, above: from });
  // A log that cannot be read up to its snapshot is begun anew at it.
  const segments = log.lastZxid < from ? [] : log.segments.filter(({ isEmpty }) => damage === undefined || !isEmpty);
  return { snapshot, runs: log.runs, snapshots, segments, spared, damage, salvaged };
}

/** Reads the segments in their order, and gathers what is above a snapshot. */
class LogScan {
  readonly #disk: Disk;
  readonly #gathered: RunGatherer;
  readonly segments: Segment[] = [];
  lastZxid = 0 as Zxid;

  constructor(disk: Disk, above: Zxid) {
    this.#disk = disk;
    this.#gathered = new RunGatherer(above);
  }

  get runs(): readonly Run[] {
    return this.#gathered.runs;
  }

  /** Ends with the segment that has the damage. @param first the segment that has what follows the snapshot; those before it are not looked into. */
  *read(entries: readonly SegmentEntry[], first: number): Steps<Damage | undefined> {
    for (const [i, entry] of entries.entries()) {
      const segment = new Segment(entry.id, entry.base, entry.end);
      this.segments.push(segment);
      this.lastZxid = segment.end.zxid;
      if (i < first) continue;
      const damage = yield* this.#readSegment(entry, segment);
      if (damage !== undefined) return damage;
    }
    return undefined;
  }

  *#readSegment(entry: SegmentEntry, segment: Segment): Steps<Damage | undefined> {
    const name = fileName('segment', entry.id);
    this.lastZxid = entry.base;
    segment.end = new Segment(entry.id, entry.base).end;
    const damaged = (reason: string): Damage => ({ file: name, offset: segment.end.offset, reason });
    let file: DiskFile | undefined;
    try {
      file = yield* wait<DiskFile>((done) => this.#disk.open(name, done));
      const reader = new SegmentReader(file, entry.id);
      const header = yield* reader.header();
      if (header === undefined || header.base !== entry.base) return damaged('the segment does not begin as it was written');
      const size = yield* wait<number>((done) => (file as DiskFile).size(done));
      if (entry.end === undefined && size < header.reserved) return damaged(`the file has ${size} bytes, and had ${header.reserved}`);
      return yield* this.#readRecords(reader, entry, segment, damaged);
    } catch (error) {
      if (error instanceof DiskError && (error.code === 'NOT_FOUND' || error.code === 'IO')) return damaged(error.message);
      throw error;
    } finally {
      file?.close();
    }
  }

  *#readRecords(
    reader: SegmentReader,
    entry: SegmentEntry,
    segment: Segment,
    damaged: (reason: string) => Damage,
  ): Steps<Damage | undefined> {
    const { end } = entry;
    const note = end === undefined ? yield* reader.note() : undefined;
    let place = segment.end;
    while (end === undefined || place.offset < end.offset) {
      const read = yield* reader.next(place);
      if (read === undefined || !follows(this.lastZxid, read.record.zxid)) {
        const wasSafe = end !== undefined || (note !== undefined && note.offset > place.offset) || (yield* reader.wasDurable(place.offset));
        if (wasSafe) return damaged('a record that was safe cannot be read');
        return undefined;
      }
      if (note?.offset === place.offset && note.chain !== place.chain) return damaged('the records are not those that were safe');
      segment.pass({ ...place, zxid: this.lastZxid });
      place = behind(read, end);
      this.lastZxid = place.zxid;
      this.#gathered.take(read, place.zxid);
      segment.end = place;
    }
    return place.offset === end.offset && place.chain === end.chain ? undefined : damaged('the segment ends otherwise than it was closed');
  }
}
