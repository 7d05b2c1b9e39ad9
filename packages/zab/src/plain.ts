/**
 * Copies and fingerprints of plain state, for those who explore what a server may become: every branch needs a copy, and every state a number.
 *
 * Plain are numbers, strings, booleans, undefined, byte arrays, arrays, Maps and records of these, and the log. Nothing names fields, so none can be forgotten.
 * Byte arrays are immutable here and shared between copies.
 */
import { Log } from './log.js';

/** A copy that shares nothing but bytes. */
export function clonePlain<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (value instanceof Log) return value.clone();
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [key, copy(item)]));
  const record: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) record[name] = copy(field);
  return record;
}

/** A fingerprint of 64 bits in two lanes: equal states have equal ones, and different states different ones but for an accident in 2^64. */
export class Fingerprint {
  #low = 0x9e3779b9;
  #high = 0x7f4a7c15;

  get low(): number {
    return this.#low >>> 0;
  }

  get high(): number {
    return this.#high >>> 0;
  }

  /** Adds a value; the order of Map entries counts for nothing, that of everything else does. */
  add(value: unknown): this {
    switch (typeof value) {
      case 'number':
        return this.#number(value);
      case 'string':
        this.#word(29).#word(value.length);
        for (let index = 0; index < value.length; index++) this.#word(value.charCodeAt(index));
        return this;
      case 'boolean':
        return this.#word(value ? 3 : 5);
      case 'undefined':
        return this.#word(7);
      default:
        return this.#object(value as object);
    }
  }

  #object(value: object): this {
    // Each kind has a mark of its own, so that what is empty differs too.
    if (value instanceof Log) return this.#word(11).add(value.base).add(value.runs(value.base, value.lastZxid));
    if (value instanceof Uint8Array || Array.isArray(value)) {
      this.#word(Array.isArray(value) ? 13 : 17).#word(value.length);
      for (const item of value) this.add(item);
      return this;
    }
    if (value instanceof Map) return this.#map(value);
    const fields = Object.entries(value);
    this.#word(19).#word(fields.length);
    for (const [name, field] of fields) this.add(name).add(field);
    return this;
  }

  #map(entries: ReadonlyMap<unknown, unknown>): this {
    let low = 0;
    let high = 0;
    for (const entry of entries) {
      const one = new Fingerprint().add(entry);
      low = (low + one.low) | 0;
      high = (high + one.high) | 0;
    }
    return this.#word(23).#word(entries.size).#word(low).#word(high);
  }

  #number(value: number): this {
    // A zxid fills both words; −0 and fractions do not occur in a state.
    return this.#word(31)
      .#word(value | 0)
      .#word(Math.floor(value / 0x1_0000_0000) | 0);
  }

  #word(word: number): this {
    let low = Math.imul(this.#low ^ word, 0x85ebca6b);
    low ^= low >>> 13;
    let high = Math.imul(this.#high ^ (word + low), 0xc2b2ae35);
    high ^= high >>> 16;
    this.#low = (low + high) | 0;
    this.#high = (high ^ Math.imul(low, 0x27d4eb2f)) | 0;
    return this;
  }
}
