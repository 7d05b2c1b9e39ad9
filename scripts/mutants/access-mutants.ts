/** Sections C and D, continued: who may do what, who is who, and what goes by itself. */
import type { Mutant } from './mutant.ts';

const ACL = 'packages/server/src/acl.ts';
const CLIENT_PORT = 'packages/server/src/client-port.ts';
const CONTAINER_SWEEP = 'packages/server/src/container-sweep.ts';
const HANDSHAKES = 'packages/server/src/handshakes.ts';
const LEADERSHIP = 'packages/server/src/leadership.ts';
const CLIENT_FRONT = 'packages/server/src/client-front.ts';
const MULTI_RESULTS = 'packages/tree/src/multi-results.ts';
const PREPARE = 'packages/server/src/prepare.ts';
const READS = 'packages/server/src/reads.ts';
const SELF_READS = 'packages/server/src/self-reads.ts';
const WATCH_EVENTS = 'packages/server/src/watch-events.ts';

export const ACCESS_MUTANTS: readonly Mutant[] = [
  // Sessions and their passwords
  {
    id: 'password-unchecked',
    title: 'a session is for whoever names it',
    origin: 'reliability.md 3.3: passwd unchecked',
    level: 'server',
    edits: [
      {
        file: HANDSHAKES,
        find: '    if (!passwordMatches(connect.sessionId, connect.passwd)) return port.refuse();\n',
        replace: '    void passwordMatches;\n',
      },
    ],
    expects: 'Password',
  },
  {
    id: 'password-disturbs',
    title: 'whoever comes with a wrong password ends the connection of the session',
    origin: 'reliability.md S6',
    level: 'server',
    edits: [
      {
        file: HANDSHAKES,
        find: '    if (!passwordMatches(connect.sessionId, connect.passwd)) return port.refuse();\n    this.#bySession.get(connect.sessionId)?.port.close();\n    host.closeHere(connect.sessionId);\n',
        replace:
          '    this.#bySession.get(connect.sessionId)?.port.close();\n    host.closeHere(connect.sessionId);\n    if (!passwordMatches(connect.sessionId, connect.passwd)) return port.refuse();\n',
      },
    ],
    expects: 'Undisturbed',
  },
  {
    id: 'taken-session-kept',
    title: 'a server keeps the connection of a session that comes to it a second time',
    origin: 'reliability.md S5; class ZooKeeperServer.reopenSession',
    level: 'server',
    edits: [{ file: HANDSHAKES, find: '    host.closeHere(connect.sessionId);\n', replace: '' }],
  },
  {
    id: 'move-without-txn',
    title: 'only the leader and the server that a session has left are told that it has moved',
    origin: 'found in this code by the simulator; ZOOKEEPER-710, reliability.md S2',
    level: 'server',
    edits: [
      {
        file: LEADERSHIP,
        find: '      if (earlier?.sid !== from) this.#propose(session, NO_CXID, errorTxn(ErrorCode.OK));\n',
        replace: '',
      },
    ],
    expects: 'SessionExclusivity',
    test: {
      file: 'packages/server/test/ensemble.test.ts',
      name: 'end a busy connection whose session has moved to another server, also where nobody is left who could tell',
    },
  },
  {
    id: 'moved-untold',
    title: 'a server is not told that a session of its clients has moved',
    origin: 'ZOOKEEPER-710; reliability.md S2',
    level: 'server',
    edits: [
      {
        file: LEADERSHIP,
        find: "      if (earlier !== undefined && earlier.sid !== from) this.#options.tell(earlier.sid, { type: 'moved', session, stamp });\n",
        replace: '',
      },
    ],
    test: {
      file: 'packages/server/test/leadership.test.ts',
      name: 'are taken from the first server that speaks for it, and from no other until it moves',
    },
    survives: 'the txn of the move closes the connection as well, a little later',
  },
  {
    id: 'touch-revives',
    title: 'a session that is expiring goes on when its client is heard',
    origin: 'the race of expiry and touch (mutants D); reliability.md S4',
    level: 'server',
    edits: [
      {
        file: 'packages/session/src/session-tracker.ts',
        find: '    if (session === undefined || session.closing) return false;\n    this.move(session, nowMs);\n    return true;\n',
        replace:
          '    if (session === undefined) return false;\n    if (session.closing) {\n      session.closing = false;\n      this.enter(id, session.expiresAt);\n    }\n    this.move(session, nowMs);\n    return true;\n',
      },
    ],
    test: {
      file: 'packages/session/test/session-tracker.test.ts',
      name: 'a tracker expires what the model says, never early and at most a tick late',
    },
    survives:
      'a client has to be heard between the proposal of the end of its session and its delivery, and to ask for something in that time: rare',
  },
  {
    id: 'reply-xid',
    title: 'a reply names the request before its own',
    origin: 'reliability.md 3.3: reply xid off',
    level: 'server',
    edits: [
      {
        file: CLIENT_PORT,
        find: "this.#link.send({ kind: 'reply', xid, zxid,",
        replace: "this.#link.send({ kind: 'reply', xid: xid > 1 ? xid - 1 : xid, zxid,",
      },
    ],
    expects: 'FifoClientOrder',
  },
  {
    id: 'dropped-request',
    title: 'a request that is too many is dropped, and its connection goes on',
    origin: 'class RequestThrottler; reliability.md 3.3',
    level: 'server',
    edits: [
      {
        file: CLIENT_PORT,
        find: 'if (this.#heldBytes + bytes > HELD_BYTES_MAX) return this.close();',
        replace: 'if (this.#heldBytes > 100) return;',
      },
    ],
    expects: 'FifoClientOrder',
  },
  {
    id: 'ZK-4026',
    title: 'create2 within a multi is answered as create',
    origin: 'ZOOKEEPER-4026',
    level: 'server',
    edits: [
      { file: MULTI_RESULTS, find: 'return { type: OpCode.create2, path, stat };', replace: 'return { type: OpCode.create, path };' },
    ],
    expects: 'WriteResult',
  },
  {
    id: 'multi-stat-old',
    title: 'the Stat that a setData within a multi is told has the version from before',
    origin: 'ZOOKEEPER-4026; zookeeper.md 1.8',
    level: 'server',
    edits: [
      {
        file: MULTI_RESULTS,
        find: 'return { type: OpCode.setData, stat };',
        replace: 'return { type: OpCode.setData, stat: { ...stat, version: stat.version - 1 } };',
      },
    ],
    expects: 'WriteResult',
  },
  // Permissions
  {
    id: 'CVE-2024-23944',
    title: 'a watcher is told of a znode that it may not read',
    origin: 'CVE-2024-23944',
    level: 'server',
    edits: [
      {
        file: WATCH_EVENTS,
        find: 'if (permits(decisive, Permission.READ, watcher.authIds)) watcher.sendEvent',
        replace: 'if (permits(decisive, Permission.READ, watcher.authIds) || decisive.length > 0) watcher.sendEvent',
      },
    ],
    expects: 'WatchAcl',
  },
  {
    id: 'CVE-2024-23944-child',
    title: 'whether a watcher is told of children depends on the ACL of the child',
    origin: 'CVE-2024-23944; zookeeper.md 1.6',
    level: 'server',
    edits: [
      { file: WATCH_EVENTS, find: 'const decisive = eventPath === path ? acl : this.#aclOf(eventPath);', replace: 'const decisive = acl;' },
    ],
  },
  {
    id: 'CVE-2024-23944-set-watches',
    title: 'setWatches tells of a znode that may not be read',
    origin: 'CVE-2024-23944, class DataTree.setWatches',
    level: 'server',
    edits: [
      {
        file: WATCH_EVENTS,
        find: 'else if (permits(this.#aclOf(path) ?? NO_ENTRIES, Permission.READ, port.authIds)) port.sendEvent',
        replace: 'else if (permits(NO_ENTRIES, Permission.READ, port.authIds)) port.sendEvent',
      },
    ],
    expects: 'WatchNoPhantom',
  },
  {
    id: 'withheld-watch-stays',
    title: 'a watcher that may read a znode is not told, because it may not change it',
    origin: 'this code: which permission an event asks for',
    level: 'server',
    edits: [
      {
        file: WATCH_EVENTS,
        find: 'if (permits(decisive, Permission.READ, watcher.authIds)) watcher.sendEvent',
        replace: 'if (permits(decisive, Permission.ADMIN, watcher.authIds)) watcher.sendEvent',
      },
    ],
    expects: 'WatchOrder',
  },
  {
    id: 'CVE-2019-0201',
    title: 'getACL shows digests to whoever may read',
    origin: 'CVE-2019-0201',
    level: 'server',
    edits: [
      {
        file: READS,
        find: 'permits(acl, Permission.ADMIN, authIds) ? acl : maskDigests(acl)',
        replace: 'acl.length > 0 ? acl : maskDigests(acl)',
      },
    ],
    expects: 'SequentialRead',
  },
  {
    id: 'CVE-2019-0201-open',
    title: 'getACL asks for no permission',
    origin: 'CVE-2019-0201',
    level: 'server',
    edits: [
      {
        file: READS,
        find: '  if (!permits(acl, Permission.READ | Permission.ADMIN, authIds)) return refused(ErrorCode.NO_AUTH);\n',
        replace: '',
      },
    ],
    expects: 'SequentialRead',
  },
  {
    id: 'ZK-2590',
    title: 'exists asks for no permission',
    origin: 'ZOOKEEPER-2590',
    level: 'server',
    edits: [
      {
        file: READS,
        find: '  if (!permits(tree.acl(node), Permission.READ, authIds)) return refused(ErrorCode.NO_AUTH);\n  const stat',
        replace:
          '  if (type !== OpCode.exists && !permits(tree.acl(node), Permission.READ, authIds)) return refused(ErrorCode.NO_AUTH);\n  const stat',
      },
    ],
    expects: 'SequentialRead',
  },
  {
    id: 'count-open',
    title: 'getAllChildrenNumber asks for no permission',
    origin: 'class FinalRequestProcessor',
    level: 'server',
    edits: [
      {
        file: READS,
        find: '  if (!permits(tree.acl(node), Permission.READ, authIds)) return refused(ErrorCode.NO_AUTH);\n  return { err: ErrorCode.OK, response: { type, totalNumber',
        replace: '  void authIds;\n  return { err: ErrorCode.OK, response: { type, totalNumber',
      },
    ],
    expects: 'SequentialRead',
  },
  {
    id: 'create-in-child',
    title: 'create asks for no permission of the parent',
    origin: 'class PrepRequestProcessor',
    level: 'server',
    edits: [{ file: PREPARE, find: '  if (!permits(parent.acl, Permission.CREATE, authIds)) return ErrorCode.NO_AUTH;\n', replace: '' }],
    expects: 'RequestModel',
  },
  {
    id: 'delete-by-own-acl',
    title: 'delete asks for a permission of the znode, and not of its parent',
    origin: 'class PrepRequestProcessor',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: '  if (!permits(parent.acl, Permission.DELETE, authIds)) return ErrorCode.NO_AUTH;\n  const node = changes.find(path);\n',
        replace:
          '  const node = changes.find(path);\n  if (node !== undefined && !permits(node.acl, Permission.DELETE, authIds)) return ErrorCode.NO_AUTH;\n',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'check-unread',
    title: 'check within a multi tells the version of a znode that may not be read',
    origin: 'class PrepRequestProcessor',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: '  if (!permits(node.acl, Permission.READ, authIds)) return ErrorCode.NO_AUTH;\n',
        replace: '  void authIds;\n',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'acl-by-writer',
    title: 'whoever may write a znode may change its ACL',
    origin: 'class PrepRequestProcessor',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: 'permits(node.acl, Permission.ADMIN, authIds)',
        replace: 'permits(node.acl, Permission.ADMIN | Permission.WRITE, authIds)',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'acl-as-applied',
    title: 'permissions are those that are applied, and not those that are proposed',
    origin: 'ZOOKEEPER-1624; reliability.md 4: the ACL at the index',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: '  after.acl = acl;\n  after.aversion',
        replace: '  after.aversion',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'auth-unresolved',
    title: 'an ACL that is for its creator is for the first identity that it has proved',
    origin: 'PrepRequestProcessor.fixupACL',
    level: 'server',
    edits: [
      {
        file: ACL,
        find: '        resolved.push({ perms: entry.perms, id: own });\n',
        replace: '        resolved.push({ perms: entry.perms, id: own });\n        break;\n',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'auth-when-answered',
    title: 'what a connection has proved holds for requests that came before the proof',
    origin: 'reliability.md 4: authorization at one point',
    level: 'server',
    edits: [
      {
        file: CLIENT_FRONT,
        find: 'return answerLocally(front.#options.host.database.tree, front.#options.watches, pending, request);',
        replace:
          'return answerLocally(front.#options.host.database.tree, front.#options.watches, { ...pending, authIds: pending.port.authIds }, request);',
      },
    ],
    test: { file: 'packages/server/test/client-port.test.ts', name: 'does not hold for what came before it and waits' },
  },
  {
    id: 'auth-forgotten',
    title: 'a proof takes the place of the one before it',
    origin: 'class ServerCnxn.addAuthInfo',
    level: 'server',
    edits: [
      {
        file: CLIENT_PORT,
        find: '        this.#authIds = ids;\n',
        replace: '        this.#authIds = ids.slice(-1);\n',
      },
    ],
  },
  {
    id: 'failed-proof-goes-on',
    title: 'a connection goes on after a proof that failed',
    origin: 'class ZooKeeperServer.processPacket',
    level: 'server',
    edits: [
      {
        file: CLIENT_PORT,
        find: '        if (ids === undefined) return this.#leaveUnproved(xid);\n',
        replace: '        if (ids === undefined) return this.#enqueue(this.#pendingError(xid, ErrorCode.OK));\n',
      },
    ],
    expects: 'AuthRequest',
  },
  {
    id: 'who-am-i-leaks',
    title: 'whoAmI shows digests',
    origin: 'AuthUtil.getClientInfos',
    level: 'server',
    edits: [{ file: SELF_READS, find: "  if (scheme === 'digest') return { scheme, id: userOf(id) };\n", replace: '  void userOf;\n' }],
    expects: 'SequentialRead',
  },
  // What goes by itself
  {
    id: 'container-young',
    title: 'a container goes before it has had a child',
    origin: 'class ContainerManager',
    level: 'server',
    edits: [{ file: CONTAINER_SWEEP, find: 'tree.cversion(node) > 0) return true;', replace: 'tree.cversion(node) >= 0) return true;' }],
    expects: 'TreeModel',
  },
  {
    id: 'container-stays',
    title: 'a container stays for ever',
    origin: 'class ContainerManager',
    level: 'server',
    edits: [
      { file: CONTAINER_SWEEP, find: 'tree.cversion(node) > 0) return true;', replace: 'tree.cversion(node) > 1_000_000) return true;' },
    ],
    expects: 'Sweep',
  },
  {
    id: 'container-pending',
    title: 'whether a container is empty is told from what is applied, and not from what is proposed',
    origin: 'class ContainerManager; ZOOKEEPER-2464',
    level: 'server',
    edits: [
      { file: LEADERSHIP, find: '    if (this.#changes.isPending(path) || !isOver(', replace: '    if (!isOver(' },
      {
        file: PREPARE,
        find: '  if (node.childCount > 0) return ErrorCode.NOT_EMPTY;\n  if (!isContainerOrTtl',
        replace: '  if (!isContainerOrTtl',
      },
    ],
    test: { file: 'packages/server/test/container-sweep.test.ts', name: 'stay while anything that concerns them is only proposed' },
    survives:
      'a child has to be created while its container is being swept, in the few milliseconds for which a proposal is under way: rare',
  },
  {
    id: 'ttl-from-creation',
    title: 'a TTL is counted from the creation, whatever was changed since',
    origin: 'class ContainerManager: mtime',
    level: 'server',
    edits: [
      { file: CONTAINER_SWEEP, find: 'wallMs - tree.stat(node).mtime > ageMsMax;', replace: 'wallMs - tree.stat(node).ctime > ageMsMax;' },
    ],
    expects: 'TreeModel',
  },
  {
    id: 'ttl-kept',
    title: 'the time of a znode is not looked at again when its turn comes',
    origin: 'this code: found and taken at two times',
    level: 'server',
    edits: [
      {
        file: LEADERSHIP,
        find: '    if (this.#changes.isPending(path) || !isOver(database.tree, path, { wallMs, neverUsedMaxMs })) return;\n',
        replace: '    void wallMs, isOver;\n',
      },
    ],
    test: {
      file: 'packages/server/test/container-sweep.test.ts',
      name: 'that are made again before their turn are new ones, and those in use take no turn from others',
    },
    survives: 'no run has so many znodes that their turn comes later than they are found',
  },
];
