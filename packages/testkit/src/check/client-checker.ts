/**
 * Holds clients' histories against G: what they were told must be what the committed log says. It sees what goes over the wire of each client, in the
 * order in which the client sees it, and the txns of G.
 */
import {
  type AddWatchRequest,
  type ClientMessage,
  type ConnectRequest,
  type ConnectResponse,
  decodeTxn,
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
import { ClientHistory, type CommittedTxn, nameOf, type SentRequest, WireConnection } from './client-history.js';
import { ReadChecker } from './read-checker.js';
import { WatchChecker } from './watch-checker.js';
import type { Entry, Witness } from './witness.js';
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
  readonly #calm: CalmChecker;
  #connections = 0;
  /** By connection: how its client has introduced itself. */
  readonly #asked = new WeakMap<WireConnection, ConnectRequest>();

  constructor(options: { readonly witness: Witness; readonly sometimes: Sometimes; readonly clockOf: (sid: Sid) => number }) {
    this.#history = new ClientHistory(options.witness, options.sometimes);
    this.#clockOf = options.clockOf;
    this.#writes = new WriteChecker(this.#history);
    this.#reads = new ReadChecker(this.#history);
    this.#watches = new WatchChecker(this.#history);
    this.#calm = new CalmChecker(this.#history);
  }

  /** A txn has been delivered for the first time. */
  onCommitted(entry: Entry): void {
    const { header, txn } = decodeTxn(entry.payload);
    const committed: CommittedTxn = { entry, header, txn };
    this.#history.txns[entry.committedIndex] = committed;
    this.#writes.onCommitted(committed);
  }

  /** A client dials a server. */
  onDialled(client: number, server: Sid): WireConnection {
    return new WireConnection(++this.#connections, client, server);
  }

  /** A server has heard this client. */
  onHeard(connection: WireConnection): void {
    connection.session?.hear(connection.server, this.#clockOf(connection.server));
    const session = connection.session?.id ?? this.#asked.get(connection)?.sessionId ?? 0n;
    if (session !== 0n) this.#calm.onHeard(this.#history.session(session));
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
  onHandshakeAnswered(connection: WireConnection, { timeOut }: ConnectResponse, lastZxid: Zxid): void {
    const asked = this.#asked.get(connection);
    if (asked === undefined) return;
    const { sessionId, lastZxidSeen } = asked;
    if (timeOut <= 0 && sessionId !== 0n && this.#history.session(sessionId).closedIndex === -1)
      this.#fail('ExpiredOnlyWhenClosed', `${nameOf(this.#history.session(sessionId))} is called expired before its end is committed`);
    if (timeOut > 0 && lastZxidSeen > lastZxid)
      this.#fail(
        'SingleSystemImage',
        `server ${connection.server} is at ${formatZxid(lastZxid)} and takes a client that has seen ${formatZxid(lastZxidSeen)}`,
      );
  }

  onSent(connection: WireConnection, message: ClientMessage): void {
    if (message.kind === 'connect') this.#asked.set(connection, message);
    if (message.kind !== 'request') return;
    const { xid, request } = message;
    const sent: SentRequest = { connection, xid, request, shownBefore: this.#history.shown, reply: undefined };
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

  /** From now on all is well; `TICKS_TO_ANSWER` and `TICKS_TO_EXPIRE` later it can be asked what has come of it, as long as all has been well. */
  beginCalm(servers: Iterable<ServerAccount>): void {
    this.#calm.begin(servers);
  }

  checkAnswered(servers: Iterable<ServerAccount>): void {
    this.#calm.checkAnswered();
    for (const server of servers) this.#calm.checkWatches(server, (session) => this.#watches.count(session));
  }

  checkExpired(): void {
    this.#calm.checkExpired();
  }

  finish(): void {
    this.#writes.finish();
  }

  #onConnected(connection: WireConnection, response: ConnectResponse): void {
    if (response.timeOut <= 0) return;
    const asked = this.#asked.get(connection)?.sessionId ?? 0n;
    const session = this.#history.session(response.sessionId);
    if (session.createdIndex === -1) this.#fail('SessionLifetime', `${nameOf(session)} is given to a client before it is committed`);
    if (asked !== 0n && asked !== response.sessionId)
      this.#fail('SessionLifetime', `a client that asked for another is given ${nameOf(session)}`);
    if (session.established !== undefined && session.established.server !== connection.server)
      this.#history.sometimes.note('session moved to another server');
    connection.session = session;
    session.established = connection;
  }

  #onReply(connection: WireConnection, reply: ReplyMessage): void {
    const { session } = connection;
    const sent = connection.unanswered.shift();
    if (session === undefined || sent === undefined || sent.xid !== reply.xid) {
      this.#fail('FifoClientOrder', `${nameOf(session)} is answered ${reply.xid} where ${sent?.xid ?? 'nothing'} was due`);
      return;
    }
    sent.reply = reply;
    const index = this.#reads.onShown(session, reply.zxid);
    if (index < 0) return;
    if (reply.xid === Xid.setWatches) this.#watches.onSetWatchesReply(connection, index);
    else this.#watches.onShown(connection, index);
    const { request } = sent;
    const { type } = request;
    if (isWrite(type)) {
      this.#writes.onReply(sent);
    } else if (type === OpCode.sync) {
      this.#reads.onSync(sent, index);
    } else if (type === OpCode.addWatch) {
      this.#watches.onAddWatch(connection, request as AddWatchRequest, reply.err, index);
    } else if (type === OpCode.checkWatches || type === OpCode.removeWatches) {
      this.#watches.onWatcher(connection, request as WatcherRequest, reply.err);
    } else if (reply.xid > 0) {
      this.#reads.onReply(sent, index);
      this.#watches.onRead(sent, index);
    }
  }

  #fail(property: string, message: string): void {
    this.#history.verdict.fail(property, message);
  }
}
