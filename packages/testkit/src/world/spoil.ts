/**
 * What a transport must not do to the chunks of a connection. `framed` has to find it: nothing that a faulty transport makes of what was sent may be believed.
 */
import { type Random, randomBelow } from '@quorate/ports';
import { chance, pick } from './random-streams.js';

/** How bad the transports are at the moment. All of them share one, so that they can become well. */
export interface Spoil {
  /** How many of a thousand chunks meet a fault. */
  permille: number;
}

const FAULTS = ['lost', 'doubled', 'swapped', 'flipped', 'cross-wired', 'split wrongly', 'silenced'] as const;

/** A fault of a chunk; `late` is one of a connection, which gives bytes after its close. */
export type SpoilFault = (typeof FAULTS)[number] | 'late';

/** The fault that the next chunk meets, undefined for none. */
export function drawFault(random: Random, { permille }: Spoil): (typeof FAULTS)[number] | undefined {
  return chance(random, permille) ? pick(random, FAULTS) : undefined;
}

/** The bytes with one bit of them flipped. */
export function flipped(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const bit = randomBelow(random, bytes.length * 8);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

/** The bytes in two, with the one at the cut in neither of them, or in both. */
export function splitWrongly(random: Random, bytes: Uint8Array): readonly Uint8Array[] {
  const at = randomBelow(random, bytes.length);
  return chance(random, 500) ? [bytes.subarray(0, at), bytes.subarray(at + 1)] : [bytes.subarray(0, at + 1), bytes.subarray(at)];
}
