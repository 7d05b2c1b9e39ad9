import { afterAll, expect, test } from 'vitest';
import { NatsBroker } from '../../examples/src/messaging/nats-broker.ts';
import { NatsServer } from '../../examples/src/messaging/nats-server.ts';
import { brokerSuite } from '../messaging/broker-suite.ts';

const servers: NatsServer[] = [];
const brokers: NatsBroker[] = [];

async function server(): Promise<NatsServer> {
  const started = await NatsServer.start();
  servers.push(started);
  return started;
}

async function connect(options: Parameters<typeof NatsBroker.connect>[0]): Promise<NatsBroker> {
  const broker = await NatsBroker.connect(options);
  brokers.push(broker);
  return broker;
}

afterAll(async () => {
  for (const broker of brokers) await broker[Symbol.asyncDispose]();
  for (const started of servers) await started[Symbol.asyncDispose]();
});

const main = await server();
const { address } = main;

brokerSuite('the NATS broker', async () => ({
  broker: await connect({ servers: address }),
  another: () => connect({ servers: address }),
  small: () => connect({ servers: address, streamBytesMax: 64 * 1024, messageBytesMax: 10_000 }),
}));

test('the server is killed while messages are published and read: each is read, in order', async () => {
  const [publisher, reader] = [await connect({ servers: address }), await connect({ servers: address })];
  const partition = { topic: 'through-kills', index: 0 };
  await publisher.open(partition.topic);
  const seen = new Set<string>();
  const read = async (): Promise<void> => {
    for await (const { message } of reader.read(partition, 0)) if (seen.add(message.id).size === 2_000) return;
  };
  const publish = async (): Promise<void> => {
    for (let i = 0; i < 2_000; i++) {
      await publisher.publish(partition, { id: String(i), key: 'k', body: '' });
      if (i % 700 === 350) void main.restart();
    }
  };
  await Promise.all([read(), publish()]);
  expect([...seen]).toEqual(Array.from({ length: 2_000 }, (_, i) => String(i)));
});
