/**
 * The exact bytes of ZooKeeper, written by hand from the records of the specification, field by field.
 *
 * Beyond these examples the encoders were compared once with the classes of Apache ZooKeeper 3.8.0, which read 9,086 random records of
 * ours, of every kind that has a body, and wrote the same bytes again. Left out of that: the handshake, whose readOnly 3.8.0 writes outside
 * of its record; text beyond the BMP (see `utf8.ts`); and in a multi create2 and the flags 4 to 6, whose type ZooKeeper changes on reading.
 */
import { expect, test } from 'vitest';
import {
  AddWatchMode,
  type ClientMessage,
  CREATOR_ALL_ACL,
  decodeClientMessage,
  decodeConnectRequest,
  decodeConnectResponse,
  decodeServerMessage,
  decodeTxn,
  EventType,
  encodeClientMessage,
  encodeConnectRequest,
  encodeConnectResponse,
  encodeServerMessage,
  encodeTxn,
  KeeperState,
  makeZxid,
  OPEN_ACL_UNSAFE,
  OpCode,
  type Request,
  type Response,
  type ServerMessage,
  type Stat,
  type Txn,
  WatcherType,
  type Zxid,
} from '../src/index.js';
import { hex, toHex } from './hex.js';

/** `/a`: a length of 2, two bytes. */
const PATH_A = '00000002 2f61';
/** `/b` */
const PATH_B = '00000002 2f62';
/** One entry: perms 31, scheme `world`, id `anyone`. */
const OPEN = '00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65';
/** One entry: perms 31, scheme `auth`, no id. */
const CREATOR_ALL = '00000001 0000001f 00000004 61757468 00000000';

const SESSION = 0x0100_0186_a0b1_c2d3n;
const PASSWD = hex('000102030405060708090a0b0c0d0e0f');

const STAT: Stat = {
  czxid: makeZxid(1, 2),
  mzxid: makeZxid(1, 5),
  ctime: 1_600_000_000_000,
  mtime: 1_600_000_000_001,
  version: 3,
  cversion: -1,
  aversion: 1,
  ephemeralOwner: SESSION,
  dataLength: 5,
  numChildren: 0,
  pzxid: makeZxid(1, 2),
};
const STAT_HEX = [
  '0000000100000002', // czxid: epoch 1, counter 2
  '0000000100000005', // mzxid
  '00000174876e8000', // ctime: 1,600,000,000,000
  '00000174876e8001', // mtime
  '00000003', // version
  'ffffffff', // cversion: -1, as "/" has on a fresh server
  '00000001', // aversion
  '01000186a0b1c2d3', // ephemeralOwner
  '00000005', // dataLength
  '00000000', // numChildren
  '0000000100000002', // pzxid, last
].join('');

function checkRequest(xid: number, request: Request, ...pieces: string[]): void {
  const message: ClientMessage = { kind: 'request', xid, request };
  const body = hex(...pieces);
  expect(toHex(encodeClientMessage(message))).toBe(toHex(hex(length(body), ...pieces)));
  expect(decodeClientMessage(body)).toEqual(message);
}

function checkReply(response: Response | undefined, type: number, ...pieces: string[]): void {
  const message: ServerMessage = { kind: 'reply', xid: 7, zxid: makeZxid(1, 5), err: 0, response };
  const body = hex('00000007 0000000100000005 00000000', ...pieces);
  expect(toHex(encodeServerMessage(message))).toBe(length(body) + toHex(body));
  expect(decodeServerMessage(body, () => type)).toEqual(message);
}

function checkTxn(txn: Txn, ...pieces: string[]): void {
  const header = { clientId: SESSION, cxid: 9, zxid: makeZxid(1, 5), time: 1_600_000_000_000, type: txn.type };
  const type = toHex(Uint8Array.of(txn.type >> 24, txn.type >> 16, txn.type >> 8, txn.type));
  // clientId, cxid, zxid, time, type
  const bytes = hex('01000186a0b1c2d3 00000009 0000000100000005 00000174876e8000', type, ...pieces);
  expect(toHex(encodeTxn(header, txn))).toBe(toHex(bytes));
  expect(decodeTxn(bytes)).toEqual({ header, txn });
}

function length(body: Uint8Array): string {
  return body.length.toString(16).padStart(8, '0');
}

test('ConnectRequest, with the byte readOnly and without', () => {
  const request = {
    kind: 'connect',
    protocolVersion: 0,
    lastZxidSeen: makeZxid(1, 5),
    timeOut: 30_000,
    sessionId: SESSION,
    passwd: PASSWD,
    readOnly: true,
  } as const;
  const fields = [
    '00000000', // protocolVersion
    '0000000100000005', // lastZxidSeen
    '00007530', // timeOut: 30,000
    '01000186a0b1c2d3', // sessionId
    '00000010 000102030405060708090a0b0c0d0e0f', // passwd: 16 bytes
  ];
  expect(toHex(encodeConnectRequest(request))).toBe(toHex(hex('0000002d', ...fields, '01')));
  expect(toHex(encodeConnectRequest(request, { withReadOnly: false }))).toBe(toHex(hex('0000002c', ...fields)));
  expect(decodeConnectRequest(hex(...fields, '01'))).toEqual({ ...request, hasReadOnly: true });
  expect(decodeConnectRequest(hex(...fields))).toEqual({ ...request, readOnly: false, hasReadOnly: false });
});

test('ConnectResponse, with the byte readOnly and without', () => {
  const response = { kind: 'connected', protocolVersion: 0, timeOut: 30_000, sessionId: -2n, passwd: PASSWD, readOnly: false } as const;
  const fields = [
    '00000000', // protocolVersion
    '00007530', // timeOut
    'fffffffffffffffe', // sessionId: signed
    '00000010 000102030405060708090a0b0c0d0e0f', // passwd
  ];
  expect(toHex(encodeConnectResponse(response))).toBe(toHex(hex('00000025', ...fields, '00')));
  expect(toHex(encodeConnectResponse(response, { withReadOnly: false }))).toBe(toHex(hex('00000024', ...fields)));
  expect(decodeConnectResponse(hex(...fields, '00'))).toEqual(response);
  expect(decodeConnectResponse(hex(...fields))).toEqual(response);
});

test('requests', () => {
  const data = hex('68656c6c6f');
  // xid 1, type 1; path; 5 bytes of data; the ACL; flags: EPHEMERAL
  checkRequest(
    1,
    { type: OpCode.create, path: '/a', data, acl: OPEN_ACL_UNSAFE, flags: 1 },
    '00000001 00000001',
    PATH_A,
    '00000005 68656c6c6f',
    OPEN,
    '00000001',
  );
  // the same record under type 15; data null; flags: PERSISTENT_SEQUENTIAL
  checkRequest(
    2,
    { type: OpCode.create2, path: '/a', data: null, acl: CREATOR_ALL_ACL, flags: 2 },
    '00000002 0000000f',
    PATH_A,
    'ffffffff',
    CREATOR_ALL,
    '00000002',
  );
  checkRequest(3, { type: OpCode.delete, path: '/a', version: -1 }, '00000003 00000002', PATH_A, 'ffffffff');
  checkRequest(4, { type: OpCode.exists, path: '/a', watch: true }, '00000004 00000003', PATH_A, '01');
  checkRequest(5, { type: OpCode.getData, path: '/a', watch: false }, '00000005 00000004', PATH_A, '00');
  checkRequest(6, { type: OpCode.setData, path: '/a', data: hex(''), version: 3 }, '00000006 00000005', PATH_A, '00000000 00000003');
  checkRequest(7, { type: OpCode.getACL, path: '/a' }, '00000007 00000006', PATH_A);
  checkRequest(8, { type: OpCode.setACL, path: '/a', acl: OPEN_ACL_UNSAFE, version: 2 }, '00000008 00000007', PATH_A, OPEN, '00000002');
  checkRequest(9, { type: OpCode.getChildren, path: '/a', watch: true }, '00000009 00000008', PATH_A, '01');
  checkRequest(10, { type: OpCode.sync, path: '/a' }, '0000000a 00000009', PATH_A);
  checkRequest(11, { type: OpCode.getChildren2, path: '/a', watch: true }, '0000000b 0000000c', PATH_A, '01');
  checkRequest(12, { type: OpCode.check, path: '/a', version: 4 }, '0000000c 0000000d', PATH_A, '00000004');
  checkRequest(-2, { type: OpCode.ping }, 'fffffffe 0000000b');
  checkRequest(13, { type: OpCode.closeSession }, '0000000d fffffff5');
  // xid -4, type 100; the record's own type 0; scheme `digest`; auth `u:p`
  checkRequest(
    -4,
    { type: OpCode.auth, authType: 0, scheme: 'digest', auth: hex('753a70') },
    'fffffffc 00000064',
    '00000000 00000006 646967657374 00000003 753a70',
  );
  // xid -8, type 101; relativeZxid; one path, two, none
  checkRequest(
    -8,
    { type: OpCode.setWatches, relativeZxid: makeZxid(1, 5), dataWatches: ['/a'], existWatches: ['/a', '/b'], childWatches: [] },
    'fffffff8 00000065 0000000100000005',
    '00000001',
    PATH_A,
    '00000002',
    PATH_A,
    PATH_B,
    '00000000',
  );
  // xid -8, type 105: the same, and then one persistent watch and two recursive ones
  checkRequest(
    -8,
    {
      type: OpCode.setWatches2,
      relativeZxid: makeZxid(1, 5),
      dataWatches: [],
      existWatches: [],
      childWatches: ['/a'],
      persistentWatches: ['/b'],
      persistentRecursiveWatches: ['/a', '/b'],
    },
    'fffffff8 00000069 0000000100000005 00000000 00000000',
    '00000001',
    PATH_A,
    '00000001',
    PATH_B,
    '00000002',
    PATH_A,
    PATH_B,
  );
  checkRequest(14, { type: OpCode.addWatch, path: '/a', mode: AddWatchMode.persistentRecursive }, '0000000e 0000006a', PATH_A, '00000001');
  checkRequest(15, { type: OpCode.checkWatches, path: '/a', watcherType: WatcherType.persistent }, '0000000f 00000011', PATH_A, '00000004');
  checkRequest(16, { type: OpCode.removeWatches, path: '/a', watcherType: WatcherType.any }, '00000010 00000012', PATH_A, '00000003');
});

test('reconfig, whose strings may be null', () => {
  checkRequest(
    1,
    { type: OpCode.reconfig, joiningServers: '/a', leavingServers: null, newMembers: '', curConfigId: -1n },
    '00000001 00000010',
    PATH_A,
    'ffffffff 00000000 ffffffffffffffff',
  );
});

test('containers and TTLs', () => {
  checkRequest(
    1,
    { type: OpCode.createContainer, path: '/a', data: hex(''), acl: OPEN_ACL_UNSAFE, flags: 4 },
    '00000001 00000013',
    PATH_A,
    '00000000',
    OPEN,
    '00000004',
  );
  // behind the flags, the TTL in milliseconds: 100,000
  const ttl = { type: OpCode.createTTL, path: '/a', data: hex(''), acl: OPEN_ACL_UNSAFE, flags: 6, ttl: 100_000 } as const;
  checkRequest(2, ttl, '00000002 00000015', PATH_A, '00000000', OPEN, '00000006 00000000000186a0');
  checkRequest(3, { ...ttl, ttl: -1 }, '00000003 00000015', PATH_A, '00000000', OPEN, '00000006 ffffffffffffffff');
  checkReply({ type: OpCode.createContainer, path: '/a', stat: STAT }, OpCode.createContainer, PATH_A, STAT_HEX);
  checkReply({ type: OpCode.createTTL, path: '/a', stat: STAT }, OpCode.createTTL, PATH_A, STAT_HEX);
  // without the byte `ephemeral` that CreateTxn has
  checkTxn(
    { type: OpCode.createContainer, path: '/a', data: hex('01'), acl: OPEN_ACL_UNSAFE, parentCVersion: 4 },
    PATH_A,
    '00000001 01',
    OPEN,
    '00000004',
  );
  checkTxn(
    { type: OpCode.createTTL, path: '/a', data: null, acl: OPEN_ACL_UNSAFE, parentCVersion: 4, ttl: 100_000 },
    PATH_A,
    'ffffffff',
    OPEN,
    '00000004 00000000000186a0',
  );
  checkTxn({ type: OpCode.deleteContainer, path: '/a' }, PATH_A);
});

test.each([
  ['7fffffffffffffff', Number.MAX_SAFE_INTEGER],
  ['8000000000000000', Number.MIN_SAFE_INTEGER],
])('a TTL that no number holds, %s, reads as the nearest that one does', (bytes, ttl) => {
  const request = decodeClientMessage(hex('00000001 00000015', PATH_A, 'ffffffff', OPEN, '00000005', bytes));
  expect(request).toMatchObject({ request: { type: OpCode.createTTL, ttl } });
});

test('whoAmI, getEphemerals, getAllChildrenNumber', () => {
  checkRequest(1, { type: OpCode.whoAmI }, '00000001 0000006b');
  checkReply(
    { type: OpCode.whoAmI, clientInfo: [{ scheme: 'digest', id: 'bob' }] },
    OpCode.whoAmI,
    '00000001 00000006 646967657374 00000003 626f62',
  );
  checkRequest(2, { type: OpCode.getEphemerals, prefixPath: '/a' }, '00000002 00000067', PATH_A);
  checkReply({ type: OpCode.getEphemerals, ephemerals: ['/a', '/b'] }, OpCode.getEphemerals, '00000002', PATH_A, PATH_B);
  checkRequest(3, { type: OpCode.getAllChildrenNumber, path: '/a' }, '00000003 00000068', PATH_A);
  checkReply({ type: OpCode.getAllChildrenNumber, totalNumber: 26 }, OpCode.getAllChildrenNumber, '0000001a');
});

test('a multiRead, and its results, of which each may fail by itself', () => {
  checkRequest(
    1,
    {
      type: OpCode.multiRead,
      ops: [
        { type: OpCode.getData, path: '/a', watch: false },
        { type: OpCode.getChildren, path: '/b', watch: true },
      ],
    },
    '00000001 00000016',
    '00000004 00 ffffffff', // getData
    PATH_A,
    '00',
    '00000008 00 ffffffff', // getChildren
    PATH_B,
    '01',
    'ffffffff 01 ffffffff', // end
  );
  checkReply(
    {
      type: OpCode.multiRead,
      results: [
        { type: OpCode.getData, data: hex('686579'), stat: STAT },
        { type: OpCode.error, err: -101 },
        { type: OpCode.getChildren, children: ['k'] },
      ],
    },
    OpCode.multiRead,
    '00000004 00 00000000', // getData: GetDataResponse
    '00000003 686579',
    STAT_HEX,
    'ffffffff 00 ffffff9b ffffff9b', // NONODE, in the header and in an ErrorResponse
    '00000008 00 00000000', // getChildren: GetChildrenResponse
    '00000001 00000001 6b',
    'ffffffff 01 ffffffff', // end
  );
});

test.each([
  [OpCode.multi, OpCode.getData],
  [OpCode.multi, OpCode.deleteContainer],
  [OpCode.multiRead, OpCode.setData],
  [OpCode.multiRead, OpCode.exists],
  [OpCode.multiRead, OpCode.getChildren2],
])('%i does not hold %i', (outer, inner) => {
  const two = (number: number): string => number.toString(16).padStart(8, '0');
  expect(decodeClientMessage(hex('00000001', two(outer), two(inner), '00 ffffffff', PATH_A, '00'))).toMatchObject({
    kind: 'malformed',
    error: { code: 'BAD_VALUE' },
  });
});

test('a path beyond ASCII: /é€', () => {
  checkRequest(1, { type: OpCode.sync, path: '/é€' }, '00000001 00000009 00000006 2f c3a9 e282ac');
});

test('a multi: a header of type, done and err -1 before each operation, and one behind the last', () => {
  checkRequest(
    1,
    {
      type: OpCode.multi,
      ops: [
        { type: OpCode.create, path: '/a', data: hex('01'), acl: OPEN_ACL_UNSAFE, flags: 0 },
        { type: OpCode.delete, path: '/b', version: 1 },
        { type: OpCode.setData, path: '/a', data: null, version: -1 },
        { type: OpCode.check, path: '/b', version: 2 },
      ],
    },
    '00000001 0000000e',
    '00000001 00 ffffffff', // create
    PATH_A,
    '00000001 01',
    OPEN,
    '00000000',
    '00000002 00 ffffffff', // delete
    PATH_B,
    '00000001',
    '00000005 00 ffffffff', // setData
    PATH_A,
    'ffffffff ffffffff',
    '0000000d 00 ffffffff', // check
    PATH_B,
    '00000002',
    'ffffffff 01 ffffffff', // end
  );
  checkRequest(1, { type: OpCode.multi, ops: [] }, '00000001 0000000e ffffffff 01 ffffffff');
});

test('replies', () => {
  checkReply({ type: OpCode.create, path: '/a' }, OpCode.create, PATH_A);
  checkReply({ type: OpCode.create2, path: '/a', stat: STAT }, OpCode.create2, PATH_A, STAT_HEX);
  checkReply(undefined, OpCode.delete);
  checkReply({ type: OpCode.exists, stat: STAT }, OpCode.exists, STAT_HEX);
  checkReply({ type: OpCode.getData, data: hex('68656c6c6f'), stat: STAT }, OpCode.getData, '00000005 68656c6c6f', STAT_HEX);
  checkReply({ type: OpCode.getData, data: null, stat: STAT }, OpCode.getData, 'ffffffff', STAT_HEX);
  checkReply({ type: OpCode.setData, stat: STAT }, OpCode.setData, STAT_HEX);
  checkReply({ type: OpCode.getACL, acl: OPEN_ACL_UNSAFE, stat: STAT }, OpCode.getACL, OPEN, STAT_HEX);
  checkReply({ type: OpCode.setACL, stat: STAT }, OpCode.setACL, STAT_HEX);
  checkReply({ type: OpCode.getChildren, children: ['a', 'bc'] }, OpCode.getChildren, '00000002 00000001 61 00000002 6263');
  checkReply({ type: OpCode.getChildren2, children: [], stat: STAT }, OpCode.getChildren2, '00000000', STAT_HEX);
  checkReply({ type: OpCode.sync, path: '/a' }, OpCode.sync, PATH_A);
  checkReply({ type: OpCode.addWatch }, OpCode.addWatch, '00000000');
  checkReply(undefined, OpCode.removeWatches);
});

test('the reply to a multi that succeeded, and to one whose second operation failed', () => {
  checkReply(
    {
      type: OpCode.multi,
      results: [
        { type: OpCode.create, path: '/a' },
        { type: OpCode.create2, path: '/b', stat: STAT },
        { type: OpCode.delete },
        { type: OpCode.setData, stat: STAT },
        { type: OpCode.check },
      ],
    },
    OpCode.multi,
    '00000001 00 00000000', // create: CreateResponse
    PATH_A,
    '0000000f 00 00000000', // create2: Create2Response
    PATH_B,
    STAT_HEX,
    '00000002 00 00000000', // delete: nothing
    '00000005 00 00000000', // setData: SetDataResponse
    STAT_HEX,
    '0000000d 00 00000000', // check: nothing
    'ffffffff 01 ffffffff', // end
  );
  checkReply(
    {
      type: OpCode.multi,
      results: [
        { type: OpCode.error, err: 0 },
        { type: OpCode.error, err: -101 },
        { type: OpCode.error, err: -2 },
      ],
    },
    OpCode.multi,
    'ffffffff 00 00000000 00000000', // before the failure: 0, in the header and in an ErrorResponse
    'ffffffff 00 ffffff9b ffffff9b', // NONODE
    'ffffffff 00 fffffffe fffffffe', // after it: RUNTIMEINCONSISTENCY
    'ffffffff 01 ffffffff', // end
  );
});

test('an error is a header alone', () => {
  const message: ServerMessage = { kind: 'reply', xid: 7, zxid: makeZxid(1, 5), err: -101, response: undefined };
  const frame = hex('00000010 00000007 0000000100000005 ffffff9b');
  expect(toHex(encodeServerMessage(message))).toBe(toHex(frame));
  expect(decodeServerMessage(frame.slice(4), () => OpCode.getData)).toEqual(message);
});

test('a watch event has the xid -1; its zxid may be -1', () => {
  const event: ServerMessage = {
    kind: 'event',
    type: EventType.nodeDataChanged,
    state: KeeperState.syncConnected,
    path: '/a',
    zxid: -1 as Zxid,
  };
  // xid, zxid, err; type 3, state 3, path
  const body = hex('ffffffff ffffffffffffffff 00000000 00000003 00000003', PATH_A);
  expect(toHex(encodeServerMessage(event))).toBe(`0000001e${toHex(body)}`);
  expect(decodeServerMessage(body, () => undefined)).toEqual(event);
});

test('txns', () => {
  // path; data; ACL; ephemeral; parentCVersion
  checkTxn(
    { type: OpCode.create, path: '/a', data: hex('0102'), acl: OPEN_ACL_UNSAFE, ephemeral: true, parentCVersion: 4 },
    PATH_A,
    '00000002 0102',
    OPEN,
    '01 00000004',
  );
  checkTxn(
    { type: OpCode.create2, path: '/a', data: null, acl: OPEN_ACL_UNSAFE, ephemeral: false, parentCVersion: 1 },
    PATH_A,
    'ffffffff',
    OPEN,
    '00 00000001',
  );
  checkTxn({ type: OpCode.delete, path: '/a' }, PATH_A);
  checkTxn({ type: OpCode.setData, path: '/a', data: hex('01'), version: 2 }, PATH_A, '00000001 01 00000002');
  checkTxn({ type: OpCode.setACL, path: '/a', acl: CREATOR_ALL_ACL, version: 1 }, PATH_A, CREATOR_ALL, '00000001');
  checkTxn({ type: OpCode.createSession, timeOut: 30_000 }, '00007530');
  checkTxn({ type: OpCode.closeSession, paths: ['/a', '/b'] }, '00000002', PATH_A, PATH_B);
  checkTxn({ type: OpCode.check, path: '/a', version: 2 }, PATH_A, '00000002');
  checkTxn({ type: OpCode.error, err: -110 }, 'ffffff92');
  // two records Txn: type, length, record
  checkTxn(
    {
      type: OpCode.multi,
      txns: [
        { type: OpCode.delete, path: '/a' },
        { type: OpCode.error, err: -2 },
      ],
    },
    '00000002',
    '00000002 00000006',
    PATH_A,
    'ffffffff 00000004 fffffffe',
  );
});

test('a part of a multi that has failed, with the record of what was not done', () => {
  // clientId, cxid, zxid, time, type; two records Txn: type, length, record
  const start = '01000186a0b1c2d3 00000009 0000000100000005 00000174876e8000 0000000e';
  const { txn } = decodeTxn(hex(start, '00000002', 'ffffffff 00000006', PATH_A, 'ffffffff 00000004 ffffff9b'));
  expect(txn).toEqual({
    type: OpCode.multi,
    txns: [
      { type: OpCode.error, err: 0 },
      { type: OpCode.error, err: -101 },
    ],
  });
});

test('the digest behind a txn', () => {
  const header = { clientId: SESSION, cxid: 9, zxid: makeZxid(1, 5), time: 1_600_000_000_000, type: OpCode.error };
  const digest = { version: 2, high: 0xffff_fff0, low: 0x8000_0001 };
  // clientId, cxid, zxid, time, type, err; version, treeDigest
  const bytes = hex('01000186a0b1c2d3 00000009 0000000100000005 00000174876e8000 ffffffff ffffff9b', '00000002 fffffff080000001');
  expect(toHex(encodeTxn(header, { type: OpCode.error, err: -101 }, digest))).toBe(toHex(bytes));
  expect(decodeTxn(bytes).digest).toEqual(digest);
});
