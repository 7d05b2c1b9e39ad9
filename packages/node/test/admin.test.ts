/** The admin port, the metrics, the audit log; and that no secret gets into any of them. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateMode, Permission } from 'quorate';
import { afterEach, describe, expect, test } from 'vitest';
import { connect, formatStore, type RunningServer, type ServerConfig, startServer } from '../src/index.js';
import { ask } from './support/ask.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function started(config: Partial<ServerConfig> = {}): Promise<RunningServer> {
  const server = await startServer({
    memory: true,
    client: { port: 0 },
    admin: { port: 0 },
    metrics: { port: 0 },
    ...config,
  });
  closers.push(() => server.close());
  await server.ready();
  return server;
}

/** With a session that no pause of the machine ends. */
async function connected(server: RunningServer) {
  const client = await connect(server.clientAddress as string, { sessionTimeoutMs: 30_000 });
  closers.push(() => client.close());
  return client;
}

async function get(server: RunningServer, path: string, init: RequestInit = {}) {
  const response = await fetch(`http://${server.adminAddress}${path}`, init);
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

async function command(server: RunningServer, name: string, init: RequestInit = {}) {
  const { status, text } = await get(server, `/commands/${name}`, init);
  return { status, body: JSON.parse(text) as Record<string, unknown> };
}

const OPEN = [
  'dirs',
  'hash',
  'is_read_only',
  'last_snapshot',
  'leader',
  'monitor',
  'observers',
  'ruok',
  'server_stats',
  'watch_summary',
  'zabstate',
];
const READ = [
  'configuration',
  'connections',
  'dump',
  'environment',
  'initial_configuration',
  'stats',
  'voting_view',
  'watches',
  'watches_by_path',
];
const CHANGE = ['connection_stat_reset', 'stat_reset'];

describe('the admin port', () => {
  test('answers what reveals nothing to everybody, and nothing else (CVE-2025-58457)', async () => {
    const server = await started();
    for (const name of OPEN) expect(await command(server, name)).toMatchObject({ status: 200, body: { command: name, error: null } });
    for (const name of [...READ, 'snapshot', ...CHANGE]) {
      for (const method of ['GET', 'POST'])
        expect(await command(server, name, { method })).toEqual({
          status: 403,
          body: { command: name, error: expect.stringContaining('is closed here') },
        });
    }
  });

  test('believes no header about who is there (CVE-2024-51504)', async () => {
    const server = await started();
    const headers = {
      'x-forwarded-for': '127.0.0.1',
      forwarded: 'for=127.0.0.1',
      'x-real-ip': '127.0.0.1',
      authorization: 'digest super:super',
    };
    expect((await command(server, 'dump', { headers })).status).toBe(403);
  });

  test('answers all of it where it is opened; changes by POST alone', async () => {
    const server = await started({ admin: { port: 0, unrestricted: true } });
    for (const name of READ) expect(await command(server, name)).toMatchObject({ status: 200, body: { command: name, error: null } });
    for (const name of CHANGE) {
      expect((await command(server, name)).status).toBe(405);
      expect((await command(server, name, { method: 'POST' })).status).toBe(200);
    }
  });

  test('tells by ZooKeeper’s names', async () => {
    const server = await started({ admin: { port: 0, unrestricted: true } });
    const client = await connected(server);
    await client.create('/a', 'x');
    await client.create('/a/e', 'x', { mode: CreateMode.EPHEMERAL });
    await client.getData('/a', { watch: () => {} });
    await client.exists('/__proto__', { watch: () => {} });
    const session = `0x${client.sessionId.toString(16)}`;
    const seen = async (name: string): Promise<unknown> => (await command(server, name)).body;
    expect(await seen('monitor')).toMatchObject({
      server_state: 'standalone',
      znode_count: 6,
      ephemerals_count: 1,
      watch_count: 2,
      num_alive_connections: 1,
    });
    expect(await seen('server_stats')).toMatchObject({
      read_only: false,
      server_stats: { server_state: 'standalone', packets_received: 5 },
      node_count: 6,
    });
    expect(await seen('connections')).toMatchObject({
      connections: [
        {
          session_id: session,
          last_operation: 'EXIS',
          packets_received: 5,
          session_timeout: 30_000,
          remote_socket_address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        },
      ],
    });
    expect(await seen('dump')).toMatchObject({
      session_id_to_timeout: { [session]: 30_000 },
      session_id_to_ephemeral_paths: { [session]: ['/a/e'] },
    });
    expect(await seen('watches')).toMatchObject({ session_id_to_watched_paths: { [session]: ['/a', '/__proto__'] } });
    expect(await seen('watches_by_path')).toMatchObject({ path_to_session_ids: { '/a': [session] } });
    expect(await seen('configuration')).toMatchObject({ tick_time: 2_000, server_id: 1, secure_client_port: -1 });
    expect(await seen('leader')).toMatchObject({ is_leader: true, leader_id: 1 });
    expect((await seen('initial_configuration')) as object).toMatchObject({
      initial_configuration: expect.stringMatching(/^clientPort=\d+\nsecureClientPort=-1\n(.*\n)*tickTime=2000\n/),
    });
    await command(server, 'stat_reset', { method: 'POST' });
    expect(await seen('server_stats')).toMatchObject({ server_stats: { packets_received: 0 } });
  });

  test('tells of its ensemble, who votes and where this server stands, as Apache 3.8.0 does', async () => {
    const { MemoryNetwork, realClock } = await import('quorate');
    const servers = [1, 2].map((sid) => ({ sid, host: '10.0.0.1', quorumPort: 2_000 + sid, electionPort: 3_000 + sid }));
    const network = new MemoryNetwork({ clock: realClock });
    const config = { tickTimeMs: 500, servers, admin: { port: 0, unrestricted: true } };
    const [one, two] = (await Promise.all([1, 2].map((sid) => started({ ...config, sid, transport: () => network.transport(sid) })))) as [
      RunningServer,
      RunningServer,
    ];
    const leads = one.status.mode === 'leader' ? one : two;
    await (await connected(leads)).create('/a');
    const voter = (sid: number, client_address: string) => ({
      server_addresses: [`10.0.0.1:${2_000 + sid}`],
      election_addresses: [`10.0.0.1:${3_000 + sid}`],
      client_address,
      learner_type: 'participant',
    });
    expect(await command(one, 'voting_view')).toMatchObject({
      body: { current_config: { 1: voter(1, one.clientAddress as string), 2: voter(2, '') } },
    });
    const { body } = await command(leads, 'zabstate');
    const counter = body.zab_counter as number;
    expect(counter).toBeGreaterThan(1);
    expect(body).toMatchObject({
      myid: leads.sid,
      is_leader: true,
      voting: true,
      last_zxid: `0x1${counter.toString(16).padStart(8, '0')}`,
      zab_epoch: 1,
      zabstate: 'broadcast',
    });
    expect((await command(leads === one ? two : one, 'zabstate')).body).toMatchObject({
      is_leader: false,
      voting: true,
      zabstate: 'broadcast',
    });
    expect((await command(leads, 'monitor')).body).toMatchObject({
      synced_followers: 1,
      max_proposal_size: expect.any(Number),
      leader_uptime: expect.any(Number),
    });
  });

  test('lists its commands; what there is not is not found', async () => {
    const server = await started();
    const { text, type } = await get(server, '/commands');
    expect(type).toBe('text/html');
    expect([...text.matchAll(/>(\w+)</g)].map(([, name]) => name)).toEqual([...OPEN, ...READ, 'snapshot', ...CHANGE].sort());
    expect(await command(server, 'nosuch')).toEqual({ status: 404, body: { command: 'nosuch', error: 'Unknown command: nosuch' } });
    expect((await get(server, '/')).status).toBe(404);
  });

  test('says whether the process lives, and whether it serves', async () => {
    const { MemoryNetwork, realClock } = await import('quorate');
    const servers = [1, 2].map((sid) => ({ sid, host: '127.0.0.1', quorumPort: 1, electionPort: 1 }));
    const transport = () => new MemoryNetwork({ clock: realClock }).transport(1);
    const alone = await startServer({ memory: true, servers, transport, client: { port: 0 }, admin: { port: 0 } });
    closers.push(() => alone.close());
    expect([(await get(alone, '/health')).status, (await get(alone, '/ready')).status]).toEqual([200, 503]);
    expect(await command(alone, 'server_stats')).toMatchObject({
      status: 503,
      body: { error: 'This ZooKeeper instance is not currently serving requests' },
    });
    expect(await command(alone, 'ruok')).toMatchObject({ status: 200 });
    const serving = await started();
    expect(await get(serving, '/ready')).toMatchObject({ status: 200, text: 'standalone\n' });
  });
});

test('Prometheus gets what takes a server time, and how often', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-metrics-'));
  closers.push(() => rm(dataDir, { recursive: true, force: true }));
  await formatStore(dataDir, 'metrics');
  const server = await started({ memory: undefined, dataDir });
  const client = await connected(server);
  for (let i = 0; i < 10; i++) await client.create(`/n${i}`);
  await client.exists('/n1');
  // The session, perhaps a second one where the machine is slow, and the znodes one after the other.
  const { last_processed_zxid: last } = (await command(server, 'server_stats')).body.server_stats as { last_processed_zxid: number };
  const txns = last % 2 ** 32;
  expect(txns).toBeGreaterThan(10);
  const text = await (await fetch(`http://${server.metricsAddress}/metrics`)).text();
  const values = Object.fromEntries([...text.matchAll(/^([^# ]+) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]));
  const above = (least: number) => expect.toSatisfy((value: number) => value > least);
  expect(values).toMatchObject({
    proposal_count: txns,
    commit_count: txns,
    // By runs, and the sessions of a slow machine may be in one.
    quorum_ack_latency_count: expect.toSatisfy((runs: number) => runs > 10 && runs <= txns),
    quorum_ack_latency_sum: above(0),
    'quorum_ack_latency{quantile="0.99"}': above(0),
    fsynctime_count: above(10),
    fsynctime_sum: above(0),
    election_time_count: above(0),
    looking_count: above(0),
    unavailable_time_count: 1,
    dbinittime_count: 1,
    updatelatency_count: 10,
    updatelatency_sum: above(0),
    readlatency_count: 1,
  });
});

test('the last snapshot is told, also after a restart; without one as ZooKeeper tells it', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-snapshot-'));
  closers.push(() => rm(dataDir, { recursive: true, force: true }));
  await formatStore(dataDir, 'snapshots');
  const beganS = Math.floor(Date.now() / 1_000);
  const first = await started({ memory: undefined, dataDir, snapshotEvery: 5 });
  const last = async (server: RunningServer) => (await command(server, 'last_snapshot')).body;
  expect(await last(first)).toMatchObject({ zxid: 'ffffffffffffffff', timestamp: -1 });
  const client = await connected(first);
  for (let i = 0; i < 6; i++) await client.create(`/n${i}`);
  await expect.poll(async () => (await last(first)).timestamp, { timeout: 10_000 }).toBeGreaterThanOrEqual(beganS);
  const seen = await last(first);
  expect(Number(`0x${seen.zxid}`)).toBeGreaterThan(5);
  expect(seen.timestamp).toBeLessThanOrEqual(Date.now() / 1_000);
  const text = await (await fetch(`http://${first.metricsAddress}/metrics`)).text();
  expect(text).toMatch(/^snapshottime_count 1$/m);
  await client.close();
  await first.close();
  const again = await last(await started({ memory: undefined, dataDir }));
  expect(again.zxid).toBe(seen.zxid);
  expect(again.timestamp).toBeGreaterThanOrEqual(beganS);
  expect(again.timestamp).toBeLessThanOrEqual(seen.timestamp as number);
});

test('Prometheus gets the numbers of mntr', async () => {
  const server = await started();
  const client = await connected(server);
  await client.create('/a');
  const response = await fetch(`http://${server.metricsAddress}/metrics`);
  const text = await response.text();
  expect(response.headers.get('content-type')).toContain('text/plain');
  await client.exists('/b', { watch: () => {} });
  await client.create('/b');
  const others = await (await fetch(`http://${server.metricsAddress}/metrics`)).text();
  for (const line of [
    '# TYPE connection_request_count counter',
    'connection_request_count 1',
    'connection_drop_count 0',
    'connection_drop_probability 0',
    'connection_token_deficit 0',
    'node_created_watch_count_sum 1',
    'node_created_watch_count_count 1',
    'node_deleted_watch_count_count 0',
  ])
    expect(others.split('\n')).toContain(line);
  expect(Number(/^bytes_received_count (\d+)$/m.exec(others)?.[1])).toBeGreaterThan(100);
  for (const line of ['znode_count 5', 'num_alive_connections 1', 'packets_received 2', 'outstanding_requests 0', 'watch_count 0'])
    expect(text.split('\n')).toContain(line);
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
  expect((await fetch(`http://${server.metricsAddress}/`)).status).toBe(404);
});

describe('the audit log', () => {
  test('has an entry for each change, with whose it was, and none for a read', async () => {
    const entries: object[] = [];
    const log = { info: (fields: object) => 'audit' in fields && entries.push(fields.audit as object), warn() {}, error() {} };
    const server = await started({ audit: true, log });
    const client = await connected(server);
    await client.addAuth('digest', 'alice:secret');
    const acl = [{ perms: Permission.ALL, id: { scheme: 'auth', id: '' } }];
    await client.create('/a', 'x', { acl });
    await client.create('/a').catch(() => {});
    await client.getData('/a');
    await client.setData('/a', 'y');
    await client.multi([
      { op: 'create', path: '/b', mode: CreateMode.EPHEMERAL },
      { op: 'delete', path: '/a' },
    ]);
    await client.multi([{ op: 'delete', path: '/none' }]).catch(() => {});
    await client.close();
    await server.close();
    const who = { session: `0x${client.sessionId.toString(16)}`, user: 'alice', ip: '127.0.0.1' };
    expect(entries).toEqual([
      { operation: 'serverStart', result: 'success' },
      { ...who, operation: 'create', result: 'success', znode: '/a', znodeType: 'persistent', acl: 'auth::cdrwa' },
      { ...who, operation: 'create', result: 'failure', znode: '/a', znodeType: 'persistent', acl: 'world:anyone:cdrwa' },
      { ...who, operation: 'setData', result: 'success', znode: '/a' },
      { ...who, operation: 'create', result: 'success', znode: '/b', znodeType: 'ephemeral', acl: 'world:anyone:cdrwa' },
      { ...who, operation: 'delete', result: 'success', znode: '/a' },
      { ...who, operation: 'multiOperation', result: 'failure' },
      { operation: 'ephemeralZNodeDeletionOnSessionCloseOrExpire', result: 'success', session: who.session, znode: '/b' },
      { operation: 'serverStop', result: 'success' },
    ]);
  });
});

test('no secret gets into a log, a metric, a word, the admin port or an error (CVE-2026-24308)', async () => {
  const seen: string[] = [];
  const keep = (value: unknown): void => {
    seen.push(
      JSON.stringify(value, (_key, each: unknown) =>
        typeof each === 'bigint' ? each.toString(16) : each instanceof Error ? String(each.stack) : each,
      ),
    );
  };
  const names = ['quorate:server.status', 'quorate:server.failure', 'quorate:server.audit'];
  for (const name of names) subscribe(name, keep);
  closers.push(() => names.map((name) => unsubscribe(name, keep)));
  const log = { info: keep, warn: keep, error: keep };
  const logWithMessage = { info: (f: object, m: string) => keep([f, m]), warn: log.warn, error: log.error };
  const superDigest = 'super:CANARY/superdigest=';
  const server = await started({ superDigest, audit: true, log: logWithMessage, words: ['*'], admin: { port: 0, unrestricted: true } });
  const client = await connected(server);
  await client.addAuth('digest', 'alice:CANARYpassword');
  await client.create('/a', 'CANARYdata', { acl: [{ perms: Permission.ALL, id: { scheme: 'auth', id: '' } }] });
  const { acl } = await client.getACL('/a');
  await client.create('/b', '', { acl });
  await client.setACL('/b', acl);
  const refused = await connect(server.clientAddress as string);
  await refused.addAuth('nosuch', 'CANARYbytes').catch(keep);
  for (const word of ['conf', 'cons', 'dump', 'envi', 'mntr', 'srvr', 'stat', 'wchc', 'wchp', 'hash'])
    seen.push(await ask(server.clientAddress as string, word));
  for (const name of [...OPEN, ...READ]) seen.push((await get(server, `/commands/${name}`)).text);
  seen.push(await (await fetch(`http://${server.metricsAddress}/metrics`)).text());
  const configs = [{ superDigest: 'root:CANARYdigest' }, { secureClient: { tls: { key: 'CANARYkey', cert: 'CANARYcert' } } }];
  for (const config of configs) await startServer({ memory: true, client: { port: 0 }, ...(config as object) }).catch(keep);
  const hash = acl[0]?.id.id.split(':')[1] as string;
  const password = Buffer.from(client.session.password);
  const secrets = ['CANARY', hash, password.toString('hex'), password.toString('base64')];
  expect(secrets.filter((secret) => seen.some((text) => text.includes(secret)))).toEqual([]);
  // The net would have caught something.
  expect(seen.some((text) => text.includes('alice'))).toBe(true);
  expect(seen.length).toBeGreaterThan(30);
});
