/**
 * Packets of a learner channel (record `QuorumPacket`): a type, a zxid, data, and what the client of a request has proved. They stand one behind the other
 * with no length in front.
 */
import { isProtocolError, JuteReader, type JuteWriter, ProtocolError, type Zxid } from '@quorate/protocol';
import type { ByteQueue } from './byte-queue.js';
import { FRAME_BODY_BYTES_MAX } from './frame.js';
import { LEADER_CODES } from './message-codec.js';

/** The numbers of the types (class `Leader`), and one of ours. */
export const PacketType = {
  ...LEADER_CODES,
  /** Of ours alone: the data are a `Message` as `message-codec.ts` has it. */
  QUORATE: 0x5152,
} as const;

export interface QuorumPacket {
  readonly type: number;
  readonly zxid: Zxid;
  /** Null as well as empty where there are none. */
  readonly data: Uint8Array | null;
  /** A list of records `Id`, as bytes; `NO_IDS` for none. */
  readonly authinfo: Uint8Array;
}

/** A list that is null. */
export const NO_IDS = Uint8Array.of(0xff, 0xff, 0xff, 0xff);

/** The largest data: as much as a frame of ours has. */
export const PACKET_DATA_BYTES_MAX = FRAME_BODY_BYTES_MAX;

/** The longest list of ids, in bytes: some hundred. */
export const AUTHINFO_BYTES_MAX = 64 * 1024;

const HEAD_BYTES = 16;

export function writePacket(writer: JuteWriter, { type, zxid, data, authinfo }: QuorumPacket): void {
  if (data !== null && data.length > PACKET_DATA_BYTES_MAX)
    throw new RangeError(`a packet has ${data.length} bytes of data; ${PACKET_DATA_BYTES_MAX} are allowed`);
  writer.int(type);
  writer.zxid(zxid);
  writer.buffer(data);
  writer.raw(authinfo);
}

/**
 * Takes the next packet out of what has come; undefined where it is not complete.
 *
 * @throws ProtocolError for a packet that is too long, or none.
 */
export function takePacket(queue: ByteQueue): QuorumPacket | undefined {
  if (queue.length < HEAD_BYTES) return undefined;
  const head = new JuteReader(queue.peek(HEAD_BYTES));
  const type = head.int();
  const zxid = head.zxid();
  const length = head.int();
  if (length < -1) throw new ProtocolError('NEGATIVE_LENGTH', `the data of a packet have the length ${length}`);
  if (length > PACKET_DATA_BYTES_MAX)
    throw new ProtocolError('FRAME_TOO_LONG', `a packet has ${length} bytes of data; ${PACKET_DATA_BYTES_MAX} are allowed`);
  const idsAt = HEAD_BYTES + Math.max(0, length);
  const idsBytes = measureIds(queue, idsAt);
  if (idsBytes === undefined) return undefined;
  const bytes = queue.take(idsAt + idsBytes);
  return { type, zxid, data: length === -1 ? null : bytes.subarray(HEAD_BYTES, idsAt), authinfo: bytes.subarray(idsAt) };
}

/** How many bytes the list of ids takes that begins at a place; undefined where not all of it has come. */
function measureIds(queue: ByteQueue, at: number): number | undefined {
  const end = Math.min(queue.length, at + AUTHINFO_BYTES_MAX);
  const reader = JuteReader.sharing(queue.peek(end), Math.min(at, end));
  try {
    const count = reader.int();
    for (let strings = 2 * count; strings > 0; strings--) {
      if (reader.buffer() === null) throw new ProtocolError('BAD_VALUE', 'an id of a packet is null');
    }
    return end - at - reader.remaining;
  } catch (error) {
    if (!isProtocolError(error, 'TRUNCATED')) throw error;
    if (end < at + AUTHINFO_BYTES_MAX) return undefined;
    throw new ProtocolError('FRAME_TOO_LONG', `the ids of a packet have more than ${AUTHINFO_BYTES_MAX} bytes`);
  }
}
