/** Summaries for Prometheus, as ZooKeeper's provider makes them: quantiles of the last ten minutes, sum and count since the start. */
import type { Clock } from '@quorate/ports';
import { type LatencyReading, quantileMs } from '@quorate/server';
import { type Registry, Summary } from 'prom-client';

const PERCENTILES = [0.5, 0.9, 0.99];
const WINDOW_SECONDS = 600;
const WINDOW_PARTS = 5;

/** One of what is told to it piece by piece. That costs some microseconds, so it is for what happens once in a batch, not for each request. */
export function observedSummary<T extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly T[] = [],
): Summary<T> {
  const window = { maxAgeSeconds: WINDOW_SECONDS, ageBuckets: WINDOW_PARTS };
  return new Summary<T>({ name, help, labelNames: [...labelNames], registers: [registry], percentiles: PERCENTILES, ...window });
}

type Values = Awaited<ReturnType<Summary['get']>>['values'];

/** What a summary says besides its quantiles. */
export function totalsOf(name: string, { sum, count }: { readonly sum: number; readonly count: number }): Values {
  return [
    { metricName: `${name}_sum`, labels: {}, value: sum },
    { metricName: `${name}_count`, labels: {}, value: count },
  ];
}

export interface CountedSummaryOptions {
  readonly name: string;
  readonly help: string;
  readonly clock: Pick<Clock, 'now'>;
  /** What the server has counted until now. */
  readonly read: () => LatencyReading;
}

interface Reading {
  readonly atMs: number;
  readonly reading: LatencyReading;
}

/**
 * One of latencies that the server has counted itself, so that each of its requests is in it. The quantiles are up to an eighth above what they were, and of a time that begins with the
 * last scrape which is ten minutes ago; with the start where there was none.
 */
export class CountedSummary extends Summary {
  readonly #options: CountedSummaryOptions;
  /** Of earlier scrapes. Invariant: the first one alone may be from before the window. */
  readonly #earlier: Reading[] = [];

  constructor(registry: Registry, options: CountedSummaryOptions) {
    const { name, help } = options;
    super({ name, help, registers: [registry], percentiles: PERCENTILES });
    this.#options = options;
  }

  override async get(): ReturnType<Summary['get']> {
    const { name, clock, read } = this.#options;
    const [nowMs, until] = [clock.now(), read()];
    const since = this.#since(nowMs);
    this.#keep({ atMs: nowMs, reading: until });
    const quantiles = PERCENTILES.map((quantile) => ({ labels: { quantile }, value: quantileMs(quantile, { until, since }) }));
    const totals = totalsOf(name, { sum: until.sumMs, count: until.count });
    return { ...(await super.get()), values: [...(quantiles as Values), ...totals] };
  }

  #since(nowMs: number): LatencyReading | undefined {
    const beginMs = nowMs - WINDOW_SECONDS * 1_000;
    while ((this.#earlier[1]?.atMs ?? Number.POSITIVE_INFINITY) <= beginMs) this.#earlier.shift();
    const first = this.#earlier[0];
    return first !== undefined && first.atMs <= beginMs ? first.reading : undefined;
  }

  #keep(now: Reading): void {
    const last = this.#earlier.at(-1);
    if (last === undefined || now.atMs - last.atMs >= (WINDOW_SECONDS * 1_000) / WINDOW_PARTS) this.#earlier.push(now);
  }
}
