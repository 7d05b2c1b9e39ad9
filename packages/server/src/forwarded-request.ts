/**
 * A write on its way from the server that holds the client to the leader: the payload of REQUEST (`Learner.request`).
 *
 * As in ZooKeeper it is the session, the cxid, the type, the request's own bytes and what the connection has proved; the wire codec of zab
 * carries it as it is. Between our servers the ids are a part of the payload, not of the packet; and where ZooKeeper's leader takes every session that it does
 * not know for a local one of somebody's, ours is told.
 */
import {
  type CloseSessionRequest,
  decodeRequestBody,
  idCodec,
  JuteReader,
  JuteWriter,
  OpCode,
  ProtocolError,
  type Request,
  writeRequest,
} from '@quorate/protocol';
import type { AuthIds } from './auth-ids.js';
import type { TreeWrite } from './prepare.js';

/** A new session is wanted. Made by servers, never by clients. */
export interface CreateSessionRequest {
  readonly type: typeof OpCode.createSession;
  /** Negotiated. */
  readonly timeOut: number;
}

/** All that the leader turns into txns. */
export type WriteRequest = TreeWrite | CloseSessionRequest | CreateSessionRequest;

/** A session that the server of the client alone knows. */
export interface LocalOrigin {
  /** Negotiated, in milliseconds. */
  readonly timeOut: number;
  /** The session becomes the ensemble's before the request is done, for it is to own an ephemeral. */
  readonly upgrading: boolean;
}

export interface ForwardedRequest {
  readonly session: bigint;
  readonly cxid: number;
  readonly authIds: AuthIds;
  readonly request: WriteRequest;
  /** Undefined where the session is the ensemble's. */
  readonly local?: LocalOrigin | undefined;
}

const ID_BYTES_MIN = 8;

/** Whether a request is one that becomes a txn, be it an error. */
export function isWrite(request: Request): request is TreeWrite | CloseSessionRequest {
  switch (request.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.setACL:
    case OpCode.multi:
    case OpCode.reconfig:
    case OpCode.closeSession:
      return true;
    default:
      return false;
  }
}

export function encodeForwardedRequest(
  { session, cxid, authIds, request, local }: ForwardedRequest,
  writer = new JuteWriter(),
): Uint8Array {
  writer.clear();
  writer.long(session);
  writer.int(cxid);
  writer.int(request.type);
  writer.vector(authIds, idCodec.write);
  writeOrigin(writer, local);
  if (request.type === OpCode.createSession) {
    writer.int(request.timeOut);
  } else {
    const at = writer.beginLength();
    writeRequest(writer, request);
    writer.endLength(at);
  }
  return writer.finish();
}

/** A forwarded request in the two parts that ZooKeeper's packet has (`Learner.request`). @throws ProtocolError where the bytes are none. */
export function splitForwardedRequest(payload: Uint8Array): { readonly data: Uint8Array; readonly authinfo: Uint8Array } {
  const reader = JuteReader.sharing(payload);
  const writer = new JuteWriter(payload.length);
  writer.long(reader.long());
  writer.int(reader.int());
  const type = reader.int();
  writer.int(type);
  const authIds = reader.vector(idCodec.read, ID_BYTES_MIN);
  readOrigin(reader);
  if (type !== OpCode.createSession) reader.int();
  writer.raw(payload.subarray(payload.length - reader.remaining));
  const data = writer.finish();
  writer.vector(authIds, idCodec.write);
  return { data, authinfo: writer.finish() };
}

/** @throws ProtocolError where the bytes are no forwarded request. */
export function decodeForwardedRequest(payload: Uint8Array): ForwardedRequest {
  const reader = new JuteReader(payload);
  const session = reader.long();
  const cxid = reader.int();
  const type = reader.int();
  const authIds = reader.vector(idCodec.read, ID_BYTES_MIN);
  const local = readOrigin(reader);
  let request: WriteRequest;
  if (type === OpCode.createSession) {
    request = { type, timeOut: reader.int() };
  } else {
    // The body stands at the end, so it is read where it is instead of being copied first.
    const length = reader.int();
    if (length !== reader.remaining) throw new ProtocolError('BAD_VALUE', 'the body of a forwarded request is not as long as it says');
    const decoded = decodeRequestBody(type, payload.subarray(payload.length - length));
    if (!isWrite(decoded)) throw new ProtocolError('BAD_VALUE', 'a forwarded request is a write');
    return { session, cxid, authIds, request: decoded, local };
  }
  reader.finish();
  return { session, cxid, authIds, request, local };
}

function writeOrigin(writer: JuteWriter, local: LocalOrigin | undefined): void {
  writer.bool(local !== undefined);
  if (local === undefined) return;
  writer.int(local.timeOut);
  writer.bool(local.upgrading);
}

function readOrigin(reader: JuteReader): LocalOrigin | undefined {
  if (!reader.bool()) return undefined;
  const timeOut = reader.int();
  if (timeOut <= 0) throw new ProtocolError('BAD_VALUE', 'the timeout of a local session is above 0');
  return { timeOut, upgrading: reader.bool() };
}
