/**
 * The tree as it will be once everything that the leader has proposed is applied (`PrepRequestProcessor.outstandingChanges`).
 *
 * Each txn that is proposed records what its znodes, parents included, become; a record is released when its txn is applied and no later one
 * has taken its place. Invariant: the newest record of a path, or the tree where there is none, is what the next txn will find.
 */
import { type Acl, assert, type Zxid } from '@quorate/protocol';
import type { DataTree } from '@quorate/tree';
import { Fifo } from './fifo.js';

/** What one txn makes of a znode: all that later requests are checked against. */
export interface ChangeRecord {
  readonly zxid: Zxid;
  readonly path: string;
  /** False for a znode that the txn deletes; the other fields are then those that it had. */
  readonly exists: boolean;
  readonly acl: readonly Acl[];
  readonly version: number;
  /** The internal one: how many children were ever created. */
  readonly cversion: number;
  readonly aversion: number;
  readonly childCount: number;
  /** As a server keeps it: a session, or what says that it is a container or has a TTL. */
  readonly ephemeralOwner: bigint;
}

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

  constructor(tree: DataTree) {
    this.#tree = tree;
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
    return {
      zxid: tree.lastZxid,
      path,
      exists: true,
      acl: tree.acl(node),
      version: tree.version(node),
      cversion: tree.cversion(node),
      aversion: tree.aversion(node),
      childCount: tree.childCount(node),
      ephemeralOwner: tree.persistedOwner(node),
    };
  }

  /** Whether a txn that is not applied changes this znode, its number of children included. */
  isPending(path: string): boolean {
    return this.#newest.has(path);
  }

  /** Notes what a txn makes of a znode. Records come in the order of their txns. */
  record(change: ChangeRecord): void {
    assert(change.zxid > this.#tree.lastZxid, 'only what is not applied is pending');
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
