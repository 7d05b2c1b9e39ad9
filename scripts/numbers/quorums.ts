/** Quorums counted: by formula for ensembles whose servers are alike, and by asking the shipped `hasQuorum` of every set of servers there is. */
import { type Config, hasQuorum } from '@quorate/zab';
import { majority } from './availability.ts';

export interface QuorumSizes {
  /** Servers of the smallest quorum. */
  readonly smallest: number;
  /** So many may fail, whichever they are. */
  readonly anyFailures: number;
  /** So many may fail where they are the right ones. */
  readonly luckyFailures: number;
}

/** Groups of equal size whose servers weigh the same; one group is a plain majority. */
export function sizesByFormula(groups: number, perGroup: number): QuorumSizes {
  const smallest = majority(groups) * majority(perGroup);
  // A quorum is out of reach once so many groups have lost so many servers that neither are a majority any more.
  const blocking = (groups - majority(groups) + 1) * (perGroup - majority(perGroup) + 1);
  return { smallest, anyFailures: blocking - 1, luckyFailures: groups * perGroup - smallest };
}

/** The same by looking at all sets. */
export function sizesByCounting(config: Config): QuorumSizes {
  const { length } = config.voters;
  let smallest = length;
  let anyFailures = length;
  for (const set of everySet(length)) {
    const up = sizeOf(set);
    if (isQuorum(config, set)) smallest = Math.min(smallest, up);
    else anyFailures = Math.min(anyFailures, length - up - 1);
  }
  return { smallest, anyFailures, luckyFailures: length - smallest };
}

/** Whether each two quorums have a server in common, which is what all of Zab rests on. It is enough that no quorum leaves another one behind. */
export function quorumsIntersect(config: Config): boolean {
  const all = 2 ** config.voters.length - 1;
  return everySet(config.voters.length).every((set) => !(isQuorum(config, set) && isQuorum(config, all ^ set)));
}

/** How likely it is that a quorum is up, where each server is up with the same likelihood. */
export function quorumLikelihood(config: Config, up: number): number {
  const { length } = config.voters;
  return everySet(length).reduce((sum, set) => {
    const size = sizeOf(set);
    return isQuorum(config, set) ? sum + up ** size * (1 - up) ** (length - size) : sum;
  }, 0);
}

/** Groups of equal size, servers numbered from 1 through all of them. */
export function equalGroups(groups: number, perGroup: number): Config {
  const voters = Array.from({ length: groups * perGroup }, (_, index) => index + 1);
  if (groups === 1) return { version: 0, voters };
  const group = (index: number) => ({ weights: new Map(voters.slice(index * perGroup, (index + 1) * perGroup).map((sid) => [sid, 1])) });
  return { version: 0, voters, groups: Array.from({ length: groups }, (_, index) => group(index)) };
}

/** One group in which servers weigh what is said. */
export function weighted(...weights: readonly number[]): Config {
  const voters = weights.map((_, index) => index + 1);
  return { version: 0, voters, groups: [{ weights: new Map(weights.map((weight, index) => [index + 1, weight])) }] };
}

/** Sets of servers, as bits: the server that comes first has the lowest. */
function everySet(length: number): readonly number[] {
  return Array.from({ length: 2 ** length }, (_, set) => set);
}

function isQuorum(config: Config, set: number): boolean {
  return hasQuorum(config, (sid) => ((set >> config.voters.indexOf(sid)) & 1) === 1);
}

function sizeOf(set: number): number {
  let size = 0;
  for (let rest = set; rest > 0; rest >>= 1) size += rest & 1;
  return size;
}
