/** What was published, and when: by a count of what has happened, because the order is what is asked for. */
import type { Message } from '../../../examples/src/messaging/broker.ts';

interface Publication {
  readonly id: string;
  readonly key: string;
  readonly begunAt: number;
  /** Infinite while nobody knows whether it was kept. */
  ackedAt: number;
}

export class Publications {
  readonly #byId = new Map<string, Publication>();
  readonly #byKey = new Map<string, Publication[]>();
  readonly #triesMax: Set<number>;
  #moment = 0;

  constructor(triesMax: number) {
    this.#triesMax = new Set([triesMax]);
  }

  /** Later than all before it. */
  moment(): number {
    return ++this.#moment;
  }

  /** The settings are about to say so. */
  triesMaxMayBe(triesMax: number): void {
    this.#triesMax.add(triesMax);
  }

  get triesLeast(): number {
    return Math.min(...this.#triesMax);
  }

  get triesMost(): number {
    return Math.max(...this.#triesMax);
  }

  async publish({ id, key }: Message, publish: () => Promise<void>): Promise<void> {
    const publication = { id, key, begunAt: this.moment(), ackedAt: Number.POSITIVE_INFINITY };
    this.#byId.set(id, publication);
    const ofKey = this.#byKey.get(key) ?? [];
    ofKey.push(publication);
    this.#byKey.set(key, ofKey);
    await publish();
    publication.ackedAt = this.moment();
  }

  isKnown(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Acknowledged, and begun after a moment. */
  since(moment: number): readonly string[] {
    return [...this.#byId.values()]
      .filter(({ begunAt, ackedAt }) => begunAt > moment && ackedAt < Number.POSITIVE_INFINITY)
      .map(({ id }) => id);
  }

  /** Of the same key, begun after a moment, and acknowledged before this one was begun. */
  before(id: string, moment: number): readonly string[] {
    const { key, begunAt } = this.#byId.get(id) as Publication;
    return (this.#byKey.get(key) ?? []).filter((other) => other.begunAt > moment && other.ackedAt < begunAt).map((other) => other.id);
  }
}
