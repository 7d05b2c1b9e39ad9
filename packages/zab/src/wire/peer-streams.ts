import type { Sid } from '../config.js';
import type { ByteChannel, ByteChannelHandler } from './byte-transport.js';
import type { ChannelPurpose } from './violation.js';

/**
 * The byte streams between servers that speak ZooKeeper's own protocol: two kinds, as a server has an election port and a quorum port. Each is what
 * `ByteTransport` says of a channel; `close` lets go out first what was sent before.
 *
 * Nothing here calls back before it has returned.
 */
export interface PeerStreams {
  /** Called once, before anything else; from then on `accept` is called with every stream that somebody has opened, and gives the handler of what arrives on it. */
  start(accept: (stream: AcceptedStream) => ByteChannelHandler): void;
  /** Opens a stream to `to`. It may be used at once; where the peer cannot be reached, `onClose` is called instead of anything else. */
  open(to: Sid, purpose: ChannelPurpose, handler: ByteChannelHandler): ByteChannel;
  /** Closes every stream and reports nothing more. */
  stop(): void;
}

/** A stream that somebody else has opened. */
export interface AcceptedStream extends ByteChannel {
  readonly purpose: ChannelPurpose;
  /** Whether the other end may be this server: true where nothing proves who it is, else what its certificate says. */
  mayBe(sid: Sid): boolean;
}
