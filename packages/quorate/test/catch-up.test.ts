/** A watch that catches up: whoever reads again what it tells of has what is there, whatever happens on the way. */
import { afterEach, describe, expect, test } from 'vitest';
import { isZooKeeperError, type WatchEvent } from '../src/index.js';
import { closeAll, line, readAll, setUp, upset } from './weathered-client.js';

afterEach(closeAll);

describe('a watch that catches up', () => {
  test.each(Array.from({ length: 12 }, (_, seed) => seed))('tells enough to keep a copy by: seed %i', async (seed) => {
    const place = await setUp(100 + seed);
    const { until, client, rest } = place;
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
    await until(client.addWatch('/top', { recursive: true, catchUp: true, watch }));
    await until(readAgain('/top'));
    await upset(place, { fates: 5 });
    await until(client.connected());
    await until(client.sync());
    await rest(1000);
    await until(Promise.all(reads));
    expect([...copy.values()].sort()).toEqual(await until(readAll(client, '/top')));
    expect(missed).toEqual([]);
  });

  test('tells what has become of each znode, parents first that came and last that went', async () => {
    const { until, writer, client, connector, rest } = await setUp(7);
    for (const path of ['/top/a', '/top/a/b', '/top/c', '/top/d']) await until(writer.create(path));
    await until(client.sync());
    const told: string[] = [];
    const watch = ({ type, path }: WatchEvent) => told.push(`${type} ${path}`);
    await until(client.addWatch('/top', { recursive: true, catchUp: true, watch }));
    connector.isDown = true;
    connector.cut();
    await until(writer.delete('/top/a/b'));
    await until(writer.delete('/top/a'));
    await until(writer.setData('/top/c', 'x'));
    await until(
      writer.multi([
        { op: 'delete', path: '/top/d' },
        { op: 'create', path: '/top/d' },
      ]),
    );
    await until(writer.create('/top/e'));
    await until(writer.create('/top/e/f'));
    connector.isDown = false;
    await until(client.sync());
    await rest(100);
    expect(told.slice(0, 2)).toEqual(['NODE_DELETED /top/a/b', 'NODE_DELETED /top/a']);
    expect(told.slice(2).sort()).toEqual([
      'NODE_CREATED /top/d',
      'NODE_CREATED /top/e',
      'NODE_CREATED /top/e/f',
      'NODE_DATA_CHANGED /top/c',
      'NODE_DELETED /top/d',
    ]);
    expect(told.indexOf('NODE_CREATED /top/e')).toBeLessThan(told.indexOf('NODE_CREATED /top/e/f'));
  });

  test('of one znode tells of its children too', async () => {
    const { until, writer, client, connector, rest } = await setUp(8);
    const told: string[] = [];
    const watch = ({ type, path }: WatchEvent) => told.push(`${type} ${path}`);
    await until(client.addWatch('/top', { catchUp: true, watch }));
    connector.isDown = true;
    connector.cut();
    await until(writer.create('/top/a'));
    connector.isDown = false;
    await until(client.sync());
    await rest(100);
    expect(told).toEqual(['NODE_CHILDREN_CHANGED /top']);
    await expect(client.addWatch('/top', { catchUp: 1 as never })).rejects.toThrow(/catchUp must be true or false/);
  });
});
