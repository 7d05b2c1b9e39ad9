/**
 * Every opcode in every state of a session, as bytes: the specified answer, a tree that is as it was wherever the answer is a refusal, and a server
 * that goes on serving others.
 */
import {
  decodeConnectRequest,
  decodeRequestBody,
  ErrorCode,
  encodeClientMessage,
  errorName,
  FRAME_BYTES_MAX,
  isProtocolError,
  JuteWriter,
  OPEN_ACL_UNSAFE,
  OpCode,
  opCodeName,
} from '@quorate/protocol';
import type { Server } from '@quorate/server';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KNOWN, PATHS, type Row, TABLE, UNKNOWN } from './support/opcode-table.js';
import { type Answer, type RawClient, RawWorld } from './support/raw-world.js';

const XID = 77;
const HEADER_BYTES = 8;
const LENGTH_BYTES = 4;
const NO_BODY = new Uint8Array(0);

let world: RawWorld;
let control: RawClient;

async function begin(size: number): Promise<void> {
  world = new RawWorld(size);
  control = await world.open();
  for (const path of PATHS) control.request(1, { type: OpCode.create, path, data: Uint8Array.of(0x78), acl: OPEN_ACL_UNSAFE, flags: 0 });
  await world.settle();
  control.take();
}

beforeEach(() => begin(1));
afterEach(() => world.close());

/** The server lives, and serves somebody else. */
async function expectOthersServed(): Promise<void> {
  control.request(5, { type: OpCode.getData, path: '/', watch: false });
  await world.settle();
  expect(world.failures).toEqual([]);
  expect(control.take()).toEqual([{ xid: 5, err: ErrorCode.OK }]);
}

function bodyOf({ request }: Row): Uint8Array {
  return encodeClientMessage({ kind: 'request', xid: XID, request }).subarray(LENGTH_BYTES + HEADER_BYTES);
}

function titleOf({ request, err }: Row): string {
  const path = 'path' in request ? ` ${JSON.stringify(request.path)}` : '';
  return `${opCodeName(request.type)}${path}: ${errorName(err)}`;
}

/** A state in which a request can come: how to get there, and what else is answered before it. Where nobody listens any more, there is no answer. */
interface State {
  readonly name: string;
  /** How many servers there are; one when absent. */
  readonly size?: number;
  readonly enter: () => Promise<RawClient>;
  readonly before?: readonly Answer[];
  readonly deaf?: boolean;
}

const states: readonly State[] = [
  { name: 'open', enter: () => world.open() },
  {
    name: 'during the handshake',
    enter: async () => {
      const client = world.connect();
      client.handshake();
      return client;
    },
    before: [expect.objectContaining({ timeOut: 20_000 })],
  },
  {
    name: 'behind a write that is under way',
    enter: async () => {
      const client = await world.open();
      client.request(9, { type: OpCode.delete, path: '/none', version: -1 });
      return client;
    },
    before: [{ xid: 9, err: ErrorCode.NO_NODE }],
  },
  {
    name: 'behind a sync that is under way',
    enter: async () => {
      const client = await world.open();
      client.request(9, { type: OpCode.sync, path: '/' });
      return client;
    },
    before: [{ xid: 9, err: ErrorCode.OK }],
  },
  {
    name: 'behind a closeSession',
    enter: async () => {
      const client = await world.open();
      client.request(9, { type: OpCode.closeSession });
      return client;
    },
    before: [{ xid: 9, err: ErrorCode.OK }],
    deaf: true,
  },
  {
    name: 'of a session that has moved to another connection',
    enter: async () => {
      const client = await world.open();
      world.connect().handshake(client.session);
      await world.settle();
      return client;
    },
    deaf: true,
  },
  {
    name: 'of a session that has moved from a follower to the leader',
    size: 3,
    enter: () => abandoned(follower(0), world.server),
    deaf: true,
  },
  {
    name: 'of a session that has moved from the leader to a follower',
    size: 3,
    enter: () => abandoned(world.server, follower(0)),
    deaf: true,
  },
  {
    name: 'of a session that has moved from one follower to another',
    size: 3,
    enter: () => abandoned(follower(0), follower(1)),
    deaf: true,
  },
  {
    name: 'of a session that has expired',
    enter: async () => {
      const client = await world.open();
      world.server.expireSession(client.session.sessionId);
      await world.settle();
      return client;
    },
    deaf: true,
  },
  {
    name: 'of a connection that was refused',
    enter: async () => {
      const { session } = await world.open();
      const client = world.connect();
      client.handshake({ sessionId: session.sessionId, passwd: new Uint8Array(16) });
      await world.settle();
      return client;
    },
    before: [{ timeOut: 0, sessionId: 0n }],
    deaf: true,
  },
];

function follower(index: number): Server {
  return world.followers[index] as Server;
}

/** A client whose session has gone on at another server. */
async function abandoned(from: Server, to: Server): Promise<RawClient> {
  const client = await world.open(from);
  const next = world.connect(to);
  next.handshake(client.session);
  await world.settle();
  expect(next.take()).toEqual([{ timeOut: 20_000, sessionId: client.session.sessionId }]);
  return client;
}

describe.each(states)('$name', ({ size, enter, before = [], deaf = false }) => {
  if (size !== undefined)
    beforeEach(async () => {
      world.close();
      await begin(size);
    });

  test.each(TABLE.map((row) => [titleOf(row), row] as const))('%s', async (_, row) => {
    const client = await enter();
    const tree = world.tree;
    // Bytes behind a request are those of a newer client.
    client.raw(XID, row.request.type, Uint8Array.of(...bodyOf(row), 1, 2, 3));
    await world.settle();
    expect(client.take()).toEqual(deaf ? before : [...before, { xid: XID, err: row.err }]);
    expect(client.isClosed).toBe(deaf || row.closes === true);
    expect(world.tree !== tree).toBe(!deaf && row.changes === true);
    await expectOthersServed();
  });

  test('opcodes that are not known end the connection, answered in their turn', async () => {
    const tree = world.tree;
    for (const [index, type] of UNKNOWN.entries()) {
      const client = await enter();
      client.raw(XID, type, new Uint8Array(index % 50).fill(index));
      client.raw(XID + 1, OpCode.ping, NO_BODY);
      await world.settle();
      expect([type, ...client.take()]).toEqual([type, ...(deaf ? before : [...before, { xid: XID, err: ErrorCode.UNIMPLEMENTED }])]);
      expect(client.isClosed).toBe(true);
    }
    expect(world.tree).toBe(tree);
    await expectOthersServed();
  });

  test('bodies that end too early are malformed, whatever is asked for', async () => {
    const tree = world.tree;
    for (const row of deaf ? TABLE.slice(0, 1) : TABLE) {
      const body = bodyOf(row);
      const { type } = row.request;
      let client = await enter();
      let expected = [...before];
      for (let length = 0; length < body.length; length++) {
        client.raw(XID, type, body.subarray(0, length));
        if (!deaf) expected.push({ xid: XID, err: type === OpCode.auth ? ErrorCode.AUTH_FAILED : ErrorCode.MARSHALLING_ERROR });
        await world.settle();
        expect([type, length, ...client.take()]).toEqual([type, length, ...expected]);
        expected = [];
        // Whoever has failed to prove something must not go on as somebody else than it believes to be.
        if (type !== OpCode.auth) continue;
        expect(client.isClosed).toBe(true);
        client = await enter();
        expected = [...before];
      }
    }
    expect(world.tree).toBe(tree);
    await expectOthersServed();
  });
});

test('random bodies, and good ones with bytes that are not: what can be read is answered, the rest is malformed, and no refusal changes the tree', async () => {
  const anyBody = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.constantFrom(...TABLE).chain((row) => damaged(bodyOf(row))),
  );
  let client = await world.open();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...KNOWN), anyBody, async (type, body) => {
      if (client.isClosed) client = await world.open();
      const tree = world.tree;
      client.raw(XID, type, body);
      await world.settle();
      const answers = client.take().filter((answer) => 'xid' in answer && answer.xid !== -1) as { xid: number; err: number }[];
      expect(answers.map(({ xid }) => xid)).toEqual([XID]);
      const err = answers[0]?.err as number;
      if (!isReadable(type, body)) expect(err).toBe(type === OpCode.auth ? ErrorCode.AUTH_FAILED : ErrorCode.MARSHALLING_ERROR);
      expect(Object.values(ErrorCode)).toContain(err);
      expect(client.isClosed).toBe(err === ErrorCode.AUTH_FAILED || type === OpCode.closeSession);
      if (err !== ErrorCode.OK) expect(world.tree).toBe(tree);
      await expectOthersServed();
    }),
    { seed: 4, numRuns: 600 },
  );
});

/** A body with a few bytes changed, cut out or put in. */
function damaged(body: Uint8Array): fc.Arbitrary<Uint8Array> {
  const damage = fc.record({ at: fc.nat(body.length), removed: fc.nat(2), inserted: fc.uint8Array({ maxLength: 2 }) });
  return fc.array(damage, { minLength: 1, maxLength: 3 }).map((damages) => {
    const bytes = [...body];
    for (const { at, removed, inserted } of damages) bytes.splice(at, removed, ...inserted);
    return Uint8Array.from(bytes);
  });
}

function isReadable(type: number, body: Uint8Array): boolean {
  try {
    decodeRequestBody(type, body);
    return true;
  } catch (error) {
    if (isProtocolError(error)) return false;
    throw error;
  }
}

test('before the handshake there are no requests: every frame is read as one, and only a good one leads to a session', async () => {
  const tree = world.tree;
  for (const row of TABLE) {
    const client = world.connect();
    client.raw(XID, row.request.type, bodyOf(row));
    await world.settle();
    expect([row.request, ...client.take(), client.isClosed]).toEqual([
      row.request,
      ...outcomeAsHandshake(encodeClientMessage({ kind: 'request', xid: XID, request: row.request }).subarray(LENGTH_BYTES)),
    ]);
  }
  for (const type of UNKNOWN) {
    const client = world.connect();
    client.raw(XID, type, new Uint8Array(12).fill(0xff));
    await world.settle();
    expect([client.take(), client.isClosed]).toEqual([[], true]);
  }
  expect(world.tree).toBe(tree);
  await expectOthersServed();
});

/** What comes of a first frame, by the rules of a handshake: the answers, and whether the connection ends. */
function outcomeAsHandshake(body: Uint8Array): unknown[] {
  try {
    const { lastZxidSeen, sessionId } = decodeConnectRequest(body);
    // A client that has seen more than this server has to go elsewhere.
    if (lastZxidSeen > world.lastZxid) return [true];
    return sessionId === 0n ? [expect.objectContaining({ timeOut: expect.any(Number) }), false] : [{ timeOut: 0, sessionId: 0n }, true];
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return [true];
  }
}

describe('frames', () => {
  const framed = (length: number, bytes: Uint8Array): Uint8Array => {
    const writer = new JuteWriter();
    writer.int(length);
    writer.raw(bytes);
    return writer.finish();
  };

  test.each([-1, -0x8000_0000, 0, 1, 7, FRAME_BYTES_MAX + 1, 0x7fff_ffff])(
    'of the length %d end the connection, before the handshake and after it',
    async (length) => {
      const tree = world.tree;
      for (const client of [world.connect(), await world.open()]) {
        client.bytes(framed(length, new Uint8Array(Math.min(Math.max(length, 0), 7))));
        await world.settle();
        expect([client.take(), client.isClosed]).toEqual([[], true]);
      }
      expect(world.tree).toBe(tree);
      await expectOthersServed();
    },
  );

  test('of the greatest length are served, byte by byte as well', async () => {
    const path = '/a';
    const around = encodeClientMessage({ kind: 'request', xid: XID, request: { type: OpCode.setData, path, data: NO_BODY, version: -1 } });
    const data = new Uint8Array(FRAME_BYTES_MAX - (around.length - LENGTH_BYTES));
    const largest = encodeClientMessage({ kind: 'request', xid: XID, request: { type: OpCode.setData, path, data, version: -1 } });
    expect(largest.length - LENGTH_BYTES).toBe(FRAME_BYTES_MAX);
    const client = await world.open();
    client.bytes(largest);
    for (let at = 0; at < largest.length; at += 997) client.bytes(largest.subarray(at, at + 997));
    for (const byte of around) client.bytes(Uint8Array.of(byte));
    await world.settle();
    expect(client.take()).toEqual(Array.from({ length: 3 }, () => ({ xid: XID, err: ErrorCode.OK })));
    await expectOthersServed();
  });
});
