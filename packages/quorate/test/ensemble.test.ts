/** A whole ensemble in the process, as an application uses it. */
import { afterEach, describe, expect, test } from 'vitest';
import {
  type Client,
  CreateMode,
  Ensemble,
  EnsembleError,
  type EnsembleOptions,
  isZooKeeperError,
  MemoryNetwork,
  MemoryStorage,
  realClock,
  SeededRandom,
  type ServerInfo,
  type Sid,
  VirtualClock,
} from '../src/index.js';
import { settle } from './virtual-time.js';

const ensembles: Ensemble[] = [];

afterEach(async () => {
  await Promise.all(ensembles.splice(0).map((ensemble) => ensemble.close()));
});

async function start(options?: EnsembleOptions): Promise<Ensemble> {
  const ensemble = await Ensemble.start(options);
  ensembles.push(ensemble);
  return ensemble;
}

/** Performs a write until its outcome is known, as an application does whose write may be performed twice. */
async function insist<T>(client: Client, write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
      await client.connected();
    }
  }
}

/** Waits until a server of the ensemble is as it should be. */
async function until(ensemble: Ensemble, condition: (info: ServerInfo) => boolean): Promise<ServerInfo> {
  for await (const info of ensemble.changes) if (condition(info)) return info;
  throw new Error('the ensemble has ended');
}

describe('an ensemble', () => {
  test('serves once it is started, and says who leads', async () => {
    const ensemble = await start();
    await Promise.all([1, 2, 3].map((server) => ensemble.ready({ server })));
    expect(ensemble.servers).toEqual(
      [1, 2, 3].map((sid) => ({
        sid,
        state: sid === ensemble.leader ? 'LEADING' : 'FOLLOWING',
        leader: ensemble.leader,
        epoch: 1,
        serving: true,
        votes: true,
        readOnly: false,
      })),
    );
  });

  test.each([1, 2, 5])('of %i servers', async (servers) => {
    const ensemble = await start({ servers });
    const client = await ensemble.connect();
    await client.create('/a', 'x');
    expect(ensemble.servers.length).toBe(servers);
    expect((await client.getData('/a')).stat.version).toBe(0);
  });

  test('what one client writes another one reads at another server, after a sync', async () => {
    const ensemble = await start();
    const [one, two] = await Promise.all([1, 2].map((server) => ensemble.connect({ server })));
    const { path, stat } = await (one as Client).create('/a', 'x');
    await (two as Client).sync();
    expect(await (two as Client).getData(path)).toEqual({ data: new Uint8Array([120]), stat });
  });

  test('ten thousand requests at once are answered in order', async () => {
    const ensemble = await start();
    const client = await ensemble.connect();
    await client.create('/a');
    const stats = await Promise.all(Array.from({ length: 10_000 }, () => client.setData('/a', 'x')));
    expect(stats.map(({ version }) => version)).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
  });

  test('an observer serves reads and forwards writes, and the voters do without it', async () => {
    const ensemble = await start({ servers: 3, observers: 2 });
    await ensemble.ready({ server: 4 });
    await ensemble.ready({ server: 5 });
    expect(ensemble.servers.map(({ state }) => state).sort()).toEqual(['FOLLOWING', 'FOLLOWING', 'LEADING', 'OBSERVING', 'OBSERVING']);
    const client = await ensemble.connect({ server: 4 });
    await client.create('/through-an-observer', 'x');
    const other = await ensemble.connect({ server: 5 });
    await other.sync();
    expect(await other.exists('/through-an-observer')).toBeDefined();
    ensemble.crash(4);
    ensemble.crash(5);
    const third = await ensemble.connect({ server: ensemble.leader });
    await third.setData('/through-an-observer', 'y');
    ensemble.restart(4);
    await ensemble.ready({ server: 4 });
    const back = await ensemble.connect({ server: 4 });
    expect((await back.getData('/through-an-observer')).stat.version).toBe(1);
  });

  test('a watch fires before the change can be read', async () => {
    const ensemble = await start();
    const [writer, reader] = await Promise.all([ensemble.connect({ server: 1 }), ensemble.connect({ server: 2 })]);
    await writer.create('/a', '0');
    await reader.sync();
    let fired = 0;
    for (let round = 1; round <= 50; round++) {
      await reader.getData('/a', { watch: () => fired++ });
      const write = writer.setData('/a', String(round));
      for (;;) {
        const { data } = await reader.getData('/a');
        if (Number(String.fromCharCode(...data)) === round) break;
        expect(fired).toBeLessThanOrEqual(round);
      }
      expect(fired).toBe(round);
      await write;
    }
  });

  test('an ephemeral znode goes with its session, closed or expired', async () => {
    const ensemble = await start();
    const [a, b, c] = (await Promise.all([ensemble.connect(), ensemble.connect(), ensemble.connect()])) as [Client, Client, Client];
    await a.create('/a', '', { mode: CreateMode.EPHEMERAL });
    await b.create('/b', '', { mode: CreateMode.EPHEMERAL });
    await c.sync();
    const gone = ['/a', '/b'].map((path) => new Promise((resolve) => void c.exists(path, { watch: resolve })));
    await c.sync();
    await a.close();
    const expired = new Promise((resolve) => b.onState((state) => state === 'EXPIRED' && resolve(state)));
    expect(ensemble.expireSession(b)).toBe(true);
    expect(await Promise.all(gone)).toMatchObject([{ type: 'NODE_DELETED' }, { type: 'NODE_DELETED' }]);
    await expired;
    expect(ensemble.expireSession(b.sessionId)).toBe(false);
    await expect(b.exists('/')).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
  });

  test('bytes are nobody else’s, on the way in and on the way out', async () => {
    const ensemble = await start();
    const client = await ensemble.connect();
    const bytes = new Uint8Array([1, 2, 3]);
    const created = client.create('/a', bytes);
    bytes.fill(9);
    await created;
    const { data } = await client.getData('/a');
    expect(data).toEqual(new Uint8Array([1, 2, 3]));
    data.fill(8);
    expect((await client.getData('/a')).data).toEqual(new Uint8Array([1, 2, 3]));
  });

  test('bytes of a multiRead are nobody else’s either', async () => {
    const ensemble = await start();
    const client = await ensemble.connect();
    await client.create('/own', 'abc');
    const [first] = await client.multiRead([{ op: 'getData', path: '/own' }]);
    first.data?.fill(0);
    expect((await client.getData('/own')).data).toEqual(new Uint8Array([97, 98, 99]));
  });

  test('nor are lists of children', async () => {
    const ensemble = await start();
    const client = await ensemble.connect();
    await client.create('/own');
    await client.create('/own/child');
    const { children } = await client.getChildren('/own');
    const [first] = await client.multiRead([{ op: 'getChildren', path: '/own' }]);
    children.pop();
    first.children?.pop();
    const [again] = await client.multiRead([{ op: 'getChildren', path: '/own' }]);
    expect([(await client.getChildren('/own')).children, again.children]).toEqual([['child'], ['child']]);
  });

  test('containers and znodes with a TTL go by themselves, and what a client asks about itself is answered', async () => {
    const ensemble = await start({ containerCheckIntervalMs: 100 });
    const client = await ensemble.connect();
    await client.create('/c', '', { mode: CreateMode.CONTAINER });
    await client.create('/kept', '', { mode: CreateMode.CONTAINER });
    await client.create('/c/e', '', { mode: CreateMode.EPHEMERAL });
    const { stat } = await client.create('/t', '', { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 50 });
    expect(stat.ephemeralOwner).toBe(0n);
    expect(await client.getEphemerals()).toEqual(['/c/e']);
    expect(await client.getEphemerals('/x')).toEqual([]);
    expect(await client.getAllChildrenNumber('/c')).toBe(1);
    await expect(client.getAllChildrenNumber('/none')).rejects.toMatchObject({ code: 'NO_NODE', operation: 'getAllChildrenNumber' });
    expect(await client.whoAmI()).toEqual([]);
    await client.addAuth('digest', 'bob:secret');
    expect(await client.whoAmI()).toEqual([{ scheme: 'digest', id: 'bob' }]);
    const gone = (path: string) =>
      new Promise<void>((resolve) => void client.exists(path, { watch: () => resolve() }).then((is) => is ?? resolve()));
    await Promise.all([gone('/t'), gone('/c'), client.delete('/c/e')]);
    expect(await client.exists('/kept')).toBeDefined();
  });

  test('many, side by side', async () => {
    const many = await Promise.all(Array.from({ length: 10 }, () => start()));
    await Promise.all(
      many.map(async (ensemble, index) => {
        const client = await ensemble.connect();
        await client.create('/name', String(index));
        expect(String.fromCharCode(...(await client.getData('/name')).data)).toBe(String(index));
      }),
    );
  });

  test('a connection from outside goes to the server that is asked for, and ends with that', async () => {
    const ensemble = await start();
    const ended: Sid[] = [];
    const ends = ensemble.servers.map(
      ({ sid }) =>
        new Promise<void>((resolve) => {
          const close = (): void => {
            ended.push(sid);
            resolve();
          };
          ensemble.accept({ send() {}, close }, sid);
        }),
    );
    for (const sid of [3, 1]) {
      ensemble.crash(sid);
      await ends[sid - 1];
    }
    expect(ended).toEqual([3, 1]);
    // There is nobody at that server: it is not another one that takes it.
    await new Promise<void>((resolve) => {
      ensemble.accept({ send() {}, close: resolve }, 3);
    });
  });

  test('ends with its clients', async () => {
    const ensemble = await start();
    const client = await ensemble.connect();
    const changes = ensemble.changes[Symbol.asyncIterator]();
    await ensemble.close();
    expect(client.state).toBe('CLOSED');
    expect(ensemble.servers.map(({ state }) => state)).toEqual(['DOWN', 'DOWN', 'DOWN']);
    for (let count = 0; count < 3; count++) expect((await changes.next()).value).toMatchObject({ state: 'DOWN' });
    expect((await changes.next()).done).toBe(true);
    await expect(ensemble.connect()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(ensemble.ready()).rejects.toMatchObject({ code: 'CLOSED' });
    await ensemble[Symbol.asyncDispose]();
  });
});

describe('faults', () => {
  test('a crash of the leader under load loses nothing that was acknowledged, and no session', async () => {
    const ensemble = await start();
    const clients = await Promise.all([1, 2, 3, 1, 2, 3].map((server) => ensemble.connect({ server })));
    const acknowledged: string[] = [];
    let going = true;
    const load = clients.map(async (client, index) => {
      for (let count = 0; going; count++) {
        const path = `/${index}-${count}`;
        const [created] = await Promise.allSettled([client.create(path), client.getData('/zookeeper')]);
        if (created.status === 'fulfilled') acknowledged.push(path);
        else if (isZooKeeperError(created.reason, 'CONNECTION_LOSS')) await client.connected();
        else throw created.reason;
      }
    });
    for (let round = 0; round < 5; round++) {
      const before = acknowledged.length;
      while (acknowledged.length < before + 200) await (clients[0] as Client).sync().catch(() => clients[0]?.connected());
      const leader = ensemble.leader as Sid;
      ensemble.crash(leader);
      expect(await ensemble.ready()).not.toBe(leader);
      ensemble.restart(leader);
      await ensemble.ready({ server: leader });
    }
    going = false;
    await Promise.all(load);
    expect(new Set(clients.map((client) => client.state))).toEqual(new Set(['CONNECTED']));
    for (const server of [1, 2, 3]) {
      const reader = await ensemble.connect({ server });
      await reader.sync();
      const { children } = await reader.getChildren('/');
      const present = new Set(children.map((name) => `/${name}`));
      expect(acknowledged.filter((path) => !present.has(path))).toEqual([]);
    }
  });

  test('a server that comes back has what it missed', async () => {
    const ensemble = await start();
    const client = await ensemble.connect({ server: ensemble.leader });
    const follower = ensemble.leader === 1 ? 2 : 1;
    ensemble.crash(follower);
    await client.create('/while-it-was-down');
    ensemble.restart(follower);
    await ensemble.ready({ server: follower });
    const reader = await ensemble.connect({ server: follower });
    expect(await reader.exists('/while-it-was-down')).toBeDefined();
  });

  test('the whole ensemble comes back from its storage', async () => {
    const ensemble = await start();
    const client = await ensemble.connect();
    await client.create('/a', 'kept');
    for (const sid of [1, 2, 3]) ensemble.crash(sid);
    expect(ensemble.leader).toBeUndefined();
    for (const sid of [1, 2, 3]) ensemble.restart(sid);
    await ensemble.ready();
    expect(await insist(client, () => client.exists('/a'))).toBeDefined();
  });

  test('a client goes on elsewhere when its server crashes, with its session, its ephemerals and its watches', async () => {
    const ensemble = await start();
    const follower = ensemble.leader === 1 ? 2 : 1;
    const client = await ensemble.connect({ server: follower });
    const other = await ensemble.connect({ server: ensemble.leader });
    await client.create('/e', '', { mode: CreateMode.EPHEMERAL });
    await other.create('/w', '0');
    await client.sync();
    const fired = new Promise((resolve) => void client.getData('/w', { watch: resolve }));
    await client.sync();
    const { sessionId } = client;
    ensemble.crash(follower);
    // The change is made while the client is nobody's.
    await other.setData('/w', '1');
    expect(await fired).toMatchObject({ type: 'NODE_DATA_CHANGED', path: '/w' });
    expect([client.sessionId, (await client.exists('/e'))?.ephemeralOwner]).toEqual([sessionId, sessionId]);
  });

  test('a minority takes no write; after healing there is one history', async () => {
    const ensemble = await start();
    const old = ensemble.leader as Sid;
    const others = [1, 2, 3].filter((sid) => sid !== old);
    const cut = await ensemble.connect({ server: old });
    const well = await ensemble.connect({ server: others[0] });
    await cut.create('/a', 'before');
    ensemble.partition([old], others);
    const doomed = cut.setData('/a', 'by the minority').then(
      () => 'done',
      (error) => error,
    );
    const elected = await until(ensemble, (info) => info.state === 'LEADING' && info.serving && info.sid !== old);
    expect(ensemble.leader).toBe(elected.sid);
    await insist(well, () => well.setData('/a', 'by the majority'));
    ensemble.heal();
    await ensemble.ready({ server: old });
    // Nobody knows what became of the write of the minority, but it is not in the history.
    expect(isZooKeeperError(await doomed, 'CONNECTION_LOSS')).toBe(true);
    const reader = await ensemble.connect({ server: old });
    await reader.sync();
    expect(String.fromCharCode(...(await reader.getData('/a')).data)).toBe('by the majority');
  });

  test('changes tell what happens to the servers', async () => {
    const ensemble = await start();
    const seen: ServerInfo[] = [];
    const old = ensemble.leader as Sid;
    const watching = (async () => {
      for await (const info of ensemble.changes) {
        seen.push(info);
        if (info.state === 'LEADING' && info.serving) return;
      }
    })();
    ensemble.crash(old);
    await watching;
    expect(seen[0]).toEqual({ sid: old, state: 'DOWN', leader: undefined, epoch: 1, serving: false, votes: false, readOnly: false });
    expect(seen.at(-1)).toMatchObject({ state: 'LEADING', epoch: 2 });
  });
});

describe('a leader that leaves, a disk that is lost', () => {
  test('the leadership is handed over: no connection ends, and every write that was under way is done, once and in order', async () => {
    const ensemble = await start();
    const old = ensemble.leader as Sid;
    const to = old === 1 ? 2 : 1;
    const clients = await Promise.all([1, 2, 3].map((server) => ensemble.connect({ server })));
    const states: string[] = [];
    for (const client of clients) client.onState((state) => states.push(state));
    await (clients[0] as Client).create('/log');
    const write = (client: Client, i: number) => client.create(`/log/${i}-`, undefined, { mode: CreateMode.PERSISTENT_SEQUENTIAL });
    let count = 0;
    const under = clients.flatMap((client) => Array.from({ length: 20 }, () => write(client, count++)));
    const handedTo = await ensemble.handOver({ to });
    under.push(...clients.map((client) => write(client, count++)));
    const paths = await Promise.all(under);
    expect(handedTo).toBe(to);
    expect(states).toEqual([]);
    expect(new Set(paths).size).toBe(63);
    const reader = clients[0] as Client;
    await reader.sync();
    expect((await reader.getChildren('/log')).children).toHaveLength(63);
    expect(ensemble.servers.find(({ sid }) => sid === old)).toMatchObject({ state: 'FOLLOWING', leader: to, epoch: 2 });
  });

  test('to whom nobody can hand over is said by name', async () => {
    const ensemble = await start({ servers: 1, observers: 1 });
    await expect(ensemble.handOver({ to: 9 })).rejects.toMatchObject({ code: 'UNKNOWN_SERVER' });
    await expect(ensemble.handOver({ to: 2 })).rejects.toMatchObject({
      code: 'NO_SUCCESSOR',
      message: 'server 2, which must vote and follow the leader, does not at present',
    });
    await expect(ensemble.handOver()).rejects.toMatchObject({ code: 'NO_SUCCESSOR' });
    expect(await ensemble.handOver({ to: 1 })).toBe(1);
  });

  test('a server whose disk was lost has its vote back after a moment, and nobody else notices', async () => {
    const ensemble = await start();
    const client = await ensemble.connect({ server: ensemble.leader });
    const states: string[] = [];
    client.onState((state) => states.push(state));
    await client.create('/a', 'kept');
    const lost = [1, 2, 3].find((sid) => sid !== ensemble.leader) as Sid;
    ensemble.crash(lost);
    ensemble.wipe(lost);
    ensemble.restart(lost);
    const without = await until(ensemble, (info) => info.sid === lost && info.serving);
    expect(without).toMatchObject({ state: 'OBSERVING', votes: false });
    const back = await until(ensemble, (info) => info.sid === lost && info.votes);
    expect(back).toMatchObject({ state: 'FOLLOWING', epoch: 2, serving: true });
    const reader = await ensemble.connect({ server: lost });
    expect(String.fromCharCode(...(await reader.getData('/a')).data)).toBe('kept');
    expect(states).toEqual([]);
  });

  test('when a majority of the disks is lost the ensemble stays down, and says why', async () => {
    const clock = new VirtualClock();
    const starting = start({ clock });
    const run = async <T>(promise: Promise<T>): Promise<T> => {
      const done = promise.then(
        () => true,
        () => true,
      );
      while (!(await Promise.race([done, Promise.resolve(false)]))) clock.advance(10);
      return promise;
    };
    const ensemble = await run(starting);
    for (const sid of [1, 2, 3]) ensemble.crash(sid);
    for (const sid of [1, 2]) ensemble.wipe(sid);
    for (const sid of [1, 2, 3]) ensemble.restart(sid);
    clock.advance(60_000);
    expect(ensemble.leader).toBeUndefined();
    expect(ensemble.servers.map(({ votes }) => votes)).toEqual([false, false, true]);
  });

  test('stores of the caller’s that were not formatted are refused by name', async () => {
    const storages = [1, 2, 3].map(() => new MemoryStorage({ clock: realClock }));
    await expect(Ensemble.start({ storage: (sid) => storages[sid - 1] as MemoryStorage })).rejects.toMatchObject({
      code: 'NOT_FOUNDED',
      message: 'the stores of servers 1, 2, 3 are not marked, so no quorum can come together: format those of a new ensemble once',
    });
    expect(() => storages[0]?.format({ ensembleId: '' })).toThrow('must not be empty');
    expect(() => storages[0]?.format({ ensembleId: 'a' }).format({ ensembleId: 'b' })).toThrow('only an empty store');
  });

  test('what is impossible is refused by name', async () => {
    const ensemble = await start();
    expect(() => ensemble.wipe(1)).toThrow(expect.objectContaining({ code: 'SERVER_UP' }));
    expect(() => ensemble.wipe(7)).toThrow(expect.objectContaining({ code: 'UNKNOWN_SERVER' }));
    const own = await start({ servers: 1, storage: () => new MemoryStorage({ clock: realClock }).format({ ensembleId: 'own' }) });
    own.crash(1);
    expect(() => own.wipe(1)).toThrow(expect.objectContaining({ code: 'OWN_STORAGE' }));
    await expect(own.handOver()).rejects.toMatchObject({ code: 'NO_LEADER' });
  });
});

describe('own parts', () => {
  test('a virtual clock: minutes take milliseconds', async () => {
    const clock = new VirtualClock();
    const run = <T>(promise: Promise<T>) => settle(clock, promise);
    const ensemble = await run(start({ clock, random: new SeededRandom(1) }));
    const started = clock.now();
    expect(started).toBeLessThan(50);
    const client = await run(ensemble.connect({ sessionTimeoutMs: 4_000 }));
    await run(client.create('/e', '', { mode: CreateMode.EPHEMERAL }));
    clock.advance(10 * 60_000);
    expect(client.state).toBe('CONNECTED');
    expect(await run(client.exists('/e'))).toBeDefined();
    expect(ensemble.servers.every(({ epoch }) => epoch === 1)).toBe(true);
    ensemble.crash(ensemble.leader as Sid);
    const crashed = clock.now();
    await run(ensemble.ready());
    expect(clock.now() - crashed).toBeLessThan(50);
    expect(await run(client.exists('/e'))).toBeDefined();
  });

  test('throttles: too large together is refused by a connection that ends, too many come later', async () => {
    const requestThrottle = { largeRequestBytes: 1_000, largeRequestsBytesMax: 5_000 };
    const throttled = await Ensemble.start({ servers: 1, requestThrottle, connectionThrottle: { tokensMax: 3, tokensPerSecond: 20 } });
    const client = await throttled.connect();
    await client.create('/n', new Uint8Array(4_000));
    await expect(client.setData('/n', new Uint8Array(5_000))).rejects.toMatchObject({ code: 'CONNECTION_LOSS' });
    await client.connected();
    expect((await client.getData('/n')).data).toHaveLength(4_000);
    await throttled.close();
  });

  test('a silent client expires after its timeout and not before', async () => {
    const clock = new VirtualClock();
    const run = <T>(promise: Promise<T>) => settle(clock, promise);
    const ensemble = await run(start({ clock }));
    const reader = await run(ensemble.connect());
    const silent = ensemble.connector().connect(0, { onOpen() {}, onMessage() {}, onClose() {} });
    silent.send({
      kind: 'connect',
      protocolVersion: 0,
      lastZxidSeen: 0 as never,
      timeOut: 3000,
      sessionId: 0n,
      passwd: new Uint8Array(16),
      readOnly: false,
    });
    silent.send({
      kind: 'request',
      xid: 1,
      request: {
        type: 1,
        path: '/e',
        data: null,
        acl: [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }],
        flags: CreateMode.EPHEMERAL,
      },
    });
    await run(reader.sync());
    clock.advance(2800);
    expect(await run(reader.exists('/e'))).toBeDefined();
    clock.advance(400);
    await run(reader.sync());
    expect(await run(reader.exists('/e'))).toBeUndefined();
  });

  test('a transport, a storage, a clock and a random of the caller’s', async () => {
    const network = new MemoryNetwork({ clock: realClock });
    const storages = new Map([1, 2, 3].map((sid) => [sid, new MemoryStorage({ clock: realClock }).format({ ensembleId: 'test' })]));
    const asked: string[] = [];
    const options: EnsembleOptions = {
      clock: { ...realClock, now: realClock.now },
      random: new SeededRandom(7),
      transport: (sid) => {
        asked.push(`transport ${sid}`);
        return network.transport(sid);
      },
      storage: (sid) => {
        asked.push(`storage ${sid}`);
        return storages.get(sid) as MemoryStorage;
      },
    };
    const first = await start(options);
    const client = await first.connect();
    await client.create('/a', 'in the caller’s storage');
    first.crash(2);
    first.restart(2);
    expect(asked.filter((line) => line.endsWith('2'))).toEqual(['transport 2', 'storage 2', 'transport 2', 'storage 2']);
    expect(() => first.partition([1], [2, 3])).toThrow(expect.objectContaining({ code: 'OWN_TRANSPORT' }));
    expect(() => first.heal()).toThrow(expect.objectContaining({ code: 'OWN_TRANSPORT' }));
    await first.close();
    // Another ensemble over the same storages goes on where the first one ended.
    const second = await start(options);
    const reader = await second.connect();
    expect(await reader.exists('/a')).toBeDefined();
  });

  test('a storage that fails ends its server; the others go on', async () => {
    const failures: [Sid, string][] = [];
    let failing = false;
    class FailingStorage extends MemoryStorage {
      override append(...[run, done]: Parameters<MemoryStorage['append']>): void {
        super.append(run, (error) => done(failing ? new Error('the disk is gone') : error));
      }
    }
    const ensemble = await start({
      storage: (sid) => new (sid === 1 ? FailingStorage : MemoryStorage)({ clock: realClock }).format({ ensembleId: 'test' }),
      onFailure: (sid, error) => failures.push([sid, error.message]),
    });
    const client = await ensemble.connect({ server: 2 });
    failing = true;
    await insist(client, () => client.create('/a').catch((error) => isZooKeeperError(error, 'NODE_EXISTS') || Promise.reject(error)));
    await insist(client, () => client.setData('/a', 'x'));
    while (failures.length === 0) await client.sync();
    expect(failures).toEqual([[1, 'the disk is gone']]);
    expect(ensemble.servers[0]).toMatchObject({ sid: 1, state: 'DOWN' });
  });
});

test('a server that fails before there is a leader fails the start', async () => {
  class UnreadableStorage extends MemoryStorage {
    override recover(...[done]: Parameters<MemoryStorage['recover']>): void {
      super.recover(() => done(new Error('the disk is gone')));
    }
  }
  const error = await Ensemble.start({ storage: () => new UnreadableStorage({ clock: realClock }) }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'SERVER_FAILED',
    message: 'server 1 has failed: the disk is gone',
    cause: { message: 'the disk is gone' },
  });
});

describe('misuse', () => {
  test.each([
    [{ servers: 0 }, /servers must be a whole number from 1 to 254, not 0/],
    [{ servers: 255 }, /254/],
    [{ servers: 2.5 }, /not 2.5/],
    [{ observers: -1 }, /observers must be a whole number from 0 to 253, not -1/],
    [{ servers: 200, observers: 100 }, /servers and observers together must be 254 at most, not 300/],
    [{ servers: '3' as never }, /not "3"/],
    [{ tickTimeMs: 0 }, /tickTimeMs must be a whole number from 1 to 60000/],
    [{ transport: {} as never }, /transport must be a function/],
    [{ clock: 5 as never }, /clock must be an object/],
    [{ containerCheckIntervalMs: 0 }, /containerCheckIntervalMs must be a whole number from 1/],
    [{ containersPerMinuteMax: 0.5 }, /containersPerMinuteMax must be a whole number from 1/],
    [{ requestThrottle: { requestsMax: 0 } }, /requestThrottle.requestsMax must be a number above 0, not 0/],
    [{ requestThrottle: { requests: 5 } as never }, /requests is not an option of requestThrottle: it has bytesMax, requestsMax/],
    [{ connectionThrottle: { tokensMax: 5 } as never }, /connectionThrottle must be an object with tokensMax and tokensPerSecond/],
    [{ enforceQuota: 'yes' as never }, /enforceQuota must be true or false/],
    [{ superDigest: 'me' }, /^superDigest must be a string that starts with super:$/],
    [{ minSessionTimeoutMs: 1000, maxSessionTimeoutMs: 10 }, /minSessionTimeoutMs/],
    [{ server: 3 } as never, /server is not an option of an ensemble/],
  ])('Ensemble.start(%o)', async (options, message) => {
    const error = await Ensemble.start(options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(message);
  });

  test('of servers', async () => {
    const ensemble = await start();
    const code = (act: () => unknown) => {
      try {
        act();
      } catch (error) {
        return error instanceof EnsembleError ? error.code : error;
      }
      return 'nothing was thrown';
    };
    expect(code(() => ensemble.crash(4))).toBe('UNKNOWN_SERVER');
    expect(code(() => ensemble.restart(1))).toBe('SERVER_UP');
    ensemble.crash(1);
    expect(code(() => ensemble.crash(1))).toBe('SERVER_DOWN');
    expect(code(() => ensemble.partition([1, 9]))).toBe('UNKNOWN_SERVER');
    expect(code(() => ensemble.accept({ send() {}, close() {} }, 9))).toBe('UNKNOWN_SERVER');
    expect(code(() => ensemble.partition([1], [1]))).toBeInstanceOf(TypeError);
    expect(code(() => ensemble.partition(1 as never))).toBeInstanceOf(TypeError);
    expect(code(() => ensemble.expireSession({} as never))).toBeInstanceOf(TypeError);
    await expect(ensemble.connect({ server: 0 })).rejects.toMatchObject({ code: 'UNKNOWN_SERVER' });
    await expect(ensemble.connect({ sessionTimeoutMs: -1 })).rejects.toThrow(TypeError);
    await expect(ensemble.ready({ server: 7 })).rejects.toMatchObject({ code: 'UNKNOWN_SERVER' });
    for (const sid of [2, 3]) ensemble.crash(sid);
    expect(code(() => ensemble.expireSession(1n))).toBe('NO_LEADER');
  });

  test('an aborted wait', async () => {
    const ensemble = await start({ servers: 3 });
    ensemble.crash(1);
    ensemble.crash(2);
    const controller = new AbortController();
    const waits = [ensemble.ready({ server: 1, signal: controller.signal }), ensemble.connect({ signal: controller.signal })];
    controller.abort('enough');
    for (const wait of waits) await expect(wait).rejects.toBe('enough');
    await expect(Ensemble.start({ signal: AbortSignal.abort('no') } as never)).rejects.toBe('no');
  });
});
