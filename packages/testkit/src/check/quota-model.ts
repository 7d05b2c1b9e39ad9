/**
 * What quotas mean (zookeeper.md 1.12), as a second opinion that shares no code with the server. As wide as the workload: only what stands directly below the
 * root has a quota, limits and stats come together and stay, limits can be read, and nobody writes stats. So stats are what a count from scratch finds.
 */
import { encodeUtf8 } from '@quorate/protocol';

const QUOTAS = '/zookeeper/quota';
const STATS = '/zookeeper_stats';

export interface Usage {
  readonly count: number;
  readonly bytes: number;
}

/** The path whose quota counts this one; there may be none. */
export function quotaOver(path: string): string {
  const end = path.indexOf('/', 1);
  return end === -1 ? path : path.slice(0, end);
}

export function quotaPathOf(quota: string): string {
  return QUOTAS + quota;
}

export function limitsPathOf(quota: string): string {
  return `${QUOTAS}${quota}/zookeeper_limits`;
}

export function statsPathOf(quota: string): string {
  return QUOTAS + quota + STATS;
}

/** The quota whose stats these are; undefined for any other path. */
export function quotaOfStats(path: string): string | undefined {
  return path.endsWith(STATS) && path.startsWith(QUOTAS) ? path.slice(QUOTAS.length, -STATS.length) : undefined;
}

export function statsOf({ count, bytes }: Usage): Uint8Array {
  return encodeUtf8(`count=${count},bytes=${bytes}`);
}

/** Whether a hard limit refuses a change of what is used. */
export function isRefused(limits: Uint8Array | null, used: Usage, change: Usage): boolean {
  return (
    isOver(numberIn(limits, 'countHardLimit'), used.count, change.count) ||
    isOver(numberIn(limits, 'byteHardLimit'), used.bytes, change.bytes)
  );
}

function isOver(limit: number, used: number, change: number): boolean {
  return limit >= 0 && change !== 0 && used + change > limit;
}

function numberIn(limits: Uint8Array | null, name: string): number {
  const text = String.fromCharCode(...(limits ?? []));
  return Number(new RegExp(`${name}=(-?\\d+)`).exec(text)?.[1] ?? -1);
}
