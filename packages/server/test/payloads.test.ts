import { isProtocolError, makeZxid, NO_ZXID, OPEN_ACL_UNSAFE, OpCode } from '@quorate/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Database } from '../src/database.ts';
import { decodeForwardedRequest, encodeForwardedRequest, type ForwardedRequest } from '../src/forwarded-request.ts';
import { joined } from '../src/pieces.ts';
import { decodeSessionMessage, decodeTouches, encodeSessionMessage, encodeTouches, type SessionMessage } from '../src/session-messages.ts';

const forwarded: readonly ForwardedRequest[] = [
  {
    session: -5n,
    cxid: 7,
    authIds: [{ scheme: 'digest', id: 'ü:x' }],
    request: { type: OpCode.create, path: '/a', data: null, acl: OPEN_ACL_UNSAFE, flags: 3 },
  },
  {
    session: 3n,
    cxid: 8,
    authIds: [{ scheme: 'ip', id: '10.0.0.1' }],
    request: { type: OpCode.createTTL, path: '/a', data: null, acl: OPEN_ACL_UNSAFE, flags: 5, ttl: 2 ** 40 - 1 },
  },
  {
    session: 3n,
    cxid: 9,
    authIds: [],
    request: { type: OpCode.createContainer, path: '/a', data: null, acl: OPEN_ACL_UNSAFE, flags: 4 },
  },
  { session: 1n, cxid: -1, authIds: [], request: { type: OpCode.closeSession } },
  {
    session: 4n,
    cxid: 5,
    authIds: [],
    request: { type: OpCode.delete, path: '/a', version: -1 },
    local: { timeOut: 4_000, upgrading: false },
  },
  {
    session: 4n,
    cxid: 6,
    authIds: [],
    request: { type: OpCode.create, path: '/a', data: null, acl: OPEN_ACL_UNSAFE, flags: 1 },
    local: { timeOut: 1, upgrading: true },
  },
  { session: 2n ** 62n, cxid: 0, authIds: [], request: { type: OpCode.createSession, timeOut: 4_000 } },
  { session: 9n, cxid: 1, authIds: [], request: { type: OpCode.multi, ops: [{ type: OpCode.check, path: '/', version: -1 }] } },
];

const messages: readonly SessionMessage[] = [
  { type: 'renew', session: 5n, timeOut: 100 },
  { type: 'hold', sessions: [{ id: -1n, timeOut: 3, stamp: makeZxid(3, 4) }] },
  { type: 'renewed', session: 5n, lives: true, zxid: makeZxid(1, 2), stamp: makeZxid(2, 0) },
  { type: 'moved', session: 5n, stamp: 77 },
  { type: 'taken', session: 5n },
];

describe('payloads between servers', () => {
  it.each(forwarded)('a forwarded request comes back as it was: %#', (request) => {
    expect(decodeForwardedRequest(encodeForwardedRequest(request))).toEqual(request);
  });

  it.each(messages)('a message about sessions comes back as it was: $type', (message) => {
    expect(decodeSessionMessage(encodeSessionMessage(message))).toEqual(message);
  });

  it('touches come back as they were', () => {
    const touches = [
      { id: 1n, timeOut: 2 },
      { id: -1n, timeOut: 3 },
    ];
    expect(decodeTouches(encodeTouches(touches))).toEqual(touches);
  });

  it.each<[string, (bytes: Uint8Array) => unknown, readonly Uint8Array[]]>([
    ['forwarded requests', decodeForwardedRequest, forwarded.map((request) => encodeForwardedRequest(request))],
    ['messages about sessions', decodeSessionMessage, messages.map(encodeSessionMessage)],
    ['touches', decodeTouches, [encodeTouches([{ id: 1n, timeOut: 2 }])]],
    ['snapshots', (bytes: Uint8Array) => Database.deserialize(bytes, NO_ZXID), [joined([...new Database().snapshot()])]],
  ])('%s: any bytes give a value or a ProtocolError', (_name, decode, examples) => {
    const mutated = fc.tuple(fc.constantFrom(...examples), fc.nat(), fc.nat({ max: 255 }), fc.nat()).map(([bytes, at, byte, cut]) => {
      const copy = bytes.slice(0, cut % 3 === 0 ? cut % (bytes.length + 1) : bytes.length);
      if (copy.length > 0) copy[at % copy.length] = byte;
      return copy;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), (bytes) => {
        try {
          decode(bytes);
        } catch (error) {
          if (!isProtocolError(error)) throw error;
        }
      }),
    );
  });
});
