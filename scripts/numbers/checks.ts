/** The formulas of docs/model.md beside what was simulated or counted. */
import { availability, type Fleet } from './availability.ts';
import { agrees, type Estimate } from './estimate.ts';
import { measureFailover, SYNC_LIMIT } from './failover.ts';
import { simulateEnsemble, simulateFleet } from './fleet-simulation.ts';
import { countHeartbeats, heartbeatLoad, type Idle } from './heartbeats.ts';
import { byDivision, byRendezvous, byRing, countDivision, type Division, leastMoved, mostDisplaced, spread } from './partitions.ts';
import { equalGroups, quorumsIntersect, sizesByCounting, sizesByFormula } from './quorums.ts';

export interface Check {
  readonly name: string;
  readonly formula: string;
  readonly found: string;
  readonly agrees: boolean;
}

/** Servers that are down a fifth of the time: with real ones an outage is too rare to be counted. In milliseconds. */
const FRAIL = { mtbf: 100_000, mttr: 25_000 };
const TICK_TIME_MS = 5_000;

/** @param share of the time for which is simulated: 1 is what the command does, a tenth what the tests do. */
export async function* checks(share: number): AsyncGenerator<Check> {
  yield* availabilityChecks(share);
  yield* failoverChecks();
  yield* heartbeatChecks();
  yield* quorumChecks();
  yield* partitionChecks(share);
}

async function* availabilityChecks(share: number): AsyncGenerator<Check> {
  for (const servers of [3, 5, 7]) {
    for (const crews of [servers, 1]) {
      const fleet: Fleet = { ...FRAIL, servers, crews, failover: 0.1 * TICK_TIME_MS };
      const simulated = simulateFleet(fleet, { seed: servers, duration: share * 4e10 });
      yield availabilityCheck(`${servers} servers, ${crews} repaired at once: served, events drawn`, fleet, simulated);
    }
    const fleet: Fleet = { ...FRAIL, servers, failover: 0.1 * TICK_TIME_MS };
    const simulated = await simulateEnsemble(fleet, TICK_TIME_MS, { seed: servers, duration: share * 2e8 });
    yield availabilityCheck(`${servers} servers: served, an ensemble`, fleet, simulated);
  }
}

function availabilityCheck(name: string, fleet: Fleet, simulated: Estimate): Check {
  return estimateCheck(name, availability(fleet).serving, simulated);
}

async function* failoverChecks(): AsyncGenerator<Check> {
  for (const servers of [3, 5, 7]) {
    const closed = await failoversOf(servers, 'closed');
    yield rangeCheck(`${servers} servers: ticks without a leader whose connections closed`, closed, [0, 0.2]);
    const silent = await failoversOf(servers, 'silent');
    yield rangeCheck(`${servers} servers: ticks without a leader that fell silent`, silent, [SYNC_LIMIT - 0.5, SYNC_LIMIT + 1]);
  }
}

async function failoversOf(servers: number, departure: 'closed' | 'silent'): Promise<readonly number[]> {
  const ticks: number[] = [];
  for (let seed = 1; seed <= 10; seed++) ticks.push(await measureFailover(servers, departure, seed));
  return ticks;
}

function rangeCheck(name: string, found: readonly number[], [low, high]: readonly [number, number]): Check {
  const least = Math.min(...found);
  const most = Math.max(...found);
  return {
    name,
    formula: `${shortest(low)} to ${shortest(high)}`,
    found: `${shortest(least)} to ${shortest(most)}`,
    agrees: low <= least && most <= high,
  };
}

function shortest(value: number): string {
  return String(Number(value.toFixed(4)));
}

async function* heartbeatChecks(): AsyncGenerator<Check> {
  const idles: readonly Idle[] = [
    { servers: 3, sessions: 30, sessionTimeoutMs: 10_000, tickTimeMs: 2_000 },
    { servers: 3, sessions: 300, sessionTimeoutMs: 10_000, tickTimeMs: 2_000 },
    { servers: 5, sessions: 300, sessionTimeoutMs: 10_000, tickTimeMs: 2_000 },
    // The shortest timeout that there is.
    { servers: 3, sessions: 30, sessionTimeoutMs: 4_000, tickTimeMs: 2_000 },
    { servers: 7, sessions: 70, sessionTimeoutMs: 40_000, tickTimeMs: 500 },
  ];
  for (const idle of idles) {
    const formula = heartbeatLoad(idle);
    const counted = await countHeartbeats(idle, 120);
    const title = `${idle.servers} servers, ${idle.sessions} sessions of ${idle.sessionTimeoutMs} ms, tick ${idle.tickTimeMs} ms`;
    for (const [name, unit] of [
      ['clientMessages', 'messages/s of clients'],
      ['peerMessages', 'messages/s of servers'],
      ['touchBytes', 'bytes/s of touched sessions'],
    ] as const) {
      // A ping may fall on either end of what was counted.
      const isNear = Math.abs(counted[name] - formula[name]) <= 0.01 * formula[name];
      yield { name: `${title}: ${unit}`, formula: formula[name].toFixed(1), found: counted[name].toFixed(1), agrees: isNear };
    }
  }
}

function* quorumChecks(): Generator<Check> {
  const shapes = [
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((servers) => [1, servers] as const),
    ...([
      [2, 3],
      [3, 1],
      [3, 2],
      [3, 3],
      [3, 4],
      [4, 3],
      [5, 2],
      [5, 3],
    ] as const),
  ];
  for (const [groups, perGroup] of shapes) {
    const config = equalGroups(groups, perGroup);
    const formula = JSON.stringify(sizesByFormula(groups, perGroup));
    const found = JSON.stringify(sizesByCounting(config));
    const name = groups === 1 ? `${perGroup} servers` : `${groups} groups of ${perGroup}`;
    yield { name: `${name}: quorums`, formula, found, agrees: formula === found && quorumsIntersect(config) };
  }
}

const RING_POINTS = 100;

function* partitionChecks(share: number): Generator<Check> {
  const runs = Math.max(10, Math.round(share * 100));
  const divisions: readonly Division[] = [
    { members: 3, keys: 1_000 },
    { members: 10, keys: 1_000 },
  ];
  for (const division of divisions) {
    const name = `${division.keys} keys, ${division.members} members`;
    const rendezvous = countDivision(byRendezvous, division, runs);
    yield estimateCheck(`${name}: spread`, spread.rendezvous(division), rendezvous.spread);
    yield estimateCheck(`${name}: moved to one more`, leastMoved(division), rendezvous.moved);
    const ring = countDivision(byRing(RING_POINTS), division, runs);
    yield estimateCheck(`${name}: spread on a ring of ${RING_POINTS} points each`, spread.ring(division, RING_POINTS), ring.spread);
    yield estimateCheck(`${name}: moved to one more on a ring`, leastMoved(division), ring.moved);
    const { moved } = countDivision(byDivision, division, runs);
    const range = [leastMoved(division), leastMoved(division) + mostDisplaced(division)] as const;
    yield rangeCheck(`${name}: moved to one more where all have the same number`, [moved.mean], range);
  }
}

function estimateCheck(name: string, formula: number, counted: Estimate): Check {
  const found = `${counted.mean.toFixed(5)} ± ${counted.error.toFixed(5)}`;
  return { name, formula: formula.toFixed(5), found, agrees: agrees(formula, counted) };
}
