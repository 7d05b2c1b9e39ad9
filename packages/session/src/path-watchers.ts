/**
 * One table of watches, kept from both sides so that a path fires and a watcher leaves at the cost of their own watches only (`WatchManager`).
 *
 * All watches of a table have one mode, where ZooKeeper keeps a set of modes with each pair of path and watcher: so a change asks the ancestors of its
 * path for recursive watches without walking over those of other modes that are set there.
 */
import { assert } from '@quorate/protocol';

/** Paths and their watchers. */
export class PathWatchers<W> {
  /** In the order in which the watches were set. Invariant: no set is empty, here and in `paths`; each pair stands in both. */
  private readonly watchers = new Map<string, Set<W>>();
  private readonly paths = new Map<W, Set<string>>();
  /** Pairs of path and watcher. */
  watchCount = 0;

  get pathCount(): number {
    return this.watchers.size;
  }

  get watcherCount(): number {
    return this.paths.size;
  }

  add(path: string, watcher: W): void {
    const watchers = this.watchers.get(path);
    if (watchers === undefined) this.watchers.set(path, new Set([watcher]));
    else if (watchers.has(watcher)) return;
    else watchers.add(watcher);
    const paths = this.paths.get(watcher);
    if (paths === undefined) this.paths.set(watcher, new Set([path]));
    else paths.add(path);
    this.watchCount++;
  }

  has(path: string, watcher: W): boolean {
    return this.watchers.get(path)?.has(watcher) ?? false;
  }

  remove(path: string, watcher: W): boolean {
    if (!this.has(path, watcher)) return false;
    this.forgetWatcher(path, watcher);
    this.forgetPath(watcher, path);
    this.watchCount--;
    return true;
  }

  /** The watchers of a path, whose watches stay; undefined where there are none. */
  at(path: string): ReadonlySet<W> | undefined {
    return this.watchers.get(path);
  }

  /** The watchers of a path, whose watches are gone by that; undefined where there are none. */
  take(path: string): ReadonlySet<W> | undefined {
    const watchers = this.watchers.get(path);
    if (watchers === undefined) return undefined;
    this.watchers.delete(path);
    for (const watcher of watchers) this.forgetPath(watcher, path);
    this.watchCount -= watchers.size;
    return watchers;
  }

  removeWatcher(watcher: W): void {
    const paths = this.paths.get(watcher);
    if (paths === undefined) return;
    this.paths.delete(watcher);
    for (const path of paths) this.forgetWatcher(path, watcher);
    this.watchCount -= paths.size;
  }

  private forgetWatcher(path: string, watcher: W): void {
    const watchers = this.watchers.get(path);
    assert(watchers?.delete(watcher) === true, 'a watch stands under its path');
    if (watchers.size === 0) this.watchers.delete(path);
  }

  private forgetPath(watcher: W, path: string): void {
    const paths = this.paths.get(watcher);
    assert(paths?.delete(path) === true, 'a watch stands under its watcher');
    if (paths.size === 0) this.paths.delete(watcher);
  }
}
