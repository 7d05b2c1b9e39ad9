/** What groups, services, partitioners and double barriers promise that needs no weather. */
import { CreateMode } from '@quorate/protocol';
import { byKey, Discovery, DoubleBarrier, leastLoaded, Membership, Partitioner, type RecipeError } from '@quorate/recipes';
import type { Client } from 'quorate';
import { describe, expect, it } from 'vitest';
import { virtualEnsemble } from './virtual-ensemble.js';

const place = virtualEnsemble();

describe('a group', () => {
  it('lets a process join again under its old id before its old session is over', async () => {
    const old = await place.settled(place.ensemble.connect());
    await place.settled(new Membership(old, '/g').join('a', { data: 'old' }));
    const view = await place.settled(new Membership(place.client, '/g').view());
    await place.settled(new Membership(place.client, '/g').join('a', { data: 'new' }));
    await place.settled(place.client.sync());
    expect(view.members.map(({ id, data }) => [id, String.fromCharCode(...data)])).toEqual([['a', 'new']]);
    place.ensemble.expireSession(old);
    await place.settled(place.client.sync());
    expect(view.members).toHaveLength(1);
  });

  it('refuses ids that are no names', async () => {
    for (const id of ['', 'a/b', 7 as never]) await expect(new Membership(place.client, '/g').join(id)).rejects.toThrow(TypeError);
  });
});

describe('a service', () => {
  async function threeInstances(): Promise<Discovery> {
    const discovery = new Discovery(place.client, '/services');
    for (const id of ['a', 'b', 'c']) await place.settled(discovery.register('mail', { id, data: { port: id.charCodeAt(0) } }));
    return discovery;
  }

  it('has its instances in turn, and spares those whose calls fail', async () => {
    const view = await place.settled((await threeInstances()).view<{ port: number }>('mail'));
    expect(['', '', '', ''].map(() => view.pick().id)).toEqual(['a', 'b', 'c', 'a']);
    for (let count = 0; count < 3; count++) view.noteError({ id: 'b' });
    expect(['', '', '', ''].map(() => view.pick().id)).toEqual(['c', 'a', 'c', 'a']);
    await place.settled(new Promise<void>((resolve) => place.clock.setTimer(10_000, resolve)));
    expect(['', '', ''].map(() => view.pick().id)).toEqual(['b', 'c', 'a']);
    for (const id of ['a', 'b', 'c']) for (let count = 0; count < 3; count++) view.noteError({ id });
    // All of them are set aside: better one of those than none.
    expect(view.pick().id).toBe('b');
  });

  it('tries another instance where a call fails, and says how the last one has', async () => {
    const view = await place.settled((await threeInstances()).view<{ port: number }>('mail'));
    const called: string[] = [];
    const failing = ({ id }: { id: string }): never => {
      called.push(id);
      throw new Error(id);
    };
    await expect(view.use(failing, { tries: 3 })).rejects.toThrow('c');
    expect(called).toEqual(['a', 'b', 'c']);
    expect(await view.use(({ data }) => data.port)).toBe(97);
    await expect(view.use(failing, { tries: 0 })).rejects.toThrow(TypeError);
  });

  it('is used by load or by key', async () => {
    const discovery = await threeInstances();
    const byLoad = await place.settled(discovery.view('mail', { balancer: leastLoaded() }));
    const open: (() => void)[] = [];
    const calls = [1, 2, 3].map(() => byLoad.use(({ id }) => new Promise<string>((resolve) => open.push(() => resolve(id)))));
    for (const end of open) end();
    expect((await Promise.all(calls)).sort()).toEqual(['a', 'b', 'c']);
    const views = [
      await place.settled(discovery.view('mail', { balancer: byKey() })),
      await place.settled(discovery.view('mail', { balancer: byKey() })),
    ];
    expect(new Set(views.flatMap((view) => ['', '', ''].map(() => view.pick({ key: 'user-17' }).id))).size).toBe(1);
  });

  it('leaves out an instance whose data are wrong, and says so where there is none', async () => {
    const discovery = new Discovery(place.client, '/services');
    await place.settled(new Membership(place.client, '/services/mail').join('a', { data: 'no JSON' }));
    const wrong: [string, string][] = [];
    const onInvalid = ({ code }: RecipeError, id: string): number => wrong.push([code, id]);
    const view = await place.settled(discovery.view('mail', { onInvalid }));
    await place.settled(place.client.sync());
    expect(wrong).toEqual([['INVALID_DATA', 'a']]);
    expect(() => view.pick()).toThrow(expect.objectContaining({ code: 'NO_INSTANCE' }));
  });
});

describe('a partitioner', () => {
  it('ends with the error of its work, after all work has ended', async () => {
    const mine = new Error('mine');
    const ended: string[] = [];
    const partitioner = new Partitioner(place.client, '/p', {
      id: 'a',
      partitions: ['p0', 'p1'],
      async work({ partition, signal }) {
        if (partition === 'p1') {
          while (partitioner.owned.length < 2) await place.client.sync();
          throw mine;
        }
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        ended.push(partition);
      },
    });
    await expect(place.settled(partitioner.run())).rejects.toBe(mine);
    expect([ended, partitioner.owned]).toEqual([['p0'], []]);
    await expect(partitioner.run()).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('notices that another member has taken its id', async () => {
    const options = { id: 'a', partitions: ['p0'], work: () => {} };
    const first = new Partitioner(place.client, '/p', options).run();
    await place.settled(place.client.sync());
    const controller = new AbortController();
    const second = new Partitioner(await place.settled(place.ensemble.connect()), '/p', options).run({ signal: controller.signal });
    await expect(place.settled(first)).rejects.toMatchObject({ code: 'LOST' });
    controller.abort();
    await place.settled(second);
  });
});

describe('a double barrier', () => {
  it('knows whether a member is inside', async () => {
    const barrier = new DoubleBarrier(place.client, '/b', { members: 1 });
    await expect(barrier.leave()).rejects.toMatchObject({ code: 'CONFLICT' });
    await place.settled(barrier.enter());
    await expect(barrier.enter()).rejects.toMatchObject({ code: 'CONFLICT' });
    await place.settled(barrier.leave());
    await place.settled(barrier.enter());
    expect(() => new DoubleBarrier(place.client, '/b', { members: 0 })).toThrow(TypeError);
  });

  /** A client that does something else after each call of that name. */
  function afterEachCall(name: 'create' | 'getChildren', what: () => Promise<unknown>): Client {
    return new Proxy(place.client, {
      get: (target, key) => {
        const value = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        if (key !== name) return value.bind(target);
        return async (...args: unknown[]) => {
          const result = await value.apply(target, args);
          await what();
          return result;
        };
      },
    });
  }

  it('is entered by nobody where a member goes in the moment in which it is opened', async () => {
    const other = await place.settled(place.ensemble.connect());
    const theirs = new DoubleBarrier(other, '/b', { members: 2 }).enter();
    theirs.catch(() => {});
    for (let count = 0; count < 1; count = (await place.settled(other.exists('/b')))?.numChildren ?? 0);
    const leave = async (): Promise<void> => {
      place.ensemble.expireSession(other);
      while ((await place.client.exists('/b'))?.numChildren === 2) await place.client.sync();
    };
    const own = new DoubleBarrier(afterEachCall('getChildren', leave), '/b', { members: 2 });
    await expect(place.settled(own.enter({ timeoutMs: 1000 }))).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(place.settled(theirs)).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
  });

  it('is opened by another member where the last one does not, after a while', async () => {
    const other = await place.settled(place.ensemble.connect());
    const mode = CreateMode.EPHEMERAL_SEQUENTIAL;
    const comeToo = (): Promise<unknown> => other.create('/b/member-', '', { mode });
    await place.settled(place.client.create('/b'));
    const since = place.clock.now();
    await place.settled(new DoubleBarrier(afterEachCall('create', comeToo), '/b', { members: 2 }).enter());
    expect(place.clock.now() - since).toBeGreaterThanOrEqual(200);
  });

  it('has its directory read by the one who completes the number and by the keeper alone', async () => {
    const clients = await place.settled(Promise.all(Array.from({ length: 20 }, () => place.ensemble.connect())));
    let reads = 0;
    for (const client of clients) {
      const getChildren = client.getChildren.bind(client);
      client.getChildren = (...args) => {
        reads++;
        return getChildren(...args);
      };
    }
    const barriers = clients.map((client) => new DoubleBarrier(client, '/b', { members: 20 }));
    const entering: Promise<void>[] = [];
    for (const [index, barrier] of barriers.entries()) {
      entering.push(barrier.enter());
      await place.settled((clients[index] as Client).sync());
      await place.settled((clients[index] as Client).sync());
    }
    await place.settled(Promise.all(entering));
    expect(reads).toBe(1);
    await place.settled(Promise.all(barriers.map((barrier) => barrier.leave())));
    expect(reads).toBeLessThan(6);
  });
});
