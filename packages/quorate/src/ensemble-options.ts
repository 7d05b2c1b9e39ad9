/** What an ensemble can be made of, and its rules. */
import type { Clock, Random } from '@quorate/ports';
import {
  type ChosenOptions,
  checkChosenOption,
  checkOption,
  checkWholeOption,
  type Sid,
  type Storage,
  type Transport,
} from '@quorate/server';

/** The greatest number of servers: sids are one byte of a session id, and 255 is taken. */
export const SERVERS_MAX = 254;

/** How many servers vote unless the options say otherwise. */
export const SERVERS = 3;

/** The unit of all times unless the options say otherwise, in milliseconds. A network needs more (ZooKeeper: 2,000). */
export const TICK_TIME_MS = 50;

/** Ticks that discovery and synchronization may take, and ticks of silence, unless the options say otherwise: with so short a tick a busy process needs more of them. */
export const INIT_LIMIT = 20;
export const SYNC_LIMIT = 10;

/** The longest session timeout unless the options say otherwise, in milliseconds: 20 ticks, as in ZooKeeper, would be too short for clients. */
export const SESSION_TIMEOUT_MAX_MS = 60_000;

export interface EnsembleOptions extends ChosenOptions {
  /** How many servers that vote, 1 to 254; their sids count from 1. 3 when absent. An odd number bears as many crashes as the even one above it. */
  readonly servers?: number | undefined;
  /** How many servers that follow without a vote, 0 to 253; their sids come after those that vote. None when absent. They serve reads and forward writes. */
  readonly observers?: number | undefined;
  /** The unit of all times, in milliseconds, 1 to 60,000; 50 when absent. */
  readonly tickTimeMs?: number | undefined;
  /** Ticks that discovery and synchronization of a server may take, 1 to 10,000; 20 when absent. */
  readonly initLimit?: number | undefined;
  /** Ticks of silence after which a server counts as gone, 1 to 10,000; 10 when absent. */
  readonly syncLimit?: number | undefined;
  /** The longest session timeout that a client gets, in milliseconds; 60,000, or 20 ticks where that is more, when absent. */
  readonly maxSessionTimeoutMs?: number | undefined;
  /** How a server reaches its peers; asked for at every start of the server. A network within the process when absent. */
  readonly transport?: ((sid: Sid) => Transport) | undefined;
  /**
   * Where a server keeps what must survive its crash; asked for at every start of the server, and to be recovered from then. The stores of the voters are
   * formatted once, when the ensemble is founded (`MemoryStorage.format`). In memory when absent, formatted by `start`: it survives `crash` and
   * `restart`, and not the process.
   */
  readonly storage?: ((sid: Sid) => Storage) | undefined;
  /** The platform's when absent. */
  readonly clock?: Clock | undefined;
  /** The platform's when absent. Chooses servers and pauses, and no secret. */
  readonly random?: Random | undefined;
  /**
   * A server has stopped for good because its storage failed or an invariant did; the others go on. When absent, the error is thrown from a
   * task of its own, where the platform reports it.
   */
  readonly onFailure?: ((sid: Sid, error: Error) => void) | undefined;
}

const wholeNumbers: ReadonlyMap<string, readonly [min: number, max: number]> = new Map([
  ['servers', [1, SERVERS_MAX]],
  ['observers', [0, SERVERS_MAX - 1]],
]);

const functions: ReadonlySet<string> = new Set(['transport', 'storage', 'onFailure']);
const objects: ReadonlySet<string> = new Set(['clock', 'random', 'signal']);

/** @throws TypeError that names the option and its rule, also for an option that does not exist. */
export function checkEnsembleOptions(options: EnsembleOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || checkChosenOption(name, value)) continue;
    const range = wholeNumbers.get(name);
    if (range !== undefined) checkWholeOption(name, value, range);
    else if (functions.has(name)) checkOption(typeof value === 'function', name, 'a function', value);
    else if (objects.has(name)) checkOption(typeof value === 'object' && value !== null, name, 'an object', value);
    else throw new TypeError(`${name} is not an option of an ensemble`);
  }
  const { servers = SERVERS, observers = 0 } = options;
  if (servers + observers > SERVERS_MAX)
    throw new TypeError(`servers and observers together must be ${SERVERS_MAX} at most, not ${servers + observers}`);
}
