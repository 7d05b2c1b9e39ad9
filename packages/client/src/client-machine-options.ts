/** What a client machine is made of, and its limits. */
import type { Clock, Random } from '@quorate/ports';
import type { ErrorName } from '@quorate/protocol';
import type { SessionIdentity } from './client-session.js';
import type { ClientState } from './client-state.js';
import type { Connector } from './connection.js';

/** How many calls may be waiting or unanswered at a time, unless the options say otherwise. */
export const CALLS_MAX = 1_000_000;

/** How many bytes these may have, unless the options say otherwise. */
export const CALL_BYTES_MAX = 256 * 1024 * 1024;

/** What a machine is made of. */
export interface ClientMachineOptions {
  readonly connector: Connector;
  readonly clock: Clock;
  readonly random: Random;
  /** The session timeout to ask for, in milliseconds; the server may settle on another. */
  readonly sessionTimeoutMs: number;
  /** The server to begin with; any when absent. */
  readonly firstServer?: number | undefined;
  /** A session that was established before, to be taken up again. A new one when absent. */
  readonly session?: SessionIdentity | undefined;
  /** Whether the client puts up with a server that can only read, as long as it finds no other; false when absent. */
  readonly canBeReadOnly?: boolean | undefined;
  /** How many calls may be waiting or unanswered; 1,000,000 when absent. One more fails with THROTTLED_OP. */
  readonly callsMax?: number | undefined;
  /** How many bytes these may have; 256 MiB when absent. A call that would be more fails with THROTTLED_OP, unless it is the only one. */
  readonly callBytesMax?: number | undefined;
  /** What is put in front of each path on its way, in bytes; 0 when absent. */
  readonly pathPrefixBytes?: number | undefined;
  /** Called after every change of `state`. */
  readonly onState?: ((state: ClientState) => void) | undefined;
  /**
   * Called each time that the lease of the session is over after `keepLease` has found it good, and at the end: CONNECTION_LOSS because no leader was heard of for too
   * long, SESSION_EXPIRED because the session ends.
   */
  readonly onLeaseOver?: ((code: Extract<ErrorName, 'CONNECTION_LOSS' | 'SESSION_EXPIRED'>) => void) | undefined;
}
