/** What a server has counted since its start, under the names of ZooKeeper's `ServerMetrics`: for `mntr`, the command `monitor` and Prometheus. */
import type { ServerView } from './server-view.js';

export interface ServerCounter {
  readonly name: string;
  readonly help: string;
  readonly read: (view: ServerView) => number;
}

const ofServer = (name: string, help: string, read: (counts: ServerView['server']['counts']) => number): ServerCounter => ({
  name,
  help,
  read: ({ server }) => read(server.counts),
});

/** Each of them only grows. */
export const SERVER_COUNTERS: readonly ServerCounter[] = [
  ofServer('connection_request_count', 'handshakes that clients have begun', (counts) => counts.connectionRequests),
  ofServer('connection_revalidate_count', 'handshakes of clients that came with a session', (counts) => counts.connectionRevalidations),
  ofServer('connection_drop_count', 'connections of clients that ended without the server’s doing', (counts) => counts.connectionsDropped),
  {
    name: 'connection_rejected',
    help: 'connections that were ended at once: one too many, or turned away by the connection throttle',
    read: ({ server, links }) => server.counts.connectionsRejected + links().rejected,
  },
  {
    name: 'sessionless_connections_expired',
    help: 'connections that got no session in time',
    read: ({ server, links }) => server.counts.handshakesExpired + links().handshakesExpired,
  },
  { name: 'unsuccessful_handshake', help: 'clients that TLS has not let in', read: ({ links }) => links().handshakesFailed },
  { name: 'bytes_received_count', help: 'bytes that came from clients', read: ({ links }) => links().bytesReceived },
  ofServer(
    'stale_sessions_expired',
    'sessions that this server, as the leader or of its own, has ended for their silence',
    (counts) => counts.sessionsExpired,
  ),
  ofServer('throttled_ops', 'requests that were answered THROTTLED_OP', (counts) => counts.requestsThrottled),
  ofServer('request_throttle_wait_count', 'requests that had to wait because too much was under way', (counts) => counts.requestsHeldBack),
  ofServer('large_requests_rejected', 'requests that were too much of large ones', (counts) => counts.largeRequestsRejected),
  ofServer('auth_failed_count', 'clients that have tried to prove something and failed', (counts) => counts.authFailures),
];

/** How many watchers an event had: in Prometheus a summary without quantiles. */
export const FIRED_WATCHES = [
  ['node_created_watch_count', 'nodeCreatedWatches'],
  ['node_deleted_watch_count', 'nodeDeletedWatches'],
  ['node_changed_watch_count', 'nodeChangedWatches'],
  ['node_children_watch_count', 'nodeChildrenWatches'],
] as const;
