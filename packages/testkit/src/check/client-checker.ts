/**
 * Holds clients' histories against G: what they were told must be what the committed log says. It sees what goes over the wire of each client, in the
 * order in which the client sees it, and the txns of G.
 */
import {
  type AddWatchRequest,
  type AuthRequest,
  type ClientMessage,
  type ConnectRequest,
  type ConnectResponse,
  decodeTxn,
  ErrorCode,
  formatZxid,
  OpCode,
  type ReplyMessage,
  type ServerMessage,
  type WatcherRequest,
  Xid,
  type Zxid,
} from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import type { Sometimes } from '../simulation/sometimes.js';
import { CalmChecker, type ServerAccount } from './calm-checker.js';
import {
  ClientHistory,
  type CommittedTxn,
  nameOf,
  type Rules,
  type SentRequest,
  type SessionHistory,
  WireConnection,
} from './client-history.js';
import { ANN, BOB, type ProvedIds } from './identities.js';
import { ReadChecker } from './read-checker.js';
import { describeRequest } from './request-model.js';
import { WatchChecker } from './watch-checker.js';
import { type Entry, sameBytes, type Witness } from './witness.js';
import { isWrite, WriteChecker } from './write-checker.js';

const TOUCHES_HEAD_BYTES = 4;
const TOUCH_BYTES = 12;

export class ClientChecker {
  readonly #history: ClientHistory;
  /** What the clock of a server shows. */
  readonly #clockOf: (sid: Sid) => number;
  readonly #writes: WriteChecker;
  readonly #reads: ReadChecker;
  readonly #watches: WatchChecker;
  /** To be asked what has come of it, as long as all is well. */
  readonly calm: CalmChecker;
  #connections = 0;
  /** By connection: how its client has introduced itself. */
  readonly #asked = new WeakMap<WireConnection, ConnectRequest>();
  /** By server: its present life, of all lives of all servers. */
  readonly #lives = new Map<Sid, number>();
  #livesBegun = 0;

  constructor(options: {
    readonly witness: Witness;
    readonly sometimes: Sometimes;
    readonly rules: Rules;
    readonly clockOf: (sid: Sid) => number;
  }) {
    this.#history = new ClientHistory(options.witness, options.sometimes, options.rules);
    this.#clockOf = options.clockOf;
    this.#writes = new WriteChecker(this.#history);
    this.#reads = new ReadChecker(this.#history);
    this.#watches = new WatchChecker(this.#history);
    this.calm = new CalmChecker(this.#history);
  }

  /** A txn has been delivered for the first time. */
  onCommitted(entry: Entry): void {
    const { header, txn } = decodeTxn(entry.payload);
    const committed: CommittedTxn = { entry, header, txn };
    this.#history.txns[entry.committedIndex] = committed;
    this.#writes.onCommitted(committed);
  }

  /** A server begins to live, and knows of no client. */
  onBegun(server: Sid): void {
    this.#lives.set(server, ++this.#livesBegun);
  }

  /** A client dials a server. */
  onDialled(client: number, server: Sid, isForeign = false): WireConnection {
    return new WireConnection(++this.#connections, { client, server, isForeign });
  }

  /** A server has heard this client. */
  onHeard(connection: WireConnection): void {
    connection.session?.hear(connection.server, this.#clockOf(connection.server));
    const session = connection.session?.id ?? this.#asked.get(connection)?.sessionId ?? 0n;
    if (session !== 0n) this.calm.onHeard(this.#history.session(session));
  }

  /** A server has told this leader whose clients it has heard: a list of sessions and their timeouts, in the records of jute. */
  onToldOf(leader: Sid, touches: Uint8Array): void {
    const now = this.#clockOf(leader);
    const view = new DataView(touches.buffer, touches.byteOffset, touches.byteLength);
    for (let at = TOUCHES_HEAD_BYTES; at < view.byteLength; at += TOUCH_BYTES)
      this.#history.session(view.getBigInt64(at)).hear(leader, now);
  }

  /** This server goes on after it had stood still. */
  onStalled(server: Sid): void {
    this.#history.stalledUntilMs.set(server, this.#clockOf(server));
  }

  /** A leader is about to end a session, because its client was silent for too long. */
  onExpiring(session: bigint, leader: Sid, epoch: number): void {
    this.#writes.onExpiring(session, { leader, epoch, atMs: this.#clockOf(leader) });
  }

  /** A server that has applied all up to `lastZxid` answers a handshake. What is true by the time at which the client hears it may not be true yet. */
  onHandshakeAnswered(connection: WireConnection, response: ConnectResponse, lastZxid: Zxid): void {
    const asked = this.#asked.get(connection);
    if (asked === undefined) return;
    const { timeOut } = response;
    const { sessionId, lastZxidSeen } = asked;
    if (this.#isForged(asked)) {
      if (timeOut > 0) this.#fail('Password', `server ${connection.server} takes a client that does not know the password of its session`);
      return;
    }
    if (timeOut <= 0) this.#checkRefused(sessionId, lastZxid);
    else if (response.readOnly) this.#checkReader(connection, asked);
    else this.#checkTaken(connection, asked, response.sessionId);
    if (timeOut > 0 && lastZxidSeen > lastZxid)
      this.#fail(
        'SingleSystemImage',
        `server ${connection.server} is at ${formatZxid(lastZxid)} and takes a client that has seen ${formatZxid(lastZxidSeen)}`,
      );
  }

  /** A server at `lastZxid` says that a session has ended. Of one that another server alone knows it can say that as well. */
  #checkRefused(sessionId: bigint, lastZxid: Zxid): void {
    if (sessionId === 0n) return;
    const session = this.#history.session(sessionId);
    const { createdIndex, closedIndex } = session;
    const applied = this.#history.witness.find(lastZxid)?.committedIndex ?? -1;
    if (createdIndex === -1 || (this.#history.rules.localSessions && createdIndex > applied)) return;
    if (closedIndex === -1) this.#fail('ExpiredOnlyWhenClosed', `${nameOf(session)} is called expired before its end is committed`);
  }

  #checkReader({ server }: WireConnection, { readOnly }: ConnectRequest): void {
    this.#history.sometimes.note('taken by a server that only reads');
    if (!readOnly) this.#fail('ReadOnly', `server ${server} only reads, and takes a client that does not put up with it`);
  }

  /** A session of which no txn tells is known to the server alone that has begun it, for as long as that lives. */
  #checkTaken({ server }: WireConnection, { sessionId: asked }: ConnectRequest, given: bigint): void {
    const session = this.#history.session(given);
    const life = this.#lives.get(server);
    if (session.createdIndex !== -1) return;
    if (asked === 0n) {
      session.home = life;
      if (this.#history.rules.localSessions) this.#history.sometimes.note('local session begun');
    } else if (session.home !== life || session.isOverAtHome) {
      this.#fail('LocalSession', `server ${server} takes ${nameOf(session)}, of which it cannot know`);
    } else {
      this.#history.sometimes.note('local session taken up again');
    }
  }

  onSent(connection: WireConnection, message: ClientMessage): void {
    if (message.kind === 'connect') this.#asked.set(connection, message);
    if (message.kind !== 'request') return;
    const { xid, request } = message;
    const { claimed } = connection;
    if (request.type === OpCode.auth) connection.claimed = proving(claimed, request);
    const sent: SentRequest = { connection, xid, request, proved: claimed, shownBefore: this.#history.shown, reply: undefined };
    if (request.type === OpCode.setWatches || request.type === OpCode.setWatches2) this.#watches.onSetWatches(connection, request);
    else if (xid > 0) this.#watches.onPrimed(connection);
    connection.unanswered.push(sent);
    const { session } = connection;
    if (session === undefined || xid <= 0) return;
    if (session.sent.has(xid)) this.#fail('AtMostOnce', `${nameOf(session)} sends two requests under xid ${xid}`);
    session.sent.set(xid, sent);
  }

  onReceived(connection: WireConnection, message: ServerMessage): void {
    if (message.kind === 'connected') this.#onConnected(connection, message);
    else if (message.kind === 'event') this.#watches.onEvent(connection, message);
    else this.#onReply(connection, message);
  }

  onLost(connection: WireConnection): void {
    connection.isOpen = false;
    this.#watches.onLost(connection);
  }

  checkAnswered(servers: readonly ServerAccount[]): void {
    this.calm.checkAnswered(servers);
    for (const server of servers) this.calm.checkWatches(server, (session) => this.#watches.count(session));
  }

  finish(): void {
    this.#writes.finish();
  }

  #onConnected(connection: WireConnection, response: ConnectResponse): void {
    const connect = this.#asked.get(connection);
    if (response.timeOut <= 0) {
      if (connection.isForeign && connect !== undefined && this.#isForged(connect))
        this.#history.sometimes.note('session kept from who does not');
      return;
    }
    const asked = connect?.sessionId ?? 0n;
    const session = this.#history.session(response.sessionId);
    session.password ??= response.passwd;
    if (asked !== 0n && asked !== response.sessionId)
      this.#fail('SessionLifetime', `a client that asked for another is given ${nameOf(session)}`);
    connection.session = session;
    connection.isReadOnly = response.readOnly;
    // Such a server cannot keep what its clients have asked elsewhere from being done.
    if (response.readOnly) return;
    if (session.createdIndex === -1 && !this.#history.rules.localSessions)
      this.#fail('SessionLifetime', `${nameOf(session)} is given to a client before it is committed`);
    this.#noteMove(session, connection);
    session.established = connection;
  }

  #isForged({ sessionId, passwd }: ConnectRequest): boolean {
    const { password } = this.#history.session(sessionId);
    return sessionId !== 0n && password !== undefined && !sameBytes(passwd, password);
  }

  #noteMove({ established }: SessionHistory, connection: WireConnection): void {
    const { sometimes } = this.#history;
    if (connection.isForeign) sometimes.note('session taken over by who knows its password');
    if (established === undefined || established.server === connection.server) return;
    sometimes.note('session moved to another server');
    if (established.unanswered.some(({ request }) => isWrite(request.type))) sometimes.note('session moved while a write was under way');
  }

  #onReply(connection: WireConnection, reply: ReplyMessage): void {
    const { session } = connection;
    const sent = connection.unanswered.shift();
    if (session === undefined || sent === undefined || sent.xid !== reply.xid) {
      this.#fail('FifoClientOrder', `${nameOf(session)} is answered ${reply.xid} where ${sent?.xid ?? 'nothing'} was due`);
      return;
    }
    sent.reply = reply;
    // Whoever takes a session over has not seen what its client has, and asks for nothing.
    if (connection.isForeign) return;
    const index = this.#reads.onShown(session, reply);
    if (index < 0) return;
    if (reply.xid === Xid.setWatches) this.#watches.onSetWatchesReply(connection, index);
    else this.#watches.onShown(connection, index);
    const { request } = sent;
    const { type } = request;
    if (connection.isReadOnly && needsEnsemble(type)) {
      this.#onReaderReply(sent, reply.err);
    } else if (isWrite(type)) {
      this.#writes.onReply(sent);
    } else if (type === OpCode.sync) {
      this.#reads.onSync(sent, index);
    } else if (type === OpCode.auth) {
      this.#onAuthReply(connection, request as AuthRequest, reply.err);
    } else if (type === OpCode.addWatch) {
      this.#watches.onAddWatch(connection, request as AddWatchRequest, reply.err, index);
    } else if (type === OpCode.checkWatches || type === OpCode.removeWatches) {
      this.#watches.onWatcher(connection, request as WatcherRequest, reply.err);
    } else if (reply.xid > 0) {
      if (connection.isReadOnly) this.#history.sometimes.note('read answered without a leader');
      this.#reads.onReply(sent, index);
      this.#watches.onRead(sent, index);
    }
  }

  /** A server that only reads says so. It ends a session that has begun there. */
  #onReaderReply({ connection, request }: SentRequest, err: number): void {
    const { session } = connection;
    const isOwn = request.type === OpCode.closeSession && session?.createdIndex === -1;
    if (err !== ErrorCode.NOT_READ_ONLY && !(isOwn && err === ErrorCode.OK))
      this.#fail('ReadOnly', `${nameOf(session)}: a server that only reads answers ${describeRequest(request)} with ${err}`);
    this.#history.sometimes.note('refused: NOT_READ_ONLY');
  }

  /** What was decided before its answer came is looked at by now. */
  #onAuthReply(connection: WireConnection, request: AuthRequest, err: number): void {
    const expected = request.scheme === 'digest' ? ErrorCode.OK : ErrorCode.AUTH_FAILED;
    if (err !== expected)
      this.#fail('AuthRequest', `${nameOf(connection.session)}: a proof by ${request.scheme} is answered ${err} instead of ${expected}`);
    connection.proved = proving(connection.proved, request);
    this.#history.sometimes.note(err === ErrorCode.OK ? 'identity proved' : 'proof refused');
  }

  #fail(property: string, message: string): void {
    this.#history.verdict.fail(property, message);
  }
}

/** Whether a server that only reads must refuse it. */
function needsEnsemble(type: number): boolean {
  return isWrite(type) || type === OpCode.sync;
}

/** The ids of a connection after one more proof. */
function proving(ids: ProvedIds, { scheme, auth }: AuthRequest): ProvedIds {
  const identity = scheme === 'digest' ? [ANN, BOB].find((one) => sameBytes(one.auth, auth)) : undefined;
  return identity === undefined || ids.includes(identity.id) ? ids : [...ids, identity.id];
}
