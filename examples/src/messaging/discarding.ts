/** Messages go when all groups of consumers have come past them. */
import { persevere } from '@quorate/recipes';
import { type Client, joinPath } from 'quorate';
import type { Broker, Partition } from './broker.ts';
import type { Progress } from './progress.ts';
import { pathOf } from './topics.ts';

/** How often a partition is looked at, at most, in milliseconds. */
const INTERVAL_MS = 1_000;

export class Discarding {
  readonly #client: Client;
  readonly #broker: Broker;
  readonly #groups: string;
  readonly #lookedAt = new Map<number, number>();

  constructor(client: Client, broker: Broker, topic: string) {
    this.#client = client;
    this.#broker = broker;
    this.#groups = joinPath(pathOf(topic), 'groups');
  }

  /** Discards what can be, unless that was done a moment ago. */
  async look(partition: Partition): Promise<void> {
    const now = this.#client.clock.now();
    if (now - (this.#lookedAt.get(partition.index) ?? Number.NEGATIVE_INFINITY) < INTERVAL_MS) return;
    this.#lookedAt.set(partition.index, now);
    const position = await this.#pastAll(partition);
    if (position > 0) await this.#broker.discard(partition, position);
  }

  /** 0 where a group has not begun, or one has come while the others were asked. */
  async #pastAll({ index }: Partition): Promise<number> {
    const groups = await this.#known();
    const reads = groups.map((group) => ({ op: 'getData', path: joinPath(this.#groups, `${group}/progress/${index}`) }) as const);
    const results = await persevere(this.#client, () => this.#client.multiRead(reads));
    const positions = results.map(({ data }) =>
      data === undefined ? 0 : (JSON.parse(new TextDecoder().decode(data)) as Progress).position,
    );
    // What was published since another group came may be among what these have handled by now.
    const now = await this.#known();
    return now.every((group) => groups.includes(group)) ? Math.min(...positions) : 0;
  }

  async #known(): Promise<readonly string[]> {
    return (await persevere(this.#client, () => this.#client.getChildren(this.#groups))).children;
  }
}
