/** The producers of the example: two, which share the keys between them. The session of one of them ends on the way; it comes back under its name and goes on where it was. */
import { type Client, type Ensemble, isZooKeeperError } from 'quorate';
import type { Broker } from './broker.ts';
import { SESSION_TIMEOUT_MS, SPOILT, SPOILT_MESSAGES } from './orders.ts';
import { Producer } from './producer.ts';

const NAMES = ['north', 'south'] as const;
const KEYS = 100;

export interface PublishersOptions {
  readonly ensemble: Ensemble;
  readonly topic: string;
  /** For the client of a producer. */
  readonly brokerOf: (client: Client) => Broker;
  /** How many, besides the spoilt ones. */
  readonly messages: number;
}

export class Publishers {
  /** How many messages of each key are published. Their bodies are their numbers, from 1. */
  readonly published = new Map<string, number>();
  readonly #options: PublishersOptions;
  readonly #clients = new Map<string, Client>();
  #count = 0;
  #goals: { readonly count: number; readonly reached: () => void }[] = [];

  constructor(options: PublishersOptions) {
    this.#options = options;
  }

  /** Resolves when all are published. */
  async run(): Promise<void> {
    await Promise.all(NAMES.map((name, index) => this.#produce(name, index)));
  }

  /** Resolves when so large a part of them is published. */
  until(share: number): Promise<void> {
    const count = share * this.#options.messages;
    if (this.#count >= count) return Promise.resolve();
    return new Promise((reached) => this.#goals.push({ count, reached }));
  }

  /** Ends the session of a producer, as when its process has died. @returns its name. */
  failOne(): string {
    const [name] = NAMES;
    this.#options.ensemble.expireSession(this.#clients.get(name) as Client);
    return name;
  }

  /** A producer, over all its sessions. */
  async #produce(name: string, index: number): Promise<void> {
    const { ensemble, topic, brokerOf } = this.#options;
    for (;;) {
      const client = await ensemble.connect({ sessionTimeoutMs: SESSION_TIMEOUT_MS });
      this.#clients.set(name, client);
      const broker = brokerOf(client);
      try {
        const producer = await Producer.join({ client, broker, topic, name });
        const keys = Array.from({ length: KEYS / NAMES.length }, (_, i) => `key-${i * NAMES.length + index}`);
        await Promise.all(keys.map((key) => this.#publishKey(client, producer, key)));
        if (index === 0) await spoil(producer);
        await producer[Symbol.asyncDispose]();
        await client.close();
        return;
      } catch (error) {
        if (!isZooKeeperError(error, 'SESSION_EXPIRED')) throw error;
      }
    }
  }

  /** One after another, because their order counts; the keys go side by side. */
  async #publishKey(client: Client, producer: Producer, key: string): Promise<void> {
    const last = this.#options.messages / KEYS;
    for (;;) {
      const number = (this.published.get(key) ?? 0) + 1;
      if (number > last) return;
      await producer.publish({ id: `${key}/${number}`, key, body: String(number) });
      this.published.set(key, number);
      this.#count++;
      const [goal] = this.#goals;
      if (goal !== undefined && this.#count >= goal.count) this.#goals.shift()?.reached();
      // Over NATS it could go on without a session, but nobody would know it any more.
      if (client.state === 'EXPIRED') await client.connected();
    }
  }
}

async function spoil(producer: Producer): Promise<void> {
  for (let i = 1; i <= SPOILT_MESSAGES; i++) await producer.publish({ id: `${SPOILT}-${i}`, key: `spoilt-key-${i}`, body: SPOILT });
}
