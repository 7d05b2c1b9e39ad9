/**
 * One table of watches, kept from both sides so that a path fires and a watcher leaves at the cost of their own watches only (`WatchManager`).
 *
 * All watches of a table have one mode, where ZooKeeper keeps a set of modes with each pair of path and watcher: so a change asks the ancestors of its
 * path for recursive watches without walking over those of other modes that are set there.
 */
import { MultiMap } from './multi-map.js';

/** Paths and their watchers. */
export class PathWatchers<W> {
  /** In the order in which the watches were set. Invariant: each pair stands in both. */
  private readonly watchers = new MultiMap<string, W>();
  private readonly paths = new MultiMap<W, string>();
  /** Pairs of path and watcher. */
  watchCount = 0;

  get pathCount(): number {
    return this.watchers.size;
  }

  get watcherCount(): number {
    return this.paths.size;
  }

  add(path: string, watcher: W): void {
    if (!this.watchers.add(path, watcher)) return;
    this.paths.add(watcher, path);
    this.watchCount++;
  }

  has(path: string, watcher: W): boolean {
    return this.watchers.has(path, watcher);
  }

  remove(path: string, watcher: W): boolean {
    if (!this.has(path, watcher)) return false;
    this.watchers.remove(path, watcher);
    this.paths.remove(watcher, path);
    this.watchCount--;
    return true;
  }

  /** The watchers of a path, whose watches stay. */
  at(path: string): Iterable<W> {
    return this.watchers.at(path);
  }

  /** The watchers of a path, whose watches are gone by that. */
  take(path: string): Iterable<W> {
    const watchers = this.watchers.take(path);
    for (const watcher of watchers) {
      this.paths.remove(watcher, path);
      this.watchCount--;
    }
    return watchers;
  }

  entries(): Iterable<readonly [path: string, watcher: W]> {
    return this.watchers.pairs();
  }

  removeWatcher(watcher: W): void {
    for (const path of this.paths.take(watcher)) {
      this.watchers.remove(path, watcher);
      this.watchCount--;
    }
  }
}
