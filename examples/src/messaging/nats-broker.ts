/**
 * Messages in NATS JetStream, for real volume: a stream for each topic, a subject for each partition. NATS keeps the messages; who reads what stays in znodes.
 *
 * Works with `nats-server` 2.9, as Debian 12 has it, and later ones.
 */
import {
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  StorageType,
} from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { type Broker, BrokerError, type BrokerOptions, type Message, type Partition, type Stored } from './broker.ts';

const STREAM_BYTES_MAX = 1024 ** 3;
const MESSAGE_BYTES_MAX = 512 * 1024;
/** How long the server knows the ids of messages, in milliseconds: a try that is repeated within that is kept once. */
const DUPLICATES_MS = 120_000;
const ATTEMPT_MS = 2_000;
const ATTEMPTS = 15;
const RECONNECT_MS = 200;
/** Messages that are under way to a reader at most. */
const AHEAD_MAX = 500;
/** A reader that hears nothing for twice that time, in milliseconds, asks anew. */
const SILENCE_MS = 500;
const NANOSECONDS = 1_000_000;

export interface NatsBrokerOptions {
  /** `host:port`, of one server or more. */
  readonly servers: string | string[];
  /** The most that a topic keeps, in bytes; 1 GiB when absent. */
  readonly streamBytesMax?: number | undefined;
  /** The largest body, in bytes; 512 KiB when absent. NATS itself takes 1 MiB, unless its configuration says otherwise. */
  readonly messageBytesMax?: number | undefined;
}

export class NatsBroker implements Broker {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #streams: JetStreamClient;
  readonly #streamBytesMax: number;
  readonly #messageBytesMax: number;

  private constructor(connection: NatsConnection, manager: JetStreamManager, options: NatsBrokerOptions) {
    this.#connection = connection;
    this.#manager = manager;
    this.#streams = jetstream(connection);
    this.#streamBytesMax = options.streamBytesMax ?? STREAM_BYTES_MAX;
    this.#messageBytesMax = options.messageBytesMax ?? MESSAGE_BYTES_MAX;
  }

  static async connect(options: NatsBrokerOptions): Promise<NatsBroker> {
    const connection = await connect({ servers: options.servers, maxReconnectAttempts: -1, reconnectTimeWait: RECONNECT_MS });
    return new NatsBroker(connection, await jetstreamManager(connection), options);
  }

  async open(topic: string): Promise<void> {
    // Asked for again with the same properties, NATS gives the stream that is there.
    await this.#manager.streams.add({
      name: topic,
      subjects: [`${topic}.*`],
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      max_bytes: this.#streamBytesMax,
      duplicate_window: DUPLICATES_MS * NANOSECONDS,
    });
  }

  async publish(partition: Partition, { id, key, body }: Message, { signal }: BrokerOptions = {}): Promise<void> {
    const data = new TextEncoder().encode(body);
    if (data.length > this.#messageBytesMax)
      throw new BrokerError('TOO_LARGE', `message ${id} has ${data.length} bytes, and ${this.#messageBytesMax} are the most`);
    const fields = headers();
    fields.set('Key', key);
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        await this.#streams.publish(subjectOf(partition), data, { msgID: id, headers: fields, timeout: ATTEMPT_MS });
        return;
      } catch (error) {
        if (error instanceof JetStreamApiError) throw refusal(partition, error);
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }

  async *read(partition: Partition, after: number, { signal }: BrokerOptions = {}): AsyncGenerator<Stored> {
    if (signal?.aborted) return;
    // An ordered consumer: it begins anew behind what it has given wherever something is missing.
    const consumer = await this.#streams.consumers.get(partition.topic, {
      filter_subjects: subjectOf(partition),
      ...(after === 0 ? { deliver_policy: DeliverPolicy.All } : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: after + 1 }),
    });
    const messages = await consumer.consume({ max_messages: AHEAD_MAX, expires: 2 * SILENCE_MS, idle_heartbeat: SILENCE_MS });
    const stop = (): void => messages.stop();
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    try {
      for await (const received of messages) {
        if (signal?.aborted) return;
        const message = {
          id: received.headers?.get('Nats-Msg-Id') ?? '',
          key: received.headers?.get('Key') ?? '',
          body: received.string(),
        };
        yield { message, position: received.seq };
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      await messages.close();
      await consumer.delete();
    }
  }

  async discard(partition: Partition, upTo: number): Promise<void> {
    await this.#manager.streams.purge(partition.topic, { filter: subjectOf(partition), seq: upTo + 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }
}

function subjectOf({ topic, index }: Partition): string {
  return `${topic}.${index}`;
}

function refusal({ topic }: Partition, error: JetStreamApiError): Error {
  if (/maximum (bytes|messages) exceeded/.test(error.message))
    return new BrokerError('FULL', `the topic ${topic} keeps as much as it may: ${error.message}`);
  return error;
}
