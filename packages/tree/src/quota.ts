/**
 * Quotas: how many znodes and how many bytes of data a subtree may have, and has (`Quotas`, `StatsTrack`, `DataTree.updateQuotaStat`; zookeeper.md 1.12).
 *
 * The quota of `/a` is two znodes that a client makes, as zkCli's setquota does: `/zookeeper/quota/a/zookeeper_limits` says what is allowed and makes the
 * quota; `/zookeeper/quota/a/zookeeper_stats` gets what is there, `/a` included, when it is created and with every txn from then on, without a version, a
 * time or a watch of its own. A znode counts in the longest path that has a quota, and in no other.
 *
 * ZooKeeper counts stats anew when it loads a snapshot. Here they are data like all other, so that all servers have the same.
 */
import { encodeUtf8 } from '@quorate/protocol';

/** What is below has to do with quotas. */
export const QUOTA_PATH = '/zookeeper/quota';

const LIMITS = '/zookeeper_limits';
const STATS = '/zookeeper_stats';

/** What a subtree holds, or by how much that changes. */
export interface Usage {
  /** Znodes. */
  readonly count: number;
  /** Bytes of data. */
  readonly bytes: number;
}

/** What a znode brings, by the bytes of its data. */
export function usageOf(dataLength: number): Usage {
  return { count: 1, bytes: dataLength };
}

/** The opposite. */
export function freed({ count, bytes }: Usage): Usage {
  return { count: -count, bytes: -bytes };
}

export function limitsPathOf(quota: string): string {
  return QUOTA_PATH + quota + LIMITS;
}

export function statsPathOf(quota: string): string {
  return QUOTA_PATH + quota + STATS;
}

/** The quota whose stats stand at this path; undefined for any other path. The root has no quota. */
export function quotaOfStats(path: string): string | undefined {
  const isStats = path.startsWith(`${QUOTA_PATH}/`) && path.endsWith(STATS) && path.length > QUOTA_PATH.length + STATS.length;
  return isStats ? path.slice(QUOTA_PATH.length, -STATS.length) : undefined;
}

/** The quota that a path counts in; undefined where there is none. */
export function quotaOver(path: string, exists: (path: string) => boolean): string | undefined {
  let found: string | undefined;
  for (let end = path.indexOf('/', 1); ; end = path.indexOf('/', end + 1)) {
    const above = end === -1 ? path : path.slice(0, end);
    if (!exists(QUOTA_PATH + above)) return found;
    if (exists(limitsPathOf(above))) found = above;
    if (end === -1) return found;
  }
}

/** What limits and stats say, by its name: `count`, `bytes`, `countHardLimit`, `byteHardLimit`. −1, or nothing, is no limit. */
export type QuotaNumbers = ReadonlyMap<string, bigint>;

/** The numbers that are written as `count=5,bytes=-1=;byteHardLimit=9`; undefined for data that say nothing of the kind, at which ZooKeeper fails. */
export function parseQuota(data: Uint8Array | null): QuotaNumbers | undefined {
  const numbers = new Map<string, bigint>();
  for (const pair of withoutEmptyEnd(asciiOf(data ?? new Uint8Array(0)).split(/[,;]+/))) {
    const [name, number] = withoutEmptyEnd(pair.split('='));
    if (name === undefined || number === undefined || !/^([+-]?\d+)?$/.test(number)) return undefined;
    const value = number === '' ? -1n : BigInt(number.replace('+', ''));
    if (BigInt.asIntN(64, value) !== value) return undefined;
    numbers.set(name, value);
  }
  return numbers;
}

/** Stats that say this. */
export function formatQuota({ count, bytes }: Usage): Uint8Array {
  return encodeUtf8(`count=${count},bytes=${bytes}`);
}

/** Stats after a change; undefined where they cannot be read, and stay as they are. */
export function statsAfter(data: Uint8Array | null, { count, bytes }: Usage): Uint8Array | undefined {
  const numbers = parseQuota(data);
  if (numbers === undefined) return undefined;
  const after = new Map(numbers);
  after.set('count', BigInt.asIntN(64, numberOf(numbers, 'count') + BigInt(count)));
  after.set('bytes', BigInt.asIntN(64, numberOf(numbers, 'bytes') + BigInt(bytes)));
  return formatQuotaNumbers(after);
}

export function numberOf(numbers: QuotaNumbers, name: 'count' | 'bytes' | 'countHardLimit' | 'byteHardLimit'): bigint {
  return numbers.get(name) ?? -1n;
}

/** Count and bytes first, and the rest by name. The odd `=` between them is ZooKeeper's. */
export function formatQuotaNumbers(numbers: QuotaNumbers): Uint8Array {
  const others = [...numbers.keys()].filter((name) => name !== 'count' && name !== 'bytes').sort();
  const head = `count=${numberOf(numbers, 'count')},bytes=${numberOf(numbers, 'bytes')}`;
  return encodeUtf8(others.length === 0 ? head : [`${head}=`, ...others.map((name) => `${name}=${numbers.get(name)}`)].join(';'));
}

/** Bytes beyond ASCII, which no number has, become what no number has either. */
function asciiOf(data: Uint8Array): string {
  let text = '';
  for (const byte of data) text += byte < 0x80 ? String.fromCharCode(byte) : '\uFFFD';
  return text;
}

/** As Java splits: nothing empty at the end. */
function withoutEmptyEnd(parts: string[]): string[] {
  while (parts.length > 0 && parts[parts.length - 1] === '') parts.pop();
  return parts;
}
