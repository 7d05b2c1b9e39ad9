import type { OpResult, Stat } from '@quorate/protocol';

/** What happened to a znode, for those who watch. */
export type ChangeType = 'created' | 'deleted' | 'dataChanged';

/** Told of each change directly after it, in the order in which a txn makes them. It must not apply a txn. */
export type ChangeListener = (type: ChangeType, path: string) => void;

/** What the reply to a request needs to know of its txn. */
export interface TxnResult {
  /** ZooKeeper's error number: 0, or the one that an error txn carries. A multi has 0, and its errors in `results`. */
  readonly err: number;
  /** The path of create, create2, delete, setData, setACL and check. */
  readonly path?: string;
  /** The znode's Stat directly after create2, setData and setACL. */
  readonly stat?: Stat;
  /** The result of each operation of a multi. */
  readonly results?: readonly OpResult[];
}
