/**
 * How two servers introduce themselves on a learner channel, and find out whether both are ours.
 *
 * ZooKeeper's FOLLOWERINFO carries a `LearnerInfo`, and its LEADERINFO a protocol version. Apache's servers look at no byte behind these, so ours say there
 * what they are; from LEADERINFO on two of ours say the rest by packets of a type of our own (docs/decisions/0020).
 */
import { epochOf, JuteReader, JuteWriter, makeZxid, ProtocolError, type Zxid } from '@quorate/protocol';
import type { Sid } from '../config.js';
import type { Message } from '../messages.js';
import { readEnsembleId, readSid, writeEnsembleId } from './message-codec.js';
import { NO_IDS, PacketType, type QuorumPacket } from './zookeeper-packet.js';

/** `LearnerInfo.protocolVersion`, and what a leader answers. */
const PROTOCOL_VERSION = 0x10000;
const NO_CONFIG_VERSION = 0;

/** `QRTE` */
const MAGIC = 0x5152_5445;

/** Changes with the bytes of any message between two of ours. */
const VERSION = 1;

const LEARNER_TYPES: ReadonlyMap<number, LearnerHello['type']> = new Map([
  [PacketType.FOLLOWERINFO, 'FOLLOWERINFO'],
  [PacketType.OBSERVERINFO, 'OBSERVERINFO'],
  [PacketType.QUORATE, 'MEND'],
]);

/** What one of ours says of itself. */
interface Ours {
  /** Whom it means, or who it is. */
  readonly sid: Sid;
  readonly ensembleId: string;
}

/** FOLLOWERINFO and OBSERVERINFO; or MEND, a packet of a type of ours with the same data, of one that asks for what its store lacks: the question is the packet behind it. */
export interface LearnerHello {
  readonly type: 'FOLLOWERINFO' | 'OBSERVERINFO' | 'MEND';
  readonly from: Sid;
  /** 0 for MEND. */
  readonly acceptedEpoch: number;
  /** Whom the learner means; undefined where it is not one of ours. */
  readonly ours: Ours | undefined;
}

/** LEADERINFO. */
export interface LeaderHello {
  readonly epoch: number;
  /** Who the leader is; undefined where it is not one of ours. */
  readonly ours: Ours | undefined;
}

export function learnerHello(message: Message & { readonly type: LearnerHello['type'] }, from: Sid, to: Sid): QuorumPacket {
  const writer = new JuteWriter();
  writer.longNumber(from);
  writer.int(PROTOCOL_VERSION);
  writer.longNumber(NO_CONFIG_VERSION);
  writeOurs(writer, { sid: to, ensembleId: message.ensembleId });
  // A server of Apache's closes the channel at a type that it does not know here.
  const type = message.type === 'MEND' ? PacketType.QUORATE : PacketType[message.type];
  const epoch = message.type === 'MEND' ? 0 : message.acceptedEpoch;
  return { type, zxid: makeZxid(epoch, 0), data: writer.finish(), authinfo: NO_IDS };
}

/** @throws ProtocolError where the packet is no such hello. */
export function readLearnerHello({ type, zxid, data }: QuorumPacket): LearnerHello {
  const purpose = LEARNER_TYPES.get(type);
  if (purpose === undefined) throw new ProtocolError('BAD_VALUE', `a learner introduces itself by the packet ${type}`);
  const reader = new JuteReader(data ?? new Uint8Array(0));
  const from = reader.longNumber();
  if (from < 1 || from > 254) throw new ProtocolError('BAD_VALUE', `no server has the number ${from}`);
  reader.int();
  reader.long();
  return {
    type: purpose,
    from,
    acceptedEpoch: epochIn(zxid),
    ours: readOurs(reader),
  };
}

export function leaderHello(message: Message & { readonly type: 'LEADERINFO' }, from: Sid): QuorumPacket {
  const writer = new JuteWriter();
  writer.int(PROTOCOL_VERSION);
  writeOurs(writer, { sid: from, ensembleId: message.ensembleId });
  return { type: PacketType.LEADERINFO, zxid: makeZxid(message.epoch, 0), data: writer.finish(), authinfo: NO_IDS };
}

/** @throws ProtocolError where the packet is no LEADERINFO. */
export function readLeaderHello({ type, zxid, data }: QuorumPacket): LeaderHello {
  if (type !== PacketType.LEADERINFO) throw new ProtocolError('BAD_VALUE', `a leader introduces itself by the packet ${type}`);
  const reader = new JuteReader(data ?? new Uint8Array(0));
  reader.int();
  return { epoch: epochIn(zxid), ours: readOurs(reader) };
}

/** @throws ProtocolError for a zxid below 0, which only votes have. */
function epochIn(zxid: Zxid): number {
  if (zxid < 0) throw new ProtocolError('BAD_VALUE', 'a server introduces itself with an epoch below 0');
  return epochOf(zxid);
}

function writeOurs(writer: JuteWriter, { sid, ensembleId }: Ours): void {
  writer.int(MAGIC);
  writer.int(VERSION);
  writer.int(sid);
  writeEnsembleId(writer, ensembleId);
}

function readOurs(reader: JuteReader): Ours | undefined {
  if (reader.remaining === 0) return undefined;
  if (reader.int() !== MAGIC) throw new ProtocolError('BAD_VALUE', 'a server says what no server says of itself');
  const version = reader.int();
  if (version !== VERSION) throw new ProtocolError('BAD_VALUE', `the other server speaks version ${version}, this one ${VERSION}`);
  const ours = { sid: readSid(reader), ensembleId: readEnsembleId(reader) };
  reader.finish();
  return ours;
}
