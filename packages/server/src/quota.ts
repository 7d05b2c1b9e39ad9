/**
 * Quotas at the leader: what a change would bring a subtree to is checked before the change is proposed (`ZooKeeperServer.checkQuota`), and noted, so that the
 * next request is checked against it.
 *
 * Where we differ: ZooKeeper checks against what is applied, so that a multi, or requests in quick succession, go past a hard limit; and it says nothing
 * about soft limits where hard ones are not enforced.
 */
import type { Zxid } from '@quorate/protocol';
import {
  formatQuota,
  limitsPathOf,
  numberOf,
  parseQuota,
  quotaOfStats,
  quotaOver,
  statsAfter,
  statsPathOf,
  type Usage,
} from '@quorate/tree';
import type { PendingChanges } from './pending-changes.js';

/** A change that brings a subtree above a limit. */
export interface QuotaExcess {
  /** The path that has the quota. */
  readonly quota: string;
  /** The znode that is created or gets other data. */
  readonly path: string;
  readonly what: 'count' | 'bytes';
  readonly limit: bigint;
  /** What the subtree would hold. */
  readonly usage: bigint;
  /** Whether the limit is a hard one. */
  readonly hard: boolean;
  /** Whether the change is refused: QUOTA_EXCEEDED. */
  readonly refused: boolean;
}

export interface QuotaPolicy {
  /** Whether hard limits are enforced (`zookeeper.enforceQuota`). */
  readonly enforce: boolean;
  readonly onExcess: (excess: QuotaExcess) => void;
}

/** Whether a change is to be refused. */
export function isRefused(changes: PendingChanges, path: string, change: Usage, policy: QuotaPolicy): boolean {
  if (!changes.hasQuotas) return false;
  const quota = quotaOver(path, (at) => changes.exists(at));
  if (quota === undefined) return false;
  const limits = parseQuota(changes.data(limitsPathOf(quota)));
  const stats = parseQuota(changes.data(statsPathOf(quota)));
  if (limits === undefined || stats === undefined || !changes.exists(statsPathOf(quota))) return false;
  const check = (what: 'count' | 'bytes', difference: number, hardLimit: bigint, softLimit: bigint): boolean => {
    const hard = hardLimit > -1n;
    const limit = hard ? hardLimit : softLimit;
    const usage = numberOf(stats, what) + BigInt(difference);
    if (difference === 0 || limit <= -1n || usage <= limit) return false;
    const refused = hard && policy.enforce;
    policy.onExcess({ quota, path, what, limit, usage, hard, refused });
    return refused;
  };
  return (
    check('count', change.count, numberOf(limits, 'countHardLimit'), numberOf(limits, 'count')) ||
    check('bytes', change.bytes, numberOf(limits, 'byteHardLimit'), numberOf(limits, 'bytes'))
  );
}

/** Notes what the tree will do when the znode comes into being, in the same order. */
export function recordStatsOfNew(changes: PendingChanges, path: string, usage: Usage, zxid: Zxid): void {
  if (!changes.hasQuotas) return;
  const quota = quotaOfStats(path);
  if (quota !== undefined) recordStats(changes, path, formatQuota(changes.usageBelow(quota)), zxid);
  recordUsage(changes, path, usage, zxid);
}

/** Notes what the tree will do when what is below a path has changed. */
export function recordUsage(changes: PendingChanges, path: string, change: Usage, zxid: Zxid): void {
  if (!changes.hasQuotas) return;
  const quota = quotaOver(path, (at) => changes.exists(at));
  if (quota === undefined) return;
  const stats = statsPathOf(quota);
  const data = changes.exists(stats) ? statsAfter(changes.data(stats), change) : undefined;
  if (data !== undefined) recordStats(changes, stats, data, zxid);
}

function recordStats(changes: PendingChanges, path: string, data: Uint8Array, zxid: Zxid): void {
  const stats = changes.find(path);
  if (stats === undefined) return;
  const draft = changes.draft(stats, zxid);
  changes.setData(draft, data);
  changes.record(draft);
}
