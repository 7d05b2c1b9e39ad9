export { DataTree, type TreeOptions } from './data-tree.js';
export type { ChangeListener, ChangeType, TxnResult } from './txn-result.js';
export type { NodeHandle } from './znode-pages.js';
