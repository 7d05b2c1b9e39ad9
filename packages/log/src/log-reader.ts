/** Reads entries from the middle of the log, for a learner. */
import { type Disk, DiskError, type DiskFile } from '@quorate/ports';
import type { Zxid } from '@quorate/protocol';
import type { Run } from '@quorate/zab';
import { fileName } from './file-names.js';
import { lastZxidIn, type Place } from './record.js';
import { type Segment, segmentAfter } from './segment.js';
import { behind, SegmentReader } from './segment-reader.js';
import { type Steps, wait } from './steps.js';

export interface LogRange {
  readonly after: Zxid;
  readonly through: Zxid;
  /** Of payload; the first entry may be larger. */
  readonly bytesMax: number;
}

/** What has been read so far of a range. */
interface Progress {
  /** The last entry that was read, or at first what the entries come after. */
  at: Zxid;
  readonly runs: Run[];
  bytes: number;
}

/** The entries above a place, oldest first; undefined where the log does not have the place, or cannot be read there. */
export function* readLog(disk: Disk, segments: readonly Segment[], range: LogRange): Steps<readonly Run[] | undefined> {
  const { after, through, bytesMax } = range;
  if (after === through) return [];
  const first = segmentAfter(segments, after);
  if (first === -1 || after > through) return undefined;
  const progress: Progress = { at: after, runs: [], bytes: 0 };
  for (const segment of segments.slice(first)) {
    // The last entry of a segment is the base of the next.
    if (segment.end.zxid === progress.at) continue;
    if (!(yield* readSegment(disk, segment, range, progress))) break;
    if (progress.at >= through || progress.bytes >= bytesMax) break;
  }
  return progress.runs.length > 0 ? progress.runs : undefined;
}

/** False where the place is not there, or not readable. */
function* readSegment(disk: Disk, segment: Segment, range: LogRange, progress: Progress): Steps<boolean> {
  let file: DiskFile | undefined;
  try {
    file = yield* wait<DiskFile>((done) => disk.open(fileName('segment', segment.id), done));
    return yield* readRecords(new SegmentReader(file, segment.id), segment, range, progress);
  } catch (error) {
    // It has been purged since, because a newer snapshot covers it.
    if (error instanceof DiskError && error.code === 'NOT_FOUND') return false;
    throw error;
  } finally {
    file?.close();
  }
}

function* readRecords(reader: SegmentReader, segment: Segment, { through, bytesMax }: LogRange, progress: Progress): Steps<boolean> {
  const { end } = segment;
  const landmark = segment.landmarkBefore(progress.at);
  let place: Place = landmark;
  let previous = landmark.zxid;
  while (place.offset < end.offset && progress.at < through && progress.bytes < bytesMax) {
    const read = yield* reader.next(place);
    if (read === undefined) return false;
    const { record, payloads } = read;
    segment.pass({ ...place, zxid: previous });
    place = { offset: record.end, chain: record.chain };
    const last = Math.min(lastZxidIn(record), end.zxid, through) as Zxid;
    // Between the epochs there are numbers that no entry has.
    if (progress.at < record.zxid && progress.at !== previous) return false;
    if (last > progress.at) take({ zxid: record.zxid, payloads }, last, bytesMax, progress);
    previous = lastZxidIn(record);
  }
  return true;
}

/** Takes what is above the progress, through `last`, as far as there is room. */
function take(run: Run, last: Zxid, bytesMax: number, progress: Progress): void {
  const from = Math.max(0, progress.at + 1 - run.zxid);
  let to = from;
  while (to <= last - run.zxid) {
    const { length } = run.payloads[to] as Uint8Array;
    if (progress.bytes + length > bytesMax && (to > from || progress.runs.length > 0)) {
      progress.bytes = bytesMax;
      break;
    }
    progress.bytes += length;
    to++;
  }
  if (to === from) return;
  progress.runs.push({ zxid: (run.zxid + from) as Zxid, payloads: run.payloads.slice(from, to) });
  progress.at = (run.zxid + to - 1) as Zxid;
}

/**
 * The same segment, ending with the entry `zxid`, which it has.
 *
 * @throws DiskError where it cannot be read up to there.
 */
export function* cutSegment(disk: Disk, segment: Segment, zxid: Zxid): Steps<Segment> {
  const name = fileName('segment', segment.id);
  const file = yield* wait<DiskFile>((done) => disk.open(name, done));
  try {
    const reader = new SegmentReader(file, segment.id);
    for (let place: Place = segment.landmarkBefore((zxid - 1) as Zxid); ; ) {
      const read = yield* reader.next(place);
      if (read === undefined) throw new DiskError('IO', `${name} at byte ${place.offset}: a record cannot be read`, { file: name });
      place = behind(read);
      if (lastZxidIn(read.record) >= zxid) return segment.cut(behind(read, { ...place, zxid }));
    }
  } finally {
    file.close();
  }
}
