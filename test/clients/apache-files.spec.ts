/** What Apache ZooKeeper 3.8.0 has kept, taken over and given back: every znode's data, ACL and Stat. Needs Debian's `zookeeper` and a Java. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, examineDataDirectory, exportApache, importApache } from '@quorate/node';
import { CreateMode } from '@quorate/protocol';
import { afterAll, expect, test } from 'vitest';
import { COMPARABLE, startApache } from '../../scripts/differential/apache.ts';
import { contentOf, fill } from './apache-content.ts';
import { startOn } from './apache-server.ts';

const root = await mkdtemp(join(tmpdir(), 'quorate-apache-files-'));
afterAll(() => rm(root, { recursive: true }));

/** So few txns that snapshots are written while others are applied. */
const OFTEN = ['-Dzookeeper.snapCount=20'];
const SESSION_TIMEOUT_MS = 40_000;

async function folder(name: string): Promise<string> {
  const path = join(root, name);
  await mkdir(path);
  return path;
}

const open = (connectString: string) => connect(connectString, { sessionTimeoutMs: SESSION_TIMEOUT_MS });

test('what Apache has written comes to the same in a server of Apache that starts on what we have written', {
  timeout: 180_000,
}, async () => {
  const [theirs, store, written] = [await folder('theirs'), await folder('store'), join(root, 'written')];
  const first = await startOn(theirs, OFTEN);
  const client = await open(first.connectString);
  await fill(client);
  const before = await contentOf(client);
  // The session of the ephemeral does not end with its server.
  await first.kill();
  await client.close({ signal: AbortSignal.timeout(100) }).catch(() => {});

  const imported = await importApache({ directory: theirs, dataDir: store, ensembleId: 'test' });
  expect(imported.digests.compared).toBeGreaterThan(0);
  expect(imported.digests.agreed).toBe(imported.digests.compared);
  const exported = await exportApache({ dataDir: store, directory: written });
  expect(exported).toMatchObject({ lastZxid: imported.lastZxid, znodes: imported.znodes, sessions: imported.sessions });

  const second = await startOn(written, OFTEN);
  const again = await open(second.connectString);
  expect(before.size).toBeGreaterThan(25);
  expect([...(await contentOf(again))]).toEqual([...before]);

  // It goes on from there, and all of that can be taken over again.
  for (let i = 0; i < 40; i++) await again.create('/more-', `${i}`, { mode: CreateMode.PERSISTENT_SEQUENTIAL });
  await again.close();
  await second.kill();
  const snapshots = (await readdir(join(written, 'version-2'))).filter((name) => name.startsWith('snapshot'));
  expect(snapshots.length).toBeGreaterThan(1);
  const back = await importApache({ directory: written, dataDir: await folder('back'), ensembleId: 'test' });
  expect(back.znodes).toBe(imported.znodes + 40);
  expect(back.digests.agreed).toBe(back.digests.compared);
  expect(await examineDataDirectory({ directory: written })).toMatchObject({ verdict: 'OK', state: { lastZxid: back.lastZxid } });
});

test('what an ensemble of Apache has written has its epochs', { timeout: 180_000 }, async () => {
  const apache = await startApache(3, { ...COMPARABLE, under: root });
  const written = join(root, 'from-ensemble');
  try {
    const client = await open(`127.0.0.1:${apache.servers[0]?.port}`);
    await fill(client);
    const before = await contentOf(client);
    await client.close();
    const store = await folder('of-ensemble');
    const imported = await importApache({ directory: apache.logFolder, dataDir: store, ensembleId: 'test' });
    expect(imported).toMatchObject({ acceptedEpoch: 1, currentEpoch: 1, sessions: 0 });
    expect(imported.digests.compared).toBeGreaterThan(30);
    expect(imported.digests.agreed).toBe(imported.digests.compared);
    await exportApache({ dataDir: store, directory: written });
    const alone = await startOn(written);
    const again = await open(alone.connectString);
    // The session has ended, and its ephemeral with it.
    const [expected, found] = [before, await contentOf(again)].map((all) =>
      [...all].filter(([path]) => path !== '/session' && path !== '/'),
    );
    expect(found).toEqual(expected);
    await again.close();
    await alone.kill();
  } finally {
    await apache.close();
  }
});
