/** What servers say to each other in ZooKeeper's own bytes, at both ends of a learner channel and on the election port. */
import { VirtualClock } from '@quorate/ports';
import { JuteWriter, makeZxid, ProtocolError, type Zxid } from '@quorate/protocol';
import { zookeeperPayloads } from '@quorate/server';
import type { Message } from '@quorate/zab';
import fc from 'fast-check';
import { ByteQueue } from '../../packages/zab/src/wire/byte-queue.ts';
import type { ByteChannel } from '../../packages/zab/src/wire/byte-transport.ts';
import { encodeMessage } from '../../packages/zab/src/wire/message-codec.ts';
import type { PacketLink } from '../../packages/zab/src/wire/packet-link.ts';
import type { WireViolation } from '../../packages/zab/src/wire/violation.ts';
import {
  takeElectionHello,
  takeNotification,
  writeElectionHello,
  writeNotification,
} from '../../packages/zab/src/wire/zookeeper-election.ts';
import { leaderHello, learnerHello } from '../../packages/zab/src/wire/zookeeper-handshake.ts';
import { LeaderEnd } from '../../packages/zab/src/wire/zookeeper-leader.ts';
import { LearnerEnd } from '../../packages/zab/src/wire/zookeeper-learner.ts';
import { NO_IDS, PacketType, type QuorumPacket, writePacket } from '../../packages/zab/src/wire/zookeeper-packet.ts';
import { SNAPSHOT_SIGNATURE } from '../../packages/zab/src/wire/zookeeper-snapshot.ts';
import type { ZookeeperContext } from '../../packages/zab/src/wire/zookeeper-transport.ts';
import * as peer from '../../packages/zab/test/wire/arbitraries.ts';
import type { FuzzTarget } from './target.ts';

const ENSEMBLE = 'shop';
const STREAMS = 60;
const MESSAGES_MAX = 5;
const CHANNEL: ByteChannel = { send: () => {}, awaitRoom: () => {}, close: () => {} };

/** @param seed chooses the good inputs. */
export function packetTargets(seed: number): readonly FuzzTarget[] {
  const messages = fc.sample(fc.array(peer.message, { maxLength: MESSAGES_MAX }), { seed, numRuns: STREAMS });
  const notifications = fc.sample(fc.array(peer.notification, { maxLength: MESSAGES_MAX }), { seed, numRuns: STREAMS });
  const behind = (hello: QuorumPacket) => messages.map((list) => streamOf([hello, ...list.map(packetOf)]));
  return [
    { name: 'packets: from a learner', corpus: behind(learnerHello(FOLLOWERINFO, 2, 1)), read: (bytes) => listen(leaderEnd, bytes) },
    { name: 'packets: from a leader', corpus: behind(leaderHello(LEADERINFO, 1)), read: hearLeader },
    { name: "packets: from a leader of Apache's", corpus: apacheStreams(), read: hearLeader },
    {
      name: 'packets: election',
      corpus: notifications.map((list) =>
        written((writer) => {
          writeElectionHello(writer, 2, '127.0.0.1:3888');
          for (const [i, each] of list.entries()) writeNotification(writer, each, new Uint8Array(i % 2 === 0 ? 0 : 20));
        }),
      ),
      read: hearElection,
    },
  ];
}

const FOLLOWERINFO: Message & { readonly type: 'FOLLOWERINFO' } = { type: 'FOLLOWERINFO', acceptedEpoch: 3, ensembleId: ENSEMBLE };
const LEADERINFO: Message & { readonly type: 'LEADERINFO' } = { type: 'LEADERINFO', epoch: 4, ensembleId: ENSEMBLE };

type End = (context: ZookeeperContext) => PacketLink;

const leaderEnd: End = (context) => {
  const end: LeaderEnd = new LeaderEnd(context, { ...CHANNEL, purpose: 'LEARNER', mayBe: () => true });
  return end.link;
};

const learnerEnd: End = (context) => {
  const end = new LearnerEnd(context, 1, { onMessage: () => {}, onClose: () => {} });
  end.link.carry(CHANNEL);
  end.send(FOLLOWERINFO);
  return end.link;
};

/** Gives the bytes to an end in two chunks. What breaks a rule closes the channel; here it is thrown. */
function listen(end: End, bytes: Uint8Array): void {
  let broken: WireViolation | undefined;
  const link = end({
    sid: 1,
    peers: new Set([1, 2, 3]),
    clock: new VirtualClock(),
    answerTimeoutMs: 1_000,
    payloads: zookeeperPayloads,
    writer: new JuteWriter(),
    links: new Set(),
    acceptLearner: (_from, channel) => ({
      onMessage: ({ type }) => {
        if (type === 'FOLLOWERINFO' || type === 'OBSERVERINFO') channel.send(LEADERINFO);
      },
      onClose: () => {},
    }),
    onViolation: (violation) => {
      broken = violation;
    },
  });
  for (const chunk of [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)]) link.onBytes(chunk);
  if (broken !== undefined) throw new ProtocolError('BAD_VALUE', broken.message);
}

/** What a leader of ours says: so many bytes of commits. */
export function commits(bytes: number): Uint8Array {
  const commit = streamOf([packetOf({ type: 'COMMIT', zxid: makeZxid(1, 1) })]);
  const count = Math.floor(bytes / commit.length);
  return new Uint8Array(Buffer.concat([streamOf([leaderHello(LEADERINFO, 1)]), ...Array.from({ length: count }, () => commit)]));
}

export function hearLeader(bytes: Uint8Array): void {
  listen(learnerEnd, bytes);
}

function hearElection(bytes: Uint8Array): void {
  const queue = new ByteQueue();
  queue.push(bytes);
  const from = takeElectionHello(queue);
  if (from === undefined) return;
  while (takeNotification(queue, from) !== undefined);
}

function packetOf(message: Message): QuorumPacket {
  return packet(PacketType.QUORATE, 0 as Zxid, encodeMessage(message));
}

function packet(type: number, zxid: Zxid, data: Uint8Array | null = null): QuorumPacket {
  return { type, zxid, data, authinfo: NO_IDS };
}

/** Through DIFF, TRUNC and SNAP to what comes behind UPTODATE. */
function apacheStreams(): readonly Uint8Array[] {
  const z = (counter: number): Zxid => makeZxid(4, counter);
  const version = written((writer) => writer.int(0x10000));
  const hello = packet(PacketType.LEADERINFO, z(0), version);
  const txn = new Uint8Array(40);
  const served = [
    packet(PacketType.NEWLEADER, z(0), new Uint8Array(0)),
    packet(PacketType.PROPOSAL, z(1), txn),
    packet(PacketType.UPTODATE, 0 as Zxid),
    packet(PacketType.PING, z(1)),
    packet(PacketType.COMMIT, z(1)),
    packet(PacketType.INFORM, z(2), txn),
    packet(
      PacketType.REVALIDATE,
      0 as Zxid,
      written((writer) => {
        writer.long(7n);
        writer.bool(true);
      }),
    ),
  ];
  const older = [packet(PacketType.PROPOSAL, makeZxid(3, 2), txn), packet(PacketType.COMMIT, makeZxid(3, 2))];
  return [
    streamOf([hello, packet(PacketType.DIFF, makeZxid(3, 2)), ...older, ...served]),
    streamOf([hello, packet(PacketType.TRUNC, makeZxid(3, 1)), ...served]),
    new Uint8Array(Buffer.concat([streamOf([hello, packet(PacketType.SNAP, makeZxid(3, 2))]), snapshot(), streamOf(served)])),
  ];
}

/** A session, an access control list, the root and a znode. */
function snapshot(): Uint8Array {
  return written((writer) => {
    writer.int(1);
    writer.long(7n);
    writer.int(6_000);
    writer.int(1);
    writer.long(1n);
    writer.int(1);
    writer.int(31);
    writer.string('world');
    writer.string('anyone');
    for (const path of ['', '/a']) {
      writer.string(path);
      writer.buffer(Uint8Array.of(1, 2, 3));
      writer.long(1n);
      writer.raw(new Uint8Array(60));
    }
    writer.string('/');
    writer.string(SNAPSHOT_SIGNATURE);
  });
}

function streamOf(packets: readonly QuorumPacket[]): Uint8Array {
  return written((writer) => {
    for (const each of packets) writePacket(writer, each);
  });
}

function written(write: (writer: JuteWriter) => void): Uint8Array {
  const writer = new JuteWriter();
  write(writer);
  return writer.finish().slice();
}
