/**
 * The bytes of what peers say to one another over a byte channel: jute records behind a type, with ZooKeeper's numbers for ZooKeeper's messages (class
 * `Leader`). They are not ZooKeeper's own packets: PROPOSAL and INFORM carry runs, and PIECE, HANDOVER, MEND and FOUND are not in ZooKeeper.
 *
 * Decoding is total: any bytes give a message or a `ProtocolError`, in time and memory linear in the bytes. What has no meaning – an empty run, a run across
 * two epochs, an epoch that cannot be – is refused here, so that the core need not ask. Decoded payloads are views of the bytes that they came in.
 */
import {
  assert,
  COUNTER_MAX,
  counterOf,
  EPOCH_MAX,
  encodeUtf8,
  JuteReader,
  JuteWriter,
  ProtocolError,
  unreachable,
  type Zxid,
} from '@quorate/protocol';
import type { ServerState } from '../application.js';
import type { Sid } from '../config.js';
import type { Run } from '../log.js';
import type { Message, Notification, Vote } from '../messages.js';

/** The longest name of an ensemble, in bytes of UTF-8. */
export const ENSEMBLE_ID_BYTES_MAX = 1024;

/** The numbers of ZooKeeper's messages (class `Leader`). */
export const LEADER_CODES = {
  REQUEST: 1,
  PROPOSAL: 2,
  ACK: 3,
  COMMIT: 4,
  PING: 5,
  REVALIDATE: 6,
  SYNC: 7,
  INFORM: 8,
  NEWLEADER: 10,
  FOLLOWERINFO: 11,
  UPTODATE: 12,
  DIFF: 13,
  TRUNC: 14,
  SNAP: 15,
  OBSERVERINFO: 16,
  LEADERINFO: 17,
  ACKEPOCH: 18,
} as const;

/** What stands in front of each message. */
const CODES = {
  ...LEADER_CODES,
  PIECE: 100,
  HANDOVER: 101,
  MEND: 102,
  FOUND: 103,
} as const satisfies Record<Message['type'], number>;

const TYPES = new Map<number, Message['type']>(Object.entries(CODES).map(([type, code]) => [code, type as Message['type']]));

/** The states in the order of their numbers on the wire (class `QuorumPeer.ServerState`). */
const STATES: readonly ServerState[] = ['LOOKING', 'FOLLOWING', 'LEADING', 'OBSERVING'];

const BUFFER_BYTES_MIN = 4;
/** A zxid and the number of payloads. */
const RUN_BYTES_MIN = 12;

/**
 * The bytes of a message, in an array of their own.
 *
 * @param writer can be kept by whoever encodes much.
 * @throws RangeError where the name of the ensemble is longer than `ENSEMBLE_ID_BYTES_MAX`.
 */
export function encodeMessage(message: Message, writer = new JuteWriter()): Uint8Array {
  writer.clear();
  writer.int(CODES[message.type]);
  writeFields(writer, message);
  return writer.finish();
}

/** @throws ProtocolError where the bytes are not one message. */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = JuteReader.sharing(bytes);
  const code = reader.int();
  const type = TYPES.get(code);
  if (type === undefined) throw new ProtocolError('UNKNOWN_OPCODE', `no message has the type ${code}`);
  const message = readFields(reader, type);
  reader.finish();
  return message;
}

/** The bytes of a notification, in an array of their own. */
export function encodeNotification(notification: Notification, writer = new JuteWriter()): Uint8Array {
  const { state, electionEpoch, vote } = notification;
  writer.clear();
  writer.int(STATES.indexOf(state));
  writeWhole(writer, electionEpoch);
  writer.int(vote.leader);
  writer.zxid(vote.zxid);
  writer.int(vote.peerEpoch);
  return writer.finish();
}

/** @throws ProtocolError where the bytes are not one notification. */
export function decodeNotification(bytes: Uint8Array): Notification {
  const reader = new JuteReader(bytes);
  const code = reader.int();
  const state = STATES[code];
  if (state === undefined) throw new ProtocolError('BAD_VALUE', `no server is in the state ${code}`);
  const electionEpoch = reader.longNumber();
  // Those who do not vote vote for themselves with the zxid −1 or −2^63 in the epoch −1, which is worse than every vote.
  const vote: Vote = { leader: readSid(reader), zxid: reader.zxid(), peerEpoch: readEpoch(reader, -1) };
  reader.finish();
  return { state, electionEpoch, vote };
}

/** @throws RangeError where the name is longer than `ENSEMBLE_ID_BYTES_MAX`. */
export function checkEnsembleId(ensembleId: string): void {
  const { length } = encodeUtf8(ensembleId);
  if (length > ENSEMBLE_ID_BYTES_MAX)
    throw new RangeError(`the name of an ensemble has ${length} bytes; ${ENSEMBLE_ID_BYTES_MAX} are allowed`);
}

/** @throws RangeError where the name is longer than `ENSEMBLE_ID_BYTES_MAX`. */
export function writeEnsembleId(writer: JuteWriter, ensembleId: string): void {
  checkEnsembleId(ensembleId);
  writer.string(ensembleId);
}

export function readEnsembleId(reader: JuteReader): string {
  const before = reader.remaining;
  const ensembleId = reader.string();
  const length = before - reader.remaining - BUFFER_BYTES_MIN;
  if (length > ENSEMBLE_ID_BYTES_MAX) throw new ProtocolError('BAD_VALUE', `the name of an ensemble has ${length} bytes`);
  return ensembleId;
}

export function readSid(reader: JuteReader): Sid {
  const sid = reader.int();
  if (sid < 1 || sid > 254) throw new ProtocolError('BAD_VALUE', `no server has the number ${sid}`);
  return sid;
}

function writeFields(writer: JuteWriter, message: Message): void {
  switch (message.type) {
    case 'FOLLOWERINFO':
    case 'OBSERVERINFO':
      writer.int(message.acceptedEpoch);
      writeEnsembleId(writer, message.ensembleId);
      return;
    case 'LEADERINFO':
      writer.int(message.epoch);
      writeEnsembleId(writer, message.ensembleId);
      return;
    case 'ACKEPOCH':
      writer.int(message.currentEpoch);
      writer.zxid(message.lastZxid);
      return;
    case 'TRUNC':
    case 'SNAP':
    case 'ACK':
    case 'COMMIT':
      writer.zxid(message.zxid);
      return;
    case 'PIECE':
      writer.buffer(message.bytes);
      writer.bool(message.last);
      return;
    case 'PROPOSAL':
    case 'INFORM':
      writeRun(writer, message.run);
      return;
    case 'NEWLEADER':
      writer.int(message.epoch);
      return;
    case 'PING':
      writeWhole(writer, message.round);
      writer.buffer(message.payload);
      return;
    case 'REQUEST':
    case 'REVALIDATE':
      writer.buffer(message.payload);
      return;
    case 'SYNC':
      writeWhole(writer, message.tag);
      return;
    case 'HANDOVER':
      writer.int(message.leader);
      return;
    case 'MEND':
      writeEnsembleId(writer, message.ensembleId);
      writer.zxid(message.after);
      writer.zxid(message.before);
      return;
    case 'FOUND':
      writer.vector(message.runs, writeRun);
      writer.bool(message.more);
      writer.zxid(message.end);
      return;
    case 'DIFF':
    case 'UPTODATE':
      return;
    default:
      unreachable(message);
  }
}

function readFields(reader: JuteReader, type: Message['type']): Message {
  switch (type) {
    case 'FOLLOWERINFO':
    case 'OBSERVERINFO':
      return { type, acceptedEpoch: readEpoch(reader), ensembleId: readEnsembleId(reader) };
    case 'LEADERINFO':
      return { type, epoch: readEpoch(reader), ensembleId: readEnsembleId(reader) };
    case 'ACKEPOCH':
      return { type, currentEpoch: readEpoch(reader, -1), lastZxid: readPlace(reader) };
    case 'TRUNC':
    case 'SNAP':
    case 'ACK':
    case 'COMMIT':
      return { type, zxid: readPlace(reader) };
    case 'PIECE':
      return { type, bytes: readBytes(reader), last: reader.bool() };
    case 'PROPOSAL':
    case 'INFORM':
      return { type, run: readRun(reader) };
    case 'NEWLEADER':
      return { type, epoch: readEpoch(reader) };
    case 'PING':
      return { type, round: reader.longNumber(), payload: readBytes(reader) };
    case 'REQUEST':
    case 'REVALIDATE':
      return { type, payload: readBytes(reader) };
    case 'SYNC':
      return { type, tag: reader.longNumber() };
    case 'HANDOVER':
      return { type, leader: readSid(reader) };
    case 'MEND':
      return { type, ensembleId: readEnsembleId(reader), after: readPlace(reader), before: readPlace(reader) };
    case 'FOUND':
      return { type, runs: reader.vector(readRun, RUN_BYTES_MIN), more: reader.bool(), end: readEnd(reader) };
    case 'DIFF':
    case 'UPTODATE':
      return { type };
    default:
      return unreachable(type);
  }
}

function writeRun(writer: JuteWriter, { zxid, payloads }: Run): void {
  assert(payloads.length > 0, 'a run is never empty');
  writer.zxid(zxid);
  writer.vector(payloads, writeBytes);
}

function readRun(reader: JuteReader): Run {
  const zxid = readPlace(reader);
  const payloads = reader.vector(readBytes, BUFFER_BYTES_MIN);
  if (payloads.length === 0) throw new ProtocolError('BAD_VALUE', 'a run is empty');
  if (counterOf(zxid) === 0) throw new ProtocolError('BAD_VALUE', 'a run begins at the counter 0, which no txn has');
  if (counterOf(zxid) + payloads.length - 1 > COUNTER_MAX) throw new ProtocolError('BAD_VALUE', 'a run goes beyond its epoch');
  return { zxid, payloads };
}

/** A zxid that is a place in a history: the negative ones are for votes. */
function readPlace(reader: JuteReader): Zxid {
  const zxid = reader.zxid();
  if (zxid < 0) throw new ProtocolError('BAD_VALUE', 'a place in a history is negative');
  return zxid;
}

/** A place in a history, or −1 where that is not known. */
function readEnd(reader: JuteReader): Zxid {
  const zxid = reader.zxid();
  if (zxid < -1) throw new ProtocolError('BAD_VALUE', 'the end of a history is negative');
  return zxid;
}

function readEpoch(reader: JuteReader, least = 0): number {
  const epoch = reader.int();
  if (epoch > EPOCH_MAX) throw new ProtocolError('EPOCH_TOO_LARGE', 'an epoch is above 2^21 - 1');
  if (epoch < least) throw new ProtocolError('BAD_VALUE', `an epoch is ${epoch}`);
  return epoch;
}

function writeBytes(writer: JuteWriter, bytes: Uint8Array): void {
  writer.buffer(bytes);
}

function readBytes(reader: JuteReader): Uint8Array {
  const bytes = reader.buffer();
  if (bytes === null) throw new ProtocolError('BAD_VALUE', 'bytes are null');
  return bytes;
}

/** A number that comes back as it is: the application's own tags are among them. */
function writeWhole(writer: JuteWriter, value: number): void {
  assert(Number.isSafeInteger(value), 'what is numbered has a whole number');
  writer.longNumber(value);
}
