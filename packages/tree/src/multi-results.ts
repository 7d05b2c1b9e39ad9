/**
 * What a multi answers, operation by operation (`DataTree.processTxn`, zookeeper.md 1.8).
 */
import { assert, ErrorCode, OpCode, type OpResult, type Txn } from '@quorate/protocol';
import type { TxnResult } from './txn-result.js';

/**
 * The results of a multi of which an operation failed, so that none is applied: 0 before the failure, its error, and −2 after it.
 *
 * Our leader makes every operation of a failed multi an error. An Apache leader leaves those before the failure as they were, and its servers
 * read them as "would have worked"; a multi from there is read in the same way.
 */
export function failedResults(txns: readonly Txn[]): OpResult[] {
  let failed = false;
  return txns.map((txn) => {
    if (txn.type !== OpCode.error) return { type: OpCode.error, err: failed ? ErrorCode.RUNTIME_INCONSISTENCY : ErrorCode.OK };
    if (txn.err !== ErrorCode.OK) failed = true;
    return { type: OpCode.error, err: txn.err };
  });
}

/** The result of an operation that was applied. */
export function opResult(txn: Txn, { path, stat }: TxnResult): OpResult {
  switch (txn.type) {
    case OpCode.create:
      assert(path !== undefined, 'a creation has a path');
      return { type: OpCode.create, path };
    case OpCode.create2:
    // ZooKeeper answers these as create2 within a multi, and as what they are alone.
    case OpCode.createContainer:
    case OpCode.createTTL:
      assert(path !== undefined && stat !== undefined, 'a creation has a path and a Stat');
      return { type: OpCode.create2, path, stat };
    case OpCode.setData:
      assert(stat !== undefined, 'a changed znode has a Stat');
      return { type: OpCode.setData, stat };
    case OpCode.delete:
    case OpCode.check:
      return { type: txn.type };
    default:
      assert(false, 'a multi holds creations, delete, setData and check only');
  }
}
