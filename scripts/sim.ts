/**
 * `npm run sim`: simulated ensembles under bad weather, seed after seed, until a property fails or all seeds are done.
 *
 *     npm run sim -- --seeds 1000            seeds 1 to 1000
 *     npm run sim -- --minutes 10            as many as are done in that time
 *     npm run sim -- --seed 42               one seed, twice
 *     npm run sim -- --seed 42 --shrink      and where it fails, with as few faults as possible
 *     npm run sim -- --seeds 100 --from 5000 --servers 5 --level zab --jobs 2
 *     npm run sim -- --log-disks             with the shipped store on every disk
 *
 * Exit status 1 where a seed fails, 2 for a command line that makes no sense.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Level, type SimulationOptions, simulate } from '@quorate/testkit';
import { command, whole } from './command-line.ts';
import { explain, explainShrunk, Tally } from './sim-report.ts';
import { runSeeds } from './sim-seeds.ts';

export interface Options {
  readonly seeds: number;
  readonly minutes: number | undefined;
  readonly seed: number | undefined;
  readonly from: number;
  readonly servers: number | undefined;
  readonly level: Level;
  readonly jobs: number;
  readonly events: number | undefined;
  readonly all: boolean;
  readonly shrink: boolean;
  readonly runMs: number | undefined;
  readonly clients: number | undefined;
  /** Every disk has the shipped store on it. */
  readonly logDisks: boolean;
  readonly onlyFaults: readonly number[] | undefined;
  /** Prints nothing but the trace hash of each seed, for a comparison between engines. */
  readonly hashes: boolean;
}

/** A thousand and more seeds must meet every condition. */
const SEEDS_FOR_ALL_CONDITIONS = 1000;
/** Failures that are told in full; the others are named. */
const FAILURES_EXPLAINED = 3;
/** Seeds of a run that ends by the clock. */
const SEEDS_WITHOUT_END = 1_000_000_000;

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      minutes: { type: 'string' },
      seed: { type: 'string' },
      from: { type: 'string', default: '1' },
      servers: { type: 'string' },
      level: { type: 'string', default: 'server' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      events: { type: 'string' },
      all: { type: 'boolean', default: false },
      shrink: { type: 'boolean', default: false },
      'run-ms': { type: 'string' },
      clients: { type: 'string' },
      'log-disks': { type: 'boolean', default: false },
      faults: { type: 'string' },
      hashes: { type: 'boolean', default: false },
    },
  });
  const { level, minutes } = values;
  if (level !== 'server' && level !== 'zab') throw new RangeError(`--level is "server" or "zab", not "${level}"`);
  if (minutes !== undefined && values.seeds !== undefined) throw new RangeError('a run has an end by --seeds or by --minutes, not by both');
  const endless = minutes === undefined ? 100 : SEEDS_WITHOUT_END;
  return {
    seeds: maybe('seeds', values.seeds, 1) ?? endless,
    minutes: minutes === undefined ? undefined : positive('minutes', minutes),
    seed: maybe('seed', values.seed, 0),
    from: whole('from', values.from, 0),
    servers: maybe('servers', values.servers, 3),
    level,
    jobs: whole('jobs', values.jobs, 1),
    events: maybe('events', values.events, 1),
    all: values.all,
    shrink: values.shrink,
    runMs: maybe('run-ms', values['run-ms'], 1),
    clients: maybe('clients', values.clients, 1),
    logDisks: values['log-disks'],
    onlyFaults: values.faults?.split(',').map((number) => whole('faults', number, 0)),
    hashes: values.hashes,
  };
}

function maybe(name: string, text: string | undefined, low: number): number | undefined {
  return text === undefined ? undefined : whole(name, text, low);
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new RangeError(`--${name} is a number above 0, not "${text}"`);
  return number;
}

function simulationOf(seed: number, { level, servers, runMs, clients, logDisks, onlyFaults }: Options): SimulationOptions {
  return {
    ...{ seed, level, servers },
    ...(onlyFaults !== undefined && { onlyFaults: new Set(onlyFaults) }),
    knobs: { ...(runMs !== undefined && { runMs }), ...(clients !== undefined && { clients }), ...(logDisks && { logDisks }) },
  };
}

/** One seed, twice: it has to do the same again. */
function runOne(seed: number, options: Options): boolean {
  const simulation = simulationOf(seed, options);
  const result = simulate(simulation);
  const repeated = simulate(simulation).traceHash === result.traceHash;
  if (result.violation !== undefined || !repeated) {
    console.log(explain(simulation, result, options));
    if (options.shrink && result.violation !== undefined) console.log(explainShrunk(simulation, result, options));
    return false;
  }
  const { traceHash, virtualMs, committed, faults, inputs } = result;
  console.log(
    `seed ${seed} holds: trace ${traceHash}, twice; ${(virtualMs / 1000).toFixed(1)} virtual s, ${faults} faults, ${committed} txns, ${inputs} inputs`,
  );
  return true;
}

async function runMany(options: Options): Promise<boolean> {
  const { seeds: count, minutes, from, jobs, level, servers } = options;
  const tally = new Tally();
  const live = process.stdout.isTTY === true;
  const total = minutes === undefined ? `${count}` : `${minutes} minutes of`;
  const show = (): void => {
    if (live) process.stdout.write(`\r${tally.progress(total)}   `);
    else console.log(tally.progress(total));
  };
  const timer = setInterval(show, live ? 500 : 10_000);
  const endsAt = minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + minutes * 60_000;
  await runSeeds({
    ...{ from, count, jobs, level, servers },
    goesOn: () => performance.now() < endsAt,
    onOutcome: (outcome) => {
      tally.add(outcome);
      const { failures } = tally;
      const failed = failures[failures.length - 1]?.seed === outcome.seed;
      if (!failed || failures.length > FAILURES_EXPLAINED) return;
      const simulation = simulationOf(outcome.seed, options);
      console.log(explain(simulation, outcome, options));
      if (options.shrink) console.log(explainShrunk(simulation, simulate(simulation), options));
    },
  });
  clearInterval(timer);
  if (live) process.stdout.write('\r');
  return report(tally, options, total);
}

function report(tally: Tally, { jobs, level }: Options, total: string): boolean {
  console.log(`${tally.progress(total)} | ${jobs} processes | ${tally.perCore(jobs)}`);
  console.log(
    `${Math.round(tally.virtualMs / 1000)} virtual seconds, ${tally.faults} faults, ${tally.committed} txns committed, ${tally.repeated} seeds run twice. It happened:`,
  );
  for (const line of tally.sometimes(level)) console.log(line);
  for (const { seed, violation } of tally.failures.slice(FAILURES_EXPLAINED))
    console.log(`seed ${seed} fails too: ${violation?.property ?? 'Determinism'}: ${violation?.message.split('\n')[0] ?? ''}`);
  const never = tally.never(level);
  if (never.length > 0) console.log(`${never.length} conditions were never met`);
  return tally.failures.length === 0 && (never.length === 0 || tally.seeds < SEEDS_FOR_ALL_CONDITIONS);
}

function printHashes({ from, seeds, level, servers }: Options): void {
  for (let seed = from; seed < from + seeds; seed++) console.log(`${level} ${seed} ${simulate({ seed, level, servers }).traceHash}`);
}

await command(async () => {
  const options = readOptions();
  if (!options.hashes) return options.seed === undefined ? runMany(options) : runOne(options.seed, options);
  printHashes(options);
  return true;
});
