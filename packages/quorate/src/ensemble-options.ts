/** What an ensemble can be made of, and its rules. */
import type { Clock, Random } from '@quorate/ports';
import {
  type ConnectionThrottle,
  checkOption,
  checkRecordOption,
  checkWholeOption,
  type QuotaExcess,
  type RequestThrottle,
  SERVER_BOOLEANS,
  SERVER_NUMBERS,
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

/** The longest session timeout unless the options say otherwise, in milliseconds: 20 ticks, as in ZooKeeper, would be too short for clients. */
export const SESSION_TIMEOUT_MAX_MS = 60_000;

export interface EnsembleOptions {
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
  /** A server saves a snapshot after this many txns; 100,000 when absent. */
  readonly snapshotEvery?: number | undefined;
  /** The shortest session timeout that a client gets, in milliseconds; 2 ticks when absent. */
  readonly minSessionTimeoutMs?: number | undefined;
  /** The longest session timeout that a client gets, in milliseconds; 60,000, or 20 ticks where that is more, when absent. */
  readonly maxSessionTimeoutMs?: number | undefined;
  /** New sessions live on the server of their client alone, without a txn, until they want to own an ephemeral znode; false when absent. */
  readonly localSessions?: boolean | undefined;
  /** A local session that creates an ephemeral znode becomes one of the ensemble's; that is refused by EPHEMERAL_ON_LOCAL_SESSION when absent or false. */
  readonly localSessionsUpgrading?: boolean | undefined;
  /** A server that finds no leader answers reads of clients with `canBeReadOnly`; false when absent. */
  readonly readOnlyMode?: boolean | undefined;
  /** How often the leader looks for containers and znodes with a TTL whose time has come, in milliseconds; 60,000 when absent. */
  readonly containerCheckIntervalMs?: number | undefined;
  /** How many of these it removes in a minute at most; 10,000 when absent. */
  readonly containersPerMinuteMax?: number | undefined;
  /** Limits on what all clients of a server have under way together; 64 MiB and nothing else when absent. Each number is above 0. */
  readonly requestThrottle?: RequestThrottle | undefined;
  /** How fast clients may come to a server, by tokens; as fast as they like when absent. Each number is above 0. */
  readonly connectionThrottle?: Omit<ConnectionThrottle, 'random'> | undefined;
  /** How long a container may wait for its first child before the leader removes it, in milliseconds; 0, for ever, when absent. */
  readonly containerNeverUsedMaxMs?: number | undefined;
  /** The digest id, `super:` and base64, of the client that may do everything; nobody when absent. */
  readonly superDigest?: string | undefined;
  /** Whether servers compare the digests of their trees after each txn, and stop where one differs (`zookeeper.digest.enabled`); true when absent. */
  readonly digest?: boolean | undefined;
  /** Whether hard limits of quotas are enforced (`zookeeper.enforceQuota`); false when absent. */
  readonly enforceQuota?: boolean | undefined;
  /** A request goes above a limit of a quota, a soft one or a hard one; called before the leader proposes or refuses it. */
  readonly onQuotaExcess?: ((excess: QuotaExcess) => void) | undefined;
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
  ...SERVER_NUMBERS,
]);

const booleans: ReadonlySet<string> = new Set(SERVER_BOOLEANS);
const functions: ReadonlySet<string> = new Set(['transport', 'storage', 'onFailure', 'onQuotaExcess']);
const objects: ReadonlySet<string> = new Set(['clock', 'random', 'signal']);

/** @throws TypeError that names the option and its rule, also for an option that does not exist. */
export function checkEnsembleOptions(options: EnsembleOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const range = wholeNumbers.get(name);
    if (checkRecordOption(name, value)) continue;
    if (range !== undefined) checkWholeOption(name, value, range);
    else if (booleans.has(name)) checkOption(typeof value === 'boolean', name, 'true or false', value);
    else if (functions.has(name)) checkOption(typeof value === 'function', name, 'a function', value);
    else if (objects.has(name)) checkOption(typeof value === 'object' && value !== null, name, 'an object', value);
    else if (name === 'superDigest')
      checkOption(typeof value === 'string' && value.startsWith('super:'), name, 'a string that starts with super:', value);
    else throw new TypeError(`${name} is not an option of an ensemble`);
  }
  const { servers = SERVERS, observers = 0 } = options;
  if (servers + observers > SERVERS_MAX)
    throw new TypeError(`servers and observers together must be ${SERVERS_MAX} at most, not ${servers + observers}`);
}
