/** A set of 64-bit fingerprints in two flat arrays with open addressing: 8 bytes a slot, at most 0.6 of the slots in use. */
import type { Print } from './print.js';

const FILL_MAX = 0.6;

export class FingerprintSet {
  #low: Uint32Array;
  #high: Uint32Array;
  #size = 0;

  constructor(slots = 1 << 16) {
    this.#low = new Uint32Array(slots);
    this.#high = new Uint32Array(slots);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#low.byteLength * 2;
  }

  /** False where it was there already. */
  add({ low, high }: Print): boolean {
    if (this.#size >= this.#low.length * FILL_MAX) this.#grow();
    return this.#insert(low, high);
  }

  #insert(low: number, given: number): boolean {
    // An empty slot is two zeros, which therefore stand for no fingerprint.
    const high = low === 0 && given === 0 ? 1 : given;
    const mask = this.#low.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      if (this.#low[slot] === low && this.#high[slot] === high) return false;
      if (this.#low[slot] !== 0 || this.#high[slot] !== 0) continue;
      this.#low[slot] = low;
      this.#high[slot] = high;
      this.#size++;
      return true;
    }
  }

  #grow(): void {
    const low = this.#low;
    const high = this.#high;
    this.#low = new Uint32Array(low.length * 2);
    this.#high = new Uint32Array(low.length * 2);
    this.#size = 0;
    for (let slot = 0; slot < low.length; slot++) {
      if (low[slot] !== 0 || high[slot] !== 0) this.#insert(low[slot] as number, high[slot] as number);
    }
  }
}
