/** ZooKeeper's bytes: fields where ZooKeeper has them; any bytes, cut anywhere, are read or refused. */
import { isProtocolError, JuteWriter, makeZxid, ProtocolError, type Zxid } from '@quorate/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteQueue } from '../../src/wire/byte-queue.js';
import { takeElectionHello, takeNotification, writeElectionHello, writeNotification } from '../../src/wire/zookeeper-election.js';
import { leaderHello, learnerHello, readLeaderHello, readLearnerHello } from '../../src/wire/zookeeper-handshake.js';
import { NO_IDS, PACKET_DATA_BYTES_MAX, PacketType, type QuorumPacket, takePacket, writePacket } from '../../src/wire/zookeeper-packet.js';
import { SnapshotScanner } from '../../src/wire/zookeeper-snapshot.js';
import * as any from './arbitraries.js';
import { hex } from './hex.js';

const queueOf = (...chunks: Uint8Array[]): ByteQueue => {
  const queue = new ByteQueue();
  for (const chunk of chunks) queue.push(chunk);
  return queue;
};

const written = (write: (writer: JuteWriter) => void): Uint8Array => {
  const writer = new JuteWriter();
  write(writer);
  return writer.finish();
};

/** Takes whatever is in a queue, until it is empty, incomplete or bad. */
function takeAll<T>(queue: ByteQueue, take: (queue: ByteQueue) => T | undefined): T[] {
  const taken: T[] = [];
  for (let next = take(queue); next !== undefined; next = take(queue)) taken.push(next);
  return taken;
}

describe('packets', () => {
  const packet: fc.Arbitrary<QuorumPacket> = fc.record({
    type: fc.integer({ min: 0, max: 30 }),
    zxid: fc.oneof(
      fc.constant(-1 as Zxid),
      fc.nat().map((counter) => makeZxid(3, counter)),
    ),
    data: fc.option(fc.uint8Array({ maxLength: 40 })),
    authinfo: fc.constantFrom(NO_IDS, hex('00000000'), hex('00000001 00000002 6970 00000001 78')),
  });

  test('come out as they went in, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 10 }), (packets, places) => {
        const bytes = written((writer) => {
          for (const one of packets) writePacket(writer, one);
        });
        const queue = new ByteQueue();
        const taken: QuorumPacket[] = [];
        for (const chunk of any.cutAt(bytes, places)) {
          queue.push(chunk);
          taken.push(...takeAll(queue, takePacket));
        }
        expect(taken).toEqual(packets);
        expect(queue.length).toBe(0);
      }),
      any.run,
    );
  });

  test('of any bytes are packets or a ProtocolError, and no length is believed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          takeAll(queueOf(bytes), takePacket);
        } catch (error) {
          expect(isProtocolError(error)).toBe(true);
        }
      }),
      any.run,
    );
    const head = (length: number): Uint8Array =>
      written((writer) => {
        writer.int(PacketType.PROPOSAL);
        writer.zxid(makeZxid(1, 1));
        writer.int(length);
      });
    expect(takePacket(queueOf(head(PACKET_DATA_BYTES_MAX)))).toBeUndefined();
    expect(() => takePacket(queueOf(head(PACKET_DATA_BYTES_MAX + 1)))).toThrow('16777216 are allowed');
    expect(() => takePacket(queueOf(head(-2)))).toThrow();
  });

  test('have a limit for ids', () => {
    const id = '00000400' + '61'.repeat(1024);
    const endless = hex(`00000005 0000000000000001 ffffffff 7fffffff ${id.repeat(65)}`);
    expect(() => takePacket(queueOf(endless))).toThrow('ids');
    expect(takePacket(queueOf(endless.subarray(0, 60 * 1024)))).toBeUndefined();
  });
});

describe('the handshake of a learner channel', () => {
  test('is understood by one of ours, and says that it is', () => {
    const hello = learnerHello({ type: 'OBSERVERINFO', acceptedEpoch: 7, ensembleId: 'shop' }, 3, 2);
    expect(readLearnerHello(hello)).toEqual({
      type: 'OBSERVERINFO',
      from: 3,
      acceptedEpoch: 7,
      ours: { sid: 2, ensembleId: 'shop' },
    });
    const answer = leaderHello({ type: 'LEADERINFO', epoch: 8, ensembleId: 'shop' }, 2);
    expect(readLeaderHello(answer)).toEqual({ epoch: 8, ours: { sid: 2, ensembleId: 'shop' } });
  });

  test('begins as Apache’s, which looks at no byte behind', () => {
    const { data } = learnerHello({ type: 'FOLLOWERINFO', acceptedEpoch: 0, ensembleId: '' }, 3, 2);
    expect(data?.slice(0, 20)).toEqual(hex('0000000000000003 00010000 0000000000000000'));
    const theirs = { type: PacketType.LEADERINFO, zxid: makeZxid(1, 0), data: hex('00010000'), authinfo: NO_IDS };
    expect(readLeaderHello(theirs)).toEqual({ epoch: 1, ours: undefined });
  });

  test('is refused where it says something else', () => {
    const theirs = { type: PacketType.LEADERINFO, zxid: makeZxid(1, 0), data: hex('00010000 00000001'), authinfo: NO_IDS };
    expect(() => readLeaderHello(theirs)).toThrow();
    expect(() => readLeaderHello({ ...theirs, type: PacketType.DIFF })).toThrow();
    const nobody = { type: PacketType.FOLLOWERINFO, zxid: makeZxid(1, 0), data: hex(`${'00'.repeat(20)}`), authinfo: NO_IDS };
    expect(() => readLearnerHello(nobody)).toThrow('number 0');
    for (const zxid of [-1, -(2 ** 63)] as Zxid[]) {
      expect(() => readLeaderHello({ ...theirs, zxid, data: hex('00010000') })).toThrow(ProtocolError);
      const hello = learnerHello({ type: 'FOLLOWERINFO', acceptedEpoch: 7, ensembleId: 'shop' }, 3, 2);
      expect(() => readLearnerHello({ ...hello, zxid })).toThrow(ProtocolError);
    }
  });
});

describe('the election port', () => {
  test('takes a hello of either version, of somebody who can be', () => {
    const hello = written((writer) => writeElectionHello(writer, 3, '127.0.0.1:3888'));
    expect(hello).toEqual(hex('ffffffffffff0000 0000000000000003 0000000e 3132372e302e302e313a33383838'));
    for (let length = 0; length < hello.length; length++) expect(takeElectionHello(queueOf(hello.subarray(0, length)))).toBeUndefined();
    expect(takeElectionHello(queueOf(hello))).toBe(3);
    expect(takeElectionHello(queueOf(hex('ffffffffffff0001 0000000000000009 00000001 61')))).toBe(9);
    for (const bad of ['0000000000000003', 'ffffffffffff0000 00000000000000ff', 'ffffffffffff0000 8000000000000000'])
      expect(() => takeElectionHello(queueOf(hex(bad.padEnd(60, '0'))))).toThrow();
    expect(() => takeElectionHello(queueOf(hex('ffffffffffff0000 0000000000000003 00000801')))).toThrow('2049');
  });

  test('carries notifications, with a config or without', () => {
    fc.assert(
      fc.property(
        any.notification,
        fc.uint8Array({ maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        (notification, config, places) => {
          const queue = new ByteQueue();
          const bytes = written((writer) => writeNotification(writer, notification, config));
          const taken = any.cutAt(bytes, places).flatMap((chunk) => {
            queue.push(chunk);
            return takeAll(queue, (of) => takeNotification(of, notification.vote.leader));
          });
          // Whoever has no vote is known by its epoch.
          const expected =
            notification.vote.peerEpoch < 0 ? { ...notification, vote: { ...notification.vote, zxid: -1, peerEpoch: -1 } } : notification;
          expect(taken).toEqual([expected]);
        },
      ),
      any.run,
    );
  });

  test('understands an observer of Apache’s, which votes for nobody', () => {
    const none = '8000000000000000';
    const bytes = hex(`00000028 00000000 ${none} ${none} 0000000000000001 ${none} 00000001`);
    const vote = { leader: 9, zxid: -1, peerEpoch: -1 };
    expect(takeNotification(queueOf(bytes), 9)).toEqual({ state: 'LOOKING', electionEpoch: 1, vote });
  });

  test('refuses lengths and fields that cannot be', () => {
    for (const bad of ['00000023', '00080001', 'ffffffff', `00000024 00000004${'00'.repeat(32)}`, `00000024 00000000${'00'.repeat(32)}`])
      expect(() => takeNotification(queueOf(hex(bad)), 1)).toThrow();
  });
});

describe('a snapshot', () => {
  // Two sessions; a list of two ids; the root, a znode with data and one with null; the end; then a packet.
  const stat = '00'.repeat(60);
  const snapshot = hex(
    [
      '00000002 0000000000000001 00000fa0 0000000000000002 00001f40',
      '00000001 0000000000000005 00000002 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000001 00000002 6970 00000001 78',
      `00000000 00000000 ffffffffffffffff ${stat}`,
      `00000002 2f61 00000003 010203 0000000000000005 ${stat}`,
      `00000004 2f612f62 ffffffff ffffffffffffffff ${stat}`,
      '00000001 2f 0000000a 42656e57617348657265',
    ].join(''),
  );

  test('ends where it ends, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 30 }), (places) => {
        const scanner = new SnapshotScanner();
        const bytes = Uint8Array.from([...snapshot, 1, 2, 3]);
        let length = 0;
        for (const chunk of any.cutAt(bytes, places)) length += scanner.scan(chunk);
        expect(length).toBe(snapshot.length);
        expect(scanner.isComplete).toBe(true);
      }),
      any.run,
    );
  });

  test('that is none is found out', () => {
    const other = snapshot.slice();
    other[other.length - 1] = 0;
    expect(() => new SnapshotScanner().scan(other)).toThrow('BenWasHere');
    expect(() => new SnapshotScanner().scan(hex('ffffffff'))).toThrow();
    const scanner = new SnapshotScanner();
    expect(scanner.scan(snapshot.subarray(0, 50))).toBe(50);
    expect(scanner.isComplete).toBe(false);
  });
});
