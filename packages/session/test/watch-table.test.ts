import { EventType } from '@quorate/protocol';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { type WatchChange, type WatchFiring, type WatchKind, WatchTable } from '../src/index.js';

const PATHS = ['/', '/a', '/a/b', '/a/b/c', '/a/c', '/ab'];
const KINDS: readonly WatchKind[] = ['data', 'exist', 'child', 'persistent', 'recursive'];
const WATCHERS = ['w0', 'w1', 'w2', 'w3'];

type Table = Exclude<WatchKind, 'exist'>;
const tableOf = (kind: WatchKind): Table => (kind === 'exist' ? 'data' : kind);

interface ModelWatch {
  readonly table: Table;
  readonly path: string;
  readonly watcher: string;
}

/** An event for one watcher. */
interface Event {
  readonly watcher: string;
  readonly type: EventType;
  readonly path: string;
}

/** What a table fires, one watcher after the other. */
const eachOf = (firings: readonly WatchFiring<string>[]): Event[] =>
  firings.flatMap(({ type, path, watchers }) => watchers.map((watcher) => ({ watcher, type, path })));

/** Watches as a list of triples, searched from end to end: of each table what matches, one after the other. */
class WatchModel {
  watches: ModelWatch[] = [];

  has(kind: WatchKind, path: string, watcher: string): boolean {
    return this.watches.some((one) => one.table === tableOf(kind) && one.path === path && one.watcher === watcher);
  }

  add(kind: WatchKind, path: string, watcher: string): void {
    if (!this.has(kind, path, watcher)) this.watches.push({ table: tableOf(kind), path, watcher });
  }

  remove(kind: WatchKind, path: string, watcher: string): boolean {
    const had = this.has(kind, path, watcher);
    this.watches = this.watches.filter((one) => one.table !== tableOf(kind) || one.path !== path || one.watcher !== watcher);
    return had;
  }

  trigger(change: WatchChange, path: string): Event[] {
    const parent = path.split('/').slice(0, -1).join('/') || '/';
    const above = (one: ModelWatch) => one.path === '/' || path === one.path || path.startsWith(`${one.path}/`);
    const ofData = this.take([
      (one) => one.table === 'data' && one.path === path,
      (one) => one.table === 'persistent' && one.path === path,
      ...['/a/b/c', '/a/b', '/a/c', '/a', '/ab', '/'].map(
        (at) => (one: ModelWatch) => one.table === 'recursive' && one.path === at && above(one),
      ),
    ]);
    const ofChild = (at: string) =>
      this.take([(one) => one.table === 'child' && one.path === at, (one) => one.table === 'persistent' && one.path === at]);
    const tell = (watchers: string[], type: EventType, at: string) => watchers.map((watcher) => ({ watcher, type, path: at }));
    if (change === 'dataChanged') return tell(ofData, EventType.nodeDataChanged, path);
    if (change === 'created')
      return [...tell(ofData, EventType.nodeCreated, path), ...tell(ofChild(parent), EventType.nodeChildrenChanged, parent)];
    const others = ofChild(path).filter((watcher) => !ofData.includes(watcher));
    return [...tell([...ofData, ...others], EventType.nodeDeleted, path), ...tell(ofChild(parent), EventType.nodeChildrenChanged, parent)];
  }

  /** Each watcher once, in the order of the questions and then of the list; standard watches go. */
  private take(matches: ((one: ModelWatch) => boolean)[]): string[] {
    const fired = matches.flatMap((match) => this.watches.filter(match));
    this.watches = this.watches.filter((one) => !fired.includes(one) || one.table === 'persistent' || one.table === 'recursive');
    return [...new Set(fired.map(({ watcher }) => watcher))];
  }
}

const path = fc.constantFrom(...PATHS);
const belowRoot = fc.constantFrom(...PATHS.slice(1));
const watcher = fc.constantFrom(...WATCHERS);
const kind = fc.constantFrom(...KINDS);
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
          expect(eachOf(table.trigger(one.change, one.path))).toEqual(model.trigger(one.change, one.path));
        } else {
          table.removeWatcher(one.watcher);
          model.watches = model.watches.filter((watch) => watch.watcher !== one.watcher);
        }
        expect(WATCHERS.every((w) => KINDS.every((k) => PATHS.every((p) => table.has(k, p, w) === model.has(k, p, w))))).toBe(true);
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
    expect(eachOf(table.trigger(change, '/a/b'))).toEqual(type === undefined ? [] : [{ watcher: 'w', type, path: watched }]);
    expect(table.watchCount).toBe(type === undefined ? 1 : 0);
    expect(eachOf(table.trigger(change, '/a/b'))).toEqual([]);
  });

  test('a deletion tells a watcher once, and takes its child watch too', () => {
    const table = new WatchTable<string>();
    table.add('exist', '/a', 'both');
    table.add('child', '/a', 'both');
    table.add('child', '/a', 'child');
    table.add('child', '/', 'both');
    expect(eachOf(table.trigger('deleted', '/a'))).toEqual([
      { watcher: 'both', type: c.deleted, path: '/a' },
      { watcher: 'child', type: c.deleted, path: '/a' },
      { watcher: 'both', type: c.children, path: '/' },
    ]);
    expect(table.watchCount).toBe(0);
  });

  test.each<[WatchKind, string, WatchChange, readonly (readonly [EventType, string])[]]>([
    ['persistent', '/a/b', 'created', [[c.created, '/a/b']]],
    ['persistent', '/a', 'created', [[c.children, '/a']]],
    ['persistent', '/a/b', 'deleted', [[c.deleted, '/a/b']]],
    ['persistent', '/a', 'deleted', [[c.children, '/a']]],
    ['persistent', '/a/b', 'dataChanged', [[c.data, '/a/b']]],
    ['persistent', '/a', 'dataChanged', []],
    ['persistent', '/', 'created', []],
    ['recursive', '/a/b', 'created', [[c.created, '/a/b']]],
    ['recursive', '/a', 'created', [[c.created, '/a/b']]],
    ['recursive', '/', 'deleted', [[c.deleted, '/a/b']]],
    ['recursive', '/a', 'dataChanged', [[c.data, '/a/b']]],
    ['recursive', '/a/b/c', 'dataChanged', []],
    ['recursive', '/a/bc', 'deleted', []],
  ])('a %s watch on %s, when /a/b is %s, and each time again', (watchKind, watched, change, events) => {
    const table = new WatchTable<string>();
    table.add(watchKind, watched, 'w');
    for (let time = 0; time < 2; time++)
      expect(eachOf(table.trigger(change, '/a/b'))).toEqual(events.map(([type, path]) => ({ watcher: 'w', type, path })));
    expect(table.watchCount).toBe(1);
  });

  test('a watcher is told once of what several of its watches match, and only standard ones go', () => {
    const table = new WatchTable<string>();
    for (const watchKind of KINDS) table.add(watchKind, '/a', 'w');
    table.add('recursive', '/', 'w');
    expect(eachOf(table.trigger('dataChanged', '/a'))).toEqual([{ watcher: 'w', type: c.data, path: '/a' }]);
    expect(table.has('data', '/a', 'w')).toBe(false);
    expect(eachOf(table.trigger('deleted', '/a'))).toEqual([{ watcher: 'w', type: c.deleted, path: '/a' }]);
    expect(table.has('child', '/a', 'w')).toBe(false);
    expect(table.watchCount).toBe(3);
  });
});

describe('what a change and a leaving watcher cost, in look-ups of a map', () => {
  /** Watches of one kind below /other, each by a watcher of its own. */
  function tableWith(kind: WatchKind, count: number): WatchTable<string> {
    const table = new WatchTable<string>();
    for (let i = 0; i < count; i++) table.add(kind, `/other/${i}`, `watcher-${i}`);
    return table;
  }

  function lookUps(task: () => void): number {
    const methods = (['get', 'set', 'delete'] as const).map((name) => vi.spyOn(Map.prototype, name));
    task();
    const count = methods.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    for (const method of methods) method.mockRestore();
    return count;
  }

  test('recursive watches are found by the ancestors of a path, however many there are', () => {
    const cost = (watches: number, depth: number) => {
      const table = tableWith('recursive', watches);
      return lookUps(() => table.trigger('dataChanged', '/a'.repeat(depth)));
    };
    expect(cost(10_000, 5)).toBe(cost(1, 5));
    expect(cost(10_000, 50) - cost(10_000, 5)).toBe(45);
  });

  test.each<WatchKind>(['data', 'child', 'persistent', 'recursive'])('a watcher leaves at the cost of its own watches: %s', (watchKind) => {
    const cost = (others: number, own: number) => {
      const table = tableWith(watchKind, others);
      for (let i = 0; i < own; i++) table.add(watchKind, `/own/${i}`, 'leaver');
      return lookUps(() => table.removeWatcher('leaver'));
    };
    expect(cost(10_000, 3)).toBe(cost(0, 3));
    expect(cost(100, 30)).toBeLessThanOrEqual(cost(100, 3) * 10);
  });
});
