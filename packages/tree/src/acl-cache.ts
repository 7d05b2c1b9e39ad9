/**
 * Access control lists, each kept once and counted (`ReferenceCountedACLCache`): a million znodes share a handful of lists.
 *
 * `OPEN_ACL` is the list that nearly every znode has; it is never counted and never dropped, as ZooKeeper's −1.
 */
import { type Acl, assert, OPEN_ACL_UNSAFE } from '@quorate/protocol';

/** The number of the list `OPEN_ACL_UNSAFE`. */
export const OPEN_ACL = 0;

interface Entry {
  readonly key: string;
  readonly acl: readonly Acl[];
  users: number;
}

/** A list that is in use, and its number. */
export interface NumberedAcl {
  readonly number: number;
  readonly acl: readonly Acl[];
}

/** The lists in use. */
export class AclCache {
  /** By number. Invariant: an entry other than `OPEN_ACL` has at least one user. */
  private readonly entries: (Entry | undefined)[] = [{ key: keyOf(OPEN_ACL_UNSAFE), acl: OPEN_ACL_UNSAFE, users: 0 }];
  private readonly numbers = new Map<string, number>([[keyOf(OPEN_ACL_UNSAFE), OPEN_ACL]]);
  private readonly freeNumbers: number[] = [];

  /** The list's number, one more user counted. The list is copied when it is new, so the caller keeps its own. */
  acquire(acl: readonly Acl[]): number {
    if (isOpen(acl)) return OPEN_ACL;
    const key = keyOf(acl);
    const known = this.numbers.get(key);
    if (known !== undefined) {
      this.entry(known).users++;
      return known;
    }
    const number = this.freeNumbers.pop() ?? this.entries.length;
    const copy = acl.map((entry) => ({ perms: entry.perms, id: { scheme: entry.id.scheme, id: entry.id.id } }));
    this.entries[number] = { key, acl: copy, users: 1 };
    this.numbers.set(key, number);
    return number;
  }

  /** One user less; the list is forgotten with its last. */
  release(number: number): void {
    if (number === OPEN_ACL) return;
    const entry = this.entry(number);
    assert(entry.users > 0, 'a list in the cache has a user');
    if (--entry.users > 0) return;
    this.numbers.delete(entry.key);
    this.entries[number] = undefined;
    this.freeNumbers.push(number);
  }

  get(number: number): readonly Acl[] {
    return this.entry(number).acl;
  }

  /** Lists in the cache, `OPEN_ACL` included. */
  get size(): number {
    return this.numbers.size;
  }

  /**
   * The lists in use now and their numbers: `OPEN_ACL`, then in an order that the lists alone decide. Which number a list has depends on those that were
   * dropped before it, of which a tree that was read from a snapshot knows nothing, and equal trees shall be equal bytes.
   */
  snapshot(): readonly NumberedAcl[] {
    const others = [...this.numbers].filter(([, number]) => number !== OPEN_ACL).sort(([left], [right]) => (left < right ? -1 : 1));
    return [OPEN_ACL, ...others.map(([, number]) => number)].map((number) => ({ number, acl: this.get(number) }));
  }

  private entry(number: number): Entry {
    const entry = this.entries[number];
    assert(entry !== undefined, 'a list that a znode names is in the cache');
    return entry;
  }
}

function isOpen(acl: readonly Acl[]): boolean {
  const [only] = acl;
  return acl.length === 1 && only !== undefined && only.perms === 31 && only.id.scheme === 'world' && only.id.id === 'anyone';
}

/** Equal for equal lists only: every string is preceded by its length. */
function keyOf(acl: readonly Acl[]): string {
  let key = '';
  for (const { perms, id } of acl) key += `${perms},${id.scheme.length},${id.scheme}${id.id.length},${id.id}`;
  return key;
}
