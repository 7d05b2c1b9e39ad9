/** What an Apache ZooKeeper has logged, applied to a tree of ours: after each txn the tree has the digest that stands behind it, bit for bit. */
import { CONTAINER_OWNER, type DecodedTxn, formatZxid, OpCode, type Txn, type TxnDigest } from '@quorate/protocol';
import { DataTree, formatDigest, type NodeHandle, znodeDigest } from '@quorate/tree';

export interface Replayed {
  readonly tree: DataTree;
  /** Txns whose digest was compared: all but the errors. */
  readonly compared: number;
}

/** @throws Error for a txn that cannot be applied, has no digest though it should, or has another one. */
export function replay(log: readonly DecodedTxn[]): Replayed {
  const tree = new DataTree();
  let compared = 0;
  /** What theirs has counted that is not so, in the order of the txns, and may still count in what it predicts of others. */
  let mistakes: readonly bigint[] = [];
  for (const { header, txn, digest } of log) {
    tree.apply(header, txn, () => {});
    // Nearly all errors are logged without one, and a multi that they give up half-way with one that counts what is not done.
    if (txn.type === OpCode.error) continue;
    const ours = tree.digest as TxnDigest;
    const left =
      digest?.version === ours.version ? explained(valueOf(digest) - valueOf(ours), mistakes, containerMistake(tree, txn)) : undefined;
    if (left === undefined) {
      const theirs = digest === undefined ? 'none' : `${formatDigest(digest)} of version ${digest.version}`;
      throw new Error(`after ${formatZxid(header.zxid)}, a txn of type ${txn.type}, theirs is ${theirs}, ours ${formatDigest(ours)}`);
    }
    mistakes = left;
    compared++;
  }
  return { tree, compared };
}

/**
 * By what theirs is off when it predicts a create with the flag CONTAINER (docs/compatibility.md): it foresees a container, though its txn makes a plain znode. Its own servers count
 * that as a mismatch. Undefined for a txn of another kind.
 */
function containerMistake(tree: DataTree, txn: Txn): bigint | undefined {
  if (txn.type !== OpCode.create && txn.type !== OpCode.create2) return undefined;
  const node = tree.find(txn.path) as NodeHandle;
  const container = znodeDigest(tree.contentOf(node), { ...tree.persistedStat(node), ephemeralOwner: CONTAINER_OWNER });
  return BigInt(container >>> 0) - BigInt(tree.digestOf(node) >>> 0);
}

/** Which mistakes are left where a digest is off by `difference`: theirs predicts from what it foresees, so it is off by those of txns that it had not applied. Undefined where they are not the reason. */
function explained(difference: bigint, earlier: readonly bigint[], own: bigint | undefined): readonly bigint[] | undefined {
  for (const mistakes of own === undefined ? [earlier] : [[...earlier, own], earlier])
    for (let from = 0; from <= mistakes.length; from++) {
      const left = mistakes.slice(from);
      if (BigInt.asUintN(64, left.reduce((sum, mistake) => sum + mistake, 0n) - difference) === 0n) return left;
    }
  return undefined;
}

function valueOf({ high, low }: TxnDigest): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}
