/** The number of a server in its ensemble (`myid`): a whole number from 1 to 254. */
export type Sid = number;

/**
 * Who belongs to an ensemble and who decides in it, as a versioned value: every question about a quorum is asked of a Config, so that a
 * reconfiguration is one more value and not a change of rules.
 */
export interface Config {
  readonly version: number;
  readonly voters: readonly Sid[];
  /** Servers that follow without a vote. None when absent. */
  readonly observers?: readonly Sid[];
  /**
   * Voters in groups and with weights, as ZooKeeper's `group.N` and `weight.N` (class `QuorumHierarchical`): a quorum is more than half of the weight
   * in more than half of the groups that have any. Each voter stands in one group. When absent, every voter weighs the same: a majority.
   */
  readonly groups?: readonly Group[];
  /**
   * Voters that are never elected, though their votes count: servers of ours in an ensemble with servers of Apache's, which they cannot lead. None when absent.
   */
  readonly neverLead?: readonly Sid[];
}

/** Voters and their weights, whole numbers from 0. */
export interface Group {
  readonly weights: ReadonlyMap<Sid, number>;
}

/** Whether those of the voters that `isMember` names are a quorum. Servers that do not vote are not asked. */
export function hasQuorum(config: Config, isMember: (sid: Sid) => boolean): boolean {
  if (config.groups !== undefined) return hasHierarchicalQuorum(config.groups, isMember);
  let count = 0;
  for (const voter of config.voters) if (isMember(voter)) count++;
  return isMajority(count, config.voters.length);
}

function isMajority(part: number, whole: number): boolean {
  return part * 2 > whole;
}

function hasHierarchicalQuorum(groups: readonly Group[], isMember: (sid: Sid) => boolean): boolean {
  let groupsThatCount = 0;
  let groupsWon = 0;
  for (const { weights } of groups) {
    let total = 0;
    let won = 0;
    for (const [sid, weight] of weights) {
      total += weight;
      if (isMember(sid)) won += weight;
    }
    if (total === 0) continue;
    groupsThatCount++;
    if (isMajority(won, total)) groupsWon++;
  }
  return isMajority(groupsWon, groupsThatCount);
}

/**
 * The highest value that a quorum has reached.
 *
 * @param values what each voter has reached, in the order of `voters`; −Infinity where it has reached nothing.
 */
export function quorumValue(config: Config, values: Float64Array): number {
  let best = Number.NEGATIVE_INFINITY;
  // An ensemble has few voters: asking for each candidate who has reached it is faster than sorting.
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value > best && isReached(config, values, value)) best = value;
  }
  return best;
}

/** A leader asks with every acknowledgement, so that a majority is counted without closures. */
function isReached({ voters, groups }: Config, values: Float64Array, value: number): boolean {
  if (groups !== undefined) return hasHierarchicalQuorum(groups, (sid) => (values[voters.indexOf(sid)] as number) >= value);
  let count = 0;
  for (let i = 0; i < values.length; i++) if ((values[i] as number) >= value) count++;
  return isMajority(count, values.length);
}

/** Whether a server may be elected: a voter, not one whose vote weighs nothing, and not one that is to follow for ever. */
export function mayLead(config: Config, sid: Sid): boolean {
  if (!config.voters.includes(sid) || config.neverLead?.includes(sid) === true) return false;
  return config.groups === undefined || config.groups.some(({ weights }) => (weights.get(sid) ?? 0) > 0);
}

/** Whether a server follows without a vote. */
export function isObserver(config: Config, sid: Sid): boolean {
  return config.observers?.includes(sid) === true;
}

/**
 * @throws RangeError where the parts of a config contradict one another: its message names the server and the rule.
 */
export function checkConfig({ voters, observers = [], groups, neverLead = [] }: Config): void {
  if (voters.length === 0) throw new RangeError('an ensemble has at least one voter');
  const seen = new Set<Sid>();
  for (const sid of [...voters, ...observers]) {
    if (!Number.isInteger(sid) || sid < 1 || sid > 254) throw new RangeError(`a sid is a whole number from 1 to 254, not ${sid}`);
    if (seen.has(sid)) throw new RangeError(`server ${sid} is named twice: it is a voter or an observer, once`);
    seen.add(sid);
  }
  for (const sid of neverLead) if (!voters.includes(sid)) throw new RangeError(`server ${sid} is to follow for ever and is no voter`);
  if (groups === undefined) return;
  const grouped = new Set<Sid>();
  let weightOfAll = 0;
  for (const { weights } of groups) {
    for (const [sid, weight] of weights) {
      if (!voters.includes(sid)) throw new RangeError(`server ${sid} is in a group and is no voter`);
      if (grouped.has(sid)) throw new RangeError(`server ${sid} is in two groups`);
      if (!Number.isInteger(weight) || weight < 0)
        throw new RangeError(`the weight of server ${sid} is a whole number from 0, not ${weight}`);
      grouped.add(sid);
      weightOfAll += weight;
    }
  }
  for (const sid of voters) if (!grouped.has(sid)) throw new RangeError(`server ${sid} votes and is in no group`);
  if (weightOfAll === 0) throw new RangeError('some voter has a weight: nobody could be elected');
}
