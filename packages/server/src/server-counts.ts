/**
 * What has happened at a server since its start, in numbers that only grow (`ServerMetrics`). Nothing in the server depends on it, and `srst` does not
 * begin it anew.
 */
import { EventType } from '@quorate/protocol';
import { LatencyCounts } from './latency-counts.js';

/** Events of one type: how many there were, and how many connections were told of them all together. */
export interface FiredWatches {
  count: number;
  sum: number;
}

export class ServerCounts {
  /** Handshakes that clients have begun, and how many of them came with a session. */
  connectionRequests = 0;
  connectionRevalidations = 0;
  /** Handshakes that the connection throttle has turned away. */
  connectionsRejected = 0;
  /** Connections that were gone without the server's having ended them. */
  connectionsDropped = 0;
  /** Connections that the server has ended because they got no session in time. */
  handshakesExpired = 0;
  /** Sessions that have ended because they were silent for too long: the leader's, and local ones. */
  sessionsExpired = 0;
  /** Requests answered by THROTTLED_OP. */
  requestsThrottled = 0;
  /** Requests that had to wait because too much was under way. */
  requestsHeldBack = 0;
  /** Requests that were too much of large ones. */
  largeRequestsRejected = 0;
  /** Clients that have tried to prove something and failed. */
  authFailures = 0;
  /** Sizes of the txns that this server has proposed as the leader, in bytes; −1 before there was one. */
  proposalBytesLast = -1;
  proposalBytesMin = -1;
  proposalBytesMax = -1;
  /** Requests that change something, from their coming to their reply, and all others. */
  readonly updates = new LatencyCounts();
  readonly reads = new LatencyCounts();
  readonly nodeCreatedWatches: FiredWatches = { count: 0, sum: 0 };
  readonly nodeDeletedWatches: FiredWatches = { count: 0, sum: 0 };
  readonly nodeChangedWatches: FiredWatches = { count: 0, sum: 0 };
  readonly nodeChildrenWatches: FiredWatches = { count: 0, sum: 0 };

  /** The leader has made a txn. */
  proposed(bytes: number): void {
    this.proposalBytesLast = bytes;
    if (bytes > this.proposalBytesMax) this.proposalBytesMax = bytes;
    if (bytes < this.proposalBytesMin || this.proposalBytesMin === -1) this.proposalBytesMin = bytes;
  }

  /** A change has fired watches of some connections, one at least. */
  fired(type: EventType, connections: number): void {
    const fired = this.#firedBy(type);
    fired.count++;
    fired.sum += connections;
  }

  #firedBy(type: EventType): FiredWatches {
    switch (type) {
      case EventType.nodeCreated:
        return this.nodeCreatedWatches;
      case EventType.nodeDeleted:
        return this.nodeDeletedWatches;
      case EventType.nodeDataChanged:
        return this.nodeChangedWatches;
      default:
        return this.nodeChildrenWatches;
    }
  }
}
