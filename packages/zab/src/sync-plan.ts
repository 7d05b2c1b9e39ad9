/** How a learner is brought to the leader's history: the decision of class `LearnerHandler.syncFollower`, as a pure function. */
import { epochOf, type Zxid } from '@quorate/protocol';
import type { Log } from './log.js';

/** What the leader sends first; all entries above `from` follow. */
export type SyncPlan = { readonly mode: 'DIFF' | 'TRUNC'; readonly from: Zxid } | { readonly mode: 'SNAP' };

/**
 * Decides by the learner's last zxid alone.
 *
 * Two histories that share a zxid share everything below it, so a zxid that the leader has gives DIFF. Where the leader has that
 * epoch but not so far, the learner has all that the leader has of it, and TRUNC cuts the rest. Across epochs nothing is known of the place
 * where the two part, so TRUNC is not used there (ZooKeeper's TRUNC(max) may name a zxid that the learner lacks): a snapshot is always right.
 */
export function planSync(log: Log, learnerLastZxid: Zxid): SyncPlan {
  if (log.contains(learnerLastZxid)) return { mode: 'DIFF', from: learnerLastZxid };
  const last = log.lastOfEpoch(epochOf(learnerLastZxid));
  if (last !== undefined && last < learnerLastZxid && last >= log.base) return { mode: 'TRUNC', from: last };
  return { mode: 'SNAP' };
}
