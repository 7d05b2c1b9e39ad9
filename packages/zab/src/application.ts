import type { Zxid } from '@quorate/protocol';
import type { Sid } from './config.js';
import type { Run } from './log.js';

/** The replicated state machine above Zab. Its calls come from the driver, one at a time, never from inside a call to the driver. */
export interface Application {
  /** Committed and durable txns in zxid order, each exactly once since the start or the last `restore`. Must not fail. */
  deliver(run: Run): void;
  /**
   * The whole state after the last delivered txn, in pieces of 64 KiB or less. They are taken later, one at a time, while more is delivered; all of them
   * show the state of this moment. Where one is not taken to its end, `return` of its iterator is called.
   */
  snapshot(): Iterable<Uint8Array>;
  /**
   * Replaces the whole state by one that `snapshot` made, here or on another server: the same bytes, perhaps cut at other places. A leader of Apache's sends its own,
   * which begin with the header of its snapshot files.
   *
   * @param zxid of the last txn in it.
   */
  restore(pieces: readonly Uint8Array[], zxid: Zxid): void;
  /**
   * Where this server stands; called once its storage has been read, and on every change. A leader that LEADS and no longer serves makes a pause: it goes on in its next epoch, or hands over
   * (FOLLOWING its successor), or is lost (LOOKING). Requests that come meanwhile wait with the application.
   */
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
  /**
   * Whether this server counts in elections and quorums. False for an observer, and for a voter whose store is new, was wiped or is damaged: that one
   * waits for a leader, which gives it its vote back.
   */
  readonly votes: boolean;
}
