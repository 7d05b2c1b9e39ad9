/**
 * `npm run bench:compare`: Apache ZooKeeper and Quorate under the same load in turns: a server of each without a disk, or three of each with their files on the disk, and a process for each server.
 *
 *     npm run bench:compare -- --quick            a look, 8 sessions with 100 requests outstanding each
 *     npm run bench:compare -- read create        only these works, of read, write, create and mixed
 *     npm run bench:compare -- --durable          three servers of each; also how soon they write after their start, and after the loss of their leader
 *     npm run bench:compare -- --load 8x16 --load 1x1 --rounds 9 --seconds 3 --json FILE
 *
 * Needs Debian's zookeeper and default-jre-headless.
 */
import { parseArgs } from 'node:util';
import { command, whole } from '../../scripts/command-line.ts';
import {
  type Contestant,
  furnish,
  LoadGenerator,
  startApache,
  startDurableApache,
  startDurableOurs,
  startOurs,
} from './compare/contestants.js';
import { type Lifetime, lifetimeOfApache, lifetimeOfOurs } from './compare/lifetimes.js';
import { type Load, type LoadResult, type Work, works } from './compare/order.js';
import { type Cost, median, Report } from './report.js';

const ALL_LOADS = ['8x100', '8x16', '1x1'];

/** Each server gets this much of the first load before anything is measured: Java's compiler takes seconds. */
const FIRST_WARMUP_MS = 5_000;
const FIRST_WARMUP_QUICK_MS = 1_000;

interface Options {
  readonly works: readonly Work[];
  readonly loads: readonly Load[];
  readonly rounds: number;
  readonly warmupMs: number;
  readonly timeMs: number;
  readonly firstWarmupMs: number;
  readonly json: string | undefined;
  /** Three servers of each, with their files on the disk. */
  readonly durable: boolean;
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      load: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      json: { type: 'string' },
      durable: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const { quick, load = quick ? ['8x100'] : ALL_LOADS, rounds = quick ? '3' : '5' } = values;
  const timeMs = values.seconds === undefined ? (quick ? 500 : 2_000) : whole('seconds', values.seconds, 1) * 1_000;
  const all = Object.keys(works) as Work[];
  const unknown = positionals.find((name) => !all.includes(name as Work));
  if (unknown !== undefined) throw new RangeError(`there is no work '${unknown}'; there are ${all.join(', ')}`);
  return {
    works: positionals.length === 0 ? all : (positionals as Work[]),
    loads: load.map(readLoad),
    rounds: whole('rounds', rounds, 1),
    warmupMs: timeMs / 4,
    timeMs,
    firstWarmupMs: quick ? FIRST_WARMUP_QUICK_MS : FIRST_WARMUP_MS,
    json: values.json,
    durable: values.durable,
  };
}

function readLoad(text: string): Load {
  const [sessions, outstanding] = (/^(\d+)x(\d+)$/.exec(text)?.slice(1) ?? []).map(Number);
  if (!sessions || !outstanding) throw new RangeError(`--load is sessions x outstanding, like 8x100, not "${text}"`);
  return { sessions, outstanding };
}

async function compare(options: Options): Promise<boolean> {
  const contestants: Contestant[] = [];
  const generator = new LoadGenerator();
  try {
    for (const start of options.durable ? [startDurableApache, startDurableOurs] : [startApache, startOurs])
      contestants.push(await start());
    for (const contestant of contestants) await furnish(contestant);
    console.log(
      `Node ${process.versions.node}. Rates are medians of ${options.rounds} rounds in turns; only ratios within a run mean something.`,
    );
    const report = new Report();
    for (const load of options.loads)
      for (const work of options.works) await measure({ work, load, options, contestants, generator, report });
    if (options.durable) await measureLifetimes(options.rounds, report);
    if (options.json !== undefined) report.save(options.json);
    return true;
  } finally {
    await Promise.all([generator, ...contestants].map((running) => running.close()));
  }
}

interface Measurement {
  readonly work: Work;
  readonly load: Load;
  readonly options: Options;
  readonly contestants: readonly Contestant[];
  readonly generator: LoadGenerator;
  readonly report: Report;
}

/** A B A B, so that whatever else the machine does falls on both. */
async function measure({ work, load, options, contestants, generator, report }: Measurement): Promise<void> {
  const { rounds, warmupMs, timeMs, firstWarmupMs } = options;
  const results: LoadResult[][] = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { ports, pids }] of contestants.entries()) {
      const order = { ports, pids, work, ...load, timeMs, warmupMs: round === 0 ? firstWarmupMs : warmupMs };
      results[index]?.push(await generator.run(order));
    }
  }
  const [theirs, ours] = results as [LoadResult[], LoadResult[]];
  const [{ name: theirName }, { name: ourName }] = contestants as [Contestant, Contestant];
  const baseline = { name: theirName, ...summary(theirs) };
  report.heading(`${works[work]}, 100 B, ${load.sessions} × ${load.outstanding}`, baseline);
  const ratios = ours.map(({ perSecond }, round) => perSecond / (theirs[round] as LoadResult).perSecond);
  const { perSecond, cost } = summary(ours);
  const rates = ours.map((result) => result.perSecond);
  report.rate(ourName, perSecond, baseline, { ...spread(rates), timesBaseline: median(ratios), times: spread(ratios), cost });
}

async function measureLifetimes(rounds: number, report: Report): Promise<void> {
  const theirs: Lifetime[] = [];
  const ours: Lifetime[] = [];
  for (let round = 0; round < rounds; round++) {
    theirs.push(await lifetimeOfApache());
    ours.push(await lifetimeOfOurs());
  }
  for (const [key, title] of [
    ['bootMs', 'three processes started to first write'] as const,
    ['failoverMs', 'leader killed to first write'] as const,
  ]) {
    console.log(`\n${title}`);
    for (const [name, lifetimes] of [['Apache ZooKeeper 3.8.0', theirs] as const, ['Quorate', ours] as const])
      report.amount(`${name}, median of ${rounds}`, median(lifetimes.map((lifetime) => lifetime[key])), 'ms');
    const ratios = ours.map((lifetime, round) => lifetime[key] / (theirs[round] as Lifetime)[key]);
    const { low, high } = spread(ratios);
    console.log(`  ${median(ratios).toPrecision(2)} of theirs (${low.toPrecision(2)} to ${high.toPrecision(2)})`);
  }
}

function summary(results: readonly LoadResult[]): { perSecond: number; cost: Cost } {
  const middle = (key: keyof LoadResult): number => median(results.map((result) => result[key]));
  return { perSecond: middle('perSecond'), cost: { p50Ms: middle('p50Ms'), p99Ms: middle('p99Ms'), cpuUs: middle('cpuUs') } };
}

function spread(values: readonly number[]): { low: number; high: number } {
  return { low: Math.min(...values), high: Math.max(...values) };
}

await command(() => compare(readOptions()));
