// What whoever starts a server needs from below it.
export {
  type Completion,
  type Config,
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
export type { ClientLink, ClientPort } from './client-port.js';
export type { QuotaExcess } from './quota.js';
export { Server, type ServerOptions } from './server.js';
