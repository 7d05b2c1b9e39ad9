/**
 * Reads (reliability.md 2.2): each shows one state of G, the one that its reply names; a session never goes back to an earlier one; and what is read after
 * a sync is at least as new as all that anybody had seen when the sync was asked for.
 */
import { ErrorCode, formatZxid, OpCode, type Response, type Stat } from '@quorate/protocol';
import { type ClientHistory, nameOf, type SentRequest, type SessionHistory } from './client-history.js';
import { sameBytes } from './witness.js';
import { statFault, type Znode } from './znode-history.js';

export class ReadChecker {
  readonly #history: ClientHistory;

  constructor(history: ClientHistory) {
    this.#history = history;
  }

  /** Any answer at all: gives the index in G that it shows, −1 where it shows none. */
  onShown(session: SessionHistory, zxid: number): number {
    const entry = this.#history.witness.find(zxid as never);
    if (entry === undefined || entry.committedIndex < 0) {
      this.#fail('CommitConsistency', `${nameOf(session)} is shown ${formatZxid(zxid as never)}, which is not committed`);
      return -1;
    }
    const index = entry.committedIndex;
    if (index < session.shown) this.#fail('SingleSystemImage', `${nameOf(session)} is shown ${formatZxid(entry.zxid)} after a later state`);
    else session.shown = index;
    if (index > this.#history.shown) this.#history.shown = index;
    return index;
  }

  /** A sync is answered by a server that shows `index`. */
  onSync(sent: SentRequest, index: number): void {
    this.#history.sometimes.note('sync and read checked');
    if (index < sent.shownBefore)
      this.#fail(
        'SyncFreshness',
        `${nameOf(sent.connection.session)}: sync ${sent.xid} ends at entry ${index} of G; others had seen ${sent.shownBefore} when it was asked for`,
      );
  }

  /** A read is answered by a server that shows `index`. */
  onReply(sent: SentRequest, index: number): void {
    const { request, reply } = sent;
    if (reply === undefined || !('path' in request)) return;
    const { path } = request;
    const znode = this.#history.znodes.at(path, index);
    this.#history.sometimes.note('read checked');
    if (znode === undefined || reply.err !== ErrorCode.OK) {
      const expected = znode === undefined ? ErrorCode.NO_NODE : ErrorCode.OK;
      if (reply.err !== expected) this.#wrong(sent, index, `error ${reply.err} instead of ${expected}`);
      return;
    }
    this.#checkBody(sent, index, znode, reply.response as Response);
  }

  #checkBody(sent: SentRequest, index: number, znode: Znode, response: Response): void {
    const { path } = sent.request as { readonly path: string };
    if ('stat' in response) {
      const fault = statFault(response.stat as Stat, znode);
      if (fault !== undefined) this.#wrong(sent, index, `another ${fault}`);
    }
    if (response.type === OpCode.getData) {
      if ((response.data === null) !== (znode.data === null) || !sameBytes(response.data ?? NOTHING, znode.data ?? NOTHING))
        this.#wrong(sent, index, 'other data');
    } else if (response.type === OpCode.getChildren || response.type === OpCode.getChildren2) {
      const names = this.#history.znodes.childrenAt(path, index).sort();
      const shown = [...response.children].sort();
      if (names.length !== shown.length || names.some((name, i) => name !== shown[i]))
        this.#wrong(sent, index, `the children [${shown.join(' ')}] instead of [${names.join(' ')}]`);
    } else if (response.type === OpCode.getACL) {
      if (JSON.stringify(response.acl) !== JSON.stringify(znode.acl)) this.#wrong(sent, index, 'another ACL');
    }
  }

  #wrong({ connection, xid, request }: SentRequest, index: number, shown: string): void {
    const { path } = request as { readonly path: string };
    this.#fail('SequentialRead', `${nameOf(connection.session)}: read ${xid} of ${path} at entry ${index} of G shows ${shown}`);
  }

  #fail(property: string, message: string): void {
    this.#history.verdict.fail(property, message);
  }
}

const NOTHING = new Uint8Array(0);
