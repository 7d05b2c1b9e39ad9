/**
 * A snapshot of an Apache ZooKeeper's in a file (`FileSnap`): sessions and tree, a seal, and since 3.6 the digest and another seal. A seal is the Adler-32 of all bytes before
 * it, and a slash; so the last one tells of the whole file.
 */
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { isProtocolError, JuteReader, type TxnDigest, type Zxid } from '@quorate/protocol';
import { Database } from '@quorate/server';
import { adler32 } from './adler32.js';
import { ApacheFileError } from './apache-file-error.js';

/** A long, the length of a string, and the slash. */
const SEAL_BYTES = 13;
/** A zxid, a version and a digest; the digests of earlier versions are strings, and not compared. */
const DIGEST_BYTES = 20;
const READ_BYTES = 1024 * 1024;

export interface ApacheSnapshot {
  /** Not of one moment yet: the txns above the zxid of the name are to be replayed over it. */
  readonly database: Database;
  /** What the tree comes to after the txn `zxid`, which was the last when the snapshot had been written. */
  readonly digest: (TxnDigest & { readonly zxid: Zxid }) | undefined;
}

/**
 * Reads a snapshot, plain or compressed by gzip.
 *
 * @param zxid that its name has.
 * @throws ApacheFileError DAMAGED for a file that is not as it was written, UNSUPPORTED for one that is compressed otherwise.
 */
export async function readSnapshotFile(file: string, zxid: Zxid, onBytes: (count: number) => void = () => {}): Promise<ApacheSnapshot> {
  if (file.endsWith('.snappy'))
    throw new ApacheFileError(
      'UNSUPPORTED',
      { file },
      'it is compressed by snappy: let Apache write one that is not, with snapshot.compression.method unset',
    );
  const stored = await bytesOf(file, onBytes);
  return readSnapshotBytes(file.endsWith('.gz') ? await unpacked(file, stored) : stored, file, zxid);
}

/** The same of bytes that are not compressed. @param file what errors name. */
export function readSnapshotBytes(bytes: Uint8Array, file: string, zxid: Zxid): ApacheSnapshot {
  const end = bytes.length - SEAL_BYTES;
  if (end < 0 || !isSeal(bytes.subarray(end), adler32(bytes.subarray(0, end))))
    throw new ApacheFileError('DAMAGED', { file, offset: Math.max(0, end) }, 'the snapshot does not end with a seal for what it holds');
  const reader = JuteReader.sharing(bytes);
  try {
    const database = Database.readApache(reader, zxid);
    reader.long();
    reader.string();
    const digest = reader.remaining >= DIGEST_BYTES + SEAL_BYTES ? digestOf(reader) : undefined;
    return { database, digest };
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    throw new ApacheFileError('DAMAGED', { file, offset: bytes.length - reader.remaining }, error.message);
  }
}

/** Undefined where it says nothing: a server that has applied no txn since its start has none to say. */
function digestOf(reader: JuteReader): ApacheSnapshot['digest'] {
  const [zxid, version, high, low] = [reader.zxid(), reader.int(), reader.int() >>> 0, reader.int() >>> 0];
  return zxid > 0 ? { zxid, version, high, low } : undefined;
}

function isSeal(bytes: Uint8Array, checksum: number): boolean {
  const reader = new JuteReader(bytes);
  return reader.long() === BigInt(checksum) && reader.int() === 1 && bytes[SEAL_BYTES - 1] === 0x2f;
}

async function bytesOf(file: string, onBytes: (count: number) => void): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const bytes = new Uint8Array((await handle.stat()).size);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(READ_BYTES, bytes.length - at), at);
      if (bytesRead === 0) return bytes.subarray(0, at);
      at += bytesRead;
      onBytes(bytesRead);
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

async function unpacked(file: string, bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes);
  } catch (error) {
    throw new ApacheFileError('DAMAGED', { file, offset: 0 }, `it cannot be unpacked: ${(error as Error).message}`);
  }
}
