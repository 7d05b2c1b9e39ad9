/**
 * The tree as it will be once everything that the leader has proposed is applied (`PrepRequestProcessor.outstandingChanges`).
 *
 * Each txn that is proposed records what its znodes, parents included, become; a record is released when its txn is applied and no later one
 * has taken its place. Invariants: the newest record of a path, or the tree where there is none, is what the next txn will find; `digest` is that
 * of this tree.
 */
import { assert, NO_ZXID, type TxnDigest, type Zxid } from '@quorate/protocol';
import {
  contentRemainder,
  type DataTree,
  isDigested,
  QUOTA_PATH,
  TreeDigest,
  type Usage,
  usageOf,
  znodeDigest,
} from '@quorate/tree';
import { type ChangeDraft, type ChangeRecord, RecordPool } from './change-record.js';
import { Fifo } from './fifo.js';

const NOTHING: Usage = { count: 0, bytes: 0 };

interface Undo {
  readonly path: string;
  readonly previous: ChangeRecord | undefined;
}

export class PendingChanges {
  readonly #tree: DataTree;
  readonly #records = new RecordPool();
  readonly #newest = new Map<string, ChangeRecord>();
  /** Every record in zxid order, superseded ones as well, until its txn is applied. */
  #queue = new Fifo<ChangeRecord>();
  /** Defined while a multi is being prepared. */
  #undo: Undo[] | undefined;
  /** Records of that multi: they join the queue when it has succeeded. */
  #staged: ChangeRecord[] = [];
  /** Undefined where the tree keeps none. */
  readonly #digest: TreeDigest | undefined;
  /** What it was when the multi began. */
  readonly #digestBefore = new TreeDigest();

  /** Over a tree in which everything is applied that was ever proposed. */
  constructor(tree: DataTree) {
    this.#tree = tree;
    if (tree.digest === undefined) return;
    this.#digest = new TreeDigest();
    this.#digest.set(tree.digest);
  }

  /** The digest of the tree with everything in it that is recorded, a new object; undefined where none is kept. */
  digest(): TxnDigest | undefined {
    return this.#digest?.copy();
  }

  /** Records that wait for their txn. */
  get size(): number {
    return this.#queue.length;
  }

  /** The znode as the next txn will find it; undefined where there will be none. */
  find(path: string): ChangeRecord | undefined {
    const pending = this.#newest.get(path);
    if (pending !== undefined) return pending.exists ? pending : undefined;
    const tree = this.#tree;
    const node = tree.find(path);
    if (node === undefined) return undefined;
    const record = this.#records.take();
    record.zxid = NO_ZXID;
    record.path = path;
    record.exists = true;
    record.acl = tree.acl(node);
    record.data = undefined;
    record.dataLength = tree.dataLength(node);
    record.childCount = tree.childCount(node);
    record.content = tree.contentOf(node);
    record.digest = tree.digestOf(node);
    tree.readStat(node, record);
    return record;
  }

  /** What a txn begins with: the znode as it is before. What `find` has made for this request is changed itself, and not a copy of it. */
  draft(node: ChangeRecord, zxid: Zxid): ChangeDraft {
    const draft = node.zxid === NO_ZXID ? (node as ChangeDraft) : this.#records.copy(node);
    draft.zxid = zxid;
    return draft;
  }

  /** What a creation begins with: a znode of nobody's, without data and children, at this time. */
  draftOfNew(path: string, zxid: Zxid, time: number): ChangeDraft {
    const draft = this.#records.take();
    draft.zxid = zxid;
    draft.path = path;
    draft.exists = true;
    draft.childCount = 0;
    draft.digest = 0;
    draft.czxid = zxid;
    draft.mzxid = zxid;
    draft.pzxid = zxid;
    draft.ctime = time;
    draft.mtime = time;
    draft.version = 0;
    draft.cversion = 0;
    draft.aversion = 0;
    return draft;
  }

  /** The data that the next txn will find at a path; null also where there will be no znode. */
  data(path: string): Uint8Array | null {
    const pending = this.#newest.get(path);
    if (pending?.exists === false) return null;
    if (pending?.data !== undefined) return pending.data;
    const node = this.#tree.find(path);
    return node === undefined ? null : this.#tree.data(node);
  }

  /** Whether the next txn will find a znode there. */
  exists(path: string): boolean {
    return this.#newest.get(path)?.exists ?? this.#tree.find(path) !== undefined;
  }

  /** Whether any path will have a quota when the next txn comes. */
  get hasQuotas(): boolean {
    const pending = this.#newest.get(QUOTA_PATH);
    return pending === undefined ? this.#tree.hasQuotas : pending.childCount > 0;
  }

  /** What path and data bring to the digest; 0 where that is not computed. */
  contentOf(path: string, data: Uint8Array | null): number {
    return this.#digest !== undefined && isDigested(path) ? contentRemainder(path, data) : 0;
  }

  /** What the next txn will find at a path and below it, as quotas count. */
  usageBelow(top: string): Usage {
    let { count, bytes } = this.#tree.usageBelow(top);
    for (const [path, change] of this.#newest) {
      if (path !== top && !path.startsWith(`${top}/`)) continue;
      const node = this.#tree.find(path);
      const before = node === undefined ? NOTHING : usageOf(this.#tree.dataLength(node));
      const after = change.exists ? usageOf(change.dataLength) : NOTHING;
      count += after.count - before.count;
      bytes += after.bytes - before.bytes;
    }
    return { count, bytes };
  }

  /** Whether a txn that is not applied changes this znode, its number of children included. */
  isPending(path: string): boolean {
    return this.#newest.has(path);
  }

  /** Notes what a txn makes of a znode. Records come in the order of their txns. */
  record(change: ChangeDraft): void {
    assert(change.zxid > this.#tree.lastZxid, 'only what is not applied is pending');
    if (this.#digest !== undefined && isDigested(change.path)) countIn(change, this.#digest);
    if (this.#undo === undefined) {
      this.#queue.push(change);
    } else {
      this.#undo.push({ path: change.path, previous: this.#newest.get(change.path) });
      this.#staged.push(change);
    }
    this.#newest.set(change.path, change);
  }

  /** From here on records can be rolled back: a multi begins. */
  begin(): void {
    assert(this.#undo === undefined, 'multis do not nest');
    this.#undo = [];
    if (this.#digest !== undefined) this.#digestBefore.set(this.#digest);
  }

  /** The multi has succeeded. */
  commit(): void {
    assert(this.#undo !== undefined, 'a multi that ends has begun');
    for (const change of this.#staged) this.#queue.push(change);
    this.#staged = [];
    this.#undo = undefined;
  }

  /** The multi has failed: everything is as it was at `begin`, parents included (ZOOKEEPER-1624). */
  rollback(): void {
    assert(this.#undo !== undefined, 'a multi that ends has begun');
    for (let i = this.#undo.length - 1; i >= 0; i--) {
      const { path, previous } = this.#undo[i] as Undo;
      if (previous === undefined) this.#newest.delete(path);
      else this.#newest.set(path, previous);
    }
    this.#staged = [];
    this.#undo = undefined;
    this.#digest?.set(this.#digestBefore);
  }

  /** Everything up to `zxid` is in the tree now. */
  release(zxid: Zxid): void {
    for (;;) {
      const oldest = this.#queue.peek();
      if (oldest === undefined || oldest.zxid > zxid) return;
      this.#queue.shift();
      if (this.#newest.get(oldest.path) === oldest) this.#newest.delete(oldest.path);
      this.#records.give(oldest);
    }
  }

  /** The ephemerals that a session will have, each once: those in the tree and those to be created, without those to be deleted. */
  ephemeralsOf(session: bigint): string[] {
    const paths = new Set(this.#tree.ephemeralsOf(session));
    for (const [path, change] of this.#newest) {
      if (change.exists && change.ephemeralOwner === session) paths.add(path);
      else paths.delete(path);
    }
    return [...paths];
  }
}

/** Puts the znode as it becomes in the place of what it was. */
function countIn(change: ChangeDraft, digest: TreeDigest): void {
  digest.subtract(change.digest);
  change.digest = change.exists ? znodeDigest(change.content, change) : 0;
  digest.add(change.digest);
}
