/**
 * A snapshot on the disk: a header, chunks, and a seal that says how many there are. Each chunk is bound to the file, to its place and to the chunks before it.
 */
import { type Disk, DiskError, type DiskFile } from '@quorate/ports';
import { CRC32_START, counterOf, crc32, crc32Of, crc32OfBytes, crc32OfInt, epochOf, type Zxid } from '@quorate/protocol';
import { fileName } from './file-names.js';
import { READ_BYTES, SNAPSHOT_FLUSH_BYTES } from './limits.js';
import type { SnapshotEntry } from './manifest.js';
import { type Steps, wait } from './steps.js';

const MAGIC = 0x5153_4e50;
const VERSION = 1;
const HEADER_BYTES = 24;
/** Length and checksum of a chunk; the seal has the length 0. */
const CHUNK_HEADER_BYTES = 8;
/** Pieces are cut to this, in bytes, whatever the application gives. */
const CHUNK_BYTES_MAX = 64 * 1024;

/**
 * Writes a snapshot, one piece at a time as it is taken, flushes it, and reads it back. It counts once a manifest names it.
 *
 * @throws DiskError also where it does not read as it was written.
 */
export function* writeSnapshot(disk: Disk, { id, zxid }: SnapshotEntry, pieces: Iterable<Uint8Array>): Steps<void> {
  const name = fileName('snapshot', id);
  const file = yield* wait<DiskFile>((done) => disk.create(name, done));
  yield* wait<void>((done) => file.write(0, header(id, zxid), done));
  let at = HEADER_BYTES;
  let chain = id;
  let flushed = 0;
  for (const chunk of chunksOf(pieces)) {
    const bytes = new Uint8Array(CHUNK_HEADER_BYTES + chunk.length);
    const view = new DataView(bytes.buffer);
    chain = chunkChecksum({ chain, at, chunk });
    view.setUint32(0, chunk.length);
    view.setUint32(4, chain);
    bytes.set(chunk, CHUNK_HEADER_BYTES);
    yield* wait<void>((done) => file.write(at, bytes, done));
    at += bytes.length;
    if (at - flushed < SNAPSHOT_FLUSH_BYTES) continue;
    yield* wait<void>((done) => file.flush(done));
    flushed = at;
  }
  yield* wait<void>((done) => file.flush(done));
  yield* wait<void>((done) => disk.flushDirectory(done));
  file.close();
  if (!(yield* isReadable(disk, { id, zxid }))) throw new DiskError('IO', `${name} does not read as it was written`, { file: name });
}

/** The pieces, none longer than a chunk, and an empty one at the end: the seal. */
function* chunksOf(pieces: Iterable<Uint8Array>): Iterable<Uint8Array> {
  for (const piece of pieces) for (let at = 0; at < piece.length; at += CHUNK_BYTES_MAX) yield piece.subarray(at, at + CHUNK_BYTES_MAX);
  yield new Uint8Array(0);
}

/** The pieces of a snapshot; undefined where it is not there as it was written. */
export function* readSnapshot(disk: Disk, entry: SnapshotEntry): Steps<Uint8Array[] | undefined> {
  const pieces: Uint8Array[] = [];
  return (yield* readChunks(disk, entry, (chunk) => pieces.push(chunk))) ? pieces : undefined;
}

function* isReadable(disk: Disk, entry: SnapshotEntry): Steps<boolean> {
  return yield* readChunks(disk, entry, () => {});
}

function* readChunks(disk: Disk, { id, zxid }: SnapshotEntry, onChunk: (chunk: Uint8Array) => void): Steps<boolean> {
  let file: DiskFile | undefined;
  try {
    file = yield* wait<DiskFile>((done) => disk.open(fileName('snapshot', id), done));
    return yield* readFile(file, { id, zxid }, onChunk);
  } catch (error) {
    if (error instanceof DiskError && (error.code === 'NOT_FOUND' || error.code === 'IO')) return false;
    throw error;
  } finally {
    file?.close();
  }
}

function* readFile(file: DiskFile, { id, zxid }: SnapshotEntry, onChunk: (chunk: Uint8Array) => void): Steps<boolean> {
  let buffer: Uint8Array = new Uint8Array(0);
  let bufferAt = 0;
  const held = (offset: number, length: number): Uint8Array | undefined =>
    offset + length > bufferAt + buffer.length ? undefined : buffer.subarray(offset - bufferAt, offset - bufferAt + length);
  function* bytes(offset: number, length: number): Steps<Uint8Array> {
    buffer = yield* wait<Uint8Array>((done) => file.read(offset, Math.max(READ_BYTES, length), done));
    bufferAt = offset;
    return buffer.subarray(0, length);
  }
  if (!isHeader(yield* bytes(0, HEADER_BYTES), id, zxid)) return false;
  let chain = id;
  for (let at = HEADER_BYTES; ; ) {
    const head = held(at, CHUNK_HEADER_BYTES) ?? (yield* bytes(at, CHUNK_HEADER_BYTES));
    if (head.length < CHUNK_HEADER_BYTES) return false;
    const view = new DataView(head.buffer, head.byteOffset);
    const length = view.getUint32(0);
    const checksum = view.getUint32(4);
    if (length > CHUNK_BYTES_MAX) return false;
    const chunk = held(at + CHUNK_HEADER_BYTES, length) ?? (yield* bytes(at + CHUNK_HEADER_BYTES, length));
    if (chunk.length < length || checksum !== chunkChecksum({ chain, at, chunk })) return false;
    if (length === 0) return true;
    onChunk(chunk);
    chain = checksum;
    at += CHUNK_HEADER_BYTES + length;
  }
}

function header(id: number, zxid: Zxid): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, VERSION);
  view.setUint32(8, id);
  view.setUint32(12, epochOf(zxid));
  view.setUint32(16, counterOf(zxid));
  view.setUint32(20, crc32(bytes, 0, 20));
  return bytes;
}

function isHeader(bytes: Uint8Array, id: number, zxid: Zxid): boolean {
  const expected = header(id, zxid);
  return bytes.length === expected.length && expected.every((byte, i) => byte === bytes[i]);
}

function chunkChecksum({ chain, at, chunk }: { readonly chain: number; readonly at: number; readonly chunk: Uint8Array }): number {
  const place = crc32OfInt(crc32OfInt(crc32OfInt(CRC32_START, chain), at), chunk.length);
  return crc32Of(crc32OfBytes(place, chunk));
}
