import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  aclCodec,
  type Codec,
  decodeClientMessage,
  decodeConnectRequest,
  decodeConnectResponse,
  decodeRequestBody,
  decodeServerMessage,
  decodeTxn,
  encodeClientMessage,
  encodeConnectRequest,
  encodeConnectResponse,
  encodeServerMessage,
  encodeTxn,
  InvariantError,
  idCodec,
  JuteReader,
  JuteWriter,
  OpCode,
  type ReplyMessage,
  statCodec,
  writeRequest,
  type Zxid,
} from '../src/index.js';
import * as any from './arbitraries.js';
import { bodyOf } from './hex.js';

function roundTrip<T>(codec: Codec<T>, value: T): T {
  const writer = new JuteWriter(1);
  codec.write(writer, value);
  const reader = new JuteReader(writer.finish());
  const read = codec.read(reader);
  reader.finish();
  return read;
}

test('Stat, Id, ACL come back', () => {
  fc.assert(
    fc.property(any.stat, (stat) => {
      expect(roundTrip(statCodec, stat)).toEqual(stat);
    }),
    any.run,
  );
  fc.assert(
    fc.property(any.acl, (acl) => {
      expect(roundTrip(aclCodec, acl)).toEqual(acl);
      expect(roundTrip(idCodec, acl.id)).toEqual(acl.id);
    }),
    any.run,
  );
});

test('every request comes back, as a body and as a message', () => {
  const seen = new Set<number>();
  fc.assert(
    fc.property(any.requestMessage, (message) => {
      seen.add(message.request.type);
      const writer = new JuteWriter();
      writeRequest(writer, message.request);
      expect(decodeRequestBody(message.request.type, writer.finish())).toEqual(message.request);
      expect(decodeClientMessage(bodyOf(encodeClientMessage(message)))).toEqual(message);
    }),
    { ...any.run, numRuns: 1500 },
  );
  expect(seen.size).toBe(28);
});

test('every reply comes back', () => {
  const seen = new Set<number>();
  fc.assert(
    fc.property(any.reply, (message) => {
      seen.add(message.response.type);
      expect(decodeServerMessage(bodyOf(encodeServerMessage(message)), () => message.response.type)).toEqual(message);
    }),
    { ...any.run, numRuns: 1500 },
  );
  expect(seen.size).toBe(18);
});

test('every txn comes back', () => {
  const seen = new Set<number>();
  fc.assert(
    fc.property(any.headedTxn, ({ header, txn }) => {
      seen.add(txn.type);
      expect(decodeTxn(encodeTxn(header, txn))).toEqual({ header, txn });
    }),
    { ...any.run, numRuns: 1500 },
  );
  expect(seen.size).toBe(13);
});

test('the handshake comes back, with the byte readOnly and without', () => {
  fc.assert(
    fc.property(any.connectRequest, any.connectResponse, (request, response) => {
      expect(decodeConnectRequest(bodyOf(encodeClientMessage(request)))).toEqual({ ...request, hasReadOnly: true });
      expect(decodeConnectRequest(bodyOf(encodeConnectRequest(request, { withReadOnly: false })))).toEqual({
        ...request,
        readOnly: false,
        hasReadOnly: false,
      });
      expect(decodeConnectResponse(bodyOf(encodeServerMessage(response)))).toEqual(response);
      expect(decodeConnectResponse(bodyOf(encodeConnectResponse(response, { withReadOnly: false })))).toEqual({
        ...response,
        readOnly: false,
      });
    }),
    any.run,
  );
});

test('events come back, under the xid -1', () => {
  fc.assert(
    fc.property(any.event, (event) => {
      expect(
        decodeServerMessage(bodyOf(encodeServerMessage(event)), () => {
          throw new Error('nobody asked for an event');
        }),
      ).toEqual(event);
    }),
    any.run,
  );
});

test('a reply that is a header alone has no response', () => {
  const types = [
    ...[OpCode.delete, OpCode.check, OpCode.ping, OpCode.auth, OpCode.setWatches, OpCode.setWatches2],
    ...[OpCode.checkWatches, OpCode.removeWatches, OpCode.closeSession],
  ];
  for (const type of types) {
    const reply: ReplyMessage = { kind: 'reply', xid: 7, zxid: 9 as Zxid, err: 0, response: undefined };
    const frame = encodeServerMessage(reply);
    expect(frame.length).toBe(20);
    expect(decodeServerMessage(bodyOf(frame), () => type)).toEqual(reply);
  }
});

test('a reply with an err has no body, whatever was asked', () => {
  const stat = fc.sample(any.stat, { ...any.run, numRuns: 1 })[0];
  if (stat === undefined) throw new Error('no sample');
  const reply: ReplyMessage = { kind: 'reply', xid: 7, zxid: 9 as Zxid, err: -101, response: { type: OpCode.exists, stat } };
  const frame = encodeServerMessage(reply);
  expect(frame.length).toBe(20);
  expect(decodeServerMessage(bodyOf(frame), () => OpCode.exists)).toEqual({ ...reply, response: undefined });
});

test('the xids -2, -4 and -8 are known without asking', () => {
  for (const xid of [-2, -4, -8]) {
    const reply: ReplyMessage = { kind: 'reply', xid, zxid: 1 as Zxid, err: 0, response: undefined };
    expect(decodeServerMessage(bodyOf(encodeServerMessage(reply)), () => undefined)).toEqual(reply);
  }
});

test('an answer that nobody asked for is an error', () => {
  const frame = encodeServerMessage({ kind: 'reply', xid: 7, zxid: 1 as Zxid, err: 0, response: undefined });
  expect(() => decodeServerMessage(bodyOf(frame), () => undefined)).toThrow(expect.objectContaining({ code: 'BAD_VALUE' }));
});

test('bytes behind a request, an answer or a handshake are ignored, behind a txn they are not', () => {
  const longer = (bytes: Uint8Array) => Uint8Array.from([...bytes, 1, 2, 3]);
  fc.assert(
    fc.property(any.requestMessage, any.reply, any.connectRequest, any.headedTxn, (request, reply, connect, { header, txn }) => {
      expect(decodeClientMessage(longer(bodyOf(encodeClientMessage(request))))).toEqual(request);
      expect(decodeServerMessage(longer(bodyOf(encodeServerMessage(reply))), () => reply.response.type)).toEqual(reply);
      expect(decodeConnectRequest(longer(bodyOf(encodeConnectRequest(connect))))).toMatchObject(connect);
      expect(() => decodeTxn(longer(encodeTxn(header, txn)))).toThrow(expect.objectContaining({ code: 'TRAILING_BYTES' }));
    }),
    any.run,
  );
});

test('a writer that is shared gives arrays that are not', () => {
  const writer = new JuteWriter();
  const ping = encodeClientMessage({ kind: 'request', xid: -2, request: { type: OpCode.ping } }, writer);
  const before = Uint8Array.from(ping);
  encodeClientMessage({ kind: 'request', xid: 5, request: { type: OpCode.sync, path: '/somewhere' } }, writer);
  expect(ping).toEqual(before);
  expect(ping.buffer.byteLength).toBe(12);
});

test('a writer whose last message failed begins anew', () => {
  const writer = new JuteWriter();
  const malformed = decodeClientMessage(new Uint8Array(8));
  expect(() => encodeClientMessage(malformed, writer)).toThrow(InvariantError);
  expect(() =>
    encodeClientMessage({ kind: 'request', xid: 5, request: { type: OpCode.sync, path: undefined as never } }, writer),
  ).toThrow();
  expect(encodeClientMessage({ kind: 'request', xid: -2, request: { type: OpCode.ping } }, writer).length).toBe(12);
  const half = { kind: 'event', type: 1, state: 3, path: undefined as never, zxid: 1 as Zxid } as const;
  expect(() => encodeServerMessage(half, writer)).toThrow();
  expect(encodeServerMessage({ kind: 'reply', xid: -2, zxid: 1 as Zxid, err: 0, response: undefined }, writer).length).toBe(20);
});
