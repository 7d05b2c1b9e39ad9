/**
 * Which member has which key, by agreement without a word: a pure function of the names.
 *
 * It is rendezvous hashing: each pair of a key and a member has a weight that nobody chose, and a key belongs to the member with which it weighs most.
 * When a member goes, only its own keys move; when one comes, only those that it gets. docs/model.md of the repository has the figures beside those of a ring.
 * All arithmetic is on 32-bit whole numbers, so every engine agrees.
 */

/** A 32-bit hash of a text by its UTF-16 code units: FNV-1a, then the finalizer of MurmurHash3, without which similar names would weigh alike. Not for secrets. */
export function hashText(text: string, seed = 0): number {
  let hash = seed ^ 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return mix(hash);
}

/**
 * The member that has a key; undefined where there is no member. The order of the members does not matter.
 *
 * @example
 * memberFor('user-17', ['a', 'b', 'c']);
 */
export function memberFor(key: string, members: Iterable<string>): string | undefined {
  const keyHash = hashText(key);
  let best: string | undefined;
  let bestWeight = -1;
  for (const member of members) {
    const weight = weightOf(keyHash, hashText(member));
    if (weight < bestWeight || (weight === bestWeight && best !== undefined && member > best)) continue;
    best = member;
    bestWeight = weight;
  }
  return best;
}

/**
 * Divides partitions among members, each member getting the same number or one more than another. The heaviest pairs are served first, and a member that has its
 * share takes no more, so few partitions move when members come and go. The order of either list does not matter; a name that is there twice counts once.
 *
 * @returns the partitions of every member, in the order of the list.
 */
export function divide(partitions: Iterable<string>, members: Iterable<string>): Map<string, string[]> {
  const keys = [...new Set(partitions)];
  const names = [...new Set(members)].sort();
  const shares = new Map(names.map((name): [string, string[]] => [name, []]));
  if (names.length === 0) return shares;
  const owners = ownersOf(keys, names);
  for (const key of keys) shares.get(owners.get(key) as string)?.push(key);
  return shares;
}

interface Pair {
  readonly key: string;
  readonly member: string;
  readonly weight: number;
}

function ownersOf(keys: readonly string[], members: readonly string[]): Map<string, string> {
  const share = Math.floor(keys.length / members.length);
  /** How many members have one more than the share. */
  let extra = keys.length % members.length;
  const counts = new Map<string, number>();
  const owners = new Map<string, string>();
  for (const { key, member } of pairs(keys, members)) {
    if (owners.has(key)) continue;
    const count = counts.get(member) ?? 0;
    if (count > share || (count === share && extra === 0)) continue;
    if (count === share) extra--;
    counts.set(member, count + 1);
    owners.set(key, member);
  }
  return owners;
}

/** Heaviest first. */
function pairs(keys: readonly string[], members: readonly string[]): Pair[] {
  const hashes = members.map((member) => hashText(member));
  const all = keys.flatMap((key) => {
    const keyHash = hashText(key);
    return members.map((member, at) => ({ key, member, weight: weightOf(keyHash, hashes[at] as number) }));
  });
  return all.sort((a, b) => b.weight - a.weight || (a.key < b.key ? -1 : a.key > b.key ? 1 : a.member < b.member ? -1 : 1));
}

function weightOf(keyHash: number, memberHash: number): number {
  return mix(keyHash ^ Math.imul(memberHash, 0x9e3779b1));
}

function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
