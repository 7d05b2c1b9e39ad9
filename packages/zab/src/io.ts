/**
 * What goes into the state machine and what comes out. Inputs are facts, effects are orders; the driver performs effects in
 * their order and reports back by inputs. Nothing else connects the core to the world.
 */
import type { Zxid } from '@quorate/protocol';
import type { Status } from './application.js';
import type { Sid } from './config.js';
import type { Run } from './log.js';
import type { Message, Notification } from './messages.js';
import type { Mark, Snapshot } from './storage.js';

/** Every timer of the core; each name has at most one pending. */
export type TimerName = 'election' | 'finalize' | 'init' | 'mend' | 'tick';

/** One opening of a learner channel. The leader's are numbered by the driver, the learner's by the core. */
export type ChannelId = number;

export type Input =
  /** Driver, once: the storage has been read; begin. */
  | { readonly type: 'start' }
  /** Transport: an election message. */
  | { readonly type: 'notification'; readonly from: Sid; readonly notification: Notification }
  /** Transport: a learner has opened a channel to this server. */
  | { readonly type: 'learnerOpened'; readonly from: Sid; readonly channel: ChannelId }
  /** Transport: a learner's message, in order, after its `learnerOpened`. */
  | { readonly type: 'learnerMessage'; readonly channel: ChannelId; readonly message: Message }
  /** Transport: the channel is gone; no message of it follows. */
  | { readonly type: 'learnerClosed'; readonly channel: ChannelId }
  /** Transport: the leader's message, in order, on the channel that `openToLeader` named. */
  | { readonly type: 'leaderMessage'; readonly channel: ChannelId; readonly message: Message }
  /** Transport: that channel is gone, or could not be opened. */
  | { readonly type: 'leaderClosed'; readonly channel: ChannelId }
  /** Storage: the oldest `count` orders of the log lane would now survive the loss of power. */
  | { readonly type: 'completed'; readonly count: number }
  /** Clock: a timer that `setTimer` ordered has come due. */
  | { readonly type: 'timer'; readonly name: TimerName }
  /** Application of the serving leader: payloads for the next zxids. */
  | { readonly type: 'propose'; readonly payloads: readonly Uint8Array[] }
  /** Application of a serving learner: a request for the leader. */
  | { readonly type: 'request'; readonly payload: Uint8Array }
  /** Application of a serving learner: a question to the leader. */
  | { readonly type: 'revalidate'; readonly payload: Uint8Array }
  /** Application of the leader: the answer to a learner's question. */
  | { readonly type: 'answerRevalidate'; readonly to: Sid; readonly payload: Uint8Array }
  /** Application, after the effect `heartbeat`: what the answer to the leader's PING shall carry. */
  | { readonly type: 'heartbeat'; readonly round: number; readonly payload: Uint8Array }
  /** Application of a serving server: tell when all that is committed now has been delivered here. */
  | { readonly type: 'sync'; readonly tag: number }
  /** Transport, after the effect `awaitRoom`: there is room for bulk. */
  | { readonly type: 'room'; readonly channel: ChannelId }
  /** Application, after the effect `readSnapshot`: the next piece of its state after the txn `zxid`. */
  | { readonly type: 'snapshotRead'; readonly channel: ChannelId; readonly zxid: Zxid; readonly bytes: Uint8Array; readonly last: boolean }
  /** Storage, after the effect `readLog`: what it answers. */
  | { readonly type: 'logRead'; readonly channel: ChannelId; readonly runs: readonly Run[] | undefined }
  /** Storage: a snapshot of this server's own is safe; the log below it is not needed for a restart. */
  | { readonly type: 'snapshotSaved'; readonly zxid: Zxid }
  /** Driver of a leader that has stopped serving: all that its application had proposed has been given as `propose`; nothing more follows. */
  | { readonly type: 'paused' }
  /** Application of the serving leader: hand the leadership over to a voter that has the whole history; to `to` where that is given. */
  | { readonly type: 'handOver'; readonly to: Sid | undefined };

export type Effect =
  /** Transport, election: may be lost. */
  | { readonly type: 'notify'; readonly to: Sid; readonly notification: Notification }
  /** Transport: open a learner channel, replacing any that is open; to the leader, or to whom this server asks for what its store lacks. */
  | { readonly type: 'openToLeader'; readonly to: Sid; readonly channel: ChannelId }
  | { readonly type: 'sendToLeader'; readonly channel: ChannelId; readonly message: Message }
  | { readonly type: 'closeToLeader'; readonly channel: ChannelId }
  | { readonly type: 'sendToLearner'; readonly channel: ChannelId; readonly message: Message }
  | { readonly type: 'closeToLearner'; readonly channel: ChannelId }
  /** Storage, log lane: answered by `completed`. */
  | { readonly type: 'append'; readonly run: Run }
  | { readonly type: 'truncate'; readonly zxid: Zxid }
  | { readonly type: 'saveAcceptedEpoch'; readonly epoch: number }
  | { readonly type: 'saveCurrentEpoch'; readonly epoch: number }
  | { readonly type: 'installSnapshot'; readonly snapshot: Snapshot; readonly runs: readonly Run[] }
  | { readonly type: 'mend'; readonly runs: readonly Run[] }
  | { readonly type: 'saveMark'; readonly mark: Mark | undefined }
  /** Clock: replaces a pending timer of that name. */
  | { readonly type: 'setTimer'; readonly name: TimerName; readonly ms: number }
  | { readonly type: 'cancelTimer'; readonly name: TimerName }
  /** Application: committed, and durable here. */
  | { readonly type: 'deliver'; readonly run: Run }
  /** Application: replace the state; the snapshot is durable here. */
  | { readonly type: 'restore'; readonly snapshot: Snapshot }
  /**
   * Application: where this server stands now. To a leader that LEADS and no longer serves the driver answers by `paused`, behind everything that its
   * application has proposed until then.
   */
  | { readonly type: 'status'; readonly status: Status }
  /** Application of the leader: a learner's request. */
  | { readonly type: 'request'; readonly from: Sid; readonly payload: Uint8Array }
  /** Application: a learner's question, or the leader's answer. */
  | { readonly type: 'revalidate'; readonly from: Sid; readonly payload: Uint8Array }
  /** Application of a learner: give the payload of the answer, by the input `heartbeat` of the same round. */
  | { readonly type: 'heartbeat'; readonly round: number }
  /** Application of the leader: what a learner's heartbeat carried. */
  | { readonly type: 'heartbeatReceived'; readonly from: Sid; readonly payload: Uint8Array }
  /** Application: this `sync` is done. */
  | { readonly type: 'synced'; readonly tag: number }
  /** Transport: tell by the input `room` when the channel has room for bulk. */
  | { readonly type: 'awaitRoom'; readonly channel: ChannelId }
  /**
   * Application: give the next piece of a snapshot by the input `snapshotRead`. The first order for a channel begins a snapshot, of the state after the
   * last delivered txn at that moment; with the channel it ends.
   */
  | { readonly type: 'readSnapshot'; readonly channel: ChannelId }
  /** Storage: read what is in the log above `after`, by the input `logRead`; for a learner, or for one who asks for what its store lacks. */
  | { readonly type: 'readLog'; readonly channel: ChannelId; readonly after: Zxid };
