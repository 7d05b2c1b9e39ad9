/** A cache against a twin that reads everything anew, over random histories, lost connections and servers that go. */
import { randomBelow } from '@quorate/ports';
import { afterEach, describe, expect, test } from 'vitest';
import { type CacheChange, SubtreeCache } from '../src/index.js';
import { closeAll, line, randomWrite, readAll, setUp, upset } from './weathered-client.js';

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
    const place = await setUp(seed);
    const { until, random, writer, client } = place;
    for (let count = 0; count < 15; count++) await until(randomWrite(random, writer));
    const cache = await until(SubtreeCache.open(client, '/top'));
    await until(client.sync());
    const { copy } = replay(cache);
    const compare = async (): Promise<void> => {
      if (randomBelow(random, 2) > 0) return;
      await until(writer.sync());
      await until(client.sync());
      await until(cache.ready());
      expect(linesOf(cache)).toEqual(await until(readAll(client, '/top')));
    };
    await upset(place, { fates: 6, afterRound: compare });
    await until(client.connected());
    await until(client.sync());
    await until(cache.ready());
    await until(Promise.resolve());
    const there = await until(readAll(client, '/top'));
    expect([linesOf(cache), [...copy.values()].sort()]).toEqual([there, there]);
    expect(cache.size).toBe(there.length);
    for (const [path] of cache.entries())
      expect(cache.children(path).sort()).toEqual((await until(client.getChildren(path))).children.sort());
    await until(cache.close());
  });

  test('tells what has changed, and what was deleted and created again as both', async () => {
    const { until, writer, client } = await setUp(1);
    await until(writer.create('/top/a', 'x'));
    await until(client.sync());
    const cache = await until(SubtreeCache.open(client, '/top'));
    const { types } = replay(cache);
    await until(writer.setData('/top/a', 'y'));
    await until(client.sync().then(() => cache.ready()));
    await until(
      writer.multi([
        { op: 'delete', path: '/top/a' },
        { op: 'create', path: '/top/a' },
      ]),
    );
    await until(client.sync().then(() => cache.ready()));
    expect(types).toEqual(['CHANGED /top/a', 'DELETED /top/a', 'CREATED /top/a']);
    expect([cache.isCurrent, cache.children('/top'), cache.get('/top/b')]).toEqual([true, ['a'], undefined]);
    await until(cache.close());
    expect(cache.isCurrent).toBe(false);
  });

  test('tells of the differences alone after a reconnection', async () => {
    const { until, writer, client, connector } = await setUp(2);
    for (const name of ['a', 'b', 'c']) await until(writer.create(`/top/${name}`));
    await until(client.sync());
    const cache = await until(SubtreeCache.open(client, '/top'));
    const { types } = replay(cache);
    connector.cut();
    const writes = [writer.delete('/top/a'), writer.setData('/top/b', 'x'), writer.create('/top/d'), writer.create('/top/d/e')];
    await until(Promise.all(writes));
    await until(client.sync().then(() => cache.ready()));
    expect([...types].sort()).toEqual(['CHANGED /top/b', 'CREATED /top/d', 'CREATED /top/d/e', 'DELETED /top/a']);
  });

  test('is opened by a client, and options that are some', async () => {
    const { client } = await setUp(2);
    await expect(SubtreeCache.open(undefined as never, '/a')).rejects.toThrow(/client must be a Client/);
    await expect(SubtreeCache.open(client, '/a', (() => {}) as never)).rejects.toThrow(/options must be an object/);
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
    await until(writer.create('/top/a'));
    await until(client.sync());
    const outcome = (cache: SubtreeCache) =>
      until(
        cache.ready().then(
          () => 'ready',
          (error: { code: string }) => error.code,
        ),
      );
    const tooMany = SubtreeCache.open(client, '/top', { nodesMax: 1 });
    await expect(until(tooMany)).rejects.toMatchObject({
      code: 'TOO_MANY_NODES',
      message: expect.stringContaining('allow more by nodesMax'),
    });
    const unwatched = await until(SubtreeCache.open(client, '/top'));
    await until(client.removeWatches('/top'));
    expect(await outcome(unwatched)).toBe('WATCH_REMOVED');
    const cache = await until(SubtreeCache.open(client, '/top'));
    const ended = (async () => {
      for await (const change of cache) void change;
    })();
    ensemble.expireSession(client);
    await until(ended);
    expect(await outcome(cache)).toBe('CLOSED');
    await expect(until(SubtreeCache.open(client, 'top'))).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
  });
});
