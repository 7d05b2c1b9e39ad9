/**
 * The four-letter words (`FourLetterCommands`): a client that begins with one of them in place of a handshake gets a text and the end of its connection.
 *
 * The texts are those that the tools of ZooKeeper read. What could be long is cut at `WORD_LINES_MAX` lines and says so (CVE-2017-5637).
 */
import { arch, freemem, homedir, hostname, platform, release, totalmem, userInfo } from 'node:os';
import { formatSessionId, formatZxid } from '@quorate/protocol';
import type { ConnectionInfo, WatchEntry } from '@quorate/server';
import { formatDigest } from '@quorate/tree';
import { operationName } from './operation-names.js';
import type { ServerAddress } from './server-config.js';
import { FULL_VERSION } from './server-version.js';
import { isEnsemble, isRunning, modeOf, monitorValues, rounded, type ServerView } from './server-view.js';

/** Connections, watches or ephemerals that a word names at most. */
export const WORD_LINES_MAX = 10_000;

/** What is answered unless the options say otherwise, as in ZooKeeper. */
const DEFAULT_WORDS: readonly string[] = ['srvr'];

const NOT_RUNNING = 'This ZooKeeper instance is not currently serving requests\n';

type Answer = (view: ServerView) => string;

/** Words that are answered whatever the server is at. */
const always: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['ruok', () => 'imok'],
  ['envi', () => environmentText()],
  ['isro', (view) => (isRunning(view) ? (view.server.isReadOnly ? 'ro' : 'rw') : 'null')],
  // There is nothing to trace by a mask.
  ['gtmk', () => '0'],
  ['stmk', () => '0'],
]);

const whileRunning: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['conf', confText],
  ['cons', ({ server }) => `${server.connections.slice(0, WORD_LINES_MAX).map(fullConnectionLine).join('')}\n`],
  ['crst', crst],
  ['dirs', dirs],
  ['dump', dump],
  ['hash', hash],
  ['mntr', mntr],
  ['srst', srst],
  ['srvr', (view) => serverText(view, '')],
  ['stat', (view) => serverText(view, clientsText(view))],
  [
    'wchc',
    (view: ServerView) =>
      watchText(
        view,
        ({ session }) => formatSessionId(session),
        ({ path }) => path,
      ),
  ],
  [
    'wchp',
    (view: ServerView) =>
      watchText(
        view,
        ({ path }) => path,
        ({ session }) => formatSessionId(session),
      ),
  ],
  ['wchs', wchs],
]);

/** Every word. */
export const WORDS: ReadonlySet<string> = new Set([...always.keys(), ...whileRunning.keys()]);

/** The answer to a word; undefined for four letters that are none. */
export function answerWord(word: string, view: ServerView): string | undefined {
  if (!WORDS.has(word)) return undefined;
  if (!isAllowed(word, view)) return `${word} is not executed because it is not in the whitelist.\n`;
  const answer = always.get(word);
  if (answer !== undefined) return answer(view);
  return isRunning(view) ? (whileRunning.get(word) as Answer)(view) : NOT_RUNNING;
}

function isAllowed(word: string, { config: { words = DEFAULT_WORDS, readOnlyMode = false } }: ServerView): boolean {
  // A client that puts up with a read-only server asks by `isro` for one that is not.
  return words.includes(word) || words.includes('*') || (word === 'isro' && readOnlyMode);
}

function serverText(view: ServerView, clients: string): string {
  const { server } = view;
  const { traffic } = server;
  const lines = [
    `Latency min/avg/max: ${Math.round(traffic.latencyMinMs)}/${decimal(traffic.latencyAverageMs)}/${Math.round(traffic.latencyMaxMs)}`,
    `Received: ${traffic.received}`,
    `Sent: ${traffic.sent}`,
    `Connections: ${server.connectionCount}`,
    `Outstanding: ${server.outstandingCount}`,
    `Zxid: ${formatZxid(server.lastZxid)}`,
    `Mode: ${modeOf(view)}`,
    `Node count: ${server.tree.nodeCount}`,
  ];
  return `Zookeeper version: ${FULL_VERSION}\n${clients}${lines.join('\n')}\n`;
}

function clientsText({ server }: ServerView): string {
  return `Clients:\n${server.connections
    .slice(0, WORD_LINES_MAX)
    .map((info) => ` ${connectionText(info)})\n`)
    .join('')}\n`;
}

function connectionText({ address = 'in-process', remotePort = 0, outstanding, received, sent }: ConnectionInfo): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `/${host}:${remotePort}[1](queued=${outstanding},recved=${received},sent=${sent}`;
}

function fullConnectionLine(info: ConnectionInfo): string {
  const { session, since, timeoutMs, last, latencyMinMs, latencyAverageMs, latencyMaxMs } = info;
  if (session === 0n) return ` ${connectionText(info)})\n`;
  const fields = [
    `sid=${formatSessionId(session)}`,
    `lop=${last === undefined ? 'NA' : operationName(last.type)}`,
    `est=${since}`,
    `to=${timeoutMs}`,
    ...(last === undefined ? [] : [`lcxid=0x${(last.xid >>> 0).toString(16)}`]),
    `lzxid=${last === undefined ? '0xffffffffffffffff' : formatZxid(last.zxid)}`,
    `llat=${Math.round(last?.latencyMs ?? 0)}`,
    `minlat=${Math.round(latencyMinMs)}`,
    `avglat=${Math.round(latencyAverageMs)}`,
    `maxlat=${Math.round(latencyMaxMs)}`,
  ];
  return ` ${connectionText(info)},${fields.join(',')})\n`;
}

/** What `conf` and the command `initial_configuration` tell: the ensemble cannot be changed while it runs. */
export function confText(view: ServerView): string {
  const lines = configurationOf(view).map(([name, value]) => `${name}=${value}\n`);
  const { servers = [] } = view.config;
  const membership = isEnsemble(view) ? ['membership: \n', ...servers.map((server) => `${memberText(server)}\n`), 'version=0\n'] : [];
  return [...lines, ...membership].join('');
}

/** What `conf` and the command `configuration` tell; no secret is among it. */
export function configurationOf(view: ServerView): readonly (readonly [name: string, value: string | number])[] {
  const { config, ports } = view;
  const { sid = 1, tickTimeMs = 2_000, initLimit = 10, syncLimit = 5, client, dataDir = '' } = config;
  const { snapshots, log } = view.sizes();
  const perAddress = client === false ? undefined : client?.connectionsPerAddressMax;
  const own = config.servers?.find((server) => server.sid === sid);
  return [
    ['clientPort', ports.client ?? -1],
    ['secureClientPort', ports.secureClient ?? -1],
    ['dataDir', dataDir],
    ['dataDirSize', snapshots],
    ['dataLogDir', dataDir],
    ['dataLogSize', log],
    ['tickTime', tickTimeMs],
    ['maxClientCnxns', perAddress ?? 60],
    ['minSessionTimeout', config.minSessionTimeoutMs ?? 2 * tickTimeMs],
    ['maxSessionTimeout', config.maxSessionTimeoutMs ?? 20 * tickTimeMs],
    ['serverId', sid],
    ...(own === undefined || !isEnsemble(view)
      ? []
      : ([
          ['initLimit', initLimit],
          ['syncLimit', syncLimit],
          ['electionPort', own.electionPort],
          ['quorumPort', own.quorumPort],
          ['peerType', own.observer === true ? 1 : 0],
        ] as const)),
  ];
}

function memberText({ sid, host, quorumPort, electionPort, observer }: ServerAddress): string {
  const address = host.includes(':') ? `[${host}]` : host;
  return `server.${sid}=${address}:${quorumPort}:${electionPort}:${observer === true ? 'observer' : 'participant'}`;
}

function environmentText(): string {
  return `Environment:\n${environmentOf()
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')}`;
}

/** What `envi` and the command `environment` tell: by ZooKeeper's names what it is there, and of the runtime what it is here. */
export function environmentOf(): readonly (readonly [name: string, value: string])[] {
  const inMiB = (bytes: number): string => `${Math.floor(bytes / 1024 / 1024)}MB`;
  return [
    ['zookeeper.version', FULL_VERSION],
    ['host.name', hostname()],
    ['node.version', process.versions.node],
    ['os.name', platform()],
    ['os.arch', arch()],
    ['os.version', release()],
    ['user.name', userName()],
    ['user.home', homedir()],
    ['user.dir', process.cwd()],
    ['os.memory.free', inMiB(freemem())],
    ['os.memory.total', inMiB(totalmem())],
  ];
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in the system's list, as in many containers.
    return String(process.getuid?.() ?? '?');
  }
}

function crst({ server }: ServerView): string {
  server.resetConnections();
  return 'Connection stats reset.\n';
}

function srst({ server }: ServerView): string {
  server.resetTraffic();
  return 'Server stats reset.\n';
}

function dirs(view: ServerView): string {
  const { snapshots, log } = view.sizes();
  return `datadir_size: ${snapshots}\nlogdir_size: ${log}\n`;
}

function hash({ server }: ServerView): string {
  const { digest } = server.tree;
  return digest === undefined ? '' : `${formatZxid(server.lastZxid)}: ${formatDigest(digest)}\n`;
}

function mntr(view: ServerView): string {
  let text = '';
  for (const [name, value] of monitorValues(view)) text += `zk_${name}\t${name === 'avg_latency' ? decimal(value as number) : value}\n`;
  return text;
}

function wchs({ server }: ServerView): string {
  const { connections, paths, watches } = server.watchSummary;
  return `${connections} connections watching ${paths} paths\nTotal watches:${watches}\n`;
}

function watchText({ server }: ServerView, keyOf: (entry: WatchEntry) => string, valueOf: (entry: WatchEntry) => string): string {
  const groups = grouped(server.watches(), (entry) => [keyOf(entry), valueOf(entry)]);
  return `${groupText(groups, '')}${cutText(server.watchCount, 'watches')}\n`;
}

/** What every server knows of sessions; when they expire only the leader knows. */
function dump({ server }: ServerView): string {
  const sessions = [...server.sessions];
  const { tree } = server;
  const ephemerals = grouped(tree.ephemerals(), ([session, path]) => [formatSessionId(session), path]);
  const connections = server.connections.slice(0, WORD_LINES_MAX);
  return [
    `SessionTracker dump:\nGlobal Sessions(${sessions.length}):\n`,
    ...sessions.slice(0, WORD_LINES_MAX).map(([id, timeoutMs]) => `${formatSessionId(id)}\t${timeoutMs}ms\n`),
    cutText(sessions.length, 'sessions'),
    `ephemeral nodes dump:\nSessions with Ephemerals (${tree.ephemeralSessionCount}):\n`,
    groupText(ephemerals, ':'),
    cutText(tree.ephemeralCount, 'ephemerals'),
    `Connections dump:\nConnections Sets (1)/(${server.connectionCount}):\n`,
    ...connections.map(
      ({ address = 'in-process', remotePort = 0, session }) => `\tip: /${address}:${remotePort} sessionId: ${formatSessionId(session)}\n`,
    ),
  ].join('');
}

/** The first `WORD_LINES_MAX` of the entries by their keys, each value once. */
export function grouped<T>(
  entries: Iterable<T>,
  split: (entry: T) => readonly [key: string, value: string],
): ReadonlyMap<string, ReadonlySet<string>> {
  const groups = new Map<string, Set<string>>();
  let count = 0;
  for (const entry of entries) {
    if (count++ === WORD_LINES_MAX) break;
    const [key, value] = split(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, new Set([value]));
    else group.add(value);
  }
  return groups;
}

function groupText(groups: ReadonlyMap<string, ReadonlySet<string>>, behindKey: string): string {
  let text = '';
  for (const [key, values] of groups) text += `${key}${behindKey}\n${[...values].map((value) => `\t${value}\n`).join('')}`;
  return text;
}

function cutText(count: number, what: string): string {
  return count > WORD_LINES_MAX ? `(the first ${WORD_LINES_MAX} of ${count} ${what})\n` : '';
}

/** As Java prints a double: with a point, always. */
function decimal(value: number): string {
  const number = rounded(value);
  return Number.isInteger(number) ? `${number}.0` : String(number);
}
