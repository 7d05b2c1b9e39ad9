/**
 * Messages in znodes: for small messages, and not many that wait. Nothing else has to run.
 *
 * Each message is a sequential child of its partition. Every server keeps all of them in memory, and a reader lists a partition whenever it has changed: that is why both limits are low.
 */
import { persevere } from '@quorate/recipes';
import { type Client, CreateMode, isZooKeeperError, joinPath } from 'quorate';
import { Bell } from './bell.ts';
import { type Broker, BrokerError, type BrokerOptions, type Message, type Partition, type Stored } from './broker.ts';

const MESSAGES_MAX = 5_000;
const MESSAGE_BYTES_MAX = 16 * 1024;
/** Messages that are asked for, or deleted, at once. */
const BATCH = 50;

export interface EmbeddedBrokerOptions {
  /** The directory, which is made when needed. */
  readonly root: string;
  /** How many messages may wait in a partition; 5,000 when absent. Those who publish at once may exceed it by one each. */
  readonly messagesMax?: number | undefined;
  /** The largest message, in bytes, with its id and key; 16 KiB when absent. */
  readonly messageBytesMax?: number | undefined;
}

export class EmbeddedBroker implements Broker {
  readonly #client: Client;
  readonly #root: string;
  readonly #messagesMax: number;
  readonly #messageBytesMax: number;

  constructor(client: Client, { root, messagesMax = MESSAGES_MAX, messageBytesMax = MESSAGE_BYTES_MAX }: EmbeddedBrokerOptions) {
    this.#client = client;
    this.#root = root;
    this.#messagesMax = messagesMax;
    this.#messageBytesMax = messageBytesMax;
  }

  async open(topic: string, partitions: number): Promise<void> {
    const paths = [this.#root, joinPath(this.#root, topic)];
    for (let index = 0; index < partitions; index++) paths.push(this.#directory({ topic, index }));
    for (const path of paths) await this.#unlessDone('NODE_EXISTS', () => this.#client.create(path));
  }

  async publish(partition: Partition, message: Message, options?: BrokerOptions): Promise<void> {
    const data = new TextEncoder().encode(JSON.stringify(message));
    if (data.length > this.#messageBytesMax)
      throw new BrokerError('TOO_LARGE', `message ${message.id} has ${data.length} bytes, and ${this.#messageBytesMax} are the most`);
    const directory = this.#directory(partition);
    const stat = await persevere(this.#client, () => this.#client.exists(directory, options), options);
    if (stat === undefined) throw new TypeError(`there is no partition ${partition.index} of ${partition.topic}: open the topic first`);
    if (stat.numChildren >= this.#messagesMax)
      throw new BrokerError(
        'FULL',
        `${stat.numChildren} messages wait in partition ${partition.index} of ${partition.topic}, and no more may`,
      );
    // Safe to repeat. Only a message that was read and discarded before it is looked for is there twice.
    await this.#client.create(joinPath(directory, 'm-'), data, { mode: CreateMode.PERSISTENT_SEQUENTIAL, protected: true, ...options });
  }

  async *read(partition: Partition, after: number, { signal }: BrokerOptions = {}): AsyncGenerator<Stored> {
    const client = this.#client;
    const directory = this.#directory(partition);
    const bell = new Bell();
    const watch = await persevere(client, () => client.addWatch(directory, { watch: () => bell.ring() }));
    try {
      let position = after;
      while (signal?.aborted !== true) {
        const names = await this.#names(directory, position);
        for (let i = 0; i < names.length; i += BATCH) {
          for (const stored of await this.#load(directory, names.slice(i, i + BATCH))) {
            if (signal?.aborted) return;
            position = stored.position;
            yield stored;
          }
        }
        if (names.length === 0) await bell.heard(signal);
      }
    } finally {
      await watch.remove();
    }
  }

  async discard(partition: Partition, upTo: number): Promise<void> {
    const directory = this.#directory(partition);
    const names = (await this.#names(directory, 0)).filter((name) => positionOf(name) <= upTo);
    for (let i = 0; i < names.length; i += BATCH) {
      const batch = names.slice(i, i + BATCH).map((name) => joinPath(directory, name));
      await Promise.all(batch.map((path) => this.#unlessDone('NO_NODE', () => this.#client.delete(path))));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  /** Names of messages after a position, in order. */
  async #names(directory: string, after: number): Promise<readonly string[]> {
    const { children } = await persevere(this.#client, () => this.#client.getChildren(directory));
    return children.filter((name) => positionOf(name) > after).sort((a, b) => positionOf(a) - positionOf(b));
  }

  /** Messages by name. What was discarded meanwhile is left out. */
  async #load(directory: string, names: readonly string[]): Promise<readonly Stored[]> {
    const reads = names.map((name) => ({ op: 'getData', path: joinPath(directory, name) }) as const);
    const results = await persevere(this.#client, () => this.#client.multiRead(reads));
    return results.flatMap(({ data }, index) => {
      if (data === undefined) return [];
      const message = JSON.parse(new TextDecoder().decode(data)) as Message;
      return [{ message, position: positionOf(names[index] as string) }];
    });
  }

  /** Repeats a write over lost connections, where the answer that it was done already is as good. */
  async #unlessDone(code: 'NODE_EXISTS' | 'NO_NODE', write: () => Promise<unknown>): Promise<void> {
    try {
      await persevere(this.#client, write);
    } catch (error) {
      if (!isZooKeeperError(error, code)) throw error;
    }
  }

  #directory({ topic, index }: Partition): string {
    return joinPath(joinPath(this.#root, topic), String(index));
  }
}

/** ZooKeeper counts the children of a znode from 0, up to 2^31 − 1 in its life. */
function positionOf(name: string): number {
  return Number(name.slice(-10)) + 1;
}
