/**
 * The tree as it will be once everything that the leader has proposed is applied (`PrepRequestProcessor.outstandingChanges`).
 *
 * Each txn that is proposed records what its znodes, parents included, become; a record is released when its txn is applied and no later one
 * has taken its place. Invariants: the newest record of a path, or the tree where there is none, is what the next txn will find; `digest` is that
 * of this tree.
 */
import { type Acl, assert, type TxnDigest, type Zxid } from '@quorate/protocol';
import {
  contentRemainder,
  type DataTree,
  isDigested,
  type PersistedStat,
  TreeDigest,
  type Usage,
  usageOf,
  znodeDigest,
} from '@quorate/tree';
import { Fifo } from './fifo.js';

/** What one txn makes of a znode: all that later requests are checked against, and all that goes into its digest. */
export interface ChangeRecord extends PersistedStat {
  readonly zxid: Zxid;
  readonly path: string;
  /** False for a znode that the txn deletes; the other fields are then those that it had. */
  readonly exists: boolean;
  readonly acl: readonly Acl[];
  readonly data: Uint8Array | null;
  readonly childCount: number;
  /** What path and data bring to the digest. */
  readonly content: number;
  /** What the znode brings to the digest of the tree. */
  readonly digest: number;
}

/** A record that is being made: `record` fills in what concerns its digest, which until then is that of the record before. */
export type ChangeDraft = { -readonly [Field in keyof ChangeRecord]: ChangeRecord[Field] };

/** What a txn begins with: the znode as it is before. */
export function draftOf(node: ChangeRecord, zxid: Zxid): ChangeDraft {
  // Written out, so that all records have one shape and cost one allocation.
  return {
    zxid,
    path: node.path,
    exists: node.exists,
    acl: node.acl,
    data: node.data,
    childCount: node.childCount,
    content: node.content,
    digest: node.digest,
    czxid: node.czxid,
    mzxid: node.mzxid,
    pzxid: node.pzxid,
    ctime: node.ctime,
    mtime: node.mtime,
    version: node.version,
    cversion: node.cversion,
    aversion: node.aversion,
    ephemeralOwner: node.ephemeralOwner,
  };
}

const NOTHING: Usage = { count: 0, bytes: 0 };

interface Undo {
  readonly path: string;
  readonly previous: ChangeRecord | undefined;
}

export class PendingChanges {
  readonly #tree: DataTree;
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
    const digest = this.#digest;
    return digest && { version: digest.version, high: digest.high, low: digest.low };
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
    const stat = tree.persistedStat(node);
    return {
      zxid: tree.lastZxid,
      path,
      exists: true,
      acl: tree.acl(node),
      data: tree.data(node),
      childCount: tree.childCount(node),
      content: tree.contentOf(node),
      digest: tree.digestOf(node),
      czxid: stat.czxid,
      mzxid: stat.mzxid,
      pzxid: stat.pzxid,
      ctime: stat.ctime,
      mtime: stat.mtime,
      version: stat.version,
      cversion: stat.cversion,
      aversion: stat.aversion,
      ephemeralOwner: stat.ephemeralOwner,
    };
  }

  /** Whether the next txn will find a znode there. */
  exists(path: string): boolean {
    return this.#newest.get(path)?.exists ?? this.#tree.find(path) !== undefined;
  }

  /** The children that the next txn will find; 0 where there will be no znode. */
  childCount(path: string): number {
    const pending = this.#newest.get(path);
    if (pending !== undefined) return pending.exists ? pending.childCount : 0;
    const node = this.#tree.find(path);
    return node === undefined ? 0 : this.#tree.childCount(node);
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
      const before = node === undefined ? NOTHING : usageOf(this.#tree.data(node));
      const after = change.exists ? usageOf(change.data) : NOTHING;
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
