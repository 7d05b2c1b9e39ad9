/** What a server of ours finds in its own files when it starts, and what is founded on a backup. */
import { inspect, LogStorage } from '@quorate/log';
import { type Disk, DiskError, type DiskFile, MemoryDisk, VirtualClock } from '@quorate/ports';
import { CRC32_START, crc32, crc32Of, crc32OfBytes, crc32OfInt, makeZxid } from '@quorate/protocol';
import { readBackup, writeBackup } from '../../packages/node/src/backup-file.ts';
import type { FuzzTarget, Growth } from './target.ts';

const SEGMENT_BYTES = 512;
/** Of the head of a segment: the header, and a note in each of the next two sectors, 32 bytes each. */
const HEAD_PARTS = [0, 4096, 8192].map((start) => ({ start, end: start + 32 }));
const RECORDS_AT = 3 * 4096;
const RECORD_HEADER_BYTES = 40;
const SNAPSHOT_HEADER_BYTES = 24;
const CHUNK_HEADER_BYTES = 8;

const SEGMENT = 'segment-0000000001';
const SNAPSHOT = 'snapshot-0000000003';
const MANIFEST = 'manifest-a';

export function storeTargets(): readonly FuzzTarget[] {
  const files = storeFiles();
  const segment = files.get(SEGMENT) as Uint8Array;
  const backup = new Uint8Array(Buffer.concat([...writeBackup(makeZxid(1, 7), [Uint8Array.of(1, 2, 3), new Uint8Array(70)])]));
  const start = (name: string) => (bytes: Uint8Array) => recover(files, name, bytes);
  const store = { typed: isOtherVersion, share: 0.5 };
  return [
    {
      name: 'log: segment',
      corpus: [compact(segment)],
      prepare: (bytes) => {
        const whole = expanded(bytes);
        return () => recover(files, SEGMENT, whole);
      },
      seal: sealSegment,
      ...store,
    },
    {
      name: 'log: snapshot file',
      corpus: [files.get(SNAPSHOT) as Uint8Array],
      read: start(SNAPSHOT),
      seal: sealSnapshot,
      ...store,
    },
    {
      name: 'log: manifest',
      corpus: [trimmed(files.get(MANIFEST) as Uint8Array)],
      read: start(MANIFEST),
      seal: sealManifest,
      ...store,
    },
    {
      name: 'backup',
      corpus: [backup],
      read: readBackup,
      seal: (bytes) => writeUint32(bytes, bytes.length - 4, crc32(bytes, 0, Math.max(0, bytes.length - 4))),
      typed: (error) => error instanceof TypeError && /backup/.test(error.message),
    },
  ];
}

/**
 * The files of a store: two runs below a snapshot, two above it, epochs and a mark.
 *
 * @param more txns behind them, each empty.
 */
function storeFiles(more = 0): ReadonlyMap<string, Uint8Array> {
  const clock = new VirtualClock();
  const disk = new MemoryDisk({ clock });
  const founded = new LogStorage({ disk, clock, segmentBytes: SEGMENT_BYTES + 5 * more });
  const done = (error?: Error): void => {
    if (error !== undefined) throw error;
  };
  founded.format({ ensembleId: 'shop' }, done);
  clock.advance(1);
  founded.recover(() => {});
  clock.advance(1);
  founded.saveAcceptedEpoch(1, done);
  for (let counter = 1; counter <= 7; counter += 2) {
    founded.append({ zxid: makeZxid(1, counter), payloads: [new Uint8Array(20).fill(counter), new Uint8Array(9)] }, done);
    clock.advance(1);
    if (counter === 3) founded.saveSnapshot(makeZxid(1, 4), [new Uint8Array(30), new Uint8Array(50)], done);
    clock.advance(1);
  }
  if (more > 0) founded.append({ zxid: makeZxid(1, 9), payloads: Array.from({ length: more }, () => new Uint8Array(0)) }, done);
  founded.saveCurrentEpoch(1, done);
  clock.advance(1);
  founded.close();
  const files = disk.files();
  // The other copy would tell what this one does not.
  files.delete('manifest-b');
  return files;
}

/** Reads the store with one other file. */
function recover(files: ReadonlyMap<string, Uint8Array>, name: string, bytes: Uint8Array): void {
  inspect(readOnlyDisk(new Map(files).set(name, bytes)), (result) => {
    if (result instanceof Error) throw result;
  });
}

/** A segment full of empty txns, in its store, and a snapshot in chunks of one byte. */
export function storeGrowths(): readonly Growth[] {
  const small = storeFiles();
  let files = small;
  return [
    {
      name: 'log: txns in a segment',
      input: (bytes) => {
        files = storeFiles(Math.floor(bytes / 4));
        return files.get(SEGMENT) as Uint8Array;
      },
      read: (bytes) => recoverWhole(files, SEGMENT, bytes),
      bytesPerByte: 48,
    },
    {
      name: 'log: chunks of a snapshot file',
      input: snapshotInChunks,
      read: (bytes) => recoverWhole(small, SNAPSHOT, bytes),
      bytesPerByte: 64,
    },
  ];
}

function snapshotInChunks(length: number): Uint8Array {
  const chunkBytes = CHUNK_HEADER_BYTES + 1;
  const count = Math.floor((length - SNAPSHOT_HEADER_BYTES) / chunkBytes);
  const bytes = new Uint8Array(SNAPSHOT_HEADER_BYTES + count * chunkBytes + CHUNK_HEADER_BYTES);
  bytes.set((storeFiles().get(SNAPSHOT) as Uint8Array).subarray(0, SNAPSHOT_HEADER_BYTES));
  for (let i = 0; i < count; i++) writeUint32(bytes, SNAPSHOT_HEADER_BYTES + i * chunkBytes, 1);
  sealSnapshot(bytes);
  return bytes;
}

function recoverWhole(files: ReadonlyMap<string, Uint8Array>, name: string, bytes: Uint8Array): void {
  inspect(readOnlyDisk(new Map(files).set(name, bytes)), (result) => {
    if (result instanceof Error) throw result;
    if (result.damage !== undefined || result.spared.length > 0) throw new Error('the store is not whole');
  });
}

/** It gives what it has, without a copy: what the disk sets aside is not what its reader does. */
function readOnlyDisk(files: ReadonlyMap<string, Uint8Array>): Disk {
  const never = (): never => {
    throw new Error('who looks at a store changes nothing');
  };
  const fileOf = (bytes: Uint8Array): DiskFile => ({
    size: (done) => done(bytes.length),
    read: (offset, length, done) => done(bytes.subarray(offset, offset + length)),
    write: never,
    reserve: never,
    flush: never,
    close: () => {},
  });
  return {
    lock: never,
    list: (done) => done([...files.keys()]),
    create: never,
    open: (name, done) => {
      const bytes = files.get(name);
      done(bytes === undefined ? new DiskError('NOT_FOUND', `there is no file ${name}`, { file: name }) : fileOf(bytes));
    },
    remove: never,
    flushDirectory: never,
    freeBytes: never,
    close: () => {},
  };
}

function isOtherVersion(error: unknown): boolean {
  return error instanceof RangeError && /^this store is of version/.test(error.message);
}

/** A segment without the zeros between the parts of its head, and behind its end. */
function compact(segment: Uint8Array): Uint8Array {
  const parts = HEAD_PARTS.map(({ start, end }) => segment.subarray(start, end));
  return new Uint8Array(Buffer.concat([...parts, trimmed(segment.subarray(RECORDS_AT))]));
}

function expanded(bytes: Uint8Array): Uint8Array {
  const records = bytes.subarray(96);
  const segment = new Uint8Array(RECORDS_AT + Math.max(SEGMENT_BYTES, records.length));
  for (const [i, { start }] of HEAD_PARTS.entries()) segment.set(bytes.subarray(32 * i, 32 * (i + 1)), start);
  segment.set(records, RECORDS_AT);
  return segment;
}

function trimmed(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.slice(0, end);
}

/** Those of the head, and of the header of each record that stands where the one before ends. */
function sealSegment(bytes: Uint8Array): void {
  for (let at = 0; at + 32 <= Math.min(96, bytes.length); at += 32) writeUint32(bytes, at + 28, crc32(bytes, at, at + 28));
  for (let at = 96; at + RECORD_HEADER_BYTES <= bytes.length; ) {
    const place = crc32OfInt(crc32OfInt(CRC32_START, 1), RECORDS_AT + at - 96);
    writeUint32(bytes, at + 36, crc32Of(crc32OfBytes(place, bytes, at, at + 36)));
    at += Math.ceil((RECORD_HEADER_BYTES + uint32(bytes, at + 4)) / 8) * 8;
  }
}

function sealSnapshot(bytes: Uint8Array): void {
  if (bytes.length < SNAPSHOT_HEADER_BYTES) return;
  writeUint32(bytes, 20, crc32(bytes, 0, 20));
  let chain = 3;
  for (let at = SNAPSHOT_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= bytes.length; ) {
    const length = uint32(bytes, at);
    const place = crc32OfInt(crc32OfInt(crc32OfInt(CRC32_START, chain), at), length);
    chain = crc32Of(crc32OfBytes(place, bytes.subarray(at + CHUNK_HEADER_BYTES, at + CHUNK_HEADER_BYTES + length)));
    writeUint32(bytes, at + 4, chain);
    at += CHUNK_HEADER_BYTES + length;
  }
}

function sealManifest(bytes: Uint8Array): void {
  if (bytes.length < 20) return;
  const length = uint32(bytes, 12);
  if (length < 20 || length > bytes.length) return;
  writeUint32(bytes, length - 4, crc32(bytes, 0, length - 4));
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(at);
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  if (at >= 0 && at + 4 <= bytes.length) new DataView(bytes.buffer, bytes.byteOffset, bytes.length).setUint32(at, value);
}
