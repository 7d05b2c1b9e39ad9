/** Sections C and D: sessions, the tree, its snapshots, watches, and what requests mean. */
import type { Edit, Mutant } from './mutant.ts';

const CLIENT_FRONT = 'packages/server/src/client-front.ts';
const CLIENT_PORT = 'packages/server/src/client-port.ts';
const CLIENTS = 'packages/server/src/clients.ts';
const DATABASE = 'packages/server/src/database.ts';
const DATA_TREE = 'packages/tree/src/data-tree.ts';
const HANDSHAKES = 'packages/server/src/handshakes.ts';
const LEADERSHIP = 'packages/server/src/leadership.ts';
const MEMBER = 'packages/server/src/member.ts';
const PATH_WATCHERS = 'packages/session/src/path-watchers.ts';
const PENDING_CHANGES = 'packages/server/src/pending-changes.ts';
const PREPARE = 'packages/server/src/prepare.ts';
const READS = 'packages/server/src/reads.ts';
const SESSION_TRACKER = 'packages/session/src/session-tracker.ts';
const WATCH_EVENTS = 'packages/server/src/watch-events.ts';
const WATCH_TABLE = 'packages/session/src/watch-table.ts';
const ZNODE_STORE = 'packages/tree/src/znode-store.ts';

/** Without it every server stops at the first txn that does not do what its leader has foreseen. */
const DIGEST_NOT_COMPARED: Edit = {
  file: DATABASE,
  find: '    if (expected === undefined || digest === undefined || agree(expected, digest)) return;\n',
  replace: '    if (expected?.version !== -1) return;\n',
};

export const SERVER_MUTANTS: readonly Mutant[] = [
  // Sessions
  {
    id: 'ZK-1208',
    title: 'a session that is closing may still write',
    origin: 'ZOOKEEPER-1208, 1496, 3471',
    level: 'server',
    edits: [
      {
        file: SESSION_TRACKER,
        find: 'return session?.closing === false ? session : undefined;',
        replace: 'return session;',
      },
    ],
    expects: 'SessionLifetime',
  },
  {
    id: 'ZK-710',
    title: 'a server that no longer holds a session may write for it',
    origin: 'ZOOKEEPER-710, 484, 907, 2886',
    level: 'server',
    edits: [
      {
        file: LEADERSHIP,
        find: "      this.#options.tell(from, { type: 'moved', session, stamp: owner.stamp });\n      return;\n",
        replace: '',
      },
    ],
    expects: 'SessionExclusivity',
  },
  {
    id: 'no-full-time',
    title: 'a new leader gives sessions no time of their own',
    origin: 'reliability.md S1',
    level: 'server',
    edits: [
      {
        file: LEADERSHIP,
        find: 'this.#tracker.open(session, timeoutMs, nowMs);',
        replace: 'this.#tracker.open(session, timeoutMs / 4, nowMs);',
      },
    ],
    expects: 'NoEarlyExpiry',
  },
  {
    id: 'touch-lost',
    title: 'the leader does not hear of clients whom other servers hear',
    origin: 'expiry against touch; class LearnerSessionTracker',
    level: 'server',
    edits: [{ file: MEMBER, find: 'if (touches !== undefined) this.#leadership?.touch(touches);', replace: 'void touches;' }],
    expects: 'NoEarlyExpiry',
  },
  {
    id: 'own-stall-charged',
    title: 'a leader that stood still charges that time to its clients',
    origin: 'reliability.md P6',
    level: 'server',
    edits: [
      {
        file: SESSION_TRACKER,
        find: ' > TICKS_OF_A_STALL * this.tickMs) this.restart(nowMs);',
        replace: ' > Infinity) this.restart(nowMs);',
      },
    ],
    expects: 'NoEarlyExpiry',
  },
  {
    id: 'expiry-rounds-down',
    title: 'the time at which a session expires is rounded down',
    origin: 'class ExpiryQueue',
    level: 'server',
    edits: [
      {
        file: SESSION_TRACKER,
        find: 'return (Math.floor((nowMs + timeoutMs) / this.tickMs) + 1) * this.tickMs;',
        replace: 'return Math.floor((nowMs + timeoutMs) / this.tickMs) * this.tickMs;',
      },
    ],
    expects: 'NoEarlyExpiry',
  },
  {
    id: 'ZK-2926',
    title: 'a client is given its session before that is committed',
    origin: 'ZOOKEEPER-2926',
    level: 'server',
    edits: [
      {
        file: HANDSHAKES,
        find: '    this.#options.host.createSession(session, timeOut);\n',
        replace: '    this.#options.host.createSession(session, timeOut);\n    this.#finish(this.#bySession.get(session) as Attempt);\n',
      },
    ],
    expects: 'SessionLifetime',
  },
  {
    id: 'expired-by-word',
    title: 'a client is told that its session has expired by the word of a leader alone',
    origin: 'reliability.md S4; ZOOKEEPER-1675',
    level: 'server',
    edits: [
      {
        file: HANDSHAKES,
        find: '    attempt.lives = lives;\n',
        replace: '    if (!lives) return attempt.port.refuse();\n',
      },
    ],
    expects: 'ExpiredOnlyWhenClosed',
  },
  {
    id: 'renewed-by-word',
    title: 'a client goes on by the word of a leader alone',
    origin: 'this code; class Learner.validateSession',
    level: 'server',
    edits: [
      {
        file: HANDSHAKES,
        find: '    this.#options.host.syncSession(attempt.session);\n',
        replace: `    if (lives) {
      attempt.stage = 'APPLYING';
      this.#applying++;
      this.#finishIfApplied(attempt);
    } else this.#options.host.syncSession(attempt.session);
`,
      },
    ],
    test: {
      file: 'packages/server/test/ensemble.test.ts',
      name: 'by the word of a leader, that was at itself, only while a quorum follows it',
    },
    survives: 'a client whose last write is in doubt has to come back to where it was, under a leader that others have replaced: rare',
  },
  {
    id: 'renewed-unapplied',
    title: 'a client goes on before what was proposed with its renewal is applied at its new server',
    origin: 'this code; found by the simulator',
    level: 'server',
    edits: [
      {
        file: HANDSHAKES,
        find: "attempt.stage !== 'APPLYING' || attempt.zxid > database.lastZxid) return;",
        replace: "attempt.stage !== 'APPLYING') return;",
      },
    ],
    expects: 'SessionExclusivity',
    test: {
      file: 'packages/server/test/ensemble.test.ts',
      name: 'give a session at the leader only when what came in the same turn is applied',
    },
    survives:
      'a write and the renewal of its session have to come in one turn of the leader: rare (found at seeds 775 and 954 of an earlier simulator)',
  },
  {
    id: 'last-zxid-seen',
    title: 'a server takes a client that has seen more than itself',
    origin: 'class ZooKeeperServer.processConnectRequest',
    level: 'server',
    edits: [{ file: HANDSHAKES, find: '    if (connect.lastZxidSeen > host.database.lastZxid) return port.close();\n', replace: '' }],
    expects: 'SingleSystemImage',
    test: {
      file: 'packages/server/test/last-zxid-seen.test.ts',
      name: 'a session of the ensemble taken up again, by a client that has seen one more',
    },
    survives:
      'a handshake is answered after a sync, or after a txn of its own, so that its server has caught up by then; what is left are local sessions of clients that have read at a server without a leader',
  },
  {
    id: 'lost-writes-kept',
    title: 'a connection with writes that are lost with their leader is kept',
    origin: 'this code; ZOOKEEPER-3598',
    level: 'server',
    edits: [
      {
        file: CLIENT_FRONT,
        find: 'if ((this.#leaderLost && session.forwarded.length > 0) || this.#hasEnded(session)) session.port.close();',
        replace: 'if (this.#hasEnded(session)) session.port.close();',
      },
    ],
    test: { file: 'packages/server/test/ensemble.test.ts', name: 'a write of unknown outcome ends its connection' },
    survives:
      'the leader has to be lost while a write is under way, and what becomes of its connection to matter: rare (caught at seed 45 of an earlier simulator)',
  },
  // Snapshots and replay
  {
    id: 'ZK-3144',
    title: 'a snapshot does not hold the sessions',
    origin: 'ZOOKEEPER-3144',
    level: 'server',
    edits: [
      {
        file: DATABASE,
        find: 'return new Database(tree, SessionTable.deserialize(sessions), {',
        replace: 'return new Database(tree, undefined, {',
      },
    ],
  },
  {
    id: 'ZK-3145',
    title: 'pzxid stands still when a child is deleted',
    origin: 'ZOOKEEPER-3145, 3249',
    level: 'server',
    edits: [
      {
        file: DATA_TREE,
        find: '    this.store.remove(node);\n    rows.setLong(parent, Long.pzxid, zxid);\n',
        replace: '    this.store.remove(node);\n    void rows, zxid, parent;\n',
      },
      DIGEST_NOT_COMPARED,
    ],
    expects: 'SequentialRead',
  },
  {
    id: 'digest-pzxid',
    title: 'pzxid stands still when the end of a session deletes an ephemeral',
    origin: 'ZOOKEEPER-3145, 3249',
    level: 'server',
    edits: [
      {
        file: DATA_TREE,
        find: 'this.remove(path, zxid, onChange);\n    }\n    return { err: 0 };\n',
        replace: 'this.remove(path, 0 as Zxid, onChange);\n    }\n    return { err: 0 };\n',
      },
    ],
    expects: 'Invariant',
  },
  {
    id: 'digest-time',
    title: 'a server takes its own time for that of a txn that was forwarded to the leader',
    origin: 'this code; ZOOKEEPER-3114',
    level: 'server',
    edits: [
      {
        file: MEMBER,
        find: 'this.#watches.begin(zxid, txn);\n    const result = this.#database.apply(header,',
        replace:
          'this.#watches.begin(zxid, txn);\n    const result = this.#database.apply({ ...header, time: this.#options.clock.wallNow() },',
      },
    ],
    expects: 'Invariant',
  },
  {
    id: 'ZK-4837',
    title: 'the end of a session leaves one of its ephemerals',
    origin: 'ZOOKEEPER-4837, 2355',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: '  const paths = changes.ephemeralsOf(session);\n',
        replace: '  const paths = changes.ephemeralsOf(session).slice(1);\n',
      },
      {
        file: DATA_TREE,
        find: "    assert(paths.length === (owned?.size ?? 0), 'a closed session names each of its ephemerals once');\n",
        replace: '    void owned;\n',
      },
    ],
    expects: 'TreeModel',
  },
  {
    id: 'ephemerals-applied-only',
    title: 'the end of a session names the ephemerals that are applied, and not those that are only proposed',
    origin: 'ZOOKEEPER-1496, 2355',
    level: 'server',
    edits: [
      {
        file: PENDING_CHANGES,
        find: '      if (change.exists && change.ephemeralOwner === session) paths.add(path);\n      else paths.delete(path);\n',
        replace: '      if (!change.exists) paths.delete(path);\n',
      },
    ],
  },
  {
    id: 'restored-watches',
    title: 'connections, and their watches, are kept when the whole state is replaced',
    origin: 'this code',
    level: 'server',
    edits: [{ file: MEMBER, find: '      this.#front.onRestored();\n', replace: '' }],
    test: { file: 'packages/server/test/ensemble.test.ts', name: 'close the links of a server that has to take a snapshot' },
    survives:
      'a server has to be sent a snapshot while it keeps connections with watches that fire meanwhile: rare (caught at seed 27 where a snapshot is taken after every second txn and nothing else is kept)',
  },
  // Preparing requests
  {
    id: 'prepare-applied-only',
    title: 'a request is checked against what is applied, and not against what is proposed',
    origin: 'class PrepRequestProcessor, outstandingChanges',
    level: 'server',
    edits: [
      {
        file: PENDING_CHANGES,
        find: '    if (pending !== undefined) return pending.exists ? pending : undefined;\n',
        replace: '    void pending;\n',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'no-rollback',
    title: 'a multi that fails leaves its changes pending',
    origin: 'ZOOKEEPER-1624',
    level: 'server',
    edits: [{ file: PREPARE, find: '      changes.rollback();\n', replace: '      changes.commit();\n' }, DIGEST_NOT_COMPARED],
    expects: 'RequestModel',
  },
  {
    id: 'ZK-2052',
    title: 'the rollback of a multi leaves the parent’s count wrong',
    origin: 'ZOOKEEPER-2052, 1624',
    level: 'server',
    edits: [
      {
        file: PENDING_CHANGES,
        find: 'for (let i = this.#undo.length - 1; i >= 0; i--) {',
        replace: 'for (let i = 0; i < this.#undo.length; i++) {',
      },
      DIGEST_NOT_COMPARED,
    ],
    expects: 'RequestModel',
  },
  {
    id: 'multi-goes-on',
    title: 'a multi of which an operation fails keeps the others',
    origin: 'atomic multi',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: "    if (typeof outcome === 'number') {\n      changes.rollback();",
        replace:
          "    if (typeof outcome === 'number' && txns.length > 0 && i === ops.length - 1) break;\n    if (typeof outcome === 'number') {\n      changes.rollback();",
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'sequence-by-count',
    title: 'a sequential znode takes its number from how many children there are',
    origin: 'ZOOKEEPER-3249: duplicate sequential names',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: 'sequenceSuffix(parent.cversion) : request.path;',
        replace: 'sequenceSuffix(parent.childCount) : request.path;',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'version-ignored',
    title: 'setData asks for no version',
    origin: 'zookeeper.md 1.4',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: 'usage, quotas)) return ErrorCode.QUOTA_EXCEEDED;\n  if (!isExpected(version, node.version)) return ErrorCode.BAD_VERSION;\n',
        replace: 'usage, quotas)) return ErrorCode.QUOTA_EXCEEDED;\n  void version;\n',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'not-empty-ignored',
    title: 'a znode with children may be deleted',
    origin: 'zookeeper.md 1.4',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: '  if (node.childCount > 0) return ErrorCode.NOT_EMPTY;\n  recordDeletion(changes, node, zxid);\n  return { type: OpCode.delete, path };\n',
        replace: '  recordDeletion(changes, node, zxid);\n  return { type: OpCode.delete, path };\n',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'children-of-ephemerals',
    title: 'an ephemeral may have children',
    origin: 'zookeeper.md 1.4',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: '  if (sessionOf(parent.ephemeralOwner) !== NO_OWNER) return ErrorCode.NO_CHILDREN_FOR_EPHEMERALS;\n',
        replace: '',
      },
      { file: DATA_TREE, find: "    assert(this.ephemeralOwner(parent) === NO_SESSION, 'an ephemeral has no children');\n", replace: '' },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'wrong-refusal',
    title: 'a request that is right is refused: the count of a parent is not lowered when a child goes',
    origin: 'ZOOKEEPER-2052',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: '  above.childCount--;\n',
        replace: '',
      },
    ],
    expects: 'RequestModel',
  },
  // Order
  {
    id: 'ZK-1505',
    title: 'a read overtakes an earlier write of its own session',
    origin: 'ZOOKEEPER-1505, class CommitProcessor',
    level: 'server',
    edits: [
      {
        file: CLIENT_PORT,
        find: '    if (this.#pending.length === 0) this.#answer(pending);\n    else if (!this.#mayPush(pending)) return this.close();\n',
        replace: '    this.#answer(pending);\n',
      },
    ],
    expects: 'FifoClientOrder',
  },
  {
    id: 'sync-local',
    title: 'a sync is answered by the server itself',
    origin: 'ZOOKEEPER-1675',
    level: 'server',
    edits: [{ file: CLIENT_PORT, find: '    this.#host.sync(pending);\n', replace: '    this.synced(pending);\n' }],
    expects: 'SyncFreshness',
  },
  {
    id: 'behind-sync',
    title: 'requests behind a sync do not wait for it',
    origin: 'this code',
    level: 'server',
    edits: [{ file: CLIENT_PORT, find: '    this.#synchronizing = true;\n', replace: '' }],
  },
  {
    id: 'reply-zxid',
    title: 'the reply to a write does not name its zxid, but the one before',
    origin: 'class FinalRequestProcessor',
    level: 'server',
    edits: [
      {
        file: CLIENT_PORT,
        find: '    this.#reply(pending, zxid, err, response);\n',
        replace: '    this.#reply(pending, (zxid - 1) as Zxid, err, response);\n',
      },
    ],
  },
  // Watches
  {
    id: 'event-after-reply',
    title: 'an event leaves after the reply to the write that fires it',
    origin: 'zookeeper.md 1.9',
    level: 'server',
    edits: [
      {
        file: MEMBER,
        find: '    const result = this.#database.apply(header, txn, this.#watches.onChange);\n    this.#database.checkDigest(digest);\n    this.#leadership?.onApplied(header, txn);\n    this.#front.onApplied(header, txn, result);\n',
        replace: `    const changes: (() => void)[] = [];
    const result = this.#database.apply(header, txn, (change, path) => changes.push(() => this.#watches.onChange(change, path)));
    this.#database.checkDigest(digest);
    this.#leadership?.onApplied(header, txn);
    this.#front.onApplied(header, txn, result);
    for (const change of changes) change();\n`,
      },
    ],
    expects: 'WatchOrder',
  },
  {
    id: 'set-watches-tells-too-much',
    title: 'setWatches tells of a change that the client has seen',
    origin: 'class DataTree.setWatches: >= for >',
    level: 'server',
    edits: [{ file: WATCH_EVENTS, find: 'if (since !== undefined && zxid <= since)', replace: 'if (since !== undefined && zxid < since)' }],
    expects: 'WatchNoPhantom',
    test: { file: 'packages/server/test/client-port.test.ts', name: 'are set again after a reconnection, and what was missed is told' },
    survives:
      'the last that a client has seen has to be the change of a znode that it watches: rare (caught at seed 97 of an earlier simulator)',
  },
  {
    id: 'set-watches-tells-nothing',
    title: 'setWatches sets every watch again and tells of nothing that happened meanwhile',
    origin: 'class DataTree.setWatches',
    level: 'server',
    edits: [{ file: WATCH_EVENTS, find: 'if (since !== undefined && zxid <= since)', replace: 'if (since !== undefined)' }],
    expects: 'WatchExactlyOnce',
  },
  {
    id: 'child-watch-czxid',
    title: 'setWatches looks at mzxid of the parent for its children',
    origin: 'ZOOKEEPER-3145: missed watch',
    level: 'server',
    edits: [
      {
        file: WATCH_EVENTS,
        find: 'EventType.nodeChildrenChanged, tree.stat(node).pzxid, relativeZxid',
        replace: 'EventType.nodeChildrenChanged, tree.stat(node).mzxid, relativeZxid',
      },
    ],
    expects: 'WatchExactlyOnce',
  },
  {
    id: 'deleted-twice',
    title: 'who watches the data and the children of a znode is told twice of its deletion',
    origin: 'class DataTree.deleteNode',
    level: 'server',
    edits: [
      {
        file: WATCH_TABLE,
        find: "    if (change === 'deleted') this.takeChild(watchers, path);\n",
        replace:
          "    if (change === 'deleted') {\n      const again: W[] = [];\n      this.takeChild(again, path);\n      if (again.length > 0) firings.push({ type: EventType.nodeDeleted, path, watchers: again });\n    }\n",
      },
    ],
    expects: 'WatchNoPhantom',
  },
  {
    id: 'watch-stays',
    title: 'a watch that has fired stays',
    origin: 'class WatchManager: one-shot watches',
    level: 'server',
    edits: [
      {
        file: PATH_WATCHERS,
        find: '    const watchers = this.watchers.take(path);\n    for',
        replace: '    const watchers = this.watchers.at(path);\n    if (path.length > 0) return watchers;\n    for',
      },
    ],
    expects: 'WatchNoPhantom',
  },
  {
    id: 'exist-watch-lost',
    title: 'exists leaves no watch where there is no znode',
    origin: 'zookeeper.md 1.9',
    level: 'server',
    edits: [
      {
        file: READS,
        find: "    if (watch && type === OpCode.exists) watches.add('exist', path, port);\n    return refused",
        replace: '    return refused',
      },
    ],
    expects: 'WatchOrder',
  },
  {
    id: 'ZK-1382',
    title: 'the watches of a connection that is gone stay',
    origin: 'ZOOKEEPER-1382',
    level: 'server',
    edits: [{ file: CLIENT_FRONT, find: '    this.#options.watches.removeAll(port);\n', replace: '' }],
    expects: 'WatchLeak',
  },
  {
    id: 'persistent-watch-goes',
    title: 'a watch of addWatch goes when it fires',
    origin: 'class WatchManager: WatcherMode.PERSISTENT',
    level: 'server',
    edits: [
      {
        file: PATH_WATCHERS,
        find: '    return this.watchers.at(path);\n  }\n',
        replace: '    return this.take(path);\n  }\n',
      },
    ],
    expects: 'WatchOrder',
  },
  {
    id: 'ZK-4475',
    title: 'a recursive watch is told of the children of its path',
    origin: 'ZOOKEEPER-4475',
    level: 'server',
    edits: [
      {
        file: WATCH_TABLE,
        find: '    gather(watchers, this.child.take(path));\n',
        replace: '    gather(watchers, this.child.take(path));\n    gather(watchers, this.recursive.at(path));\n',
      },
    ],
    expects: 'WatchNoPhantom',
  },
  {
    id: 'ZK-4466',
    title: 'a persistent watch takes the place of a one-shot one at its path',
    origin: 'ZOOKEEPER-4466',
    level: 'server',
    edits: [
      {
        file: WATCH_TABLE,
        find: '    this.tableOf(kind).add(path, watcher);\n',
        replace:
          "    if (kind === 'persistent') for (const table of [this.data, this.child, this.recursive]) table.remove(path, watcher);\n    this.tableOf(kind).add(path, watcher);\n",
      },
    ],
    expects: 'WatchRequest',
  },
  {
    id: 'told-of-each-watch',
    title: 'a watcher is told of a change by each of its watches',
    origin: 'class WatchManager: one event for each watcher',
    level: 'server',
    edits: [{ file: WATCH_TABLE, find: 'if (told?.has(watcher) !== true) watchers.push', replace: 'watchers.push' }],
    expects: 'WatchNoPhantom',
  },
  {
    id: 'recursive-not-set-again',
    title: 'setWatches2 does not set recursive watches again',
    origin: 'class DataTree.setWatches',
    level: 'server',
    edits: [
      {
        file: WATCH_EVENTS,
        find: "    for (const path of request.persistentRecursiveWatches) this.#watches.add('recursive', path, port);\n",
        replace: '',
      },
    ],
    expects: 'WatchNoPhantom',
  },
  {
    id: 'removed-watch-stays',
    title: 'removeWatches answers and does nothing',
    origin: 'class DataTree.removeWatch',
    level: 'server',
    edits: [{ file: READS, find: ': watches.remove(kind, path, port)', replace: ': watches.has(kind, path, port)' }],
    expects: 'WatchNoPhantom',
  },
  {
    id: 'acl-shared',
    title: 'a list of permissions is dropped while a znode still has it',
    origin: 'ZOOKEEPER-4846, 3306',
    level: 'server',
    edits: [
      {
        file: ZNODE_STORE,
        find: '    const number = this.acls.acquire(acl);\n    this.acls.release(this.rows.int(node, Int.acl));\n',
        replace:
          '    const number = this.acls.acquire(acl);\n    this.acls.release(this.rows.int(node, Int.acl));\n    this.acls.release(number);\n',
      },
    ],
  },
  {
    id: 'touched-at-opening-only',
    title: 'a server tells the leader of a client when it connects, and not again',
    origin: 'class LearnerSessionTracker',
    level: 'server',
    edits: [{ file: CLIENTS, find: '    for (const session of touched) session.touched = false;\n', replace: '' }],
    expects: 'NoEarlyExpiry',
  },
];
