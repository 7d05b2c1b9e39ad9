/**
 * `npm run sim`: simulated ensembles under bad weather, seed after seed, until a property fails or all seeds are done.
 *
 *     npm run sim -- --seeds 1000            seeds 1 to 1000
 *     npm run sim -- --seed 42               one seed, twice
 *     npm run sim -- --seeds 100 --from 5000 --servers 5 --level zab --jobs 2
 *
 * Exit status 1 where a seed fails, 2 for a command line that makes no sense.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Level, simulate } from '@quorate/testkit';
import { explain, Tally } from './sim-report.ts';
import { runSeeds } from './sim-seeds.ts';

interface Options {
  readonly seeds: number;
  readonly seed: number | undefined;
  readonly from: number;
  readonly servers: number | undefined;
  readonly level: Level;
  readonly jobs: number;
  readonly events: number | undefined;
  readonly all: boolean;
}

/** A thousand and more seeds must meet every condition. */
const SEEDS_FOR_ALL_CONDITIONS = 1000;
/** Failures that are told in full; the others are named. */
const FAILURES_EXPLAINED = 3;

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      seed: { type: 'string' },
      from: { type: 'string', default: '1' },
      servers: { type: 'string' },
      level: { type: 'string', default: 'server' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      events: { type: 'string' },
      all: { type: 'boolean', default: false },
    },
  });
  const whole = (name: string, text: string, low: number): number => {
    const number = Number(text);
    if (!Number.isInteger(number) || number < low) throw new RangeError(`--${name} is a whole number from ${low}, not "${text}"`);
    return number;
  };
  const maybe = (name: string, text: string | undefined, low: number): number | undefined =>
    text === undefined ? undefined : whole(name, text, low);
  const { level } = values;
  if (level !== 'server' && level !== 'zab') throw new RangeError(`--level is "server" or "zab", not "${level}"`);
  return {
    seeds: whole('seeds', values.seeds, 1),
    seed: maybe('seed', values.seed, 0),
    from: whole('from', values.from, 0),
    servers: maybe('servers', values.servers, 1),
    level,
    jobs: whole('jobs', values.jobs, 1),
    events: maybe('events', values.events, 1),
    all: values.all,
  };
}

/** One seed, twice: it has to do the same again. */
function runOne(seed: number, options: Options): boolean {
  const { level, servers } = options;
  const result = simulate({ seed, level, servers });
  const repeated = simulate({ seed, level, servers }).traceHash === result.traceHash;
  if (result.violation !== undefined || !repeated) {
    console.log(explain({ ...result, repeated }, options));
    return false;
  }
  const { traceHash, virtualMs, committed, faults, inputs } = result;
  console.log(
    `seed ${seed} holds: trace ${traceHash}, twice; ${(virtualMs / 1000).toFixed(1)} virtual s, ${faults} faults, ${committed} txns, ${inputs} inputs`,
  );
  return true;
}

async function runMany(options: Options): Promise<boolean> {
  const { seeds: count, from, jobs, level, servers } = options;
  const tally = new Tally();
  const live = process.stdout.isTTY === true;
  const show = (): void => {
    if (live) process.stdout.write(`\r${tally.progress(count)}   `);
    else console.log(tally.progress(count));
  };
  const timer = setInterval(show, live ? 500 : 10_000);
  await runSeeds({
    ...{ from, count, jobs, level, servers },
    onOutcome: (outcome) => {
      tally.add(outcome);
      const { failures } = tally;
      const failed = failures[failures.length - 1]?.seed === outcome.seed;
      if (failed && failures.length <= FAILURES_EXPLAINED) console.log(explain(outcome, options));
    },
  });
  clearInterval(timer);
  if (live) process.stdout.write('\r');
  console.log(`${tally.progress(count)} | ${jobs} processes`);
  console.log(
    `${Math.round(tally.virtualMs / 1000)} virtual seconds, ${tally.faults} faults, ${tally.committed} txns committed. It happened:`,
  );
  for (const line of tally.sometimes(level)) console.log(line);
  for (const { seed, violation } of tally.failures.slice(FAILURES_EXPLAINED))
    console.log(`seed ${seed} fails too: ${violation?.property ?? 'Determinism'}: ${violation?.message.split('\n')[0] ?? ''}`);
  const never = tally.never(level);
  if (never.length > 0) console.log(`${never.length} conditions were never met`);
  return tally.failures.length === 0 && (never.length === 0 || count < SEEDS_FOR_ALL_CONDITIONS);
}

try {
  const options = readOptions();
  const clean = options.seed === undefined ? await runMany(options) : runOne(options.seed, options);
  process.exitCode = clean ? 0 : 1;
} catch (error) {
  if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
