/**
 * What must come about while all is well (reliability.md 2.3): requests are answered, sessions of silent clients end, and no server keeps watches for
 * clients that are gone.
 *
 * Whoever calls sees to it that all is well from `begin` to the last question: links, disks and clocks are good, nothing is left that was slow before, and no server stops
 * serving.
 */
import { OpCode } from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import { type ClientHistory, nameOf, type SentRequest, type SessionHistory, type WireConnection } from './client-history.js';

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

/** What a server has at its end. */
export interface ServerAccount {
  readonly sid: Sid;
  /** The connections that are open there and on which something was heard. */
  readonly connections: Iterable<WireConnection>;
  readonly watchCount: number;
}

export class CalmChecker {
  readonly #history: ClientHistory;
  /** The youngest of those that were unanswered at the beginning. */
  readonly #due = new Map<WireConnection, SentRequest>();
  /** Sessions that have existed since the beginning and were not heard. */
  readonly #silent = new Set<SessionHistory>();

  constructor(history: ClientHistory) {
    this.#history = history;
  }

  /** All servers that serve. */
  begin(servers: Iterable<ServerAccount>): void {
    this.#due.clear();
    this.#silent.clear();
    for (const { connections } of servers) {
      for (const connection of connections) {
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

  /** After TICKS_TO_ANSWER: a connection that is whole owes its client nothing. */
  checkAnswered(): void {
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
