/** Any bytes give a value or a ProtocolError, in time and memory linear in the bytes: what a stranger sends can neither crash nor starve. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  aclCodec,
  decodeClientMessage,
  decodeConnectRequest,
  decodeConnectResponse,
  decodeRequestBody,
  decodeServerMessage,
  decodeTxn,
  decodeUtf8,
  encodeClientMessage,
  encodeServerMessage,
  encodeTxn,
  isProtocolError,
  JuteReader,
  OpCode,
  type ProtocolErrorCode,
  readAclList,
  statCodec,
} from '../src/index.js';
import * as any from './arbitraries.js';
import { bodyOf, hex } from './hex.js';

type Decoder = (bytes: Uint8Array) => unknown;

const types = [...Object.values(OpCode), 10, 500, -2147483648];

/** Every way in which bytes from outside become values. */
const decoders: Record<string, Decoder> = {
  decodeConnectRequest,
  decodeConnectResponse,
  decodeClientMessage,
  decodeTxn,
  decodeUtf8: (bytes) => decodeUtf8(bytes),
  Stat: (bytes) => statCodec.read(new JuteReader(bytes)),
  Acl: (bytes) => aclCodec.read(new JuteReader(bytes)),
  AclList: (bytes) => readAclList(new JuteReader(bytes)),
};
for (const type of types) {
  decoders[`request ${type}`] = (bytes) => decodeRequestBody(type, bytes);
  decoders[`reply to ${type}`] = (bytes) => decodeServerMessage(bytes, () => type);
}

/** Undefined for a value, else the code of the ProtocolError; anything else that is thrown goes through. */
function outcome(decode: Decoder, bytes: Uint8Array): ProtocolErrorCode | undefined {
  try {
    decode(bytes);
    return undefined;
  } catch (error) {
    if (isProtocolError(error)) return error.code;
    throw error;
  }
}

/** Bytes such as jute has them: small integers, lengths that fit and some that do not, and opcodes. */
const juteLike = fc
  .array(
    fc.oneof(
      fc.constantFrom(...types, 0, 1, 4, -1, -2, 2 ** 31 - 1, -(2 ** 31)).map((n) => [n >> 24, n >> 16, n >> 8, n]),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => [...bytes]),
      fc.uint8Array({ maxLength: 9 }).map((bytes) => [0, 0, 0, bytes.length, ...bytes]),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => Uint8Array.from(pieces.flat()));

/** A good message that is cut, lengthened, or changed in a few places. */
const mutated = fc
  .tuple(
    fc.oneof(
      any.requestMessage.map((message) => bodyOf(encodeClientMessage(message))),
      any.reply.map((message) => bodyOf(encodeServerMessage(message))),
      any.event.map((message) => bodyOf(encodeServerMessage(message))),
      any.connectRequest.map((message) => bodyOf(encodeClientMessage(message))),
      any.headedTxn.map(({ header, txn }) => encodeTxn(header, txn)),
    ),
    fc.nat(),
    fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }))), { maxLength: 4 }),
  )
  .map(([whole, cut, changes]) => {
    const bytes = cut % 3 === 0 ? whole.slice(0, cut % (whole.length + 1)) : whole.slice();
    for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
    return bytes;
  });

test('random and mutated bytes: a value or a ProtocolError, from every decoder', () => {
  const codes = new Set<ProtocolErrorCode | undefined>();
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), juteLike, mutated), (bytes) => {
      for (const decode of Object.values(decoders)) codes.add(outcome(decode, bytes));
    }),
    { ...any.run, numRuns: 6000 },
  );
  // The fuzz reaches every kind of fault; a frame's own is not among these.
  const all = ['BAD_UTF8', 'BAD_VALUE', 'EPOCH_TOO_LARGE', 'NEGATIVE_LENGTH', 'TRAILING_BYTES', 'TRUNCATED', 'UNKNOWN_OPCODE', undefined];
  expect([...codes].sort()).toEqual(all);
}, 60_000);

test('what is accepted is what would be written: decoding the encoding of a decoded value gives that value', () => {
  fc.assert(
    fc.property(fc.oneof(juteLike, mutated), (bytes) => {
      if (bytes.length < 8) return;
      const message = decodeClientMessage(bytes);
      if (message.kind === 'request') expect(decodeClientMessage(bodyOf(encodeClientMessage(message)))).toEqual(message);
    }),
    { ...any.run, numRuns: 4000 },
  );
});

test('every proper prefix of a txn is an error', () => {
  fc.assert(
    fc.property(any.headedTxn, ({ header, txn }) => {
      const bytes = encodeTxn(header, txn);
      for (let end = 0; end < bytes.length; end++) expect(outcome(decodeTxn, bytes.slice(0, end))).toBeDefined();
    }),
    { ...any.run, numRuns: 100 },
  );
});

test('a request without its whole header is an error, with a bad body a malformed message', () => {
  expect(outcome(decodeClientMessage, hex('00000001 000000'))).toBe('TRUNCATED');
  expect(outcome(decodeClientMessage, hex(''))).toBe('TRUNCATED');
  const malformed = (...pieces: string[]) => {
    const message = decodeClientMessage(hex(...pieces));
    return message.kind === 'malformed' ? { xid: message.xid, type: message.type, code: message.error.code } : message;
  };
  expect(malformed('00000007 00000004 00000002 2f61')).toEqual({ xid: 7, type: 4, code: 'TRUNCATED' });
  expect(malformed('00000007 00000004 fffffffe 2f61 00')).toEqual({ xid: 7, type: 4, code: 'NEGATIVE_LENGTH' });
  expect(malformed('00000007 00000004 ffffffff 00')).toEqual({ xid: 7, type: 4, code: 'BAD_VALUE' });
  expect(malformed('00000007 00000004 00000002 2fff 00')).toEqual({ xid: 7, type: 4, code: 'BAD_UTF8' });
  expect(malformed('fffffff8 00000065 0020000000000000 00000000 00000000 00000000')).toEqual({
    xid: -8,
    type: 101,
    code: 'EPOCH_TOO_LARGE',
  });
  // An auth without a proof: empty is one, null is none.
  expect(malformed('fffffffc 00000064 00000000 00000001 61 ffffffff')).toEqual({ xid: -4, type: 100, code: 'BAD_VALUE' });
  expect(malformed('fffffffc 00000064 00000000 00000001 61 00000000')).toMatchObject({ kind: 'request', request: { scheme: 'a' } });
});

test('operations of later versions, internal ones and numbers that are none are unknown', () => {
  for (const type of [0, 10, 20, 102, 500, -10, -1]) {
    const header = Uint8Array.from([0, 0, 0, 7, type >> 24, type >> 16, type >> 8, type]);
    expect(decodeClientMessage(header)).toMatchObject({ kind: 'malformed', xid: 7, type, error: { code: 'UNKNOWN_OPCODE' } });
  }
});

test('a multi holds only what ZooKeeper lets in', () => {
  for (const type of [3, 4, 7, 9, 14, 16, 20, 22, 500, -1]) {
    const body = Uint8Array.from([type >> 24, type >> 16, type >> 8, type, 0, 255, 255, 255, 255, ...new Array<number>(60).fill(0)]);
    expect(outcome((bytes) => decodeRequestBody(OpCode.multi, bytes), body)).toBe('BAD_VALUE');
  }
  // A good multi, empty, within a multi.
  const nested = hex('0000000e 00 ffffffff', 'ffffffff 01 ffffffff', 'ffffffff 01 ffffffff');
  expect(outcome((bytes) => decodeRequestBody(OpCode.multi, bytes), nested)).toBe('BAD_VALUE');
});

test('a txn of a multi within a multi is refused, so nothing nests', () => {
  const header = '0000000000000001 00000001 0000000100000001 0000000000000000 0000000e';
  expect(outcome(decodeTxn, hex(header, '00000001', '0000000e 00000004 00000000'))).toBe('BAD_VALUE');
  expect(outcome(decodeTxn, hex(header, '00000001', 'fffffff6 00000004 00000000'))).toBe('BAD_VALUE');
  expect(outcome(decodeTxn, hex(header, '00000001', '00000002 ffffffff'))).toBe('BAD_VALUE');
  // A part must fill its own length: one byte too many within it, one too few.
  expect(outcome(decodeTxn, hex(header, '00000001', '00000002 00000007 00000002 2f61 00'))).toBe('TRAILING_BYTES');
  expect(outcome(decodeTxn, hex(header, '00000001', '00000002 00000005 00000002 2f61'))).toBe('TRUNCATED');
});

test('a count or a length of 2^31 - 1 in a short frame fails at once and sets nothing aside', () => {
  const huge = '7fffffff';
  const bombs: [Decoder, Uint8Array][] = [
    [(bytes) => decodeRequestBody(OpCode.setWatches, bytes), hex('0000000000000001', huge, '00'.repeat(80))],
    [(bytes) => decodeRequestBody(OpCode.create, bytes), hex('00000002 2f61 00000000', huge, '00'.repeat(80))],
    [(bytes) => decodeRequestBody(OpCode.setData, bytes), hex('00000002 2f61', huge, '00'.repeat(80))],
    [(bytes) => decodeRequestBody(OpCode.getACL, bytes), hex(huge, '2f'.repeat(90))],
    [(bytes) => decodeServerMessage(bytes, () => OpCode.getChildren), hex('00000007 0000000000000001 00000000', huge, '00'.repeat(80))],
    [decodeTxn, hex('0000000000000001 00000001 0000000100000001 0000000000000000 0000000e', huge, '00'.repeat(80))],
    [decodeConnectRequest, hex('00000000 0000000000000000 00007530 0000000000000000', huge, '00'.repeat(80))],
  ];
  for (const [decode, bytes] of bombs) {
    const heapBefore = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    const start = performance.now();
    for (let round = 0; round < 100; round++) expect(outcome(decode, bytes)).toBe('TRUNCATED');
    // A hundred of them; a single one that believed its count would take seconds, or the process.
    expect(performance.now() - start).toBeLessThan(1000);
    expect(process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - heapBefore).toBeLessThan(64 * 2 ** 20);
  }
});

test('the fullest frames that there are take time in proportion', () => {
  const frameBytes = 1_000_000;
  const fullest: [Decoder, Uint8Array][] = [
    // A quarter of a million empty paths.
    [
      (bytes) => decodeRequestBody(OpCode.setWatches, bytes),
      hex('0000000000000001', (frameBytes / 4).toString(16).padStart(8, '0'), '00000000'.repeat(frameBytes / 4), '00000000 00000000'),
    ],
    // Deletes of the empty path in one multi.
    [
      (bytes) => decodeRequestBody(OpCode.multi, bytes),
      hex('00000002 00 ffffffff 00000000 00000000'.repeat(frameBytes / 17), 'ffffffff 01 ffffffff'),
    ],
    // One string, none of it ASCII.
    [
      (bytes) => decodeRequestBody(OpCode.getACL, bytes),
      hex((frameBytes / 2).toString(16).padStart(8, '0'), 'c3a9'.repeat(frameBytes / 4)),
    ],
  ];
  for (const [decode, bytes] of fullest) {
    const start = performance.now();
    expect(outcome(decode, bytes)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(2000);
  }
});

test('a request’s data are a view of its frame, a reply’s are the client’s own, and both are plain arrays, of Node Buffers too', () => {
  const request = Buffer.from(hex('00000006 00000005 00000002 2f61 00000003 010203 ffffffff'));
  const decoded = decodeClientMessage(request) as { request: { data: Uint8Array } };
  expect(decoded).toEqual({
    kind: 'request',
    xid: 6,
    request: { type: OpCode.setData, path: '/a', data: Uint8Array.of(1, 2, 3), version: -1 },
  });
  expect(decoded.request.data.constructor).toBe(Uint8Array);
  expect(decoded.request.data.buffer).toBe(request.buffer);

  const reply = Buffer.from(hex('00000006 0000000000000001 00000000 00000003 010203', '00'.repeat(68)));
  const answer = decodeServerMessage(reply, () => OpCode.getData) as { response: { data: Uint8Array } };
  reply.fill(0xee);
  expect(answer.response.data).toEqual(Uint8Array.of(1, 2, 3));
  expect(answer.response.data.constructor).toBe(Uint8Array);
  expect(answer.response.data.buffer.byteLength).toBe(3);
});
