/** The files of an Apache ZooKeeper's data directory, as `quorate import` and the doctor read them. */
import { readFileSync } from 'node:fs';
import type { Zxid } from '@quorate/protocol';
import { adler32 } from '../../packages/node/src/adler32.ts';
import { Replay } from '../../packages/node/src/apache-directory.ts';
import { ApacheFileError } from '../../packages/node/src/apache-file-error.ts';
import { type LogReceiver, readLog } from '../../packages/node/src/apache-log-file.ts';
import { readSnapshotBytes } from '../../packages/node/src/apache-snapshot-file.ts';
import type { FuzzTarget } from './target.ts';

const FOLDER = new URL('../../packages/node/test/apache-3.8.0/version-2/', import.meta.url);
const LOG_HEADER_BYTES = 16;
const RECORD_HEADER_BYTES = 12;
const SEAL_BYTES = 13;
/** A log of a few txns is enough, and its inputs are read sooner. */
const LOG_BYTES = 700;

export function apacheTargets(): readonly FuzzTarget[] {
  const [log, laterLog] = [fileOf('log.1').slice(0, LOG_BYTES), fileOf('log.22').slice(0, LOG_BYTES)];
  const snapshots = ['snapshot.0', 'snapshot.e', 'snapshot.20'].map(fileOf);
  const typed = (error: unknown): boolean => error instanceof ApacheFileError;
  return [
    { name: "Apache's files: log", corpus: [log, laterLog], read: (bytes) => readTxns(bytes), seal: sealLog, typed },
    {
      name: "Apache's files: log, applied",
      corpus: [log],
      prepare: replay,
      seal: sealLog,
      typed,
      share: 0.3,
    },
    {
      name: "Apache's files: snapshot",
      corpus: snapshots,
      read: readSnapshot,
      seal: sealSnapshot,
      typed,
      share: 0.3,
    },
  ];
}

export function readSnapshot(bytes: Uint8Array): unknown {
  return readSnapshotBytes(bytes, 'snapshot.20', 0x20 as Zxid);
}

function fileOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, FOLDER)));
}

/** Reads a log. */
export function readTxns(bytes: Uint8Array, onTxn: LogReceiver['onTxn'] = () => {}): Promise<unknown> {
  const read = async (into: Uint8Array, offset: number): Promise<number> => {
    const part = bytes.subarray(offset, offset + into.length);
    into.set(part);
    return part.length;
  };
  return readLog({ size: bytes.length, read }, 'log.1', { onTxn, onBytes: () => {} });
}

function replay(bytes: Uint8Array): () => Promise<unknown> {
  const found = { file: 'snapshot.0', zxid: 0 as Zxid, snapshot: readSnapshotBytes(EMPTY, 'snapshot.0', 0 as Zxid) };
  const applied = new Replay(found);
  return () => readTxns(bytes, (txn) => applied.apply('log.1', txn));
}

const EMPTY = fileOf('snapshot.0');

/** A log of records with these bytes. */
export function logOf(txns: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [fileOf('log.1').subarray(0, LOG_HEADER_BYTES)];
  for (const txn of txns) {
    const head = new DataView(new ArrayBuffer(RECORD_HEADER_BYTES));
    head.setUint32(8, txn.length);
    parts.push(new Uint8Array(head.buffer), txn, Uint8Array.of(0x42));
  }
  // The last one is sealed too where something follows.
  const bytes = new Uint8Array(Buffer.concat([...parts, new Uint8Array(1)]));
  sealLog(bytes);
  return bytes;
}

/** The checksum of each record that stands where the one before ends. */
export function sealLog(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = LOG_HEADER_BYTES; at + RECORD_HEADER_BYTES <= bytes.length; ) {
    const start = at + RECORD_HEADER_BYTES;
    const end = start + view.getUint32(at + 8);
    if (end >= bytes.length) return;
    view.setUint32(at, 0);
    view.setUint32(at + 4, adler32(bytes.subarray(start, end)));
    at = end + 1;
  }
}

/** The last seal alone is looked at. */
function sealSnapshot(bytes: Uint8Array): void {
  const end = bytes.length - SEAL_BYTES;
  if (end < 0) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setBigUint64(end, BigInt(adler32(bytes.subarray(0, end))));
  view.setUint32(end + 8, 1);
  view.setUint8(end + 12, 0x2f);
}
