import { Ensemble } from 'quorate';
import { afterAll, expect, test } from 'vitest';
import { EmbeddedBroker } from '../../examples/src/messaging/embedded-broker.ts';
import { brokerSuite } from './broker-suite.ts';

const ensemble = await Ensemble.start({ servers: 3 });
afterAll(() => ensemble.close());

const root = '/messages';
const broker = async () => new EmbeddedBroker(await ensemble.connect(), { root });

brokerSuite('the embedded broker', async () => ({
  broker: await broker(),
  another: broker,
  small: async () => new EmbeddedBroker(await ensemble.connect(), { root: '/small', messagesMax: 200, messageBytesMax: 10_000 }),
}));

test('servers crash one after another while messages are published and read: each is read, in order', async () => {
  const [publisher, reader] = await Promise.all([broker(), broker()]);
  const partition = { topic: 'through-crashes', index: 0 };
  await publisher.open(partition.topic, 1);
  const seen: number[] = [];
  const read = async (): Promise<void> => {
    for await (const { message } of reader.read(partition, 0)) if (seen.push(Number(message.id)) === 300) return;
  };
  const crash = async (): Promise<void> => {
    for (const { sid } of ensemble.servers) {
      ensemble.crash(sid);
      await ensemble.ready();
      ensemble.restart(sid);
      await ensemble.ready({ server: sid });
    }
  };
  const publish = async (): Promise<void> => {
    for (let i = 0; i < 300; i++) await publisher.publish(partition, { id: String(i), key: 'k', body: '' });
  };
  await Promise.all([read(), crash(), publish()]);
  expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => i));
});
