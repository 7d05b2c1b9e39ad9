/**
 * A map with one value or several to each key. A million keys are mostly keys of one value, so a set is made for the second one only:
 * an entry of the map costs some 30 bytes, and the smallest set 180 more.
 */
import { assert } from '@quorate/protocol';

/** Values are told apart as by `===`. */
export class MultiMap<K, V> {
  private readonly entries = new Map<K, V | Several<V>>();

  /** Keys with a value. */
  get size(): number {
    return this.entries.size;
  }

  /** False where the value stands there already. */
  add(key: K, value: V): boolean {
    const held = this.entries.get(key);
    if (held === undefined) {
      this.entries.set(key, value);
      return true;
    }
    if (isSeveral(held)) {
      const before = held.size;
      return held.add(value).size > before;
    }
    if (held === value) return false;
    this.entries.set(key, new Several([held, value]));
    return true;
  }

  has(key: K, value: V): boolean {
    const held = this.entries.get(key);
    return isSeveral(held) ? held.has(value) : held !== undefined && held === value;
  }

  /** The value must stand there. */
  remove(key: K, value: V): void {
    const held = this.entries.get(key);
    if (!isSeveral(held)) {
      assert(held === value, 'a value that is removed is there');
      this.entries.delete(key);
      return;
    }
    const found = held.delete(value);
    assert(found, 'a value that is removed is there');
    if (held.size === 1) for (const last of held) this.entries.set(key, last);
  }

  /** The values of a key, in the order in which they came; they may be removed meanwhile. */
  at(key: K): Iterable<V> {
    return valuesOf(this.entries.get(key));
  }

  /** Each key with each of its values. */
  *pairs(): Generator<readonly [key: K, value: V]> {
    for (const [key, held] of this.entries) for (const value of valuesOf(held)) yield [key, value];
  }

  /** The values of a key, which is gone by that. */
  take(key: K): Iterable<V> {
    const held = this.entries.get(key);
    if (held === undefined) return NONE;
    this.entries.delete(key);
    return valuesOf(held);
  }
}

/** Two values or more. A class of its own, so that no value can be taken for it. */
class Several<V> extends Set<V> {}

function isSeveral<V>(held: V | Several<V> | undefined): held is Several<V> {
  return held instanceof Several;
}

const NONE: readonly never[] = [];

function valuesOf<V>(held: V | Several<V> | undefined): Iterable<V> {
  if (held === undefined) return NONE;
  return isSeveral(held) ? held : [held];
}
