/** A stream of random numbers, as a port: the same seed gives the same stream on every machine. */
export interface Random {
  /** The next 32 random bits, as an unsigned integer. */
  uint32(): number;
}

/** A whole number from 0 up to and without `bound` (1 to 2^32), evenly distributed. */
export function randomBelow(random: Random, bound: number): number {
  // Draws at and above the greatest multiple of `bound` are drawn again, because they would favour the small results.
  const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
  let draw = random.uint32();
  while (draw >= limit) draw = random.uint32();
  return draw % bound;
}

/** True in one of `times` draws on average. */
export function oneIn(random: Random, times: number): boolean {
  return randomBelow(random, times) === 0;
}
