import { Fifo } from './fifo.js';
import type { Connection, PendingRequest } from './pending-request.js';
import type { OwnerStamp } from './session-messages.js';

/**
 * Who knows of a session, and ends it.
 *
 * - `ENSEMBLE`: all servers; the leader.
 * - `LOCAL`: this server alone.
 * - `UPGRADING`: this server, and the leader has been asked to make it the ensemble's.
 * - `READ_ONLY`: its connection was made in read-only mode; whether the ensemble has it, nobody here can say.
 */
export type Standing = 'ENSEMBLE' | 'LOCAL' | 'UPGRADING' | 'READ_ONLY';

export interface ConnectedSessionOptions {
  readonly id: bigint;
  readonly timeOut: number;
  readonly port: Connection;
  readonly standing: Standing;
  readonly stamp: OwnerStamp;
}

/** A session whose client is connected to this server, from the answer to the handshake to the end of the connection. */
export class ConnectedSession {
  readonly id: bigint;
  /** Negotiated on this connection. */
  readonly timeOut: number;
  readonly port: Connection;
  standing: Standing;
  /** Since when it is held here; it says something of a session of the ensemble's alone. */
  stamp: OwnerStamp;
  /**
   * Writes that the leader was sent and whose txns have not come, in order. Each gives exactly one txn, so the next txn of the session is the first
   * of these; one that is not came through another server, and this connection is one that the client has left.
   */
  readonly forwarded = new Fifo<PendingRequest>();
  /** Heard of since the leader was told last. */
  touched: boolean;

  constructor({ id, timeOut, port, standing, stamp }: ConnectedSessionOptions) {
    this.id = id;
    this.timeOut = timeOut;
    this.port = port;
    this.standing = standing;
    this.stamp = stamp;
    this.touched = standing === 'ENSEMBLE';
  }
}
