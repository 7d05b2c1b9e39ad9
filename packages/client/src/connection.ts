/**
 * How a client reaches a server, as a port: one ordered stream of messages in each direction.
 *
 * In process the messages are passed as they are; over TCP (`@quorate/node`) they are encoded. Messages are immutable: bytes in them
 * belong to whoever sent them and are never written again.
 */
import type { ClientMessage, ServerMessage } from '@quorate/protocol';

/** One connection, seen from the client. */
export interface Connection {
  /** Queues one message; messages arrive in the order of sending. Sending on a closed connection does nothing. */
  send(message: ClientMessage): void;
  /** Ends the connection; its handler is told nothing after this. What was sent before still travels where it can. */
  close(): void;
}

/** What a connection reports. Nothing is reported after `onClose`. */
export interface ConnectionHandler {
  /** The server can be written to. Called once, before any message. */
  onOpen(): void;
  onMessage(message: ServerMessage): void;
  /** The connection has ended, or could not be opened. `reason` is for people to read. */
  onClose(reason?: Error): void;
}

/**
 * Opens connections to the servers of an ensemble. Implement this to reach servers over a stream of your own.
 *
 * A handler is never called from inside `connect`, `send` or `close`, only later, so that a client is never entered twice.
 */
export interface Connector {
  /** How many servers there are to choose from; at least 1. */
  readonly servers: number;
  /** What its clients see as their root, where that is not the servers': `/app`. The client sees to it. */
  readonly chroot?: string | undefined;
  /** @param index which server, from 0 up to and without `servers`. */
  connect(index: number, handler: ConnectionHandler): Connection;
}
