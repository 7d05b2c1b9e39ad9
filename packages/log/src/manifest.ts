/**
 * What a store consists of: the epochs and the mark, and of all files those that count. Whatever changes more than one file is done by a new manifest: before it
 * is written nothing has changed, and once it is, everything has.
 */
import { crc32, isProtocolError, type JuteReader, JuteWriter, JuteReader as Reader, type Zxid } from '@quorate/protocol';
import type { Mark } from '@quorate/zab';
import { MANIFEST_BYTES_MAX } from './limits.js';

export interface Manifest {
  /** Grows with every writing; of two copies the greater is the newer. */
  readonly generation: number;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  readonly mark: Mark | undefined;
  /** A manifest was lost, and this one tells nothing of the history that there was; until a new history has been begun. */
  readonly historyLost: boolean;
  /** Oldest first. The files have been flushed and read back. */
  readonly snapshots: readonly SnapshotEntry[];
  /** Oldest first, each beginning where the one before ends. */
  readonly segments: readonly SegmentEntry[];
}

export interface SnapshotEntry {
  readonly id: number;
  readonly zxid: Zxid;
}

export interface SegmentEntry {
  readonly id: number;
  /** The last txn before those of this segment. */
  readonly base: Zxid;
  /** Undefined for the last one, as long as it grows: then the file tells where it ends. */
  readonly end: SegmentEnd | undefined;
}

/** Where a segment ends, whatever the file may have behind it. */
export interface SegmentEnd {
  readonly offset: number;
  /** That of the segment's txns up to `zxid`. */
  readonly chain: number;
  /** The last txn that counts: later ones of the last record have been cut off. */
  readonly zxid: Zxid;
}

export const EMPTY_MANIFEST: Manifest = {
  generation: 0,
  acceptedEpoch: 0,
  currentEpoch: 0,
  mark: undefined,
  historyLost: false,
  snapshots: [],
  segments: [],
};

const MAGIC = 0x514d_414e;
const VERSION = 2;
/** Magic, version, which copy it is, and the length of everything. */
const HEAD_BYTES = 16;
/** What an entry takes: a snapshot, and a segment without its end. */
const SNAPSHOT_BYTES = 12;
const SEGMENT_BYTES_MIN = 13;

/**
 * The bytes of one copy: head, content, checksum.
 *
 * @throws RangeError where there is more to tell than `MANIFEST_BYTES_MAX`.
 */
export function encodeManifest(manifest: Manifest, copy: number): Uint8Array {
  const content = new JuteWriter();
  content.longNumber(manifest.generation);
  content.int(manifest.acceptedEpoch);
  content.int(manifest.currentEpoch);
  content.nullableString(manifest.mark?.ensembleId ?? null);
  content.bool(manifest.historyLost);
  content.int(manifest.snapshots.length);
  for (const { id, zxid } of manifest.snapshots) {
    content.int(id);
    content.zxid(zxid);
  }
  content.int(manifest.segments.length);
  for (const segment of manifest.segments) writeSegment(content, segment);

  const bytes = new JuteWriter();
  bytes.int(MAGIC);
  bytes.int(VERSION);
  bytes.int(copy);
  bytes.int(HEAD_BYTES + content.length + 4);
  bytes.raw(content.finish());
  if (bytes.length + 4 > MANIFEST_BYTES_MAX)
    throw new RangeError(`a manifest has at most ${MANIFEST_BYTES_MAX} bytes: too many segments are kept`);
  const checked = bytes.finish();
  bytes.raw(checked);
  bytes.int(crc32(checked));
  return bytes.finish();
}

function writeSegment(writer: JuteWriter, { id, base, end }: SegmentEntry): void {
  writer.int(id);
  writer.zxid(base);
  writer.bool(end !== undefined);
  if (end === undefined) return;
  writer.int(end.offset);
  writer.int(end.chain);
  writer.zxid(end.zxid);
}

/**
 * Reads one copy; what stands behind it in the file is left over from a longer one. Undefined for what is no manifest, not whole, or the other copy.
 *
 * @throws RangeError for a manifest of a version that this program does not know.
 */
export function decodeManifest(bytes: Uint8Array, copy: number): Manifest | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const head = new Reader(bytes);
  const [magic, version, copyRead, length] = [head.int(), head.int(), head.int(), head.int()];
  if (magic !== MAGIC || copyRead !== copy || length < HEAD_BYTES + 4 || length > bytes.length) return undefined;
  if (new Reader(bytes, length - 4).int() !== (crc32(bytes, 0, length - 4) | 0)) return undefined;
  if (version !== VERSION) throw new RangeError(`this store is of version ${version}, and this program knows version ${VERSION} alone`);
  try {
    return readManifest(new Reader(bytes, HEAD_BYTES, length - 4));
  } catch (error) {
    // A checksum that fits by chance makes no manifest of it.
    if (!isProtocolError(error)) throw error;
    return undefined;
  }
}

function readManifest(reader: JuteReader): Manifest {
  const generation = reader.longNumber();
  const acceptedEpoch = reader.int();
  const currentEpoch = reader.int();
  const ensembleId = reader.nullableString();
  const historyLost = reader.bool();
  const snapshots = reader.vector(readSnapshot, SNAPSHOT_BYTES);
  const segments = reader.vector(readSegment, SEGMENT_BYTES_MIN);
  const mark = ensembleId === null ? undefined : { ensembleId };
  return { generation, acceptedEpoch, currentEpoch, mark, historyLost, snapshots, segments };
}

function readSnapshot(reader: JuteReader): SnapshotEntry {
  return { id: reader.int(), zxid: reader.zxid() };
}

function readSegment(reader: JuteReader): SegmentEntry {
  const id = reader.int();
  const base = reader.zxid();
  if (!reader.bool()) return { id, base, end: undefined };
  return { id, base, end: { offset: reader.int() >>> 0, chain: reader.int() >>> 0, zxid: reader.zxid() } };
}
