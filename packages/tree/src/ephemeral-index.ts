/**
 * Which znodes do not stay for ever, by what ends them: the session of an ephemeral, being a container, or a TTL (`DataTree`'s `ephemerals`, `containers` and `ttls`).
 *
 * All three are an owner as `StatPersisted.ephemeralOwner` has it, a `bigint` outside; a znode holds a small number for it, also for a TTL, because few
 * differ.
 */
import { assert, CONTAINER_OWNER, sessionOf, ttlOf } from '@quorate/protocol';
import type { NodeHandle } from './znode-pages.js';

/** The owner number of a znode that stays until it is deleted. */
export const NO_OWNER = 0;

interface Owner {
  readonly number: number;
  readonly owner: bigint;
  /** In order of creation. Invariant: never empty. */
  nodes: Set<NodeHandle>;
  /** Whether a snapshot reads the set, so that it must never change again. */
  shared: boolean;
}

/** What an owner owned, in order of creation, when a snapshot was begun. */
export interface Owned {
  readonly owner: bigint;
  readonly nodes: ReadonlySet<NodeHandle>;
}

/** Owners, and what they own. */
export class EphemeralIndex {
  /** How many of the owners are sessions. */
  sessionCount = 0;
  /** How many znodes belong to sessions. */
  ephemeralCount = 0;
  private readonly byOwner = new Map<bigint, Owner>();
  private readonly byNumber: (Owner | undefined)[] = [undefined];
  private readonly freeNumbers: number[] = [];

  /** Records that `id` owns `node`, and gives the number under which it does. */
  add(id: bigint, node: NodeHandle): number {
    let owner = this.byOwner.get(id);
    if (owner === undefined) {
      owner = { number: this.freeNumbers.pop() ?? this.byNumber.length, owner: id, nodes: new Set(), shared: false };
      this.byOwner.set(id, owner);
      this.byNumber[owner.number] = owner;
      if (sessionOf(id) !== 0n) this.sessionCount++;
    }
    assert(!owner.nodes.has(node), 'an ephemeral is recorded once');
    nodesToChange(owner).add(node);
    if (sessionOf(id) !== 0n) this.ephemeralCount++;
    return owner.number;
  }

  /** Records that the owner of that number no longer owns `node`; with its last one the owner is forgotten. */
  remove(number: number, node: NodeHandle): void {
    const owner = this.byNumber[number];
    assert(owner !== undefined, 'an ephemeral has an owner');
    const owned = nodesToChange(owner).delete(node);
    assert(owned, 'an ephemeral stands in the list of its owner');
    if (sessionOf(owner.owner) !== 0n) this.ephemeralCount--;
    if (owner.nodes.size > 0) return;
    this.byOwner.delete(owner.owner);
    this.byNumber[number] = undefined;
    this.freeNumbers.push(number);
    if (sessionOf(owner.owner) !== 0n) this.sessionCount--;
  }

  /** The owner of that number; 0n for `NO_OWNER`. */
  ownerOf(number: number): bigint {
    if (number === NO_OWNER) return 0n;
    const owner = this.byNumber[number];
    assert(owner !== undefined, 'an ephemeral has an owner');
    return owner.owner;
  }

  /** What an owner owns, in order of creation; undefined where that is nothing. */
  nodesOf(owner: bigint): ReadonlySet<NodeHandle> | undefined {
    return this.byOwner.get(owner)?.nodes;
  }

  /**
   * All owners as they are now, and so they stay, whatever is changed here: the first change to each copies its set, which takes time in proportion to
   * what it owns.
   */
  snapshot(): Owned[] {
    const all: Owned[] = [];
    for (const owner of this.byOwner.values()) {
      owner.shared = true;
      all.push({ owner: owner.owner, nodes: owner.nodes });
    }
    return all;
  }

  /** What sessions own, with its owner. */
  *ofSessions(): Generator<readonly [session: bigint, node: NodeHandle]> {
    for (const { owner, nodes } of this.byOwner.values()) if (sessionOf(owner) !== 0n) for (const node of nodes) yield [owner, node];
  }

  /** The containers, then the znodes with a TTL. */
  *containersAndTtls(): Generator<NodeHandle> {
    yield* this.nodesOf(CONTAINER_OWNER) ?? [];
    for (const { owner, nodes } of this.byOwner.values()) if (ttlOf(owner) !== undefined) yield* nodes;
  }
}

function nodesToChange(owner: Owner): Set<NodeHandle> {
  if (owner.shared) {
    owner.nodes = new Set(owner.nodes);
    owner.shared = false;
  }
  return owner.nodes;
}
