/** How much of the time an ensemble serves, from how often its servers fail and how long they take to come back: a birth-death chain. */

/** Servers that fail and come back independently of one another, after times that are distributed exponentially. */
export interface Fleet {
  readonly servers: number;
  /** How long a server runs on average until it fails. In the unit of all the others. */
  readonly mtbf: number;
  /** How long it takes on average until it is back. */
  readonly mttr: number;
  /** How many servers can be repaired at once; all of them when absent. */
  readonly crews?: number | undefined;
  /** For how long nothing is done when a leader has failed, or a quorum has come together again. */
  readonly failover: number;
}

export interface Availability {
  /** The share of the time in which a quorum is up. */
  readonly quorum: number;
  /** The share of the time that failovers cost besides, to the first order: they are short beside everything else. */
  readonly failovers: number;
  /** The share of the time in which the ensemble serves. */
  readonly serving: number;
}

/** The least number of servers that is more than half. */
export function majority(servers: number): number {
  return Math.floor(servers / 2) + 1;
}

/** How likely it is that exactly k servers are up, for k from 0 to all. Between neighbours as many go up as down: that gives the ratio of each two. */
export function stationary(fleet: Fleet): readonly number[] {
  const { servers, mtbf } = fleet;
  const weights = [1];
  for (let up = 1; up <= servers; up++) weights.push(((weights[up - 1] as number) * repairRate(fleet, up - 1)) / (up / mtbf));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

export function availability(fleet: Fleet): Availability {
  const { servers, mtbf, failover } = fleet;
  const likely = stationary(fleet);
  const least = majority(servers);
  const quorum = likely.slice(least).reduce((a, b) => a + b);
  // A leader that fails while a quorum is left, and the repair that brings a quorum together again.
  const leaderFails = likely.slice(least + 1).reduce((a, b) => a + b, 0) / mtbf;
  const quorumReturns = (likely[least - 1] as number) * repairRate(fleet, least - 1);
  const failovers = failover * (leaderFails + quorumReturns);
  return { quorum, failovers, serving: quorum - failovers };
}

/** How many servers come back in a unit of time while so many are up. */
export function repairRate({ servers, mttr, crews = servers }: Fleet, up: number): number {
  return Math.min(servers - up, crews) / mttr;
}
