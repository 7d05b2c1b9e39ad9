/** What our own client has on top of ZooKeeper's calls, over TCP, against our servers and against Apache ZooKeeper 3.8: the same program, another connection string. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenedEnsemble, openEnsemble } from '@quorate/node';
import { OpCode } from '@quorate/protocol';
import {
  Client,
  type Connection,
  type ConnectionHandler,
  type Connector,
  CreateMode,
  InvalidValueError,
  type StandardSchema,
  SubtreeCache,
} from 'quorate';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startOn } from './apache-server.ts';
import { ServedEnsemble } from './served-ensemble.ts';

const SERVERS: [string, () => Promise<{ readonly connectString: string; stop(): Promise<unknown> }>][] = [
  ['Quorate', () => ServedEnsemble.start()],
  [
    'Apache ZooKeeper',
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'quorate-own-client-'));
      const server = await startOn(directory);
      return { connectString: server.connectString, stop: () => server.stop().then(() => rm(directory, { recursive: true })) };
    },
  ],
];

/** Connections that are cut as soon as they have sent what is to be lost. */
class LossyConnector implements Connector {
  readonly servers: number;
  readonly chroot: string | undefined;
  readonly #inner: Connector;
  /** The opcode of a request after which the connection is cut, once. */
  losesAfter: number | undefined;
  cut = (): void => {};

  constructor(inner: Connector) {
    this.#inner = inner;
    this.servers = inner.servers;
    this.chroot = inner.chroot;
  }

  connect(index: number, handler: ConnectionHandler): Connection {
    const inner = this.#inner.connect(index, handler);
    this.cut = () => {
      inner.close();
      setImmediate(() => handler.onClose(new Error('cut')));
    };
    return {
      send: (message) => {
        inner.send(message);
        if (message.kind !== 'request' || message.request.type !== this.losesAfter) return;
        this.losesAfter = undefined;
        this.cut();
      },
      close: () => inner.close(),
    };
  }
}

const name: StandardSchema<string> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => (typeof value === 'string' ? { value } : { issues: [{ message: 'must be a string' }] }),
  },
};

describe.each(SERVERS)('%s', (_name, start) => {
  let server: Awaited<ReturnType<typeof start>>;
  let place: OpenedEnsemble;
  const clients: Client[] = [];

  beforeAll(async () => {
    server = await start();
    place = await openEnsemble(`${server.connectString}/deep/app`);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });
  afterAll(async () => {
    await place.close();
    await server.stop();
  });

  async function lossy() {
    const connector = new LossyConnector(place.connector);
    const client = await Client.connect({ connector, sessionTimeoutMs: 4_000 });
    clients.push(client);
    return { connector, client };
  }

  test('a chroot, seen from inside and outside', async () => {
    await using client = await place.connect();
    await using outside = await openEnsemble(server.connectString).then((all) => all.connect());
    const told = new Promise((resolve) => void client.exists('/config', { watch: ({ type, path }) => resolve(`${type} ${path}`) }));
    await client.create('/config', 'x', { mode: CreateMode.EPHEMERAL });
    expect(await told).toBe('NODE_CREATED /config');
    expect(await client.getEphemerals()).toEqual(['/config']);
    await outside.sync('/deep/app/config');
    expect(new TextDecoder().decode((await outside.getData('/deep/app/config')).data)).toBe('x');
    const { path } = await client.create('/', '', { mode: CreateMode.EPHEMERAL_SEQUENTIAL });
    expect(path).toMatch(/^\/\d{10}$/);
    await outside.sync('/');
    expect((await outside.getChildren('/deep')).children).toEqual(['app']);
  });

  test('a transaction, all or nothing', async () => {
    await using client = await place.connect();
    const results = await client.transaction().create('/tx', 'a').setData('/tx', 'b', 0).check('/tx', 1).delete('/tx', 1).commit();
    expect(results).toMatchObject([{ path: '/tx' }, { stat: { version: 1 } }, { op: 'check' }, { op: 'delete' }]);
    const refused = client.transaction().create('/tx2').check('/nowhere').commit();
    await expect(refused).rejects.toMatchObject({ code: 'NO_NODE', index: 1, path: '/nowhere' });
    expect(await client.exists('/tx2')).toBeUndefined();
  });

  test('a protected create whose answer is lost is found, once', async () => {
    const { connector, client } = await lossy();
    await client.create('/locks');
    for (let turn = 0; turn < 5; turn++) {
      connector.losesAfter = OpCode.create2;
      const { path, stat } = await client.create('/locks/x-', '', { mode: CreateMode.EPHEMERAL_SEQUENTIAL, protected: true });
      expect([path, stat.ephemeralOwner]).toEqual([expect.stringMatching(/^\/locks\/_c_[0-9a-f]{32}-x-\d{10}$/), client.sessionId]);
      expect((await client.getChildren('/locks')).children).toHaveLength(turn + 1);
    }
  });

  test('a cache, over a lost connection', async () => {
    await using writer = await place.connect();
    const { connector, client } = await lossy();
    await writer.create('/tree');
    await writer.create('/tree/a', '1');
    await client.sync();
    await using cache = await SubtreeCache.open(client, '/tree');
    connector.cut();
    await writer.setData('/tree/a', '2');
    await writer.create('/tree/b');
    await client.sync('/tree');
    await cache.ready();
    expect([cache.children('/tree').sort(), new TextDecoder().decode(cache.get('/tree/a')?.data)]).toEqual([['a', 'b'], '2']);
    await writer.delete('/tree/b');
    await client.sync('/tree');
    await cache.ready();
    expect(cache.children('/tree')).toEqual(['a']);
  });

  test('typed values, and a loop over one', async () => {
    await using client = await place.connect();
    const value = client.value('/name', name);
    const loop = value.follow();
    expect((await loop.next()).value).toBeUndefined();
    await value.create('one');
    expect((await loop.next()).value?.value).toBe('one');
    await value.update((old) => `${old}, two`);
    expect((await loop.next()).value?.value).toBe('one, two');
    await expect(value.set(7 as never)).rejects.toBeInstanceOf(InvalidValueError);
  });

  test('a lease, for longer than it lasts without an answer', async () => {
    const { client } = await lossy();
    const { leaseSignal } = client;
    await new Promise((resolve) => setTimeout(resolve, client.sessionTimeoutMs));
    expect([leaseSignal.aborted, client.leaseSignal === leaseSignal]).toEqual([false, true]);
    void client.close();
    expect(leaseSignal.reason).toMatchObject({ code: 'SESSION_EXPIRED' });
  });
});
