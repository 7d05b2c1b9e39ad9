/**
 * `npm run test:differential`: random histories of several sessions against Apache ZooKeeper 3.8 and against Quorate, over TCP and through the same bytes.
 * Whatever docs/compatibility.md does not list must be the same: replies, events and their order, how connections end. At the end our tree takes all that
 * theirs has logged, and must have the digest of theirs after each txn.
 *
 *     npm run test:differential -- --runs 500                 needs Debian's zookeeper and default-jre-headless
 *     npm run test:differential -- --runs 500 --servers 3     three servers each; sessions begin at all of them and move
 *     npm run test:differential -- --runs 500 --servers 3 --alone    the same against one of theirs
 *     npm run test:differential -- --runs 500 --model         against a model in Apache's place, without Java, ports or real time
 *     npm run test:differential -- --seed N [--path P]        a run again; with the path, only what it has found
 *
 * A history has up to so many steps (`--steps 60`), and one that differs is made smaller by so many further runs at most (`--shrinks 500`).
 *
 * Exit status 1 where something differs, or where a run of 500 and more leaves a cell of the table empty that matters; 2 for a command line that makes no sense.
 */
import { parseArgs } from 'node:util';
import { VirtualClock } from 'quorate';
import { command, whole } from './command-line.ts';
import { type StartedApache, startApache } from './differential/apache.ts';
import { readLogs } from './differential/apache-log.ts';
import { columns } from './differential/columns.ts';
import { type DifferentialOptions, differential } from './differential/differential.ts';
import { startHeartbeat } from './differential/heartbeat.ts';
import { KNOWN } from './differential/known-differences.ts';
import { startModel } from './differential/model.ts';
import { type Started, startOurs, startVirtual } from './differential/ours.ts';
import { replay } from './differential/replay.ts';
import { emptyCells, report } from './differential/report.ts';
import type { Way } from './differential/way.ts';

/** So many histories must fill every cell that matters. */
const RUNS_FOR_ALL_CELLS = 500;

interface Options extends Pick<DifferentialOptions, 'runs' | 'stepsMax' | 'shrinksMax' | 'seed' | 'path'> {
  readonly servers: number;
  /** Theirs is one server, whatever ours is. */
  readonly alone: boolean;
  readonly model: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '100' },
      steps: { type: 'string', default: '60' },
      servers: { type: 'string', default: '1' },
      model: { type: 'boolean', default: false },
      alone: { type: 'boolean', default: false },
      shrinks: { type: 'string', default: '500' },
      seed: { type: 'string' },
      path: { type: 'string' },
    },
  });
  return {
    runs: whole('runs', values.runs, 1),
    stepsMax: whole('steps', values.steps, 1),
    servers: whole('servers', values.servers, 1),
    model: values.model,
    alone: values.alone,
    shrinksMax: whole('shrinks', values.shrinks, 0),
    seed: values.seed === undefined ? undefined : whole('seed', values.seed, -0x8000_0000),
    path: values.path,
  };
}

interface Contestants {
  readonly theirs: Started;
  readonly ours: Started;
  /** Where theirs logs its txns, if it does. */
  readonly logFolder?: string;
}

async function start({ servers, alone, model }: Options): Promise<Contestants> {
  if (!model) {
    const apache = await startAwake(alone ? 1 : servers);
    const theirs = { ...apache, ways: Array.from({ length: servers }, (_, i) => apache.ways[i % apache.ways.length] as Way) };
    return { theirs, ours: await startOurs(servers), logFolder: apache.logFolder };
  }
  const clock = new VirtualClock();
  return { theirs: startModel(servers, clock), ours: await startVirtual(servers, clock) };
}

/** So many of theirs, kept awake where they are more than one. */
async function startAwake(servers: number): Promise<StartedApache> {
  const apache = await startApache(servers);
  if (servers === 1) return apache;
  const heartbeats = await Promise.all(apache.ways.map(startHeartbeat));
  return {
    ...apache,
    close() {
      for (const heartbeat of heartbeats) heartbeat.stop();
      return apache.close();
    },
  };
}

async function run(options: Options): Promise<boolean> {
  const { theirs, ours, logFolder } = await start(options);
  const started = performance.now();
  let shown = started;
  try {
    const { seed, tally, found } = await differential({
      ...{ ...options, theirs: theirs.ways, ours: ours.ways },
      // The model answers as we do.
      known: options.model ? [] : KNOWN,
      onHistory({ histories, steps }) {
        if (performance.now() < shown + 10_000) return;
        shown = performance.now();
        console.log(`${histories} of ${options.runs} histories, ${steps} steps`);
      },
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`seed ${seed}: ${tally.histories} histories, ${tally.steps} steps in ${seconds} s`);
    for (const line of report(tally)) console.log(line);
    if (found === undefined) {
      if (logFolder !== undefined) await replayLog(logFolder);
      return checkCells(emptyCells(tally), options.runs);
    }
    const again = `--steps ${options.stepsMax} --servers ${options.servers}${options.model ? ' --model' : ''}${options.alone ? ' --alone' : ''} --seed ${seed} --path ${found.path}`;
    console.log(`\nA history differs; again: npm run test:differential -- ${again}\n`);
    if (!found.again.differs) console.log('It was run once more, and did not differ.');
    for (const line of columns(found.outcome.laps, options.model ? 'model' : undefined)) console.log(line);
    return false;
  } finally {
    await ours.close();
    await theirs.close();
  }
}

async function replayLog(folder: string): Promise<void> {
  const { compared } = replay(await readLogs(folder));
  console.log(`applied to a tree of ours, ${compared} txns of their log came to the digests that stand behind them`);
}

function checkCells(empty: readonly string[], runs: number): boolean {
  if (empty.length > 0) console.log(`never met: ${empty.join('; ')}`);
  return empty.length === 0 || runs < RUNS_FOR_ALL_CELLS;
}

await command(async () => run(readOptions()));
