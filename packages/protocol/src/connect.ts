/**
 * The bytes of the handshake, the only messages without a header (records `ConnectRequest` and `ConnectResponse`).
 *
 * Clients and servers before ZooKeeper 3.4 leave out the last byte, readOnly; a server must not send it to a client that did not.
 * Bytes behind the record are ignored.
 */
import { JuteReader } from './jute-reader.js';
import { JuteWriter } from './jute-writer.js';
import type { ConnectRequest, ConnectResponse } from './messages.js';

/** Which form of the handshake is spoken. */
export interface ConnectOptions {
  /** Whether the byte readOnly is sent; true when absent. */
  readonly withReadOnly?: boolean | undefined;
}

/** A `ConnectRequest` that was decoded, and which form the client speaks. */
export interface DecodedConnectRequest extends ConnectRequest {
  readonly hasReadOnly: boolean;
}

/** The first frame of a client, with its length. */
export function encodeConnectRequest(request: ConnectRequest, options: ConnectOptions = {}, writer = new JuteWriter()): Uint8Array {
  writer.clear();
  const length = writer.beginLength();
  writer.int(request.protocolVersion);
  writer.zxid(request.lastZxidSeen);
  writer.int(request.timeOut);
  writer.long(request.sessionId);
  writer.buffer(request.passwd);
  if (options.withReadOnly !== false) writer.bool(request.readOnly);
  writer.endLength(length);
  return writer.finish();
}

/** The request of a client's first frame, without its length. @throws ProtocolError */
export function decodeConnectRequest(body: Uint8Array): DecodedConnectRequest {
  const reader = new JuteReader(body);
  const protocolVersion = reader.int();
  const lastZxidSeen = reader.zxid();
  const timeOut = reader.int();
  const sessionId = reader.long();
  const passwd = readPassword(reader);
  const hasReadOnly = reader.remaining > 0;
  const readOnly = hasReadOnly && reader.bool();
  return { kind: 'connect', protocolVersion, lastZxidSeen, timeOut, sessionId, passwd, readOnly, hasReadOnly };
}

/** The first frame of a server, with its length. */
export function encodeConnectResponse(response: ConnectResponse, options: ConnectOptions = {}, writer = new JuteWriter()): Uint8Array {
  writer.clear();
  const length = writer.beginLength();
  writer.int(response.protocolVersion);
  writer.int(response.timeOut);
  writer.long(response.sessionId);
  writer.buffer(response.passwd);
  if (options.withReadOnly !== false) writer.bool(response.readOnly);
  writer.endLength(length);
  return writer.finish();
}

/** The answer of a server's first frame, without its length. @throws ProtocolError */
export function decodeConnectResponse(body: Uint8Array): ConnectResponse {
  const reader = new JuteReader(body);
  const protocolVersion = reader.int();
  const timeOut = reader.int();
  const sessionId = reader.long();
  const passwd = readPassword(reader);
  const readOnly = reader.remaining > 0 && reader.bool();
  return { kind: 'connected', protocolVersion, timeOut, sessionId, passwd, readOnly };
}

/** Null is no password: empty. */
function readPassword(reader: JuteReader): Uint8Array {
  return reader.buffer() ?? new Uint8Array(0);
}
