/** How a learner is brought to the leader's history: the decision of class `LearnerHandler.syncFollower`, as a pure function. */
import { counterOf, epochOf, type Zxid } from '@quorate/protocol';
import type { Log } from './log.js';

/**
 * DIFF: all entries above `from` follow. TRUNC: the learner drops what it has above `from`, and the same follows. LOG: as DIFF, where the log on the
 * storage still has the place; else SNAP. SNAP: a snapshot follows, and all entries above it.
 */
export type SyncPlan = { readonly mode: 'DIFF' | 'TRUNC' | 'LOG'; readonly from: Zxid } | { readonly mode: 'SNAP' };

/**
 * Decides by the learner's last zxid alone.
 *
 * Two histories that share a zxid share everything below it, so a zxid that the leader has gives DIFF. Where the leader has that
 * epoch but not so far, the learner has all that the leader has of it, and TRUNC cuts the rest. Across epochs nothing is known of the place
 * where the two part, so TRUNC is not used there (ZooKeeper's TRUNC(max) may name a zxid that the learner lacks): a snapshot is always right.
 * What is below the log in memory may still be on the storage, which is asked for it.
 */
export function planSync(log: Log, learnerLastZxid: Zxid): SyncPlan {
  if (log.contains(learnerLastZxid)) return { mode: 'DIFF', from: learnerLastZxid };
  if (learnerLastZxid < log.base) return { mode: 'LOG', from: learnerLastZxid };
  const last = log.lastOfEpoch(epochOf(learnerLastZxid));
  // A snapshot of Apache's may stand at the beginning of its epoch, which is no txn: whoever has the epoch from its txns does not have that place, and would refuse the cut.
  if (last !== undefined && last < learnerLastZxid && counterOf(last) > 0) return { mode: 'TRUNC', from: last };
  return { mode: 'SNAP' };
}
