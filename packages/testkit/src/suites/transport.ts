/**
 * The contract of `Transport`, as tests for whoever implements it. The test runner is passed in, so that any will do:
 *
 * ```ts
 * transportSuite({ test, world: () => new MyWorld() });
 * ```
 */
import { makeZxid, type Zxid } from '@quorate/protocol';
import type { Channel, ChannelHandler, Message, Notification, Sid, Transport, TransportHandler } from '@quorate/zab';
import { type ContractClause, type ContractSuiteOptions, type ContractWorld, check, equal, testClauses } from './suite.js';

/** Servers 1, 2 and 3 in a network of their own; nobody runs at 3 unless a test starts it. */
export interface TransportWorld extends ContractWorld {
  /** The transport of a server, not started. Asked again, that of the server after a restart; the former has been stopped. */
  transport(sid: Sid): Transport | Promise<Transport>;
}

export type TransportSuiteOptions = ContractSuiteOptions<TransportWorld>;

export type TransportClause = ContractClause<TransportWorld>;

/** Makes a test of every clause. */
export function transportSuite(options: TransportSuiteOptions): void {
  testClauses(transportContract, options);
}

/** One server, which notes what it is told. */
class Station implements TransportHandler {
  readonly heard: string[] = [];
  readonly channels: Channel[] = [];
  readonly messages: Message[] = [];
  readonly rounds: number[] = [];
  /** Called with each message of a channel, before it is noted. */
  onTold: ((channel: Channel, message: Message) => void) | undefined;

  onNotification(from: Sid, { electionEpoch }: Notification): void {
    this.rounds.push(electionEpoch);
    this.heard.push(`round ${electionEpoch} of ${from}`);
  }

  onChannel(from: Sid, channel: Channel): ChannelHandler {
    const name = `channel ${this.channels.length + 1} of ${from}`;
    this.channels.push(channel);
    this.heard.push(name);
    return this.handler(name, () => channel);
  }

  handler(name: string, channel: () => Channel): ChannelHandler {
    return {
      onMessage: (message) => {
        this.messages.push(message);
        this.heard.push(`${name}: ${message.type === 'SYNC' ? message.tag : message.type}`);
        this.onTold?.(channel(), message);
      },
      onClose: () => this.heard.push(`${name} closed`),
    };
  }
}

interface Started {
  readonly station: Station;
  readonly transport: Transport;
}

async function start(world: TransportWorld, sid: Sid): Promise<Started> {
  const transport = await world.transport(sid);
  const station = new Station();
  transport.start(station);
  return { station, transport };
}

/** A channel from one to the other on which both have introduced themselves, as every channel begins. */
async function open(
  world: TransportWorld,
  one: Started,
  two: Started,
  name = 'mine',
  to: Sid = 2,
): Promise<{ near: Channel; far: Channel }> {
  const before = two.station.channels.length;
  const near: Channel = one.transport.open(
    to,
    one.station.handler(name, () => near),
  );
  near.send({ type: 'FOLLOWERINFO', acceptedEpoch: 7, ensembleId: '' });
  await world.until(() => two.station.channels.length > before && two.station.heard.at(-1)?.endsWith('FOLLOWERINFO') === true);
  const far = two.station.channels[before] as Channel;
  far.send({ type: 'LEADERINFO', epoch: 8, ensembleId: '' });
  await world.until(() => one.station.heard.at(-1) === `${name}: LEADERINFO`);
  for (const { station } of [one, two]) {
    station.heard.length = 0;
    station.messages.length = 0;
  }
  return { near, far };
}

const sync = (tag: number): Message => ({ type: 'SYNC', tag });

const round = (electionEpoch: number): Notification => ({
  state: 'LOOKING',
  electionEpoch,
  vote: { leader: 1, zxid: makeZxid(1, electionEpoch), peerEpoch: 1 },
});

const BULK_PIECES = 64;
const BULK_PIECE_BYTES = 64 * 1024;

/** Every clause, in the order of `transport.ts`. */
export const transportContract: readonly TransportClause[] = [
  {
    name: 'messages arrive once each, in order, in both directions',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      const { near, far } = await open(world, one, two);
      for (let tag = 0; tag < 500; tag++) {
        near.send(sync(tag));
        far.send(sync(1_000 + tag));
      }
      await world.until(() => one.station.messages.length >= 500 && two.station.messages.length >= 500);
      await world.settle();
      equal(
        two.station.messages,
        Array.from({ length: 500 }, (_, i) => sync(i)),
      );
      equal(
        one.station.messages,
        Array.from({ length: 500 }, (_, i) => sync(1_000 + i)),
      );
    },
  },
  {
    name: 'a channel may begin with a question about lost txns, and has its answers',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      const question = (counter: number): Message => ({
        ...{ type: 'MEND', ensembleId: '' },
        after: makeZxid(1, counter),
        before: makeZxid(2, counter),
      });
      const runs = [
        { zxid: makeZxid(1, 2), payloads: [Uint8Array.of(1), new Uint8Array(0)] },
        { zxid: makeZxid(2, 1), payloads: [new Uint8Array(70_000).fill(9)] },
      ];
      const answers: Message[] = [
        { type: 'FOUND', runs, more: true, end: makeZxid(2, 9) },
        { type: 'FOUND', runs: [], more: false, end: -1 as Zxid },
      ];
      const near: Channel = one.transport.open(
        2,
        one.station.handler('mine', () => near),
      );
      near.send(question(1));
      for (const [i, answer] of answers.entries()) {
        await world.until(() => two.station.messages.length > i);
        two.station.channels[0]?.send(answer);
        await world.until(() => one.station.messages.length > i);
        near.send(question(i + 2));
      }
      await world.until(() => two.station.messages.length > answers.length);
      equal(two.station.messages, [1, 2, 3].map(question));
      equal(one.station.messages, answers);
    },
  },
  {
    name: 'messages of every size arrive whole',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      const { near } = await open(world, one, two);
      const payloads = [0, 1, 70_000, 900_000].map((length, seed) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff));
      const sent: Message[] = [
        { type: 'REQUEST', payload: new Uint8Array(4 * 1024 * 1024).fill(7) },
        { type: 'PROPOSAL', run: { zxid: makeZxid(8, 1), payloads } },
        { type: 'PING', round: 3, payload: Uint8Array.of(1, 2, 3) },
      ];
      for (const message of sent) near.send(message);
      await world.until(() => two.station.messages.at(-1)?.type === 'PING');
      equal(two.station.messages, sent);
    },
  },
  {
    name: 'what was sent before a close arrives, the other end is told of it, and nothing follows',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      const { near, far } = await open(world, one, two);
      near.send(sync(1));
      near.send(sync(2));
      near.close();
      near.send(sync(3));
      far.send(sync(4));
      await world.until(() => two.station.heard.some((word) => word.endsWith('closed')));
      far.send(sync(5));
      await world.settle();
      equal(two.station.heard, ['channel 1 of 1: 1', 'channel 1 of 1: 2', 'channel 1 of 1 closed']);
      equal(one.station.heard, []);
    },
  },
  {
    name: 'whoever closes while it is told something is told no more',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      const { near } = await open(world, one, two);
      two.station.onTold = (channel) => channel.close();
      for (let tag = 1; tag <= 20; tag++) near.send(sync(tag));
      await world.until(() => one.station.heard.includes('mine closed'));
      await world.settle();
      equal(two.station.heard, ['channel 1 of 1: 1']);
    },
  },
  {
    name: 'a server that is not there is a close, and nothing else',
    async check(world) {
      const one = await start(world, 1);
      const channel: Channel = one.transport.open(
        3,
        one.station.handler('absent', () => channel),
      );
      channel.send({ type: 'FOLLOWERINFO', acceptedEpoch: 7, ensembleId: '' });
      equal(one.station.heard, []);
      await world.until(() => one.station.heard.length > 0);
      channel.send(sync(1));
      await world.settle();
      equal(one.station.heard, ['absent closed']);
    },
  },
  {
    name: 'each opening is a channel of its own',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      const first = await open(world, one, two, 'first');
      const second = await open(world, one, two, 'second');
      first.near.send(sync(1));
      second.near.send(sync(2));
      first.far.send(sync(3));
      await world.until(() => two.station.messages.length === 2 && one.station.messages.length === 1);
      first.near.close();
      await world.until(() => two.station.heard.includes('channel 1 of 1 closed'));
      second.far.send(sync(4));
      await world.until(() => one.station.messages.length === 2);
      equal(one.station.heard, ['first: 3', 'second: 4']);
      equal([...two.station.heard].sort(), ['channel 1 of 1 closed', 'channel 1 of 1: 1', 'channel 2 of 1: 2']);
    },
  },
  {
    name: 'room is told of later, once, and not after a close',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      const { near } = await open(world, one, two);
      const rooms: string[] = [];
      near.awaitRoom(() => rooms.push('first'));
      equal(rooms, []);
      await world.until(() => rooms.length > 0);
      near.awaitRoom(() => rooms.push('after a close'));
      near.close();
      near.awaitRoom(() => rooms.push('after a close'));
      await world.settle();
      equal(rooms, ['first']);
    },
  },
  {
    name: 'bulk that waits for room arrives whole',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      const { near, far } = await open(world, one, two);
      let sent = 0;
      const sendNext = (): void => {
        sent++;
        const last = sent === BULK_PIECES;
        far.send({ type: 'PIECE', bytes: new Uint8Array(BULK_PIECE_BYTES).fill(sent), last });
        if (!last) far.awaitRoom(sendNext);
      };
      far.send({ type: 'SNAP', zxid: makeZxid(1, 1) });
      sendNext();
      await world.until(() => one.station.messages.length >= BULK_PIECES + 1);
      const firsts = one.station.messages.slice(1).map((message) => (message.type === 'PIECE' ? message.bytes[0] : message.type));
      equal(
        firsts,
        Array.from({ length: BULK_PIECES }, (_, i) => i + 1),
      );
      near.close();
    },
  },
  {
    name: 'the newest notification arrives, from the lesser server and from the greater',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      for (const electionEpoch of [1, 2, 3]) {
        one.transport.notify(2, round(electionEpoch));
        two.transport.notify(1, round(10 + electionEpoch));
      }
      equal([...one.station.heard, ...two.station.heard], []);
      await world.until(() => {
        // Any may be lost, so whoever means it says it again.
        if (one.station.rounds.at(-1) !== 13) two.transport.notify(1, round(13));
        if (two.station.rounds.at(-1) !== 3) one.transport.notify(2, round(3));
        return one.station.rounds.at(-1) === 13 && two.station.rounds.at(-1) === 3;
      });
      check(isAscending(one.station.rounds) && isAscending(two.station.rounds), 'an older notification has come after a newer one');
    },
  },
  {
    name: 'a server that has started anew is reached and reaches others',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      const { near } = await open(world, one, two);
      two.transport.stop();
      await world.until(() => one.station.heard.includes('mine closed'));
      near.send(sync(1));
      const again = await start(world, 2);
      await open(world, one, again, 'again');
      let sent = 0;
      await world.until(() => {
        one.transport.notify(2, round(++sent));
        again.transport.notify(1, round(++sent));
        return one.station.rounds.length > 0 && again.station.rounds.length > 0;
      });
    },
  },
  {
    name: 'a transport that has stopped reports nothing, and its peers are told',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      const { near, far } = await open(world, one, two);
      far.send(sync(1));
      one.transport.stop();
      await world.until(() => two.station.heard.includes('channel 1 of 1 closed'));
      near.send(sync(2));
      one.transport.notify(2, round(1));
      two.transport.notify(1, round(2));
      near.awaitRoom(() => one.station.heard.push('room'));
      await world.settle();
      equal(one.station.heard, []);
      equal(two.station.heard, ['channel 1 of 1 closed']);
    },
  },
  {
    name: 'nobody is called back before a call has returned',
    async check(world) {
      const [one, two] = [await start(world, 1), await start(world, 2)];
      const { near, far } = await open(world, one, two);
      near.send(sync(1));
      far.send(sync(2));
      near.awaitRoom(() => one.station.heard.push('room'));
      one.transport.notify(2, round(1));
      one.transport.open(
        3,
        one.station.handler('absent', () => near),
      );
      far.close();
      equal([...one.station.heard, ...two.station.heard], []);
    },
  },
];

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number >= (numbers[i - 1] as number));
}
