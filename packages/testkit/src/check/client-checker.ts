/**
 * Holds clients' histories against G: what they were told must be what the committed log says. It sees what goes over the wire of each client, in the
 * order in which the client sees it, and the txns of G.
 */
import { type ClientMessage, type ConnectResponse, decodeTxn, OpCode, type ReplyMessage, type ServerMessage, Xid } from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import type { Sometimes } from '../simulation/sometimes.js';
import { ClientHistory, type CommittedTxn, nameOf, type SentRequest, WireConnection } from './client-history.js';
import { ReadChecker } from './read-checker.js';
import { WatchChecker } from './watch-checker.js';
import type { Entry, Witness } from './witness.js';
import { isWrite, WriteChecker } from './write-checker.js';

export class ClientChecker {
  readonly #history: ClientHistory;
  /** What the clock of a server shows. */
  readonly #clockOf: (sid: Sid) => number;
  readonly #writes: WriteChecker;
  readonly #reads: ReadChecker;
  readonly #watches: WatchChecker;
  #connections = 0;
  /** By connection: the session that its client asked for. */
  readonly #asked = new Map<WireConnection, bigint>();

  constructor(options: { readonly witness: Witness; readonly sometimes: Sometimes; readonly clockOf: (sid: Sid) => number }) {
    this.#history = new ClientHistory(options.witness, options.sometimes);
    this.#clockOf = options.clockOf;
    this.#writes = new WriteChecker(this.#history);
    this.#reads = new ReadChecker(this.#history);
    this.#watches = new WatchChecker(this.#history);
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
  }

  onSent(connection: WireConnection, message: ClientMessage): void {
    if (message.kind === 'connect') this.#asked.set(connection, message.sessionId);
    if (message.kind !== 'request') return;
    const { xid, request } = message;
    const sent: SentRequest = { connection, xid, request, shownBefore: this.#history.shown, reply: undefined };
    if (request.type === OpCode.setWatches) this.#watches.onSetWatches(connection, request);
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
    this.#watches.onLost(connection);
  }

  finish(): void {
    this.#writes.finish();
  }

  #onConnected(connection: WireConnection, response: ConnectResponse): void {
    const asked = this.#asked.get(connection) ?? 0n;
    if (response.timeOut <= 0) {
      if (asked !== 0n && this.#history.session(asked).closedIndex === -1)
        this.#fail('ExpiredOnlyWhenClosed', `${nameOf(this.#history.session(asked))} is called expired before its end is committed`);
      return;
    }
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
    const { type } = sent.request;
    if (isWrite(type)) {
      this.#writes.onReply(sent);
    } else if (type === OpCode.sync) {
      this.#reads.onSync(sent, index);
    } else if (reply.xid > 0) {
      this.#reads.onReply(sent, index);
      this.#watches.onRead(sent, index);
    }
  }

  #fail(property: string, message: string): void {
    this.#history.verdict.fail(property, message);
  }
}
