/** Producers of a topic: a group whose members are known, and whose failure is seen. */
import { hashText, type Joined, Membership } from '@quorate/recipes';
import { type Client, joinPath } from 'quorate';
import type { Broker, BrokerOptions, Message } from './broker.ts';
import { type LiveTopic, pathOf, Topics } from './topics.ts';

export interface ProducerOptions {
  readonly client: Client;
  readonly broker: Broker;
  readonly topic: string;
  /** Of one producer at a time. */
  readonly name: string;
}

/** The producers of a topic. A view of them shows who comes and who fails. */
export function producersOf(client: Client, topic: string): Membership {
  return new Membership(client, joinPath(pathOf(topic), 'producers'));
}

export class Producer implements AsyncDisposable {
  readonly #options: ProducerOptions;
  readonly #topic: LiveTopic;
  readonly #joined: Joined;

  private constructor(options: ProducerOptions, topic: LiveTopic, joined: Joined) {
    this.#options = options;
    this.#topic = topic;
    this.#joined = joined;
  }

  static async join(options: ProducerOptions): Promise<Producer> {
    const { client, broker, topic, name } = options;
    const live = await new Topics(client, broker).follow(topic);
    return new Producer(options, live, await producersOf(client, topic).join(name));
  }

  /**
   * Appends a message to the partition of its key. Messages of one key keep their order where each is published after the one before has been. Where it is not known whether one was kept,
   * publish it again with the same id.
   *
   * @throws as `Broker.publish`.
   */
  publish(message: Message, options?: BrokerOptions): Promise<void> {
    const { name, settings } = this.#topic;
    return this.#options.broker.publish({ topic: name, index: hashText(message.key) % settings.partitions }, message, options);
  }

  /** Leaves the group. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#joined.release();
  }
}
