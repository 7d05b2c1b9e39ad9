/** What becomes of the network in a round: one thing, chosen by chance, at the leader as often as not. */
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
}

interface Scene {
  readonly random: Random;
  readonly network: Network;
  readonly sids: readonly Sid[];
  /** Whom it concerns. */
  readonly victim: Sid;
  readonly others: readonly Sid[];
}

const KINDS: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  'connections of NN are cut, one by one': ({ random, network, victim, others }) =>
    Promise.all(others.filter(() => oneIn(random, 2)).map((other) => network.cut(victim, other))),
  'NN is cut off': ({ network, victim, others }) => Promise.all(others.map((other) => network.cut(victim, other))),
  'NN is cut off, and nobody is told': ({ network, victim, others }) =>
    Promise.all(others.flatMap((other) => [network.stall(victim, other), network.stall(other, victim)])),
  'NN is heard no more': ({ network, victim, others }) => Promise.all(others.map((other) => network.stall(victim, other))),
  'NN hears no more': ({ network, victim, others }) => Promise.all(others.map((other) => network.stall(other, victim))),
  'NN and one more are apart from the rest': ({ random, network, victim, others }) => {
    const second = others[randomBelow(random, others.length)] as Sid;
    const rest = others.filter((sid) => sid !== second);
    return Promise.all([victim, second].flatMap((sid) => rest.flatMap((other) => [network.stall(sid, other), network.stall(other, sid)])));
  },
  'all are late': ({ network, sids }) => Promise.all(sids.map((sid) => network.impair(sid))),
  'NN is late': ({ network, victim }) => network.impair(victim),
  'some ways lead nowhere': ({ random, network, sids }) =>
    Promise.all(sids.flatMap((from) => sids.filter((to) => to !== from && oneIn(random, 4)).map((to) => network.stall(from, to)))),
};

export const STORMS = Object.keys(KINDS).length;

/** Every kind has its turn. */
export function stormOf(
  random: Random,
  { round, sids, leader }: { readonly round: number; readonly sids: readonly Sid[]; readonly leader: Sid },
): Storm {
  const [name, rage] = Object.entries(KINDS)[round % STORMS] as [string, (scene: Scene) => Promise<unknown>];
  const victim = oneIn(random, 2) ? leader : (sids[randomBelow(random, sids.length)] as Sid);
  const others = sids.filter((sid) => sid !== victim);
  const title = name.replace('NN', victim === leader ? `the leader, ${victim},` : String(victim));
  return {
    name: title,
    lastsMs: LASTS_MS_MIN + randomBelow(random, LASTS_MS_MAX - LASTS_MS_MIN),
    async rage(network) {
      await rage({ random, network, sids, victim, others });
    },
  };
}
