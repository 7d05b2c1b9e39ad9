/** What lies between the servers, and what can become of it. */
import type { Sid } from '@quorate/zab';

export interface Network {
  /** Ends all connections between the two, in the middle of what they say, and lets none begin. */
  cut(one: Sid, other: Sid): Promise<void>;
  /** From now on nothing that `from` says reaches `to`, and nobody is told. */
  stall(from: Sid, to: Sid): Promise<void>;
  /** From now on all that this one says to others is late, or whatever else the network can do to it. */
  impair(sid: Sid): Promise<void>;
  /** As at the beginning. */
  heal(): Promise<void>;
  close(): Promise<void>;
}
