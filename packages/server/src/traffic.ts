/**
 * What passes between a server and its clients, counted for the server and for each connection (`ServerStats`, `ServerCnxn`).
 *
 * Nothing in the server depends on it. A request that is answered at once counts as one of no latency, so that no time is asked for it.
 */
import type { Zxid } from '@quorate/protocol';
import type { PendingRequest } from './pending-request.js';

/** What was counted since the start, or since it was reset. */
export interface TrafficCounts {
  /** Messages of clients, handshakes and pings included. */
  readonly received: number;
  /** Replies and events. */
  readonly sent: number;
  /** From a request's coming to its reply, in milliseconds; 0 while nothing was answered. */
  readonly latencyMinMs: number;
  readonly latencyAverageMs: number;
  readonly latencyMaxMs: number;
}

/** The connection of one client, as it was when it was asked for. */
export interface ConnectionInfo extends TrafficCounts {
  /** Where the client is; undefined within a process. */
  readonly address: string | undefined;
  /** The port of its end; undefined where it has none. */
  readonly remotePort: number | undefined;
  /** 0n before it has one. */
  readonly session: bigint;
  /** As negotiated, in milliseconds; 0 before there is a session. */
  readonly timeoutMs: number;
  /** Since when the connection is there, by the wall clock. */
  readonly since: number;
  /** Requests that are not answered. */
  readonly outstanding: number;
  /** The request that was answered last, its xid, the zxid in its reply, and its latency in milliseconds; undefined for none. */
  readonly last: LastAnswer | undefined;
}

export interface LastAnswer {
  readonly type: number;
  readonly xid: number;
  readonly zxid: Zxid;
  readonly latencyMs: number;
}

export class Traffic {
  received = 0;
  sent = 0;
  #answered = 0;
  #sumMs = 0;
  #minMs = Infinity;
  #maxMs = 0;

  /** A request was answered. */
  answered(latencyMs: number): void {
    this.#answered++;
    this.#sumMs += latencyMs;
    if (latencyMs < this.#minMs) this.#minMs = latencyMs;
    if (latencyMs > this.#maxMs) this.#maxMs = latencyMs;
  }

  get counts(): TrafficCounts {
    return {
      received: this.received,
      sent: this.sent,
      latencyMinMs: this.#answered === 0 ? 0 : this.#minMs,
      latencyAverageMs: this.#answered === 0 ? 0 : this.#sumMs / this.#answered,
      latencyMaxMs: this.#maxMs,
    };
  }

  reset(): void {
    this.received = 0;
    this.sent = 0;
    this.#answered = 0;
    this.#sumMs = 0;
    this.#minMs = Infinity;
    this.#maxMs = 0;
  }
}

/** Counts for one connection, and with it for its server. */
export class ConnectionTraffic {
  readonly #own = new Traffic();
  readonly #all: Traffic;
  #type = 0;
  #xid = 0;
  #zxid: Zxid | undefined;
  #latencyMs = 0;

  constructor(all: Traffic) {
    this.#all = all;
  }

  get counts(): TrafficCounts {
    return this.#own.counts;
  }

  get last(): LastAnswer | undefined {
    if (this.#zxid === undefined) return undefined;
    return { type: this.#type, xid: this.#xid, zxid: this.#zxid, latencyMs: this.#latencyMs };
  }

  received(): void {
    this.#own.received++;
    this.#all.received++;
  }

  sent(): void {
    this.#own.sent++;
    this.#all.sent++;
  }

  /** A reply is sent. */
  replied({ request, xid }: PendingRequest, zxid: Zxid, latencyMs: number): void {
    this.sent();
    this.#own.answered(latencyMs);
    this.#all.answered(latencyMs);
    if (request === undefined) return;
    this.#type = request.type;
    this.#xid = xid;
    this.#zxid = zxid;
    this.#latencyMs = latencyMs;
  }

  /** Forgets what was counted for this connection. */
  reset(): void {
    this.#own.reset();
    this.#zxid = undefined;
  }
}
