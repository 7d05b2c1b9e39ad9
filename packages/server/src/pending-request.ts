import type { EventMessage, Request, Response, Zxid } from '@quorate/protocol';
import type { AuthIds } from './auth-ids.js';

/** A client's connection, as those see it who answer its requests and fire its watches. */
export interface Connection {
  readonly isClosed: boolean;
  /** 0n before it has one. */
  readonly sessionId: bigint;
  /** What it has proved by now. */
  readonly authIds: AuthIds;
  /** The txn of a write is applied. */
  finish(pending: PendingRequest, zxid: Zxid, err: number, response: Response | undefined): void;
  /** A sync is done. */
  synced(pending: PendingRequest): void;
  /** A watch has fired. */
  sendEvent(event: EventMessage): void;
  /** Ends it; what was not answered has an outcome that the client does not know. */
  close(): void;
}

/** A request that is not answered. */
export interface PendingRequest {
  readonly port: Connection;
  readonly xid: number;
  /** Undefined where there is nothing to do but to answer `err`. */
  readonly request: Request | undefined;
  /** What it takes while it is not answered; 0 for one that is answered at once. */
  bytes: number;
  /** When it came; undefined for one that is answered at once. */
  sinceMs: number | undefined;
  /** What the connection had proved when the request came. */
  readonly authIds: AuthIds;
  readonly err: number;
  /** True until the txn of a write is applied, or a sync is done. */
  waiting: boolean;
}
