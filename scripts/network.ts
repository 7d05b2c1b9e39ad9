/**
 * `npm run test:network`: five servers in processes of their own, between which the network cuts connections in the middle of what they say, lets nothing through and tells nobody, in one direction or in
 * both, and is late. Servers come back into one ensemble by themselves and in time, and all that was acknowledged is one history.
 *
 *     npm run test:network                          100 rounds over relays on the loopback
 *     npm run test:network -- --rounds 5            what CI does
 *     npm run test:network -- --rounds 50 --seed 7
 *     npm run test:network -- --netns               in network namespaces, by TLS; needs root, iproute2 and Linux
 *     npm run test:network -- --mutants             bugs put in: each has to be found
 *
 * Exit status 1 where something acknowledged is lost or told twice, a number goes back, a session ends, trees differ at one zxid, or an ensemble does not come back in time; 2 for a
 * command line that makes no sense, or a system that cannot do it.
 */
import { parseArgs } from 'node:util';
import { SeededRandom } from '@quorate/ports';
import { Authority } from '../packages/node/test/support/certificates.ts';
import { bundle, inTemporaryFolder } from './bundle.ts';
import { command, whole } from './command-line.ts';
import { foundEnsemble, PROGRAM } from './crash/ensemble.ts';
import { tryMutants } from './mutants/try-servers.ts';
import { MUTANTS } from './network/mutants.ts';
import { NamespaceNetwork, NoNamespaces } from './network/namespaces.ts';
import { RelayNetwork } from './network/relays.ts';
import { runWeather, type WeatherOptions, type WeatherResult } from './network/rounds.ts';

const SERVERS = 5;
const TICK_TIME_MS = 200;
/** In ticks. */
const INIT_LIMIT = 25;
const SYNC_LIMIT = 5;
/** A new leader is there within a few ticks of silence; the machine has other work. */
const SETTLE_MS_MAX = 10_000;
const SETTINGS: readonly string[] = [
  `tickTime=${TICK_TIME_MS}`,
  `initLimit=${INIT_LIMIT}`,
  `syncLimit=${SYNC_LIMIT}`,
  'maxSessionTimeout=60000',
  // So that there are snapshots.
  'snapCount=5000',
];

type Plan = Pick<WeatherOptions, 'rounds' | 'seed' | 'onRound'>;

async function overRelays(program: string, plan: Plan): Promise<WeatherResult> {
  return inTemporaryFolder(async (folder) => {
    const network = new RelayNetwork(new SeededRandom(plan.seed));
    const seen: RelayNetwork['before'] = (sid, address, by) => network.before(sid, address, by);
    const servers = await foundEnsemble({ program, folder, servers: SERVERS, settings: SETTINGS, seen });
    try {
      return await runWeather({ ...plan, servers, network, settleMsMax: SETTLE_MS_MAX });
    } finally {
      await Promise.all(servers.map((server) => server.kill()));
      await network.close();
    }
  });
}

async function inNamespaces(program: string, plan: Plan): Promise<WeatherResult> {
  const sids = Array.from({ length: SERVERS }, (_, i) => i + 1);
  const network = new NamespaceNetwork(sids);
  console.log(network.description);
  try {
    return await inTemporaryFolder(async (folder) => {
      const authority = await Authority.found('the ensemble');
      const servers = await foundEnsemble({
        ...{ program, folder, servers: SERVERS, settings: SETTINGS },
        hostOf: (sid) => network.hostOf(sid),
        launcher: (sid) => network.launcher(sid),
        tls: (sid) => authority.issue(network.hostOf(sid)),
      });
      try {
        return await runWeather({ ...plan, servers, network, settleMsMax: SETTLE_MS_MAX });
      } finally {
        await Promise.all(servers.map((server) => server.kill()));
      }
    });
  } finally {
    await network.close();
  }
}

function report({ rounds, acknowledged, unknown, wins, digestsAgreed, settledMs, epochs, faults, hash }: WeatherResult): boolean {
  const times = settledMs.toSorted((a, b) => a - b);
  const at = (share: number): string => `${Math.round(times[Math.floor(share * (times.length - 1))] ?? 0)}`;
  console.log(`${rounds} rounds, ${epochs} epochs, ${acknowledged} writes acknowledged, ${unknown} unknown, ${wins} contests won`);
  console.log(`one ensemble after: median ${at(0.5)} ms, longest ${at(1)} ms of ${SETTLE_MS_MAX}`);
  console.log(`digests at one zxid: compared ${digestsAgreed} times${hash === undefined ? '' : `; all trees at the end: ${hash}`}`);
  for (const fault of faults) console.log(`WRONG: ${fault}`);
  return faults.length === 0;
}

await command(async () => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      netns: { type: 'boolean', default: false },
      mutants: { type: 'boolean', default: false },
    },
  });
  const plan: Plan = {
    rounds: whole('rounds', values.rounds, 1),
    seed: whole('seed', values.seed, 0),
    onRound: ({ storm, lastsMs, withoutMs, settledMs }) => {
      const rest = withoutMs === undefined ? '' : `the rest is one ensemble after ${Math.round(withoutMs)} ms, `;
      console.log(`${storm} for ${lastsMs} ms or more: ${rest}all are ${Math.round(settledMs)} ms after it`);
    },
  };
  return inTemporaryFolder(async (folder) => {
    if (values.mutants) return tryMutants(folder, MUTANTS, (program) => overRelays(program, plan));
    const program = await bundle(PROGRAM, { folder });
    return report(await (values.netns ? inNamespaces(program, plan) : overRelays(program, plan)));
  });
}, NoNamespaces);
