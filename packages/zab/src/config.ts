/** The number of a server in its ensemble (`myid`): a whole number from 1 to 254. */
export type Sid = number;

/**
 * Who votes, as a versioned value: every question about a quorum is asked of a Config, so that a reconfiguration is one
 * more value and not a change of rules.
 */
export interface Config {
  readonly version: number;
  readonly voters: readonly Sid[];
}

/** True when `members` holds more than half of the voters. Members that do not vote are not counted. */
export function hasQuorum(config: Config, members: ReadonlySet<Sid>): boolean {
  let count = 0;
  for (const voter of config.voters) if (members.has(voter)) count++;
  return isMajority(config, count);
}

/**
 * The highest of `values` that a quorum has reached.
 *
 * @param valueOf what a voter has reached; −Infinity where it has reached nothing.
 */
export function quorumValue(config: Config, valueOf: (sid: Sid) => number): number {
  let best = Number.NEGATIVE_INFINITY;
  // An ensemble has few voters: asking for each candidate how many have reached it is faster than sorting, and allocates nothing.
  for (const candidate of config.voters) {
    const value = valueOf(candidate);
    if (value <= best) continue;
    let reached = 0;
    for (const voter of config.voters) if (valueOf(voter) >= value) reached++;
    if (isMajority(config, reached)) best = value;
  }
  return best;
}

function isMajority(config: Config, count: number): boolean {
  return count * 2 > config.voters.length;
}
