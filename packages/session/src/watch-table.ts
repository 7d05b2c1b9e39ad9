/**
 * Who waits for what: a server's watches and what each change fires (`DataTree` with its two `WatchManager`s, zookeeper.md 1.9).
 *
 *     change       data table          child table
 *     created      NodeCreated         NodeChildrenChanged of the parent
 *     deleted      NodeDeleted         NodeDeleted, but not to those whom the data table just told; NodeChildrenChanged of the parent
 *     dataChanged  NodeDataChanged     –
 *
 * Watches of exists and of getData are in the same table, so both together give one event. A watch goes when it fires, also where the event is
 * held back because its watcher has just had it. Whether a watch may be set where no znode is, is for the caller: for exists it may.
 */
import { assert, EventType, parentOf } from '@quorate/protocol';
import { PathWatchers } from './path-watchers.js';

/** What a watch waits for, by the request that sets it: getData, exists, getChildren. */
export type WatchKind = 'data' | 'exist' | 'child';

/** A change to a znode. */
export type WatchChange = 'created' | 'deleted' | 'dataChanged';

/** An event for a watcher. */
export interface WatchFiring<W> {
  readonly watcher: W;
  readonly type: EventType;
  readonly path: string;
}

/** The watches of one server. `W` is whatever stands for a connection; watchers are told apart as by a `Map`. */
export class WatchTable<W> {
  private readonly data = new PathWatchers<W>();
  private readonly child = new PathWatchers<W>();

  /** Sets a watch. Setting the same one again changes nothing. */
  add(kind: WatchKind, path: string, watcher: W): void {
    this.tableOf(kind).add(path, watcher);
  }

  /** True while the watch is set; `data` and `exist` are one. */
  has(kind: WatchKind, path: string, watcher: W): boolean {
    return this.tableOf(kind).has(path, watcher);
  }

  /** Removes one watch before it fires. False where it is not set. */
  remove(kind: WatchKind, path: string, watcher: W): boolean {
    return this.tableOf(kind).remove(path, watcher);
  }

  /** Takes out the watches that a change fires and gives their events in the order in which they are to be sent. */
  trigger(change: WatchChange, path: string): WatchFiring<W>[] {
    const firings: WatchFiring<W>[] = [];
    switch (change) {
      case 'created':
        this.fire(firings, this.data, EventType.nodeCreated, path);
        this.fire(firings, this.child, EventType.nodeChildrenChanged, parentOf(path));
        break;
      case 'deleted': {
        const told = this.fire(firings, this.data, EventType.nodeDeleted, path);
        this.fire(firings, this.child, EventType.nodeDeleted, path, told);
        this.fire(firings, this.child, EventType.nodeChildrenChanged, parentOf(path));
        break;
      }
      case 'dataChanged':
        this.fire(firings, this.data, EventType.nodeDataChanged, path);
        break;
    }
    return firings;
  }

  /** Removes all watches of a watcher, whose connection is gone. It costs as much as it had watches. */
  removeWatcher(watcher: W): void {
    this.data.removeWatcher(watcher);
    this.child.removeWatcher(watcher);
  }

  /** Watches that are set, one for each path, watcher and table. */
  get watchCount(): number {
    return this.data.watchCount + this.child.watchCount;
  }

  /** Paths with a watch, counted once for each table. */
  get pathCount(): number {
    return this.data.pathCount + this.child.pathCount;
  }

  /** Watchers with a watch, counted once for each table. */
  get watcherCount(): number {
    return this.data.watcherCount + this.child.watcherCount;
  }

  private tableOf(kind: WatchKind): PathWatchers<W> {
    return kind === 'child' ? this.child : this.data;
  }

  private fire(
    firings: WatchFiring<W>[],
    table: PathWatchers<W>,
    type: EventType,
    path: string,
    told?: ReadonlySet<W>,
  ): ReadonlySet<W> | undefined {
    const watchers = table.take(path);
    if (watchers === undefined) return undefined;
    assert(watchers.size > 0, 'a path in the table has a watcher');
    for (const watcher of watchers) if (told?.has(watcher) !== true) firings.push({ watcher, type, path });
    return watchers;
  }
}
