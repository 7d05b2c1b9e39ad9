/**
 * Which session owns which ephemeral znodes (`DataTree.ephemerals`). A session is a `bigint` outside; a znode holds a small number for it.
 */
import { assert } from '@quorate/protocol';
import type { NodeHandle } from './znode-pages.js';

/** The owner number of a znode that no session owns. */
export const NO_OWNER = 0;

interface Owner {
  readonly number: number;
  readonly session: bigint;
  /** In order of creation. Invariant: never empty. */
  readonly nodes: Set<NodeHandle>;
}

/** Sessions with ephemerals, and their ephemerals. */
export class EphemeralIndex {
  private readonly bySession = new Map<bigint, Owner>();
  private readonly byNumber: (Owner | undefined)[] = [undefined];
  private readonly freeNumbers: number[] = [];

  /** Records that `session` owns `node`, and gives the number under which it does. */
  add(session: bigint, node: NodeHandle): number {
    let owner = this.bySession.get(session);
    if (owner === undefined) {
      owner = { number: this.freeNumbers.pop() ?? this.byNumber.length, session, nodes: new Set() };
      this.bySession.set(session, owner);
      this.byNumber[owner.number] = owner;
    }
    assert(!owner.nodes.has(node), 'an ephemeral is recorded once');
    owner.nodes.add(node);
    return owner.number;
  }

  /** Records that the session of that number no longer owns `node`; with its last one the session is forgotten. */
  remove(number: number, node: NodeHandle): void {
    const owner = this.byNumber[number];
    assert(owner !== undefined, 'an ephemeral has an owner');
    const owned = owner.nodes.delete(node);
    assert(owned, 'an ephemeral stands in the list of its owner');
    if (owner.nodes.size > 0) return;
    this.bySession.delete(owner.session);
    this.byNumber[number] = undefined;
    this.freeNumbers.push(number);
  }

  /** The session of that number; 0n for `NO_OWNER`. */
  sessionOf(number: number): bigint {
    if (number === NO_OWNER) return 0n;
    const owner = this.byNumber[number];
    assert(owner !== undefined, 'an ephemeral has an owner');
    return owner.session;
  }

  /** The session's ephemerals in order of creation; undefined where it has none. */
  nodesOf(session: bigint): ReadonlySet<NodeHandle> | undefined {
    return this.bySession.get(session)?.nodes;
  }

  /** Sessions that own an ephemeral. */
  get sessionCount(): number {
    return this.bySession.size;
  }

  sessions(): IterableIterator<bigint> {
    return this.bySession.keys();
  }
}
