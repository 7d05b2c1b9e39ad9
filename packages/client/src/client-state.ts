/**
 * Where a client's session stands, by the names of ZooKeeper's `KeeperState` and `ZooKeeper.States`.
 *
 * - `CONNECTING`: no server is connected, at the start or after a loss; the session may be alive on the servers. Requests wait.
 * - `CONNECTED`: a server answers.
 * - `CONNECTED_READ_ONLY`: a server that has lost the ensemble answers reads, and the client looks for another one. Only for clients with `canBeReadOnly`.
 * - `EXPIRED`: the session is gone, and its ephemeral nodes and watches with it. Final.
 * - `AUTH_FAILED`: a server refused what `addAuth` was given. Final.
 * - `CLOSED`: `close` was called. Final.
 */
export type ClientState = 'CONNECTING' | 'CONNECTED' | 'CONNECTED_READ_ONLY' | 'EXPIRED' | 'AUTH_FAILED' | 'CLOSED';

/** The states that are never left. */
export type FinalState = 'EXPIRED' | 'AUTH_FAILED' | 'CLOSED';

/** True for a state that is never left. */
export function isFinal(state: ClientState): state is FinalState {
  return state === 'EXPIRED' || state === 'AUTH_FAILED' || state === 'CLOSED';
}

/** True while a server answers. */
export function isConnected(state: ClientState): boolean {
  return state === 'CONNECTED' || state === 'CONNECTED_READ_ONLY';
}
