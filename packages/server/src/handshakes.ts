/**
 * Clients that want a session at this server and have none yet (`ZooKeeperServer.processConnectRequest`, `Learner.validateSession`).
 *
 * A new session: an id of this server's, proposed by the leader, and the answer once that is applied here. A session that exists: the leader gives it
 * to this server, or says that it has ended, and the answer goes out after a sync, when it is not just the word of a leader that others may have replaced; and
 * once everything is applied that was proposed before, so that a client meets nothing of its earlier connections later on.
 *
 * A local session (`local-sessions.ts`) is new at once. To one that its client comes back to the way is the same as to any other, though the leader does not
 * know it, because of what its earlier connections have sent.
 */
import type { Clock } from '@quorate/ports';
import { type ConnectRequest, NO_ZXID, type Zxid } from '@quorate/protocol';
import { passwordMatches, type SessionIds } from '@quorate/session';
import type { ClientPort } from './client-port.js';
import type { Database } from './database.js';
import type { LocalSessions } from './local-sessions.js';
import type { OwnerStamp, SessionMessage } from './session-messages.js';

/** What handshakes ask of their server. */
export interface HandshakeHost {
  readonly database: Database;
  /** To the leader: a createSession. */
  createSession(session: bigint, timeOut: number): void;
  /** The sessions that this server alone knows. */
  readonly localSessions: LocalSessions;
  /** To the leader: this server wants the session. */
  renew(session: bigint, timeOut: number): void;
  /** `onSynced` follows with the same session. */
  syncSession(session: bigint): void;
  /** Ends a connection that the session has at this server. */
  closeHere(session: bigint): void;
  /** The session is this server's now. */
  open(port: ClientPort, session: bigint, timeOut: number, stamp: OwnerStamp): void;
}

export interface HandshakeOptions {
  readonly host: HandshakeHost;
  readonly ids: SessionIds;
  readonly clock: Clock;
  /** New sessions are local ones. */
  readonly localSessions: boolean;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
}

/**
 * CREATING: createSession is on its way. ASKING: the leader is asked. CONFIRMING: it has answered, a sync is under way. APPLYING: it has given the session, and
 * not all that it had proposed is applied.
 */
type Stage = 'CREATING' | 'ASKING' | 'CONFIRMING' | 'APPLYING';

interface Attempt {
  readonly port: ClientPort;
  readonly connect: ConnectRequest;
  readonly timeOut: number;
  readonly session: bigint;
  stage: Stage;
  /** A txn of the session has been applied meanwhile: its client may have gone on at another server. */
  overtaken: boolean;
  /** From CONFIRMING on: whether the leader says that the session lives, since when it is this server's, and what it had proposed then. */
  lives: boolean;
  stamp: OwnerStamp;
  zxid: Zxid;
}

/** That of a session which cannot move. */
const NO_STAMP = 0;

export class Handshakes {
  readonly #options: HandshakeOptions;
  readonly #bySession = new Map<bigint, Attempt>();
  readonly #byPort = new Map<ClientPort, Attempt>();
  /** Attempts that are APPLYING. */
  #applying = 0;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** The timeout that a client gets who asks for `timeOut`. */
  negotiate(timeOut: number): number {
    return Math.min(Math.max(timeOut, this.#options.minSessionTimeoutMs), this.#options.maxSessionTimeoutMs);
  }

  /** An id for a session that no leader is asked for: one that nobody is known to have here. */
  newLocalId(): bigint {
    for (;;) {
      const session = this.#options.ids.next();
      if (!this.#lives(session)) return session;
    }
  }

  begin(port: ClientPort, connect: ConnectRequest): void {
    const { host } = this.#options;
    // The client has seen what this server has not: it must not go back in time.
    if (connect.lastZxidSeen > host.database.lastZxid) return port.close();
    const timeOut = this.negotiate(connect.timeOut);
    if (connect.sessionId === 0n) {
      this.#create(port, connect, timeOut);
      return;
    }
    // A wrong password does not disturb the session (reliability.md, S6).
    if (!passwordMatches(connect.sessionId, connect.passwd)) return port.refuse();
    this.#bySession.get(connect.sessionId)?.port.close();
    host.closeHere(connect.sessionId);
    this.#add({ port, connect, timeOut, session: connect.sessionId, stage: 'ASKING' });
    host.renew(connect.sessionId, timeOut);
  }

  /** The leader's answers. */
  onMessage(message: SessionMessage & { readonly type: 'renewed' | 'moved' | 'taken' }): void {
    const attempt = this.#bySession.get(message.session);
    if (attempt === undefined) return;
    switch (message.type) {
      case 'renewed':
        if (attempt.stage === 'ASKING') this.#onRenewed(attempt, message);
        return;
      case 'moved':
        if (attempt.stamp <= message.stamp && (attempt.stage === 'CONFIRMING' || attempt.stage === 'APPLYING')) attempt.port.close();
        return;
      case 'taken':
        if (attempt.stage !== 'CREATING') return;
        // This server has started twice in the same millisecond, or its wall clock went back.
        this.#remove(attempt);
        this.#create(attempt.port, attempt.connect, attempt.timeOut);
        return;
    }
  }

  /** A createSession has been applied. */
  onCreated(session: bigint, stamp: OwnerStamp): void {
    const attempt = this.#bySession.get(session);
    if (attempt === undefined || attempt.stage !== 'CREATING') return;
    attempt.stamp = stamp;
    this.#finish(attempt);
  }

  /** A txn of a session that has no connection here has been applied. */
  onTxn(session: bigint): void {
    const attempt = this.#bySession.get(session);
    if (attempt !== undefined) attempt.overtaken = true;
  }

  /** A run of txns has been applied. */
  onApplied(): void {
    if (this.#applying === 0) return;
    for (const attempt of [...this.#byPort.values()]) this.#finishIfApplied(attempt);
  }

  onSynced(session: bigint): void {
    const attempt = this.#bySession.get(session);
    if (attempt === undefined || attempt.stage !== 'CONFIRMING') return;
    if (attempt.lives || this.#options.host.localSessions.has(session)) {
      attempt.stage = 'APPLYING';
      this.#applying++;
      this.#finishIfApplied(attempt);
      return;
    }
    // The end of the session is applied here.
    if (!this.#lives(session)) return attempt.port.refuse();
    // It was created through a leader of which the one that was asked knows nothing.
    attempt.stage = 'ASKING';
    this.#options.host.renew(session, attempt.timeOut);
  }

  /** The link of a client has gone. */
  onPortClosed(port: ClientPort): void {
    const attempt = this.#byPort.get(port);
    if (attempt !== undefined) this.#remove(attempt);
  }

  /**
   * What was asked of an earlier leader will not be answered: all begin again. But a handshake that has waited while its session wrote through
   * another server is one that the client has given up, and must not take the session from where it is.
   */
  restart(): void {
    const attempts = [...this.#byPort.values()];
    for (const attempt of attempts) this.#remove(attempt);
    for (const { port, connect, overtaken } of attempts) {
      if (overtaken) port.close();
      else if (!port.isClosed) port.rejoin(connect);
    }
  }

  #create(port: ClientPort, connect: ConnectRequest, timeOut: number): void {
    if (this.#options.localSessions) {
      const id = this.newLocalId();
      this.#options.host.localSessions.open(id, timeOut, this.#options.clock.now());
      this.#options.host.open(port, id, timeOut, NO_STAMP);
      return;
    }
    const session = this.#options.ids.next();
    this.#add({ port, connect, timeOut, session, stage: 'CREATING' });
    this.#options.host.createSession(session, timeOut);
  }

  #lives(session: bigint): boolean {
    const { database, localSessions } = this.#options.host;
    return database.sessions.has(session) || localSessions.has(session);
  }

  #onRenewed(attempt: Attempt, { lives, stamp, zxid }: SessionMessage & { readonly type: 'renewed' }): void {
    attempt.stage = 'CONFIRMING';
    attempt.lives = lives;
    attempt.stamp = stamp;
    attempt.zxid = zxid;
    this.#options.host.syncSession(attempt.session);
  }

  #finishIfApplied(attempt: Attempt): void {
    const { database } = this.#options.host;
    if (attempt.stage !== 'APPLYING' || attempt.zxid > database.lastZxid) return;
    // It may have been ended in the meantime.
    if (this.#lives(attempt.session)) this.#finish(attempt);
    else attempt.port.refuse();
  }

  #finish(attempt: Attempt): void {
    this.#remove(attempt);
    this.#options.host.open(attempt.port, attempt.session, attempt.timeOut, attempt.stamp);
  }

  #add(begun: Pick<Attempt, 'port' | 'connect' | 'timeOut' | 'session' | 'stage'>): void {
    const attempt: Attempt = { ...begun, overtaken: false, lives: true, stamp: 0, zxid: NO_ZXID };
    this.#bySession.set(attempt.session, attempt);
    this.#byPort.set(attempt.port, attempt);
  }

  #remove(attempt: Attempt): void {
    if (attempt.stage === 'APPLYING') this.#applying--;
    if (this.#bySession.get(attempt.session) === attempt) this.#bySession.delete(attempt.session);
    this.#byPort.delete(attempt.port);
  }
}
