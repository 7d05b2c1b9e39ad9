import { type Random, randomBelow } from '@quorate/ports';

/** Numbers that lengths and counts must not be believed in, and some that they may be. */
const CLAIMS: readonly number[] = [0x7fff_ffff, -0x8000_0000, -1, -2, 0, 1, 0xff_ffff, 0x1_0000, 0xfffff];
const CLAIM = 0x7fff_ffff;
const CLAIMS_MAX = 1_000;
const NOISE_BYTES_MAX = 200;
const CHANGES_MAX = 4;

/** Good inputs in which, at one place after the other, 2^31 − 1 bytes or elements are said to follow. */
export function* claims(corpus: readonly Uint8Array[]): Generator<Uint8Array> {
  let made = 0;
  for (const good of corpus) {
    for (let at = 0; at + 4 <= good.length && made < CLAIMS_MAX; at++, made++) {
      const bytes = good.slice();
      new DataView(bytes.buffer).setInt32(at, CLAIM);
      yield bytes;
    }
  }
}

/** An input made of good ones: cut, lengthened, spliced, changed in a few places; or noise. */
export function mutated(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  if (randomBelow(random, 16) === 0) return noise(random, randomBelow(random, NOISE_BYTES_MAX));
  const good = corpus[randomBelow(random, corpus.length)] as Uint8Array;
  const bytes = reshaped(good, corpus, random);
  for (let change = randomBelow(random, CHANGES_MAX); change > 0 && bytes.length > 0; change--) spoil(bytes, random);
  return bytes;
}

/** A copy of a good input: whole, cut anywhere, with bytes behind it, or with the rest of another. */
function reshaped(good: Uint8Array, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  const cut = randomBelow(random, good.length + 1);
  switch (randomBelow(random, 4)) {
    case 0:
      return good.slice(0, cut);
    case 1: {
      const other = corpus[randomBelow(random, corpus.length)] as Uint8Array;
      return joined(good.subarray(0, cut), other.subarray(Math.min(cut, other.length)));
    }
    case 2:
      return joined(good, noise(random, randomBelow(random, 9)));
    default:
      return good.slice();
  }
}

/** Flips a bit, sets a byte, or writes a number where a length may stand. */
function spoil(bytes: Uint8Array, random: Random): void {
  const at = randomBelow(random, bytes.length);
  switch (randomBelow(random, 3)) {
    case 0:
      bytes[at] = (bytes[at] as number) ^ (1 << randomBelow(random, 8));
      return;
    case 1:
      bytes[at] = randomBelow(random, 256);
      return;
    default: {
      const claim = CLAIMS[randomBelow(random, CLAIMS.length)] as number;
      for (let index = 0; index < 4 && at + index < bytes.length; index++) bytes[at + index] = claim >> (24 - 8 * index);
    }
  }
}

function noise(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => randomBelow(random, 256));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
