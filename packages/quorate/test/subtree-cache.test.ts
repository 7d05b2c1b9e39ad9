/** A cache against a twin that reads everything anew, over random histories, lost connections and servers that go. */
import { randomBelow } from '@quorate/ports';
import { afterEach, describe, expect, test } from 'vitest';
import { type CacheChange, SubtreeCache } from '../src/index.js';
import { closeAll, line, randomWrite, readAll, setUp } from './weathered-client.js';

afterEach(closeAll);

const linesOf = (cache: SubtreeCache) => [...cache.entries()].map(([path, { data, stat }]) => line(path, data, stat)).sort();

/** Collects every change as it comes, and applies it to a copy, which has to fit each time. */
function replay(cache: SubtreeCache): { copy: Map<string, string>; types: string[] } {
  const copy = new Map([...cache.entries()].map(([path, { data, stat }]) => [path, line(path, data, stat)]));
  const types: string[] = [];
  const apply = (change: CacheChange): void => {
    types.push(`${change.type} ${change.path}`);
    if (change.type === 'CHANGES_MISSED') throw new Error('the loop lags');
    const now = copy.get(change.path);
    if (change.type === 'CREATED' ? now !== undefined : now !== line(change.path, change.previous.data, change.previous.stat))
      throw new Error(`${change.type} ${change.path} does not follow from ${now}`);
    if (change.type === 'DELETED') copy.delete(change.path);
    else copy.set(change.path, line(change.path, change.node.data, change.node.stat));
  };
  void (async () => {
    for await (const change of cache) apply(change);
  })();
  return { copy, types };
}

describe('a cache of a subtree', () => {
  test.each(Array.from({ length: 12 }, (_, seed) => seed))('has what is there, whatever happens on the way: seed %i', async (seed) => {
    const { until, random, ensemble, connector, writer, client, rest } = await setUp(seed);
    for (let count = 0; count < 15; count++) await until(randomWrite(random, writer));
    const cache = await until(SubtreeCache.open(client, '/root'));
    await until(client.sync());
    const { copy } = replay(cache);
    let crashed: number | undefined;
    for (let round = 0; round < 12; round++) {
      for (let count = randomBelow(random, 12); count >= 0; count--) {
        const write = randomWrite(random, writer);
        if (randomBelow(random, 3) > 0) await until(write);
      }
      const fate = randomBelow(random, 6);
      if (fate === 0) connector.cut();
      if (fate === 1 && crashed === undefined) ensemble.crash((crashed = 1 + randomBelow(random, 3)));
      if (fate === 2 && crashed !== undefined) {
        ensemble.restart(crashed);
        crashed = undefined;
      }
      await rest(randomBelow(random, 200));
      if (randomBelow(random, 2) > 0) continue;
      await until(writer.sync());
      await until(client.sync());
      await until(cache.ready());
      expect(linesOf(cache)).toEqual(await until(readAll(client, '/root')));
    }
    await until(client.connected());
    await until(client.sync());
    await until(cache.ready());
    await until(Promise.resolve());
    const there = await until(readAll(client, '/root'));
    expect([linesOf(cache), [...copy.values()].sort()]).toEqual([there, there]);
    expect(cache.size).toBe(there.length);
    for (const [path] of cache.entries())
      expect(cache.children(path).sort()).toEqual((await until(client.getChildren(path))).children.sort());
    await until(cache.close());
  });

  test('tells what has changed, and what was deleted and created again as both', async () => {
    const { until, writer, client } = await setUp(1);
    await until(writer.create('/root/a', 'x'));
    await until(client.sync());
    const cache = await until(SubtreeCache.open(client, '/root'));
    const { types } = replay(cache);
    await until(writer.setData('/root/a', 'y'));
    await until(client.sync().then(() => cache.ready()));
    await until(
      writer.multi([
        { op: 'delete', path: '/root/a' },
        { op: 'create', path: '/root/a' },
      ]),
    );
    await until(client.sync().then(() => cache.ready()));
    expect(types).toEqual(['CHANGED /root/a', 'DELETED /root/a', 'CREATED /root/a']);
    expect([cache.isCurrent, cache.children('/root'), cache.get('/root/b')]).toEqual([true, ['a'], undefined]);
    await until(cache.close());
    expect(cache.isCurrent).toBe(false);
  });

  test('tells of the differences alone after a reconnection', async () => {
    const { until, writer, client, connector } = await setUp(2);
    for (const name of ['a', 'b', 'c']) await until(writer.create(`/root/${name}`));
    await until(client.sync());
    const cache = await until(SubtreeCache.open(client, '/root'));
    const { types } = replay(cache);
    connector.cut();
    const writes = [writer.delete('/root/a'), writer.setData('/root/b', 'x'), writer.create('/root/d'), writer.create('/root/d/e')];
    await until(Promise.all(writes));
    await until(client.sync().then(() => cache.ready()));
    expect([...types].sort()).toEqual(['CHANGED /root/b', 'CREATED /root/d', 'CREATED /root/d/e', 'DELETED /root/a']);
  });

  test('of a path that is not there yet', async () => {
    const { until, writer, client } = await setUp(3);
    const cache = await until(SubtreeCache.open(client, '/later'));
    expect([cache.size, cache.children('/later')]).toEqual([0, []]);
    await until(writer.create('/later'));
    await until(writer.create('/later/a'));
    await until(client.sync().then(() => cache.ready()));
    expect([cache.size, cache.children('/later')]).toEqual([2, ['a']]);
  });

  test('ends with too many znodes, with its session, and without its watch', async () => {
    const { until, writer, client, ensemble } = await setUp(4);
    await until(writer.create('/root/a'));
    await until(client.sync());
    const outcome = (cache: SubtreeCache) =>
      until(
        cache.ready().then(
          () => 'ready',
          (error: { code: string }) => error.code,
        ),
      );
    const tooMany = SubtreeCache.open(client, '/root', { nodesMax: 1 });
    await expect(until(tooMany)).rejects.toMatchObject({
      code: 'TOO_MANY_NODES',
      message: expect.stringContaining('allow more by nodesMax'),
    });
    const unwatched = await until(SubtreeCache.open(client, '/root'));
    await until(client.removeWatches('/root'));
    expect(await outcome(unwatched)).toBe('WATCH_REMOVED');
    const cache = await until(SubtreeCache.open(client, '/root'));
    const ended = (async () => {
      for await (const change of cache) void change;
    })();
    ensemble.expireSession(client);
    await until(ended);
    expect(await outcome(cache)).toBe('CLOSED');
    await expect(until(SubtreeCache.open(client, 'root'))).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
  });
});
