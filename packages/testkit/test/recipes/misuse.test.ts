/** What recipes say to who uses them wrong, and whose error is heard where two things fail at a time. */
import {
  AckQueue,
  DelayQueue,
  Discovery,
  DoubleBarrier,
  LeaderLatch,
  LeaderSelector,
  Lease,
  Lock,
  Membership,
  MultiLock,
  Partitioner,
  PersistentNode,
  PriorityQueue,
  Queue,
  ReadWriteLock,
  Semaphore,
  SharedValue,
  VersionedConfig,
  Voting,
} from '@quorate/recipes';
import type { Client } from 'quorate';
import { describe, expect, it } from 'vitest';
import { virtualEnsemble } from './virtual-ensemble.js';

const place = virtualEnsemble();

describe('what is wrong with the arguments is told at once, with what would be right', () => {
  it.each<[name: string, make: (client: Client) => unknown, message: string]>([
    ['a limit of permits', (client) => new Semaphore(client, '/a', { permits: 0 }), 'permits must be a whole number, 1 or more, not 0'],
    ['half a permit', (client) => new Semaphore(client, '/a', { permits: 1.5 }), 'permits must be a whole number, 1 or more, not 1.5'],
    [
      'members',
      (client) => new DoubleBarrier(client, '/a', { members: 10_001 }),
      'members must be a whole number from 1 to 10000, not 10001',
    ],
    [
      'a duration',
      (client) => new Lease(client, '/a', { durationMs: -1 }),
      'durationMs must be a number of milliseconds, 0 or more, not -1',
    ],
    ['no duration', (client) => new Lease(client, '/a', {} as never), 'durationMs must be a number of milliseconds'],
    ['no options', (client) => new Semaphore(client, '/a', undefined as never), 'permits must be a whole number, 1 or more, not undefined'],
    ['no options of a barrier', (client) => new DoubleBarrier(client, '/a', undefined as never), 'members must be a whole number from 1'],
    ['items', (client) => new Queue(client, '/a', { itemsMax: 0 }), 'itemsMax must be a whole number, 1 or more, not 0'],
    [
      'versions',
      (client) => new VersionedConfig(client, '/a', { versionsKept: 0 }),
      'versionsKept must be a whole number, 1 or more, not 0',
    ],
    ['no locks', () => new MultiLock([]), 'locks must be an array of at least one lock'],
    ['a lock twice', (client) => new MultiLock([new Lock(client, '/a'), new Lock(client, '/a')]), 'two have /a'],
    ['no task', (client) => new LeaderSelector(client, '/a', undefined as never), 'task must be a function'],
    ['no source', () => new PersistentNode({} as never, '/a'), 'source must be a client, or a function that gives one'],
    ['no work', (client) => new Partitioner(client, '/a', { id: 'a', partitions: [] } as never), 'work must be a function'],
    [
      'no partitions',
      (client) => new Partitioner(client, '/a', { id: 'a', work: () => {} } as never),
      'partitions must be an array of names',
    ],
  ])('%s', (_name, make, message) => {
    expect(() => make(place.client)).toThrow(expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(message) }));
  });

  it.each<[name: string, call: (client: Client) => Promise<unknown>, message: string]>([
    ['a wait', (client) => new Lock(client, '/a').acquire({ timeoutMs: Number.NaN }), 'timeoutMs must be a number of milliseconds'],
    ['a time in place of options', (client) => new Lock(client, '/a').acquire(50 as never), 'like { timeoutMs: 1_000, signal }, not 50'],
    [
      'a signal in place of options',
      (client) => new Queue(client, '/a').take(AbortSignal.any([]) as never),
      'options must be an object like',
    ],
    [
      'nothing in place of options',
      (client) => new Semaphore(client, '/a', { permits: 1 }).acquire(null as never),
      'options must be an object',
    ],
    [
      'another name',
      (client) => new LeaderLatch(client, '/a').start().leadership({ timeout: 50 } as never),
      'timeout is not an option of a call that waits: these are signal, timeoutMs',
    ],
    ['no block', (client) => new Lock(client, '/a').run(5 as never), 'task must be a function, not 5'],
    ['a service', (client) => new Discovery(client, '/a').view('b/c'), 'service must be a string without "/" and not empty, not "b/c"'],
    ['no instance', (client) => new Discovery(client, '/a').register('b', undefined as never), 'id must be a string without "/"'],
    ['a value without JSON', (client) => new SharedValue(client, '/a').set(10n as never), 'the value of /a must have a form in JSON: '],
    ['no schema', (client) => new SharedValue(client, '/a', { schema: {} as never }).set(1), 'the schema of /a must be a Standard Schema'],
    [
      'a schema that says nothing',
      (client) => new SharedValue(client, '/a', { schema: { '~standard': { validate: () => undefined } } as never }).set(1),
      'the schema of /a must answer { value } or { issues }, not undefined',
    ],
    [
      'a priority',
      (client) => new PriorityQueue(client, '/a').put('', { priority: 0.5 }),
      'priority must be a whole number from 0 to 999999999',
    ],
    ['a delay', (client) => new DelayQueue(client, '/a').put('', { delayMs: Number.POSITIVE_INFINITY }), 'delayMs must be a number'],
    ['a name', (client) => new Membership(client, '/a').join('a/b'), 'id must be a string without "/" and not empty, not "a/b"'],
    ['no voters', (client) => new Voting(client, '/a').open([]), 'voters must be an array of at least one string'],
    ['a voter twice', (client) => new Voting(client, '/a').open(['a', 'a']), 'voters must have names of their own'],
  ])('%s', async (_name, call, message) => {
    await expect(place.settled(call(place.client))).rejects.toMatchObject({ name: 'TypeError', message: expect.stringContaining(message) });
  });

  it('a path that is none', () => {
    const { client } = place;
    const options = { permits: 1, members: 1, durationMs: 1, id: 'a', partitions: [], work: () => {} };
    for (const Recipe of [Lock, ReadWriteLock, Semaphore, Lease, LeaderLatch, DoubleBarrier, Queue, AckQueue, Membership, Partitioner])
      expect(() => new Recipe(client, 'locks/a', options)).toThrow(
        expect.objectContaining({ code: 'BAD_ARGUMENTS', message: expect.stringContaining('locks/a') }),
      );
  });
});

describe('what was ended', () => {
  it('is not had again by waiting for oneself: a lock is not re-entered unless the caller says so', async () => {
    const lock = new Lock(place.client, '/a');
    const held = await place.settled(lock.acquire());
    await expect(place.settled(lock.acquire({ timeoutMs: 100 }))).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(await place.settled(lock.tryAcquire())).toBeUndefined();
    expect((await place.settled(lock.acquire({ within: held }))).fencingToken).toBe(held.fencingToken);
  });

  it('is released once, however often that is asked for, and nobody else’s with it', async () => {
    const lock = new Lock(place.client, '/a');
    const first = await place.settled(lock.acquire());
    const next = lock.acquire();
    await place.settled(Promise.all([first.release(), first.release(), first[Symbol.asyncDispose]()]));
    const second = await place.settled(next);
    await place.settled(first.release());
    expect([first.signal.aborted, second.signal.aborted]).toEqual([true, false]);
    await place.settled(place.client.sync());
    expect((await place.settled(place.client.getChildren('/a'))).children).toHaveLength(1);
  });

  it('cannot be renewed', async () => {
    const held = await place.settled(new Lease(place.client, '/a', { durationMs: 100 }).acquire());
    await place.settled(held.release());
    expect(held.remainingMs).toBe(0);
    expect(() => held.renew()).toThrow(expect.objectContaining({ code: 'LOST', message: expect.stringContaining('is over') }));
  });

  it('does not begin again after close, and says that it was not started', async () => {
    for (const recipe of [
      new LeaderLatch(place.client, '/a'),
      new LeaderSelector(place.client, '/b', async () => {}),
      new PersistentNode(place.client, '/c'),
    ]) {
      const ended = 'leadership' in recipe ? recipe.leadership() : 'created' in recipe ? recipe.created() : recipe.ended();
      await expect(ended).rejects.toMatchObject({ code: 'DISPOSED', message: expect.stringContaining('start() first') });
      await place.settled(recipe.close());
      expect(() => recipe.start()).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
      await place.settled(recipe.close());
    }
  });

  it('goes on after disposal where nothing was to be ended: a queue makes its receipts again', async () => {
    const queue = new Queue(place.client, '/q');
    await place.settled(queue[Symbol.asyncDispose]());
    await place.settled(queue.put('a'));
    await place.settled(queue[Symbol.asyncDispose]());
    expect(await place.settled(queue.take())).toEqual(new Uint8Array([97]));
  });
});

describe('the error of a block is what its caller hears of, also where the release fails', () => {
  const mine = new Error('mine');

  /** From then on each delete and each txn is refused. */
  function unwilling(client: Client): { readonly client: Client; refuse(): void } {
    let refuses = false;
    const proxy = new Proxy(client, {
      get: (target, name) => {
        if (refuses && (name === 'delete' || name === 'multi')) return () => Promise.reject(new Error('refused'));
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return {
      client: proxy,
      refuse: () => {
        refuses = true;
      },
    };
  }

  it.each<[name: string, get: (client: Client) => Promise<AsyncDisposable>]>([
    ['a lock', (client) => new Lock(client, '/a').acquire()],
    ['a lease', (client) => new Lease(client, '/a', { durationMs: 1000 }).acquire()],
    ['a permit', (client) => new Semaphore(client, '/a', { permits: 1 }).acquire()],
    ['several locks', (client) => new MultiLock([new Lock(client, '/a'), new Lock(client, '/b')]).acquire()],
    ['a membership', (client) => new Membership(client, '/a').join('a')],
    [
      'a delivery',
      async (client) => {
        const queue = new AckQueue(client, '/a');
        await queue.put('x');
        return queue.take();
      },
    ],
    [
      'a term',
      async (client) => {
        const latch = new LeaderLatch(client, '/a').start();
        await latch.leadership();
        return latch;
      },
    ],
  ])('%s', async (_name, get) => {
    const { client, refuse } = unwilling(place.client);
    const block = async (): Promise<void> => {
      await using held = await get(client);
      void held;
      refuse();
      throw mine;
    };
    await expect(place.settled(block())).rejects.toBe(mine);
  });

  it.each<[name: string, run: (client: Client, task: () => never) => Promise<unknown>]>([
    ['run of a lock', (client, task) => new Lock(client, '/a').run(task)],
    ['run of a permit', (client, task) => new Semaphore(client, '/a', { permits: 1 }).run(task)],
    ['run of a lease', (client, task) => new Lease(client, '/a', { durationMs: 1000 }).run(task)],
    ['run of several locks', (client, task) => new MultiLock([new Lock(client, '/a')]).run(task)],
    ['the task of a selector', (client, task) => new LeaderSelector(client, '/a', () => Promise.resolve().then(task)).start().ended()],
  ])('%s', async (_name, run) => {
    const { client, refuse } = unwilling(place.client);
    const task = (): never => {
      refuse();
      throw mine;
    };
    await expect(place.settled(run(client, task))).rejects.toBe(mine);
  });

  it('a failing release is heard of where the task has not failed', async () => {
    const { client, refuse } = unwilling(place.client);
    await expect(place.settled(new Lock(client, '/a').run(refuse))).rejects.toThrow('refused');
  });
});
