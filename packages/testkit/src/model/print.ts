/**
 * Fingerprints of plain values, 64 bits in two halves: what `Fingerprint` of zab does for a peer, for many more values and faster, because every string is
 * known after the first time. Equal values have equal prints; the order of the entries of a Map, and of the fields of a record, counts for the record only.
 */
import { Log } from '@quorate/zab';

/** Two halves of 64 bits. */
export interface Print {
  readonly low: number;
  readonly high: number;
}

export class Printer {
  readonly #words = new Map<string, number>();
  #low = 0;
  #high = 0;

  /** The print of values in this order. */
  print(...values: readonly unknown[]): Print {
    this.#low = 0x9e3779b9;
    this.#high = 0x7f4a7c15;
    for (const value of values) this.#add(value);
    return { low: this.#low >>> 0, high: this.#high >>> 0 };
  }

  #add(value: unknown): void {
    switch (typeof value) {
      case 'number':
        // A zxid fills both words.
        this.#word(value | 0);
        this.#word(Math.floor(value / 0x1_0000_0000) | 0);
        return;
      case 'string':
        this.#word(this.#wordOf(value));
        return;
      case 'boolean':
        this.#word(value ? 0x3c6ef372 : 0x510e527f);
        return;
      case 'undefined':
        this.#word(0x1f83d9ab);
        return;
      default:
        this.#object(value as object);
    }
  }

  #object(value: object): void {
    if (Array.isArray(value) || value instanceof Uint8Array) {
      this.#word(value.length);
      for (let i = 0; i < value.length; i++) this.#add(value[i]);
    } else if (value instanceof Log) {
      this.#add(value.base);
      this.#add(value.runs(value.base, value.lastZxid));
    } else if (value instanceof Map) {
      this.#map(value);
    } else {
      // Records of one kind have their fields in one order, and no inherited ones.
      for (const name in value) {
        this.#word(this.#wordOf(name));
        this.#add((value as Record<string, unknown>)[name]);
      }
    }
  }

  /** A Map's entries come in any order: their prints are summed. */
  #map(entries: ReadonlyMap<unknown, unknown>): void {
    const outerLow = this.#low;
    const outerHigh = this.#high;
    let low = 0;
    let high = 0;
    for (const [key, item] of entries) {
      this.#low = 0x6a09e667;
      this.#high = 0x3c6ef372;
      this.#add(key);
      this.#add(item);
      low = (low + this.#low) | 0;
      high = (high + this.#high) | 0;
    }
    this.#low = outerLow;
    this.#high = outerHigh;
    this.#word(entries.size);
    this.#word(low);
    this.#word(high);
  }

  /** A number for a string: any will do that no other string has. */
  #wordOf(text: string): number {
    let word = this.#words.get(text);
    if (word === undefined) {
      word = Math.imul(this.#words.size + 1, 0x9e3779b1);
      this.#words.set(text, word);
    }
    return word;
  }

  #word(word: number): void {
    let low = Math.imul(this.#low ^ word, 0x85ebca6b);
    low ^= low >>> 13;
    let high = Math.imul(this.#high ^ (word + low), 0xc2b2ae35);
    high ^= high >>> 16;
    this.#low = (low + high) | 0;
    this.#high = (high ^ Math.imul(low, 0x27d4eb2f)) | 0;
  }
}
