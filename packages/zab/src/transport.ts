import type { Sid } from './config.js';
import type { Message, Notification } from './messages.js';

/**
 * How one server reaches its peers. Implement this to run an ensemble over your own network, and try it by `transportSuite` of `@quorate/testkit`.
 *
 * There are two kinds of traffic between a pair of peers. *Election* notifications: only the latest counts, any may be
 * lost, none is ever answered by an error. *Learner channels*: opened by the learner towards the leader, each a FIFO stream
 * in both directions that delivers a prefix of what was sent and nothing after either end has closed. A channel begins with FOLLOWERINFO or OBSERVERINFO of the
 * learner, and the leader begins with LEADERINFO; or it begins with MEND, and FOUND and MEND take turns: a transport may build on that.
 *
 * Messages are immutable plain data (numbers, strings, booleans, arrays, `Uint8Array`): a transport within one process may pass
 * them by reference, another may send them through `structuredClone` or any codec that keeps those types.
 */
export interface Transport {
  /** Called once, before anything else; from then on the transport reports to `handler`. */
  start(handler: TransportHandler): void;
  /** Sends an election notification; it may be dropped, and only the newest one to a peer matters. */
  notify(to: Sid, notification: Notification): void;
  /**
   * Opens a learner channel to `to`. The channel may be used at once; where the peer cannot be reached, `onClose` is
   * called instead of anything else. Never calls back before it has returned.
   */
  open(to: Sid, handler: ChannelHandler): Channel;
  /** Closes every channel and reports nothing more. */
  stop(): void;
}

/** What a transport reports about its peers. */
export interface TransportHandler {
  onNotification(from: Sid, notification: Notification): void;
  /** A learner has opened a channel to this server. Returns the handler of what arrives on it. */
  onChannel(from: Sid, channel: Channel): ChannelHandler;
}

/** One end of a learner channel. */
export interface Channel {
  /** Queues one message; messages arrive in the order of sending. Sending on a closed channel does nothing. */
  send(message: Message): void;
  /**
   * Calls `ready` once, not before this has returned, when there is room for bulk: when less than 192 KiB of what was sent on this channel is still
   * underway, so that with one more piece at most 256 KiB stand before a PING. Not called any more once the channel has closed.
   */
  awaitRoom(ready: () => void): void;
  /** Closes both ends. The other end is told by `onClose`; this end is not. */
  close(): void;
}

/** What a channel reports. Nothing is reported after `onClose`, or after this end has called `close`. */
export interface ChannelHandler {
  onMessage(message: Message): void;
  onClose(): void;
}
