/** A watch that catches up: whoever reads again what it tells of has what is there, whatever happens on the way. */
import { randomBelow } from '@quorate/ports';
import { afterEach, describe, expect, test } from 'vitest';
import { isZooKeeperError, type WatchEvent } from '../src/index.js';
import { closeAll, line, randomWrite, readAll, setUp } from './weathered-client.js';

afterEach(closeAll);

describe('a watch that catches up', () => {
  test.each(Array.from({ length: 12 }, (_, seed) => seed))('tells enough to keep a copy by: seed %i', async (seed) => {
    const { until, random, ensemble, connector, writer, client, rest } = await setUp(100 + seed);
    const copy = new Map<string, string>();
    const missed: string[] = [];
    const reads = new Set<Promise<void>>();
    const readAgain = async (path: string): Promise<void> => {
      try {
        const { data, stat } = await client.getData(path);
        copy.set(path, line(path, data, stat));
      } catch (error) {
        if (!isZooKeeperError(error, 'NO_NODE')) throw error;
        copy.delete(path);
      }
    };
    const watch = ({ type, path }: WatchEvent): void => {
      if (type === 'EVENTS_MISSED') missed.push(path);
      const read = readAgain(path).finally(() => reads.delete(read));
      reads.add(read);
    };
    await until(client.addWatch('/root', { recursive: true, catchUp: true, watch }));
    await until(readAgain('/root'));
    let crashed: number | undefined;
    for (let round = 0; round < 12; round++) {
      for (let count = randomBelow(random, 12); count >= 0; count--) {
        const write = randomWrite(random, writer);
        if (randomBelow(random, 3) > 0) await until(write);
      }
      const fate = randomBelow(random, 5);
      if (fate === 0) connector.cut();
      if (fate === 1 && crashed === undefined) ensemble.crash((crashed = 1 + randomBelow(random, 3)));
      if (fate === 2 && crashed !== undefined) {
        ensemble.restart(crashed);
        crashed = undefined;
      }
      await rest(randomBelow(random, 200));
    }
    await until(client.connected());
    await until(client.sync());
    await rest(1000);
    await until(Promise.all(reads));
    expect([...copy.values()].sort()).toEqual(await until(readAll(client, '/root')));
    expect(missed).toEqual([]);
  });

  test('tells what has become of each znode, parents first that came and last that went', async () => {
    const { until, writer, client, connector, rest } = await setUp(7);
    for (const path of ['/root/a', '/root/a/b', '/root/c', '/root/d']) await until(writer.create(path));
    await until(client.sync());
    const told: string[] = [];
    const watch = ({ type, path }: WatchEvent) => told.push(`${type} ${path}`);
    await until(client.addWatch('/root', { recursive: true, catchUp: true, watch }));
    connector.isDown = true;
    connector.cut();
    await until(writer.delete('/root/a/b'));
    await until(writer.delete('/root/a'));
    await until(writer.setData('/root/c', 'x'));
    await until(
      writer.multi([
        { op: 'delete', path: '/root/d' },
        { op: 'create', path: '/root/d' },
      ]),
    );
    await until(writer.create('/root/e'));
    await until(writer.create('/root/e/f'));
    connector.isDown = false;
    await until(client.sync());
    await rest(100);
    expect(told.slice(0, 2)).toEqual(['NODE_DELETED /root/a/b', 'NODE_DELETED /root/a']);
    expect(told.slice(2).sort()).toEqual([
      'NODE_CREATED /root/d',
      'NODE_CREATED /root/e',
      'NODE_CREATED /root/e/f',
      'NODE_DATA_CHANGED /root/c',
      'NODE_DELETED /root/d',
    ]);
    expect(told.indexOf('NODE_CREATED /root/e')).toBeLessThan(told.indexOf('NODE_CREATED /root/e/f'));
  });

  test('of one znode tells of its children too', async () => {
    const { until, writer, client, connector, rest } = await setUp(8);
    const told: string[] = [];
    const watch = ({ type, path }: WatchEvent) => told.push(`${type} ${path}`);
    await until(client.addWatch('/root', { catchUp: true, watch }));
    connector.isDown = true;
    connector.cut();
    await until(writer.create('/root/a'));
    connector.isDown = false;
    await until(client.sync());
    await rest(100);
    expect(told).toEqual(['NODE_CHILDREN_CHANGED /root']);
    await expect(client.addWatch('/root', { catchUp: 1 as never })).rejects.toThrow(/catchUp must be true or false/);
  });
});
