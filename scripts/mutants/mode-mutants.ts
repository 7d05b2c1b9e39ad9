/** Sections C and D, continued: sessions that one server alone knows, servers that only read, and quotas. */
import type { Mutant } from './mutant.ts';

const CLIENT_PORT = 'packages/server/src/client-port.ts';
const DATA_TREE = 'packages/tree/src/data-tree.ts';
const HANDSHAKES = 'packages/server/src/handshakes.ts';
const LEADERSHIP = 'packages/server/src/leadership.ts';
const PREPARE = 'packages/server/src/prepare.ts';
const QUOTA = 'packages/server/src/quota.ts';
const READ_ONLY_MODE = 'packages/server/src/read-only-mode.ts';

export const MODE_MUTANTS: readonly Mutant[] = [
  // Local sessions
  {
    id: 'local-owner',
    title: 'a session that one server alone knows owns an ephemeral',
    origin: 'class PrepRequestProcessor: EPHEMERALONLOCALSESSION',
    level: 'server',
    edits: [
      {
        file: PREPARE,
        find: '  if (context.local === true && isEphemeral(mode)) return ErrorCode.EPHEMERAL_ON_LOCAL_SESSION;\n',
        replace: '',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'upgrade-forgotten',
    title: 'a local session creates an ephemeral, and no txn makes it the ensemble’s',
    origin: 'ZOOKEEPER-1147; class UpgradeableSessionTracker',
    level: 'server',
    edits: [
      {
        file: LEADERSHIP,
        find: '    if (local.upgrading) this.#createSession(from, session, local.timeOut);\n',
        replace: '',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'local-anywhere',
    title: 'a server takes a session that another one alone knows',
    origin: 'class LocalSessionTracker; decision 15',
    level: 'server',
    edits: [
      {
        file: HANDSHAKES,
        find: 'if (attempt.lives || this.#options.host.localSessions.has(session)) {',
        replace: 'if (attempt.lives || this.#options.localSessions) {',
      },
      {
        file: HANDSHAKES,
        find: '    if (this.#lives(attempt.session)) this.#finish(attempt);\n',
        replace: '    if (this.#lives(attempt.session) || this.#options.localSessions) this.#finish(attempt);\n',
      },
    ],
    expects: 'LocalSession',
  },
  // Servers that only read
  {
    id: 'ZK-1754',
    title: 'a server that only reads answers a deletion as if it were done',
    origin: 'ZOOKEEPER-1754',
    level: 'server',
    edits: [
      {
        file: CLIENT_PORT,
        find: '    else this.#enqueue(this.#pendingError(xid, ErrorCode.NOT_READ_ONLY));\n',
        replace:
          '    else this.#enqueue(this.#pendingError(xid, request.type === OpCode.delete ? ErrorCode.OK : ErrorCode.NOT_READ_ONLY));\n',
      },
    ],
    expects: 'ReadOnly',
  },
  {
    id: 'read-only-unasked',
    title: 'a server that only reads takes a client that does not put up with it',
    origin: 'ZOOKEEPER-4814; class ZooKeeperServer.processConnectRequest',
    level: 'server',
    edits: [{ file: READ_ONLY_MODE, find: 'if (!readOnly || lastZxidSeen >', replace: 'if (lastZxidSeen >' }],
    expects: 'ReadOnly',
  },
  {
    id: 'read-only-earlier',
    title: 'a server that only reads takes a client that has seen more than itself',
    origin: 'class ZooKeeperServer.processConnectRequest',
    level: 'server',
    edits: [
      {
        file: READ_ONLY_MODE,
        find: 'if (!readOnly || lastZxidSeen > host.database().lastZxid) return port.close();',
        replace: 'void lastZxidSeen;\n    if (!readOnly) return port.close();',
      },
    ],
    expects: 'SingleSystemImage',
  },
  {
    id: 'read-only-password',
    title: 'a server that only reads gives a session to whoever names it',
    origin: 'reliability.md 3.3: passwd unchecked',
    level: 'server',
    edits: [
      {
        file: READ_ONLY_MODE,
        find: '    if (sessionId !== 0n && !passwordMatches(sessionId, passwd)) return port.refuse();\n',
        replace: '    void [passwd, passwordMatches];\n',
      },
    ],
    expects: 'Password',
  },
  // Quotas
  {
    id: 'quota-told',
    title: 'a hard limit is told of and not kept',
    origin: 'ZOOKEEPER-3301; class ZooKeeperServer.checkQuota',
    level: 'server',
    edits: [
      { file: QUOTA, find: 'const refused = hard && policy.enforce;', replace: 'const refused = hard && policy.enforce && usage < 0n;' },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'quota-soft-kept',
    title: 'a soft limit is kept like a hard one',
    origin: 'class ZooKeeperServer.checkQuota',
    level: 'server',
    edits: [{ file: QUOTA, find: 'const refused = hard && policy.enforce;', replace: 'const refused = policy.enforce;' }],
    expects: 'RequestModel',
  },
  {
    id: 'quota-applied-only',
    title: 'a quota is asked with what is applied, and not with what is proposed',
    origin: 'class ZooKeeperServer.checkQuota: where we differ',
    level: 'server',
    edits: [
      {
        file: QUOTA,
        find: '  if (data !== undefined) recordStats(changes, stats, data, zxid);\n',
        replace: '  void [data, zxid];\n',
      },
    ],
    expects: 'RequestModel',
  },
  {
    id: 'quota-keeps-deleted',
    title: 'what is deleted goes on counting',
    origin: 'class DataTree.deleteNode: updateQuotaStat',
    level: 'server',
    edits: [
      {
        file: DATA_TREE,
        find: '    if (this.hasQuotas) countUsage(this.store, path, freed(usage));\n',
        replace: '    void [freed, usage];\n',
      },
    ],
    expects: 'SequentialRead',
  },
];
