/** The frames that a client sends: the handshake, then records `RequestHeader` each with a request. */
import { assert } from './assert.js';
import { encodeConnectRequest } from './connect.js';
import { JuteReader } from './jute-reader.js';
import { JuteWriter } from './jute-writer.js';
import type { ClientMessage, MalformedMessage, RequestMessage } from './messages.js';
import { isProtocolError } from './protocol-error.js';
import { readRequest, writeRequest } from './request-codec.js';

/**
 * The frame of a message, with its length. A `MalformedMessage` is only ever received.
 *
 * @param writer is used and left empty; whoever encodes much passes the same one each time.
 */
export function encodeClientMessage(message: ClientMessage, writer = new JuteWriter()): Uint8Array {
  assert(message.kind !== 'malformed', 'a malformed message is never sent');
  if (message.kind === 'connect') return encodeConnectRequest(message, {}, writer);
  writer.clear();
  writeClientMessage(writer, message);
  return writer.finish();
}

/** Writes the frame of a request behind what has been written, so that many are sent at once. */
export function writeClientMessage(writer: JuteWriter, { xid, request }: RequestMessage): void {
  const length = writer.beginLength();
  writer.int(xid);
  writer.int(request.type);
  writeRequest(writer, request);
  writer.endLength(length);
}

/**
 * The message of a frame, without its length, that is not the client's first: that one is for `decodeConnectRequest`.
 *
 * Its data are views of the frame, which belongs to the message from then on.
 *
 * What is wrong behind the header is told by a `MalformedMessage`, so that it can be answered under its xid.
 *
 * @throws ProtocolError TRUNCATED where not even a header is there.
 */
export function decodeClientMessage(body: Uint8Array): RequestMessage | MalformedMessage {
  return readClientMessage(JuteReader.sharing(body));
}

/** The message that a reader of `FrameSplitter` stands before, as `decodeClientMessage`. */
export function readClientMessage(reader: JuteReader): RequestMessage | MalformedMessage {
  const xid = reader.int();
  const type = reader.int();
  try {
    return { kind: 'request', xid, request: readRequest(reader, type) };
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return { kind: 'malformed', xid, type, error };
  }
}
