/**
 * The hash under which a child stands among all: of its parent's number and its name, under a secret key.
 *
 * Clients choose names. Under a hash that they know, they could choose thousands that fall together, and each search for one of them would pass all
 * the others. This one is HalfSipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", with halves of the width): whoever does
 * not know the key does no better than chance.
 */

/** The hash of the child `text` from `start` to `end` of a parent, an int32. It decides nothing that can be seen. */
export type NameHash = (parent: number, text: string, start: number, end: number) => number;

/** The rounds after the last word. */
const FINAL_ROUNDS = 3;

/** @param seed the key: a whole number from 0 to 2^53 − 1. */
export function nameHash(seed: number): NameHash {
  const key0 = seed | 0;
  const key1 = Math.floor(seed / 0x1_0000_0000) | 0;
  return (parent, text, start, end) => {
    let v0 = key0;
    let v1 = key1;
    let v2 = key0 ^ 0x6c796765;
    let v3 = key1 ^ 0x74656462;
    // The parent is the first word; then two code units make a word.
    let word = parent;
    let rounds = 1 + ((end - start + 1) >> 1) + FINAL_ROUNDS;
    for (let at = start; rounds > 0; at += 2) {
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
      rounds--;
      if (at < end) word = at + 1 < end ? text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16) : text.charCodeAt(at);
      else word = 0;
      if (rounds === FINAL_ROUNDS) v2 ^= 0xff ^ (end - start);
    }
    return v1 ^ v3;
  };
}
