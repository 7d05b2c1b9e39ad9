/**
 * The shape of the tree: which znodes there are, who is whose child, who owns and who may. It knows nothing of txns, versions or zxids.
 *
 * Children are a list through the rows in order of creation, so a walk needs no recursion, and no child is dearer to add or to remove than another.
 * What names a path takes time in proportion to its components.
 */
import { type Acl, assert } from '@quorate/protocol';
import { AclCache, type NumberedAcl } from './acl-cache.js';
import { ChildIndex } from './child-index.js';
import { EphemeralIndex, NO_OWNER, type Owned } from './ephemeral-index.js';
import { type NameHash, nameHash } from './name-hash.js';
import { Int, NO_NODE, type NodeHandle, ROOT, ZnodePages } from './znode-pages.js';

/** The names in lists that are kept for the next reader. */
const LISTED_NAMES_MAX = 64 * 1024;

/** How a store lays out what it holds. None of it can be seen from outside. */
export interface StoreLayout {
  /** The key of the hash of names, a whole number from 0 to 2^53 − 1; 0 when absent. */
  readonly hashSeed?: number;
  /** Another hash, for a test. */
  readonly hash?: NameHash;
  /** The size of the arena's chunks in bytes, for a test. */
  readonly chunkBytes?: number;
}

/** All that a store held at one moment; nothing in it ever changes. */
export interface StoreImage {
  readonly rows: ZnodePages;
  readonly acls: readonly NumberedAcl[];
  readonly owners: readonly Owned[];
}

/** Znodes and how they hang together. */
export class ZnodeStore {
  readonly rows: ZnodePages;
  readonly acls = new AclCache();
  readonly ephemerals = new EphemeralIndex();
  /** Lengths of all paths and data but the root's path: what ZooKeeper calls the approximate data size. */
  pathAndDataLength = 0;
  private readonly index: ChildIndex;
  /** Lists of children that were read and are still true: many clients read the same list when it has changed. */
  private readonly lists = new Map<NodeHandle, readonly string[]>();
  private listedNames = 0;
  /** The parent that was looked up last, with the slash behind it: what follows is often about another child of it. */
  private knownParent = '/';
  private knownParentNode = ROOT;

  /** A store with the root alone. */
  constructor(rootAcl: readonly Acl[], layout: StoreLayout = {}) {
    this.rows = new ZnodePages(layout.chunkBytes);
    this.index = new ChildIndex(this.rows, layout.hash ?? nameHash(layout.hashSeed ?? 0));
    const root = this.rows.take('', 0, null);
    assert(root === ROOT, 'the root has the first row');
    this.rows.setInt(root, Int.acl, this.acls.acquire(rootAcl));
  }

  find(path: string): NodeHandle | undefined {
    if (path === '/') return ROOT;
    const nameAt = path.lastIndexOf('/') + 1;
    const parent = this.parentOf(path, nameAt);
    return parent === undefined ? undefined : this.index.find(parent, path, nameAt, path.length);
  }

  /** The parent of a path that is not the root's; undefined where it does not exist. */
  findParent(path: string): NodeHandle | undefined {
    return this.parentOf(path, path.lastIndexOf('/') + 1);
  }

  findChild(parent: NodeHandle, name: string): NodeHandle | undefined {
    return this.index.find(parent, name, 0, name.length);
  }

  /** Adds a znode as its parent's last child. */
  insert(parent: NodeHandle, path: string, data: Uint8Array | null, acl: readonly Acl[]): NodeHandle {
    assert(path.startsWith('/'), 'a path begins at the root');
    return this.insertChild(parent, { path, nameAt: path.lastIndexOf('/') + 1, pathLength: path.length, data, acl });
  }

  /** Adds a znode as its parent's last child; its name is all of `path` from `nameAt` on, and `pathLength` is the length of its whole path. */
  insertChild(parent: NodeHandle, child: NewChild): NodeHandle {
    const { rows } = this;
    const { path, nameAt, data } = child;
    assert(path.length > nameAt, 'a created path has a name');
    assert(isWellFormed(path, nameAt), 'a name has no surrogate without its partner, which no peer and no snapshot could carry');
    const place = this.index.reserve(parent, path, nameAt);
    const node = rows.take(path, nameAt, data);
    const last = rows.int(parent, Int.lastChild) as NodeHandle;
    if (last === NO_NODE) rows.setInt(parent, Int.firstChild, node);
    else rows.setInt(last, Int.nextSibling, node);
    rows.setInt(parent, Int.lastChild, node);
    rows.setInt(parent, Int.childCount, rows.int(parent, Int.childCount) + 1);
    rows.setInt(node, Int.parent, parent);
    rows.setInt(node, Int.previousSibling, last);
    rows.setInt(node, Int.acl, this.acls.acquire(child.acl));
    this.index.add(node, place);
    this.forgetList(parent);
    this.pathAndDataLength += child.pathLength + (data?.length ?? 0);
    return node;
  }

  /** Makes a znode the ephemeral of a session, a container or one with a TTL. */
  own(node: NodeHandle, owner: bigint): void {
    assert(owner !== 0n, 'an ephemeral has an owner');
    assert(this.rows.int(node, Int.owner) === NO_OWNER, 'an ephemeral has one owner');
    this.rows.setInt(node, Int.owner, this.ephemerals.add(owner, node));
  }

  /** Removes a znode that has no children. */
  remove(node: NodeHandle): void {
    const { rows } = this;
    assert(node !== ROOT, 'the root is never removed');
    assert(rows.int(node, Int.childCount) === 0, 'a removed znode has no children');
    const parent = rows.int(node, Int.parent) as NodeHandle;
    const previous = rows.int(node, Int.previousSibling) as NodeHandle;
    const next = rows.int(node, Int.nextSibling) as NodeHandle;
    if (previous === NO_NODE) rows.setInt(parent, Int.firstChild, next);
    else rows.setInt(previous, Int.nextSibling, next);
    if (next === NO_NODE) rows.setInt(parent, Int.lastChild, previous);
    else rows.setInt(next, Int.previousSibling, previous);
    rows.setInt(parent, Int.childCount, rows.int(parent, Int.childCount) - 1);
    const owner = rows.int(node, Int.owner);
    if (owner !== NO_OWNER) this.ephemerals.remove(owner, node);
    this.acls.release(rows.int(node, Int.acl));
    this.pathAndDataLength -= rows.pathLength(node) + rows.dataLength(node);
    this.index.delete(node);
    this.forgetList(parent);
    if (node === this.knownParentNode) {
      this.knownParent = '/';
      this.knownParentNode = ROOT;
    }
    rows.release(node);
  }

  /** How many znodes there are below one, at any depth. */
  countBelow(top: NodeHandle): number {
    const { rows } = this;
    if (top === ROOT) return rows.count - 1;
    let count = 0;
    for (let node = top; ; ) {
      const child = rows.int(node, Int.firstChild) as NodeHandle;
      if (child === NO_NODE) {
        while (node !== top && rows.int(node, Int.nextSibling) === NO_NODE) node = rows.int(node, Int.parent) as NodeHandle;
        if (node === top) return count;
        node = rows.int(node, Int.nextSibling) as NodeHandle;
      } else {
        node = child;
      }
      count++;
    }
  }

  setData(node: NodeHandle, data: Uint8Array | null): void {
    this.pathAndDataLength += (data?.length ?? 0) - this.rows.dataLength(node);
    this.rows.setData(node, data);
  }

  setAcl(node: NodeHandle, acl: readonly Acl[]): void {
    // The new list comes first, so that a list which only this znode uses and keeps is not dropped in between.
    const number = this.acls.acquire(acl);
    this.acls.release(this.rows.int(node, Int.acl));
    this.rows.setInt(node, Int.acl, number);
  }

  /** The names of a znode's children in order of creation; nobody may change the list. */
  childNames(parent: NodeHandle): readonly string[] {
    const known = this.lists.get(parent);
    if (known !== undefined) return known;
    const { rows } = this;
    const names: string[] = [];
    for (let child = rows.int(parent, Int.firstChild) as NodeHandle; child !== NO_NODE; ) {
      names.push(rows.name(child));
      child = rows.int(child, Int.nextSibling) as NodeHandle;
    }
    this.keepList(parent, names);
    return names;
  }

  /**
   * All that the store holds now, for a snapshot that is written while it changes. It takes time in proportion to pages, chunks, lists and owners, not to
   * znodes; what is changed afterwards is copied first, where it is shared. It needs no end, and there may be several.
   */
  freeze(): StoreImage {
    return { rows: this.rows.freeze(), acls: this.acls.snapshot(), owners: this.ephemerals.snapshot() };
  }

  private keepList(parent: NodeHandle, names: readonly string[]): void {
    if (names.length === 0 || names.length > LISTED_NAMES_MAX) return;
    if (this.listedNames + names.length > LISTED_NAMES_MAX) {
      this.lists.clear();
      this.listedNames = 0;
    }
    this.lists.set(parent, names);
    this.listedNames += names.length;
  }

  private forgetList(parent: NodeHandle): void {
    const names = this.lists.get(parent);
    if (names === undefined) return;
    this.lists.delete(parent);
    this.listedNames -= names.length;
  }

  /** The parent that the znode with its name from `nameAt` on has, or would have. */
  private parentOf(path: string, nameAt: number): NodeHandle | undefined {
    const { knownParent } = this;
    if (knownParent.length === nameAt && path.startsWith(knownParent)) return this.knownParentNode;
    if (!path.startsWith('/')) return undefined;
    let node = ROOT;
    for (let start = 1; start < nameAt; ) {
      const slash = path.indexOf('/', start);
      const child = this.index.find(node, path, start, slash);
      if (child === undefined) return undefined;
      node = child;
      start = slash + 1;
    }
    this.knownParent = path.slice(0, nameAt);
    this.knownParentNode = node;
    return node;
  }
}

/** A znode to be added. */
interface NewChild {
  readonly path: string;
  readonly nameAt: number;
  readonly pathLength: number;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
}

/** Whether each surrogate of a text from `start` on has its partner. */
function isWellFormed(text: string, start: number): boolean {
  for (let at = start; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = text.charCodeAt(at + 1);
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
    at++;
  }
  return true;
}
