/** What becomes of the network in a round. */
import { oneIn, type Random, randomBelow } from '@quorate/ports';
import type { Sid } from '@quorate/zab';
import type { Network } from './network.ts';

/** How long it lasts, in milliseconds. */
const LASTS_MS_MIN = 300;
const LASTS_MS_MAX = 3_000;

export interface Storm {
  readonly name: string;
  readonly lastsMs: number;
  rage(network: Network): Promise<void>;
  /** Those who are not cut off from one another, and have to be an ensemble while it lasts; empty where that cannot be asked. */
  readonly rest: readonly Sid[];
}

interface Scene {
  readonly random: Random;
  readonly network: Network;
  readonly sids: readonly Sid[];
  /** Whom it concerns; a second one, where it concerns two; and those whom it does not concern. */
  readonly victim: Sid;
  readonly second: Sid;
  readonly others: readonly Sid[];
}

interface Kind {
  readonly name: string;
  /** How many of the servers are apart from the rest; undefined where there is no rest. */
  readonly apart?: 1 | 2;
  rage(scene: Scene): Promise<unknown>;
}

const KINDS: readonly Kind[] = [
  {
    name: 'connections of NN are cut, one by one',
    rage: ({ random, network, victim, others }) =>
      Promise.all(others.filter(() => oneIn(random, 2)).map((other) => network.cut(victim, other))),
  },
  {
    name: 'NN is cut off',
    apart: 1,
    rage: ({ network, victim, others }) => Promise.all(others.map((other) => network.cut(victim, other))),
  },
  {
    name: 'NN is cut off, and nobody is told',
    apart: 1,
    rage: ({ network, victim, others }) => silence(network, [victim], others),
  },
  {
    name: 'NN is heard no more',
    apart: 1,
    rage: ({ network, victim, others }) => Promise.all(others.map((other) => network.stall(victim, other))),
  },
  {
    name: 'NN hears no more',
    apart: 1,
    rage: ({ network, victim, others }) => Promise.all(others.map((other) => network.stall(other, victim))),
  },
  {
    name: 'NN and one more are apart from the rest',
    apart: 2,
    rage: ({ network, victim, second, others }) =>
      silence(
        network,
        [victim, second],
        others.filter((sid) => sid !== second),
      ),
  },
  { name: 'all are late', rage: ({ network, sids }) => Promise.all(sids.map((sid) => network.impair(sid))) },
  { name: 'NN is late', rage: ({ network, victim }) => network.impair(victim) },
  {
    name: 'some ways lead nowhere',
    rage: ({ random, network, sids }) =>
      Promise.all(sids.flatMap((from) => sids.filter((to) => to !== from && oneIn(random, 4)).map((to) => network.stall(from, to)))),
  },
];

function silence(network: Network, some: readonly Sid[], others: readonly Sid[]): Promise<unknown> {
  return Promise.all(some.flatMap((sid) => others.flatMap((other) => [network.stall(sid, other), network.stall(other, sid)])));
}

/** Every kind has its turn, at the leader every other time. */
export function stormOf(
  random: Random,
  { round, sids, leader }: { readonly round: number; readonly sids: readonly Sid[]; readonly leader: Sid },
): Storm {
  const { name, apart, rage } = KINDS[round % KINDS.length] as Kind;
  const isAtLeader = (round + Math.floor(round / KINDS.length)) % 2 === 0;
  const victim = isAtLeader ? leader : (sids[randomBelow(random, sids.length)] as Sid);
  const others = sids.filter((sid) => sid !== victim);
  const second = others[randomBelow(random, others.length)] as Sid;
  return {
    name: name.replace('NN', victim === leader ? `the leader, ${victim},` : String(victim)),
    lastsMs: LASTS_MS_MIN + randomBelow(random, LASTS_MS_MAX - LASTS_MS_MIN),
    rest: apart === undefined ? [] : others.filter((sid) => apart === 1 || sid !== second),
    async rage(network) {
      await rage({ random, network, sids, victim, second, others });
    },
  };
}
