/** What is not as it must be on a byte channel. Each ends the channel it is found on; nothing of it is believed. */
import type { Sid } from '../config.js';

/** The rule that was broken. The names are stable. */
export type WireRule =
  /** Bytes are not those that were sent: flipped, dropped, inserted, put at another place; or they come from somebody who does not speak this. */
  | 'CORRUPT_FRAME'
  /** A whole frame is longer than is allowed. */
  | 'FRAME_TOO_LARGE'
  /** A whole frame is not meant for this end of this connection: cross-wired, of a connection that has ended, or its sender's own. */
  | 'FOREIGN_FRAME'
  /** A frame before this one has not come: it is lost, or was overtaken by this one. */
  | 'FRAME_LOST'
  /** A frame with the number of this one has come before. */
  | 'FRAME_REPEATED'
  /** Bytes have come after the channel had closed, at whichever end. */
  | 'BYTES_AFTER_CLOSE'
  /** The handshake is not one. */
  | 'BAD_HELLO'
  /** The other end speaks another version of this. */
  | 'OTHER_VERSION'
  /** The other end is not the server that was asked for, or asks for one that is not this. */
  | 'WRONG_SERVER'
  /** The other end belongs to another ensemble. */
  | 'OTHER_ENSEMBLE'
  /** A frame came as it was sent, and what it holds is no message, or none that may come here. */
  | 'BAD_MESSAGE';

/** A rule that was broken, and how. */
export interface WireFault {
  readonly rule: WireRule;
  /** What was found, in words. Free to change. */
  readonly message: string;
}

/** What a channel between two servers is for. */
export type ChannelPurpose = 'ELECTION' | 'LEARNER';

export interface WireViolation extends WireFault {
  /** The server at the other end; undefined where an accepted channel has not said it. */
  readonly peer: Sid | undefined;
  readonly purpose: ChannelPurpose | undefined;
}
