/**
 * The shape of the tree: which znodes there are, who is whose child, who owns and who may. It knows nothing of txns, versions or zxids.
 *
 * Children are a list through the rows in order of creation, so a directory costs nothing beyond its children, and a walk needs no recursion.
 */
import { type Acl, assert, parentOf } from '@quorate/protocol';
import { AclCache } from './acl-cache.js';
import { EphemeralIndex, NO_OWNER } from './ephemeral-index.js';
import { PathIndex } from './path-index.js';
import { Int, NO_NODE, type NodeHandle, ROOT, ZnodePages } from './znode-pages.js';

/** Znodes and how they hang together. */
export class ZnodeStore {
  readonly rows = new ZnodePages();
  readonly acls = new AclCache();
  readonly ephemerals = new EphemeralIndex();
  /** Lengths of all paths and data but the root's path: what ZooKeeper calls the approximate data size. */
  pathAndDataLength = 0;
  private readonly index = new PathIndex();

  /** A store with the root alone. */
  constructor(rootAcl: readonly Acl[]) {
    const root = this.rows.take('/');
    assert(root === ROOT, 'the root has the first row');
    this.rows.setInt(root, Int.acl, this.acls.acquire(rootAcl));
    this.index.set('/', root);
  }

  find(path: string): NodeHandle | undefined {
    return this.index.find(path);
  }

  /** The parent of a path that is not the root's; undefined where it does not exist. */
  findParent(path: string): NodeHandle | undefined {
    return this.index.find(parentOf(path));
  }

  /** Adds a znode as its parent's last child. */
  insert(parent: NodeHandle, path: string, data: Uint8Array | null, acl: readonly Acl[]): NodeHandle {
    const { rows } = this;
    assert(this.index.find(path) === undefined, 'a created path is free');
    const node = rows.take(path);
    this.index.set(path, node);
    const last = rows.int(parent, Int.lastChild) as NodeHandle;
    if (last === NO_NODE) rows.setInt(parent, Int.firstChild, node);
    else rows.setInt(last, Int.nextSibling, node);
    rows.setInt(parent, Int.lastChild, node);
    rows.setInt(parent, Int.childCount, rows.int(parent, Int.childCount) + 1);
    rows.setInt(node, Int.parent, parent);
    rows.setInt(node, Int.previousSibling, last);
    rows.setInt(node, Int.acl, this.acls.acquire(acl));
    this.pathAndDataLength += path.length;
    this.setData(node, data);
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
    this.setData(node, null);
    this.pathAndDataLength -= rows.path(node).length;
    this.index.delete(rows.path(node));
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
    this.pathAndDataLength += (data?.length ?? 0) - (this.rows.data(node)?.length ?? 0);
    this.rows.setData(node, data === null ? null : withoutBallast(data));
  }

  setAcl(node: NodeHandle, acl: readonly Acl[]): void {
    // The new list comes first, so that a list which only this znode uses and keeps is not dropped in between.
    const number = this.acls.acquire(acl);
    this.acls.release(this.rows.int(node, Int.acl));
    this.rows.setInt(node, Int.acl, number);
  }

  /** The names of a znode's children in order of creation. */
  childNames(parent: NodeHandle): string[] {
    const { rows } = this;
    const prefix = parent === ROOT ? 1 : rows.path(parent).length + 1;
    const names: string[] = [];
    for (let child = rows.int(parent, Int.firstChild) as NodeHandle; child !== NO_NODE; ) {
      names.push(rows.path(child).slice(prefix));
      child = rows.int(child, Int.nextSibling) as NodeHandle;
    }
    return names;
  }
}

/** The bytes that a view may leave unused in its array before it is copied. */
const BALLAST_BYTES_MAX = 256;

/** Data come as views of the txn in which they came. A small znode must not keep the whole of a large multi in memory. */
function withoutBallast(data: Uint8Array): Uint8Array {
  return data.buffer.byteLength - data.length > BALLAST_BYTES_MAX ? data.slice() : data;
}
