/** The frames that a server sends: the handshake, then records `ReplyHeader` each with an answer or with a record `WatcherEvent`. */
import { encodeConnectResponse } from './connect.js';
import { ErrorCode } from './errors.js';
import { JuteReader } from './jute-reader.js';
import { JuteWriter } from './jute-writer.js';
import { type EventMessage, type ReplyMessage, type ServerMessage, Xid } from './messages.js';
import { OpCode } from './opcode.js';
import { ProtocolError } from './protocol-error.js';
import { readResponse, writeResponse } from './response-codec.js';

/**
 * The frame of a message, with its length. A `ConnectResponse` gets the byte readOnly; for a client that must not have it there is
 * `encodeConnectResponse`.
 *
 * @param writer is used and left empty; whoever encodes much passes the same one each time.
 */
export function encodeServerMessage(message: ServerMessage, writer = new JuteWriter()): Uint8Array {
  if (message.kind === 'connected') return encodeConnectResponse(message, {}, writer);
  writer.clear();
  writeServerMessage(writer, message);
  return writer.finish();
}

/** Writes the frame of a message behind what has been written, so that many are sent at once. */
export function writeServerMessage(writer: JuteWriter, message: ReplyMessage | EventMessage): void {
  const length = writer.beginLength();
  if (message.kind === 'event') {
    writeHeader(writer, Xid.notification, message.zxid, ErrorCode.OK);
    writer.int(message.type);
    writer.int(message.state);
    writer.string(message.path);
  } else {
    writeHeader(writer, message.xid, message.zxid, message.err);
    // Whatever a reply with an err holds is not sent: no client would read it.
    if (message.err === ErrorCode.OK && message.response !== undefined) writeResponse(writer, message.response);
  }
  writer.endLength(length);
}

/**
 * The message of a frame, without its length, that is not the server's first: that one is for `decodeConnectResponse`.
 *
 * @param typeOf the type of the request that the client sent under an xid; undefined where it sent none. Not asked for the xids of `Xid`.
 * @throws ProtocolError BAD_VALUE for the answer to a request that was never made, else what is wrong with the bytes.
 */
export function decodeServerMessage(body: Uint8Array, typeOf: (xid: number) => number | undefined): ReplyMessage | EventMessage {
  const reader = new JuteReader(body);
  const xid = reader.int();
  const zxid = reader.zxid();
  const err = reader.int();
  if (xid === Xid.notification) {
    return { kind: 'event', type: reader.int(), state: reader.int(), path: reader.string(), zxid };
  }
  const type = specialType(xid) ?? typeOf(xid);
  if (type === undefined) throw new ProtocolError('BAD_VALUE', `an answer has the xid ${xid}, under which nothing was asked`);
  return { kind: 'reply', xid, zxid, err, response: err === ErrorCode.OK ? readResponse(reader, type) : undefined };
}

/** The type of a request that goes by an xid of its own. */
function specialType(xid: number): number | undefined {
  if (xid === Xid.ping) return OpCode.ping;
  if (xid === Xid.auth) return OpCode.auth;
  if (xid === Xid.setWatches) return OpCode.setWatches;
  return undefined;
}

function writeHeader(writer: JuteWriter, xid: number, zxid: EventMessage['zxid'], err: number): void {
  writer.int(xid);
  writer.zxid(zxid);
  writer.int(err);
}
