/** What a client can be made of, and its rules. */
import type { Clock, Random } from '@quorate/ports';
import { checkBoolean, checkNames, checkOptions, checkWhole, givenBytes } from './arguments.js';
import type { SessionIdentity } from './client-session.js';
import type { Connector } from './connection.js';
import type { RetryPolicy } from './retries.js';

/** The session timeout that is asked for unless the options say otherwise, in milliseconds. */
export const SESSION_TIMEOUT_MS = 10_000;

/** What a client is made of. */
export interface ClientOptions {
  /** How servers are reached: `ensemble.connector()` in process, `tcpConnector` of `@quorate/node` over TCP. */
  readonly connector: Connector;
  /** The platform's when absent. */
  readonly clock?: Clock | undefined;
  /** The platform's when absent. */
  readonly random?: Random | undefined;
  /** The session timeout to ask for, in milliseconds, 1 to 2^31 − 1; 10,000 when absent. The server may settle on another. */
  readonly sessionTimeoutMs?: number | undefined;
  /**
   * A znode that is the root of all that the client sees: `/app` has it say `/config` of `/app/config`. It need not exist; `create('/')` makes it where its parent does. Below
   * the connector's own, where that has one; the servers' root when absent.
   */
  readonly chroot?: string | undefined;
  /** How calls are made again after what passes, where that is safe, or false for not at all; five times within a minute when absent. */
  readonly retry?: RetryPolicy | false | undefined;
  /** Index of the server to begin with; any when absent. */
  readonly firstServer?: number | undefined;
  /** A session to take up again, as another client's `session` gave it; a new one when absent. */
  readonly session?: SessionIdentity | undefined;
  /**
   * Whether the client puts up with a server that has lost the ensemble and can only read, as long as it finds no other; false when absent. It is CONNECTED_READ_ONLY then:
   * what it reads may be old, but never older than what it has seen; writes and `sync` reject with NOT_READ_ONLY.
   */
  readonly canBeReadOnly?: boolean | undefined;
  /** The longest request, in bytes; 1,048,575 when absent, as servers take it (jute.maxbuffer). */
  readonly requestBytesMax?: number | undefined;
  /** How many calls may wait for an answer; 1,000,000 when absent. One more rejects with THROTTLED_OP. */
  readonly callsMax?: number | undefined;
  /** How many bytes these may have; 256 MiB when absent. A call that would be more rejects with THROTTLED_OP, unless it is the only one. */
  readonly callBytesMax?: number | undefined;
}

const NAMES: readonly string[] = [
  'connector',
  'clock',
  'random',
  'sessionTimeoutMs',
  'chroot',
  'retry',
  'firstServer',
  'session',
  'canBeReadOnly',
  'requestBytesMax',
  'callsMax',
  'callBytesMax',
  // Of `Client.connect`.
  'signal',
  'idempotent',
];

/** @throws TypeError that names the option and its rule, also for an option that does not exist. */
export function checkClientOptions(options: ClientOptions): void {
  checkOptions(options);
  if (options === undefined) throw new TypeError('options must be an object like { connector }, not undefined');
  checkNames('a client', options, NAMES);
  const { connector, clock, random, sessionTimeoutMs, firstServer, session, canBeReadOnly, requestBytesMax, callsMax, callBytesMax } =
    options;
  if (typeof connector?.connect !== 'function') throw new TypeError('connector must be a Connector');
  checkWhole('connector.servers', connector.servers, 1, 0x7fff_ffff);
  if (sessionTimeoutMs !== undefined) checkWhole('sessionTimeoutMs', sessionTimeoutMs, 1, 0x7fff_ffff);
  if (requestBytesMax !== undefined) checkWhole('requestBytesMax', requestBytesMax, 1, 0x7fff_ffff);
  if (firstServer !== undefined) checkWhole('firstServer', firstServer, 0, connector.servers - 1);
  if (callsMax !== undefined) checkWhole('callsMax', callsMax, 1, Number.MAX_SAFE_INTEGER);
  if (callBytesMax !== undefined) checkWhole('callBytesMax', callBytesMax, 1, Number.MAX_SAFE_INTEGER);
  if (session !== undefined) checkSession(session);
  if (canBeReadOnly !== undefined) checkBoolean('canBeReadOnly', canBeReadOnly);
  if (clock !== undefined && typeof clock?.setTimer !== 'function') throw new TypeError('clock must be a Clock');
  if (random !== undefined && typeof random?.uint32 !== 'function') throw new TypeError('random must be a Random');
}

function checkSession(session: SessionIdentity): void {
  if (typeof session?.id !== 'bigint' || BigInt.asIntN(64, session.id) !== session.id)
    throw new TypeError('session.id must be a bigint of 64 bits, as `session` of another client gives it');
  if (typeof session.password === 'string') throw new TypeError('session.password must be a Uint8Array, not a string');
  givenBytes('session.password', session.password);
}
