/** Rounds of bad weather in the network under load: each ends with all servers in one ensemble again, by themselves and in time, and with one history. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@quorate/node';
import { SeededRandom } from '@quorate/ports';
import type { Sid } from '@quorate/zab';
import { ask } from '../../packages/node/test/support/ask.ts';
import { agreement, type ServeProcess } from '../crash/ensemble.ts';
import { Load } from '../crash/load.ts';
import { Reader } from '../crash/read-back.ts';
import { ensure, hashOf, readBack } from '../crash/rounds.ts';
import { Contest } from './contest.ts';
import { Digests } from './digests.ts';
import type { Network } from './network.ts';
import { stormOf } from './weather.ts';

const WRITERS = 3;
const CONTESTANTS = 3;
const START_MS_MAX = 30_000;
/** Between two storms, in milliseconds. */
const CALM_MS = 300;
const LOOK_MS = 50;
const PATIENCE_MS = 60_000;

export interface WeatherOptions {
  readonly servers: readonly ServeProcess[];
  readonly network: Network;
  readonly rounds: number;
  readonly seed: number;
  /** How long servers that hear one another may take to be one ensemble. */
  readonly settleMsMax: number;
  /** Told of each round that was good. */
  readonly onRound?: ((round: WeatherRound) => void) | undefined;
}

export interface WeatherRound {
  readonly storm: string;
  readonly lastsMs: number;
  /** Until those whom it did not concern were one ensemble; undefined where they could not be. */
  readonly withoutMs: number | undefined;
  /** From its end until all were. */
  readonly settledMs: number;
}

export interface WeatherResult {
  readonly rounds: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly wins: number;
  readonly digestsAgreed: number;
  /** From the beginning of each storm until the rest was one ensemble, and from its end until all were. */
  readonly settledMs: readonly number[];
  readonly epochs: number;
  readonly faults: readonly string[];
  /** Of all trees at the end. */
  readonly hash: string | undefined;
}

/** Starts the servers and leaves them running. Ends with the first round in which something was wrong. */
export async function runWeather(options: WeatherOptions): Promise<WeatherResult> {
  const { servers, network, rounds, seed, settleMsMax, onRound } = options;
  const random = new SeededRandom(seed);
  await Promise.all(servers.map((server) => server.start(START_MS_MAX)));
  const hosts = servers.map(({ address }) => address).join();
  const load = await Load.connect(hosts, WRITERS);
  const readers = await Promise.all(servers.map((server) => Reader.connect(server)));
  const contest = await Contest.connect(hosts, CONTESTANTS);
  const digests = new Digests(servers.map(({ address }) => address));
  const keeper = await connect(hosts);
  const settledMs: number[] = [];
  const faultsOf = (): readonly string[] => [...contest.faults, ...digests.faults];
  let faults: readonly string[] = [];
  let ensemble = await settled(servers, PATIENCE_MS);
  const first = ensemble;
  let done = 0;
  while (done < rounds && faults.length === 0 && ensemble !== undefined) {
    const folder = `/created/${done}`;
    await ensure(keeper, folder);
    load.turnTo(folder);
    if (done === 0) load.run();
    await sleep(CALM_MS);
    const storm = stormOf(random, { round: done, sids: servers.map(({ sid }) => sid), leader: ensemble.leader });
    await storm.rage(network);
    const rest = servers.filter(({ sid }) => storm.rest.includes(sid));
    const [without] = await Promise.all([rest.length === 0 ? undefined : timed(settled(rest, settleMsMax)), sleep(storm.lastsMs)]);
    await network.heal();
    const healed = await timed(settled(servers, settleMsMax));
    ensemble = healed.value;
    if (without !== undefined && without.value === undefined) faults = ['those whom it does not concern are no ensemble'];
    else if (ensemble === undefined) faults = ['afterwards they are no ensemble'];
    else faults = [...(await readBack(load, readers, 2)), ...faultsOf()];
    faults = faults.map((fault) => `${storm.name}: ${fault}`);
    if (faults.length > 0) break;
    done++;
    settledMs.push(...(without === undefined ? [] : [without.tookMs]), healed.tookMs);
    onRound?.({ storm: storm.name, lastsMs: storm.lastsMs, withoutMs: without?.tookMs, settledMs: healed.tookMs });
  }
  const { wins } = contest;
  let hash: string | undefined;
  if (faults.length === 0) {
    await Promise.all([load.stop(), contest.stop()]);
    faults = await readBack(load, readers, Infinity);
    hash = await agreement(servers, hashOf, PATIENCE_MS).catch((error: Error) => {
      faults = [...faults, error.message];
      return undefined;
    });
    await digests.stop();
    faults = [...faults, ...faultsOf()];
    await Promise.all([keeper, load, ...readers].map((open) => open.close()));
  }
  const epochs = (ensemble?.epoch ?? 0) - (first?.epoch ?? 0);
  return { rounds: done, ...load.counts, wins, digestsAgreed: digests.agreed, settledMs, epochs, faults, hash };
}

async function timed<T>(task: Promise<T>): Promise<{ readonly value: T; readonly tookMs: number }> {
  const startedAt = performance.now();
  const value = await task;
  return { value, tookMs: performance.now() - startedAt };
}

interface Settled {
  readonly leader: Sid;
  readonly epoch: number;
}

/** Waits until one of these servers leads and all the others follow; undefined where that does not come. */
async function settled(servers: readonly ServeProcess[], withinMs: number): Promise<Settled | undefined> {
  const giveUpAt = performance.now() + withinMs;
  while (performance.now() < giveUpAt) {
    const answers = await Promise.all(servers.map(({ address }) => ask(address, 'srvr').catch(() => '')));
    const modes = answers.map((answer) => /^Mode: (\w+)$/m.exec(answer)?.[1]);
    const epochs = new Set(answers.map((answer) => /^Zxid: 0x(\w*)\w{8}$/m.exec(answer)?.[1]));
    const leader = servers[modes.indexOf('leader')]?.sid;
    const isOne = leader !== undefined && epochs.size === 1 && modes.filter((mode) => mode === 'follower').length === servers.length - 1;
    if (isOne) return { leader, epoch: Number.parseInt([...epochs][0] ?? '0', 16) };
    await sleep(LOOK_MS);
  }
  return undefined;
}
