import type { Sid } from '../config.js';

/**
 * How the bytes of one server reach its peers. Implement this to run an ensemble over a byte stream of your own, and make a `Transport` of it by `framed`.
 *
 * A channel is what TCP gives: each direction delivers a prefix of the bytes that were sent, in order, cut into chunks of any size, and nothing after either
 * end has closed. An implementation that fails in this is found out, and the channel is closed; but one that falls silent for ever without a close
 * is only given up after the time that a heartbeat or an answer may take. So tell of a channel over which nothing gets through any more.
 *
 * Nothing here calls back before it has returned.
 */
export interface ByteTransport {
  /** Called once, before anything else; from then on `accept` is called with every channel that a peer has opened, and gives the handler of what arrives on it. */
  start(accept: (channel: ByteChannel) => ByteChannelHandler): void;
  /** Opens a channel to `to`. It may be used at once; where the peer cannot be reached, `onClose` is called instead of anything else. */
  open(to: Sid, handler: ByteChannelHandler): ByteChannel;
  /** Closes every channel and reports nothing more. */
  stop(): void;
}

/** One end of a byte channel. */
export interface ByteChannel {
  /** Queues bytes, which nobody changes afterwards. Sending on a closed channel does nothing. */
  send(bytes: Uint8Array): void;
  /**
   * Calls `ready` once, when less than 192 KiB of what was sent on this channel is still underway: see `Channel.awaitRoom`. Not called any more once the
   * channel has closed.
   */
  awaitRoom(ready: () => void): void;
  /** Closes both ends. The other end is told by `onClose`; this end is not. */
  close(): void;
}

/** What a byte channel reports. Nothing is reported after `onClose`, or after this end has called `close`. */
export interface ByteChannelHandler {
  /** The next bytes. They are not kept: their array may be used again afterwards. */
  onBytes(bytes: Uint8Array): void;
  onClose(): void;
}
