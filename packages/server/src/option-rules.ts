/** The options of a server that a user chooses, wherever it runs, and their rules: one that breaks its rule is refused by its name, the rule and what it was. */
import type { Random } from '@quorate/ports';
import type { ConnectionThrottle } from './connection-throttle.js';
import type { RequestThrottle } from './load.js';
import type { QuotaExcess } from './quota.js';
import type { ServerOptions } from './server.js';

/** What whoever starts a server may choose. */
export interface ChosenOptions {
  /** The unit of all times, in milliseconds, 1 to 60,000; 2,000 when absent. */
  readonly tickTimeMs?: number | undefined;
  /** Ticks that discovery and synchronization of a server may take, 1 to 10,000; 10 when absent. */
  readonly initLimit?: number | undefined;
  /** Ticks of silence after which a server counts as gone, 1 to 10,000; 5 when absent. */
  readonly syncLimit?: number | undefined;
  /** A server saves a snapshot after this many txns; 100,000 when absent. */
  readonly snapshotEvery?: number | undefined;
  /** The shortest session timeout that a client gets, in milliseconds; 2 ticks when absent. */
  readonly minSessionTimeoutMs?: number | undefined;
  /** The longest session timeout that a client gets, in milliseconds; 20 ticks when absent. */
  readonly maxSessionTimeoutMs?: number | undefined;
  /** New sessions live on the server of their client alone, without a txn, until they want to own an ephemeral znode; false when absent (`localSessionsEnabled`). */
  readonly localSessions?: boolean | undefined;
  /**
   * A local session that creates an ephemeral znode becomes one of the ensemble's; that is refused by EPHEMERAL_ON_LOCAL_SESSION when absent or false
   * (`localSessionsUpgradingEnabled`).
   */
  readonly localSessionsUpgrading?: boolean | undefined;
  /** A server that finds no leader answers reads of clients with `canBeReadOnly`; false when absent (`readonlymode.enabled`). */
  readonly readOnlyMode?: boolean | undefined;
  /** How often the leader looks for containers and znodes with a TTL whose time has come, in milliseconds; 60,000 when absent. */
  readonly containerCheckIntervalMs?: number | undefined;
  /** How many of these it removes in a minute at most; 10,000 when absent. */
  readonly containersPerMinuteMax?: number | undefined;
  /** How long a container may wait for its first child before the leader removes it, in milliseconds; 0, for ever, when absent. */
  readonly containerNeverUsedMaxMs?: number | undefined;
  /** Limits on what all clients of a server have under way together; 64 MiB and nothing else when absent. Each number is above 0. */
  readonly requestThrottle?: RequestThrottle | undefined;
  /** How fast clients may come to a server, by tokens; as fast as they like when absent. Each number is above 0. */
  readonly connectionThrottle?: Omit<ConnectionThrottle, 'random'> | undefined;
  /** The digest id, `super:` and base64, of the client that may do everything; nobody when absent. */
  readonly superDigest?: string | undefined;
  /** Whether servers compare the digests of their trees after each txn, and stop where one differs (`zookeeper.digest.enabled`); true when absent. */
  readonly digest?: boolean | undefined;
  /** Whether hard limits of quotas are enforced (`zookeeper.enforceQuota`); false when absent. */
  readonly enforceQuota?: boolean | undefined;
  /** A request goes above a limit of a quota, a soft one or a hard one; called before the leader proposes or refuses it. */
  readonly onQuotaExcess?: ((excess: QuotaExcess) => void) | undefined;
}

/** Options that are whole numbers, each with the least and the greatest. */
const NUMBERS: ReadonlyMap<string, readonly [min: number, max: number]> = new Map([
  ['tickTimeMs', [1, 60_000]],
  ['initLimit', [1, 10_000]],
  ['syncLimit', [1, 10_000]],
  ['snapshotEvery', [1, Number.MAX_SAFE_INTEGER]],
  ['minSessionTimeoutMs', [1, 0x7fff_ffff]],
  ['maxSessionTimeoutMs', [1, 0x7fff_ffff]],
  ['containerCheckIntervalMs', [1, 0x7fff_ffff]],
  ['containersPerMinuteMax', [1, 0x7fff_ffff]],
  ['containerNeverUsedMaxMs', [0, Number.MAX_SAFE_INTEGER]],
]);

/** Options that are true or false. */
const BOOLEANS: ReadonlySet<string> = new Set(['localSessions', 'localSessionsUpgrading', 'readOnlyMode', 'digest', 'enforceQuota']);

/** Options that are records of numbers above 0, each with the names of these: those that must be there, and those that may. */
const RECORDS: ReadonlyMap<string, { readonly needed: readonly string[]; readonly others: readonly string[] }> = new Map([
  ['requestThrottle', { needed: [], others: ['bytesMax', 'requestsMax', 'waitMsMax', 'largeRequestBytes', 'largeRequestsBytesMax'] }],
  ['connectionThrottle', { needed: ['tokensMax', 'tokensPerSecond'], others: ['newSessionTokens', 'localSessionTokens', 'renewTokens'] }],
]);

/**
 * Checks an option that a user has chosen.
 *
 * @returns whether it is one of `ChosenOptions`.
 * @throws TypeError that names the option and its rule, where it breaks that.
 */
export function checkChosenOption(name: string, value: unknown): boolean {
  const range = NUMBERS.get(name);
  if (range !== undefined) checkWholeOption(name, value, range);
  else if (BOOLEANS.has(name)) checkOption(typeof value === 'boolean', name, 'true or false', value);
  else if (RECORDS.has(name)) checkRecordOption(name, value);
  else if (name === 'onQuotaExcess') checkOption(typeof value === 'function', name, 'a function', value);
  else if (name === 'superDigest') checkSuperDigest(value);
  else return false;
  return true;
}

/** Those of the options that are given, as a `Server` takes them. */
export function chosenOptions(options: ChosenOptions, random: Random): Partial<ServerOptions> {
  const names = [...NUMBERS.keys(), ...BOOLEANS, 'requestThrottle', 'onQuotaExcess', 'superDigest'] as (keyof ChosenOptions)[];
  const given = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]] as const);
  const { connectionThrottle } = options;
  return {
    ...Object.fromEntries(given),
    ...(connectionThrottle !== undefined && { connectionThrottle: { random, ...connectionThrottle } }),
  };
}

/** @throws TypeError unless the condition holds. */
export function checkOption(condition: boolean, name: string, rule: string, value: unknown): void {
  if (!condition) throw new TypeError(`${name} must be ${rule}, not ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`);
}

/** @throws TypeError unless the value is a whole number of that range. */
export function checkWholeOption(name: string, value: unknown, [min, max]: readonly [min: number, max: number]): void {
  checkOption(
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    name,
    `a whole number from ${min} to ${max}`,
    value,
  );
}

/** The digest is a secret, so the message does not repeat it. */
function checkSuperDigest(value: unknown): void {
  if (typeof value !== 'string' || !value.startsWith('super:')) throw new TypeError('superDigest must be a string that starts with super:');
}

/** Checks an option that is a record of numbers. */
function checkRecordOption(name: string, value: unknown): void {
  const { needed, others } = RECORDS.get(name) as NonNullable<ReturnType<typeof RECORDS.get>>;
  const isRecord = typeof value === 'object' && value !== null;
  const rule = needed.length === 0 ? 'an object' : `an object with ${needed.join(' and ')}`;
  checkOption(isRecord && needed.every((field) => (value as Record<string, unknown>)[field] !== undefined), name, rule, value);
  for (const [field, number] of Object.entries(value as object)) {
    const fields = [...needed, ...others];
    if (!fields.includes(field)) throw new TypeError(`${field} is not an option of ${name}: it has ${fields.join(', ')}`);
    if (number !== undefined) checkOption(typeof number === 'number' && number > 0, `${name}.${field}`, 'a number above 0', number);
  }
}
