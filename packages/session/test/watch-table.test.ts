import { EventType } from '@quorate/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type WatchChange, type WatchFiring, type WatchKind, WatchTable } from '../src/index.js';

const PATHS = ['/', '/a', '/a/b', '/a/c', '/ab'];
const WATCHERS = ['w0', 'w1', 'w2', 'w3'];

/** Watches as a list of triples, searched from end to end. */
class WatchModel {
  watches: { table: 'data' | 'child'; path: string; watcher: string }[] = [];

  add(kind: WatchKind, path: string, watcher: string): void {
    const table = kind === 'child' ? 'child' : 'data';
    if (!this.watches.some((one) => one.table === table && one.path === path && one.watcher === watcher))
      this.watches.push({ table, path, watcher });
  }

  remove(kind: WatchKind, path: string, watcher: string): boolean {
    const before = this.watches.length;
    const table = kind === 'child' ? 'child' : 'data';
    this.watches = this.watches.filter((one) => one.table !== table || one.path !== path || one.watcher !== watcher);
    return this.watches.length < before;
  }

  trigger(change: WatchChange, path: string): WatchFiring<string>[] {
    const parent = path.split('/').slice(0, -1).join('/') || '/';
    if (change === 'dataChanged') return this.events('data', path, EventType.nodeDataChanged);
    const childrenChanged = () => this.events('child', parent, EventType.nodeChildrenChanged);
    if (change === 'created') return [...this.events('data', path, EventType.nodeCreated), ...childrenChanged()];
    const told = this.events('data', path, EventType.nodeDeleted);
    const others = this.events('child', path, EventType.nodeDeleted).filter((one) => !told.some((other) => other.watcher === one.watcher));
    return [...told, ...others, ...childrenChanged()];
  }

  private events(table: 'data' | 'child', path: string, type: EventType): WatchFiring<string>[] {
    const fired = this.watches.filter((one) => one.table === table && one.path === path);
    this.watches = this.watches.filter((one) => !fired.includes(one));
    return fired.map(({ watcher }) => ({ watcher, type, path }));
  }
}

const path = fc.constantFrom(...PATHS);
const belowRoot = fc.constantFrom(...PATHS.slice(1));
const watcher = fc.constantFrom(...WATCHERS);
const kind = fc.constantFrom<WatchKind>('data', 'exist', 'child');
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('add' as const), kind, path, watcher }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), kind, path, watcher }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('trigger' as const),
      change: fc.constantFrom<WatchChange>('created', 'deleted', 'dataChanged'),
      path: belowRoot,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), watcher }) },
);

test('a table fires what the model fires, in its order, and forgets what the model forgets', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const table = new WatchTable<string>();
      const model = new WatchModel();
      for (const one of steps) {
        if (one.do === 'add') {
          table.add(one.kind, one.path, one.watcher);
          model.add(one.kind, one.path, one.watcher);
        } else if (one.do === 'remove') {
          expect(table.remove(one.kind, one.path, one.watcher)).toBe(model.remove(one.kind, one.path, one.watcher));
        } else if (one.do === 'trigger') {
          expect(table.trigger(one.change, one.path)).toEqual(model.trigger(one.change, one.path));
        } else {
          table.removeWatcher(one.watcher);
          model.watches = model.watches.filter((watch) => watch.watcher !== one.watcher);
        }
        expect(table.watchCount).toBe(model.watches.length);
        expect(table.pathCount).toBe(new Set(model.watches.map((watch) => watch.table + watch.path)).size);
        expect(table.watcherCount).toBe(new Set(model.watches.map((watch) => watch.table + watch.watcher)).size);
      }
    }),
    { numRuns: 500 },
  );
});

describe('the firing table of zookeeper.md 1.9', () => {
  const c = {
    created: EventType.nodeCreated,
    deleted: EventType.nodeDeleted,
    data: EventType.nodeDataChanged,
    children: EventType.nodeChildrenChanged,
  };

  test.each<[WatchKind, string, WatchChange, EventType | undefined]>([
    ['data', '/a/b', 'created', c.created],
    ['exist', '/a/b', 'created', c.created],
    ['child', '/a/b', 'created', undefined],
    ['child', '/a', 'created', c.children],
    ['data', '/a', 'created', undefined],
    ['data', '/a/b', 'deleted', c.deleted],
    ['exist', '/a/b', 'deleted', c.deleted],
    ['child', '/a/b', 'deleted', c.deleted],
    ['child', '/a', 'deleted', c.children],
    ['exist', '/a', 'deleted', undefined],
    ['data', '/a/b', 'dataChanged', c.data],
    ['exist', '/a/b', 'dataChanged', c.data],
    ['child', '/a/b', 'dataChanged', undefined],
    ['child', '/a', 'dataChanged', undefined],
  ])('a %s watch on %s, when /a/b is %s', (watchKind, watched, change, type) => {
    const table = new WatchTable<string>();
    table.add(watchKind, watched, 'w');
    expect(table.trigger(change, '/a/b')).toEqual(type === undefined ? [] : [{ watcher: 'w', type, path: watched }]);
    expect(table.watchCount).toBe(type === undefined ? 1 : 0);
    expect(table.trigger(change, '/a/b')).toEqual([]);
  });

  test('a deletion tells a watcher once, and takes its child watch too', () => {
    const table = new WatchTable<string>();
    table.add('exist', '/a', 'both');
    table.add('child', '/a', 'both');
    table.add('child', '/a', 'child');
    table.add('child', '/', 'both');
    expect(table.trigger('deleted', '/a')).toEqual([
      { watcher: 'both', type: c.deleted, path: '/a' },
      { watcher: 'child', type: c.deleted, path: '/a' },
      { watcher: 'both', type: c.children, path: '/' },
    ]);
    expect(table.watchCount).toBe(0);
  });
});
