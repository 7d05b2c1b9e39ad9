/**
 * The admin port (`AdminServer`): ZooKeeper's commands as JSON under `/commands`, and `/health` and `/ready` for whoever runs the process.
 *
 * What changes something, or reveals data or who is connected, is closed unless the configuration opens it to everybody who reaches the port
 * (CVE-2025-58457); what changes something is asked for by POST, which no page of a browser does by a mere link. Session ids are hexadecimal strings.
 */
import { counterOf, formatSessionId, formatZxid } from '@quorate/protocol';
import type { ConnectionInfo } from '@quorate/server';
import { formatDigest } from '@quorate/tree';
import { writeBackup } from './backup-file.js';
import { configurationOf, confText, environmentOf, grouped } from './four-letter-words.js';
import type { HttpAnswer } from './http-port.js';
import { operationName } from './operation-names.js';
import { FULL_VERSION } from './server-version.js';
import { isEnsemble, isRunning, modeOf, monitorValues, rounded, type ServerView } from './server-view.js';

interface AdminCommand {
  /** `OPEN` to whoever reaches the port; `READ` reveals what is not everybody's affair; `CHANGE` changes something. */
  readonly access: 'OPEN' | 'READ' | 'CHANGE';
  /** Whether it is answered while the server serves nobody. */
  readonly always?: boolean;
  run(view: ServerView): object;
}

/** The command that is answered by no JSON. */
const SNAPSHOT = 'snapshot';

const commands: ReadonlyMap<string, AdminCommand> = new Map<string, AdminCommand>([
  ['configuration', { access: 'READ', run: configuration }],
  ['connection_stat_reset', { access: 'CHANGE', run: ({ server }) => done(server.resetConnections()) }],
  ['connections', { access: 'READ', run: ({ server }) => ({ connections: server.connections.map(connectionJson) }) }],
  ['dirs', { access: 'OPEN', run: dirs }],
  ['dump', { access: 'READ', run: dump }],
  ['environment', { access: 'READ', always: true, run: () => Object.fromEntries(environmentOf()) }],
  ['hash', { access: 'OPEN', run: hash }],
  ['initial_configuration', { access: 'READ', run: (view) => ({ initial_configuration: confText(view) }) }],
  ['is_read_only', { access: 'OPEN', run: ({ server }) => ({ read_only: server.isReadOnly }) }],
  ['last_snapshot', { access: 'OPEN', run: lastSnapshot }],
  ['leader', { access: 'OPEN', run: leader }],
  ['monitor', { access: 'OPEN', run: (view) => Object.fromEntries(monitorValues(view)) }],
  ['observers', { access: 'OPEN', run: ({ server }) => ({ synced_observers: server.synchronizedLearners?.observers ?? 0 }) }],
  ['ruok', { access: 'OPEN', always: true, run: () => ({}) }],
  ['server_stats', { access: 'OPEN', run: serverStats }],
  [SNAPSHOT, { access: 'READ', run: () => ({}) }],
  ['stat_reset', { access: 'CHANGE', run: ({ server }) => done(server.resetTraffic()) }],
  ['stats', { access: 'READ', run: (view) => ({ ...serverStats(view), connections: view.server.connections.map(connectionJson) }) }],
  ['voting_view', { access: 'READ', run: votingView }],
  ['watch_summary', { access: 'OPEN', run: watchSummary }],
  ['watches', { access: 'READ', run: watches }],
  ['watches_by_path', { access: 'READ', run: watchesByPath }],
  ['zabstate', { access: 'OPEN', always: true, run: zabState }],
]);

/** The answer to a request. */
export function answerAdmin(view: ServerView, method: string, path: string): HttpAnswer {
  if (path === '/health') return plain(200, 'ok\n');
  if (path === '/ready') return isRunning(view) ? plain(200, `${modeOf(view)}\n`) : plain(503, 'not serving\n');
  if (path === '/commands' || path === '/commands/') return index();
  const name = /^\/commands\/([a-z_]+)$/.exec(path)?.[1];
  if (name === undefined) return plain(404, 'the commands are at /commands\n');
  const command = commands.get(name);
  if (command === undefined) return refused(404, name, `Unknown command: ${name}`);
  return answerCommand(view, method, name, command);
}

function answerCommand(view: ServerView, method: string, name: string, { access, always = false, run }: AdminCommand): HttpAnswer {
  if (access !== 'OPEN' && view.config.admin?.unrestricted !== true)
    return refused(
      403,
      name,
      `${name} is closed here: admin.unrestricted opens it, or --admin-unrestricted, or quorate.adminUnrestricted=true in zoo.cfg`,
    );
  const allowed = access === 'CHANGE' ? ['POST'] : ['GET', 'HEAD'];
  if (!allowed.includes(method)) return refused(405, name, `${name} is asked for by ${allowed[0]}`);
  // As ZooKeeper answers there.
  if (!always && !isRunning(view)) return refused(503, name, 'This ZooKeeper instance is not currently serving requests');
  if (name === SNAPSHOT) return method === 'GET' ? backup(view) : refused(405, name, `${name} is asked for by GET`);
  return json(200, { ...run(view), command: name, error: null });
}

/** The state at one zxid, which a header names as ZooKeeper's does. */
function backup({ server }: ServerView): HttpAnswer {
  const { lastZxid } = server;
  return {
    status: 200,
    type: 'application/octet-stream',
    headers: { last_zxid: formatZxid(lastZxid) },
    body: writeBackup(lastZxid, server.snapshot()),
  };
}

function index(): HttpAnswer {
  const links = [...commands.keys()].map((name) => `<a href="/commands/${name}">${name}</a>\n<br/>\n`);
  return { status: 200, type: 'text/html', body: links.join('') };
}

function plain(status: number, body: string): HttpAnswer {
  return { status, type: 'text/plain', body };
}

function json(status: number, body: object): HttpAnswer {
  return { status, type: 'application/json', body: `${JSON.stringify(body, null, 2)}\n` };
}

function refused(status: number, command: string, error: string): HttpAnswer {
  return json(status, { command, error });
}

function done(_nothing: void): object {
  return {};
}

/** `clientPort` is `client_port` here. */
function configuration(view: ServerView): object {
  return Object.fromEntries(
    configurationOf(view).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}

function connectionJson(info: ConnectionInfo): object {
  const { address, remotePort, outstanding, received, sent, session, timeoutMs, since, last } = info;
  return {
    remote_socket_address: `${address}:${remotePort}`,
    outstanding_requests: outstanding,
    packets_received: received,
    packets_sent: sent,
    ...(session !== 0n && {
      session_id: formatSessionId(session),
      established: since,
      session_timeout: timeoutMs,
      last_operation: last === undefined ? 'NA' : operationName(last.type),
      last_cxid: last?.xid ?? -1,
      last_zxid: last?.zxid ?? -1,
      last_latency: Math.round(last?.latencyMs ?? 0),
      min_latency: Math.round(info.latencyMinMs),
      avg_latency: rounded(info.latencyAverageMs),
      max_latency: Math.round(info.latencyMaxMs),
    }),
  };
}

function dirs(view: ServerView): object {
  const { snapshots, log } = view.sizes();
  return { datadir_size: snapshots, logdir_size: log };
}

function dump({ server }: ServerView): object {
  const paths = grouped(server.tree.ephemerals(), ([session, path]) => [formatSessionId(session), path]);
  return {
    session_id_to_timeout: Object.fromEntries([...server.sessions].map(([id, timeoutMs]) => [formatSessionId(id), timeoutMs])),
    session_id_to_ephemeral_paths: listsOf(paths),
  };
}

function hash({ server }: ServerView): object {
  const { digest } = server.tree;
  return { digests: digest === undefined ? [] : [{ zxid: server.lastZxid, digest: formatDigest(digest) }] };
}

/** In hexadecimal digits and in seconds; of none as ZooKeeper answers then. */
function lastSnapshot(view: ServerView): object {
  const last = view.lastSnapshot();
  if (last === undefined) return { zxid: 'f'.repeat(16), timestamp: -1 };
  return { zxid: last.zxid.toString(16), timestamp: Math.floor(last.wallMs / 1_000) };
}

function leader(view: ServerView): object {
  const { server, config } = view;
  const known = server.status.leader;
  const address = config.servers?.find(({ sid }) => sid === known);
  return { is_leader: known === server.sid, leader_id: known ?? -1, leader_ip: address?.host ?? '' };
}

function serverStats(view: ServerView): object {
  const { server, startedMs } = view;
  const { traffic } = server;
  const { snapshots, log } = view.sizes();
  return {
    version: FULL_VERSION,
    read_only: server.isReadOnly,
    server_stats: {
      packets_sent: traffic.sent,
      packets_received: traffic.received,
      data_dir_size: snapshots,
      log_dir_size: log,
      server_state: modeOf(view),
      last_processed_zxid: server.lastZxid,
      outstanding_requests: server.outstandingCount,
      avg_latency: rounded(traffic.latencyAverageMs),
      max_latency: Math.round(traffic.latencyMaxMs),
      min_latency: Math.round(traffic.latencyMinMs),
      num_alive_client_connections: server.connectionCount,
      uptime: Math.round(performance.now() - startedMs),
    },
    node_count: server.tree.nodeCount,
  };
}

function votingView(view: ServerView): object {
  const voters = isEnsemble(view) ? (view.config.servers ?? []).filter(({ observer }) => observer !== true) : [];
  return {
    current_config: Object.fromEntries(
      voters.map(({ sid, host, quorumPort, electionPort }) => [
        sid,
        {
          server_addresses: [`${host}:${quorumPort}`],
          election_addresses: [`${host}:${electionPort}`],
          // Of the others only they know it.
          client_address: sid === view.server.sid ? clientAddressOf(view) : '',
          learner_type: 'participant',
        },
      ]),
    ),
  };
}

function clientAddressOf({ config: { client }, ports }: ServerView): string {
  if (client === false || ports.client === undefined) return '';
  return `${client?.host ?? '127.0.0.1'}:${ports.client}`;
}

function watchSummary({ server }: ServerView): object {
  const { connections, paths, watches } = server.watchSummary;
  return { num_connections: connections, num_paths: paths, num_total_watches: watches };
}

function watches({ server }: ServerView): object {
  return { session_id_to_watched_paths: listsOf(grouped(server.watches(), ({ session, path }) => [formatSessionId(session), path])) };
}

function watchesByPath({ server }: ServerView): object {
  return { path_to_session_ids: listsOf(grouped(server.watches(), ({ session, path }) => [path, formatSessionId(session)])) };
}

function zabState({ server }: ServerView): object {
  const { sid, lastZxid } = server;
  const { state, leader, serving, votes, epoch } = server.status;
  const stage = state === 'LOOKING' ? 'election' : serving ? 'broadcast' : 'synchronization';
  return {
    myid: sid,
    is_leader: leader === sid,
    voting: votes,
    last_zxid: formatZxid(lastZxid),
    zab_epoch: epoch,
    zab_counter: counterOf(lastZxid),
    zabstate: stage,
  };
}

function listsOf(groups: ReadonlyMap<string, ReadonlySet<string>>): object {
  // A path may be called __proto__.
  const lists = Object.create(null) as Record<string, readonly string[]>;
  for (const [key, values] of groups) lists[key] = [...values];
  return lists;
}
