/**
 * A consumer of a topic, one of a group. The partitions are divided among the members so that few move when somebody comes or goes; each is worked on under a lock of its own, so that two members never
 * work on one, whatever either of them believes about who is there (`Partitioner`).
 */
import { type Joined, Membership, type OwnedPartition, Partitioner, pause } from '@quorate/recipes';
import { type Client, joinPath } from 'quorate';
import { askMembers, type Ballot, NotAdmittedError, VOTE_MS, type Vote, voteAlways } from './admission.ts';
import type { Broker, Message } from './broker.ts';
import { Discarding } from './discarding.ts';
import { type Handler, work } from './partition-worker.ts';
import { deadLettersOf, type LiveTopic, openGroup, Topics } from './topics.ts';

const HEARTBEAT_MS = 1_000;

export interface ConsumerOptions {
  readonly client: Client;
  readonly broker: Broker;
  readonly topic: string;
  readonly group: string;
  /** Of one consumer at a time. */
  readonly name: string;
  readonly handler: Handler;
  /** What it says when somebody wants to come into the group; yes when absent. */
  readonly decide?: ((candidate: string) => Vote) | undefined;
  /** How long the others have to vote on it, in milliseconds; 5,000 when absent. */
  readonly voteMs?: number | undefined;
}

/** What a consumer says about itself, every second: who looks sees who has stopped. */
export interface Heartbeat {
  readonly partitions: readonly number[];
  /** Messages since it came. */
  readonly handled: number;
}

/** The consumers of a group; the data of each are its `Heartbeat`. */
export function consumersOf(client: Client, groupPath: string): Membership {
  return new Membership(client, joinPath(groupPath, 'consumers'));
}

export class Consumer implements AsyncDisposable {
  /** Settles when it works no more: resolves where it was told to leave. @throws ZooKeeperError SESSION_EXPIRED, and what else `Partitioner.run` rejects with. */
  readonly ended: Promise<void>;
  readonly #options: ConsumerOptions;
  readonly #topic: LiveTopic;
  readonly #path: string;
  readonly #joined: Joined;
  readonly #partitioner: Partitioner;
  readonly #discarding: Discarding;
  readonly #closing = new AbortController();
  #handled = 0;

  private constructor(options: ConsumerOptions, topic: LiveTopic, path: string, joined: Joined) {
    const { client, broker, name } = options;
    this.#options = options;
    this.#topic = topic;
    this.#path = path;
    this.#joined = joined;
    this.#discarding = new Discarding(client, broker, topic.name);
    this.#partitioner = new Partitioner(client, joinPath(path, 'division'), {
      id: name,
      partitions: Array.from({ length: topic.settings.partitions }, (_, index) => String(index)),
      work: (owned) => this.#work(owned),
    });
    this.ended = this.#run();
    // Whoever does not ask hears of the end by the client.
    this.ended.catch(() => {});
  }

  /** Asks the members of the group, and comes in. @throws NotAdmittedError where more than half do not say yes. */
  static async join(options: ConsumerOptions): Promise<{ readonly consumer: Consumer; readonly ballot: Ballot }> {
    const { client, broker, name, voteMs = VOTE_MS } = options;
    const topic = await new Topics(client, broker).follow(options.topic);
    const path = await openGroup(client, topic.name, topic.settings, options.group);
    const consumers = consumersOf(client, path);
    await using view = await consumers.view();
    const members = view.members.map(({ id }) => id);
    const ballot = await askMembers(client, joinPath(path, 'votings'), { members, candidate: name, voteMs });
    if (!ballot.admitted) throw new NotAdmittedError(name, ballot.votes);
    const joined = await consumers.join(name, { data: JSON.stringify({ partitions: [], handled: 0 } satisfies Heartbeat) });
    return { consumer: new Consumer(options, topic, path, joined), ballot };
  }

  /** Numbers of the partitions that it works on. */
  get partitions(): readonly number[] {
    return this.#partitioner.owned.map(({ partition }) => Number(partition)).sort((a, b) => a - b);
  }

  /** Leaves the group once what is under way is done and noted. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the consumer leaves'));
    await this.ended.catch(() => {});
    await this.#joined.release();
  }

  async #run(): Promise<void> {
    const { client, name, decide = () => 'yes' as const } = this.#options;
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, stop.signal]);
    const tasks = [
      this.#partitioner.run({ signal }),
      voteAlways(client, joinPath(this.#path, 'votings'), name, decide, signal),
      this.#beat(signal),
    ];
    try {
      await Promise.race(tasks);
    } catch (error) {
      // Whichever hears first that it leaves ends first.
      if (error !== this.#closing.signal.reason) throw error;
    } finally {
      stop.abort(new Error('the consumer has ended'));
      await Promise.allSettled(tasks);
    }
  }

  async #work(owned: OwnedPartition): Promise<void> {
    const { client, broker, handler } = this.#options;
    const index = Number(owned.partition);
    const partition = { topic: this.#topic.name, index };
    try {
      await work({
        client,
        broker,
        partition,
        progressPath: joinPath(this.#path, `progress/${index}`),
        get signal() {
          return owned.signal;
        },
        fencingToken: owned.fencingToken,
        handler: async (message, delivery) => {
          await handler(message, delivery);
          this.#handled++;
        },
        tries: () => this.#topic.settings,
        gate: (stop) => this.#topic.running(stop),
        bury: (message, reason) => this.#bury(message, reason),
        onNoted: () => this.#discarding.look(partition),
      });
    } catch (error) {
      // What fails because the partition is lost is the next owner's affair.
      if (!owned.signal.aborted) throw error;
    }
  }

  #bury({ id, key, body }: Message, reason: string): Promise<void> {
    const { group } = this.#options;
    // Each group has its own opinion, and a broker that knows ids keeps both.
    const letter: Message = { id: `${group}/${id}`, key, body: JSON.stringify({ group, reason, body }) };
    return this.#options.broker.publish({ topic: deadLettersOf(this.#topic.name), index: 0 }, letter);
  }

  async #beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#joined.update(JSON.stringify({ partitions: this.partitions, handled: this.#handled } satisfies Heartbeat));
      await pause(this.#options.client.clock, HEARTBEAT_MS, { signal }).catch(() => {});
    }
  }
}
