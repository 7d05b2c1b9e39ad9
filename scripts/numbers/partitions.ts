/** How evenly keys and partitions are divided among members by the hashing of `@quorate/recipes`, and how many move when a member comes: by formula and counted. */
import { divide, hashText, memberFor } from '@quorate/recipes';
import { type Estimate, estimate } from './estimate.ts';

export interface Division {
  readonly members: number;
  /** Keys, or partitions. */
  readonly keys: number;
}

/** How far a member is from its fair share, as a standard deviation relative to that. */
export const spread = {
  /** Each key goes to any member, independently of the others. */
  rendezvous: ({ members, keys }: Division): number => Math.sqrt((members - 1) / keys),
  /** A ring on which each member has so many points: how long its arcs are is a beta distribution, and so many keys fall on them. */
  ring: ({ members, keys }: Division, points: number): number => {
    const arcs = (members - 1) / (members * points + 1);
    return Math.sqrt(arcs + (members - 1) / keys - arcs / keys);
  },
};

/** The share of the keys that move when one more member comes, at the least: its own. */
export function leastMoved({ members }: Division): number {
  return 1 / (members + 1);
}

/**
 * What `divide` moves besides, at the most: partitions whose first choice has its share already. So many are beyond a share of keys/members, of which a member that is chosen at random has a number with the standard
 * deviation √(keys/members): the mean of what is above the mean is 1/√(2π) of that.
 */
export function mostDisplaced({ members, keys }: Division): number {
  return Math.sqrt(members / keys) / Math.sqrt(2 * Math.PI);
}

type Assign = (keys: readonly string[], members: readonly string[]) => ReadonlyMap<string, string | undefined>;

export const byRendezvous: Assign = (keys, members) => new Map(keys.map((key) => [key, memberFor(key, members)]));

export const byDivision: Assign = (keys, members) =>
  new Map([...divide(keys, members)].flatMap(([member, own]) => own.map((key): [string, string] => [key, member])));

/** What is not in the library: a ring, to compare with. */
export function byRing(points: number): Assign {
  return (keys, members) => {
    const ring = members
      .flatMap((member) => Array.from({ length: points }, (_, point) => ({ at: hashText(`${member}#${point}`), member })))
      .sort((a, b) => a.at - b.at);
    return new Map(keys.map((key) => [key, ring[successor(ring, hashText(key, 1))]?.member]));
  };
}

/** The spread of an assignment, and what a further member moves; over so many ensembles of members with other names. */
export function countDivision(
  assign: Assign,
  { members, keys }: Division,
  runs: number,
): { readonly spread: Estimate; readonly moved: Estimate } {
  const keyNames = Array.from({ length: keys }, (_, key) => `key-${key}`);
  const squares: number[] = [];
  const moves: number[] = [];
  for (let run = 0; run < runs; run++) {
    const names = Array.from({ length: members + 1 }, (_, member) => `run-${run}-member-${member}`);
    const before = assign(keyNames, names.slice(1));
    const after = assign(keyNames, names);
    const counts = new Map(names.slice(1).map((name) => [name, 0]));
    for (const member of before.values()) counts.set(member as string, (counts.get(member as string) as number) + 1);
    const fair = keys / members;
    squares.push([...counts.values()].reduce((sum, count) => sum + (count / fair - 1) ** 2, 0) / members);
    moves.push(keyNames.filter((key) => before.get(key) !== after.get(key)).length / keys);
  }
  return { spread: rootOf(estimate(squares)), moved: estimate(moves) };
}

function rootOf({ mean, error }: Estimate): Estimate {
  return { mean: Math.sqrt(mean), error: error / (2 * Math.sqrt(mean)) };
}

/** The index of the first point from there on, around the ring. */
function successor(ring: readonly { readonly at: number }[], at: number): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ring[middle] as { at: number }).at < at) low = middle + 1;
    else high = middle;
  }
  return low === ring.length ? 0 : low;
}
