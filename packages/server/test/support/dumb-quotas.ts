/** Quotas as simply as they can be said, over a map of znodes: the longest path with limits counts, and its stats are text that is read and written. */

interface QuotaNode {
  data: Uint8Array | null;
}

/** A change of what is used. */
export interface DumbUsage {
  readonly count: number;
  readonly bytes: number;
}

const QUOTAS = '/zookeeper/quota';
const limitsOf = (path: string): string => `${QUOTAS}${path}/zookeeper_limits`;
const statsOf = (path: string): string => `${QUOTAS}${path}/zookeeper_stats`;

/** Whether a hard limit refuses the change. */
export function isOverQuota(nodes: ReadonlyMap<string, QuotaNode>, path: string, change: DumbUsage): boolean {
  const quota = quotaOver(nodes, path);
  const [limits, stats] = [numbersIn(nodes.get(limitsOf(quota))), numbersIn(nodes.get(statsOf(quota)))];
  if (limits === undefined || stats === undefined) return false;
  const isOver = (limit = -1n, used = -1n, by: number): boolean => limit > -1n && by !== 0 && used + BigInt(by) > limit;
  return (
    isOver(limits.get('countHardLimit'), stats.get('count'), change.count) ||
    isOver(limits.get('byteHardLimit'), stats.get('bytes'), change.bytes)
  );
}

/** Something at `path` has changed. */
export function countInQuota(nodes: ReadonlyMap<string, QuotaNode>, path: string, change: DumbUsage): void {
  const stats = nodes.get(statsOf(quotaOver(nodes, path)));
  const numbers = numbersIn(stats);
  if (stats === undefined || numbers === undefined) return;
  const after = (name: string, by: number): bigint => (numbers.get(name) ?? -1n) + BigInt(by);
  stats.data = new TextEncoder().encode(`count=${after('count', change.count)},bytes=${after('bytes', change.bytes)}`);
}

/** A znode has come into being. Where it holds stats, it says what there is. */
export function beginStats(nodes: ReadonlyMap<string, QuotaNode>, path: string): void {
  const quota = /^\/zookeeper\/quota(\/.+)\/zookeeper_stats$/.exec(path)?.[1];
  const stats = nodes.get(path);
  if (quota === undefined || stats === undefined) return;
  const counted = [...nodes].filter(([at]) => at === quota || at.startsWith(`${quota}/`));
  const bytes = counted.reduce((sum, [, { data }]) => sum + (data?.length ?? 0), 0);
  stats.data = new TextEncoder().encode(`count=${counted.length},bytes=${bytes}`);
}

/** The longest of the paths above, or the path itself, that has limits; the root where none has. */
function quotaOver(nodes: ReadonlyMap<string, QuotaNode>, path: string): string {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) if (nodes.has(limitsOf(at))) return at;
  return '/';
}

/** Undefined where there are none, or they cannot be read. Nothing behind the last `=` is no number, and nothing between two is −1. */
function numbersIn(node: QuotaNode | undefined): ReadonlyMap<string, bigint> | undefined {
  if (node === undefined) return undefined;
  const numbers = new Map<string, bigint>();
  const text = String.fromCharCode(...(node.data ?? [])).replace(/[,;]+$/, '');
  for (const pair of text === '' ? [] : text.split(/[,;]+/)) {
    const [, name, number] = /^([^=]*)=([+-]?\d+|(?==+[^=]))(?![^=])/.exec(pair) ?? [];
    if (name === undefined || number === undefined) return undefined;
    const value = number === '' ? -1n : BigInt(number.replace('+', ''));
    if (BigInt.asIntN(64, value) !== value) return undefined;
    numbers.set(name, value);
  }
  return numbers;
}
