/**
 * The contract of `Connection` and `Connector`, as tests for whoever implements them. The test runner is passed in, so that any will do:
 *
 * ```ts
 * connectionSuite({ test, world: () => new MyWorld() });
 * ```
 */
import type { Connection, ConnectionHandler, Connector } from '@quorate/client';
import { ErrorCode, NO_ZXID, OPEN_ACL_UNSAFE, OpCode, type Request, type ServerMessage } from '@quorate/protocol';
import { type ContractClause, type ContractSuiteOptions, type ContractWorld, check, equal, testClauses } from './suite.js';

/** A server that serves and has no znodes of anybody yet, and the way to it. */
export interface ConnectionWorld extends ContractWorld {
  /** With one server. */
  readonly connector: Connector;
  /** Ends the server, and with it every connection. */
  stop(): void | Promise<void>;
}

export type ConnectionSuiteOptions = ContractSuiteOptions<ConnectionWorld>;

export type ConnectionClause = ContractClause<ConnectionWorld>;

/** Makes a test of every clause. */
export function connectionSuite(options: ConnectionSuiteOptions): void {
  testClauses(connectionContract, options);
}

/** One end of a connection, which notes what it is told. */
class Caller implements ConnectionHandler {
  readonly heard: string[] = [];
  readonly messages: ServerMessage[] = [];
  readonly connection: Connection;
  /** Called with each message, after it is noted. */
  onTold: ((message: ServerMessage) => void) | undefined;
  #xid = 0;

  constructor({ connector }: ConnectionWorld) {
    this.connection = connector.connect(0, this);
  }

  onOpen(): void {
    this.heard.push('open');
  }

  onMessage(message: ServerMessage): void {
    this.messages.push(message);
    this.heard.push(message.kind === 'reply' ? `reply ${message.xid}` : message.kind);
    this.onTold?.(message);
  }

  onClose(): void {
    this.heard.push('close');
  }

  greet(): void {
    const session = { lastZxidSeen: NO_ZXID, timeOut: 30_000, sessionId: 0n, passwd: new Uint8Array(16), readOnly: false };
    this.connection.send({ kind: 'connect', protocolVersion: 0, ...session });
  }

  /** Gives its xid. */
  ask(request: Request): number {
    this.#xid++;
    this.connection.send({ kind: 'request', xid: this.#xid, request });
    return this.#xid;
  }

  create(path: string, data = new Uint8Array(0)): number {
    return this.ask({ type: OpCode.create, path, data, acl: OPEN_ACL_UNSAFE, flags: 0 });
  }

  read(path: string, watch = false): number {
    return this.ask({ type: OpCode.getData, path, watch });
  }

  /** The data that a read has given. */
  dataOf(xid: number): Uint8Array {
    const reply = this.messages.find((message) => message.kind === 'reply' && message.xid === xid);
    const response = reply?.kind === 'reply' ? reply.response : undefined;
    check(response?.type === OpCode.getData && response.data !== null, `the answer to the read ${xid} has data`);
    return response.data;
  }
}

/** A connection with a session. */
async function joined(world: ConnectionWorld): Promise<Caller> {
  const caller = new Caller(world);
  await world.until(() => caller.heard.length > 0);
  caller.greet();
  await world.until(() => caller.heard.includes('connected'));
  caller.heard.length = 0;
  caller.messages.length = 0;
  return caller;
}

const REQUESTS = 300;
const SIZES = [0, 1, 127, 70_000, 1_000_000];

/** Every clause, in the order of `connection.ts`. */
export const connectionContract: readonly ConnectionClause[] = [
  {
    name: 'it is opened once, later, and then takes a session',
    async check(world) {
      const caller = new Caller(world);
      equal(caller.heard, []);
      await world.until(() => caller.heard.length > 0);
      await world.settle();
      equal(caller.heard, ['open']);
      caller.greet();
      equal(caller.heard, ['open']);
      await world.until(() => caller.heard.length > 1);
      equal(caller.heard, ['open', 'connected']);
      caller.connection.close();
    },
  },
  {
    name: 'what was sent before it was open arrives',
    async check(world) {
      const caller = new Caller(world);
      caller.greet();
      caller.create('/early');
      await world.until(() => caller.heard.length >= 3);
      equal(caller.heard, ['open', 'connected', 'reply 1']);
      caller.connection.close();
    },
  },
  {
    name: 'messages arrive once each, in order, in both directions',
    async check(world) {
      const caller = await joined(world);
      for (let i = 0; i < REQUESTS; i++) caller.create(`/n${i}`);
      await world.until(() => caller.messages.length >= REQUESTS);
      await world.settle();
      equal(
        caller.heard,
        Array.from({ length: REQUESTS }, (_, i) => `reply ${i + 1}`),
      );
      const zxids = caller.messages.map((message) => (message.kind === 'reply' && message.err === ErrorCode.OK ? message.zxid : 0));
      check(
        zxids.every((zxid, i) => i === 0 || zxid === (zxids[i - 1] as number) + 1),
        'the server has not taken each request once, in the order of sending',
      );
      caller.connection.close();
    },
  },
  {
    name: 'messages of every size arrive whole',
    async check(world) {
      const caller = await joined(world);
      const data = SIZES.map((length, seed) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff));
      for (const [i, bytes] of data.entries()) caller.create(`/size${i}`, bytes);
      const reads = data.map((_, i) => caller.read(`/size${i}`));
      await world.until(() => caller.messages.length >= 2 * data.length);
      equal(
        reads.map((xid) => caller.dataOf(xid)),
        data,
      );
      caller.connection.close();
    },
  },
  {
    name: 'a watch event comes before the answer that was sent behind it',
    async check(world) {
      const caller = await joined(world);
      caller.create('/watched');
      caller.read('/watched', true);
      caller.ask({ type: OpCode.setData, path: '/watched', data: Uint8Array.of(1), version: -1 });
      await world.until(() => caller.messages.length >= 4);
      equal(caller.heard, ['reply 1', 'reply 2', 'event', 'reply 3']);
      caller.connection.close();
    },
  },
  {
    name: 'who was given bytes may write to them',
    async check(world) {
      const [one, two] = [await joined(world), await joined(world)];
      one.create('/shared', Uint8Array.of(1, 2, 3));
      const [first, second] = [one.read('/shared'), one.read('/shared')];
      await world.until(() => one.messages.length >= 3);
      one.dataOf(first).fill(9);
      equal(one.dataOf(second), Uint8Array.of(1, 2, 3));
      const other = two.read('/shared');
      await world.until(() => two.messages.length >= 1);
      equal(two.dataOf(other), Uint8Array.of(1, 2, 3));
      one.connection.close();
      two.connection.close();
    },
  },
  {
    name: 'each connection is one of its own',
    async check(world) {
      const [one, two] = [await joined(world), await joined(world)];
      for (let i = 0; i < 20; i++) {
        one.create(`/one${i}`);
        two.create(`/two${i}`);
      }
      await world.until(() => one.messages.length >= 20 && two.messages.length >= 20);
      one.connection.close();
      two.create('/after');
      await world.until(() => two.messages.length >= 21);
      const replies = Array.from({ length: 21 }, (_, i) => `reply ${i + 1}`);
      equal([one.heard, two.heard], [replies.slice(0, 20), replies]);
      two.connection.close();
    },
  },
  {
    name: 'who closes while it is told something is told no more',
    async check(world) {
      const caller = await joined(world);
      caller.onTold = () => caller.connection.close();
      for (let i = 0; i < 20; i++) caller.create(`/n${i}`);
      await world.until(() => caller.messages.length > 0);
      await world.settle();
      equal(caller.heard, ['reply 1']);
    },
  },
  {
    name: 'what was sent before a close arrives; after it nothing is sent or told',
    async check(world) {
      const [caller, other] = [await joined(world), await joined(world)];
      caller.create('/before');
      caller.connection.close();
      caller.create('/after');
      caller.connection.close();
      const hasArrived = (): boolean => {
        const last = other.messages.at(-1);
        if (last?.kind === 'reply' && last.err === ErrorCode.OK) return true;
        if (other.messages.length === asked) asked = other.read('/before');
        return false;
      };
      let asked = other.read('/before');
      await world.until(hasArrived);
      await world.settle();
      const count = other.messages.length;
      other.read('/after');
      await world.until(() => other.messages.length > count);
      const last = other.messages.at(-1);
      equal(last?.kind === 'reply' ? last.err : undefined, ErrorCode.NO_NODE);
      equal(caller.heard, []);
      other.connection.close();
    },
  },
  {
    name: 'a close before it is open is the end of it',
    async check(world) {
      const caller = new Caller(world);
      caller.connection.close();
      caller.greet();
      await world.settle();
      equal(caller.heard, []);
    },
  },
  {
    name: 'a close by the server comes behind its last answer, is told once, and nothing follows',
    async check(world) {
      const caller = await joined(world);
      caller.create('/last');
      caller.ask({ type: OpCode.closeSession });
      await world.until(() => caller.heard.includes('close'));
      caller.create('/after');
      caller.connection.close();
      await world.settle();
      equal(caller.heard, ['reply 1', 'reply 2', 'close']);
    },
  },
  {
    name: 'the end of a server is told, and a server that is not there is a close and nothing else',
    async check(world) {
      const caller = await joined(world);
      await world.stop();
      await world.until(() => caller.heard.length > 0);
      const late = new Caller(world);
      late.greet();
      equal(late.heard, []);
      await world.until(() => late.heard.length > 0);
      late.greet();
      await world.settle();
      equal([caller.heard, late.heard], [['close'], ['close']]);
    },
  },
];
