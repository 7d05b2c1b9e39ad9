export type {
  AddWatchOptions,
  CallOptions,
  CreateCallOptions,
  CreateOptions,
  Data,
  RemoveWatchesOptions,
  VersionOptions,
  WatcherTypeOptions,
  WatchOptions,
} from './arguments.js';
export type { AuthCall } from './auth-list.js';
export { Call } from './call.js';
export { Client } from './client.js';
export { ClientMachine } from './client-machine.js';
export { CALLS_MAX, type ClientMachineOptions } from './client-machine-options.js';
export { type ClientOptions, SESSION_TIMEOUT_MS } from './client-options.js';
export type { SessionIdentity } from './client-session.js';
export { type ClientState, type FinalState, isConnected, isFinal } from './client-state.js';
export { type ConnectString, parseConnectString, type ServerAddress } from './connect-string.js';
export type { Connection, ConnectionHandler, Connector } from './connection.js';
export { EVENTS_KEPT_MAX, EventStream } from './event-stream.js';
export { MultiError, type MultiResults, type Operation, type OperationResult } from './multi.js';
export type { MultiReadResults, ReadOperation, ReadOperationResult } from './multi-read.js';
export type { PersistentWatch } from './persistent-watch.js';
export type { Created } from './protected-create.js';
export type { RetryPolicy } from './retries.js';
export { ServerMessageReader } from './server-message-reader.js';
export { SessionHolder } from './session-holder.js';
export type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.js';
export { CACHE_NODES_MAX, type CacheChange, type CachedNode, CacheError, SubtreeCache, type SubtreeCacheOptions } from './subtree-cache.js';
export { Transaction } from './transaction.js';
export { type Codec, InvalidValueError, jsonCodec, TypedValue, type Versioned } from './typed-value.js';
export type { NodeEventType, WatchEvent, WatchEventType, Watcher } from './watch-registry.js';
export {
  RESPONSE_BYTES_MAX,
  type WebSocketConstructor,
  type WebSocketLike,
  type WebsocketConnectorOptions,
  websocketConnector,
} from './websocket-connector.js';
