/**
 * `npm run check:model`: every interleaving of a small ensemble of the shipped core, until a property fails or nothing is left (docs/model-checking.md).
 *
 *     npm run check:model                                      all scopes, on two processes
 *     npm run check:model -- --short                           all but the longest, as CI does
 *     npm run check:model -- --servers 3 --txns 2 --crashes 1 --elections 2 [--timeouts 0] [--cuts 0]
 *     npm run check:model -- --from start --servers 2 --dfs --max-states 5000000 [--every-order]
 *     npm run check:model -- --mutants [--only ZK-4646,ZK-4643]     known bugs put back: each has to be found
 *
 * Exit status 1 where a property fails, where a scope is not explored to its end, or where a bug is not found; 2 for a command line that makes no sense.
 */
import { parseArgs } from 'node:util';
import type { Scope } from '@quorate/testkit';
import { bundle, inTemporaryFolder } from './bundle.ts';
import { command, whole } from './command-line.ts';
import { checkMutants } from './model/mutants.ts';
import { line, scopeName } from './model/report.ts';
import { CHILD, type ModelTask, runModel } from './model/run.ts';
import { inParallel } from './parallel.ts';

const NONE = { timeouts: 0, cuts: 0, wipes: 0, beats: 0, handOvers: 0 };
const BASE: Scope = { ...NONE, servers: 3, txns: 1, crashes: 1, elections: 2, from: 'elected', orders: 'one' };

/** The longest first, which CI leaves out. */
const SCOPES: readonly Scope[] = [
  BASE,
  { ...BASE, crashes: 0, from: 'start' },
  { ...BASE, txns: 2, crashes: 0 },
  { ...BASE, txns: 2, crashes: 0, elections: 1, epochTxnsMax: 1 },
  { ...BASE, crashes: 1, elections: 1, wipes: 1, beats: 1 },
  { ...BASE, crashes: 0, elections: 1, handOvers: 1 },
  { ...BASE, crashes: 0, elections: 1, damaged: 2 },
  { ...BASE, servers: 2, txns: 2, timeouts: 1, elections: 2, damaged: 2 },
  { ...BASE, servers: 2, txns: 1, timeouts: 1, elections: 3, from: 'start' },
  { ...BASE, servers: 2, txns: 2, crashes: 2, elections: 4, orders: 'all' },
  { ...BASE, servers: 2, txns: 1, timeouts: 1, elections: 4, orders: 'all' },
  { ...BASE, servers: 2, txns: 2, elections: 4, from: 'start' },
  { ...BASE, servers: 2, txns: 2, elections: 4, orders: 'all' },
];

/** What all scopes together have to meet, so that no property holds for want of an occasion. */
const MUST_HAPPEN = [
  ...['OPEN', 'FOLLOWERINFO', 'LEADERINFO', 'ACKEPOCH', 'DIFF', 'TRUNC', 'SNAP', 'PROPOSAL', 'COMMIT', 'NEWLEADER', 'ACK', 'UPTODATE'],
  ...[
    'HANDOVER',
    'OBSERVERINFO',
    'notify',
    'elect',
    'complete',
    'answer',
    'propose',
    'crash',
    'restart',
    'close',
    'wipe',
    'beat',
    'handOver',
    'vote given back',
    'store mended',
    'MEND',
    'FOUND',
  ],
  ...['timer election', 'timer finalize', 'timer init', 'timer mend', 'timer tick'],
];

/** Options that are always there, and do not say what to explore. */
const HOW = new Set(['dfs', 'short', 'mutants', 'only', 'max-states', 'every-order']);

const JOBS = 2;
const STATES_MAX = 50_000_000;

interface Options {
  readonly tasks: readonly ModelTask[];
  readonly mutants: readonly string[] | undefined;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      servers: { type: 'string' },
      txns: { type: 'string' },
      crashes: { type: 'string' },
      timeouts: { type: 'string' },
      cuts: { type: 'string' },
      elections: { type: 'string' },
      wipes: { type: 'string' },
      damaged: { type: 'string' },
      beats: { type: 'string' },
      'hand-overs': { type: 'string' },
      'epoch-txns': { type: 'string' },
      from: { type: 'string' },
      'every-order': { type: 'boolean', default: false },
      dfs: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      'max-states': { type: 'string', default: String(STATES_MAX) },
      mutants: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  const number = (name: keyof typeof values, otherwise: number, low: number): number => whole(name, String(values[name] ?? otherwise), low);
  const from = values.from ?? BASE.from;
  if (from !== 'start' && from !== 'elected' && from !== 'discovered')
    throw new RangeError(`--from is "start", "elected" or "discovered", not "${from}"`);
  const scope: Scope = {
    servers: number('servers', BASE.servers, 2),
    txns: number('txns', BASE.txns, 0),
    crashes: number('crashes', BASE.crashes, 0),
    timeouts: number('timeouts', BASE.timeouts, 0),
    cuts: number('cuts', BASE.cuts, 0),
    elections: number('elections', BASE.elections, 1),
    wipes: number('wipes', BASE.wipes, 0),
    damaged: number('damaged', 0, 0),
    beats: number('beats', BASE.beats, 0),
    handOvers: number('hand-overs', BASE.handOvers, 0),
    ...(values['epoch-txns'] !== undefined && { epochTxnsMax: number('epoch-txns', 1, 1) }),
    from,
    orders: values['every-order'] ? 'all' : 'one',
  };
  const named = values['every-order'] || Object.keys(values).some((name) => !HOW.has(name));
  const order = values.dfs ? 'depth' : 'breadth';
  const statesMax = number('max-states', STATES_MAX, 1);
  return {
    tasks: (named ? [scope] : values.short ? SCOPES.slice(1) : SCOPES).map((one) => ({ scope: one, order, statesMax })),
    mutants: values.mutants ? values.only.flatMap((list) => list.split(',')) : undefined,
  };
}

/** True where every scope was explored to its end and every property held. */
async function checkScopes(tasks: readonly ModelTask[], folder: string): Promise<boolean> {
  const program = await bundle(CHILD, { folder });
  const live = process.stdout.isTTY === true;
  const happened = new Set<string>();
  let clean = true;
  const check = async (task: ModelTask): Promise<void> => {
    const { scope } = task;
    const outcome = await runModel(program, task, (progress) => {
      if (live) process.stdout.write(`\r${scopeName(scope)}: ${progress.states} states, depth ${progress.depth}   `);
    });
    if (live) process.stdout.write('\r');
    console.log(line(scope, outcome));
    for (const step of outcome.violation?.trace ?? []) console.log(`  ${step}`);
    for (const [kind] of outcome.happened) happened.add(kind);
    if (outcome.violation !== undefined || !outcome.exhausted) clean = false;
  };
  const startedAt = performance.now();
  await inParallel(
    JOBS,
    tasks.map((task) => () => check(task)),
  );
  console.log(`${tasks.length} scopes in ${Math.round((performance.now() - startedAt) / 1000)} s on ${JOBS} processes`);
  const never = MUST_HAPPEN.filter((kind) => !happened.has(kind));
  if (tasks.length < SCOPES.length || never.length === 0) return clean;
  console.log(`never happened: ${never.join(', ')}`);
  return false;
}

await command(async () => {
  const { tasks, mutants } = readOptions();
  return inTemporaryFolder((folder) =>
    mutants === undefined ? checkScopes(tasks, folder) : checkMutants(mutants, { folder, jobs: JOBS }),
  );
});
