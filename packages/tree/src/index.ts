export { DataTree, type DataTreeOptions } from './data-tree.js';
export {
  formatQuota,
  formatQuotaNumbers,
  freed,
  limitsPathOf,
  numberOf,
  parseQuota,
  QUOTA_PATH,
  quotaOfStats,
  quotaOver,
  statsAfter,
  statsPathOf,
  type Usage,
  usageOf,
} from './quota.js';
export {
  agree,
  contentRemainder,
  formatDigest,
  isDigested,
  type PersistedStat,
  type StatSlot,
  statSlot,
  TreeDigest,
  znodeDigest,
} from './tree-digest.js';
export type { ChangeListener, ChangeType, TxnResult } from './txn-result.js';
export type { NodeHandle } from './znode-pages.js';
