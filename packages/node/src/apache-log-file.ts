/**
 * One file of an Apache ZooKeeper's log (`FileTxnLog`): a header, and for each txn a checksum, a length, that many bytes and a B. Behind the last one there are zeros, because
 * the file is made long before it is filled.
 *
 * Apache takes whatever is no whole record for the end of the file. So do we, unless a whole record stands behind it: then the log has lost one that was whole.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { type DecodedTxn, decodeTxn, isProtocolError, OpCode } from '@quorate/protocol';
import { adler32 } from './adler32.js';
import { ApacheFileError } from './apache-file-error.js';

const MAGIC = 0x5a4b_4c47;
const VERSION = 2;
const HEADER_BYTES = 16;
/** Checksum and length. */
const RECORD_HEADER_BYTES = 12;
const END_OF_RECORD = 0x42;
/** Of a TxnHeader, which every record has. */
const TXN_BYTES_MIN = 32;
/** Where a txn has its type. */
const TYPE_OFFSET = 28;

/** How much is read at a time, in bytes, unless a record is longer. */
const READ_BYTES = 1024 * 1024;

/** A txn and where it stands. */
export interface LoggedTxn extends DecodedTxn {
  readonly offset: number;
}

/** Where a file ends. */
export interface LogEnd {
  /** Of the last whole record. */
  readonly offset: number;
  /** Something stands behind it that was not written to its end. */
  readonly torn: boolean;
}

export interface LogReceiver {
  onTxn(txn: LoggedTxn): void;
  /** So many bytes more have been read. */
  onBytes(count: number): void;
}

/** What a log is read from. */
export interface LogSource {
  /** In bytes. */
  readonly size: number;
  /** Fills `bytes` from a place on, as far as there are any; how many that was. */
  read(bytes: Uint8Array, offset: number): Promise<number>;
}

/**
 * Reads the txns of a file in their order.
 *
 * @throws ApacheFileError DAMAGED for a record with another checksum, or one that is no txn; Apache refuses to start on it, too. What `onTxn` throws.
 */
export async function readLogFile(file: string, receiver: LogReceiver): Promise<LogEnd> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    return await readLog({ size, read: (bytes, offset) => readFully(handle, bytes, offset) }, file, receiver);
  } finally {
    await handle.close();
  }
}

/** The same of bytes that are somewhere else. @param file what errors name. */
export async function readLog(source: LogSource, file: string, { onTxn, onBytes }: LogReceiver): Promise<LogEnd> {
  const log = new LogBytes(source, onBytes);
  const header = await log.at(0, HEADER_BYTES);
  // A server that is stopped as soon as it has made the file leaves it empty.
  if (header.length < HEADER_BYTES || header.every((byte) => byte === 0)) return { offset: 0, torn: header.some((byte) => byte !== 0) };
  if (uint32(header, 0) !== MAGIC) throw new ApacheFileError('DAMAGED', { file, offset: 0 }, 'a log begins with ZKLG');
  if (uint32(header, 4) !== VERSION) throw new ApacheFileError('UNSUPPORTED', { file, offset: 4 }, `a log of version ${uint32(header, 4)}`);
  for (let offset = HEADER_BYTES; ; ) {
    const bytes = await recordAt(log, file, offset);
    if (bytes === undefined) return await endAt(log, file, offset);
    onTxn({ ...txnOf(bytes, file, offset), offset });
    offset += RECORD_HEADER_BYTES + bytes.length + 1;
  }
}

/** Undefined where no whole record is. */
async function recordAt(log: LogBytes, file: string, offset: number): Promise<Uint8Array | undefined> {
  const head = await log.at(offset, RECORD_HEADER_BYTES);
  if (head.length < RECORD_HEADER_BYTES) return undefined;
  const length = uint32(head, 8);
  if (length === 0 || length > log.size - offset) return undefined;
  const record = await log.at(offset, RECORD_HEADER_BYTES + length + 1);
  if (record[RECORD_HEADER_BYTES + length] !== END_OF_RECORD) return undefined;
  const bytes = record.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + length);
  if (uint32(head, 0) !== 0 || uint32(head, 4) !== adler32(bytes))
    throw new ApacheFileError('DAMAGED', { file, offset }, 'the checksum of a record is another');
  // Nobody writes to what the txn is a view of: the bytes that come next are another array's.
  return bytes;
}

function txnOf(bytes: Uint8Array, file: string, offset: number): DecodedTxn {
  try {
    return decodeTxn(withoutReconfig(bytes));
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    throw new ApacheFileError('DAMAGED', { file, offset }, `a record is no txn: ${error.message}`);
  }
}

/** To the tree a reconfiguration is a change of the data of /zookeeper/config, and has the record of one. */
function withoutReconfig(bytes: Uint8Array): Uint8Array {
  if (bytes.length < TXN_BYTES_MIN || uint32(bytes, TYPE_OFFSET) !== OpCode.reconfig) return bytes;
  const copy = bytes.slice();
  new DataView(copy.buffer).setInt32(TYPE_OFFSET, OpCode.setData);
  return copy;
}

/** @throws ApacheFileError where a whole record stands behind the end. */
async function endAt(log: LogBytes, file: string, offset: number): Promise<LogEnd> {
  const rest = await log.at(offset, log.size - offset);
  const first = rest.findIndex((byte) => byte !== 0);
  if (first === -1) return { offset, torn: false };
  // A record begins with four zeros, so the first byte that is none may be in the middle of one.
  for (let at = Math.max(1, first - RECORD_HEADER_BYTES); at + RECORD_HEADER_BYTES + TXN_BYTES_MIN < rest.length; at++)
    if (isRecord(rest, at))
      throw new ApacheFileError(
        'DAMAGED',
        { file, offset },
        `a record cannot be read, and one that can stands behind it at byte ${offset + at}`,
      );
  return { offset, torn: true };
}

function isRecord(bytes: Uint8Array, at: number): boolean {
  if (uint32(bytes, at) !== 0) return false;
  const length = uint32(bytes, at + 8);
  const start = at + RECORD_HEADER_BYTES;
  if (length < TXN_BYTES_MIN || bytes[start + length] !== END_OF_RECORD) return false;
  return uint32(bytes, at + 4) === adler32(bytes.subarray(start, start + length));
}

/** A file, a part at a time. */
class LogBytes {
  readonly #source: LogSource;
  readonly #onBytes: (count: number) => void;
  #buffer = new Uint8Array(0);
  #bufferAt = 0;

  constructor(source: LogSource, onBytes: (count: number) => void) {
    this.#source = source;
    this.#onBytes = onBytes;
  }

  get size(): number {
    return this.#source.size;
  }

  /** Fewer where the file ends. */
  async at(offset: number, length: number): Promise<Uint8Array> {
    const wanted = Math.min(length, this.size - offset);
    const held = this.#bufferAt + this.#buffer.length;
    if (offset + wanted > held) {
      const bytes = new Uint8Array(Math.min(Math.max(READ_BYTES, wanted), this.size - offset));
      const count = await this.#source.read(bytes, offset);
      this.#onBytes(offset + count - Math.max(held, offset));
      this.#buffer = bytes.subarray(0, count);
      this.#bufferAt = offset;
    }
    return this.#buffer.subarray(offset - this.#bufferAt, offset - this.#bufferAt + wanted);
  }
}

/** As many bytes as there are; how many that was. */
async function readFully(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<number> {
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}
