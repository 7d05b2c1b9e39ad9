/**
 * What is answered from this server's own tree (`FinalRequestProcessor`): reads, and the watches that they leave.
 *
 * The checks and their order are ZooKeeper's: the znode first, then its ACL. A watch is set where the read succeeds; for `exists` also where there
 * is no znode. Of a path's rules only one is asked, by `exists`: under any other bad path there is no znode, and so is the answer.
 */
import {
  AddWatchMode,
  type AddWatchRequest,
  assert,
  ErrorCode,
  type GetAclRequest,
  type GetAllChildrenNumberRequest,
  type MultiReadRequest,
  OpCode,
  Permission,
  type ReadRequest,
  type ReadResult,
  type Request,
  type Response,
  type WatcherRequest,
  WatcherType,
} from '@quorate/protocol';
import type { WatchKind } from '@quorate/session';
import type { DataTree } from '@quorate/tree';
import { maskDigests, permits } from './acl.js';
import type { PendingRequest } from './pending-request.js';
import { ephemeralsWith, whoAmI } from './self-reads.js';
import type { WatchEvents } from './watch-events.js';

/** The answer to a request that does not become a txn. */
export interface LocalAnswer {
  readonly err: number;
  readonly response: Response | undefined;
}

const DONE: LocalAnswer = { err: ErrorCode.OK, response: undefined };

/** Answers a request that does not become a txn. */
export function answerLocally(tree: DataTree, watches: WatchEvents, pending: PendingRequest, request: Request): LocalAnswer {
  switch (request.type) {
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getChildren:
    case OpCode.getChildren2:
      return answerRead(tree, watches, pending, request);
    case OpCode.getACL:
      return answerGetAcl(tree, pending, request);
    case OpCode.multiRead:
      return answerMultiRead(tree, watches, pending, request);
    case OpCode.getAllChildrenNumber:
      return answerGetAllChildrenNumber(tree, pending, request);
    case OpCode.getEphemerals:
      return { err: ErrorCode.OK, response: ephemeralsWith(tree, pending.port.sessionId, request.prefixPath) };
    case OpCode.whoAmI:
      return { err: ErrorCode.OK, response: whoAmI(pending.authIds) };
    case OpCode.setWatches:
    case OpCode.setWatches2:
      watches.setAgain(request, pending.port);
      return DONE;
    case OpCode.addWatch:
      return answerAddWatch(watches, pending, request);
    case OpCode.checkWatches:
    case OpCode.removeWatches:
      return answerWatcher(watches, pending, request);
    case OpCode.ping:
      return DONE;
    case OpCode.sync:
      return { err: ErrorCode.OK, response: { type: OpCode.sync, path: request.path } };
    default:
      assert(false, 'writes and auth are not answered here');
  }
}

function answerRead(tree: DataTree, watches: WatchEvents, { port, authIds }: PendingRequest, request: ReadRequest): LocalAnswer {
  const { type, path, watch } = request;
  if (type === OpCode.exists && path.includes('\u0000')) return refused(ErrorCode.BAD_ARGUMENTS);
  const node = tree.find(path);
  if (node === undefined) {
    if (watch && type === OpCode.exists) watches.add('exist', path, port);
    return refused(ErrorCode.NO_NODE);
  }
  // exists asks for READ since 3.9.2 (ZOOKEEPER-2590).
  if (!permits(tree.acl(node), Permission.READ, authIds)) return refused(ErrorCode.NO_AUTH);
  const stat = tree.stat(node);
  switch (type) {
    case OpCode.exists:
      if (watch) watches.add('exist', path, port);
      return { err: ErrorCode.OK, response: { type, stat } };
    case OpCode.getData:
      if (watch) watches.add('data', path, port);
      return { err: ErrorCode.OK, response: { type, data: tree.data(node), stat } };
    case OpCode.getChildren:
      if (watch) watches.add('child', path, port);
      return { err: ErrorCode.OK, response: { type, children: tree.children(node) } };
    case OpCode.getChildren2:
      if (watch) watches.add('child', path, port);
      return { err: ErrorCode.OK, response: { type, children: tree.children(node), stat } };
  }
}

/** READ or ADMIN; who may only read does not see the digests (CVE-2019-0201). */
function answerGetAcl(tree: DataTree, { authIds }: PendingRequest, { type, path }: GetAclRequest): LocalAnswer {
  const node = tree.find(path);
  if (node === undefined) return refused(ErrorCode.NO_NODE);
  const acl = tree.acl(node);
  if (!permits(acl, Permission.READ | Permission.ADMIN, authIds)) return refused(ErrorCode.NO_AUTH);
  const shown = permits(acl, Permission.ADMIN, authIds) ? acl : maskDigests(acl);
  return { err: ErrorCode.OK, response: { type, acl: shown, stat: tree.stat(node) } };
}

/** All of one state; each is refused by itself, and none leaves a watch (zookeeper.md 1.8). */
function answerMultiRead(tree: DataTree, watches: WatchEvents, pending: PendingRequest, { type, ops }: MultiReadRequest): LocalAnswer {
  const results = ops.map((op): ReadResult => {
    const { err, response } = answerRead(tree, watches, pending, { type: op.type, path: op.path, watch: false });
    return response === undefined ? { type: OpCode.error, err } : (response as Exclude<ReadResult, { readonly err: number }>);
  });
  return { err: ErrorCode.OK, response: { type, results } };
}

function answerGetAllChildrenNumber(tree: DataTree, { authIds }: PendingRequest, request: GetAllChildrenNumberRequest): LocalAnswer {
  const { type, path } = request;
  const node = tree.find(path);
  if (node === undefined) return refused(ErrorCode.NO_NODE);
  if (!permits(tree.acl(node), Permission.READ, authIds)) return refused(ErrorCode.NO_AUTH);
  return { err: ErrorCode.OK, response: { type, totalNumber: tree.countBelow(node) } };
}

/** Neither znode nor ACL is asked for: what the client may not read it is not told of when it changes. */
function answerAddWatch(watches: WatchEvents, { port }: PendingRequest, { type, path, mode }: AddWatchRequest): LocalAnswer {
  if (mode === AddWatchMode.persistent) watches.add('persistent', path, port);
  else if (mode === AddWatchMode.persistentRecursive) watches.add('recursive', path, port);
  else return refused(ErrorCode.MARSHALLING_ERROR);
  return { err: ErrorCode.OK, response: { type } };
}

function answerWatcher(watches: WatchEvents, { port }: PendingRequest, { type, path, watcherType }: WatcherRequest): LocalAnswer {
  const kinds = KINDS_OF_WATCHER.get(watcherType);
  if (kinds === undefined) return refused(ErrorCode.MARSHALLING_ERROR);
  let found = false;
  for (const kind of kinds) {
    const has = type === OpCode.checkWatches ? watches.has(kind, path, port) : watches.remove(kind, path, port);
    found ||= has;
  }
  return found ? DONE : refused(ErrorCode.NO_WATCHER);
}

const KINDS_OF_WATCHER: ReadonlyMap<number, readonly WatchKind[]> = new Map([
  [WatcherType.children, ['child']],
  [WatcherType.data, ['data']],
  [WatcherType.any, ['data', 'child', 'persistent', 'recursive']],
  [WatcherType.persistent, ['persistent']],
  [WatcherType.persistentRecursive, ['recursive']],
]);

function refused(err: number): LocalAnswer {
  return { err, response: undefined };
}
