/**
 * How long something took, counted by how long: any quantile can be told from it to an eighth, and a count costs an addition. So every request is
 * measured, where a sketch of quantiles would have to choose some.
 *
 * Counts stand in buckets of microseconds: one for each below 8, and eight for each power of two above, up to 35 minutes.
 */

const BUCKETS_OF_POWER_LOG2 = 3;
const BUCKETS_OF_POWER = 1 << BUCKETS_OF_POWER_LOG2;
const MICROSECONDS_MAX = 2 ** 31 - 1;
const BUCKETS = bucketOf(MICROSECONDS_MAX) + 1;

/** What was counted until some moment. */
export interface LatencyReading {
  readonly count: number;
  readonly sumMs: number;
  /** For `quantileMs`: how many in each bucket. */
  readonly buckets: Float64Array;
}

export class LatencyCounts {
  #count = 0;
  #sumMs = 0;
  readonly #buckets = new Float64Array(BUCKETS);

  add(latencyMs: number): void {
    this.#count++;
    this.#sumMs += latencyMs;
    const bucket = latencyMs === 0 ? 0 : bucketOf(Math.min(latencyMs * 1_000, MICROSECONDS_MAX) | 0);
    (this.#buckets[bucket] as number)++;
  }

  read(): LatencyReading {
    return { count: this.#count, sumMs: this.#sumMs, buckets: this.#buckets.slice() };
  }
}

/**
 * The latency that a share of those have at most which were counted between two readings, in milliseconds, and up to an eighth above what it was;
 * NaN where there were none, as Prometheus has it.
 *
 * @param share 0 to 1.
 */
export function quantileMs(
  share: number,
  { until, since }: { readonly until: LatencyReading; readonly since?: LatencyReading | undefined },
): number {
  const count = until.count - (since?.count ?? 0);
  const rank = Math.max(1, Math.ceil(share * count));
  let seen = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    seen += (until.buckets[bucket] as number) - (since?.buckets[bucket] ?? 0);
    if (seen >= rank) return endOf(bucket) / 1_000;
  }
  return Number.NaN;
}

function bucketOf(microseconds: number): number {
  if (microseconds < BUCKETS_OF_POWER) return microseconds;
  const shift = 31 - Math.clz32(microseconds) - BUCKETS_OF_POWER_LOG2;
  return (shift << BUCKETS_OF_POWER_LOG2) + (microseconds >>> shift);
}

/** The last microsecond of a bucket. */
function endOf(bucket: number): number {
  if (bucket < BUCKETS_OF_POWER) return bucket;
  const shift = (bucket >> BUCKETS_OF_POWER_LOG2) - 1;
  return (bucket - (shift << BUCKETS_OF_POWER_LOG2) + 1) * 2 ** shift - 1;
}
