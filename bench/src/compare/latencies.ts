/** How long requests took, counted in steps of 10 µs up to a second, so that a million of them cost nothing to keep. */
const STEPS_PER_MS = 100;
const STEPS = 1_000 * STEPS_PER_MS;

export class Latencies {
  readonly #counts = new Uint32Array(STEPS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    const step = Math.min(Math.floor(ms * STEPS_PER_MS), STEPS - 1);
    this.#counts[step] = (this.#counts[step] as number) + 1;
    this.#count++;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
  }

  /** The time within which this share of the requests was answered. */
  quantileMs(share: number): number {
    let left = this.#count * share;
    for (let step = 0; step < STEPS; step++) {
      left -= this.#counts[step] as number;
      if (left <= 0) return (step + 1) / STEPS_PER_MS;
    }
    return STEPS / STEPS_PER_MS;
  }
}
