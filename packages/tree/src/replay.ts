/**
 * Txns over a tree that may hold what they do already, in whole or in part: a snapshot of Apache ZooKeeper's is written while txns are applied, so each of its znodes is of
 * another moment, and all txns since the first of these moments follow (`DataTree.processTxn`; ZOOKEEPER-3249).
 *
 * What the znode itself says decides: one whose czxid is above the txn's is a later znode of that path, and the txn is not about it. A parent's numbers may go back for
 * a while: the last txn that is about them sets them right. Once the last txn is applied that was made before the snapshot was finished, the tree is what it is on the
 * server that wrote it.
 */
import {
  assert,
  type CreateContainerTxn,
  type CreateTtlTxn,
  type CreateTxn,
  OpCode,
  type SetAclTxn,
  type SetDataTxn,
  type Txn,
  type TxnHeader,
} from '@quorate/protocol';
import { isBuiltIn } from './built-in-znodes.js';
import { Int, Long, type NodeHandle } from './znode-pages.js';
import type { ZnodeStore } from './znode-store.js';

/** What replay needs of its tree. */
export interface ReplayTarget {
  readonly store: ZnodeStore;
  /** Does exactly what a single txn says. */
  apply(header: TxnHeader, txn: Txn): void;
  /** Changes the numbers of a znode, and with them the digest. */
  renumber(node: NodeHandle, change: () => void): void;
}

type Creation = CreateTxn | CreateContainerTxn | CreateTtlTxn;

/** Applies what a txn, which is no multi, has not done yet. */
export function replay(target: ReplayTarget, header: TxnHeader, txn: Txn): void {
  switch (txn.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return replayCreation(target, header, txn);
    case OpCode.delete:
    case OpCode.deleteContainer:
      return replayDeletion(target, header, txn.path);
    case OpCode.setData:
      return replayData(target, header, txn);
    case OpCode.setACL:
      return replayAcl(target, header, txn);
    case OpCode.closeSession: {
      const owned = target.store.ephemerals.nodesOf(header.clientId) ?? [];
      const paths = new Set([...txn.paths, ...[...owned].map((node) => target.store.rows.path(node))]);
      for (const path of paths) replayDeletion(target, header, path);
      return;
    }
    default:
      assert(txn.type !== OpCode.multi, 'a multi is replayed part by part');
  }
}

function replayCreation(target: ReplayTarget, header: TxnHeader, txn: Creation): void {
  const { store } = target;
  const { rows } = store;
  const parent = store.findParent(txn.path);
  if (parent === undefined || isLater(store, parent, header)) return;
  const known = store.find(txn.path);
  if (known === undefined) target.apply(header, { ...txn, parentCVersion: (rows.int(parent, Int.cversion) + 1) | 0 });
  // The snapshot may have been written before the list of this znode was known.
  else if (rows.long(known, Long.czxid) === header.zxid && rows.int(known, Int.aversion) === 0) store.setAcl(known, txn.acl);
  target.renumber(parent, () => {
    rows.setInt(parent, Int.cversion, txn.parentCVersion);
    rows.setLong(parent, Long.pzxid, header.zxid);
  });
}

function replayDeletion(target: ReplayTarget, header: TxnHeader, path: string): void {
  const { store } = target;
  const { rows } = store;
  const node = store.find(path);
  const parent = store.findParent(path);
  if (parent === undefined || isLater(store, parent, header) || isBuiltIn(path)) return;
  if (node !== undefined && !isLater(store, node, header) && rows.int(node, Int.childCount) === 0)
    target.apply({ ...header, type: OpCode.delete }, { type: OpCode.delete, path });
  target.renumber(parent, () => rows.setLong(parent, Long.pzxid, header.zxid));
}

function replayData(target: ReplayTarget, header: TxnHeader, txn: SetDataTxn): void {
  const { rows } = target.store;
  const node = target.store.find(txn.path);
  if (node === undefined || rows.long(node, Long.mzxid) > header.zxid) return;
  target.apply(header, { ...txn, version: (rows.int(node, Int.version) + 1) | 0 });
  target.renumber(node, () => rows.setInt(node, Int.version, txn.version));
}

function replayAcl(target: ReplayTarget, header: TxnHeader, txn: SetAclTxn): void {
  const { rows } = target.store;
  const node = target.store.find(txn.path);
  if (node === undefined || isLater(target.store, node, header) || rows.int(node, Int.aversion) > txn.version) return;
  target.apply(header, { ...txn, version: (rows.int(node, Int.aversion) + 1) | 0 });
  target.renumber(node, () => rows.setInt(node, Int.aversion, txn.version));
}

/** Whether a znode came into being after a txn, which then is about an earlier one of its path. */
function isLater({ rows }: ZnodeStore, node: NodeHandle, { zxid }: TxnHeader): boolean {
  return rows.long(node, Long.czxid) > zxid;
}
