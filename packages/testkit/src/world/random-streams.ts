import { type Random, randomBelow, SeededRandom } from '@quorate/ports';

/**
 * One stream of chance per concern, all derived from one seed: a new draw in the network does not change what the weather or a client
 * does, so that a seed keeps most of its meaning while the simulator grows.
 */
export class RandomStreams {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
  }

  /** A new stream for `concern`; asking twice gives the same numbers twice. */
  stream(concern: string): Random {
    let hash = this.#seed ^ 0x811c9dc5;
    for (let i = 0; i < concern.length; i++) hash = Math.imul(hash ^ concern.charCodeAt(i), 0x01000193);
    return new SeededRandom(hash);
  }
}

/** A whole number from `low` to `high`, both included. */
export function between(random: Random, low: number, high: number): number {
  return low + randomBelow(random, high - low + 1);
}

/** True in `permille` of a thousand draws. */
export function chance(random: Random, permille: number): boolean {
  return permille > 0 && randomBelow(random, 1000) < permille;
}

/** One of the items, each as likely as the others. */
export function pick<T>(random: Random, items: readonly T[]): T {
  return items[randomBelow(random, items.length)] as T;
}

/** Milliseconds from `low` to `high` in steps of 1/64, so that sums of them are exact and equal on every machine. */
export function millis(random: Random, low: number, high: number): number {
  return between(random, Math.round(low * 64), Math.round(high * 64)) / 64;
}

/** The items in a random order. */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = randomBelow(random, i + 1);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}
