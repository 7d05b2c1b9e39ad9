/** A server's numbers for Prometheus, under the names that ZooKeeper's own provider gives them; and those of the process by prom-client's names. */
import type { FiredWatches } from '@quorate/server';
import { Counter, collectDefaultMetrics, Gauge, type Registry, Summary } from 'prom-client';
import type { HttpAnswer } from './http-port.js';
import { FIRED_WATCHES, SERVER_COUNTERS, type ServerCounter } from './server-counters.js';
import { monitorValues, type ServerView } from './server-view.js';
import { totalsOf } from './summaries.js';

const COUNTER_NAMES: ReadonlySet<string> = new Set(SERVER_COUNTERS.map(({ name }) => name));

export class Metrics {
  readonly #view: ServerView;
  readonly #registry: Registry;
  readonly #gauges = new Map<string, Gauge>();

  /** @param registry that others have put theirs into. */
  constructor(view: ServerView, registry: Registry) {
    this.#view = view;
    this.#registry = registry;
    collectDefaultMetrics({ register: this.#registry });
    for (const counter of SERVER_COUNTERS) this.#addCounter(counter);
    new Gauge({
      name: 'connection_token_deficit',
      help: 'what the bucket of the connection throttle lacks now, in tokens',
      registers: [this.#registry],
      collect() {
        this.set(view.server.connectionThrottling?.deficit ?? 0);
      },
    });
    for (const [name, of] of FIRED_WATCHES) new FiredWatchesSummary(this.#registry, name, () => view.server.counts[of]);
  }

  #addCounter({ name, help, read }: ServerCounter): void {
    const view = this.#view;
    new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(read(view));
      },
    });
  }

  async answer(method: string, path: string): Promise<HttpAnswer> {
    if (path !== '/metrics') return { status: 404, type: 'text/plain', body: 'the metrics are at /metrics\n' };
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: 'text/plain', body: 'metrics are asked for by GET\n' };
    this.#update();
    return { status: 200, type: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  #update(): void {
    const values = monitorValues(this.#view);
    for (const [name, value] of values) if (typeof value === 'number' && !COUNTER_NAMES.has(name)) this.#gauge(name).set(value);
    // What only a leader has must not stay when it leads no more.
    for (const name of [...this.#gauges.keys()]) {
      if (values.has(name)) continue;
      this.#gauges.delete(name);
      this.#registry.removeSingleMetric(name);
    }
  }

  #gauge(name: string): Gauge {
    const known = this.#gauges.get(name);
    if (known !== undefined) return known;
    const gauge = new Gauge({ name, help: `zk_${name} of the four-letter word mntr`, registers: [this.#registry] });
    this.#gauges.set(name, gauge);
    return gauge;
  }
}

class FiredWatchesSummary extends Summary {
  readonly #read: () => FiredWatches;

  constructor(registry: Registry, name: string, read: () => FiredWatches) {
    super({ name, help: 'connections that were told of an event', registers: [registry], percentiles: [] });
    this.#read = read;
  }

  override async get(): ReturnType<Summary['get']> {
    const described = await super.get();
    return { ...described, values: totalsOf(described.name, this.#read()) };
  }
}
