/**
 * One server above Zab: the state machine that all servers are, and the clients of this one (`ZooKeeperServer` with its request processors).
 *
 * A request goes from a client port to the leader (`Leadership`, which is here where this server leads), comes back as a delivered txn, is applied,
 * fires the watches of this server and is answered where it came from. While the server does not serve, connections are kept and nothing is taken
 * from them (architecture.md, decision 8). When it serves again after its leader was lost, writes whose txn has not come have an outcome that nobody
 * here knows, and their connections end. After a hand-over it is known: the old leader will never propose them, and has told of every session that
 * moved; they go to the new one.
 */
import type { Clock } from '@quorate/ports';
import {
  assert,
  type ConnectRequest,
  decodeTxn,
  epochOf,
  isProtocolError,
  JuteWriter,
  makeZxid,
  OpCode,
  type Request,
  type Txn,
  type TxnHeader,
  unreachable,
  type Zxid,
} from '@quorate/protocol';
import type { SessionIds } from '@quorate/session';
import { DataTree, type TxnResult } from '@quorate/tree';
import type { Application, Run, Sid, Status } from '@quorate/zab';
import { isAnswerTo, responseTo } from './answers.js';
import type { AuthIds } from './auth-ids.js';
import type { Broadcast } from './broadcast.js';
import { type ClientLink, ClientPort, type PortHost } from './client-port.js';
import { Clients } from './clients.js';
import { Database } from './database.js';
import { addDigestAuth } from './digest-auth.js';
import { decodeForwardedRequest, encodeForwardedRequest, type ForwardedRequest, isWrite } from './forwarded-request.js';
import { type HandshakeHost, Handshakes } from './handshakes.js';
import { Leadership } from './leadership.js';
import type { LocalSession } from './local-session.js';
import type { PendingRequest } from './pending-request.js';
import { joined } from './pieces.js';
import type { QuotaPolicy } from './quota.js';
import { answerLocally, type LocalAnswer } from './reads.js';
import {
  decodeSessionMessage,
  decodeTouches,
  encodeSessionMessage,
  encodeTouches,
  type HeldSession,
  type OwnerStamp,
  type SessionMessage,
} from './session-messages.js';
import { WatchEvents } from './watch-events.js';

export interface MemberOptions {
  readonly sid: Sid;
  readonly broadcast: Broadcast;
  readonly clock: Clock;
  readonly ids: SessionIds;
  readonly tickTimeMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly superDigest: string | undefined;
  readonly containerCheckIntervalMs: number;
  readonly containersPerMinuteMax: number;
  readonly digest: boolean;
  readonly quotas: QuotaPolicy;
  readonly onStatus: (status: Status) => void;
  readonly onFailure: (error: Error) => void;
}

const NO_IDS: AuthIds = [];
const NO_CXID = 0;

export class Member implements Application {
  readonly #options: MemberOptions;
  #database: Database;
  #status: Status = { state: 'LOOKING', leader: undefined, epoch: 0, serving: false, votes: false };
  /** Defined while this server serves as the leader. */
  #leadership: Leadership | undefined;
  readonly #watches: WatchEvents;
  readonly #handshakes: Handshakes;
  readonly #clients: Clients;
  /** Syncs under way: a request of a client, or the session of a handshake. */
  readonly #syncs = new Map<number, PendingRequest | bigint>();
  #nextSync = 1;
  /** Since when requests are not taken. */
  #heldSinceMs: number;
  /** Whether this server has been without a leader since it served last. */
  #leaderLost = true;
  #stopped = false;
  /** For the requests that go to the leader. */
  readonly #writer = new JuteWriter();

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#database = new Database(new DataTree({ digest: options.digest }));
    this.#watches = new WatchEvents(this.#database.tree);
    this.#clients = new Clients(options.clock);
    this.#heldSinceMs = options.clock.now();
    const { ids, clock, minSessionTimeoutMs, maxSessionTimeoutMs } = options;
    this.#handshakes = new Handshakes({ host: this.#handshakeHost(), ids, clock, minSessionTimeoutMs, maxSessionTimeoutMs });
  }

  get status(): Status {
    return this.#status;
  }

  get database(): Database {
    return this.#database;
  }

  get portCount(): number {
    return this.#clients.size;
  }

  get watchCount(): number {
    return this.#watches.watchCount;
  }

  // Clients

  accept(link: ClientLink): ClientPort {
    const port = new ClientPort(this.#portHost, link);
    if (this.#stopped) {
      port.close();
      return port;
    }
    this.#clients.add(port);
    return port;
  }

  /** Serving leader: ends a session as if it had been silent for too long. */
  expireSession(session: bigint): boolean {
    return this.#leadership?.expire(session) ?? false;
  }

  /** Once in a tick. */
  tick(): void {
    this.#leadership?.touch(this.#clients.takeTouched());
    this.#leadership?.tick();
    this.#clients.endHandshakes((port) => this.#patience(port));
    if (!this.#status.serving) this.#clients.endHolding(this.#heldSinceMs);
  }

  /** Ends every connection at once; nothing is taken or answered any more. */
  stop(): void {
    this.#stopped = true;
    this.#leadership = undefined;
    this.#clients.closeAll();
  }

  // Application: what Zab tells

  deliver(run: Run): void {
    this.#clients.begin();
    for (let i = 0; i < run.payloads.length; i++) this.#deliverOne((run.zxid + i) as Zxid, run.payloads[i] as Uint8Array);
    this.#handshakes.onApplied();
    this.#clients.end();
  }

  snapshot(): Iterable<Uint8Array> {
    return this.#database.snapshot();
  }

  /**
   * Another state takes the place of this one, so what has changed for the watches here is not known: connections end, and their clients get it by
   * setWatches from where they go on.
   */
  restore(pieces: readonly Uint8Array[]): void {
    this.#clients.begin();
    this.#database = Database.deserialize(joined(pieces), { digest: this.#options.digest });
    this.#watches.reset(this.#database.tree);
    for (const { port } of this.#clients.sessions) port.close();
    this.#clients.end();
  }

  onStatus(status: Status): void {
    this.#clients.begin();
    const before = this.#status;
    this.#status = status;
    if (!status.serving) this.#hold(before, status);
    else if (!before.serving) this.#serve(status);
    // Otherwise its leader has begun another epoch, and this server has served all along.
    this.#clients.end();
    this.#options.onStatus(status);
  }

  onRequest(from: Sid, payload: Uint8Array): void {
    const forwarded = readPayload(payload, decodeForwardedRequest);
    if (forwarded === undefined || this.#leadership === undefined) return;
    this.#clients.begin();
    this.#leadership.take(from, forwarded);
    this.#clients.end();
  }

  onRevalidate(from: Sid, payload: Uint8Array): void {
    const message = readPayload(payload, decodeSessionMessage);
    if (message === undefined) return;
    this.#clients.begin();
    if (message.type === 'renew') this.#leadership?.renew(from, message.session, message.timeOut);
    else if (message.type === 'hold') this.#leadership?.hold(from, message.sessions);
    else if (this.#leadership === undefined) this.#onSessionMessage(message);
    this.#clients.end();
  }

  heartbeat(): Uint8Array {
    return encodeTouches(this.#clients.takeTouched());
  }

  onHeartbeat(_from: Sid, payload: Uint8Array): void {
    const touches = readPayload(payload, decodeTouches);
    if (touches !== undefined) this.#leadership?.touch(touches);
  }

  onSynced(tag: number): void {
    const waiting = this.#syncs.get(tag);
    if (waiting === undefined) return;
    this.#syncs.delete(tag);
    this.#clients.begin();
    if (typeof waiting === 'bigint') {
      this.#handshakes.onSynced(waiting);
    } else {
      waiting.port.synced(waiting);
    }
    this.#clients.end();
  }

  // Applying

  #deliverOne(zxid: Zxid, payload: Uint8Array): void {
    const { header, txn, digest } = this.#leadership?.takePrepared(zxid) ?? decodeTxn(payload);
    assert(header.zxid === zxid, 'a txn has the zxid under which it is delivered');
    this.#watches.begin(zxid, txn);
    const result = this.#database.apply(header, txn, this.#watches.onChange);
    this.#database.checkDigest(digest);
    this.#leadership?.onApplied(header, txn);
    this.#answer(header, txn, result);
  }

  /** Answers the request of which the txn came, where its client is here. */
  #answer(header: TxnHeader, txn: Txn, result: TxnResult): void {
    const { clientId, zxid } = header;
    if (txn.type === OpCode.createSession) {
      this.#handshakes.onCreated(clientId, zxid, creationStamp);
      return;
    }
    const local = this.#clients.session(clientId);
    if (local === undefined) {
      this.#handshakes.onTxn(clientId);
      return;
    }
    const first = local.forwarded.peek();
    if (first === undefined || !isAnswerTo(first, header, txn)) {
      // The session has expired, or its client has gone on at another server and this connection is one that it has left.
      local.port.close();
      return;
    }
    local.forwarded.shift();
    local.port.finish(first, zxid, result.err, responseTo(first.request, result));
  }

  // Serving

  /** Requests are not taken for a while. */
  #hold(before: Status, { state }: Status): void {
    if (before.serving) this.#heldSinceMs = this.#options.clock.now();
    if (state === 'LOOKING') this.#leaderLost = true;
    if (state === 'LEADING') this.#leadership?.pause();
    else this.#leadership = undefined;
  }

  #serve(status: Status): void {
    if (this.#leadership === undefined) this.#beginTerm(status);
    else this.#leadership.resume(status.epoch);
    this.#clients.allLater();
  }

  /** Another leader than before, which may be this server. */
  #beginTerm(status: Status): void {
    const { sid, broadcast, clock, tickTimeMs, containerCheckIntervalMs, containersPerMinuteMax, quotas } = this.#options;
    if (status.state === 'LEADING') {
      this.#leadership = new Leadership({
        epoch: status.epoch,
        broadcast,
        database: this.#database,
        clock,
        tickTimeMs,
        containerCheckIntervalMs,
        containersPerMinuteMax,
        quotas,
        tell: (to, message) => this.#tell(to, message),
      });
    }
    // The history of the new epoch is applied. A write that is not in it is lost. Where the leader was lost too, this connection may be one that its client
    // has left meanwhile, so the write must not be repeated, and nobody can tell its client what becomes of it.
    for (const local of this.#clients.sessions) {
      if ((this.#leaderLost && local.forwarded.length > 0) || !this.#database.sessions.has(local.id)) local.port.close();
    }
    const held: readonly HeldSession[] = this.#clients.sessions;
    if (this.#leadership !== undefined) this.#leadership.hold(sid, held);
    else if (held.length > 0) broadcast.revalidate(encodeSessionMessage({ type: 'hold', sessions: held }));
    this.#leaderLost = false;
    for (const { id, forwarded } of this.#clients.sessions) for (const pending of forwarded) this.#forwardRequest(id, pending);
    this.#repeatSyncs();
    this.#handshakes.restart();
  }

  #forwardRequest(session: bigint, { xid, authIds, request }: PendingRequest): void {
    assert(request !== undefined && isWrite(request), 'only writes go to the leader');
    this.#forward({ session, cxid: xid, authIds, request });
  }

  /** Those of an earlier term will not be answered. */
  #repeatSyncs(): void {
    const waiting = [...this.#syncs.values()];
    this.#syncs.clear();
    // Handshakes begin again by themselves.
    for (const sync of waiting) if (typeof sync !== 'bigint' && !sync.port.isClosed) this.#sync(sync);
  }

  #sync(waiting: PendingRequest | bigint): void {
    const tag = this.#nextSync++;
    this.#syncs.set(tag, waiting);
    this.#options.broadcast.sync(tag);
  }

  /** To the leader, which may be this server. */
  #forward(forwarded: ForwardedRequest): void {
    if (this.#leadership !== undefined) this.#leadership.take(this.#options.sid, forwarded);
    else this.#options.broadcast.request(encodeForwardedRequest(forwarded, this.#writer));
  }

  /** From the leader, which is this server, to a server, which may be this one as well. */
  #tell(to: Sid, message: SessionMessage): void {
    if (to === this.#options.sid) this.#onSessionMessage(message);
    else this.#options.broadcast.answerRevalidate(to, encodeSessionMessage(message));
  }

  #onSessionMessage(message: SessionMessage): void {
    switch (message.type) {
      case 'moved': {
        const local = this.#clients.session(message.session);
        if (local !== undefined && local.stamp <= message.stamp) local.port.close();
        this.#handshakes.onMessage(message);
        return;
      }
      case 'renewed':
      case 'taken':
        this.#handshakes.onMessage(message);
        return;
      case 'renew':
      case 'hold':
        return;
      default:
        unreachable(message);
    }
  }

  #patience(port: ClientPort): number {
    const first = port.firstHeld;
    return first?.kind === 'connect' ? this.#handshakes.negotiate(first.timeOut) : this.#options.maxSessionTimeoutMs;
  }

  // What the parts ask of this server

  readonly #portHost: PortHost = this.#makePortHost();

  #makePortHost(): PortHost {
    const member = this;
    return {
      get serving() {
        return member.#status.serving && !member.#stopped;
      },
      get busy() {
        return member.#clients.busy;
      },
      get lastZxid() {
        return member.#database.lastZxid;
      },
      later(port: ClientPort) {
        member.#clients.later(port);
      },
      join(port: ClientPort, connect: ConnectRequest) {
        member.#handshakes.begin(port, connect);
      },
      forward(session: LocalSession, pending: PendingRequest) {
        session.forwarded.push(pending);
        member.#forwardRequest(session.id, pending);
      },
      sync(pending: PendingRequest) {
        member.#sync(pending);
      },
      answer(pending: PendingRequest, request: Request): LocalAnswer {
        return answerLocally(member.#database.tree, member.#watches, pending, request);
      },
      authenticate(ids: AuthIds, scheme: string, auth: Uint8Array): AuthIds | undefined {
        // Where the client is was known from the start, where there is such a place at all.
        if (scheme === 'ip') return ids.some((own) => own.scheme === 'ip') ? ids : undefined;
        if (scheme !== 'digest') return undefined;
        return readPayload(auth, (bytes) => addDigestAuth(ids, bytes, member.#options.superDigest));
      },
      touch(session: LocalSession) {
        member.#clients.touch(session);
      },
      onPortClosed(port: ClientPort) {
        member.#onPortClosed(port);
      },
      fail(error: Error) {
        member.#options.onFailure(error);
      },
    };
  }

  #handshakeHost(): HandshakeHost {
    const member = this;
    return {
      get database() {
        return member.#database;
      },
      createSession(session: bigint, timeOut: number) {
        member.#forward({ session, cxid: NO_CXID, authIds: NO_IDS, request: { type: OpCode.createSession, timeOut } });
      },
      renew(session: bigint, timeOut: number) {
        if (member.#leadership !== undefined) member.#leadership.renew(member.#options.sid, session, timeOut);
        else member.#options.broadcast.revalidate(encodeSessionMessage({ type: 'renew', session, timeOut }));
      },
      syncSession(session: bigint) {
        member.#sync(session);
      },
      closeLocal(session: bigint) {
        member.#clients.session(session)?.port.close();
      },
      open(port: ClientPort, session: bigint, timeOut: number, stamp: OwnerStamp) {
        member.#clients.open(port, session, timeOut, stamp);
      },
    };
  }

  #onPortClosed(port: ClientPort): void {
    this.#clients.remove(port);
    this.#handshakes.onPortClosed(port);
    this.#watches.removeAll(port);
  }
}

/** A new session comes before all that move in its epoch. */
function creationStamp(zxid: Zxid): OwnerStamp {
  return makeZxid(epochOf(zxid), 0);
}

/** What a peer or a client has sent is an input, whatever it is: undefined where it cannot be read. */
function readPayload<T>(payload: Uint8Array, read: (payload: Uint8Array) => T): T | undefined {
  try {
    return read(payload);
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
