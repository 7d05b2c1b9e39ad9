/**
 * The tree as it will be once everything that the leader has proposed is applied (`PrepRequestProcessor.outstandingChanges`).
 *
 * Each txn that is proposed records what its znodes, parents included, become. Invariants: the record of a path, or the tree where there is none, is what the
 * next txn will find; `digest` is that of this tree.
 *
 * A txn is applied exactly as it was foreseen, so a record stays true when its txn is in the tree, until another one changes the znode. Records are
 * kept then for those who ask next, up to a number, because most changes are to znodes that have changed before. There is one for a path, and it is
 * changed where it stands: objects that live as long as a txn is under way are what the collector would have most of its work with.
 */
import { type Acl, assert, NO_ZXID, type TxnDigest, type Zxid } from '@quorate/protocol';
import {
  contentRemainder,
  type DataTree,
  isDigested,
  type PersistedStat,
  QUOTA_PATH,
  TreeDigest,
  type Usage,
  usageOf,
  znodeDigest,
} from '@quorate/tree';

/** What the last txn that changes a znode makes of it: all that later requests are checked against, and all that goes into its digest. */
export interface ChangeRecord extends PersistedStat {
  /** The txn's; NO_ZXID in what stands for a znode as the tree has it. */
  readonly zxid: Zxid;
  readonly path: string;
  /** False for a znode that the txn deletes; the other fields are then those that it had. */
  readonly exists: boolean;
  readonly acl: readonly Acl[];
  /** Those of znodes with which quotas are kept, where the txn changes them; undefined for all others, because nobody asks. */
  readonly data: Uint8Array | null | undefined;
  readonly dataLength: number;
  readonly childCount: number;
  /** What path and data bring to the digest. */
  readonly content: number;
  /** What the znode brings to the digest of the tree. */
  readonly digest: number;
}

/** A record that is being made: `record` fills in what concerns its digest, which until then is that of the record before. */
export type ChangeDraft = { -readonly [Field in keyof ChangeRecord]: ChangeRecord[Field] };

/** Records of applied txns that are kept; some 300 bytes each. */
const RECORDS_KEPT_MAX = 4_096;

const NOTHING: Usage = { count: 0, bytes: 0 };
const NO_ACL: readonly Acl[] = [];

interface Undo {
  readonly path: string;
  readonly previous: ChangeRecord | undefined;
}

export class PendingChanges {
  readonly #tree: DataTree;
  #newest = new Map<string, ChangeRecord>();
  /** With more records those go whose txn is applied. */
  #sweepAt = RECORDS_KEPT_MAX;
  /** Records that have gone, for the next that are needed. */
  readonly #spare: ChangeRecord[] = [];
  /** Defined while a multi is being prepared. */
  #undo: Undo[] | undefined;
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

  /** The znode as the next txn will find it; undefined where there will be none. Good until something is recorded. */
  find(path: string): ChangeRecord | undefined {
    const pending = this.#newest.get(path);
    if (pending !== undefined) return pending.exists ? pending : undefined;
    const tree = this.#tree;
    const node = tree.find(path);
    if (node === undefined) return undefined;
    const record = this.#takeSpare(NO_ZXID, path);
    record.acl = tree.acl(node);
    record.dataLength = tree.dataLength(node);
    record.childCount = tree.childCount(node);
    record.content = tree.contentOf(node);
    record.digest = tree.digestOf(node);
    tree.readStat(node, record);
    return record;
  }

  /** What a txn begins with: the znode as it is before. That is changed itself, but for a multi, which may have to be undone. */
  draft(node: ChangeRecord, zxid: Zxid): ChangeDraft {
    const isKept = this.#undo !== undefined && node.zxid !== NO_ZXID;
    const draft: ChangeDraft = isKept ? { ...node } : node;
    draft.zxid = zxid;
    return draft;
  }

  /** What a creation begins with: a znode without children that was never changed. Its ACL, owner and data are to be filled in. */
  draftOfNew(path: string, zxid: Zxid, time: number): ChangeDraft {
    const draft = this.#takeSpare(zxid, path);
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

  /** Fills in what follows from a znode's data. */
  setData(draft: ChangeDraft, data: Uint8Array | null): void {
    const { path } = draft;
    draft.data = path.startsWith(QUOTA_PATH) ? data : undefined;
    draft.dataLength = data?.length ?? 0;
    draft.content = this.#digest !== undefined && isDigested(path) ? contentRemainder(path, data) : 0;
  }

  /** The data that the next txn will find at a path with which quotas are kept; null also where there will be no znode. */
  data(path: string): Uint8Array | null {
    assert(path.startsWith(QUOTA_PATH), 'only what quotas need is kept');
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
    const change = this.#newest.get(path);
    return change !== undefined && !this.#isApplied(change);
  }

  /** Notes what a txn makes of a znode. Records come in the order of their txns. */
  record(change: ChangeDraft): void {
    assert(!this.#isApplied(change), 'only what is not applied is pending');
    if (this.#digest !== undefined && isDigested(change.path)) countIn(change, this.#digest);
    const previous = this.#newest.get(change.path);
    this.#undo?.push({ path: change.path, previous });
    if (previous === change) return;
    // What is created again stands behind what is there: ephemerals are told of in the order of their creation.
    if (previous !== undefined && this.#isApplied(previous)) this.#newest.delete(change.path);
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
    this.#undo = undefined;
    this.#digest?.set(this.#digestBefore);
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

  /** A txn is in the tree, and no request is being prepared: forgets what the tree has, where that is much. */
  onApplied(): void {
    if (this.#newest.size <= this.#sweepAt) return;
    assert(this.#undo === undefined, 'nothing is forgotten that a multi may want back');
    const pending = new Map<string, ChangeRecord>();
    for (const [path, change] of this.#newest) {
      if (!this.#isApplied(change)) pending.set(path, change);
      else if (this.#spare.length < RECORDS_KEPT_MAX) this.#spare.push(change);
    }
    this.#newest = pending;
    this.#sweepAt = Math.max(RECORDS_KEPT_MAX, 2 * this.#newest.size);
  }

  #isApplied(change: ChangeRecord): boolean {
    return change.zxid <= this.#tree.lastZxid;
  }

  /** A record of a znode that exists, with no data that quotas need; what else it says is to be filled in. */
  #takeSpare(zxid: Zxid, path: string): ChangeDraft {
    const record: ChangeDraft = this.#spare.pop() ?? newRecord();
    record.zxid = zxid;
    record.path = path;
    record.exists = true;
    record.data = undefined;
    return record;
  }
}

/** Puts the znode as it becomes in the place of what it was. */
function countIn(change: ChangeDraft, digest: TreeDigest): void {
  digest.subtract(change.digest);
  change.digest = change.exists ? znodeDigest(change.content, change) : 0;
  digest.add(change.digest);
}

function newRecord(): ChangeDraft {
  return {
    zxid: NO_ZXID,
    path: '',
    exists: true,
    acl: NO_ACL,
    data: undefined,
    dataLength: 0,
    childCount: 0,
    content: 0,
    digest: 0,
    czxid: 0,
    mzxid: 0,
    pzxid: 0,
    ctime: 0,
    mtime: 0,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: 0n,
  };
}
