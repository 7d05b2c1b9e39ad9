/** Values of every kind that the protocol carries, for properties. */
import fc from 'fast-check';
import {
  type Acl,
  type ClientMessage,
  type ConnectRequest,
  type ConnectResponse,
  type EventMessage,
  type MultiOp,
  type MultiReadOp,
  makeZxid,
  OpCode,
  type OpResult,
  type ReadResult,
  type ReplyMessage,
  type Request,
  type Response,
  type Stat,
  type Txn,
  type TxnHeader,
  type Zxid,
} from '../src/index.js';

/** How properties are run: the same each time. Another seed can be asked for by QUORATE_SEED; a failure prints the one that it had. */
export const run = { seed: Number(process.env.QUORATE_SEED ?? 1), numRuns: 400 };

export const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
export const int64 = fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
export const time = fc.oneof(fc.constant(0), fc.maxSafeInteger());
export const bytes = fc.uint8Array({ maxLength: 200 });
export const nullableBytes = fc.option(bytes, { nil: null });
/** Whole characters only: a surrogate alone does not come back, on purpose. */
export const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 40 }));
export const ordinaryZxid = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 21 - 1 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
  .map(([epoch, counter]) => makeZxid(epoch, counter));
export const zxid: fc.Arbitrary<Zxid> = fc.oneof(
  { weight: 8, arbitrary: ordinaryZxid },
  { weight: 1, arbitrary: fc.constantFrom(-1 as Zxid, -(2 ** 63) as Zxid, 0 as Zxid) },
);

export const stat: fc.Arbitrary<Stat> = fc.record({
  czxid: zxid,
  mzxid: zxid,
  ctime: time,
  mtime: time,
  version: int32,
  cversion: int32,
  aversion: int32,
  ephemeralOwner: int64,
  dataLength: int32,
  numChildren: int32,
  pzxid: zxid,
});

export const acl: fc.Arbitrary<Acl> = fc.record({ perms: int32, id: fc.record({ scheme: text, id: text }) });
const acls = fc.array(acl, { maxLength: 4 });
const texts = fc.array(text, { maxLength: 5 });

const create = fc.record({
  type: fc.constantFrom(OpCode.create, OpCode.create2, OpCode.createContainer),
  path: text,
  data: nullableBytes,
  acl: acls,
  flags: int32,
});
const createTtl = fc.record({
  type: fc.constant(OpCode.createTTL),
  path: text,
  data: nullableBytes,
  acl: acls,
  flags: int32,
  ttl: fc.maxSafeInteger(),
});
const deleteRequest = fc.record({ type: fc.constant(OpCode.delete), path: text, version: int32 });
const setData = fc.record({ type: fc.constant(OpCode.setData), path: text, data: nullableBytes, version: int32 });
const setAcl = fc.record({ type: fc.constant(OpCode.setACL), path: text, acl: acls, version: int32 });
const check = fc.record({ type: fc.constant(OpCode.check), path: text, version: int32 });

export const multiOp: fc.Arbitrary<MultiOp> = fc.oneof(create, createTtl, deleteRequest, setData, check);
const multiReadOp: fc.Arbitrary<MultiReadOp> = fc.record({
  type: fc.constantFrom(OpCode.getData, OpCode.getChildren),
  path: text,
  watch: fc.boolean(),
});

export const request: fc.Arbitrary<Request> = fc.oneof(
  create,
  createTtl,
  deleteRequest,
  fc.record({
    type: fc.constantFrom(OpCode.exists, OpCode.getData, OpCode.getChildren, OpCode.getChildren2),
    path: text,
    watch: fc.boolean(),
  }),
  setData,
  fc.record({ type: fc.constant(OpCode.getACL), path: text }),
  setAcl,
  fc.record({ type: fc.constant(OpCode.sync), path: text }),
  check,
  fc.record({ type: fc.constant(OpCode.multi), ops: fc.array(multiOp, { maxLength: 5 }) }),
  fc.record({ type: fc.constant(OpCode.multiRead), ops: fc.array(multiReadOp, { maxLength: 5 }) }),
  fc.record({ type: fc.constant(OpCode.getEphemerals), prefixPath: text }),
  fc.record({ type: fc.constant(OpCode.getAllChildrenNumber), path: text }),
  fc.record({ type: fc.constant(OpCode.whoAmI) }),
  fc.record({ type: fc.constant(OpCode.ping) }),
  fc.record({ type: fc.constant(OpCode.auth), authType: int32, scheme: text, auth: bytes }),
  fc.record({
    type: fc.constant(OpCode.setWatches),
    relativeZxid: zxid,
    dataWatches: texts,
    existWatches: texts,
    childWatches: texts,
  }),
  fc.record({
    type: fc.constant(OpCode.setWatches2),
    relativeZxid: zxid,
    dataWatches: texts,
    existWatches: texts,
    childWatches: texts,
    persistentWatches: texts,
    persistentRecursiveWatches: texts,
  }),
  fc.record({ type: fc.constant(OpCode.addWatch), path: text, mode: int32 }),
  fc.record({ type: fc.constantFrom(OpCode.checkWatches, OpCode.removeWatches), path: text, watcherType: int32 }),
  fc.record({
    type: fc.constant(OpCode.reconfig),
    joiningServers: fc.option(text),
    leavingServers: fc.option(text),
    newMembers: fc.option(text),
    curConfigId: int64,
  }),
  fc.record({ type: fc.constant(OpCode.closeSession) }),
);

const createResponse = fc.record({ type: fc.constant(OpCode.create), path: text });
const create2Response = fc.record({ type: fc.constant(OpCode.create2), path: text, stat });

export const opResult: fc.Arbitrary<OpResult> = fc.oneof(
  createResponse,
  create2Response,
  fc.record({ type: fc.constant(OpCode.delete) }),
  fc.record({ type: fc.constant(OpCode.setData), stat }),
  fc.record({ type: fc.constant(OpCode.check) }),
  fc.record({ type: fc.constant(OpCode.error), err: int32 }),
);

const getDataResponse = fc.record({ type: fc.constant(OpCode.getData), data: nullableBytes, stat });
const getChildrenResponse = fc.record({ type: fc.constant(OpCode.getChildren), children: texts });
const readResult: fc.Arbitrary<ReadResult> = fc.oneof(
  getDataResponse,
  getChildrenResponse,
  fc.record({ type: fc.constant(OpCode.error), err: int32 }),
);

export const response: fc.Arbitrary<Response> = fc.oneof(
  createResponse,
  fc.record({ type: fc.constantFrom(OpCode.create2, OpCode.createContainer, OpCode.createTTL), path: text, stat }),
  fc.record({ type: fc.constantFrom(OpCode.exists, OpCode.setData, OpCode.setACL), stat }),
  getDataResponse,
  fc.record({ type: fc.constant(OpCode.getACL), acl: acls, stat }),
  getChildrenResponse,
  fc.record({ type: fc.constant(OpCode.getChildren2), children: texts, stat }),
  fc.record({ type: fc.constant(OpCode.sync), path: text }),
  fc.record({ type: fc.constant(OpCode.addWatch) }),
  fc.record({ type: fc.constant(OpCode.multi), results: fc.array(opResult, { maxLength: 5 }) }),
  fc.record({ type: fc.constant(OpCode.multiRead), results: fc.array(readResult, { maxLength: 5 }) }),
  fc.record({ type: fc.constant(OpCode.getEphemerals), ephemerals: texts }),
  fc.record({ type: fc.constant(OpCode.getAllChildrenNumber), totalNumber: int32 }),
  fc.record({ type: fc.constant(OpCode.whoAmI), clientInfo: fc.array(fc.record({ scheme: text, id: text }), { maxLength: 3 }) }),
);

const partTxn: fc.Arbitrary<Txn> = fc.oneof(
  fc.record({
    type: fc.constantFrom(OpCode.create, OpCode.create2),
    path: text,
    data: nullableBytes,
    acl: acls,
    ephemeral: fc.boolean(),
    parentCVersion: int32,
  }),
  fc.record({ type: fc.constant(OpCode.createContainer), path: text, data: nullableBytes, acl: acls, parentCVersion: int32 }),
  fc.record({ type: fc.constant(OpCode.createTTL), path: text, data: nullableBytes, acl: acls, parentCVersion: int32, ttl: time }),
  fc.record({ type: fc.constantFrom(OpCode.delete, OpCode.deleteContainer), path: text }),
  setData,
  check,
  fc.record({ type: fc.constant(OpCode.error), err: int32 }),
);

export const txn: fc.Arbitrary<Txn> = fc.oneof(
  { weight: 5, arbitrary: partTxn },
  { weight: 1, arbitrary: setAcl },
  { weight: 1, arbitrary: fc.record({ type: fc.constant(OpCode.createSession), timeOut: int32 }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant(OpCode.closeSession), paths: texts }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant(OpCode.multi), txns: fc.array(partTxn, { maxLength: 5 }) }) },
);

/** A header and the body that it belongs to. */
export const headedTxn: fc.Arbitrary<{ header: TxnHeader; txn: Txn }> = fc
  .tuple(fc.record({ clientId: int64, cxid: int32, zxid, time }), txn)
  .map(([header, body]) => ({ header: { ...header, type: body.type }, txn: body }));

export const connectRequest: fc.Arbitrary<ConnectRequest> = fc.record({
  kind: fc.constant('connect'),
  protocolVersion: int32,
  lastZxidSeen: zxid,
  timeOut: int32,
  sessionId: int64,
  passwd: bytes,
  readOnly: fc.boolean(),
});

export const connectResponse: fc.Arbitrary<ConnectResponse> = fc.record({
  kind: fc.constant('connected'),
  protocolVersion: int32,
  timeOut: int32,
  sessionId: int64,
  passwd: bytes,
  readOnly: fc.boolean(),
});

export const requestMessage: fc.Arbitrary<Exclude<ClientMessage, { kind: 'connect' | 'malformed' }>> = fc.record({
  kind: fc.constant('request'),
  xid: int32,
  request,
});

export const event: fc.Arbitrary<EventMessage> = fc.record({ kind: fc.constant('event'), type: int32, state: int32, path: text, zxid });

/** A reply with a body, under an xid that a client counts. */
export const reply: fc.Arbitrary<ReplyMessage & { response: Response }> = fc.record({
  kind: fc.constant('reply'),
  xid: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  zxid,
  err: fc.constant(0),
  response,
});
