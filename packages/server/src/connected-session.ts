import { Fifo } from './fifo.js';
import type { Connection, PendingRequest } from './pending-request.js';
import type { OwnerStamp } from './session-messages.js';

/** A session whose client is connected to this server, from the answer to the handshake to the end of the connection. */
export class ConnectedSession {
  readonly id: bigint;
  /** Negotiated on this connection. */
  readonly timeOut: number;
  readonly port: Connection;
  /** Since when it is held here. */
  readonly stamp: OwnerStamp;
  /**
   * Writes that the leader was sent and whose txns have not come, in order. Each gives exactly one txn, so the next txn of the session is the first
   * of these; one that is not came through another server, and this connection is one that the client has left.
   */
  readonly forwarded = new Fifo<PendingRequest>();
  /** Heard of since the leader was told last. */
  touched = true;

  constructor(options: { readonly id: bigint; readonly timeOut: number; readonly port: Connection; readonly stamp: OwnerStamp }) {
    this.id = options.id;
    this.timeOut = options.timeOut;
    this.port = options.port;
    this.stamp = options.stamp;
  }
}
