/**
 * Writes (reliability.md 2.2): linearizable, at most once, in the order of their client, with the result that G gives them. Sessions too, as far as they
 * are txns: they begin, they end with all their ephemerals, and never before their time.
 */
import {
  type CreateContainerTxn,
  type CreateTtlTxn,
  type CreateTxn,
  ErrorCode,
  type ErrorTxn,
  formatZxid,
  type MultiResponse,
  OpCode,
  type Stat,
  type Txn,
} from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import type { Condition } from '../simulation/sometimes.js';
import { type ClientHistory, type CommittedTxn, nameOf, type SentRequest, type SessionHistory } from './client-history.js';
import { describeRequest, describeTxn, isSameTxn, txnOf } from './request-model.js';
import { parentOf, statFault } from './znode-history.js';

export class WriteChecker {
  readonly #history: ClientHistory;

  constructor(history: ClientHistory) {
    this.#history = history;
  }

  /** A txn has become the newest of G. */
  onCommitted(committed: CommittedTxn): void {
    const { entry, header, txn } = committed;
    const index = entry.committedIndex;
    const session = this.#history.session(header.clientId);
    if (txn.type !== OpCode.error && session.closedIndex !== -1)
      this.#fail('SessionLifetime', `${nameOf(session)} changes something at ${formatZxid(header.zxid)} after its end`);
    if (header.cxid !== 0) this.#checkRequest(session, committed);
    const ephemerals = txn.type === OpCode.closeSession ? txn.paths.length : 0;
    if (txn.type === OpCode.deleteContainer) this.#noteGone(txn.path, index - 1);
    const fault = this.#history.znodes.apply(index, header, txn);
    if (fault !== undefined) this.#fail('TreeModel', `${formatZxid(header.zxid)}: ${fault}`);
    if (txn.type === OpCode.createSession) {
      session.createdIndex = index;
      session.timeoutMs = txn.timeOut;
      this.#history.sometimes.note(session.home === undefined ? 'session opened' : 'local session upgraded');
    } else if (txn.type === OpCode.closeSession) {
      session.closedIndex = index;
      if (ephemerals > 0) this.#history.sometimes.note('ephemeral znode gone with its session');
      if (header.cxid === 0) this.#history.sometimes.note('session expired');
      else this.#history.sometimes.note('session closed by its client');
    }
  }

  /** What is in G under the name of a client is what that client has asked, once, in its order. */
  #checkRequest(session: SessionHistory, { entry, header, txn }: CommittedTxn): void {
    const what = `request ${header.cxid} of ${nameOf(session)}, committed as ${formatZxid(header.zxid)},`;
    const sent = session.sent.get(header.cxid);
    if (sent === undefined) return this.#fail('Integrity', `${what} was never sent`);
    if (session.txns.has(header.cxid)) return this.#fail('AtMostOnce', `${what} had been committed before`);
    session.txns.set(header.cxid, entry.committedIndex);
    if (sent.connection.isReadOnly) this.#fail('ReadOnly', `${what} was sent to a server that only reads`);
    // Behind the end of its session it is refused, whatever way it has come, and its order means nothing.
    const isOver = session.closedIndex !== -1;
    if (header.cxid > session.lastCxid) session.lastCxid = header.cxid;
    else if (!isOver) this.#fail('FifoClientOrder', `${what} comes after request ${session.lastCxid}`);
    if (txn.type !== OpCode.error && txn.type !== sent.request.type && txn.type !== OpCode.createContainer)
      this.#fail('Integrity', `${what} is of another type than what was sent`);
    // What anybody had seen before it was sent comes before it in G; it cannot have happened before it was asked for.
    if (entry.committedIndex <= sent.shownBefore)
      this.#fail('Linearizability', `${what} stands before an entry that a client had seen when it was sent`);
    // A request of a connection that the client has left must not be met by those that it makes on the next one.
    if (!isOver && session.established !== undefined && session.established.ordinal > sent.connection.ordinal)
      this.#fail('SessionExclusivity', `${what} was sent on a connection that its client had left for another`);
    this.#checkModel(what, { session, sent, txn, before: entry.committedIndex - 1 });
  }

  /** What is in G is the right answer to what was asked. */
  #checkModel(
    what: string,
    made: { readonly session: SessionHistory; readonly sent: SentRequest; readonly txn: Txn; readonly before: number },
  ): void {
    const { session, sent, txn, before } = made;
    const { znodes, rules } = this.#history;
    const { proved } = sent;
    const expected = txnOf(sent.request, {
      ...{ znodes, before, session: session.id, proved, isClosed: session.closedIndex !== -1 },
      ...{ isLocal: session.createdIndex === -1, enforcesQuotas: rules.enforcesQuotas },
    });
    if (!isSameTxn(txn, expected)) {
      const asked = describeRequest(sent.request);
      return this.#fail('RequestModel', `${what} asks for ${asked}; in G stands ${describeTxn(txn)}; right is ${describeTxn(expected)}`);
    }
    if (txn.type === OpCode.error) this.#noteRefusal(txn.err);
    else if (txn.type === OpCode.multi) this.#noteMulti(txn.txns);
  }

  #noteGone(path: string, before: number): void {
    const isContainer = this.#history.znodes.at(path, before)?.lifetime === 'container';
    this.#history.sometimes.note(isContainer ? 'container gone by itself' : 'znode gone after its TTL');
  }

  #noteMulti(ops: readonly Txn[]): void {
    const failed = ops.findIndex((op) => op.type === OpCode.error && op.err !== ErrorCode.OK);
    if (failed === -1) return;
    this.#history.sometimes.note('multi refused');
    if (failed > 0) this.#history.sometimes.note('multi refused behind its first operation');
    this.#noteRefusal((ops[failed] as ErrorTxn).err);
  }

  #noteRefusal(err: number): void {
    const condition = REFUSALS.get(err);
    if (condition !== undefined) this.#history.sometimes.note(condition);
  }

  /**
   * NoEarlyExpiry: a leader gives each session its full time by its own clock: from its own start, from what it hears itself and is told by other servers, and
   * from the end of a time in which it stood still. That counts when it decides, also where it is no leader any more and nothing comes of it.
   */
  onExpiring(id: bigint, { leader, epoch, atMs }: { readonly leader: Sid; readonly epoch: number; readonly atMs: number }): void {
    const session = this.#history.session(id);
    const created = this.#history.txns[session.createdIndex]?.entry;
    if (created === undefined) return;
    const termAtMs = this.#history.witness.established.get(epoch)?.termAtMs ?? 0;
    const createdAtMs = created.proposer === leader ? created.proposedAtMs : 0;
    const heardAtMs = session.lastHeard(leader, atMs);
    const silentMs = atMs - Math.max(termAtMs, createdAtMs, heardAtMs, this.#history.stalledUntilMs.get(leader) ?? 0);
    if (silentMs < session.timeoutMs)
      this.#fail(
        'NoEarlyExpiry',
        `${nameOf(session)} is expired after ${silentMs} ms by server ${leader}; its timeout is ${session.timeoutMs} ms`,
      );
  }

  /** A write is answered. */
  onReply(sent: SentRequest): void {
    const { reply, connection, xid, request } = sent;
    const session = connection.session as SessionHistory;
    const what = `request ${xid} of ${nameOf(session)}`;
    if (reply === undefined) return;
    const index = session.txns.get(xid);
    if (index === undefined && request.type === OpCode.closeSession && session.createdIndex === -1) {
      // Its server alone has known of it.
      session.isOverAtHome = true;
      if (reply.err !== ErrorCode.OK)
        this.#fail('LocalSession', `${what}, the end of a local session, is answered with error ${reply.err}`);
      return;
    }
    if (index === undefined) {
      this.#fail('Durability', `${what} is answered with ${formatZxid(reply.zxid)} and is not committed`);
      return;
    }
    const { header, txn } = this.#history.txns[index] as CommittedTxn;
    if (reply.zxid !== header.zxid)
      this.#fail('WriteResult', `${what} is answered with ${formatZxid(reply.zxid)}; it was committed as ${formatZxid(header.zxid)}`);
    const err = txn.type === OpCode.error ? txn.err : ErrorCode.OK;
    if (reply.err !== err) return this.#fail('WriteResult', `${what} is answered with error ${reply.err}; its txn says ${err}`);
    this.#history.sometimes.note(err === ErrorCode.OK ? 'write acknowledged' : 'write refused');
    if (err !== ErrorCode.OK) return;
    const { response } = reply;
    if (request.type === OpCode.multi) {
      this.#checkMulti(what, response as MultiResponse, txn, index);
    } else if (isCreation(txn)) {
      const { path } = response as { readonly path: string };
      if (path !== txn.path) this.#fail('WriteResult', `${what} is told ${path}; created was ${txn.path}`);
      if (path !== (request as { readonly path: string }).path) this.#history.sometimes.note('sequential znode created');
      if (request.type !== OpCode.create) this.#checkStat(what, txn.path, index, (response as { readonly stat: Stat }).stat);
    } else if (txn.type === OpCode.setData || txn.type === OpCode.setACL) {
      this.#checkStat(what, txn.path, index, (response as { readonly stat: Stat }).stat);
    }
  }

  #checkMulti(what: string, { results }: MultiResponse, txn: Txn, index: number): void {
    if (txn.type !== OpCode.multi || results.length !== txn.txns.length)
      return this.#fail('WriteResult', `${what} is answered with another number of results`);
    for (let i = 0; i < results.length; i++) {
      const result = results[i] as MultiResponse['results'][number];
      const op = txn.txns[i] as Txn;
      if (result.type !== resultType(op))
        this.#fail('WriteResult', `${what}: result ${i} is of type ${result.type}, its txn of type ${op.type}`);
      else if (result.type === OpCode.error && op.type === OpCode.error && result.err !== op.err)
        this.#fail('WriteResult', `${what}: result ${i} is error ${result.err}; its txn says ${op.err}`);
      else if ((result.type === OpCode.create || result.type === OpCode.create2) && 'path' in op && result.path !== op.path)
        this.#fail('WriteResult', `${what}: result ${i} tells ${result.path}; created was ${op.path}`);
      else if ('stat' in result && 'path' in op && !isTouched(txn.txns.slice(i + 1), op.path))
        this.#checkStat(what, op.path, index, result.stat);
    }
  }

  #checkStat(what: string, path: string, index: number, stat: Stat): void {
    const znode = this.#history.znodes.at(path, index);
    const fault = znode === undefined ? 'existence' : statFault(stat, znode);
    if (fault !== undefined) this.#fail('WriteResult', `${what} is told another ${fault} of ${path} than it has`);
  }

  /** At the end: what became of the writes that were never answered. */
  finish(): void {
    for (const session of this.#history.sessions.values()) {
      for (const sent of session.sent.values()) {
        if (sent.reply !== undefined || !isWrite(sent.request.type)) continue;
        const happened = session.txns.has(sent.xid);
        this.#history.sometimes.note(
          happened ? 'write with an unknown outcome that took effect' : 'write with an unknown outcome that had none',
        );
      }
    }
  }

  #fail(property: string, message: string): void {
    this.#history.verdict.fail(property, message);
  }
}

/** Whether one of these operations changes the znode, or counts its children anew. */
function isTouched(ops: readonly Txn[], path: string): boolean {
  return ops.some((op) => 'path' in op && op.type !== OpCode.check && (op.path === path || parentOf(op.path) === path));
}

type Creation = CreateTxn | CreateContainerTxn | CreateTtlTxn;

function isCreation(txn: Txn): txn is Creation {
  return [OpCode.create, OpCode.create2, OpCode.createContainer, OpCode.createTTL].some((type) => type === txn.type);
}

/** Within a multi, every creation but a plain one is answered as create2. */
function resultType(op: Txn): number {
  return isCreation(op) && op.type !== OpCode.create ? OpCode.create2 : op.type;
}

const WRITES: ReadonlySet<number> = new Set([
  ...[
    OpCode.create,
    OpCode.create2,
    OpCode.createContainer,
    OpCode.createTTL,
    OpCode.delete,
    OpCode.setData,
    OpCode.setACL,
    OpCode.multi,
    OpCode.closeSession,
  ],
]);

const REFUSALS: ReadonlyMap<number, Condition> = new Map([
  [ErrorCode.NO_NODE, 'refused: NO_NODE'],
  [ErrorCode.NODE_EXISTS, 'refused: NODE_EXISTS'],
  [ErrorCode.NO_CHILDREN_FOR_EPHEMERALS, 'refused: NO_CHILDREN_FOR_EPHEMERALS'],
  [ErrorCode.NOT_EMPTY, 'refused: NOT_EMPTY'],
  [ErrorCode.BAD_VERSION, 'refused: BAD_VERSION'],
  [ErrorCode.BAD_ARGUMENTS, 'refused: BAD_ARGUMENTS'],
  [ErrorCode.INVALID_ACL, 'refused: INVALID_ACL'],
  [ErrorCode.SESSION_EXPIRED, 'refused: SESSION_EXPIRED'],
  [ErrorCode.NO_AUTH, 'refused: NO_AUTH'],
  [ErrorCode.EPHEMERAL_ON_LOCAL_SESSION, 'refused: EPHEMERAL_ON_LOCAL_SESSION'],
  [ErrorCode.QUOTA_EXCEEDED, 'refused: QUOTA_EXCEEDED'],
]);

/** Whether a request becomes a txn. */
export function isWrite(type: number): boolean {
  return WRITES.has(type);
}
