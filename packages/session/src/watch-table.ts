/**
 * Who waits for what: a server's watches and what each change fires (`DataTree` with its two `WatchManager`s, zookeeper.md 1.9).
 *
 *     change       data table          child table
 *     created      NodeCreated         NodeChildrenChanged of the parent
 *     deleted      NodeDeleted         NodeDeleted, but not to those whom the data table just told; NodeChildrenChanged of the parent
 *     dataChanged  NodeDataChanged     –
 *
 *     watch of          mode                  is in          goes when it fires
 *     exists, getData   standard              data           yes
 *     getChildren       standard              child          yes
 *     addWatch          persistent            data, child    no
 *     addWatch          persistent recursive  data           no; of its path and all below it, so never NodeChildrenChanged (ZOOKEEPER-4475)
 *
 * Watches of all kinds stand beside each other at one path (ZOOKEEPER-4466), and each table tells a watcher of a change once, however many of its watches
 * match. A standard watch goes when it fires, also where the event is held back because its watcher has just had it. Whether a watch may be set
 * where no znode is, is for the caller: for exists and addWatch it may.
 */
import { EventType, parentOf } from '@quorate/protocol';
import { PathWatchers } from './path-watchers.js';

/** What a watch waits for: by the request that sets it, getData, exists, getChildren; for addWatch by its mode. */
export type WatchKind = 'data' | 'exist' | 'child' | 'persistent' | 'recursive';

/** A change to a znode. */
export type WatchChange = 'created' | 'deleted' | 'dataChanged';

/** An event, and those for whom it is. */
export interface WatchFiring<W> {
  readonly type: EventType;
  readonly path: string;
  /** One or more, each once, in the order in which they are to be told. */
  readonly watchers: readonly W[];
}

/** The watches of one server. `W` is whatever stands for a connection; watchers are told apart as by a `Map`. */
export class WatchTable<W> {
  private readonly data = new PathWatchers<W>();
  private readonly child = new PathWatchers<W>();
  private readonly persistent = new PathWatchers<W>();
  private readonly recursive = new PathWatchers<W>();
  private readonly tables = [this.data, this.child, this.persistent, this.recursive];

  /** Sets a watch. Setting the same one again changes nothing. */
  add(kind: WatchKind, path: string, watcher: W): void {
    this.tableOf(kind).add(path, watcher);
  }

  /** True while the watch is set; `data` and `exist` are one. */
  has(kind: WatchKind, path: string, watcher: W): boolean {
    return this.tableOf(kind).has(path, watcher);
  }

  /** Removes one watch. False where it is not set. */
  remove(kind: WatchKind, path: string, watcher: W): boolean {
    return this.tableOf(kind).remove(path, watcher);
  }

  /** Takes out the standard watches that a change fires, and gives the events of all that it fires in the order in which they are to be sent. */
  trigger(change: WatchChange, path: string): WatchFiring<W>[] {
    const firings: WatchFiring<W>[] = [];
    const watchers: W[] = [];
    this.takeData(watchers, path);
    // Those whom the data table tells of a deletion begin the list, so that the child table does not tell them again.
    if (change === 'deleted') this.takeChild(watchers, path);
    if (watchers.length > 0) firings.push({ type: TYPE_OF[change], path, watchers });
    if (change === 'dataChanged') return firings;
    const above: W[] = [];
    const parent = parentOf(path);
    this.takeChild(above, parent);
    if (above.length > 0) firings.push({ type: EventType.nodeChildrenChanged, path: parent, watchers: above });
    return firings;
  }

  /** Removes all watches of a watcher, whose connection is gone. It costs as much as it had watches. */
  removeWatcher(watcher: W): void {
    for (const table of this.tables) table.removeWatcher(watcher);
  }

  /** Watches that are set, one for each path, watcher and row of the table above; exists and getData are one row. */
  get watchCount(): number {
    return this.data.watchCount + this.child.watchCount + this.persistent.watchCount + this.recursive.watchCount;
  }

  /** Paths with a watch, counted once for each row. */
  get pathCount(): number {
    return this.tables.reduce((sum, { pathCount }) => sum + pathCount, 0);
  }

  /** Watchers with a watch, counted once for each row. */
  get watcherCount(): number {
    return this.tables.reduce((sum, { watcherCount }) => sum + watcherCount, 0);
  }

  /** Every path with its watchers, one pair a time; a pair that has watches of several rows stands there once for each. */
  *entries(): Generator<readonly [path: string, watcher: W]> {
    for (const table of this.tables) yield* table.entries();
  }

  private tableOf(kind: WatchKind): PathWatchers<W> {
    switch (kind) {
      case 'data':
      case 'exist':
        return this.data;
      default:
        return this[kind];
    }
  }

  private takeData(watchers: W[], path: string): void {
    gather(watchers, this.data.take(path));
    if (this.persistent.watchCount > 0) gather(watchers, this.persistent.at(path));
    if (this.recursive.watchCount === 0) return;
    for (let at = path; ; at = parentOf(at)) {
      gather(watchers, this.recursive.at(at));
      if (at === '/') return;
    }
  }

  private takeChild(watchers: W[], path: string): void {
    gather(watchers, this.child.take(path));
    if (this.persistent.watchCount > 0) gather(watchers, this.persistent.at(path));
  }
}

const TYPE_OF = { created: EventType.nodeCreated, deleted: EventType.nodeDeleted, dataChanged: EventType.nodeDataChanged } as const;

/** Adds those that are not in the list. */
function gather<W>(watchers: W[], more: Iterable<W>): void {
  const alone = watchers.length === 0;
  let told: Set<W> | undefined;
  for (const watcher of more) {
    if (!alone) told ??= new Set(watchers);
    if (told?.has(watcher) !== true) watchers.push(watcher);
  }
}
