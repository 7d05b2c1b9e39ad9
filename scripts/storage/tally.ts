/** What one part has counted, in its own words, and what went wrong. */
export interface Tally {
  readonly counts: Record<string, number>;
  readonly failures: string[];
}

export function count(tally: Tally, what: string, times = 1): void {
  tally.counts[what] = (tally.counts[what] ?? 0) + times;
}
