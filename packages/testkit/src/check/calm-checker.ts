/**
 * What must come about while all is well (reliability.md 2.3): requests are answered, sessions of silent clients end, and no server keeps watches for
 * clients that are gone.
 *
 * Whoever calls sees to it that all is well from `begin` to the last question: links, disks and clocks are good, nothing is left that was slow before, and no server stops
 * serving.
 */
import { OpCode, type Zxid } from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import { type ClientHistory, nameOf, type SentRequest, type SessionHistory, type WireConnection } from './client-history.js';
import type { Entry } from './witness.js';
import type { Znode } from './znode-history.js';

/**
 * By when everything is answered. Six hops, of a sixteenth of a tick at most, and two flushes on each of two servers, of a quarter, are less than two ticks; the
 * client gives up no earlier than after two thirds of eight.
 */
export const TICKS_TO_ANSWER = 4;

/**
 * How much longer than its timeout a session may live whose client is silent: a tick until the leader has heard of its last word, one by which its time is rounded up, one
 * until the leader looks again, and two until the end is committed.
 */
export const TICKS_TO_EXPIRE = 6;

/** How much longer than the interval of the looks something may live whose time has come: a look, and two until its end is committed. */
export const TICKS_TO_SWEEP = 4;

/** What a server has at its end. */
export interface ServerAccount {
  readonly sid: Sid;
  /** The connections that are open there and on which something was heard. */
  readonly connections: Iterable<WireConnection>;
  readonly watchCount: number;
  readonly lastZxid: Zxid;
}

export class CalmChecker {
  readonly #history: ClientHistory;
  /** The youngest of those that were unanswered at the beginning. */
  readonly #due = new Map<WireConnection, SentRequest>();
  /** Sessions that have existed since the beginning and were not heard. */
  readonly #silent = new Set<SessionHistory>();
  /** Those on which a session was open and nothing was asked that ends it. */
  readonly #open = new Set<WireConnection>();
  /** Sessions that somebody comes for, and the connection on which each was. */
  readonly #taken = new Map<SessionHistory, WireConnection>();
  /** What was over at the beginning. */
  #over: readonly (readonly [path: string, znode: Znode])[] = [];
  /** How far G was at the beginning. */
  #committed = 0;

  constructor(history: ClientHistory) {
    this.#history = history;
  }

  /** All servers that serve. */
  begin(servers: Iterable<ServerAccount>): void {
    this.#due.clear();
    this.#silent.clear();
    this.#open.clear();
    const { witness, znodes, txns } = this.#history;
    this.#committed = witness.committed.length - 1;
    this.#over = znodes.overBy(txns[this.#committed]?.header.time ?? 0);
    for (const { connections } of servers) {
      for (const connection of connections) {
        if (connection.session !== undefined && connection.isOpen && !isEnding(connection)) this.#open.add(connection);
        const youngest = connection.unanswered[connection.unanswered.length - 1];
        if (connection.session !== undefined && youngest !== undefined) this.#due.set(connection, youngest);
      }
    }
    for (const session of this.#history.sessions.values())
      if (session.createdIndex !== -1 && session.closedIndex === -1) this.#silent.add(session);
  }

  onHeard(session: SessionHistory): void {
    this.#silent.delete(session);
  }

  /** After TICKS_TO_ANSWER: a connection that is whole owes its client nothing, and none has ended. */
  checkAnswered(servers: Iterable<ServerAccount>): void {
    for (const { server, session, isOpen } of this.#open)
      if (!isOpen) this.#fail('Undisturbed', `server ${server} ends the connection of ${nameOf(session)}, and all is well`);
    const { committed } = this.#history.witness;
    for (const { sid, lastZxid } of servers)
      if (lastZxid < (committed[this.#committed] as Entry).zxid)
        this.#fail('Timeliness', `server ${sid} serves what was ${TICKS_TO_ANSWER} ticks ago, and all is well`);
    for (const [connection, { reply, xid }] of this.#due) {
      if (!connection.isOpen || connection.serverEnd?.isOpen !== true) continue;
      this.#history.sometimes.note('answered while all is well');
      if (reply === undefined)
        this.#fail(
          'Answered',
          `request ${xid} of ${nameOf(connection.session)} has no answer of server ${connection.server}, and all is well`,
        );
    }
  }

  /** After the timeout and TICKS_TO_EXPIRE: no session is left whose client was never heard. */
  checkExpired(): void {
    for (const session of this.#silent) {
      if (session.closedIndex !== -1) this.#history.sometimes.note('expired while all is well');
      else this.#fail('Expiry', `nobody has heard the client of ${nameOf(session)} for longer than its timeout, and it goes on`);
    }
  }

  /** Somebody comes for a session, with its password. */
  beginTakeover(): void {
    this.#taken.clear();
    for (const { session, isOpen, ordinal } of this.#open)
      if (isOpen && session?.established?.ordinal === ordinal) this.#taken.set(session, session.established);
  }

  /** After TICKS_TO_ANSWER: whoever has a session has it on another connection than before. */
  noteTaken(): void {
    for (const [session, connection] of this.#taken) if (session.established === connection) this.#taken.delete(session);
  }

  /** After as long again: the connection on which a session was is closed. */
  checkTaken(): void {
    for (const [session, { server, isOpen }] of this.#taken) {
      this.#history.sometimes.note('taken over while all is well');
      if (isOpen)
        this.#fail('SessionExclusivity', `${nameOf(session)} has gone on elsewhere, and its connection to server ${server} stays open`);
    }
  }

  /** After the interval of the looks and TICKS_TO_SWEEP: what was over has gone, unless something has happened to it. */
  checkSwept(): void {
    const { znodes, witness, sometimes } = this.#history;
    for (const [path, znode] of this.#over) {
      sometimes.note('over while all is well');
      if (znodes.at(path, witness.committed.length) === znode) this.#fail('Sweep', `${path} has been over for long, and stays`);
    }
  }

  /** A server has no more watches than the clients that it is connected to can have there: those that they know of, and those that they have asked for. */
  checkWatches({ sid, connections, watchCount }: ServerAccount, known: (session: SessionHistory) => number): void {
    let max = 0;
    for (const { isOpen, session, unanswered } of connections) {
      // Its client is gone, and the server has not been told yet.
      if (!isOpen) return;
      if (session === undefined) continue;
      max += known(session);
      for (const { request } of unanswered) if (request.type === OpCode.addWatch || ('watch' in request && request.watch)) max++;
    }
    this.#history.sometimes.note('watches counted');
    if (watchCount > max) this.#fail('WatchLeak', `server ${sid} keeps ${watchCount} watches; its clients know of ${max}`);
  }

  #fail(property: string, message: string): void {
    this.#history.verdict.fail(property, message);
  }
}

/** Whether its client has asked for what ends the connection. */
function isEnding({ unanswered }: WireConnection): boolean {
  return unanswered.some(({ request }) => request.type === OpCode.closeSession || request.type === OpCode.auth);
}
