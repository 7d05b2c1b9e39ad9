/**
 * What peers say to one another, by ZooKeeper's names (class `Leader`, class `FastLeaderElection.Notification`).
 * Messages are immutable and may be shared by all who receive them.
 */
import type { Zxid } from '@quorate/protocol';
import type { ServerState } from './application.js';
import type { Sid } from './config.js';
import type { Run } from './log.js';

/** Whom a server would have as the leader, and the history that this leader has: ordered by peerEpoch, zxid, leader. */
export interface Vote {
  readonly leader: Sid;
  readonly zxid: Zxid;
  readonly peerEpoch: number;
}

/** An election message: the sender's state, its round, and its vote. */
export interface Notification {
  readonly state: ServerState;
  readonly electionEpoch: number;
  readonly vote: Vote;
}

export type Message =
  /** A server with a damaged store → any other, the first on a channel: which txns has it above `after` and below `before`? */
  | { readonly type: 'MEND'; readonly ensembleId: string; readonly after: Zxid; readonly before: Zxid }
  /**
   * The answer: the first of these txns that it can read, as they stand in its history; none where it has none. `more`: whether it has others behind them.
   * `end`: nothing that it has stored is above this; −1 where it cannot tell.
   */
  | { readonly type: 'FOUND'; readonly runs: readonly Run[]; readonly more: boolean; readonly end: Zxid }
  /** learner → leader, DISCOVERY: the highest epoch that the learner has promised to. `ensembleId` is empty where it knows none. */
  | { readonly type: 'FOLLOWERINFO'; readonly acceptedEpoch: number; readonly ensembleId: string }
  /** learner → leader, DISCOVERY: as FOLLOWERINFO, of one that has no vote: an observer, or a voter whose store is not marked. */
  | { readonly type: 'OBSERVERINFO'; readonly acceptedEpoch: number; readonly ensembleId: string }
  /** leader → learner, DISCOVERY: the new epoch; on a channel in BROADCAST, one more of the same leader. */
  | { readonly type: 'LEADERINFO'; readonly epoch: number; readonly ensembleId: string }
  /** learner → leader, DISCOVERY: the promise is durable. `currentEpoch` is −1 where it had been given before: not to be counted again. */
  | { readonly type: 'ACKEPOCH'; readonly currentEpoch: number; readonly lastZxid: Zxid }
  /** leader → learner, SYNCHRONIZATION: the learner's history is a prefix of the leader's; what is missing follows. */
  | { readonly type: 'DIFF' }
  /** leader → learner, SYNCHRONIZATION: the learner shall drop all above `zxid`; what is missing follows. */
  | { readonly type: 'TRUNC'; readonly zxid: Zxid }
  /** leader → learner, SYNCHRONIZATION: the learner shall replace its history by a snapshot, whose pieces follow, and what is above it. */
  | { readonly type: 'SNAP'; readonly zxid: Zxid }
  /** leader → learner, SYNCHRONIZATION: the next piece of the snapshot. */
  | { readonly type: 'PIECE'; readonly bytes: Uint8Array; readonly last: boolean }
  /** leader → learner, SYNCHRONIZATION and BROADCAST: a run of consecutive txns to append. */
  | { readonly type: 'PROPOSAL'; readonly run: Run }
  /** learner → leader: NEWLEADER is durable (counter 0), or every txn of the epoch up to `zxid` is. Cumulative. */
  | { readonly type: 'ACK'; readonly zxid: Zxid }
  /** leader → learner: every txn up to `zxid` is committed. Cumulative. */
  | { readonly type: 'COMMIT'; readonly zxid: Zxid }
  /** leader → observer, BROADCAST: a run of txns that are committed. */
  | { readonly type: 'INFORM'; readonly run: Run }
  /** leader → learner, end of SYNCHRONIZATION: the history is complete. */
  | { readonly type: 'NEWLEADER'; readonly epoch: number }
  /** leader → learner, start of BROADCAST: a quorum has the leader's history; serve. */
  | { readonly type: 'UPTODATE' }
  /** leader → learner and back. `round` is echoed; the answer carries what the learner's application wants the leader's to know. */
  | { readonly type: 'PING'; readonly round: number; readonly payload: Uint8Array }
  /** learner → leader: a request of the application. */
  | { readonly type: 'REQUEST'; readonly payload: Uint8Array }
  /** learner → leader and back: a question of the application. */
  | { readonly type: 'REVALIDATE'; readonly payload: Uint8Array }
  /** learner → leader and back, in order with COMMIT: the learner has caught up to the moment at which the leader was asked. */
  | { readonly type: 'SYNC'; readonly tag: number }
  /** leader → learner, end of BROADCAST: this leader proposes nothing more; lead in its place, or follow the one that does. */
  | { readonly type: 'HANDOVER'; readonly leader: Sid };
