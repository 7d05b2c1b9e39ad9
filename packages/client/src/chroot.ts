/**
 * A znode that is the root of all that a client sees (ZooKeeper: `ZooKeeper.prependChroot`).
 *
 * It is put in front of every path on the way to the server, and taken off every path on the way back, at the connection: everything above knows the client's own paths alone.
 * A path that is good has no `..` in it, so that none leads out.
 */
import { type CreateMode, isSequential, OpCode, type Request, type Response, type ServerMessage } from '@quorate/protocol';
import type { Connection, ConnectionHandler, Connector } from './connection.js';

/** The same servers, whose root is the chroot of this. */
export function chrootConnector(connector: Connector, chroot: string): Connector {
  return {
    servers: connector.servers,
    connect(index: number, handler: ConnectionHandler): Connection {
      const connection = connector.connect(index, {
        onOpen: () => handler.onOpen(),
        onMessage: (message) => {
          const own = within(chroot, message);
          if (own !== undefined) handler.onMessage(own);
        },
        onClose: (reason) => handler.onClose(reason),
      });
      return {
        send: (message) =>
          connection.send(message.kind === 'request' ? { ...message, request: requestBelow(chroot, message.request) } : message),
        close: () => connection.close(),
      };
    },
  };
}

/** A request as the server is to get it. */
export function requestBelow<R extends Request>(chroot: string, request: R): R;
export function requestBelow(chroot: string, request: Request): Request {
  switch (request.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL: {
      // The number of a sequential znode is the name of one within the chroot, also where the path is the root.
      const path = isSequential(request.flags as CreateMode) ? chroot + request.path : below(chroot, request.path);
      return { ...request, path };
    }
    case OpCode.multi:
      return { ...request, ops: request.ops.map((op) => requestBelow(chroot, op)) };
    case OpCode.multiRead:
      return { ...request, ops: request.ops.map((op) => ({ ...op, path: below(chroot, op.path) })) };
    case OpCode.getEphemerals:
      // With the slash, because `/app` is a prefix of `/application` too.
      return { ...request, prefixPath: chroot + request.prefixPath };
    case OpCode.setWatches:
      return { ...request, ...watchesBelow(chroot, request) };
    case OpCode.setWatches2:
      return {
        ...request,
        ...watchesBelow(chroot, request),
        persistentWatches: allBelow(chroot, request.persistentWatches),
        persistentRecursiveWatches: allBelow(chroot, request.persistentRecursiveWatches),
      };
    default:
      return 'path' in request ? { ...request, path: below(chroot, request.path) } : request;
  }
}

interface OneShotWatches {
  readonly dataWatches: readonly string[];
  readonly existWatches: readonly string[];
  readonly childWatches: readonly string[];
}

function watchesBelow(chroot: string, { dataWatches, existWatches, childWatches }: OneShotWatches): OneShotWatches {
  return {
    dataWatches: allBelow(chroot, dataWatches),
    existWatches: allBelow(chroot, existWatches),
    childWatches: allBelow(chroot, childWatches),
  };
}

/** A message as the client is to get it; undefined for what is not the client's to see, of which no server that keeps to the protocol tells. */
function within(chroot: string, message: ServerMessage): ServerMessage | undefined {
  switch (message.kind) {
    case 'event':
      if (message.path === '' || message.path === null) return message;
      return isWithin(chroot, message.path) ? { ...message, path: off(chroot, message.path) } : undefined;
    case 'reply':
      return message.response === undefined ? message : { ...message, response: responseWithin(chroot, message.response) };
    default:
      return message;
  }
}

function responseWithin(chroot: string, response: Response): Response {
  switch (response.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
    case OpCode.sync:
      return { ...response, path: off(chroot, response.path) };
    case OpCode.multi:
      return {
        ...response,
        results: response.results.map((result) => ('path' in result ? { ...result, path: off(chroot, result.path) } : result)),
      };
    case OpCode.getEphemerals:
      return { ...response, ephemerals: response.ephemerals.map((path) => off(chroot, path)) };
    default:
      return response;
  }
}

function isWithin(chroot: string, path: string): boolean {
  return path.startsWith(chroot) && (path.length === chroot.length || path[chroot.length] === '/');
}

function below(chroot: string, path: string): string {
  return path === '/' ? chroot : chroot + path;
}

function allBelow(chroot: string, paths: readonly string[]): string[] {
  return paths.map((path) => below(chroot, path));
}

function off(chroot: string, path: string): string {
  return path.length === chroot.length ? '/' : path.slice(chroot.length);
}
