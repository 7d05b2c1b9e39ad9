/**
 * `npm run test:crash`: servers in processes of their own, on disk and with TLS between them, which are killed by kill -9 under load, one, a quorum or all, and start again by themselves.
 *
 *     npm run test:crash                          1,000 rounds
 *     npm run test:crash -- --rounds 25           what CI does
 *     npm run test:crash -- --rounds 50 --seed 7
 *     npm run test:crash -- --trace               no kills: the system calls of three servers, in their order; needs Linux and strace
 *     npm run test:crash -- --mutants             bugs put in: each has to be found; with --trace those that only system calls show
 *
 * Exit status 1 where something acknowledged is lost, a number goes back, a session ends, a server does not serve again, or the trees differ; 2 for a command line that makes no sense.
 */
import { parseArgs } from 'node:util';
import { Authority } from '../packages/node/test/support/certificates.ts';
import { bundle, inTemporaryFolder } from './bundle.ts';
import { command, whole } from './command-line.ts';
import { foundEnsemble, PROGRAM } from './crash/ensemble.ts';
import { FLUSH_MUTANTS, MUTANTS } from './crash/mutants.ts';
import { type RoundsOptions, type RoundsResult, runRounds } from './crash/rounds.ts';
import { traceWrites } from './crash/trace.ts';
import { tryMutants } from './mutants/try-servers.ts';

const SERVERS = 3;
const TICK_TIME_MS = 200;
const ROUNDS_PER_LINE = 50;
const FAULTS_SHOWN = 10;
const SETTINGS: readonly string[] = [
  `tickTime=${TICK_TIME_MS}`,
  // A busy machine must not end an ensemble.
  ...['initLimit=50', 'syncLimit=20'],
  'maxSessionTimeout=60000',
  // So that there are many snapshots.
  'snapCount=2000',
];

type Plan = Omit<RoundsOptions, 'servers'>;

async function crash(program: string, plan: Plan): Promise<RoundsResult> {
  return inTemporaryFolder(async (folder) => {
    const authority = await Authority.found('the ensemble');
    const tls = () => authority.issue('127.0.0.1');
    const servers = await foundEnsemble({ program, folder, servers: SERVERS, settings: SETTINGS, tls });
    try {
      return await runRounds({ ...plan, servers });
    } finally {
      await Promise.all(servers.map((server) => server.kill()));
    }
  });
}

async function tryServers(program: string, plan: Plan): Promise<boolean> {
  const result = await crash(program, plan);
  const { rounds, acknowledged, unknown, restartsMs, faults, hash } = result;
  const times = restartsMs.toSorted((a, b) => a - b);
  const at = (share: number): string => `${Math.round(times[Math.floor(share * (times.length - 1))] ?? 0)}`;
  console.log(`seed ${plan.seed}: ${rounds} rounds, ${acknowledged} writes acknowledged, ${unknown} unknown`);
  console.log(`${times.length} restarts until served: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms`);
  if (hash !== undefined) console.log(`all trees: ${hash}`);
  for (const fault of faults) console.log(`WRONG in round ${rounds + 1}: ${fault}`);
  return faults.length === 0;
}

async function tryTrace(program: string): Promise<boolean> {
  const { modes, writes, faults } = await inTemporaryFolder((folder) => traceWrites(program, folder));
  console.log(`${modes.join(', ')}: ${writes} writes followed, ${faults.length} wrong`);
  for (const fault of faults.slice(0, FAULTS_SHOWN)) console.log(`WRONG: ${fault}`);
  return faults.length === 0;
}

await command(async () => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      trace: { type: 'boolean', default: false },
      mutants: { type: 'boolean', default: false },
    },
  });
  const plan: Plan = {
    rounds: whole('rounds', values.rounds, 1),
    seed: whole('seed', values.seed, 0),
    onRound: (round) => {
      if (round % ROUNDS_PER_LINE === 0) console.log(`${round} rounds`);
    },
  };
  return inTemporaryFolder(async (folder) => {
    const { trace, mutants } = values;
    if (mutants && trace) return tryMutants(folder, FLUSH_MUTANTS, (program) => inTemporaryFolder((home) => traceWrites(program, home)));
    if (mutants) return tryMutants(folder, MUTANTS, (program) => crash(program, plan));
    const program = await bundle(PROGRAM, { folder });
    return trace ? tryTrace(program) : tryServers(program, plan);
  });
});
