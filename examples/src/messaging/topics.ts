/**
 * Topics and queues: what they are stands in znodes, and whoever uses one follows it while it changes.
 *
 *     /messaging/NAME                 the settings
 *     /messaging/NAME/producers       who publishes
 *     /messaging/NAME/groups/GROUP    a group of consumers:
 *       consumers                       who they are, and their heartbeats
 *       votings                         on who may come in
 *       division                        who has which partition
 *       progress/0                      how far the group has come in a partition
 */
import { persevere } from '@quorate/recipes';
import { type Client, CreateMode, isZooKeeperError, joinPath, ZooKeeperError } from 'quorate';
import { Bell } from './bell.ts';
import type { Broker } from './broker.ts';

export const ROOT = '/messaging';

export interface TopicSettings {
  /** Each group of consumers of a topic gets every message. A queue has one group, `QUEUE_GROUP`. */
  readonly kind: 'topic' | 'queue';
  /** Into how many partitions it is divided, 1 to 1,024. It does not change, because the order of a key is that of its partition. */
  readonly partitions: number;
  /** How often a message is tried before it becomes a dead letter, 1 to 100. May change. */
  readonly triesMax: number;
  /** The pause before a message is tried again, in milliseconds, 0 to 60,000. May change. */
  readonly retryMs: number;
  /** Whether its consumers wait. May change. */
  readonly paused: boolean;
}

const DEFAULTS: TopicSettings = { kind: 'topic', partitions: 8, triesMax: 5, retryMs: 100, paused: false };

export const QUEUE_GROUP = 'queue';

/** What does not come to its end by itself is read here: one partition, no consumers. */
export function deadLettersOf(topic: string): string {
  return `${topic}-dead`;
}

export class Topics {
  readonly #client: Client;
  readonly #broker: Broker;

  constructor(client: Client, broker: Broker) {
    this.#client = client;
    this.#broker = broker;
  }

  /** Makes a topic and room for its messages, where it is not there yet. @throws TypeError for what is no name or no setting. */
  async open(name: string, settings: Partial<TopicSettings> = {}): Promise<void> {
    if (!/^[a-z0-9-]+$/.test(name))
      throw new TypeError(`the name of a topic has small letters, digits and hyphens, unlike ${JSON.stringify(name)}`);
    const checked = check({ ...DEFAULTS, ...settings });
    await this.#broker.open(name, checked.partitions);
    await this.#broker.open(deadLettersOf(name), 1);
    for (const [path, data] of [
      [ROOT, ''],
      [pathOf(name), JSON.stringify(checked)],
      [joinPath(pathOf(name), 'groups'), ''],
    ] as const)
      await makeZnode(this.#client, path, data);
  }

  /** Changes settings of a topic, against those that others change at the same time. @throws TypeError for what is no setting, or cannot change. */
  async alter(name: string, change: Partial<Omit<TopicSettings, 'kind' | 'partitions'>>): Promise<TopicSettings> {
    for (;;) {
      const { data, stat } = await persevere(this.#client, () => this.#client.getData(pathOf(name)));
      const before = parse(data);
      const after = check({ ...before, ...change });
      if (after.kind !== before.kind || after.partitions !== before.partitions)
        throw new TypeError(`kind and partitions of ${name} stay what they are: open another topic`);
      try {
        await persevere(this.#client, () => this.#client.setData(pathOf(name), JSON.stringify(after), { version: stat.version }));
        return after;
      } catch (error) {
        // Somebody else was faster, or this one was and its answer was lost: it is the same to whoever says what it shall be.
        if (!isZooKeeperError(error, 'BAD_VERSION')) throw error;
      }
    }
  }

  /** The settings, as they are from now on until the session ends. @throws TypeError where there is no such topic; ZooKeeperError SESSION_EXPIRED. */
  async follow(name: string): Promise<LiveTopic> {
    const values = this.#client.watchData(pathOf(name))[Symbol.asyncIterator]();
    const { done, value: first } = await values.next();
    if (done === true) throw new ZooKeeperError('SESSION_EXPIRED', `the session has ended before the topic ${name} was read`);
    if (first === undefined) throw new TypeError(`there is no topic ${name}: open it first`);
    const live = new LiveTopic(name, parse(first.data));
    void live.followOn(values);
    return live;
  }
}

/** The settings of a topic, which follow what is written. */
export class LiveTopic {
  readonly name: string;
  readonly #waiting = new Set<Bell>();
  #settings: TopicSettings;

  /** Made by `Topics.follow`. */
  constructor(name: string, settings: TopicSettings) {
    this.name = name;
    this.#settings = settings;
  }

  get settings(): TopicSettings {
    return this.#settings;
  }

  /** Resolves when its consumers may go on, or the signal has aborted. */
  async running(signal: AbortSignal): Promise<void> {
    if (!this.#settings.paused) return;
    const bell = new Bell();
    this.#waiting.add(bell);
    while (this.#settings.paused && !signal.aborted) await bell.heard(signal);
    this.#waiting.delete(bell);
  }

  /** Takes every change, until the session ends. A topic that is removed keeps its last settings. */
  async followOn(values: AsyncIterator<{ readonly data: Uint8Array } | undefined>): Promise<void> {
    for (let next = await values.next(); next.done !== true; next = await values.next()) {
      if (next.value === undefined) continue;
      this.#settings = parse(next.value.data);
      for (const bell of this.#waiting) bell.ring();
    }
  }
}

/** Where a topic is. */
export function pathOf(topic: string): string {
  return joinPath(ROOT, topic);
}

/** Makes a group of consumers known, so that no message is thrown away before it has come past it. @returns where the group is. */
export async function openGroup(client: Client, topic: string, { kind }: TopicSettings, group: string): Promise<string> {
  if ((kind === 'queue') !== (group === QUEUE_GROUP))
    throw new TypeError(
      `a queue has the one group "${QUEUE_GROUP}", and a topic has others: ${topic} is a ${kind}, and the group "${group}"`,
    );
  const path = joinPath(joinPath(pathOf(topic), 'groups'), group);
  for (const place of [path, joinPath(path, 'progress'), joinPath(path, 'votings')]) await makeZnode(client, place, '');
  return path;
}

async function makeZnode(client: Client, path: string, data: string): Promise<void> {
  await persevere(client, () => client.create(path, data, { mode: CreateMode.PERSISTENT })).catch((error: unknown) => {
    if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
  });
}

function parse(data: Uint8Array): TopicSettings {
  return check(JSON.parse(new TextDecoder().decode(data)) as TopicSettings);
}

function check(settings: TopicSettings): TopicSettings {
  const { kind, partitions, triesMax, retryMs, paused, ...others } = settings;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new TypeError(`${unknown} is no setting of a topic: ${Object.keys(DEFAULTS).join(', ')} are`);
  if (kind !== 'topic' && kind !== 'queue') throw new TypeError(`kind must be "topic" or "queue", not ${JSON.stringify(kind)}`);
  checkWhole('partitions', partitions, 1, 1_024);
  checkWhole('triesMax', triesMax, 1, 100);
  checkWhole('retryMs', retryMs, 0, 60_000);
  if (typeof paused !== 'boolean') throw new TypeError(`paused must be true or false, not ${JSON.stringify(paused)}`);
  return settings;
}

function checkWhole(name: string, value: unknown, low: number, high: number): void {
  if (!Number.isInteger(value) || (value as number) < low || (value as number) > high)
    throw new TypeError(`${name} must be a whole number from ${low} to ${high}, not ${JSON.stringify(value)}`);
}
