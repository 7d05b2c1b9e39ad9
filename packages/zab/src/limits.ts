/** Sizes at which something else begins. Both are knobs for tests; nobody else needs others than these. */
export interface Limits {
  /** Committed txns kept in memory below a saved snapshot, so that a learner that was away for a moment is helped without the storage (ZooKeeper: commitLogCount). */
  readonly committedLogTxns: number;
  /**
   * Txns of one epoch after which its leader begins the next. It stays below 2^32 − 1 by more than an application proposes while it is told to stop,
   * so the counter never runs into the epoch (ZOOKEEPER-1277).
   */
  readonly epochTxnsMax: number;
}

export const DEFAULT_LIMITS: Limits = { committedLogTxns: 500, epochTxnsMax: 0xff00_0000 };
