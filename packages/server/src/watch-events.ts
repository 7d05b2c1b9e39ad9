/**
 * From a change in the tree to the events on the connections of this server (`DataTree`, `WatchManager`, `ServerCnxn.process`).
 *
 * Events leave while their txn is applied, so before any reply that shows it. A watcher that may not read the znode gets nothing, and its watch is
 * gone all the same (CVE-2024-23944): for an event about children the parent's ACL counts, for a deleted znode the one that it had.
 */
import {
  type Acl,
  assert,
  type EventMessage,
  EventType,
  KeeperState,
  OpCode,
  Permission,
  type SetWatches2Request,
  type SetWatchesRequest,
  type Txn,
  type Zxid,
} from '@quorate/protocol';
import { type WatchKind, WatchTable } from '@quorate/session';
import type { ChangeListener, DataTree } from '@quorate/tree';
import { permits } from './acl.js';
import type { Connection } from './pending-request.js';
import type { ServerCounts } from './server-counts.js';

const NO_ENTRIES: readonly Acl[] = [];

/** How many watches there are. A path or a connection counts once for each kind of watch: data, children, persistent, recursive. */
export interface WatchSummary {
  readonly connections: number;
  readonly paths: number;
  readonly watches: number;
}

/** One watch. */
export interface WatchEntry {
  readonly path: string;
  readonly session: bigint;
}

export class WatchEvents {
  readonly #watches = new WatchTable<Connection>();
  /** The ACLs of the znodes that the txn under way deletes, in its order. */
  #deletedAcls: (readonly Acl[])[] = [];
  #nextDeleted = 0;
  readonly #counts: ServerCounts;
  #tree: DataTree;
  #zxid = 0 as Zxid;

  constructor(tree: DataTree, counts: ServerCounts) {
    this.#counts = counts;
    this.#tree = tree;
  }

  get watchCount(): number {
    return this.#watches.watchCount;
  }

  get summary(): WatchSummary {
    const { watcherCount: connections, pathCount: paths, watchCount: watches } = this.#watches;
    return { connections, paths, watches };
  }

  /** Each watch, as its path and the session that has set it; a pair stands there once for each kind of watch. */
  *entries(): Generator<WatchEntry> {
    for (const [path, { sessionId }] of this.#watches.entries()) yield { path, session: sessionId };
  }

  /** The tree has been replaced. */
  reset(tree: DataTree): void {
    this.#tree = tree;
  }

  add(kind: WatchKind, path: string, port: Connection): void {
    this.#watches.add(kind, path, port);
  }

  has(kind: WatchKind, path: string, port: Connection): boolean {
    return this.#watches.has(kind, path, port);
  }

  /** Takes back one watch. False where it is not set. */
  remove(kind: WatchKind, path: string, port: Connection): boolean {
    return this.#watches.remove(kind, path, port);
  }

  /** The connection is gone. */
  removeAll(port: Connection): void {
    this.#watches.removeWatcher(port);
  }

  /** The txn is about to be applied. */
  begin(zxid: Zxid, txn: Txn): void {
    this.#zxid = zxid;
    if (this.#watches.watchCount === 0) return;
    this.#deletedAcls = [];
    this.#nextDeleted = 0;
    this.#keepAcls(txn, undefined);
  }

  /** Told of each change by the tree, while the txn is applied. No watch is set meanwhile, so where there is none now there was none before. */
  readonly onChange: ChangeListener = (change, path) => {
    if (this.#watches.watchCount === 0) return;
    const acl = change === 'deleted' ? this.#deletedAcls[this.#nextDeleted++] : this.#aclOf(path);
    for (const { type, path: eventPath, watchers } of this.#watches.trigger(change, path)) {
      const decisive = eventPath === path ? acl : this.#aclOf(eventPath);
      assert(decisive !== undefined, 'an event is about a znode that is, or was until now');
      // One message for all of them, which a network link also encodes only once.
      const event = eventOf(type, eventPath, this.#zxid);
      this.#counts.fired(type, watchers.length);
      for (const watcher of watchers) if (permits(decisive, Permission.READ, watcher.authIds)) watcher.sendEvent(event);
    }
  };

  /**
   * The watches that a client had on its last connection: what has happened since its `relativeZxid` is told at once, for the rest the watches
   * are set again, whatever the ACLs say by now. Watches that stay are set again and no more: of what they have missed nothing is told
   * (`DataTree.setWatches`, zookeeper.md 1.9).
   */
  setAgain(request: SetWatchesRequest | SetWatches2Request, port: Connection): void {
    const tree = this.#tree;
    const { relativeZxid } = request;
    for (const path of request.dataWatches) {
      const node = tree.find(path);
      if (node === undefined) this.#tellDeleted(port, path);
      else this.#tellOrSet(port, 'data', path, EventType.nodeDataChanged, tree.stat(node).mzxid, relativeZxid);
    }
    for (const path of request.existWatches) {
      const node = tree.find(path);
      if (node === undefined) this.#watches.add('exist', path, port);
      else this.#tellOrSet(port, 'exist', path, EventType.nodeCreated, tree.stat(node).czxid, undefined);
    }
    for (const path of request.childWatches) {
      const node = tree.find(path);
      if (node === undefined) this.#tellDeleted(port, path);
      else this.#tellOrSet(port, 'child', path, EventType.nodeChildrenChanged, tree.stat(node).pzxid, relativeZxid);
    }
    if (request.type === OpCode.setWatches) return;
    for (const path of request.persistentWatches) this.#watches.add('persistent', path, port);
    for (const path of request.persistentRecursiveWatches) this.#watches.add('recursive', path, port);
  }

  /** When the znode went is not known any more; it was not after what this server has applied. */
  #tellDeleted(port: Connection, path: string): void {
    port.sendEvent(eventOf(EventType.nodeDeleted, path, this.#tree.lastZxid));
  }

  /** Tells of a change at `zxid` where that is after `since`, always where that is undefined; else sets the watch. */
  #tellOrSet(port: Connection, kind: WatchKind, path: string, type: EventType, zxid: Zxid, since: Zxid | undefined): void {
    if (since !== undefined && zxid <= since) this.#watches.add(kind, path, port);
    else if (permits(this.#aclOf(path) ?? NO_ENTRIES, Permission.READ, port.authIds)) port.sendEvent(eventOf(type, path, zxid));
  }

  #aclOf(path: string): readonly Acl[] | undefined {
    const node = this.#tree.find(path);
    return node === undefined ? undefined : this.#tree.acl(node);
  }

  /** The tree tells of a deletion when the znode and its ACL are gone, so the ACLs are kept before. */
  #keepAcls(txn: Txn, created: Map<string, readonly Acl[]> | undefined): void {
    switch (txn.type) {
      case OpCode.delete:
      case OpCode.deleteContainer:
        this.#keepAcl(txn.path, created);
        return;
      case OpCode.closeSession:
        for (const path of txn.paths) this.#keepAcl(path, created);
        return;
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
        created?.set(txn.path, txn.acl);
        return;
      case OpCode.multi: {
        // What an operation deletes may be what an earlier one of the same multi creates.
        const createdHere = new Map<string, readonly Acl[]>();
        for (const op of txn.txns) this.#keepAcls(op, createdHere);
        return;
      }
      default:
        return;
    }
  }

  #keepAcl(path: string, created: Map<string, readonly Acl[]> | undefined): void {
    const acl = created?.get(path) ?? this.#aclOf(path);
    assert(acl !== undefined, 'a znode that is deleted exists');
    this.#deletedAcls.push(acl);
  }
}

function eventOf(type: EventType, path: string, zxid: Zxid): EventMessage {
  return { kind: 'event', type, state: KeeperState.syncConnected, path, zxid };
}
