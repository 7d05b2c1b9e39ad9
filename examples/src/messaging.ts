/**
 * Messaging on top of coordination: producers whose failure is seen, a topic whose settings change while it is used, and a group of consumers, each in a process of its own, of which one is killed on the way.
 * The messages are carried by znodes (2,000 of them), and then by NATS JetStream (100,000). In the end all that was handled is compared with all that was published.
 *
 *     npm run example messaging
 *     npm run example messaging -- --nats 1000000
 *     npm run example messaging -- --embedded 0
 *
 * NATS needs `nats-server` on the PATH. Where it is not, its part is left out, unless it is asked for or this is CI.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { listen } from '@quorate/node';
import type { GroupView } from '@quorate/recipes';
import { type Client, Ensemble } from 'quorate';
import type { Broker } from './messaging/broker.ts';
import { consumersOf, type Heartbeat } from './messaging/consumer.ts';
import { EmbeddedBroker } from './messaging/embedded-broker.ts';
import { type Audit, Auditor } from './messaging/ledger.ts';
import { NatsBroker } from './messaging/nats-broker.ts';
import { NatsServer } from './messaging/nats-server.ts';
import { MESSAGES, type Orders, SPOILT_MESSAGES } from './messaging/orders.ts';
import { producersOf } from './messaging/producer.ts';
import { Publishers } from './messaging/publishers.ts';
import { deadLettersOf, pathOf, Topics } from './messaging/topics.ts';
import { Child } from './processes/child.ts';

const GROUP = 'billing';
/** How long nothing may be handled before the example gives up, in milliseconds. */
const STANDSTILL_MS = 20_000;

const { values } = parseArgs({ options: { embedded: { type: 'string', default: '2000' }, nats: { type: 'string' } } });
const embeddedMessages = Number(values.embedded);
const natsMessages = Number(values.nats ?? 100_000);
// The other processes end with this one.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
// A process that does so much besides looks after its servers less often than by itself: a stall of two ticks gives every session its time anew.
const ensemble = await Ensemble.start({ servers: 3, tickTimeMs: 500 });
const listener = await listen(ensemble, { host: '127.0.0.1', port: 0 });
let wrong = 0;
try {
  if (embeddedMessages > 0) await overZnodes();
  if (natsMessages > 0) await overNats();
} finally {
  await listener.close();
  await ensemble.close();
}
process.exitCode = wrong === 0 ? 0 : 1;

async function overZnodes(): Promise<void> {
  const brokerOf = (client: Client) => new EmbeddedBroker(client, { root: MESSAGES });
  await run({ title: 'znodes', topic: 'orders', messages: embeddedMessages, brokerOf });
}

async function overNats(): Promise<void> {
  const server = await NatsServer.start().catch((error: Error) => {
    if (values.nats !== undefined || process.env.CI === 'true') throw error;
    console.log(`\nNATS is left out: ${error.message}`);
  });
  if (server === undefined) return;
  await using running = server;
  await using broker = await NatsBroker.connect({ servers: running.address });
  await run({
    title: 'NATS',
    topic: 'invoices',
    messages: natsMessages,
    brokerOf: () => broker,
    nats: running.address,
  });
}

interface Run {
  readonly title: string;
  readonly topic: string;
  readonly messages: number;
  readonly brokerOf: (client: Client) => Broker;
  readonly nats?: string | undefined;
}

async function run({ title, topic, messages, brokerOf, nats }: Run): Promise<void> {
  console.log(`\n${messages} messages over ${title}`);
  const began = performance.now();
  const since = (): string => `${((performance.now() - began) / 1_000).toFixed(1)} s`;
  const client = await ensemble.connect();
  const broker = brokerOf(client);
  const topics = new Topics(client, broker);
  await topics.open(topic, { partitions: 8, triesMax: 10, retryMs: 10 });
  const ledgers = await mkdtemp(join(tmpdir(), 'quorate-ledgers-'));
  const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => {
    const orders: Orders = { connectString: `127.0.0.1:${listener.port}`, nats, topic, group: GROUP, name, ledgers };
    const program = new URL('./messaging/consume.ts', import.meta.url);
    return new Child(name, { program, args: [JSON.stringify(orders)], ready: /ready: (.*)/ });
  }) as [Child, Child, Child];
  try {
    for (const consumer of [ada, ben, cleo]) console.log((await consumer.start())[1]);
    await using producers = await producersOf(client, topic).view();
    sayWhoProduces(producers);
    const publishers = new Publishers({ ensemble, topic, brokerOf, messages });
    const publishing = publishers.run().then(() => console.log(`${since()}: all are published`));
    await publishers.until(0.3);
    const { triesMax } = await topics.alter(topic, { triesMax: 3 });
    console.log(`${since()}: a message is tried ${triesMax} times from now on`);
    await publishers.until(0.4);
    console.log(`${since()}: the session of producer ${publishers.failOne()} ends`);
    await publishers.until(0.5);
    await ben.kill();
    console.log(`${since()}: consumer ben is killed`);
    const [, comesBack] = await ben.start();
    console.log(`${since()}: ${comesBack}`);
    await publishing;
    const audit = await untilAllHandled(ledgers, publishers.published, messages);
    report(audit, await deadLetters(broker, topic), messages, since());
    await using consumers = await consumersOf(client, `${pathOf(topic)}/groups/${GROUP}`).view();
    for (const { id, data } of consumers.members) {
      const { partitions, handled } = JSON.parse(new TextDecoder().decode(data)) as Heartbeat;
      console.log(`${id} says that it has the partitions ${partitions.join(', ')} and has handled ${handled}`);
    }
  } finally {
    for (const consumer of [ada, ben, cleo]) await consumer[Symbol.asyncDispose]();
    await rm(ledgers, { recursive: true });
    await client.close();
  }
}

function sayWhoProduces(view: GroupView): void {
  view.onChange(() => console.log(`producers: ${view.members.map(({ id }) => id).join(', ') || 'none'}`));
}

/** Looks until everything was handled, or nothing more is. */
async function untilAllHandled(ledgers: string, published: ReadonlyMap<string, number>, messages: number): Promise<Audit> {
  const auditor = new Auditor(ledgers);
  let handled = 0;
  for (let since = performance.now(); handled < messages && performance.now() - since < STANDSTILL_MS; await sleep(200)) {
    const now = auditor.look();
    if (now > handled) since = performance.now();
    handled = now;
  }
  return auditor.finish(published);
}

/** How many different messages could not be handled. */
async function deadLetters(broker: Broker, topic: string): Promise<number> {
  const ids = new Set<string>();
  for await (const { message } of broker.read({ topic: deadLettersOf(topic), index: 0 }, 0, { signal: AbortSignal.timeout(STANDSTILL_MS) }))
    if (ids.add(message.id).size === SPOILT_MESSAGES) break;
  return ids.size;
}

function report({ messages, missing, duplicates, outOfOrder }: Audit, dead: number, published: number, time: string): void {
  const isRight = messages === published && missing === 0 && outOfOrder === 0 && dead === SPOILT_MESSAGES;
  if (!isRight) wrong++;
  console.log(
    `${time}: ${messages} of ${published} handled, ${missing} missing, ${duplicates} duplicates removed by id, ${outOfOrder} out of the order of their key; ${dead} of ${SPOILT_MESSAGES} spoilt ones are dead letters: ${isRight ? 'right' : 'WRONG'}`,
  );
}
