/** What is put into an Apache ZooKeeper, and what one that serves has, so that two of them can be compared. */
import type { Client } from '@quorate/client';
import { CreateMode } from '@quorate/protocol';

/** Znodes of every kind, changed and deleted again; enough txns that a snapshot is taken among them where `snapCount` is small. */
export async function fill(client: Client): Promise<void> {
  await client.addAuth('digest', 'ann:secret');
  await client.create('/a', 'first');
  await client.create('/a/nothing');
  await client.create('/ünicode-☃', new Uint8Array([0, 255, 128]));
  await client.create('/container', '', { mode: CreateMode.CONTAINER });
  await client.create('/container/child', 'x');
  await client.create('/ttl', 'gone in a day', { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 86_400_000 });
  await client.create('/private', 'hidden', { acl: [{ perms: 31, id: { scheme: 'auth', id: '' } }] });
  await client.create('/readable', '', { acl: [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }] });
  await client.create('/zookeeper/quota/a');
  await client.create('/zookeeper/quota/a/zookeeper_limits', 'count=100,bytes=-1');
  await client.create('/zookeeper/quota/a/zookeeper_stats', 'count=0,bytes=0');
  for (let i = 0; i < 12; i++) {
    await client.create('/a/s-', `number ${i}`, { mode: CreateMode.PERSISTENT_SEQUENTIAL });
    await client.setData('/a', `change ${i}`);
  }
  await client.create('/session', 'mine', { mode: CreateMode.EPHEMERAL });
  await client.setACL('/a/nothing', [
    { perms: 31, id: { scheme: 'digest', id: 'bob:hash' } },
    { perms: 1, id: { scheme: 'world', id: 'anyone' } },
  ]);
  await client.multi([
    { op: 'create', path: '/m', data: 'multi' },
    { op: 'setData', path: '/a', data: 'in a multi' },
    { op: 'delete', path: '/a/s-0000000003' },
  ]);
  await client
    .multi([
      { op: 'create', path: '/never' },
      { op: 'delete', path: '/no/such' },
    ])
    .catch(() => {});
  await client.delete('/a/s-0000000005');
  await client.create('/a/s-', 'last', { mode: CreateMode.PERSISTENT_SEQUENTIAL });
}

/** Every znode that there is, with its data, ACL and Stat. */
export async function contentOf(client: Client): Promise<ReadonlyMap<string, unknown>> {
  await client.addAuth('digest', 'ann:secret');
  const all = new Map<string, unknown>();
  const paths = ['/'];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const [{ data, stat }, acl, { children }] = await Promise.all([client.getData(path), client.getACL(path), client.getChildren(path)]);
    all.set(path, { data: [...(data ?? [])], stat, acl });
    for (const child of [...children].sort()) paths.push(path === '/' ? `/${child}` : `${path}/${child}`);
  }
  return all;
}
