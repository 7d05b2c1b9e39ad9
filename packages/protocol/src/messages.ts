/**
 * What goes over the connection of a client, as immutable objects: in one process they are passed as they are, over a byte stream
 * they are encoded by `client-messages.ts` and `server-messages.ts`.
 */
import type { ProtocolError } from './protocol-error.js';
import type { Request } from './requests.js';
import type { Response } from './responses.js';
import type { Zxid } from './zxid.js';

/** The xids that are not a client's count of its requests. */
export const Xid = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const;

/** What a watch event tells (`Watcher.Event.EventType`). That a watch was taken back is what a client tells its own watchers; no server sends it. */
export const EventType = {
  none: -1,
  nodeCreated: 1,
  nodeDeleted: 2,
  nodeDataChanged: 3,
  nodeChildrenChanged: 4,
  dataWatchRemoved: 5,
  childWatchRemoved: 6,
  persistentWatchRemoved: 7,
} as const;

/** One of the event types. */
export type EventType = (typeof EventType)[keyof typeof EventType];

/** How a client stands to its ensemble (`Watcher.Event.KeeperState`). */
export const KeeperState = {
  disconnected: 0,
  syncConnected: 3,
  authFailed: 4,
  connectedReadOnly: 5,
  saslAuthenticated: 6,
  closed: 7,
  expired: -112,
} as const;

/** One of the states. */
export type KeeperState = (typeof KeeperState)[keyof typeof KeeperState];

/** The first message of a client: it wants a session, a new one or its own again. */
export interface ConnectRequest {
  readonly kind: 'connect';
  readonly protocolVersion: number;
  /** The greatest zxid that the client has seen; a server that is behind it must not take the client. */
  readonly lastZxidSeen: Zxid;
  /** The session timeout that the client asks for, in milliseconds. */
  readonly timeOut: number;
  /** `0n` for a new session. */
  readonly sessionId: bigint;
  readonly passwd: Uint8Array;
  /** The client would put up with a server that can only read. */
  readonly readOnly: boolean;
}

/** A request. */
export interface RequestMessage {
  readonly kind: 'request';
  /** The client's count of its requests, or one of `Xid`. */
  readonly xid: number;
  readonly request: Request;
}

/** A request that has a header and, behind it, something that is not a request. */
export interface MalformedMessage {
  readonly kind: 'malformed';
  readonly xid: number;
  readonly type: number;
  /** UNKNOWN_OPCODE where `type` is not one that is known, else what is wrong with the body. */
  readonly error: ProtocolError;
}

/** What comes from a client. */
export type ClientMessage = ConnectRequest | RequestMessage | MalformedMessage;

/** The first message of a server. A `timeOut` of 0 tells that the session is gone. */
export interface ConnectResponse {
  readonly kind: 'connected';
  readonly protocolVersion: number;
  /** The negotiated session timeout in milliseconds. */
  readonly timeOut: number;
  readonly sessionId: bigint;
  readonly passwd: Uint8Array;
  /** The server can only read. */
  readonly readOnly: boolean;
}

/** The answer to a request. */
export interface ReplyMessage {
  readonly kind: 'reply';
  readonly xid: number;
  /** The txn of a write; for a read the last txn that it can show. */
  readonly zxid: Zxid;
  /** An `ErrorCode`. */
  readonly err: number;
  /** Undefined where `err` is not 0, and for the operations that are answered by the header alone. */
  readonly response: Response | undefined;
}

/** A watch has fired. */
export interface EventMessage {
  readonly kind: 'event';
  /** An `EventType`. */
  readonly type: number;
  /** A `KeeperState`. */
  readonly state: number;
  readonly path: string;
  /** The txn that fired the watch; −1 from servers before 3.9. */
  readonly zxid: Zxid;
}

/** What comes from a server. */
export type ServerMessage = ConnectResponse | ReplyMessage | EventMessage;
