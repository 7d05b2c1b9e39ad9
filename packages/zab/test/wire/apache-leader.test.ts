/** A learner of ours and a leader that speaks as Apache's does: what is said packet by packet, and what the core hears of it. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { JuteWriter, makeZxid, type Zxid } from '@quorate/protocol';
import {
  type ByteChannel,
  type Channel,
  MemoryByteNetwork,
  MemoryPeerStreams,
  type Message,
  type WireViolation,
  type ZookeeperPayloads,
  zookeeperWire,
} from '@quorate/zab';
import { expect, test } from 'vitest';
import { ByteQueue } from '../../src/wire/byte-queue.js';
import { NO_IDS, PacketType, takePacket, writePacket } from '../../src/wire/zookeeper-packet.js';
import { hex, toHex } from './hex.js';

const z = (counter: number): Zxid => makeZxid(5, counter);
const txn = (byte: number): Uint8Array => Uint8Array.of(byte);

const PAYLOADS: ZookeeperPayloads = {
  request: (payload) => ({ data: Uint8Array.of(0xaa, ...payload), authinfo: hex('00000000') }),
  syncRequest: () => hex('55'),
  revalidations: (payload) => [...payload].map((byte) => Uint8Array.of(byte)),
  revalidated: (data, lastZxid) => Uint8Array.of(...data, lastZxid % 256),
  heartbeat: (payload) => payload,
};

const NAMES = new Map(Object.entries(PacketType).map(([name, type]) => [type as number, name]));

class Meeting {
  readonly clock = new VirtualClock();
  readonly network = new MemoryByteNetwork({ clock: this.clock });
  readonly violations: WireViolation[] = [];
  /** What the core has heard. */
  readonly heard: Message[] = [];
  /** What the leader has, as `TYPE zxid data`. */
  readonly said: string[] = [];
  readonly channel: Channel;
  closed = false;
  #leader: ByteChannel | undefined;

  /** @param payloads none where this is null. */
  constructor(payloads: ZookeeperPayloads | null = PAYLOADS) {
    const { clock, network } = this;
    const queue = new ByteQueue();
    new MemoryPeerStreams(network, 2).start((stream) => {
      this.#leader = stream;
      return {
        onBytes: (bytes) => {
          queue.push(bytes);
          for (let packet = takePacket(queue); packet !== undefined; packet = takePacket(queue))
            this.said.push(`${NAMES.get(packet.type)} ${packet.zxid.toString(16)} ${toHex(packet.data ?? hex())}`.trim());
        },
        onClose: () => this.said.push('closed'),
      };
    });
    const transport = zookeeperWire(new MemoryPeerStreams(network, 1), {
      ...{ sid: 1, peers: [1, 2], electionAddress: '127.0.0.1:1', clock, random: new SeededRandom(1) },
      ...{ onViolation: (violation) => this.violations.push(violation), ...(payloads === null ? {} : { payloads }) },
    });
    transport.start({
      onNotification: () => {},
      onChannel: () => {
        throw new Error('nobody opens a channel here');
      },
    });
    const onClose = () => {
      this.closed = true;
    };
    this.channel = transport.open(2, { onMessage: (message) => this.heard.push(message), onClose });
    this.channel.send({ type: 'FOLLOWERINFO', acceptedEpoch: 4, ensembleId: '' });
    clock.advance(0);
    this.said.length = 0;
  }

  /** The leader sends packets, all in one chunk. */
  lead(...packets: readonly (readonly [type: keyof typeof PacketType, zxid?: Zxid, data?: Uint8Array] | Uint8Array)[]): void {
    const writer = new JuteWriter();
    for (const packet of packets) {
      if (packet instanceof Uint8Array) writer.raw(packet);
      else writePacket(writer, { type: PacketType[packet[0]], zxid: packet[1] ?? z(0), data: packet[2] ?? null, authinfo: NO_IDS });
    }
    this.#leader?.send(writer.finish());
    this.clock.advance(0);
  }

  say(...messages: readonly Message[]): void {
    for (const message of messages) this.channel.send(message);
    this.clock.advance(0);
  }

  /** Both are through with discovery. */
  static established(): Meeting {
    const meeting = new Meeting();
    meeting.lead(['LEADERINFO', z(0), hex('00010000')], ['DIFF'], ['NEWLEADER', z(0)]);
    meeting.say({ type: 'ACK', zxid: z(0) });
    meeting.lead(['UPTODATE', z(0)]);
    meeting.heard.length = 0;
    meeting.said.length = 0;
    return meeting;
  }
}

test('discovery and a history that comes txn by txn', () => {
  const meeting = new Meeting();
  meeting.lead(['LEADERINFO', z(0), hex('00010000')]);
  meeting.say({ type: 'ACKEPOCH', currentEpoch: 4, lastZxid: makeZxid(4, 7) });
  meeting.lead(
    ...([['DIFF'], ['PROPOSAL', makeZxid(4, 8), txn(8)], ['COMMIT', makeZxid(4, 8)], ['PROPOSAL', makeZxid(4, 9), txn(9)]] as const),
    ...([
      ['COMMIT', makeZxid(4, 9)],
      ['PROPOSAL', z(1), txn(1)],
      ['PING', z(1)],
      ['NEWLEADER', z(0), hex('636f6e666967')],
    ] as const),
  );
  meeting.say({ type: 'ACK', zxid: z(0) });
  meeting.lead(['UPTODATE', z(0)]);
  meeting.say({ type: 'ACK', zxid: z(1) });
  expect(meeting.heard).toEqual([
    { type: 'LEADERINFO', epoch: 5, ensembleId: '' },
    { type: 'DIFF' },
    { type: 'PROPOSAL', run: { zxid: makeZxid(4, 8), payloads: [txn(8), txn(9)] } },
    { type: 'COMMIT', zxid: makeZxid(4, 9) },
    { type: 'PROPOSAL', run: { zxid: z(1), payloads: [txn(1)] } },
    { type: 'NEWLEADER', epoch: 5 },
    { type: 'UPTODATE' },
  ]);
  // The PING came before the leader could take an answer. UPTODATE has an acknowledgement of its own.
  expect(meeting.said).toEqual(['ACKEPOCH 400000007 00000004', 'ACK 500000000', 'ACK 500000000', 'ACK 500000001']);
});

test('every proposal has an acknowledgement of its own, and what was committed before has none', () => {
  const meeting = new Meeting();
  meeting.lead(['LEADERINFO', z(0), hex('00010000')], ['DIFF'], ['PROPOSAL', z(1), txn(1)], ['COMMIT', z(1)], ['PROPOSAL', z(2), txn(2)]);
  meeting.lead(['NEWLEADER', z(0)]);
  meeting.say({ type: 'ACK', zxid: z(0) });
  meeting.lead(['UPTODATE'], ['PROPOSAL', z(3), txn(3)], ['PROPOSAL', z(4), txn(4)], ['COMMIT', z(3)]);
  meeting.say({ type: 'ACK', zxid: z(3) }, { type: 'ACK', zxid: z(3) }, { type: 'ACK', zxid: z(4) });
  expect(meeting.said.slice(2)).toEqual(['ACK 500000002', 'ACK 500000003', 'ACK 500000004']);
});

test('proposals that come together are one run, and their commits one commit', () => {
  const meeting = Meeting.established();
  meeting.lead(['PROPOSAL', z(1), txn(1)], ['PROPOSAL', z(2), txn(2)], ['COMMIT', z(1)], ['PROPOSAL', z(3), txn(3)], ['COMMIT', z(2)]);
  expect(meeting.heard).toEqual([
    { type: 'PROPOSAL', run: { zxid: z(1), payloads: [txn(1), txn(2), txn(3)] } },
    { type: 'COMMIT', zxid: z(2) },
  ]);
});

test('a snapshot is passed on in pieces, and what follows is understood again', () => {
  const meeting = new Meeting();
  const snapshot = hex(
    '00000000 00000000 00000000 ffffffff ffffffffffffffff',
    '00'.repeat(60),
    '00000001 2f 0000000a 42656e57617348657265',
  );
  meeting.lead(['LEADERINFO', z(0), hex('00010000')], ['SNAP', makeZxid(4, 9)], snapshot, ['PROPOSAL', z(1), txn(1)], ['COMMIT', z(1)]);
  const pieces = meeting.heard.flatMap((message) => (message.type === 'PIECE' ? [message] : []));
  expect(toHex(Uint8Array.from(pieces.flatMap(({ bytes }) => [...bytes])))).toBe(`5a4b534e00000002ffffffffffffffff${toHex(snapshot)}`);
  expect(pieces.map(({ last }) => last)).toEqual([false, true]);
  expect(meeting.heard.slice(-2).map(({ type }) => type)).toEqual(['PROPOSAL', 'COMMIT']);
});

test('heartbeats, requests, questions and syncs have ZooKeeper’s packets', () => {
  const meeting = Meeting.established();
  meeting.lead(['PROPOSAL', z(7), txn(7)], ['PING', z(7)]);
  meeting.say({ type: 'PING', round: z(7), payload: txn(0x11) }, { type: 'REQUEST', payload: txn(0x22) });
  meeting.say({ type: 'REVALIDATE', payload: hex('3344') }, { type: 'SYNC', tag: 17 }, { type: 'SYNC', tag: 18 });
  meeting.lead(['REVALIDATE', -1 as Zxid, hex('33')], ['SYNC'], ['SYNC']);
  expect(meeting.said).toEqual([
    'PING 500000007 11',
    'REQUEST -1 aa22',
    'REVALIDATE -1 33',
    'REVALIDATE -1 44',
    'REQUEST -1 55',
    'REQUEST -1 55',
  ]);
  expect(meeting.heard.slice(1)).toEqual([
    { type: 'PING', round: z(7), payload: hex() },
    { type: 'REVALIDATE', payload: hex('3307') },
    { type: 'SYNC', tag: 17 },
    { type: 'SYNC', tag: 18 },
  ]);
});

test('an observer is told of txns that are committed, before NEWLEADER as a part of the history', () => {
  const meeting = new Meeting();
  meeting.lead(['LEADERINFO', z(0), hex('00010000')], ['DIFF'], ['INFORM', z(1), txn(1)], ['NEWLEADER', z(0)]);
  meeting.lead(['INFORM', z(2), txn(2)], ['INFORM', z(3), txn(3)]);
  expect(meeting.heard.slice(2)).toEqual([
    { type: 'PROPOSAL', run: { zxid: z(1), payloads: [txn(1)] } },
    { type: 'COMMIT', zxid: z(1) },
    { type: 'NEWLEADER', epoch: 5 },
    { type: 'INFORM', run: { zxid: z(2), payloads: [txn(2), txn(3)] } },
  ]);
});

const BELOW_ZERO = [
  ...[['PROPOSAL', -1 as Zxid, txn(1)] as const, ['INFORM', -1 as Zxid, txn(1)] as const],
  ...(['COMMIT', 'TRUNC', 'SNAP', 'NEWLEADER'] as const).map((type) => [type, -(2 ** 63) as Zxid] as const),
];

test('what no leader says ends the channel, once, with a word of it', () => {
  for (const packet of [
    ['SYNC'],
    ['QUORATE'],
    ['PROPOSAL', z(1)],
    ['PROPOSAL', z(0), txn(1)],
    ['ACKEPOCH'],
    ['REQUEST'],
    ...BELOW_ZERO,
  ] as const) {
    const meeting = Meeting.established();
    meeting.lead(packet);
    expect(meeting.closed).toBe(true);
    expect(meeting.violations).toMatchObject([{ rule: 'BAD_MESSAGE', peer: 2, purpose: 'LEARNER' }]);
    expect(meeting.heard).toEqual([]);
  }
});

test('a leader whose epoch is below 0 is not followed', () => {
  const meeting = new Meeting();
  meeting.lead(['LEADERINFO', -(2 ** 63) as Zxid, hex('00010000')], ['DIFF'], ['UPTODATE']);
  expect(meeting.heard).toEqual([]);
  expect(meeting.violations).toMatchObject([{ rule: 'BAD_MESSAGE', peer: 2 }]);
});

test('a leader of Apache’s is not followed by an application whose payloads it does not know', () => {
  const meeting = new Meeting(null);
  meeting.lead(['LEADERINFO', z(0), hex('00010000')]);
  expect(meeting.heard).toEqual([]);
  expect(meeting.closed).toBe(true);
  expect(meeting.violations).toMatchObject([{ rule: 'OTHER_VERSION', peer: 2 }]);
});
