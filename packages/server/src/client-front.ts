/**
 * The clients of one server: their connections, handshakes and sessions, what they ask for, and what the leader says of them
 * (`ServerCnxnFactory`, `FollowerRequestProcessor`).
 *
 * While the server does not serve, connections are kept and nothing is taken from them (architecture.md, decision 8). When it serves again after its leader was
 * lost, writes whose txn has not come have an outcome that nobody here knows, and their connections end. After a hand-over it is known: the old leader will never
 * propose them, and has told of every session that moved; they go to the new one.
 */
import type { Clock } from '@quorate/ports';
import {
  assert,
  type ConnectRequest,
  epochOf,
  makeZxid,
  OpCode,
  type Request,
  type Txn,
  type TxnHeader,
  unreachable,
  type Zxid,
} from '@quorate/protocol';
import type { SessionIds } from '@quorate/session';
import type { TxnResult } from '@quorate/tree';
import type { Status } from '@quorate/zab';
import { isAnswerTo, responseTo } from './answers.js';
import { errorOf, type WriteOutcome } from './audit.js';
import type { AuthIds } from './auth-ids.js';
import { authenticate } from './authentication.js';
import { type ClientLink, ClientPort, type PortHost } from './client-port.js';
import { Clients } from './clients.js';
import type { ConnectedSession } from './connected-session.js';
import { ConnectionGate, type ConnectionThrottle } from './connection-throttle.js';
import type { Database } from './database.js';
import { isWrite, type LocalOrigin } from './forwarded-request.js';
import { type HandshakeHost, Handshakes } from './handshakes.js';
import type { LeaderLink } from './leader-link.js';
import { Load, type RequestThrottle } from './load.js';
import { LocalSessions } from './local-sessions.js';
import type { PendingRequest } from './pending-request.js';
import { mayCreateEphemeral } from './prepare.js';
import { ReadOnlyMode } from './read-only-mode.js';
import { answerLocally, type LocalAnswer } from './reads.js';
import type { ServerCounts } from './server-counts.js';
import type { OwnerStamp, SessionMessage } from './session-messages.js';
import type { Syncs } from './syncs.js';
import { type ConnectionInfo, Traffic } from './traffic.js';
import type { WatchEvents } from './watch-events.js';

/** What the front asks of its server. */
export interface FrontHost {
  readonly database: Database;
  readonly status: Status;
}

export interface ClientFrontOptions {
  readonly host: FrontHost;
  readonly leader: LeaderLink;
  readonly syncs: Syncs;
  readonly watches: WatchEvents;
  readonly counts: ServerCounts;
  readonly clock: Clock;
  readonly ids: SessionIds;
  readonly tickTimeMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly localSessions: boolean;
  readonly localSessionsUpgrading: boolean;
  readonly readOnlyMode: boolean;
  readonly superDigest: string | undefined;
  readonly requestThrottle: RequestThrottle | undefined;
  readonly connectionThrottle: ConnectionThrottle | undefined;
  /** Read-only mode has begun. */
  readonly onReadOnly: () => void;
  /** A write of a client that is connected here has come to its end. */
  readonly onWrite?: ((outcome: WriteOutcome) => void) | undefined;
  readonly onFailure: (error: Error) => void;
}

const NO_IDS: AuthIds = [];
const NO_CXID = 0;
/** That of a session which cannot move. */
const NO_STAMP = 0;

export class ClientFront {
  readonly #options: ClientFrontOptions;
  readonly #clients: Clients;
  readonly #handshakes: Handshakes;
  readonly #localSessions: LocalSessions;
  readonly #readOnly: ReadOnlyMode;
  readonly load: Load;
  readonly traffic = new Traffic();
  /** Undefined where clients may come as fast as they like. */
  readonly #gate: ConnectionGate | undefined;
  /** Since when requests are not taken. */
  #heldSinceMs: number;
  /** Whether this server has been without a leader since it served last. */
  #leaderLost = true;
  #stopped = false;

  constructor(options: ClientFrontOptions) {
    this.#options = options;
    const { ids, clock, tickTimeMs, localSessions, readOnlyMode, minSessionTimeoutMs, maxSessionTimeoutMs } = options;
    this.#clients = new Clients(clock);
    this.#heldSinceMs = clock.now();
    this.load = new Load(options.requestThrottle);
    const { connectionThrottle } = options;
    if (connectionThrottle !== undefined) this.#gate = new ConnectionGate(connectionThrottle, clock);
    this.#localSessions = new LocalSessions({ tickTimeMs, nowMs: clock.now() });
    this.#handshakes = new Handshakes({ host: this.#handshakeHost(), ids, clock, localSessions, minSessionTimeoutMs, maxSessionTimeoutMs });
    this.#readOnly = new ReadOnlyMode({
      host: {
        database: () => this.#options.host.database,
        negotiate: (timeOut) => this.#handshakes.negotiate(timeOut),
        newSessionId: () => this.#handshakes.newLocalId(),
        closeHere: (session) => this.#close(session),
        open: (port, session, timeOut) => this.#clients.open(port, { id: session, timeOut, standing: 'READ_ONLY', stamp: NO_STAMP }),
      },
      clock,
      tickTimeMs,
      enabled: readOnlyMode,
    });
  }

  get portCount(): number {
    return this.#clients.size;
  }

  get connections(): readonly ConnectionInfo[] {
    return this.#clients.ports.map(({ info }) => info);
  }

  /** What is counted for each connection begins anew. */
  resetConnections(): void {
    for (const port of this.#clients.ports) port.resetTraffic();
  }

  get localSessionCount(): number {
    return this.#localSessions.size;
  }

  get isReadOnly(): boolean {
    return this.#readOnly.isOn;
  }

  /** Undefined where clients may come as fast as they like. */
  get gate(): ConnectionGate | undefined {
    return this.#gate;
  }

  accept(link: ClientLink): ClientPort {
    const port = new ClientPort(this.#portHost, link);
    if (this.#stopped) port.close();
    else this.#clients.add(port);
    return port;
  }

  /** Ends a session that this server alone knows; false where it does not know it, or others do too. */
  expireLocal(session: bigint): boolean {
    if (!this.#localSessions.end(session)) return false;
    this.#close(session);
    return true;
  }

  /** The sessions that were heard since this was asked last, for the leader. */
  takeTouched(): readonly ConnectedSession[] {
    return this.#clients.takeTouched();
  }

  /** Once in a tick. */
  tick(): void {
    this.#clients.hearPaused();
    const { clock, counts } = this.#options;
    for (const session of this.#localSessions.expired(clock.now())) {
      counts.sessionsExpired++;
      this.#close(session);
    }
    counts.handshakesExpired += this.#clients.endHandshakes((port) => this.#patience(port));
    if (this.#readOnly.tick()) this.#beginReadOnly();
    if (!this.#isTaking) this.#clients.endHolding(this.#heldSinceMs);
  }

  /** Ends every connection at once; nothing is taken or answered any more. */
  stop(): void {
    this.#stopped = true;
    this.#clients.closeAll();
  }

  /** While the server is at something that must not be interrupted, nothing is taken from clients. */
  during(task: () => void): void {
    this.#clients.begin();
    task();
    this.#clients.end();
  }

  // What becomes of the server

  /** Another state has taken the place of the one that clients have seen. */
  onRestored(): void {
    for (const { port } of this.#clients.sessions) port.close();
  }

  /** Before anything else that follows from the status. */
  onStatus(before: Status, { serving, state }: Status): void {
    if (this.#readOnly.onStatus(state)) this.#clients.closeBegun();
    if (serving) return;
    if (before.serving) this.#heldSinceMs = this.#options.clock.now();
    if (state === 'LOOKING') this.#leaderLost = true;
  }

  /** The server serves another leader than before, which may be itself. The history of the new epoch is applied. */
  onTermBegun(): void {
    const { leader, syncs } = this.#options;
    // A write that is not in the history is lost. Where the leader was lost too, this connection may be one that its client has left meanwhile, so the write
    // must not be repeated, and nobody can tell its client what becomes of it.
    for (const session of this.#clients.sessions) {
      if ((this.#leaderLost && session.forwarded.length > 0) || this.#hasEnded(session)) session.port.close();
    }
    this.#leaderLost = false;
    leader.hold(this.#clients.sessions.filter(({ standing }) => standing === 'ENSEMBLE'));
    this.#revertUpgrades();
    for (const session of this.#clients.sessions) for (const pending of session.forwarded) this.#forward(session, pending);
    syncs.repeat();
    this.#handshakes.restart();
  }

  /** Requests may be taken again. */
  runAll(): void {
    this.#clients.allLater();
  }

  // What becomes of requests

  /** A txn is applied: answers the request of which it came, where its client is here. */
  onApplied(header: TxnHeader, txn: Txn, result: TxnResult): void {
    const { clientId, zxid } = header;
    if (txn.type === OpCode.createSession) {
      this.#onSessionCreated(clientId, zxid);
      return;
    }
    const session = this.#clients.session(clientId);
    if (session === undefined) {
      this.#handshakes.onTxn(clientId, zxid);
      return;
    }
    const first = session.forwarded.peek();
    if (first === undefined || !isAnswerTo(first, header, txn)) {
      // The session has expired, or its client has gone on at another server and this connection is one that it has left.
      session.port.close();
      return;
    }
    session.forwarded.shift();
    const response = responseTo(first.request, result);
    session.port.finish(first, zxid, result.err, response);
    this.#onWrite(clientId, first, { zxid, err: errorOf(result.err, response) });
  }

  /** A run of txns is applied. */
  onRunApplied(): void {
    this.#handshakes.onApplied();
  }

  onSynced(waiting: PendingRequest | bigint): void {
    if (typeof waiting === 'bigint') this.#handshakes.onSynced(waiting);
    else waiting.port.synced(waiting);
  }

  /** The leader tells something about a session. */
  onMessage(message: SessionMessage): void {
    switch (message.type) {
      case 'moved': {
        const session = this.#clients.session(message.session);
        if (session !== undefined && session.stamp <= message.stamp) session.port.close();
        this.#handshakes.onMessage(message);
        return;
      }
      case 'taken':
        // A local session has the id of one that the ensemble knows, and ends.
        this.expireLocal(message.session);
        this.#handshakes.onMessage(message);
        return;
      case 'renewed':
        this.#handshakes.onMessage(message);
        return;
      case 'renew':
      case 'hold':
        return;
      default:
        unreachable(message);
    }
  }

  #onSessionCreated(session: bigint, zxid: Zxid): void {
    // A new session comes before all that move in its epoch.
    const stamp = makeZxid(epochOf(zxid), 0);
    this.#handshakes.onCreated(session, stamp);
    if (!this.#localSessions.onUpgraded(session)) return;
    const connected = this.#clients.session(session);
    if (connected === undefined) return;
    connected.standing = 'ENSEMBLE';
    connected.stamp = stamp;
  }

  #onWrite(session: bigint, { authIds, request }: PendingRequest, answer: WriteOutcome['answer']): void {
    if (request !== undefined) this.#options.onWrite?.({ session, authIds, request, answer });
  }

  /** By the history; a session that it does not know of has not ended by it. */
  #hasEnded({ id, standing }: ConnectedSession): boolean {
    return standing === 'ENSEMBLE' && !this.#options.host.database.sessions.has(id);
  }

  /** An upgrade that is not in the history begins again with its request. */
  #revertUpgrades(): void {
    this.#localSessions.revertUpgrades(this.#options.clock.now());
    for (const session of this.#clients.sessions) if (session.standing === 'UPGRADING') session.standing = 'LOCAL';
  }

  #forward(session: ConnectedSession, { xid, authIds, request }: PendingRequest): void {
    assert(request !== undefined && isWrite(request), 'only writes go to the leader');
    this.#options.leader.forward({ session: session.id, cxid: xid, authIds, request, local: this.#originOf(session, request) });
  }

  /** What the leader is told of a session that it does not know; begins its upgrade where the request calls for one. */
  #originOf(session: ConnectedSession, request: Request): LocalOrigin | undefined {
    if (session.standing !== 'LOCAL') return undefined;
    const { id, timeOut } = session;
    const upgrading = this.#options.localSessionsUpgrading && mayCreateEphemeral(request);
    if (upgrading) {
      session.standing = 'UPGRADING';
      this.#localSessions.beginUpgrade(id, timeOut);
    }
    return { timeOut, upgrading };
  }

  // Sessions

  /** Whether requests of clients may be taken. */
  get #isTaking(): boolean {
    return (this.#options.host.status.serving || this.#readOnly.isOn) && !this.#stopped;
  }

  #beginReadOnly(): void {
    this.during(() => {
      this.#clients.closeBegun();
      this.#clients.allLater();
    });
    this.#options.onReadOnly();
  }

  #open(port: ClientPort, session: bigint, timeOut: number, stamp: OwnerStamp): void {
    const isLocal = this.#localSessions.has(session);
    if (isLocal) this.#localSessions.open(session, timeOut, this.#options.clock.now());
    this.#clients.open(port, { id: session, timeOut, standing: isLocal ? 'LOCAL' : 'ENSEMBLE', stamp });
  }

  /** Ends the connection that a session has here. */
  #close(session: bigint): void {
    this.#clients.session(session)?.port.close();
  }

  #touch(session: ConnectedSession): void {
    const { id, standing } = session;
    if (standing === 'ENSEMBLE' || standing === 'UPGRADING') return this.#clients.touch(session);
    this.#localSessions.touch(id, this.#options.clock.now());
    if (standing === 'READ_ONLY') this.#readOnly.touch(id);
  }

  /** A client ends a session that this server alone knows; false for any other. */
  #endSession({ id, standing }: ConnectedSession): boolean {
    if (standing === 'ENSEMBLE' || standing === 'UPGRADING') return false;
    const began = this.#readOnly.end(id);
    return this.#localSessions.end(id) || began;
  }

  #onPortClosed(port: ClientPort): void {
    for (const pending of port.session?.forwarded ?? []) this.#onWrite(port.sessionId, pending, undefined);
    this.#clients.remove(port);
    this.#handshakes.onPortClosed(port);
    this.#options.watches.removeAll(port);
  }

  #patience(port: ClientPort): number {
    const first = port.firstHeld;
    return first?.kind === 'connect' ? this.#handshakes.negotiate(first.timeOut) : this.#options.maxSessionTimeoutMs;
  }

  // What the parts ask

  readonly #portHost: PortHost = this.#makePortHost();

  #makePortHost(): PortHost {
    const front = this;
    return {
      get serving() {
        return front.#isTaking;
      },
      get busy() {
        return front.#clients.busy;
      },
      get lastZxid() {
        return front.#options.host.database.lastZxid;
      },
      later(port: ClientPort) {
        front.#clients.later(port);
      },
      join(port: ClientPort, connect: ConnectRequest) {
        if (front.#readOnly.isOn) front.#readOnly.join(port, connect);
        else front.#handshakes.begin(port, connect);
      },
      forward(session: ConnectedSession, pending: PendingRequest) {
        session.forwarded.push(pending);
        front.#forward(session, pending);
      },
      sync(pending: PendingRequest) {
        front.#options.syncs.begin(pending);
      },
      answer(pending: PendingRequest, request: Request): LocalAnswer {
        return answerLocally(front.#options.host.database.tree, front.#options.watches, pending, request);
      },
      authenticate(ids: AuthIds, scheme: string, auth: Uint8Array): AuthIds | undefined {
        return authenticate(ids, { scheme, auth, superDigest: front.#options.superDigest });
      },
      get load() {
        return front.load;
      },
      get traffic() {
        return front.traffic;
      },
      get counts() {
        return front.#options.counts;
      },
      nowMs() {
        return front.#options.clock.now();
      },
      wallMs() {
        return front.#options.clock.wallNow();
      },
      admits({ sessionId }: ConnectRequest) {
        const { counts, localSessions } = front.#options;
        const begins = localSessions ? 'local' : 'new';
        const admitted = front.#gate?.admits(sessionId === 0n ? begins : 'renewed') ?? true;
        counts.connectionRequests++;
        if (sessionId !== 0n) counts.connectionRevalidations++;
        if (!admitted) counts.connectionsRejected++;
        return admitted;
      },
      onPaused(port: ClientPort, paused: boolean) {
        front.#clients.setPaused(port, paused);
      },
      touch(session: ConnectedSession) {
        front.#touch(session);
      },
      endSession(session: ConnectedSession) {
        return front.#endSession(session);
      },
      onPortClosed(port: ClientPort) {
        front.#onPortClosed(port);
      },
      fail(error: Error) {
        front.#options.onFailure(error);
      },
    };
  }

  #handshakeHost(): HandshakeHost {
    const front = this;
    return {
      get database() {
        return front.#options.host.database;
      },
      get localSessions() {
        return front.#localSessions;
      },
      createSession(session: bigint, timeOut: number) {
        front.#options.leader.forward({ session, cxid: NO_CXID, authIds: NO_IDS, request: { type: OpCode.createSession, timeOut } });
      },
      renew(session: bigint, timeOut: number) {
        front.#options.leader.renew(session, timeOut);
      },
      syncSession(session: bigint) {
        front.#options.syncs.begin(session);
      },
      closeHere(session: bigint) {
        front.#close(session);
      },
      open(port: ClientPort, session: bigint, timeOut: number, stamp: OwnerStamp) {
        front.#open(port, session, timeOut, stamp);
      },
    };
  }
}
