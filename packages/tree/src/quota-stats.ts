/** How a tree keeps the stats of its quotas: what follows a change that counts, in the store alone. */
import { joinPath } from '@quorate/protocol';
import { formatQuota, quotaOfStats, quotaOver, statsAfter, statsPathOf, type Usage, usageOf } from './quota.js';
import type { ZnodeStore } from './znode-store.js';

/** A znode was created: where it is to hold stats, they are counted. */
export function beginStats(store: ZnodeStore, path: string): void {
  const quota = quotaOfStats(path);
  if (quota === undefined) return;
  const node = store.find(path);
  if (node !== undefined) store.setData(node, formatQuota(usageBelow(store, quota)));
}

/** What is below a path has changed by so much. */
export function countUsage(store: ZnodeStore, path: string, change: Usage): void {
  const quota = quotaOver(path, (at) => store.find(at) !== undefined);
  const stats = quota === undefined ? undefined : store.find(statsPathOf(quota));
  if (stats === undefined) return;
  const data = statsAfter(store.rows.data(stats), change);
  if (data !== undefined) store.setData(stats, data);
}

/** What is at a path and below it; nothing where there is no such znode. */
export function usageBelow(store: ZnodeStore, top: string): Usage {
  let count = 0;
  let bytes = 0;
  for (const paths = [top]; ; ) {
    const path = paths.pop();
    if (path === undefined) return { count, bytes };
    const node = store.find(path);
    if (node === undefined) continue;
    const usage = usageOf(store.rows.dataLength(node));
    count += usage.count;
    bytes += usage.bytes;
    for (const name of store.childNames(node)) paths.push(joinPath(path, name));
  }
}
