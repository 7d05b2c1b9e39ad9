/**
 * Reads (reliability.md 2.2): each shows one state of G, the one that its reply names; a session never goes back to an earlier one; and what is read after
 * a sync is at least as new as all that anybody had seen when the sync was asked for.
 */
import {
  ErrorCode,
  formatZxid,
  type GetEphemeralsRequest,
  type MultiReadRequest,
  type MultiReadResponse,
  OpCode,
  Permission,
  type ReadResult,
  type ReplyMessage,
  type Request,
  type Response,
  type Stat,
} from '@quorate/protocol';
import { isSameAcl, mayDo, withoutDigests } from './acl-model.js';
import { type ClientHistory, nameOf, type SentRequest, type SessionHistory } from './client-history.js';
import { quotaOfStats } from './quota-model.js';
import { describeRequest } from './request-model.js';
import { sameBytes } from './witness.js';
import { statFault, type Znode } from './znode-history.js';

/** A read of one path, alone or within a multiRead. */
type PathRead = Pick<Extract<Request, { readonly path: string }>, 'type' | 'path'>;

export class ReadChecker {
  readonly #history: ClientHistory;

  constructor(history: ClientHistory) {
    this.#history = history;
  }

  /**
   * Any answer at all: gives the index in G that it shows, −1 where it shows none. Answers to pings, proofs and setWatches show nothing of the tree, and clients do
   * not keep what their headers say: at a server without a leader they may go back behind it.
   */
  onShown(session: SessionHistory, { xid, zxid }: ReplyMessage): number {
    const entry = this.#history.witness.find(zxid);
    if (entry === undefined || entry.committedIndex < 0) {
      this.#fail('CommitConsistency', `${nameOf(session)} is shown ${formatZxid(zxid)}, which is not committed`);
      return -1;
    }
    const index = entry.committedIndex;
    if (xid <= 0) return index;
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
    if (reply === undefined) return;
    this.#history.sometimes.note('read checked');
    const expected = 'path' in request ? this.#errorOf(sent, request, index) : ErrorCode.OK;
    if (reply.err !== expected) return this.#wrong(sent, index, `error ${reply.err} instead of ${expected}`);
    if (expected === ErrorCode.NO_AUTH) this.#history.sometimes.note('read refused: NO_AUTH');
    if (expected !== ErrorCode.OK) return;
    const response = reply.response as Response;
    if (response.type === OpCode.multiRead) this.#checkEach(sent, index, response);
    else if ('path' in request) this.#checkBody(sent, index, { path: request.path, response });
    else this.#checkSelf(sent, index, response);
  }

  /** How a read of a path must be answered: getACL is for those too who may only change it. */
  #errorOf({ proved }: SentRequest, { type, path }: PathRead, index: number): number {
    const znode = this.#history.znodes.at(path, index);
    if (znode === undefined) return ErrorCode.NO_NODE;
    const perms = type === OpCode.getACL ? Permission.READ | Permission.ADMIN : Permission.READ;
    return mayDo(znode.acl, perms, proved) ? ErrorCode.OK : ErrorCode.NO_AUTH;
  }

  /** Each read of a multiRead by itself, and all of one state. */
  #checkEach(sent: SentRequest, index: number, { results }: MultiReadResponse): void {
    const { ops } = sent.request as MultiReadRequest;
    if (results.length !== ops.length) return this.#wrong(sent, index, `${results.length} results`);
    for (const [place, op] of ops.entries()) {
      const result = results[place] as ReadResult;
      const expected = this.#errorOf(sent, op, index);
      if ('err' in result) {
        if (result.err !== expected) this.#wrong(sent, index, `error ${result.err} instead of ${expected} of ${op.path}`);
      } else if (expected !== ErrorCode.OK || result.type !== op.type) {
        this.#wrong(sent, index, `no error ${expected} of ${op.path}`);
      } else {
        this.#checkBody(sent, index, { path: op.path, response: result });
      }
    }
  }

  /** What a client asks about itself. */
  #checkSelf(sent: SentRequest, index: number, response: Response): void {
    const { request, proved, connection } = sent;
    if (response.type === OpCode.whoAmI) {
      const users = proved.map((id) => id.slice(0, id.indexOf(':')));
      const shown = response.clientInfo.map(({ scheme, id }) => (scheme === 'digest' ? id : `${scheme}:${id}`));
      this.#checkSame(sent, index, { what: 'ids', shown, right: users });
    } else if (response.type === OpCode.getEphemerals) {
      const { prefixPath } = request as GetEphemeralsRequest;
      const own = this.#history.znodes.ephemeralsAt(connection.session?.id ?? 0n, index);
      this.#checkSame(sent, index, {
        what: 'ephemerals',
        shown: response.ephemerals,
        right: own.filter((path) => path.startsWith(prefixPath)),
      });
    }
  }

  #checkSame(
    sent: SentRequest,
    index: number,
    lists: { readonly what: string; readonly shown: readonly string[]; readonly right: readonly string[] },
  ): void {
    const [shown, right] = [[...lists.shown].sort().join(' '), [...lists.right].sort().join(' ')];
    if (shown !== right) this.#wrong(sent, index, `the ${lists.what} [${shown}] instead of [${right}]`);
  }

  #checkBody(sent: SentRequest, index: number, shown: { readonly path: string; readonly response: Response }): void {
    const { path, response } = shown;
    const znode = this.#history.znodes.at(path, index) as Znode;
    if (quotaOfStats(path) !== undefined) this.#history.sometimes.note('stats of a quota read');
    if ('stat' in response) {
      const fault = statFault(response.stat as Stat, znode);
      if (fault !== undefined) this.#wrong(sent, index, `another ${fault}`);
    }
    if (response.type === OpCode.getData) {
      if ((response.data === null) !== (znode.data === null) || !sameBytes(response.data ?? NOTHING, znode.data ?? NOTHING))
        this.#wrong(sent, index, 'other data');
    } else if (response.type === OpCode.getChildren || response.type === OpCode.getChildren2) {
      this.#checkSame(sent, index, { what: 'children', shown: response.children, right: this.#history.znodes.childrenAt(path, index) });
    } else if (response.type === OpCode.getAllChildrenNumber) {
      const right = this.#history.znodes.countBelow(path, index);
      if (response.totalNumber !== right) this.#wrong(sent, index, `${response.totalNumber} znodes below instead of ${right}`);
    } else if (response.type === OpCode.getACL) {
      const isMasked = !mayDo(znode.acl, Permission.ADMIN, sent.proved);
      if (isMasked && znode.acl.some(({ id }) => id.scheme === 'digest')) this.#history.sometimes.note('digests masked');
      if (!isSameAcl(response.acl, isMasked ? withoutDigests(znode.acl) : znode.acl)) this.#wrong(sent, index, 'another ACL');
    }
  }

  #wrong({ connection, xid, request }: SentRequest, index: number, shown: string): void {
    const what = describeRequest(request);
    this.#fail('SequentialRead', `${nameOf(connection.session)}: read ${xid}, ${what}, at entry ${index} of G shows ${shown}`);
  }

  #fail(property: string, message: string): void {
    this.#history.verdict.fail(property, message);
  }
}

const NOTHING = new Uint8Array(0);
