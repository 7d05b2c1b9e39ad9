import { SeededRandom, VirtualClock } from '@quorate/ports';
import { Voting } from '@quorate/recipes';
import { type Client, Ensemble, type ReadOperation } from 'quorate';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Vote } from '../../examples/src/messaging/admission.ts';
import { Consumer, type ConsumerOptions, consumersOf } from '../../examples/src/messaging/consumer.ts';
import { Discarding } from '../../examples/src/messaging/discarding.ts';
import { EmbeddedBroker } from '../../examples/src/messaging/embedded-broker.ts';
import { Producer, producersOf } from '../../examples/src/messaging/producer.ts';
import { deadLettersOf, openGroup, pathOf, type TopicSettings, Topics } from '../../examples/src/messaging/topics.ts';
import { settled } from '../../scripts/numbers/virtual-time.ts';

const TOPIC = 'orders';
const SESSION_TIMEOUT_MS = 1_000;

let clock: VirtualClock;
let ensemble: Ensemble;
let overseer: Client;
let producer: Producer;
let published: number;
/** `consumer key/number`, as handled. */
let handled: string[];

beforeEach(async () => {
  clock = new VirtualClock();
  ensemble = await settled(clock, Ensemble.start({ servers: 3, clock, random: new SeededRandom(1) }));
  overseer = await connect();
  published = 0;
  handled = [];
});

function connect(): Promise<Client> {
  return settled(clock, ensemble.connect({ sessionTimeoutMs: SESSION_TIMEOUT_MS }));
}

const brokerOf = (client: Client) => new EmbeddedBroker(client, { root: '/messages' });

async function open(settings: Partial<TopicSettings> = {}): Promise<Topics> {
  const topics = new Topics(overseer, brokerOf(overseer));
  await settled(clock, topics.open(TOPIC, { partitions: 6, ...settings }));
  producer = await settled(clock, Producer.join({ client: overseer, broker: brokerOf(overseer), topic: TOPIC, name: 'north' }));
  return topics;
}

async function publish(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const number = ++published;
    await settled(clock, producer.publish({ id: String(number), key: `key-${number % 20}`, body: String(number) }));
  }
}

async function join(
  name: string,
  options: Partial<ConsumerOptions> = {},
): Promise<{ consumer: Consumer; client: Client; votes: [string, string][] }> {
  const client = await connect();
  const joining = Consumer.join({
    client,
    broker: brokerOf(client),
    topic: TOPIC,
    group: 'billing',
    name,
    handler: ({ key, body }) => void handled.push(`${name} ${key} ${body}`),
    ...options,
  });
  const { consumer, ballot } = await settled(clock, joining);
  return { consumer, client, votes: [...ballot.votes] };
}

async function run(ms: number): Promise<void> {
  await settled(clock, new Promise<void>((resolve) => void clock.setTimer(ms, resolve)));
}

/** Numbers of the messages that were handled, each once. */
function numbers(): number[] {
  return [...new Set(handled.map((line) => Number(line.split(' ')[2])))].sort((a, b) => a - b);
}

const all = () => Array.from({ length: published }, (_, i) => i + 1);

describe('consumers of a topic', () => {
  test('divide the partitions among them, each with one owner', async () => {
    await open();
    const [ada, ben, cleo] = [await join('ada'), await join('ben'), await join('cleo')];
    await run(2_000);
    expect([...ada.consumer.partitions, ...ben.consumer.partitions, ...cleo.consumer.partitions].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    for (const { consumer } of [ada, ben, cleo]) expect(consumer.partitions).toHaveLength(2);
    await publish(60);
    await run(1_000);
    expect(numbers()).toEqual(all());
    expect(handled).toHaveLength(60);
    expect(new Set(handled.map((line) => line.split(' ')[0])).size).toBe(3);
  });

  test('are asked before somebody comes in, and keep him out by more than half', async () => {
    await open();
    const decide = (candidate: string): Vote => (candidate === 'stranger' ? 'no' : 'yes');
    await join('ada', { decide });
    const ben = await join('ben', { decide });
    expect(ben.votes).toEqual([['ada', 'yes']]);
    const cleo = await join('cleo');
    expect(cleo.votes.toSorted()).toEqual([
      ['ada', 'yes'],
      ['ben', 'yes'],
    ]);
    await expect(join('stranger')).rejects.toThrow('stranger may not come in');
    await run(2_000);
    expect(ben.consumer.partitions).toHaveLength(2);
  });

  test('come in where nobody is left to vote, and leave no voting behind', async () => {
    await open();
    const consumers = consumersOf(overseer, `${pathOf(TOPIC)}/groups/billing`);
    await join('ada');
    // Somebody who never votes, and a voting whose candidate has died.
    await settled(clock, consumers.join('ghost'));
    await settled(clock, new Voting(overseer, `${pathOf(TOPIC)}/groups/billing/votings/ben-1-1`).open(['nobody']));
    const ben = await join('ben', { voteMs: 300 });
    expect(ben.votes).toEqual([['ada', 'yes']]);
    await settled(clock, ben.consumer[Symbol.asyncDispose]());
    const { children } = await settled(clock, overseer.getChildren(`${pathOf(TOPIC)}/groups/billing/votings`));
    expect(children).toEqual([]);
    const loner = await join('cleo', { group: 'shipping' });
    await settled(clock, loner.consumer[Symbol.asyncDispose]());
    await settled(clock, consumersOf(overseer, `${pathOf(TOPIC)}/groups/shipping`).join('ghost'));
    expect((await join('cleo', { group: 'shipping', voteMs: 300 })).votes).toEqual([]);
  });

  test('end well where they are told to leave, whatever they were about to do', async () => {
    await open();
    const ada = await join('ada');
    const leaving = ada.consumer[Symbol.asyncDispose]();
    await settled(clock, leaving);
    await expect(ada.consumer.ended).resolves.toBeUndefined();
  });

  test('of each group put away what it cannot handle', async () => {
    await open({ triesMax: 1 });
    const handler = (): void => {
      throw new Error('no such account');
    };
    await join('ada', { handler });
    await join('ben', { handler, group: 'shipping' });
    await publish(1);
    await run(1_000);
    const letters: unknown[] = [];
    const reading = async (): Promise<void> => {
      for await (const { message } of brokerOf(overseer).read({ topic: deadLettersOf(TOPIC), index: 0 }, 0)) {
        letters.push([message.id, message.key, JSON.parse(message.body)]);
        if (letters.length === 2) return;
      }
    };
    await settled(clock, reading());
    const letter = (group: string) => [`${group}/1`, 'key-1', { group, reason: 'tried 1 times: no such account', body: '1' }];
    expect(letters.toSorted()).toEqual([letter('billing'), letter('shipping')]);
  });

  test('take over from one whose session has ended, and nothing is missing or out of order', async () => {
    await open();
    const [, ben] = [await join('ada'), await join('ben')];
    await run(2_000);
    const publishing = publish(100);
    await run(20);
    ensemble.expireSession(ben.client);
    await publishing;
    await run(5_000);
    expect(numbers()).toEqual(all());
    await expect(settled(clock, ben.consumer.ended)).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
    const last = new Map<string, number>();
    const seen = new Set<string>();
    for (const line of handled) {
      const [, key = '', number = ''] = line.split(' ');
      if (seen.has(number)) continue;
      seen.add(number);
      expect(Number(number)).toBeGreaterThan(last.get(key) ?? 0);
      last.set(key, Number(number));
    }
  });

  test('leave with everything noted, so that nothing is handled again', async () => {
    await open();
    const [ada, ben] = [await join('ada'), await join('ben')];
    await publish(30);
    await run(1_000);
    await settled(clock, ben.consumer[Symbol.asyncDispose]());
    await publish(30);
    await run(1_000);
    await settled(clock, ada.consumer[Symbol.asyncDispose]());
    expect(numbers()).toEqual(all());
    expect(handled).toHaveLength(60);
  });

  test('wait while the topic is paused, and go on when it is not any more', async () => {
    const topics = await open();
    await join('ada');
    await settled(clock, topics.alter(TOPIC, { paused: true }));
    await publish(10);
    await run(5_000);
    expect(handled).toEqual([]);
    await settled(clock, topics.alter(TOPIC, { paused: false }));
    await run(1_000);
    expect(numbers()).toEqual(all());
  });

  test('of two groups get every message each, and it is discarded when both are past it', async () => {
    await open({ partitions: 1 });
    const count = async () => (await settled(clock, overseer.getChildren('/messages/orders/0'))).children.length;
    await join('ada');
    const ben = await join('ben', { group: 'shipping' });
    await publish(20);
    await run(3_000);
    await publish(1);
    await run(3_000);
    expect(handled).toHaveLength(42);
    expect(await count()).toBeLessThan(20);
    await settled(clock, ben.consumer[Symbol.asyncDispose]());
    const left = await count();
    await publish(20);
    await run(3_000);
    // The group is still one of those that want them, though nobody is there.
    expect(await count()).toBe(left + 20);
  });

  test('a message that is handled while another group comes is kept for that', async () => {
    const topics = await open({ partitions: 1 });
    const settings = (await settled(clock, topics.follow(TOPIC))).settings;
    const broker = brokerOf(overseer);
    const billing = await settled(clock, openGroup(overseer, TOPIC, settings, 'billing'));
    // Between the look who is there and the look how far they are.
    const slow = {
      clock,
      getChildren: (path: string) => overseer.getChildren(path),
      multiRead: async (reads: readonly ReadOperation[]) => {
        await openGroup(overseer, TOPIC, settings, 'shipping');
        await producer.publish({ id: '1', key: 'k', body: '' });
        await overseer.create(`${billing}/progress/0`, JSON.stringify({ position: 1, begun: 0, token: 1 }));
        return overseer.multiRead(reads);
      },
    } as unknown as Client;
    await settled(clock, new Discarding(slow, broker, TOPIC).look({ topic: TOPIC, index: 0 }));
    expect((await settled(clock, overseer.getChildren('/messages/orders/0'))).children).toHaveLength(1);
  });

  test('a queue has one group alone', async () => {
    await open({ kind: 'queue' });
    await expect(join('ada')).rejects.toThrow('a queue has the one group "queue"');
    await join('ada', { group: 'queue' });
    await publish(5);
    await run(1_000);
    expect(numbers()).toEqual(all());
  });
});

describe('a topic', () => {
  test('refuses settings that are none, and changes of those that stay', async () => {
    const topics = await open();
    for (const wrong of [{ partitions: 0 }, { triesMax: 1.5 }, { kind: 'stack' }, { colour: 'red' }])
      await expect(settled(clock, topics.open('other', wrong as Partial<TopicSettings>))).rejects.toThrow(TypeError);
    await expect(settled(clock, topics.alter(TOPIC, { partitions: 7 } as object))).rejects.toThrow(
      'partitions of orders stay what they are',
    );
    await expect(settled(clock, topics.follow('nothing'))).rejects.toThrow('there is no topic nothing');
  });

  test('is not said to be missing where the session has ended', async () => {
    await open();
    const client = await connect();
    ensemble.expireSession(client);
    await run(1_000);
    await expect(settled(clock, new Topics(client, brokerOf(client)).follow(TOPIC))).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
  });

  test('shows who publishes, and who has failed', async () => {
    await open();
    const view = await settled(clock, producersOf(overseer, TOPIC).view());
    const seen: string[] = [];
    view.onChange(() => seen.push(view.members.map(({ id }) => id).join(' ')));
    const client = await connect();
    await settled(clock, Producer.join({ client, broker: brokerOf(client), topic: TOPIC, name: 'south' }));
    ensemble.expireSession(client);
    await run(1_000);
    expect(seen).toEqual(['north south', 'north']);
  });
});
