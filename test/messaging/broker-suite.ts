/** The contract of `Broker` as tests: what every engine that carries messages has to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Broker, BrokerError, type Partition, type Stored } from '../../examples/src/messaging/broker.ts';

/** What is tried. */
export interface BrokerUnderTest {
  readonly broker: Broker;
  /** A broker of another process to the same messages. */
  another(): Promise<Broker>;
  /** A broker of its own messages, which keeps only a few hundred of 100 bytes in a topic, and takes none of 20,000 bytes. */
  small(): Promise<Broker>;
}

const BODY = 'x'.repeat(100);
/** As nothing can be waited for that must not come. */
const QUIET_MS = 50;

export function brokerSuite(name: string, open: () => Promise<BrokerUnderTest>): void {
  describe(`${name} keeps the contract of a broker`, () => {
    let topics = 0;

    async function topic(broker: Broker, partitions = 1): Promise<readonly Partition[]> {
      const topic = `topic-${++topics}`;
      await broker.open(topic, partitions);
      return Array.from({ length: partitions }, (_, index) => ({ topic, index }));
    }

    test('messages are read in the order in which they were published, whole, from any position', async () => {
      const { broker } = await open();
      const [partition] = (await topic(broker)) as [Partition];
      const messages = [
        { id: 'a', key: 'ключ', body: 'тело' },
        { id: 'b', key: '', body: '' },
        ...Array.from({ length: 120 }, (_, i) => ({ id: `c${i}`, key: 'k', body: `body ${i}` })),
      ];
      for (const message of messages) await broker.publish(partition, message);
      const stored = await take(broker, partition, 0, messages.length);
      expect(stored.map(({ message }) => message)).toEqual(messages);
      const positions = stored.map(({ position }) => position);
      expect(positions[0]).toBeGreaterThan(0);
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
      for (const from of [0, 1, 60, 120])
        expect(await take(broker, partition, positions[from] as number, messages.length - from - 1)).toEqual(stored.slice(from + 1));
    });

    test('a reader waits for what comes, and its signal ends it', async () => {
      const { broker, another } = await open();
      const [partition] = (await topic(broker)) as [Partition];
      const stop = new AbortController();
      const seen: string[] = [];
      const reading = (async () => {
        for await (const { message } of (await another()).read(partition, 0, { signal: stop.signal })) seen.push(message.id);
      })();
      for (const id of ['a', 'b', 'c']) {
        await broker.publish(partition, { id, key: 'k', body: BODY });
        await until(() => seen.at(-1) === id);
      }
      stop.abort();
      await reading;
      await broker.publish(partition, { id: 'd', key: 'k', body: BODY });
      expect(seen).toEqual(['a', 'b', 'c']);
    });

    test('a reader whose signal has aborted already is given nothing', async () => {
      const { broker } = await open();
      const [partition] = (await topic(broker)) as [Partition];
      await broker.publish(partition, { id: 'a', key: 'k', body: BODY });
      for await (const stored of broker.read(partition, 0, { signal: AbortSignal.abort() })) throw new Error(`got ${stored.message.id}`);
    });

    test('partitions and topics are apart', async () => {
      const { broker } = await open();
      const partitions = [...(await topic(broker, 3)), ...(await topic(broker, 3))];
      await Promise.all(
        partitions.map(async (partition) => {
          for (let i = 0; i < 5; i++)
            await broker.publish(partition, { id: `${partition.topic}/${partition.index}/${i}`, key: 'k', body: '' });
        }),
      );
      for (const partition of partitions) {
        const ids = (await take(broker, partition, 0, 5)).map(({ message }) => message.id);
        expect(ids).toEqual([0, 1, 2, 3, 4].map((i) => `${partition.topic}/${partition.index}/${i}`));
        expect(await isQuiet(broker, partition, 0, 5)).toBe(true);
      }
    });

    test('of many who publish at once each keeps its order, and nothing is lost', async () => {
      const { broker, another } = await open();
      const [partition] = (await topic(broker)) as [Partition];
      const publishers = [broker, await another(), broker, await another()];
      await Promise.all(
        publishers.map(async (publisher, number) => {
          for (let i = 0; i < 25; i++) await publisher.publish(partition, { id: `${number}-${i}`, key: String(number), body: String(i) });
        }),
      );
      const stored = await take(broker, partition, 0, 100);
      for (let number = 0; number < publishers.length; number++) {
        const bodies = stored.filter(({ message }) => message.key === String(number)).map(({ message }) => message.body);
        expect(bodies).toEqual(Array.from({ length: 25 }, (_, i) => String(i)));
      }
    });

    test('every reader gets everything', async () => {
      const { broker, another } = await open();
      const [partition] = (await topic(broker)) as [Partition];
      for (let i = 0; i < 20; i++) await broker.publish(partition, { id: String(i), key: 'k', body: BODY });
      const readers = [broker, await another(), broker];
      const [first, ...others] = await Promise.all(readers.map((reader) => take(reader, partition, 0, 20)));
      for (const other of others) expect(other).toEqual(first);
    });

    test('what is published twice is known by its id', async () => {
      const { broker } = await open();
      const [partition] = (await topic(broker)) as [Partition];
      const twice = { id: 'a', key: 'k', body: BODY };
      for (const message of [twice, twice, { id: 'end', key: 'k', body: BODY }]) await broker.publish(partition, message);
      const ids: string[] = [];
      for await (const { message } of broker.read(partition, 0)) {
        ids.push(message.id);
        if (message.id === 'end') break;
      }
      expect([...new Set(ids)]).toEqual(['a', 'end']);
    });

    test('what was discarded is gone, what comes after it is not, and positions go on', async () => {
      const { broker } = await open();
      const [partition, other] = (await topic(broker, 2)) as [Partition, Partition];
      for (let i = 0; i < 10; i++) await broker.publish(partition, { id: String(i), key: 'k', body: BODY });
      await broker.publish(other, { id: 'other', key: 'k', body: BODY });
      const stored = await take(broker, partition, 0, 10);
      await broker.discard(partition, stored[3]?.position as number);
      await broker.discard(partition, stored[3]?.position as number);
      expect(await take(broker, partition, 0, 6)).toEqual(stored.slice(4));
      await broker.discard(partition, stored[9]?.position as number);
      await broker.publish(partition, { id: 'next', key: 'k', body: BODY });
      const [next] = await take(broker, partition, 0, 1);
      expect(next?.message.id).toBe('next');
      expect(next?.position).toBeGreaterThan(stored[9]?.position as number);
      expect((await take(broker, other, 0, 1))[0]?.message.id).toBe('other');
    });

    test('a topic that is opened again keeps its messages', async () => {
      const { broker, another } = await open();
      const [partition] = (await topic(broker)) as [Partition];
      await broker.publish(partition, { id: 'a', key: 'k', body: BODY });
      await (await another()).open(partition.topic, 1);
      expect((await take(broker, partition, 0, 1))[0]?.message.id).toBe('a');
    });

    test('is FULL at its limit, and takes more once something is discarded', async () => {
      const { small } = await open();
      const broker = await small();
      const [partition] = (await topic(broker)) as [Partition];
      let published = 0;
      const fill = async (): Promise<never> => {
        for (; published < 10_000; published++) await broker.publish(partition, { id: String(published), key: 'k', body: BODY });
        throw new Error('it takes everything');
      };
      const error = await fill().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(BrokerError);
      expect(error).toMatchObject({ code: 'FULL' });
      const stored = await take(broker, partition, 0, published);
      await broker.discard(partition, stored.at(-1)?.position as number);
      await broker.publish(partition, { id: 'more', key: 'k', body: BODY });
    });

    test('refuses what is TOO_LARGE, and goes on', async () => {
      const { small } = await open();
      const broker = await small();
      const [partition] = (await topic(broker)) as [Partition];
      const publishing = broker.publish(partition, { id: 'large', key: 'k', body: 'x'.repeat(20_000) });
      await expect(publishing).rejects.toMatchObject({ name: 'BrokerError', code: 'TOO_LARGE' });
      await broker.publish(partition, { id: 'small', key: 'k', body: BODY });
      expect((await take(broker, partition, 0, 1))[0]?.message.id).toBe('small');
    });
  });
}

/** So many messages after a position. */
async function take(broker: Broker, partition: Partition, after: number, count: number): Promise<Stored[]> {
  const stored: Stored[] = [];
  if (count === 0) return stored;
  for await (const next of broker.read(partition, after)) if (stored.push(next) === count) break;
  return stored;
}

/** Whether nothing comes after so many messages. */
async function isQuiet(broker: Broker, partition: Partition, after: number, count: number): Promise<boolean> {
  const seen: Stored[] = [];
  for await (const stored of broker.read(partition, after, { signal: AbortSignal.timeout(QUIET_MS) })) seen.push(stored);
  return seen.length <= count;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1);
}
