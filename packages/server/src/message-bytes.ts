/**
 * What a message weighs while it waits in a queue, in bytes: near what it has on the wire, and more than nothing for the smallest one, so that a limit in
 * bytes also limits how many there are.
 */
import { type Acl, type ClientMessage, type MultiOp, OpCode, type Request, type ServerMessage, unreachable } from '@quorate/protocol';

/** What every message takes, in bytes: the object, its place in the queue, a header and a Stat. */
export const MESSAGE_BYTES_MIN = 128;

/** The same for a part of a message: an operation of a multi, an entry of a list. */
const PART_BYTES_MIN = 32;

/** A message from a client. */
export function clientMessageBytes(message: ClientMessage): number {
  return message.kind === 'request' ? requestBytes(message.request) : MESSAGE_BYTES_MIN;
}

/** A message to a client. */
export function serverMessageBytes(message: ServerMessage): number {
  switch (message.kind) {
    case 'connected':
      return MESSAGE_BYTES_MIN;
    case 'event':
      return MESSAGE_BYTES_MIN + message.path.length;
    case 'reply':
      return MESSAGE_BYTES_MIN + responseBytes(message.response);
    default:
      return unreachable(message);
  }
}

/** A request of one. */
export function requestBytes(request: Request): number {
  return MESSAGE_BYTES_MIN + bodyBytes(request);
}

function bodyBytes(request: Request): number {
  switch (request.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
    case OpCode.setData:
      return opBytes(request);
    case OpCode.multi: {
      let bytes = 0;
      for (const op of request.ops) bytes += PART_BYTES_MIN + opBytes(op);
      return bytes;
    }
    case OpCode.multiRead: {
      let bytes = 0;
      for (const { path } of request.ops) bytes += PART_BYTES_MIN + path.length;
      return bytes;
    }
    case OpCode.setACL:
      return request.path.length + aclBytes(request.acl);
    case OpCode.auth:
      return request.auth.length;
    case OpCode.setWatches:
      return listBytes(request.dataWatches) + listBytes(request.existWatches) + listBytes(request.childWatches);
    case OpCode.setWatches2: {
      const { dataWatches, existWatches, childWatches, persistentWatches, persistentRecursiveWatches } = request;
      return [dataWatches, existWatches, childWatches, persistentWatches, persistentRecursiveWatches].reduce(
        (sum, list) => sum + listBytes(list),
        0,
      );
    }
    default:
      return 'path' in request ? request.path.length : 0;
  }
}

function opBytes(op: MultiOp): number {
  let bytes = op.path.length;
  if ('data' in op) bytes += op.data?.length ?? 0;
  if ('acl' in op) bytes += aclBytes(op.acl);
  return bytes;
}

function aclBytes(acl: readonly Acl[]): number {
  let bytes = 0;
  for (const { id } of acl) bytes += PART_BYTES_MIN + id.scheme.length + id.id.length;
  return bytes;
}

function listBytes(paths: readonly string[]): number {
  let bytes = 0;
  for (const path of paths) bytes += PART_BYTES_MIN + path.length;
  return bytes;
}

function responseBytes(response: (ServerMessage & { readonly kind: 'reply' })['response']): number {
  switch (response?.type) {
    case OpCode.getData:
      return response.data?.length ?? 0;
    case OpCode.getChildren:
    case OpCode.getChildren2:
      return listBytes(response.children);
    case OpCode.getEphemerals:
      return listBytes(response.ephemerals);
    case OpCode.getACL:
      return aclBytes(response.acl);
    case OpCode.multi:
      return response.results.length * PART_BYTES_MIN;
    case OpCode.multiRead: {
      let bytes = 0;
      for (const result of response.results) bytes += PART_BYTES_MIN + (result.type === OpCode.error ? 0 : responseBytes(result));
      return bytes;
    }
    default:
      return 0;
  }
}
