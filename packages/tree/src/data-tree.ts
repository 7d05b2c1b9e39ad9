/**
 * The znode tree of one server (`DataTree`): what each txn does to it, and what can be read from it.
 *
 * A txn that reaches `apply` cannot fail: the leader has checked everything in prepare, against the same tree (architecture.md, decision 11). So a
 * violated precondition is a bug of ours, never an answer, and application is exact: no "if it is there already". Replay over a fuzzy snapshot of an
 * Apache server is another function (`replay`).
 */
import {
  type Acl,
  assert,
  type CloseSessionTxn,
  CONTAINER_OWNER,
  type CreateContainerTxn,
  type CreateTtlTxn,
  type CreateTxn,
  type DeleteTxn,
  type JuteReader,
  type MultiTxn,
  NO_ZXID,
  OpCode,
  type OpResult,
  ProtocolError,
  type SetAclTxn,
  type SetDataTxn,
  type Stat,
  sessionOf,
  type Txn,
  type TxnDigest,
  type TxnHeader,
  ttlOwner,
  unreachable,
  type Zxid,
} from '@quorate/protocol';
import { readApacheTree } from './apache-snapshot.js';
import { builtInZnodes, isBuiltIn } from './built-in-znodes.js';
import { NO_OWNER } from './ephemeral-index.js';
import { failedResults, opResult } from './multi-results.js';
import { freed, QUOTA_PATH, type Usage, usageOf } from './quota.js';
import { beginStats, countUsage, usageBelow } from './quota-stats.js';
import { type ReplayTarget, replay } from './replay.js';
import {
  agree,
  childRemainder,
  contentRemainder,
  dataRemainder,
  formatDigest,
  type PersistedStat,
  ROOT_REMAINDER,
  type StatSlot,
  statSlot,
  TreeDigest,
  znodeDigest,
} from './tree-digest.js';
import { decodeTree, encodePieces, encodeTree } from './tree-snapshot.js';
import type { ChangeListener, TxnResult } from './txn-result.js';
import { Int, type IntField, Long, NO_NODE, type NodeHandle, ROOT } from './znode-pages.js';
import type { ZnodeStore } from './znode-store.js';

const NO_SESSION = 0n;

type Creation = CreateTxn | CreateContainerTxn | CreateTtlTxn;

export interface DataTreeOptions {
  /** Whether the tree keeps its digest (`zookeeper.digest.enabled`); true when absent. */
  readonly digest?: boolean;
  /**
   * The key under which names are hashed, a whole number from 0 to 2^53 − 1; 0 when absent. A client that knows it can choose names that are slow to find,
   * so a server for strangers takes a random one. It changes nothing that can be seen.
   */
  readonly hashSeed?: number;
}

/** A tree of znodes; a new one holds the built-in znodes alone. */
export class DataTree {
  /** The zxid of the last applied txn. It ascends with each. */
  lastZxid: Zxid = NO_ZXID;
  private readonly store: ZnodeStore;
  /** Invariant: the sum of `digestOf` over all znodes. A znode's is computed whenever it has changed, and kept, so that it can be taken away when it changes again. */
  private readonly sum: TreeDigest | undefined;
  /** The znode that has a child where there are quotas. */
  private readonly quotaRoot: NodeHandle;
  /** One for all digests, because each change asks for some. */
  private readonly slot = statSlot();

  /** @param store what it holds: for whoever has read it out of a snapshot. */
  constructor(options: DataTreeOptions = {}, store: ZnodeStore = builtInZnodes(options)) {
    this.store = store;
    this.quotaRoot = this.built(QUOTA_PATH);
    this.sum = options.digest === false ? undefined : new TreeDigest();
    this.sumUp();
  }

  /** The digest of the tree as it is now, a view that changes with it; undefined where none is kept. */
  get digest(): TxnDigest | undefined {
    return this.sum;
  }

  /** Znodes, the root and the built-in ones included: 4 in a fresh tree. (ZooKeeper's znode_count says 5, because it counts the root twice.) */
  get nodeCount(): number {
    return this.store.rows.count;
  }

  /** The lengths of all paths, in characters, and of all data, in bytes (`DataTree.approximateDataSize`). */
  get approximateDataSize(): number {
    return this.store.pathAndDataLength;
  }

  /** Sessions that own at least one ephemeral. */
  get ephemeralSessionCount(): number {
    return this.store.ephemerals.sessionCount;
  }

  /** Znodes that a session owns. */
  get ephemeralCount(): number {
    return this.store.ephemerals.ephemeralCount;
  }

  /** The sessions that own ephemerals, in order of their first one, and what they own. It can be a million: take what is needed, in one turn. */
  *ephemerals(): Generator<readonly [session: bigint, path: string]> {
    for (const [session, node] of this.store.ephemerals.ofSessions()) yield [session, this.store.rows.path(node)];
  }

  /** The znode at a path, good until the next txn. */
  find(path: string): NodeHandle | undefined {
    return this.store.find(path);
  }

  /** ZooKeeper's Stat as clients see it. */
  stat(node: NodeHandle): Stat {
    const { rows } = this.store;
    assert(rows.isLive(node), 'a handle is used while its znode lives');
    const numChildren = rows.int(node, Int.childCount);
    return {
      czxid: rows.long(node, Long.czxid) as Zxid,
      mzxid: rows.long(node, Long.mzxid) as Zxid,
      ctime: rows.long(node, Long.ctime),
      mtime: rows.long(node, Long.mtime),
      version: rows.int(node, Int.version),
      // Creations and deletions together, made from the count of creations: DataNode.copyStat. It wraps as Java's int does.
      cversion: (rows.int(node, Int.cversion) * 2 - numChildren) | 0,
      aversion: rows.int(node, Int.aversion),
      ephemeralOwner: this.ephemeralOwner(node),
      dataLength: rows.dataLength(node),
      numChildren,
      pzxid: rows.long(node, Long.pzxid) as Zxid,
    };
  }

  /** The data itself, a view that stays what it is now. Nobody may write to it; whoever hands it out of the server copies it. */
  data(node: NodeHandle): Uint8Array | null {
    const { rows } = this.store;
    assert(rows.isLive(node), 'a handle is used while its znode lives');
    return rows.data(node);
  }

  /** The access control list, shared by all znodes that have the same; nobody may change it. */
  acl(node: NodeHandle): readonly Acl[] {
    return this.store.acls.get(this.number(node, Int.acl));
  }

  /** The names of the children in order of creation, as they are now; nobody may change the list. */
  children(node: NodeHandle): readonly string[] {
    assert(this.store.rows.isLive(node), 'a handle is used while its znode lives');
    return this.store.childNames(node);
  }

  childCount(node: NodeHandle): number {
    return this.number(node, Int.childCount);
  }

  /** ZooKeeper's internal cversion: the number of children ever created, from which sequential names are made. Not the one in `stat`. */
  cversion(node: NodeHandle): number {
    return this.number(node, Int.cversion);
  }

  version(node: NodeHandle): number {
    return this.number(node, Int.version);
  }

  aversion(node: NodeHandle): number {
    return this.number(node, Int.aversion);
  }

  /** The session with which the znode goes; 0n for any other znode. */
  ephemeralOwner(node: NodeHandle): bigint {
    return sessionOf(this.persistedOwner(node));
  }

  /** The ephemeralOwner as a server keeps it (`StatPersisted`): for a container and for a TTL it holds that. */
  persistedOwner(node: NodeHandle): bigint {
    return this.store.ephemerals.ownerOf(this.number(node, Int.owner));
  }

  /** What the znode brings to the digest of the tree; 0 where it has no part in that. */
  digestOf(node: NodeHandle): number {
    return this.number(node, Int.digest);
  }

  /** What its path and data bring to that (`contentRemainder`). */
  contentOf(node: NodeHandle): number {
    return this.number(node, Int.content);
  }

  /** Fills in the Stat as a server keeps it. */
  readStat(node: NodeHandle, slot: StatSlot): void {
    const { rows } = this.store;
    rows.readStat(node, slot);
    const owner = rows.int(node, Int.owner);
    slot.ephemeralOwner = owner === NO_OWNER ? NO_SESSION : this.store.ephemerals.ownerOf(owner);
  }

  /** The Stat as a server keeps it. */
  persistedStat(node: NodeHandle): PersistedStat {
    const stat = statSlot();
    this.readStat(node, stat);
    return stat;
  }

  /** The length of the data in bytes; 0 where there are none. */
  dataLength(node: NodeHandle): number {
    const { rows } = this.store;
    assert(rows.isLive(node), 'a handle is used while its znode lives');
    return rows.dataLength(node);
  }

  /** Whether any path has a quota. */
  get hasQuotas(): boolean {
    return this.store.rows.int(this.quotaRoot, Int.childCount) > 0;
  }

  /** How many znodes there are below it, at any depth. */
  countBelow(node: NodeHandle): number {
    assert(this.store.rows.isLive(node), 'a handle is used while its znode lives');
    return this.store.countBelow(node);
  }

  /** What is at a path and below it, as quotas count. */
  usageBelow(path: string): Usage {
    return usageBelow(this.store, path);
  }

  /** The paths of the containers, and then those of the znodes with a TTL. To be read to the end before the next txn. */
  *containersAndTtls(): Generator<string> {
    for (const node of this.store.ephemerals.containersAndTtls()) yield this.store.rows.path(node);
  }

  /** The paths of a session's ephemerals in order of creation, a new array. */
  ephemeralsOf(session: bigint): string[] {
    const paths: string[] = [];
    for (const node of this.store.ephemerals.nodesOf(session) ?? []) paths.push(this.store.rows.path(node));
    return paths;
  }

  /** Applies the next txn. `onChange` hears of every change to a znode, those of a multi one by one. */
  apply(header: TxnHeader, txn: Txn, onChange: ChangeListener): TxnResult {
    assert(header.zxid > this.lastZxid, 'txns are applied in ascending order');
    assert(header.type === txn.type, 'a header names the type of its txn');
    const result = txn.type === OpCode.multi ? this.applyMulti(header, txn, onChange) : this.applySingle(header, txn, onChange);
    this.lastZxid = header.zxid;
    return result;
  }

  /**
   * Applies the next txn to a tree of Apache's that may hold what it does already (`replay.ts`). `onChange` hears of what it changes here. The result says no more than
   * whether it is an error.
   */
  replay(header: TxnHeader, txn: Txn, onChange: ChangeListener): TxnResult {
    assert(header.zxid > this.lastZxid, 'txns are applied in ascending order');
    const target: ReplayTarget = {
      store: this.store,
      apply: (of, single) => void this.applySingle(of, single, onChange),
      renumber: (node, change) => {
        change();
        this.afterChange(node);
      },
    };
    const singles = txn.type === OpCode.multi ? txn.txns : [txn];
    if (!singles.some(({ type }) => type === OpCode.error)) for (const single of singles) replay(target, header, single);
    this.lastZxid = header.zxid;
    return { err: txn.type === OpCode.error ? txn.err : 0 };
  }

  /** The whole tree as bytes, exact at `lastZxid`. */
  serialize(): Uint8Array {
    return encodeTree(this.store, this.lastZxid, this.sum);
  }

  /**
   * The bytes of `serialize` as it would write them now, in pieces that are made one at a time while txns are applied. Beginning takes time in proportion
   * to a thousandth of the znodes; a piece not wanted needs no word, and there may be several snapshots at once.
   *
   * @param pieceBytesMax the most bytes of a piece; 64 KiB when absent.
   */
  snapshot(pieceBytesMax = 64 * 1024): Generator<Uint8Array> {
    return encodePieces(this.store.freeze(), { lastZxid: this.lastZxid, digest: this.sum?.copy() }, pieceBytesMax);
  }

  /**
   * The tree that `serialize` wrote, equal in everything that can be observed.
   *
   * @throws ProtocolError for any bytes that no `serialize` wrote; BAD_VALUE where they can be read and make no tree, or one with another digest.
   */
  static deserialize(bytes: Uint8Array, options?: DataTreeOptions): DataTree {
    const { store, lastZxid, digest } = decodeTree(bytes, options);
    const tree = new DataTree(options, store);
    tree.lastZxid = lastZxid;
    if (digest !== undefined && tree.sum !== undefined && !agree(digest, tree.sum)) {
      throw new ProtocolError(
        'BAD_VALUE',
        `the snapshot says that its tree has the digest ${formatDigest(digest)}, and it has ${formatDigest(tree.sum)}`,
      );
    }
    return tree;
  }

  /**
   * The tree of a snapshot of Apache ZooKeeper's, which is to be brought to one moment by `replay`.
   *
   * @param reader stands where the tree begins, behind the sessions, and then behind the tree.
   * @param lastZxid the last txn that it holds as a whole.
   * @throws ProtocolError where the bytes are no such tree.
   */
  static readApache(reader: JuteReader, lastZxid: Zxid, options?: DataTreeOptions): DataTree {
    const store = builtInZnodes(options);
    readApacheTree(reader, store);
    const tree = new DataTree(options, store);
    tree.lastZxid = lastZxid;
    return tree;
  }

  /** All operations in order, or, where one of them is an error, none. */
  private applyMulti(header: TxnHeader, { txns }: MultiTxn, onChange: ChangeListener): TxnResult {
    if (txns.some((txn) => txn.type === OpCode.error)) return { err: 0, results: failedResults(txns) };
    const results: OpResult[] = [];
    for (const txn of txns) results.push(opResult(txn, this.applySingle(header, txn, onChange)));
    return { err: 0, results };
  }

  private applySingle(header: TxnHeader, txn: Txn, onChange: ChangeListener): TxnResult {
    switch (txn.type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
        return this.create(header, txn, onChange);
      case OpCode.delete:
      case OpCode.deleteContainer:
        return this.delete(header, txn, onChange);
      case OpCode.setData:
        return this.setData(header, txn, onChange);
      case OpCode.setACL:
        return this.setAcl(txn);
      case OpCode.check:
        assert(this.store.find(txn.path) !== undefined, 'a checked znode exists');
        return { err: 0, path: txn.path };
      case OpCode.closeSession:
        return this.closeSession(header, txn, onChange);
      case OpCode.createSession:
        return { err: 0 };
      case OpCode.error:
        return { err: txn.err };
      case OpCode.multi:
        assert(false, 'a multi holds no multi');
        break;
      default:
        return unreachable(txn);
    }
  }

  private create({ clientId, zxid, time }: TxnHeader, txn: Creation, onChange: ChangeListener): TxnResult {
    const { rows } = this.store;
    const { path } = txn;
    const parent = this.store.findParent(path);
    assert(parent !== undefined, 'the parent of a created znode exists');
    assert(this.ephemeralOwner(parent) === NO_SESSION, 'an ephemeral has no children');
    // ZooKeeper moves the parent's cversion and pzxid only forward, for replay over a fuzzy snapshot, and so stands still when the int32 wraps.
    // Exact application has no such case: the leader counted one up from the very value that stands here.
    assert(txn.parentCVersion === ((rows.int(parent, Int.cversion) + 1) | 0), 'a creation counts its parent one up');
    const node = this.store.insert(parent, path, txn.data, txn.acl);
    const owner = ownerAfter(txn, clientId);
    if (owner !== NO_SESSION) this.store.own(node, owner);
    rows.setLong(node, Long.czxid, zxid);
    rows.setLong(node, Long.mzxid, zxid);
    rows.setLong(node, Long.pzxid, zxid);
    rows.setLong(node, Long.ctime, time);
    rows.setLong(node, Long.mtime, time);
    rows.setInt(parent, Int.cversion, txn.parentCVersion);
    rows.setLong(parent, Long.pzxid, zxid);
    this.afterChange(parent);
    this.afterNewData(node, path, txn.data);
    // The Stat shows what was asked for, and not what a quota makes of its own stats.
    const result = txn.type === OpCode.create ? { err: 0, path } : { err: 0, path, stat: this.stat(node) };
    if (this.hasQuotas) {
      beginStats(this.store, path);
      countUsage(this.store, path, usageOf(txn.data?.length ?? 0));
    }
    onChange('created', path);
    return result;
  }

  private delete({ zxid }: TxnHeader, { path }: DeleteTxn, onChange: ChangeListener): TxnResult {
    this.remove(path, zxid, onChange);
    return { err: 0, path };
  }

  private setData({ zxid, time }: TxnHeader, txn: SetDataTxn, onChange: ChangeListener): TxnResult {
    const { rows } = this.store;
    const { path, version } = txn;
    const node = this.store.find(path);
    assert(node !== undefined, 'a changed znode exists');
    assert(version === ((rows.int(node, Int.version) + 1) | 0), 'new data counts the version one up');
    const lengthBefore = rows.dataLength(node);
    this.store.setData(node, txn.data);
    rows.setInt(node, Int.version, version);
    rows.setLong(node, Long.mzxid, zxid);
    rows.setLong(node, Long.mtime, time);
    this.afterNewData(node, path, txn.data);
    const result = { err: 0, path, stat: this.stat(node) };
    if (this.hasQuotas) countUsage(this.store, path, { count: 0, bytes: (txn.data?.length ?? 0) - lengthBefore });
    onChange('dataChanged', path);
    return result;
  }

  /** No watch hears of a new ACL, and mzxid and mtime stay. */
  private setAcl({ path, acl, version }: SetAclTxn): TxnResult {
    const { rows } = this.store;
    const node = this.store.find(path);
    assert(node !== undefined, 'a znode with a new ACL exists');
    assert(version === ((rows.int(node, Int.aversion) + 1) | 0), 'a new ACL counts the aversion one up');
    this.store.setAcl(node, acl);
    rows.setInt(node, Int.aversion, version);
    this.afterChange(node);
    return { err: 0, path, stat: this.stat(node) };
  }

  /** The txn names what goes, since ZooKeeper 3.6 (ZOOKEEPER-3145); here that is every ephemeral of the session, no more and no less. */
  private closeSession({ clientId, zxid }: TxnHeader, { paths }: CloseSessionTxn, onChange: ChangeListener): TxnResult {
    const owned = this.store.ephemerals.nodesOf(clientId);
    assert(paths.length === (owned?.size ?? 0), 'a closed session names each of its ephemerals once');
    for (const path of paths) {
      const node = this.store.find(path);
      assert(node !== undefined && this.ephemeralOwner(node) === clientId, 'a closed session names its own ephemerals');
      this.remove(path, zxid, onChange);
    }
    return { err: 0 };
  }

  /** The parent's pzxid moves, and its internal cversion does not: that one counts creations only. */
  private remove(path: string, zxid: Zxid, onChange: ChangeListener): void {
    const { rows } = this.store;
    const node = this.store.find(path);
    assert(node !== undefined, 'a deleted znode exists');
    assert(!isBuiltIn(path), 'a built-in znode is never deleted');
    const parent = rows.int(node, Int.parent) as NodeHandle;
    this.sum?.subtract(rows.int(node, Int.digest));
    const usage = usageOf(rows.dataLength(node));
    this.store.remove(node);
    rows.setLong(parent, Long.pzxid, zxid);
    this.afterChange(parent);
    if (this.hasQuotas) countUsage(this.store, path, freed(usage));
    onChange('deleted', path);
  }

  /** A znode has changed in its Stat alone. */
  private afterChange(node: NodeHandle): void {
    if (this.sum !== undefined && this.isDigested(node)) this.countIn(node, this.sum);
  }

  /** It has got data, and perhaps has come into being. */
  private afterNewData(node: NodeHandle, path: string, data: Uint8Array | null): void {
    if (this.sum === undefined || !this.isDigested(node)) return;
    this.store.rows.setInt(node, Int.content, contentRemainder(path, data));
    this.countIn(node, this.sum);
  }

  /** Puts the znode as it is in the place of what it was. */
  private countIn(node: NodeHandle, sum: TreeDigest): void {
    const { rows } = this.store;
    sum.subtract(rows.int(node, Int.digest));
    this.readStat(node, this.slot);
    const digest = znodeDigest(rows.int(node, Int.content), this.slot);
    rows.setInt(node, Int.digest, digest);
    sum.add(digest);
  }

  /** Whether a znode has a part in the digest: those below `/zookeeper` have none. */
  private isDigested(node: NodeHandle): boolean {
    const { rows } = this.store;
    const outside = rows.int(this.quotaRoot, Int.parent);
    for (let at = node; at !== ROOT; ) {
      at = rows.int(at, Int.parent) as NodeHandle;
      if (at === outside) return false;
    }
    return true;
  }

  private built(path: string): NodeHandle {
    const node = this.store.find(path);
    assert(node !== undefined, 'a tree has its built-in znodes');
    return node;
  }

  /** Makes the digest of a store that is new: its rows are in use one behind the other, and each parent's comes before its children's. */
  private sumUp(): void {
    if (this.sum === undefined) return;
    const { rows } = this.store;
    this.sum.set({ high: 0, low: 0 });
    const paths = new Int32Array(rows.count).fill(ROOT_REMAINDER);
    const outside = new Uint8Array(rows.count);
    for (let node = ROOT; node < rows.count; node++) {
      const parent = rows.int(node, Int.parent) as NodeHandle;
      if (parent !== NO_NODE) {
        paths[node] = childRemainder(paths[parent] as number, rows.nameBytes(node));
        outside[node] = parent === rows.int(this.quotaRoot, Int.parent) ? 1 : (outside[parent] as number);
      }
      if (outside[node] === 1) continue;
      const content = dataRemainder(paths[node] as number, rows.data(node));
      rows.setInt(node, Int.content, content);
      this.countIn(node, this.sum);
    }
  }

  private number(node: NodeHandle, field: IntField): number {
    assert(this.store.rows.isLive(node), 'a handle is used while its znode lives');
    return this.store.rows.int(node, field);
  }
}

function ownerAfter(txn: Creation, session: bigint): bigint {
  if (txn.type === OpCode.createContainer) return CONTAINER_OWNER;
  if (txn.type === OpCode.createTTL) return ttlOwner(txn.ttl);
  return txn.ephemeral ? session : NO_SESSION;
}
