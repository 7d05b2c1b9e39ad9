/** `node-zookeeper-client` from npm: the most used client of Node, unmaintained and unchanged. */
import { promisify } from 'node:util';
import zookeeper, { type ACL, type Client, type Event, type Stat } from 'node-zookeeper-client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ServedEnsemble } from './served-ensemble.ts';

let served: ServedEnsemble;
const clients: Client[] = [];

beforeAll(async () => {
  served = await ServedEnsemble.start();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(() => served.stop());

async function connect(): Promise<Client> {
  const client = zookeeper.createClient(served.connectString, { sessionTimeout: 2_000, spinDelay: 50, retries: 0 });
  clients.push(client);
  const connected = new Promise<void>((resolve) => client.once('connected', resolve));
  client.connect();
  await connected;
  return client;
}

/** It is there; its published types do not know. */
const openAclUnsafe = (zookeeper.ACL as unknown as { OPEN_ACL_UNSAFE: ACL[] }).OPEN_ACL_UNSAFE;

const create = (client: Client, path: string, data = '', mode = zookeeper.CreateMode.PERSISTENT) =>
  new Promise<string>((resolve, reject) => {
    client.create(path, Buffer.from(data), openAclUnsafe, mode, (error, name) => {
      if (error) reject(error as unknown as Error);
      else resolve(name);
    });
  });
const getData = (client: Client, path: string, watcher?: (event: Event) => void) =>
  new Promise<{ data: string; stat: Stat }>((resolve, reject) => {
    client.getData(path, watcher as (event: Event) => void, (error, data, stat) => {
      if (error) reject(error as unknown as Error);
      else resolve({ data: data.toString(), stat });
    });
  });
const setData = (client: Client, path: string, data: string, version = -1) =>
  promisify(
    client.setData.bind(client) as (path: string, data: Buffer, version: number, done: (error: Error | null, stat: Stat) => void) => void,
  )(path, Buffer.from(data), version);
const children = (client: Client, path: string) =>
  promisify(client.getChildren.bind(client) as (path: string, done: (error: Error | null, names: string[]) => void) => void)(path);
const exists = (client: Client, path: string) =>
  promisify(client.exists.bind(client) as (path: string, done: (error: Error | null, stat: Stat | null) => void) => void)(path);
const remove = (client: Client, path: string, version = -1) =>
  promisify(client.remove.bind(client) as (path: string, version: number, done: (error: Error | null) => void) => void)(path, version);

test('creates, reads, lists, sets and deletes', async () => {
  const client = await connect();
  expect(await create(client, '/app', 'one')).toBe('/app');
  expect(await getData(client, '/app')).toMatchObject({ data: 'one', stat: { version: 0, dataLength: 3, numChildren: 0 } });
  expect(await create(client, '/app/task-', '', zookeeper.CreateMode.PERSISTENT_SEQUENTIAL)).toBe('/app/task-0000000000');
  expect(await create(client, '/app/task-', '', zookeeper.CreateMode.PERSISTENT_SEQUENTIAL)).toBe('/app/task-0000000001');
  expect((await children(client, '/app')).sort()).toEqual(['task-0000000000', 'task-0000000001']);
  expect(await setData(client, '/app', 'two', 0)).toMatchObject({ version: 1 });
  await expect(setData(client, '/app', 'three', 0)).rejects.toMatchObject({ name: 'BAD_VERSION' });
  await expect(remove(client, '/app')).rejects.toMatchObject({ name: 'NOT_EMPTY' });
  await remove(client, '/app/task-0000000000');
  await remove(client, '/app/task-0000000001');
  await remove(client, '/app', 1);
  expect(await exists(client, '/app')).toBeFalsy();
  await expect(getData(client, '/app')).rejects.toMatchObject({ name: 'NO_NODE' });
});

test('a watch tells of a change', async () => {
  const [reader, writer] = [await connect(), await connect()];
  await create(writer, '/watched', 'old');
  const fired = new Promise<Event>((resolve) => void getData(reader, '/watched', resolve));
  await getData(reader, '/watched');
  await setData(writer, '/watched', 'new');
  expect((await fired).name).toBe('NODE_DATA_CHANGED');
  expect((await getData(reader, '/watched')).data).toBe('new');
});

test('multi does all or nothing', async () => {
  const client = await connect();
  const commit = (paths: string[]) =>
    new Promise<unknown>((resolve, reject) => {
      const transaction = client.transaction();
      for (const path of paths) transaction.create(path, Buffer.from('x'));
      transaction.setData('/multi', Buffer.from('set'));
      transaction.commit((error, results) => (error ? reject(error as unknown as Error) : resolve(results)));
    });
  await expect(commit(['/multi', '/no/parent'])).rejects.toMatchObject({ name: 'NO_NODE' });
  expect(await exists(client, '/multi')).toBeFalsy();
  await commit(['/multi', '/multi/child']);
  expect((await getData(client, '/multi')).data).toBe('set');
  expect(await children(client, '/multi')).toEqual(['child']);
});

test('an ephemeral goes when its client goes: at once when it says goodbye, after its timeout when it does not', async () => {
  const [observer, polite, silent] = [await connect(), await connect(), await connect()];
  await create(polite, '/polite', '', zookeeper.CreateMode.EPHEMERAL);
  await create(silent, '/silent', '', zookeeper.CreateMode.EPHEMERAL);
  const gone = (path: string) =>
    new Promise<string>((resolve) => {
      watchExistence(observer, path, (event) => resolve(event.name));
    });
  const politeGone = gone('/polite');
  const silentGone = gone('/silent');
  polite.close();
  expect(await politeGone).toBe('NODE_DELETED');
  // Its socket is destroyed under it and it may not connect again: the server only sees silence.
  const manager = (silent as unknown as { connectionManager: { socket: { destroy(): void }; findNextServer(done: unknown): void } })
    .connectionManager;
  manager.findNextServer = () => {};
  manager.socket.destroy();
  expect(await silentGone).toBe('NODE_DELETED');
});

function watchExistence(client: Client, path: string, watcher: (event: Event) => void): void {
  client.exists(path, watcher, () => {});
}

test('the leader crashes under load: no acknowledged write is lost', async () => {
  const client = await connect();
  await create(client, '/load');
  const acknowledged: string[] = [];
  let failed = 0;
  let running = true;
  const worker = async (name: number) => {
    for (let i = 0; running; i++) {
      const path = `/load/${name}-${i}`;
      try {
        acknowledged.push(await create(client, path, 'x'));
      } catch {
        // CONNECTION_LOSS: whether it was created is not known. The client comes back by itself.
        failed++;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  const workers = Array.from({ length: 8 }, (_, name) => worker(name));
  for (let crash = 0; crash < 3; crash++) {
    const before = acknowledged.length;
    while (acknowledged.length < before + 200) await new Promise((resolve) => setTimeout(resolve, 1));
    await served.crashLeader();
  }
  const before = acknowledged.length;
  while (acknowledged.length < before + 200) await new Promise((resolve) => setTimeout(resolve, 1));
  running = false;
  await Promise.all(workers);
  const present = new Set(await children(await connect(), '/load'));
  const lost = acknowledged.filter((path) => !present.has(path.slice('/load/'.length)));
  console.log(`${acknowledged.length} writes acknowledged over 3 crashes of the leader, ${failed} of unknown outcome, ${lost.length} lost`);
  expect(lost).toEqual([]);
});
