/**
 * The bytes of the election port: how a connection begins (class `QuorumCnxManager`), and notifications (class `FastLeaderElection`), each behind its length.
 */
import { EPOCH_MAX, JuteReader, type JuteWriter, ProtocolError, type Zxid } from '@quorate/protocol';
import type { ServerState } from '../application.js';
import type { Sid } from '../config.js';
import type { Notification, Vote } from '../messages.js';
import type { ByteQueue } from './byte-queue.js';

/** What a connection begins with; the later one lists several addresses, which are not looked at either. */
const PROTOCOLS: readonly bigint[] = [-65536n, -65535n];

/** The longest address, in bytes (`QuorumCnxManager.InitialMessage`: 2,048). */
const ADDRESS_BYTES_MAX = 2048;

/** The longest notification, its config included, in bytes (`QuorumCnxManager.PACKETMAXSIZE`). */
const NOTIFICATION_BYTES_MAX = 512 * 1024;

/** What those send for a leader, a zxid and an epoch who have no vote. */
const NONE = -(2n ** 63n);

/** With a config behind it, and without. */
const VERSION_WITH_CONFIG = 2;
const VERSION_WITHOUT_CONFIG = 1;

const STATES: readonly ServerState[] = ['LOOKING', 'FOLLOWING', 'LEADING', 'OBSERVING'];

const HELLO_HEAD_BYTES = 20;
const LENGTH_BYTES = 4;
/** State, leader, zxid, round and epoch: all that the oldest servers send that can be in one ensemble with ours. */
const NOTIFICATION_BYTES_MIN = 36;

/** @param address where the sender takes such connections: `host:port`. */
export function writeElectionHello(writer: JuteWriter, from: Sid, address: string): void {
  writer.long(PROTOCOLS[0] as bigint);
  writer.longNumber(from);
  writer.string(address);
}

/**
 * Takes the beginning of a connection out of what has come: who speaks. Undefined where it is not complete.
 *
 * @throws ProtocolError where it is none.
 */
export function takeElectionHello(queue: ByteQueue): Sid | undefined {
  if (queue.length < HELLO_HEAD_BYTES) return undefined;
  const head = new JuteReader(queue.peek(HELLO_HEAD_BYTES));
  if (!PROTOCOLS.includes(head.long())) throw new ProtocolError('BAD_VALUE', 'a connection to the election port does not begin as one');
  const sid = Number(head.long());
  if (!(sid >= 1 && sid <= 254)) throw new ProtocolError('BAD_VALUE', `no server has the number ${sid}`);
  const length = head.int();
  if (length < 0 || length > ADDRESS_BYTES_MAX) throw new ProtocolError('BAD_VALUE', `an address has ${length} bytes`);
  if (queue.length < HELLO_HEAD_BYTES + length) return undefined;
  queue.skip(HELLO_HEAD_BYTES + length);
  return sid;
}

/** @param config the text of the config as ZooKeeper has it, in UTF-8; empty where it is not told. */
export function writeNotification(writer: JuteWriter, { state, electionEpoch, vote }: Notification, config: Uint8Array): void {
  const at = writer.beginLength();
  writer.int(STATES.indexOf(state));
  writer.longNumber(vote.leader);
  writer.zxid(vote.zxid);
  writer.longNumber(electionEpoch);
  writer.longNumber(vote.peerEpoch);
  writer.int(config.length > 0 ? VERSION_WITH_CONFIG : VERSION_WITHOUT_CONFIG);
  if (config.length > 0) writer.buffer(config);
  writer.endLength(at);
}

/**
 * Takes the next notification out of what has come; undefined where it is not complete. The sender's config is not looked at.
 *
 * @throws ProtocolError where it is too long, or none.
 */
export function takeNotification(queue: ByteQueue, from: Sid): Notification | undefined {
  if (queue.length < LENGTH_BYTES) return undefined;
  const length = new JuteReader(queue.peek(LENGTH_BYTES)).int();
  if (length < NOTIFICATION_BYTES_MIN || length > NOTIFICATION_BYTES_MAX)
    throw new ProtocolError(
      'FRAME_TOO_LONG',
      `a notification has ${length} bytes; ${NOTIFICATION_BYTES_MIN} to ${NOTIFICATION_BYTES_MAX} are allowed`,
    );
  if (queue.length < LENGTH_BYTES + length) return undefined;
  const reader = new JuteReader(queue.take(LENGTH_BYTES + length), LENGTH_BYTES);
  const code = reader.int();
  const state = STATES[code];
  if (state === undefined) throw new ProtocolError('BAD_VALUE', `no server is in the state ${code}`);
  const leader = reader.long();
  const zxid = reader.zxid();
  const electionEpoch = reader.longNumber();
  return { state, electionEpoch, vote: readVote({ leader, zxid, peerEpoch: reader.long() }, from) };
}

/** Whoever has no vote votes for itself, and worse than everybody. */
function readVote({ leader, zxid, peerEpoch }: { leader: bigint; zxid: Zxid; peerEpoch: bigint }, from: Sid): Vote {
  if (peerEpoch > EPOCH_MAX) throw new ProtocolError('EPOCH_TOO_LARGE', 'an epoch is above 2^21 - 1');
  if (leader === NONE || peerEpoch < 0n) return { leader: from, zxid: -1 as Zxid, peerEpoch: -1 };
  if (leader < 1n || leader > 254n) throw new ProtocolError('BAD_VALUE', `no server has the number ${leader}`);
  return { leader: Number(leader), zxid, peerEpoch: Number(peerEpoch) };
}
