// What whoever starts a server needs from below it.
export {
  type Completion,
  type Config,
  type Group,
  type Limits,
  type Mark,
  MemoryNetwork,
  MemoryStorage,
  type ServerState,
  type Sid,
  type Snapshot,
  type Status,
  type Storage,
  type StoredImage,
  type Transport,
} from '@quorate/zab';
export { maskDigests } from './acl.js';
export { zookeeperPayloads } from './apache-payloads.js';
export type { SessionEnd, WriteOutcome } from './audit.js';
export type { ClientLink, ClientPort } from './client-port.js';
export type { ConnectionThrottle } from './connection-throttle.js';
export { Database } from './database.js';
export type { RequestThrottle } from './load.js';
export { serverMessageBytes } from './message-bytes.js';
export { type ChosenOptions, checkChosenOption, checkOption, checkWholeOption, chosenOptions } from './option-rules.js';
export type { QuotaExcess } from './quota.js';
export { Server, type ServerOptions } from './server.js';
export type { ConnectionInfo, LastAnswer, TrafficCounts } from './traffic.js';
export type { WatchEntry, WatchSummary } from './watch-events.js';
