/**
 * Watches: setting and firing them in a table of a million, what one of them costs in memory, and one change that 10,000 sessions watch.
 *
 * The baseline is the same pairs of path and watcher in a `Map<string, Set>`, which can tell who watches a path and nothing else: it does not know the paths
 * of a watcher that leaves.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WatchTable } from '@quorate/session';
import { Ensemble } from 'quorate';
import { type Baseline, grouped, median, type Report } from './report.js';
import { watchTurns } from './turns.js';

/** So many paths, each with so many watchers. */
interface Shape {
  readonly name: string;
  readonly paths: readonly string[];
  /** The watchers of a path, by its index. */
  readonly watchersOf: (path: number) => readonly object[];
  readonly watches: number;
}

export interface WatchesOptions {
  readonly rounds: number;
  /** Watches in a table. */
  readonly count: number;
  /** Sessions that watch one znode. */
  readonly sessions: number;
}

export async function benchWatches({ rounds, count, sessions }: WatchesOptions, report: Report): Promise<void> {
  for (const shape of shapes(count)) benchShape(shape, rounds, report);
  await benchFanOut(rounds, sessions, report);
}

/** One change that all sessions of a server watch: from the write to the last event, in the process. */
async function benchFanOut(rounds: number, sessions: number, report: Report): Promise<void> {
  const ensemble = await Ensemble.start({ servers: 1 });
  const writer = await ensemble.connect();
  await writer.create('/watched');
  const clients = await Promise.all(Array.from({ length: sessions }, () => ensemble.connect()));
  const rates: number[] = [];
  const turns: number[] = [];
  for (let round = 0; round < rounds; round++) {
    let left = sessions;
    let told = (): void => {};
    const allTold = new Promise<void>((resolve) => {
      told = resolve;
    });
    const watch = (): void => {
      left--;
      if (left === 0) told();
    };
    await Promise.all(clients.map((client) => client.getData('/watched', { watch })));
    const longestTurn = watchTurns();
    const start = performance.now();
    await Promise.all([writer.setData('/watched', 'x'), allTold]);
    rates.push((sessions * 1000) / (performance.now() - start));
    turns.push(await longestTurn());
  }
  await ensemble.close();
  const baseline: Baseline = { name: 'a callback for each, in turns of their own', perSecond: await callbacksPerSecond(sessions) };
  report.heading(`Watches: one change for ${grouped(sessions)} sessions of a server in the process`, baseline);
  report.rate('events delivered', median(rates), baseline);
  console.log(`  ${median(turns).toFixed(1)} ms the longest turn of the event loop`);
}

async function callbacksPerSecond(count: number): Promise<number> {
  const start = performance.now();
  await Promise.all(Array.from({ length: count }, () => new Promise<void>((resolve) => setImmediate(resolve))));
  return (count * 1000) / (performance.now() - start);
}

function shapes(count: number): Shape[] {
  const side = Math.round(Math.sqrt(count));
  const many = Array.from({ length: count }, () => ({}));
  const few = many.slice(0, side);
  const one = many.slice(0, 1);
  return [
    { name: `${grouped(count)} paths, one watcher for all`, paths: pathsOf(count), watchersOf: () => one, watches: count },
    {
      name: `${grouped(side)} paths, the same ${grouped(side)} watchers each`,
      paths: pathsOf(side),
      watchersOf: () => few,
      watches: side * side,
    },
    {
      name: `${grouped(count)} paths, a watcher of its own each`,
      paths: pathsOf(count),
      watchersOf: (path) => [many[path] as object],
      watches: count,
    },
  ];
}

function benchShape({ name, paths, watchersOf, watches }: Shape, rounds: number, report: Report): void {
  const lists = paths.map((_, path) => watchersOf(path));
  const rates = { twinAdd: [] as number[], twinFire: [] as number[], add: [] as number[], fire: [] as number[] };
  let bytes = 0;
  let twinBytes = 0;
  for (let round = 0; round < rounds; round++) {
    const twin = new Map<string, Set<object>>();
    let empty = usedBytes();
    rates.twinAdd.push(watches / seconds(() => eachPair(paths, lists, (path, watcher) => addTo(twin, path, watcher))));
    twinBytes = (usedBytes() - empty) / watches;
    rates.twinFire.push(watches / seconds(() => fireTwin(twin, paths, watches)));

    const table = new WatchTable<object>();
    empty = usedBytes();
    rates.add.push(watches / seconds(() => eachPair(paths, lists, (path, watcher) => table.add('data', path, watcher))));
    bytes = (usedBytes() - empty) / watches;
    rates.fire.push(watches / seconds(() => fireTable(table, paths, watches)));
  }
  const setting: Baseline = { name: 'a Map of path to Set, filled', perSecond: median(rates.twinAdd) };
  report.heading(`Watches: ${name}`, setting);
  report.rate('set', median(rates.add), setting);
  const firing: Baseline = { name: 'the Map, each Set taken and walked over', perSecond: median(rates.twinFire) };
  report.heading(`Watches: ${name}`, firing);
  report.rate('fired', median(rates.fire), firing);
  console.log(`  ${bytes.toFixed(0)} B per watch, ${twinBytes.toFixed(0)} B in the Map; paths and watchers not counted`);
}

function eachPair(paths: readonly string[], lists: readonly (readonly object[])[], take: (path: string, watcher: object) => void): void {
  for (let i = 0; i < paths.length; i++) for (const watcher of lists[i] as readonly object[]) take(paths[i] as string, watcher);
}

function addTo(twin: Map<string, Set<object>>, path: string, watcher: object): void {
  const watchers = twin.get(path);
  if (watchers === undefined) twin.set(path, new Set([watcher]));
  else watchers.add(watcher);
}

function fireTwin(twin: Map<string, Set<object>>, paths: readonly string[], expected: number): void {
  let fired = 0;
  for (const path of paths) {
    const watchers = twin.get(path) as Set<object>;
    twin.delete(path);
    for (const watcher of watchers) if (watcher !== undefined) fired++;
  }
  if (fired !== expected) throw new Error('watches were lost');
}

function fireTable(table: WatchTable<object>, paths: readonly string[], expected: number): void {
  let fired = 0;
  for (const path of paths)
    for (const { watchers } of table.trigger('dataChanged', path)) for (const watcher of watchers) if (watcher !== undefined) fired++;
  if (fired !== expected || table.watchCount !== 0) throw new Error('watches were lost');
}

function pathsOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `/services/group-${i % 1000}/node-${i}`);
}

function seconds(task: () => void): number {
  const start = performance.now();
  task();
  return (performance.now() - start) / 1000;
}

/** Bytes on the heap that something refers to. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return getHeapStatistics().used_heap_size + getHeapStatistics().external_memory;
}
