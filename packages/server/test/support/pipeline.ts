/** Prepare and apply with anything in between: proposals wait until `apply` is called. */
import { decodeTxn, encodeTxn, type Id, makeZxid, OpCode, parentOf, type Txn, type TxnDigest, type TxnHeader } from '@quorate/protocol';
import { DataTree, type TxnResult } from '@quorate/tree';
import { expect } from 'vitest';
import { type ChangeRecord, PendingChanges } from '../../src/pending-changes.ts';
import { prepare, prepareCloseSession, prepareDeleteContainer, type TreeWrite } from '../../src/prepare.ts';
import type { QuotaExcess } from '../../src/quota.ts';

export class Pipeline {
  readonly tree: DataTree;
  readonly changes: PendingChanges;
  readonly waiting: { header: TxnHeader; txn: Txn; digest: TxnDigest | undefined }[] = [];
  readonly results: TxnResult[] = [];
  readonly excesses: QuotaExcess[] = [];
  counter = 0;
  readonly #enforce: boolean;
  /** Of all txns. */
  readonly #paths = new Set<string>();

  constructor({ enforce = false, digest = true } = {}) {
    this.tree = new DataTree({ digest });
    this.changes = new PendingChanges(this.tree);
    this.#enforce = enforce;
  }

  write(request: TreeWrite, { session = 1n, ids = [] as readonly Id[] } = {}): Txn {
    const zxid = makeZxid(1, this.counter + 1);
    const time = (this.counter + 1) * 10;
    const quotas = { enforce: this.#enforce, onExcess: (excess: QuotaExcess) => this.excesses.push(excess) };
    return this.#propose(session, prepare(this.changes, request, { zxid, time, session, authIds: ids, quotas }));
  }

  closeSession(session: bigint): void {
    this.#propose(session, prepareCloseSession(this.changes, session, makeZxid(1, this.counter + 1)));
  }

  deleteContainer(path: string): void {
    const txn = prepareDeleteContainer(this.changes, path, makeZxid(1, this.counter + 1));
    if (typeof txn === 'number') throw new Error(`deleteContainer of ${path}: ${txn}`);
    this.#propose(0n, txn);
  }

  /** Applies what was proposed, over the wire and back, as at a follower; each txn makes of the tree what its digest says. */
  apply(count = this.waiting.length): void {
    for (const { header, txn, digest } of this.waiting.splice(0, count)) {
      const decoded = decodeTxn(encodeTxn(header, txn, digest));
      this.results.push(this.tree.apply(decoded.header, decoded.txn, () => {}));
      expect(this.tree.digest && { ...this.tree.digest }).toEqual(decoded.digest);
      this.changes.onApplied();
      for (const path of pathsOf(decoded.txn)) this.#paths.add(path).add(parentOf(path));
    }
  }

  /** Everything is applied, and each znode is foreseen as the tree has it, also those of which a record was kept. */
  expectNothingPending(): void {
    const fresh = new PendingChanges(this.tree);
    for (const path of this.#paths) {
      expect(this.changes.isPending(path), path).toBe(false);
      expect(withoutZxid(this.changes.find(path)), path).toEqual(withoutZxid(fresh.find(path)));
    }
    expect(this.changes.digest()).toEqual(fresh.digest());
  }

  #propose(session: bigint, txn: Txn): Txn {
    this.counter++;
    const zxid = makeZxid(1, this.counter);
    const header = { clientId: session, cxid: this.counter, zxid, time: this.counter * 10, type: txn.type };
    this.waiting.push({ header, txn, digest: this.changes.digest() });
    return txn;
  }
}

function pathsOf(txn: Txn): readonly string[] {
  if (txn.type === OpCode.multi) return txn.txns.flatMap(pathsOf);
  if (txn.type === OpCode.closeSession) return txn.paths;
  return 'path' in txn ? [txn.path] : [];
}

/** What a record says of its znode. */
function withoutZxid(record: ChangeRecord | undefined) {
  return record && { ...record, zxid: undefined, data: undefined };
}
