/**
 * `npm run test:differential`: random histories of several sessions against Apache ZooKeeper 3.8 and against Quorate, over TCP and through the same bytes.
 * Whatever docs/compatibility.md does not list must be the same: replies, events and their order, how connections end. At the end our tree takes all that
 * theirs has logged, and must have the digest of theirs after each txn.
 *
 *     npm run test:differential -- --runs 500                 needs Debian's zookeeper and default-jre-headless
 *     npm run test:differential -- --runs 500 --servers 3     ours with three servers, whose connections go to each in turn
 *     npm run test:differential -- --seed N [--path P]        a run again; with the path, only what it has found
 *
 * Exit status 1 where something differs, or where a run of 500 and more leaves a cell of the table empty that matters; 2 for a command line that makes no sense.
 */
import { parseArgs } from 'node:util';
import { listen } from '@quorate/node';
import { Ensemble } from 'quorate';
import { command, whole } from './command-line.ts';
import { Apache } from './differential/apache.ts';
import { readLogs } from './differential/apache-log.ts';
import { columns } from './differential/columns.ts';
import { type DifferentialOptions, differential } from './differential/differential.ts';
import { replay } from './differential/replay.ts';
import { emptyCells, report } from './differential/report.ts';
import { SESSION_TIMEOUT_MAX_MS, SESSION_TIMEOUT_MIN_MS, SUPER_DIGEST, TICK_TIME_MS } from './differential/settings.ts';

/** So many histories must fill every cell that matters. */
const RUNS_FOR_ALL_CELLS = 500;

type Options = Omit<DifferentialOptions, 'theirs' | 'ours'> & { readonly servers: number };

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '100' },
      steps: { type: 'string', default: '60' },
      servers: { type: 'string', default: '1' },
      seed: { type: 'string' },
      path: { type: 'string' },
    },
  });
  return {
    runs: whole('runs', values.runs, 1),
    stepsMax: whole('steps', values.steps, 1),
    servers: whole('servers', values.servers, 1),
    seed: values.seed === undefined ? undefined : whole('seed', values.seed, -0x8000_0000),
    path: values.path,
  };
}

async function run(options: Options): Promise<boolean> {
  const apache = await Apache.start();
  const ensemble = await Ensemble.start({
    ...{ servers: options.servers, tickTimeMs: TICK_TIME_MS, superDigest: SUPER_DIGEST, enforceQuota: true },
    ...{ minSessionTimeoutMs: SESSION_TIMEOUT_MIN_MS, maxSessionTimeoutMs: SESSION_TIMEOUT_MAX_MS },
  });
  const listener = await listen(ensemble, { host: '127.0.0.1', port: 0 });
  const started = performance.now();
  let shown = started;
  try {
    const { seed, tally, found } = await differential({
      ...{ ...options, theirs: apache.port, ours: listener.port },
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
      const { compared } = replay(await readLogs(apache.logFolder));
      console.log(`applied to a tree of ours, ${compared} txns of their log came to the digests that stand behind them`);
      return checkCells(emptyCells(tally), options.runs);
    }
    console.log(
      `\nA history differs; again: npm run test:differential -- --steps ${options.stepsMax} --seed ${seed} --path ${found.path}\n`,
    );
    if (!found.again.differs) console.log('It was run once more, and did not differ.');
    for (const line of columns(found.again.laps)) console.log(line);
    return false;
  } finally {
    await listener.close();
    await ensemble.close();
    await apache.stop();
  }
}

function checkCells(empty: readonly string[], runs: number): boolean {
  if (empty.length > 0) console.log(`never met: ${empty.join('; ')}`);
  return empty.length === 0 || runs < RUNS_FOR_ALL_CELLS;
}

await command(async () => run(readOptions()));
