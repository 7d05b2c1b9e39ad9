/** The plain record under FOLLOWING and OBSERVING. */
import type { Zxid } from '@quorate/protocol';
import type { ChannelId } from './io.js';
import type { Vote } from './messages.js';
import type { Replacement } from './replacement.js';

/**
 * DISCOVERY: FOLLOWERINFO is sent. PROMISING: acceptedEpoch is on its way to the storage. SYNCHRONIZATION: ACKEPOCH is sent,
 * the history comes. HISTORY: NEWLEADER has come, the history is on its way to the storage. EPOCH: currentEpoch is. ACKED: ACK(NEWLEADER)
 * is sent. BROADCAST: UPTODATE has come.
 */
export type Stage = 'DISCOVERY' | 'PROMISING' | 'SYNCHRONIZATION' | 'HISTORY' | 'EPOCH' | 'ACKED' | 'BROADCAST';

export interface FollowingState {
  /** The vote that was elected here. */
  readonly elected: Vote;
  readonly channel: ChannelId;
  stage: Stage;
  /** The leader's epoch, from LEADERINFO on. */
  epoch: number;
  /** False where this epoch had been promised before: it must not be counted twice. */
  counted: boolean;
  /** Whether DIFF, TRUNC or SNAP has come. */
  planned: boolean;
  /** From the first UPTODATE on. */
  serving: boolean;
  replacement: Replacement | undefined;
  /** In HISTORY: orders of the lane that stand before currentEpoch. */
  historyOrders: number;
  /** The last zxid that was acknowledged. */
  lastAcked: Zxid;
  /** Half ticks since the leader was last heard. */
  silentHalfTicks: number;
  /** Answers to `sync` that wait for the delivery of what was committed when they came. */
  syncs: PendingSync[];
}

/** An answer to `sync`, and what must be delivered before it is passed on; undefined while the history of the epoch is on its way. */
export interface PendingSync {
  readonly tag: number;
  readonly zxid: Zxid | undefined;
}

/** A learner that has just opened its channel. */
export function beginFollowing(elected: Vote, channel: ChannelId): FollowingState {
  return {
    elected,
    channel,
    stage: 'DISCOVERY',
    epoch: 0,
    counted: true,
    planned: false,
    serving: false,
    replacement: undefined,
    historyOrders: 0,
    lastAcked: 0 as Zxid,
    silentHalfTicks: 0,
    syncs: [],
  };
}
