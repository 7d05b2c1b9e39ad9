/** What a server tells of itself: the one source of the four-letter words, the admin port and the metrics. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Server } from '@quorate/server';
import type { ListenerCounts } from './listener-counts.js';
import type { ServerConfig } from './server-config.js';
import { SERVER_COUNTERS } from './server-counters.js';
import type { LastSnapshot } from './server-store.js';
import { FULL_VERSION } from './server-version.js';

export interface ServerView {
  readonly server: Server;
  readonly config: ServerConfig;
  /** By `performance.now`. */
  readonly startedMs: number;
  /** Bound ports; undefined where there is none. */
  readonly ports: { readonly client: number | undefined; readonly secureClient: number | undefined };
  /** What is kept on disk, in bytes: snapshots, and the log. */
  sizes(): { readonly snapshots: number; readonly log: number };
  /** Undefined where there is none yet. */
  lastSnapshot(): LastSnapshot | undefined;
  /** Since when it leads and serves, by `performance.now`; undefined where it does not. */
  leadingSinceMs(): number | undefined;
  /** What its ports for clients have counted together. */
  links(): Readonly<ListenerCounts>;
}

/** As `srvr` and `stat` name it. */
export type Mode = 'standalone' | 'leader' | 'follower' | 'observer' | 'read-only';

/** A number by the name that ZooKeeper has for it, in `mntr`, in the command `monitor` and in Prometheus. */
export type MonitorValues = ReadonlyMap<string, string | number>;

/** Whether it answers clients, if only by reads. */
export function isRunning({ server }: ServerView): boolean {
  return server.status.serving || server.isReadOnly;
}

/** Undefined while it does not answer clients. */
export function modeOf(view: ServerView): Mode | undefined {
  if (!isRunning(view)) return undefined;
  if (view.server.isReadOnly) return 'read-only';
  if (!isEnsemble(view)) return 'standalone';
  const { state } = view.server.status;
  return state === 'LEADING' ? 'leader' : state === 'OBSERVING' ? 'observer' : 'follower';
}

export function isEnsemble({ config }: ServerView): boolean {
  return config.servers !== undefined && config.servers.length > 1;
}

/** ZooKeeper's names, where we count the same thing; a name that is missing is one that we do not count. */
export function monitorValues(view: ServerView): MonitorValues {
  const { server, startedMs } = view;
  const { traffic, tree } = server;
  const sessions = [...server.sessions].length;
  return new Map<string, string | number>([
    ['version', FULL_VERSION],
    ['server_state', modeOf(view) ?? 'null'],
    ['ephemerals_count', tree.ephemeralCount],
    ['num_alive_connections', server.connectionCount],
    ['avg_latency', rounded(traffic.latencyAverageMs)],
    ['outstanding_requests', server.outstandingCount],
    ['znode_count', tree.nodeCount],
    ['global_sessions', sessions],
    ['local_sessions', server.localSessionCount],
    ['packets_sent', traffic.sent],
    ['packets_received', traffic.received],
    ['watch_count', server.watchCount],
    ['min_latency', Math.round(traffic.latencyMinMs)],
    ['max_latency', Math.round(traffic.latencyMaxMs)],
    ['approximate_data_size', tree.approximateDataSize],
    ['uptime', Math.round(performance.now() - startedMs)],
    ['connection_drop_probability', rounded(server.connectionThrottling?.share ?? 0)],
    ...SERVER_COUNTERS.map(({ name, read }) => [name, read(view)] as const),
    ...fileDescriptors(),
    ...(isEnsemble(view) ? ensembleValues(view) : []),
  ]);
}

function ensembleValues({ server, config, leadingSinceMs }: ServerView): (readonly [string, string | number])[] {
  const { state, serving } = server.status;
  const voters = config.servers?.filter(({ observer }) => observer !== true).length ?? 1;
  const learners = server.synchronizedLearners;
  const { counts } = server;
  return [
    ['peer_state', state === 'LOOKING' ? 'looking' : `${state.toLowerCase()} - ${serving ? 'broadcast' : 'synchronization'}`],
    ['quorum_size', voters],
    ...(learners === undefined
      ? []
      : ([
          ['learners', learners.followers + learners.observers],
          ['synced_followers', learners.followers],
          ['synced_observers', learners.observers],
          ['leader_uptime', Math.round(performance.now() - (leadingSinceMs() ?? performance.now()))],
          ['last_proposal_size', counts.proposalBytesLast],
          ['min_proposal_size', counts.proposalBytesMin],
          ['max_proposal_size', counts.proposalBytesMax],
        ] as const)),
  ];
}

/** On Linux; nothing elsewhere, as in ZooKeeper. */
function fileDescriptors(): (readonly [string, number])[] {
  try {
    const open = readdirSync('/proc/self/fd').length;
    const max = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return [['open_file_descriptor_count', open], ...(max === undefined ? [] : [['max_file_descriptor_count', Number(max)] as const])];
  } catch {
    return [];
  }
}

/** To four digits behind the point, as ZooKeeper rounds its means. */
export function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
