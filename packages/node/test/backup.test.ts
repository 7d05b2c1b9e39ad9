/** A backup under load is exact at its zxid, and an ensemble that is founded on it begins there. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from '@quorate/protocol';
import { CreateMode } from 'quorate';
import { afterEach, describe, expect, test } from 'vitest';
import { readBackup, writeBackup } from '../src/backup-file.js';
import { connect, formatStore, type RunningServer, type ServerConfig, startServer } from '../src/index.js';
import { freePorts } from './support/free-ports.js';
import { until } from './support/peer-world.js';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function directory(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'quorate-backup-'));
  closers.push(() => rm(made, { recursive: true, force: true }));
  return made;
}

async function started(config: Partial<ServerConfig>): Promise<RunningServer> {
  const server = await startServer({
    ...{ tickTimeMs: 50, maxSessionTimeoutMs: 60_000, client: { port: 0 }, admin: { port: 0, unrestricted: true } },
    ...config,
  });
  closers.push(() => server.close());
  return server;
}

async function connected(server: RunningServer, sessionTimeoutMs = 30_000) {
  await server.ready();
  const client = await connect(server.clientAddress as string, { sessionTimeoutMs });
  closers.push(() => client.close().catch(() => {}));
  return client;
}

async function backupOf(server: RunningServer): Promise<{ readonly zxid: number; readonly bytes: Uint8Array }> {
  const response = await fetch(`http://${server.adminAddress}/commands/snapshot`);
  expect(response.status).toBe(200);
  return { zxid: Number(response.headers.get('last_zxid')), bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function digestOf(server: RunningServer): Promise<{ readonly zxid: number; readonly digest: string }> {
  const response = await fetch(`http://${server.adminAddress}/commands/hash`);
  return ((await response.json()) as { digests: [{ zxid: number; digest: string }] }).digests[0];
}

describe('a backup', () => {
  test('under writes is of one moment, and three servers that are founded on it have that and nothing else', async () => {
    const server = await started({ memory: true });
    const client = await connected(server);
    await client.create('/counters', '');
    const names = Array.from({ length: 200 }, (_, i) => `/counters/${i}`);
    await Promise.all(names.map((name) => client.create(name, new Uint8Array(5_000))));
    await client.create('/mine', 'session', { mode: CreateMode.EPHEMERAL });
    // Each write raises one counter, in turn: of one moment are only those states in which the counters are as the number of writes says.
    let isOver = false;
    const writing = (async () => {
      for (let i = 0; !isOver; i++) await client.setData(names[i % names.length] as string, new Uint8Array(5_000));
    })();
    const { zxid, bytes } = await backupOf(server);
    isOver = true;
    await writing;
    await client.create('/later', '');
    expect(readBackup(bytes).zxid).toBe(zxid);

    const peerPorts = await freePorts(6);
    const servers = [1, 2, 3].map((sid, i) => ({
      ...{ sid, host: '127.0.0.1', quorumPort: peerPorts[2 * i] as number, electionPort: peerPorts[2 * i + 1] as number },
    }));
    const restored: RunningServer[] = [];
    for (const { sid } of servers) {
      const dataDir = await directory();
      await formatStore(dataDir, 'shop', bytes);
      restored.push(await started({ sid, servers, dataDir }));
    }
    const other = await connected(restored[0] as RunningServer);
    expect(await other.exists('/later')).toBeUndefined();
    // The session of the backup is there, and goes as any whose client is silent.
    expect((await other.getData('/mine')).stat.ephemeralOwner).toBe(client.session?.id);
    const { children } = await other.getChildren('/counters');
    const versions = await Promise.all(children.map(async (name) => (await other.exists(`/counters/${name}`))?.version ?? -1));
    const inOrder = names.map((name) => versions[children.indexOf(name.slice('/counters/'.length))] as number);
    const first = inOrder[0] as number;
    const turn = inOrder.findIndex((version) => version !== first);
    expect(inOrder).toEqual(names.map((_, i) => (turn < 0 || i < turn ? first : first - 1)));
    await other.create('/new', '');
    await until(() => restored.every(({ status }) => status.serving));
    const digests = await Promise.all(restored.map(digestOf));
    expect(Math.min(...digests.map((digest) => digest.zxid))).toBeGreaterThan(zxid);
  });

  test('has the digest of its moment: a server that stands alone and is founded on it answers with it', async () => {
    const server = await started({ memory: true });
    const client = await connected(server);
    await client.create('/a', 'x');
    const before = await digestOf(server);
    const { zxid, bytes } = await backupOf(server);
    expect(before.zxid).toBe(zxid);
    await client.setData('/a', 'y');
    const dataDir = await directory();
    await formatStore(dataDir, 'shop', bytes);
    const again = await started({ dataDir, client: false });
    await again.ready();
    expect(await digestOf(again)).toEqual(before);
  });

  test('that is cut short, damaged or of something else founds nothing', async () => {
    const bytes = Buffer.concat([...writeBackup(0x100000007 as never, [new Uint8Array(1_000).fill(7), Uint8Array.of(1)])]);
    expect(readBackup(bytes)).toMatchObject({ zxid: 0x100000007, pieces: [new Uint8Array(1_000).fill(7), Uint8Array.of(1)] });
    for (let length = 0; length < bytes.length; length++) expect(() => readBackup(bytes.subarray(0, length))).toThrow(TypeError);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      expect(() => readBackup(damaged)).toThrow(TypeError);
    }
    const nonsense = Buffer.concat([...writeBackup(7 as never, [Uint8Array.of(1)])]);
    nonsense.writeInt32BE(0x7fff_ffff, 16);
    nonsense.writeUInt32BE(crc32(nonsense, 0, nonsense.length - 4), nonsense.length - 4);
    expect(() => readBackup(nonsense)).toThrow(
      new TypeError('the backup is none that a server has written, though its checksum fits: the bytes end before the record does'),
    );
    const dataDir = await directory();
    await expect(formatStore(dataDir, 'shop', bytes.subarray(1))).rejects.toThrow('no backup');
    await formatStore(dataDir, 'shop', bytes);
    await expect(formatStore(dataDir, 'shop', bytes)).rejects.toThrow('has been in use');
  });

  test('of another moment makes another ensemble, whose servers do not follow one another', async () => {
    const [one, two] = [5, 6].map((zxid) => Buffer.concat([...writeBackup(zxid as never, [Uint8Array.of(1)])])) as [Buffer, Buffer];
    const names = await Promise.all([one, one, two].map(async (bytes) => formatStore(await directory(), 'shop', bytes)));
    expect(names[0]).toMatch(/^shop@0x5-[0-9a-f]{8}$/);
    expect(names[1]).toBe(names[0]);
    expect(names[2]).not.toBe(names[0]);
  });

  test('whose reader goes away harms nobody', async () => {
    const server = await started({ memory: true });
    const client = await connected(server);
    for (let i = 0; i < 20; i++) await client.create(`/n${i}`, new Uint8Array(900_000));
    const { hostname, port } = new URL(`http://${server.adminAddress}`);
    const socket = connectSocket(Number(port), hostname);
    socket.write('GET /commands/snapshot HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await client.create('/after', '');
    expect((await backupOf(server)).bytes.length).toBeGreaterThan(20 * 900_000);
  });

  test('is asked for by GET alone', async () => {
    const server = await started({ memory: true });
    await server.ready();
    for (const method of ['POST', 'HEAD'])
      expect((await fetch(`http://${server.adminAddress}/commands/snapshot`, { method })).status).toBe(405);
  });
});
