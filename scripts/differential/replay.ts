/** What an Apache ZooKeeper has logged, applied to a tree of ours: after each txn the tree has the digest that stands behind it, bit for bit. */
import { CONTAINER_OWNER, type DecodedTxn, formatZxid, OpCode, type Txn, type TxnDigest } from '@quorate/protocol';
import { agree, DataTree, formatDigest, type NodeHandle, TreeDigest, znodeDigest } from '@quorate/tree';

export interface Replayed {
  readonly tree: DataTree;
  /** Txns whose digest was compared: all but the errors. */
  readonly compared: number;
}

/** @throws Error for a txn that cannot be applied, has no digest though it should, or has another one. */
export function replay(log: readonly DecodedTxn[]): Replayed {
  const tree = new DataTree();
  let compared = 0;
  for (const { header, txn, digest } of log) {
    tree.apply(header, txn, () => {});
    // Nearly all errors are logged without one, and a multi that they give up half-way with one that counts what is not done.
    if (txn.type === OpCode.error) continue;
    const ours = tree.digest as TxnDigest;
    if (digest?.version !== ours.version || !(agree(digest, ours) || agree(digest, withContainer(tree, txn)))) {
      const theirs = digest === undefined ? 'none' : `${formatDigest(digest)} of version ${digest.version}`;
      throw new Error(`after ${formatZxid(header.zxid)}, a txn of type ${txn.type}, theirs is ${theirs}, ours ${formatDigest(ours)}`);
    }
    compared++;
  }
  return { tree, compared };
}

/**
 * What theirs predicts of a create with the flag CONTAINER (docs/compatibility.md): a container, though its txn makes a plain znode. Its own servers count that as a
 * mismatch.
 */
function withContainer(tree: DataTree, txn: Txn): TxnDigest {
  const digest = new TreeDigest();
  digest.set(tree.digest as TxnDigest);
  if (txn.type !== OpCode.create && txn.type !== OpCode.create2) return digest;
  const node = tree.find(txn.path) as NodeHandle;
  digest.subtract(tree.digestOf(node));
  digest.add(znodeDigest(tree.contentOf(node), { ...tree.persistedStat(node), ephemeralOwner: CONTAINER_OWNER }));
  return digest;
}
