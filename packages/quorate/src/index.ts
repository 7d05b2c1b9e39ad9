export {
  type CallOptions,
  Client,
  type ClientOptions,
  type ClientState,
  type Connection,
  type ConnectionHandler,
  type Connector,
  type CreateOptions,
  type Data,
  EventStream,
  MultiError,
  type MultiResults,
  type Operation,
  type OperationResult,
  type SessionIdentity,
  type VersionOptions,
  type WatchEvent,
  type WatchEventType,
  type Watcher,
  type WatchOptions,
} from '@quorate/client';
export { type Clock, type Random, realClock, realRandom, SeededRandom, type Timer, VirtualClock } from '@quorate/ports';
export {
  type Acl,
  baseNameOf,
  CREATOR_ALL_ACL,
  CreateMode,
  ErrorCode,
  type ErrorName,
  formatSessionId,
  formatZxid,
  type Id,
  isZooKeeperError,
  joinPath,
  OPEN_ACL_UNSAFE,
  Permission,
  parentOf,
  READ_ACL_UNSAFE,
  type Stat,
  ZooKeeperError,
  type Zxid,
} from '@quorate/protocol';
export { type ClientLink, MemoryNetwork, MemoryStorage, type ServerState, type Sid, type Storage, type Transport } from '@quorate/server';
export { type ConnectOptions, Ensemble, type ReadyOptions, type ServerInfo } from './ensemble.js';
export { EnsembleError, type EnsembleErrorCode } from './ensemble-error.js';
export { type EnsembleOptions, SERVERS_MAX, SESSION_TIMEOUT_MAX_MS, TICK_TIME_MS } from './ensemble-options.js';
