import type { Sid } from './config.js';
import type { Run } from './log.js';

/** The replicated state machine above Zab. Its calls come from the driver, one at a time, never from inside a call to the driver. */
export interface Application {
  /** Committed and durable txns in zxid order, each exactly once since the start or the last `restore`. Must not fail. */
  deliver(run: Run): void;
  /** The whole state after the last delivered txn. */
  snapshot(): Uint8Array;
  /** Replaces the whole state by one that `snapshot` made, here or on another server. */
  restore(bytes: Uint8Array): void;
  /** Where this server stands; called on every change. */
  onStatus(status: Status): void;
  /** Leader: a learner has forwarded a request by `Replica.request`. */
  onRequest?(from: Sid, payload: Uint8Array): void;
  /** Leader: a learner asks by `Replica.revalidate`; learner: the leader's answer. */
  onRevalidate?(from: Sid, payload: Uint8Array): void;
  /** Learner: what the answer to the leader's heartbeat shall carry. Nothing when absent. */
  heartbeat?(): Uint8Array;
  /** Leader: what a learner's heartbeat carried. */
  onHeartbeat?(from: Sid, payload: Uint8Array): void;
  /** A `Replica.sync(tag)` is done: every txn committed anywhere before it was called has been delivered here. */
  onSynced?(tag: number): void;
}

/** The state of a server as ZooKeeper names it. */
export type ServerState = 'LOOKING' | 'FOLLOWING' | 'OBSERVING' | 'LEADING';

/** Where a server stands in the ensemble. */
export interface Status {
  readonly state: ServerState;
  /** The elected leader, whether or not it has a quorum yet; undefined while LOOKING. */
  readonly leader: Sid | undefined;
  /** The established epoch while serving, else the last one that this server was part of. */
  readonly epoch: number;
  /** True while the leader is established and this server is synchronized with it: requests may be taken. */
  readonly serving: boolean;
}
