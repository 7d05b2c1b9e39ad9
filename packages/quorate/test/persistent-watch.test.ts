/** Watches that stay, over a whole ensemble. */
import { afterEach, expect, test } from 'vitest';
import { type Client, Ensemble, WatcherType } from '../src/index.js';

let ensemble: Ensemble;

afterEach(() => ensemble.close());

async function start(): Promise<{ watcher: Client; writer: Client }> {
  ensemble = await Ensemble.start({ servers: 3 });
  const [first, second] = [1, 2, 3].filter((sid) => sid !== ensemble.leader);
  return { watcher: await ensemble.connect({ server: first }), writer: await ensemble.connect({ server: second }) };
}

test('a recursive watch tells of everything below its path, in order, until it is taken back', async () => {
  const { watcher, writer } = await start();
  const seen: string[] = [];
  const watch = await watcher.addWatch('/app', { recursive: true });
  const loop = (async () => {
    for await (const { type, path } of watch) seen.push(`${type} ${path}`);
  })();
  await writer.create('/app');
  await writer.multi([
    { op: 'create', path: '/app/a' },
    { op: 'create', path: '/app/a/b' },
    { op: 'setData', path: '/app/a/b', data: 'x' },
    { op: 'delete', path: '/app/a/b' },
  ]);
  await watcher.sync();
  await watch.remove();
  await writer.delete('/app/a');
  await watcher.sync();
  await loop;
  expect(seen).toEqual([
    'NODE_CREATED /app',
    'NODE_CREATED /app/a',
    'NODE_CREATED /app/a/b',
    'NODE_DATA_CHANGED /app/a/b',
    'NODE_DELETED /app/a/b',
  ]);
  await expect(watcher.removeWatches('/app', { type: WatcherType.any })).rejects.toMatchObject({ code: 'NO_WATCHER' });
});

test('a watch is set again at another server, and no change is lost without a word', async () => {
  const { watcher, writer } = await start();
  await writer.create('/a');
  const watch = await watcher.addWatch('/a');
  const server = ensemble.servers.find(({ sid }) => sid !== ensemble.leader)?.sid;
  if (server === undefined) throw new Error('there is no follower');
  const writing = writer.setData('/a', 'maybe missed');
  ensemble.crash(server);
  await writing;
  await watcher.connected();
  await watcher.sync();
  const last = await writer.setData('/a', 'told');
  const types: string[] = [];
  for await (const { type, zxid } of watch) {
    types.push(type);
    if (zxid === last.mzxid) break;
  }
  expect([['NODE_DATA_CHANGED'], ['EVENTS_MISSED']]).toContainEqual(types.slice(0, -1));
  expect(types.at(-1)).toBe('NODE_DATA_CHANGED');
});
