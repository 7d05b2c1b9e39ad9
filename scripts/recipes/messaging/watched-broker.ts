import type { Broker, BrokerOptions, Message, Partition, Stored } from '../../../examples/src/messaging/broker.ts';

/** A broker that tells of each message that it gives. */
export class WatchedBroker implements Broker {
  readonly #inner: Broker;
  readonly #onGiven: (partition: number, stored: Stored) => void;

  constructor(inner: Broker, onGiven: (partition: number, stored: Stored) => void) {
    this.#inner = inner;
    this.#onGiven = onGiven;
  }

  open(topic: string, partitions: number): Promise<void> {
    return this.#inner.open(topic, partitions);
  }

  publish(partition: Partition, message: Message, options?: BrokerOptions): Promise<void> {
    return this.#inner.publish(partition, message, options);
  }

  async *read(partition: Partition, after: number, options?: BrokerOptions): AsyncGenerator<Stored> {
    for await (const stored of this.#inner.read(partition, after, options)) {
      this.#onGiven(partition.index, stored);
      yield stored;
    }
  }

  discard(partition: Partition, upTo: number): Promise<void> {
    return this.#inner.discard(partition, upTo);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}
