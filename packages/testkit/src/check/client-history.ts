/** What is known of the clients of a run: their connections, their sessions and what they asked, as it went over the wire. */
import type { ReplyMessage, Request, Txn, TxnHeader } from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import type { Sometimes } from '../simulation/sometimes.js';
import { NOBODY, type ProvedIds } from './identities.js';
import type { Verdict } from './verdict.js';
import type { Entry, Witness } from './witness.js';
import { ZnodeHistory } from './znode-history.js';

/** A request that was sent. */
export interface SentRequest {
  readonly connection: WireConnection;
  readonly xid: number;
  readonly request: Request;
  /** What its connection has proved before it. */
  readonly proved: ProvedIds;
  /** The highest index of G that any client had been shown when it was sent. */
  readonly shownBefore: number;
  reply: ReplyMessage | undefined;
}

/** One connection of a client to a server. */
export class WireConnection {
  readonly ordinal: number;
  readonly client: number;
  readonly server: Sid;
  /** Whether somebody else than its client has opened it, in the name of a session that it has heard of. */
  readonly isForeign: boolean;
  session: SessionHistory | undefined;
  /** Whether its server has said that it only reads. */
  isReadOnly = false;
  /** What the server has been sent to prove, and what it has answered. */
  claimed: ProvedIds = NOBODY;
  proved: ProvedIds = NOBODY;
  /** Whether the client's end is open. */
  isOpen = true;
  /** The server's end, once something has arrived there. */
  serverEnd: { readonly isOpen: boolean } | undefined;
  /** Sent and not answered, oldest first. */
  readonly unanswered: SentRequest[] = [];

  constructor(ordinal: number, ends: { readonly client: number; readonly server: Sid; readonly isForeign: boolean }) {
    this.ordinal = ordinal;
    this.client = ends.client;
    this.server = ends.server;
    this.isForeign = ends.isForeign;
  }
}

/** One session, from its first mention. */
export class SessionHistory {
  readonly id: bigint;
  /** As a server has told it first. */
  password: Uint8Array | undefined;
  timeoutMs = 0;
  createdIndex = -1;
  closedIndex = -1;
  /** While no createSession of it is committed: the life of the server that alone knows it, and whether that has said that it has ended. */
  home: number | undefined;
  isOverAtHome = false;
  /** By xid: what was sent, and where in G its txn is. */
  readonly sent = new Map<number, SentRequest>();
  readonly txns = new Map<number, number>();
  lastCxid = 0;
  /** The highest index that its client has been shown. */
  shown = 0;
  /** The connection on which its client was told last that the session is its own. */
  established: WireConnection | undefined;
  /** By server: when the client was heard there, or another server has told that it was, by its clock, ascending. */
  readonly heardAtMs = new Map<Sid, number[]>();

  constructor(id: bigint) {
    this.id = id;
  }

  hear(server: Sid, nowMs: number): void {
    const times = this.heardAtMs.get(server);
    if (times === undefined) this.heardAtMs.set(server, [nowMs]);
    else times.push(nowMs);
  }

  /**
   * When this server had heard the client last, or had heard of it, before `atMs`; 0 where it had not. What happens at one instant may have happened in
   * either order.
   */
  lastHeard(server: Sid, atMs: number): number {
    const times = this.heardAtMs.get(server) ?? [];
    for (let i = times.length - 1; i >= 0; i--) if ((times[i] as number) < atMs) return times[i] as number;
    return 0;
  }
}

/** A committed txn, decoded. */
export interface CommittedTxn {
  readonly entry: Entry;
  readonly header: TxnHeader;
  readonly txn: Txn;
}

/** How the servers of a run are set up, as far as it decides what is right. */
export interface Rules {
  /** New sessions are known to one server alone. */
  readonly localSessions: boolean;
  readonly enforcesQuotas: boolean;
}

export class ClientHistory {
  readonly witness: Witness;
  readonly rules: Rules;
  readonly verdict: Verdict;
  readonly sometimes: Sometimes;
  readonly znodes = new ZnodeHistory();
  readonly sessions = new Map<bigint, SessionHistory>();
  /** By index in G. */
  readonly txns: (CommittedTxn | undefined)[] = [undefined];
  /** The highest index of G that any client has been shown. */
  shown = 0;
  /** By server: until when it had stood still last, by its clock. */
  readonly stalledUntilMs = new Map<Sid, number>();

  constructor(witness: Witness, sometimes: Sometimes, rules: Rules) {
    this.witness = witness;
    this.rules = rules;
    this.verdict = witness.verdict;
    this.sometimes = sometimes;
  }

  session(id: bigint): SessionHistory {
    let session = this.sessions.get(id);
    if (session === undefined) {
      session = new SessionHistory(id);
      this.sessions.set(id, session);
    }
    return session;
  }
}

/** A session in words. */
export function nameOf(session: SessionHistory | undefined): string {
  return session === undefined ? 'no session' : `session 0x${session.id.toString(16)}`;
}
