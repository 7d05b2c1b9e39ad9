/**
 * A backup: the state of a server, exact at one zxid, as a file that knows its end.
 *
 *     int     "QBAK"
 *     int     version, 1
 *     long    zxid
 *     pieces  int length, 1 to 64 KiB; as many bytes
 *     int     0, the end
 *     int     CRC-32 of everything before it
 */
import { CRC32_START, crc32Of, crc32OfBytes, formatZxid, isProtocolError, JuteReader, type Zxid } from '@quorate/protocol';
import type { Snapshot } from '@quorate/server';

const MAGIC = 0x5142_414b;
const VERSION = 1;
const HEADER_BYTES = 16;
const INT_BYTES = 4;

/** A backup that was read, and is whole. */
export interface Backup extends Snapshot {
  readonly checksum: number;
}

/** The bytes of a backup, a piece at a time. */
export function* writeBackup(zxid: Zxid, pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setInt32(0, MAGIC);
  header.setInt32(INT_BYTES, VERSION);
  header.setBigInt64(2 * INT_BYTES, BigInt(zxid));
  let checksum = CRC32_START;
  const counted = (bytes: Uint8Array): Uint8Array => {
    checksum = crc32OfBytes(checksum, bytes);
    return bytes;
  };
  yield counted(new Uint8Array(header.buffer));
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    yield counted(int(piece.length));
    yield counted(piece);
  }
  yield counted(int(0));
  yield int(crc32Of(checksum));
}

/** @throws TypeError that says what is wrong with the file. */
export function readBackup(bytes: Uint8Array): Backup {
  const whole = bytes.length >= HEADER_BYTES + 2 * INT_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!whole || view.getInt32(0) !== MAGIC)
    throw new TypeError('this is no backup of a server: get one by the command snapshot of its admin port');
  const version = view.getInt32(INT_BYTES);
  if (version !== VERSION) throw new TypeError(`a backup of version ${version}; version ${VERSION} is known`);
  const end = bytes.length - INT_BYTES;
  const checksum = crc32Of(crc32OfBytes(CRC32_START, bytes, 0, end));
  if (view.getUint32(end) !== checksum || view.getInt32(end - INT_BYTES) !== 0)
    throw new TypeError('the backup is cut short or damaged: its checksum does not fit');
  try {
    return { ...readContent(JuteReader.sharing(bytes, 2 * INT_BYTES, end)), checksum };
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    throw new TypeError(`the backup is none that a server has written, though its checksum fits: ${error.message}`);
  }
}

function readContent(reader: JuteReader): Snapshot {
  const zxid = reader.zxid();
  const pieces: Uint8Array[] = [];
  for (let piece = reader.buffer(); piece !== null && piece.length > 0; piece = reader.buffer()) pieces.push(piece);
  reader.finish();
  return { zxid, pieces };
}

/**
 * The name of an ensemble that is founded on a backup. It is another one than that which was backed up, and than one that is founded on another backup or on none: their
 * servers do not follow one another, so that nobody takes the history of one for that of the other.
 */
export function restoredName(name: string, { zxid, checksum }: Backup): string {
  return `${name}@${formatZxid(zxid)}-${checksum.toString(16).padStart(8, '0')}`;
}

function int(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(INT_BYTES));
  view.setInt32(0, value | 0);
  return new Uint8Array(view.buffer);
}
