/** What becomes of a line, and of a queue, when the numbers of sequential znodes end. */
import { CreateMode, joinPath } from '@quorate/protocol';
import { DoubleBarrier, LeaderLatch, Lock, Queue, Semaphore } from '@quorate/recipes';
import type { Client, Operation } from 'quorate';
import { describe, expect, it } from 'vitest';
import { virtualEnsemble } from './virtual-ensemble.js';

const place = virtualEnsemble();

/** A client of an ensemble that gives these numbers next, in the form of ZooKeeper's: `%010d`. */
function numbering(client: Client, numbers: readonly number[]): Client {
  const left = [...numbers];
  const named = (path: string): string => {
    const number = left[0] as number;
    return path + (number < 0 ? `-${String(-number).padStart(9, '0')}` : String(number).padStart(10, '0'));
  };
  /** A create that is refused takes no number. */
  const taken = async <T>(made: Promise<T>): Promise<T> => {
    const result = await made;
    left.shift();
    return result;
  };
  const create: Client['create'] = (path, data, options) => {
    if (options?.mode !== CreateMode.EPHEMERAL_SEQUENTIAL) return client.create(path, data, options);
    return taken(client.create(named(path), data, { ...options, mode: CreateMode.EPHEMERAL }));
  };
  const multi = (operations: readonly Operation[]): Promise<unknown> => {
    if (!operations.some((operation) => operation.op === 'create')) return client.multi(operations);
    return taken(
      client.multi(operations.map((one) => (one.op === 'create' ? { ...one, path: named(one.path), mode: CreateMode.PERSISTENT } : one))),
    );
  };
  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'create') return create;
      if (name === 'multi') return multi;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('the numbers of a line', () => {
  it('order it up to the last but one', async () => {
    const client = numbering(place.client, [2 ** 31 - 3, 2 ** 31 - 2]);
    const lock = new Lock(client, '/l');
    const first = await place.settled(lock.acquire());
    const second = lock.acquire();
    await place.settled(place.client.sync());
    await place.settled(first.release());
    expect((await place.settled(second)).fencingToken).toBeGreaterThan(first.fencingToken);
  });

  // An Apache server that has given the last one gives it again, and negative ones where several creates are under way at a time.
  it.each([2 ** 31 - 1, -(2 ** 31), -1_000_000_000, -999_999_999, -1])(
    'are refused from %i on, and nobody is left behind',
    async (number) => {
      const refusal = { code: 'OUT_OF_RANGE', message: expect.stringContaining('begin anew') };
      const client = numbering(place.client, [number, number, 0, number, number]);
      await expect(place.settled(new Lock(client, '/l').acquire())).rejects.toMatchObject(refusal);
      await expect(place.settled(new LeaderLatch(client, '/e').start().leadership())).rejects.toMatchObject(refusal);
      await expect(place.settled(new Semaphore(client, '/s', { permits: 1 }).acquire())).rejects.toMatchObject(refusal);
      await expect(place.settled(new DoubleBarrier(client, '/b', { members: 1 }).enter())).rejects.toMatchObject(refusal);
      await place.settled(place.client.sync());
      for (const path of ['/l', '/e', '/s/locks', '/s/leases', '/b'])
        expect([path, (await place.settled(place.client.getChildren(path))).children]).toEqual([path, []]);
    },
  );
});

it('a queue goes on beyond the last number, in its order', async () => {
  const numbers = [2 ** 31 - 2, 2 ** 31 - 1, -(2 ** 31), 1 - 2 ** 31];
  const queue = new Queue(numbering(place.client, numbers), '/q');
  for (const item of ['a', 'b', 'c', 'd']) await place.settled(queue.put(item));
  await place.settled(place.client.create(joinPath('/q/items', 'item--000000005'), 'far later'));
  const taken: string[] = [];
  while ((await place.settled(queue.size())) > 1) taken.push(String.fromCharCode(...(await place.settled(queue.take()))));
  expect(taken).toEqual(['a', 'b', 'c', 'd']);
  expect(String.fromCharCode(...(await place.settled(queue.take())))).toBe('far later');
});
