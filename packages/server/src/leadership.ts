/**
 * The part of a server that only the leader has, for as long as it serves as the leader: requests of all servers become proposals here, and here
 * is decided who holds a session and when it ends (`LeaderZooKeeperServer`, `PrepRequestProcessor`, `SessionTrackerImpl`).
 *
 * It starts when everything of earlier epochs is applied, so that the tree and what is pending here are all that a request can meet. When its epoch ends and
 * the leader stays, it pauses: what comes meanwhile waits, and goes on in the next epoch with everything that is known here.
 *
 * Where we differ: a request of a server that no longer holds the session is refused by a message to that server, not by an error txn. The txn would
 * name the session and the cxid only, so that the server which holds it now could take it for the answer to a request of its own.
 */
import type { Clock } from '@quorate/ports';
import {
  assert,
  ErrorCode,
  encodeTxn,
  JuteWriter,
  makeZxid,
  OpCode,
  type Txn,
  type TxnDigest,
  type TxnHeader,
  type Zxid,
} from '@quorate/protocol';
import { SessionTracker } from '@quorate/session';
import type { Sid } from '@quorate/zab';
import type { Broadcast } from './broadcast.js';
import { ContainerSweep, isOver } from './container-sweep.js';
import type { Database } from './database.js';
import { Fifo } from './fifo.js';
import type { ForwardedRequest, LocalOrigin } from './forwarded-request.js';
import { PendingChanges } from './pending-changes.js';
import { errorTxn, prepare, prepareCloseSession, prepareDeleteContainer, type TreeWrite } from './prepare.js';
import type { QuotaPolicy } from './quota.js';
import type { ServerCounts } from './server-counts.js';
import type { HeldSession, OwnerStamp, SessionMessage, Touch } from './session-messages.js';

export interface LeadershipOptions {
  readonly epoch: number;
  readonly broadcast: Broadcast;
  readonly database: Database;
  readonly counts: ServerCounts;
  readonly clock: Clock;
  readonly tickTimeMs: number;
  /** How often containers and TTLs are looked after, in milliseconds. */
  readonly containerCheckIntervalMs: number;
  /** How many of them go in a minute at most. */
  readonly containersPerMinuteMax: number;
  readonly quotas: QuotaPolicy;
  /** How long a container may wait for its first child, in milliseconds; 0 for ever. */
  readonly containerNeverUsedMaxMs: number;
  /** Tells a server, this one included, something about a session. */
  readonly tell: (to: Sid, message: SessionMessage) => void;
}

/** A txn that is proposed and not yet delivered here. */
export interface Prepared {
  readonly header: TxnHeader;
  readonly txn: Txn;
  /** What the tree will come to; undefined where no digest is kept. */
  readonly digest: TxnDigest | undefined;
}

interface Owner {
  readonly sid: Sid;
  readonly stamp: OwnerStamp;
}

/** The cxid of a txn that no client asked for. */
const NO_CXID = 0;
/** The session of a txn that belongs to none. */
const NO_SESSION = 0n;

export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #changes: PendingChanges;
  readonly #tracker: SessionTracker<Owner>;
  readonly #sweep: ContainerSweep;
  /** What was proposed and is not delivered, so that the leader does not decode what it has just encoded. */
  readonly #prepared = new Fifo<Prepared>();
  /** Invariant: lastProposed >= database.lastZxid. */
  #lastProposed: Zxid;
  readonly #writer = new JuteWriter();
  #epoch: number;
  /** How many sessions have moved in this epoch. */
  #moves = 0;
  /** What has come during a pause, in order; undefined while there is none. As much as servers let their clients have under way. */
  #waiting: (() => void)[] | undefined;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    const { database, clock, tickTimeMs, epoch } = options;
    this.#epoch = epoch;
    this.#changes = new PendingChanges(database.tree);
    this.#tracker = new SessionTracker(tickTimeMs);
    this.#lastProposed = database.lastZxid;
    const nowMs = clock.now();
    this.#tracker.look(nowMs);
    this.#sweep = new ContainerSweep({
      checkIntervalMs: options.containerCheckIntervalMs,
      perMinuteMax: options.containersPerMinuteMax,
      neverUsedMaxMs: options.containerNeverUsedMaxMs,
      nowMs,
    });
    // Nobody knows how long the clients have been silent, so each has its full time again (reliability.md, S1).
    for (const [session, timeoutMs] of database.sessions.entries()) this.#tracker.open(session, timeoutMs, nowMs);
  }

  /** No proposals until `resume`. */
  pause(): void {
    this.#waiting ??= [];
  }

  /** The leader serves again, in another epoch. */
  resume(epoch: number): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#epoch = epoch;
    this.#moves = 0;
    this.#look();
    for (const task of waiting) task();
  }

  /** A request of a client of server `from`. Exactly one txn comes of it, unless that server is told something instead. */
  take(from: Sid, forwarded: ForwardedRequest): void {
    if (this.#waiting === undefined) this.#take(from, forwarded);
    else this.#waiting.push(() => this.#take(from, forwarded));
  }

  #take(from: Sid, forwarded: ForwardedRequest): void {
    const { session, cxid, request, local } = forwarded;
    if (request.type === OpCode.createSession) {
      this.#createSession(from, session, request.timeOut);
      return;
    }
    if (local !== undefined && request.type !== OpCode.closeSession) {
      this.#takeLocal(from, forwarded, request, local);
      return;
    }
    const tracked = this.#tracker.find(session);
    if (tracked === undefined) {
      this.#propose(session, cxid, errorTxn(ErrorCode.SESSION_EXPIRED));
      return;
    }
    const { owner } = tracked;
    if (owner === undefined) {
      // After a change of leader the first server that speaks for a session has it, until one comes with a newer claim.
      tracked.owner = { sid: from, stamp: makeZxid(this.#epoch, 0) };
    } else if (owner.sid !== from) {
      this.#options.tell(from, { type: 'moved', session, stamp: owner.stamp });
      return;
    }
    this.#tracker.touchFound(tracked, this.#options.clock.now());
    if (request.type === OpCode.closeSession) this.#closeSession(session, cxid);
    else this.#write(forwarded, request);
  }

  /**
   * A request of a session that server `from` alone knows (`LeaderSessionTracker.checkSession`). Its end is no affair of the leader's, and one of the ensemble's
   * that has ended does not come back as such a one: its server says which it is, and asks for an upgrade once.
   */
  #takeLocal(from: Sid, forwarded: ForwardedRequest, request: TreeWrite, local: LocalOrigin): void {
    const { session } = forwarded;
    if (this.#isKnown(session)) {
      this.#options.tell(from, { type: 'taken', session });
      return;
    }
    if (local.upgrading) this.#createSession(from, session, local.timeOut);
    this.#write(forwarded, request);
  }

  /** A client wants to go on with its session at server `from`. */
  renew(from: Sid, session: bigint, timeOut: number): void {
    // Not during a pause either: the leader that comes after a hand-over could not be told of it.
    if (this.#waiting === undefined) this.#renew(from, session, timeOut);
    else this.#waiting.push(() => this.#renew(from, session, timeOut));
  }

  #renew(from: Sid, session: bigint, timeOut: number): void {
    const lives = this.#isOpen(session);
    let stamp = 0;
    if (lives) {
      const earlier = this.#tracker.ownerOf(session);
      this.#moves++;
      stamp = makeZxid(this.#epoch, this.#moves);
      this.#tracker.open(session, timeOut, this.#options.clock.now());
      this.#tracker.setOwner(session, { sid: from, stamp });
      // The connection that the client has left may not know of it yet.
      if (earlier !== undefined && earlier.sid !== from) this.#options.tell(earlier.sid, { type: 'moved', session, stamp });
      // And a server that is cut off, and keeps that connection until it has a leader again, must not take requests from it then, whoever leads and
      // knows of this move: it closes the connection when it applies a txn of the session that it has not asked for. A client that comes again to the
      // server that it was at has left none elsewhere.
      if (earlier?.sid !== from) this.#propose(session, NO_CXID, errorTxn(ErrorCode.OK));
    }
    this.#options.tell(from, { type: 'renewed', session, lives, zxid: this.#lastProposed, stamp });
  }

  /** Server `from` has kept the connections of these sessions over a change of leader. */
  hold(from: Sid, sessions: readonly HeldSession[]): void {
    for (const { id: session, timeOut, stamp } of sessions) {
      if (!this.#isOpen(session)) continue;
      const owner = this.#tracker.ownerOf(session);
      if (owner !== undefined && owner.sid !== from) {
        const older = owner.stamp < stamp ? owner.sid : from;
        this.#options.tell(older, { type: 'moved', session, stamp: Math.max(owner.stamp, stamp) });
        if (older === from) continue;
      }
      this.#tracker.open(session, timeOut, this.#options.clock.now());
      this.#tracker.setOwner(session, { sid: from, stamp: Math.max(owner?.sid === from ? owner.stamp : 0, stamp) });
    }
  }

  /** Clients that servers have heard. */
  touch(touches: readonly Touch[]): void {
    const now = this.#options.clock.now();
    for (const { id } of touches) this.#tracker.touch(id, now);
  }

  /** Once in a tick: ends the sessions that were silent for too long, and removes containers and znodes with a TTL whose time has come. */
  tick(): void {
    if (this.#waiting !== undefined) return;
    const nowMs = this.#look();
    for (const session of this.#tracker.expired(nowMs)) {
      this.#options.counts.sessionsExpired++;
      this.#proposeClose(session, NO_CXID);
    }
    const wallMs = this.#options.clock.wallNow();
    for (const path of this.#sweep.take(this.#options.database.tree, { nowMs, wallMs })) this.#deleteContainer(path, wallMs);
  }

  /** What time it is. Where this process itself stood still, the clients may have spoken and were not heard (reliability.md, P6). */
  #look(): number {
    const now = this.#options.clock.now();
    this.#tracker.look(now);
    return now;
  }

  /** Ends a session as if it had been silent for too long; false where there is none, or it is ending. */
  expire(session: bigint): boolean {
    if (!this.#tracker.beginClosing(session)) return false;
    if (this.#waiting === undefined) this.#proposeClose(session, NO_CXID);
    else this.#waiting.push(() => this.#proposeClose(session, NO_CXID));
    return true;
  }

  /** What this leader proposed as `zxid`, which is being delivered. */
  takePrepared(zxid: Zxid): Prepared | undefined {
    const first = this.#prepared.peek();
    if (first === undefined || first.header.zxid !== zxid) return undefined;
    this.#prepared.shift();
    return first;
  }

  /** The txn is in the tree. */
  onApplied({ clientId }: TxnHeader, txn: Txn): void {
    this.#changes.onApplied();
    if (txn.type === OpCode.closeSession) this.#tracker.close(clientId);
  }

  #createSession(from: Sid, session: bigint, timeOut: number): void {
    if (this.#isKnown(session)) {
      this.#options.tell(from, { type: 'taken', session });
      return;
    }
    this.#tracker.open(session, timeOut, this.#options.clock.now());
    this.#tracker.setOwner(session, { sid: from, stamp: makeZxid(this.#epoch, 0) });
    this.#propose(session, NO_CXID, { type: OpCode.createSession, timeOut });
  }

  /** From here on the session is closing: what comes later of it is refused, so that no ephemeral is created behind its end (ZOOKEEPER-1208). */
  #closeSession(session: bigint, cxid: number): void {
    const begun = this.#tracker.beginClosing(session);
    assert(begun, 'a session that is open can begin to close');
    this.#proposeClose(session, cxid);
  }

  #proposeClose(session: bigint, cxid: number): void {
    this.#propose(session, cxid, prepareCloseSession(this.#changes, session, this.#options.broadcast.nextZxid));
  }

  /** A znode that something is happening to, or has happened to since it was found, stays: the next look sees what has come of it. */
  #deleteContainer(path: string, wallMs: number): void {
    const { database, containerNeverUsedMaxMs: neverUsedMaxMs } = this.#options;
    if (this.#changes.isPending(path) || !isOver(database.tree, path, { wallMs, neverUsedMaxMs })) return;
    const txn = prepareDeleteContainer(this.#changes, path, this.#options.broadcast.nextZxid);
    if (typeof txn !== 'number') this.#propose(NO_SESSION, NO_CXID, txn);
  }

  #write({ session, cxid, authIds, local }: ForwardedRequest, request: TreeWrite): void {
    const { broadcast, clock, quotas } = this.#options;
    const time = clock.wallNow();
    const owns = local === undefined || local.upgrading;
    const context = { zxid: broadcast.nextZxid, time, session, authIds, local: !owns, quotas };
    this.#propose(session, cxid, prepare(this.#changes, request, context), time);
  }

  #propose(clientId: bigint, cxid: number, txn: Txn, time = this.#options.clock.wallNow()): void {
    const { broadcast } = this.#options;
    const header: TxnHeader = { clientId, cxid, zxid: broadcast.nextZxid, time, type: txn.type };
    assert(header.zxid > this.#lastProposed, 'proposals ascend');
    const digest = this.#changes.digest();
    this.#prepared.push({ header, txn, digest });
    this.#lastProposed = header.zxid;
    const payload = encodeTxn(header, txn, digest, this.#writer);
    this.#options.counts.proposed(payload.length);
    const zxid = broadcast.propose(payload);
    assert(zxid === header.zxid, 'a proposal takes the zxid that was announced');
  }

  #isKnown(session: bigint): boolean {
    return this.#tracker.has(session) || this.#options.database.sessions.has(session);
  }

  #isOpen(session: bigint): boolean {
    return this.#tracker.find(session) !== undefined;
  }
}
