/** The four-letter words over a socket, beside what Apache ZooKeeper answered to them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateMode, MemoryNetwork, realClock, WatcherType } from 'quorate';
import { afterEach, describe, expect, test } from 'vitest';
import { connect, type RunningServer, type ServerConfig, startServer } from '../src/index.js';
import { ask } from './support/ask.ts';

const recorded = new Map(
  readFileSync(join(import.meta.dirname, 'apache-3.8.0', 'words.txt'), 'utf8')
    .split(/^=== /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)] as const),
);

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function started(config: Partial<ServerConfig> = {}): Promise<RunningServer> {
  const server = await startServer({ memory: true, tickTimeMs: 2_000, client: { port: 0 }, words: ['*'], ...config });
  closers.push(() => server.close());
  return server;
}

/** As where Apache was recorded: a client with an ephemeral, a watch of it, and one of the root's children. */
async function scene(config: Partial<ServerConfig> = {}) {
  const server = await started(config);
  const address = server.clientAddress as string;
  const client = await connect(address, { sessionTimeoutMs: 20_000 });
  closers.push(() => client.close());
  await client.create('/a', 'x');
  await client.create('/e', 'x', { mode: CreateMode.EPHEMERAL });
  await client.getData('/e', { watch: () => {} });
  await client.getChildren('/', { watch: () => {} });
  return { server, address, client };
}

/** A text with every number, address, version, day and id replaced by what kind of thing it is. */
function shapeOf(text: string): string {
  return text
    .replace(/version(: |=|\t).*/g, 'version$1V')
    .replace(/0x[0-9a-f]+/g, 'X')
    .replace(/127\.0\.0\.1/g, 'IP')
    .replace(/\/e\d+/g, '/e')
    .replace(/-?\d+(\.\d+)?/g, 'N');
}

describe('texts', () => {
  test.each(['ruok', 'srst', 'crst', 'isro', 'srvr', 'dirs'])('%s has the shape of Apache’s', async (word) => {
    const { address } = await scene();
    expect(shapeOf(await ask(address, word)).trimEnd()).toBe(shapeOf(recorded.get(word) as string).trimEnd());
  });

  test.each(['wchc', 'wchp'])('%s has the shape of Apache’s, which leaves out the watches of children', async (word) => {
    const { address, client } = await scene();
    await client.removeWatches('/', { type: WatcherType.children });
    expect(shapeOf(await ask(address, word)).trimEnd()).toBe(shapeOf(recorded.get(word) as string).trimEnd());
  });

  test('srvr can be read by the Go client', async () => {
    const { address } = await scene();
    // The pieces that a version, latencies, traffic and state are read by in go-zookeeper.
    const text = await ask(address, 'srvr');
    expect(text).toMatch(/^Zookeeper version: ([A-Za-z0-9.-]+), built on (\d\d\/\d\d\/\d\d\d\d \d\d:\d\d [A-Za-z0-9:+-]+)/m);
    expect(text).toMatch(/^Latency min\/avg\/max: (\d+)\/([0-9.]+)\/(\d+)/m);
    expect(text).toMatch(/^Received: (\d+).*\n^Sent: (\d+).*\n^Connections: (\d+).*\n^Outstanding: (\d+)/m);
    expect(text).toMatch(/^Zxid: (0x[A-Za-z0-9]+).*\n^Mode: (\w+).*\n^Node count: (\d+)/m);
    expect(text).toContain('Mode: standalone\nNode count: 6\n');
  });

  test('stat names the clients', async () => {
    const { address } = await scene();
    const text = await ask(address, 'stat');
    expect(shapeOf(text)).toContain('Clients:\n /IP:N[N](queued=N,recved=N,sent=N)\n\nLatency');
    expect(text).toContain('(queued=0,recved=5,sent=5)');
  });

  test('cons tells of each connection what Apache tells, but for the time of the last answer', async () => {
    const { address } = await scene();
    const fieldsOf = (text: string): string[] => [...text.matchAll(/(\w+)=/g)].map(([, name]) => name as string);
    const ours = await ask(address, 'cons');
    const theirs = (recorded.get('cons') as string).split('\n')[0] as string;
    expect(fieldsOf(ours)).toEqual(fieldsOf(theirs).filter((name) => name !== 'lresp'));
    expect(ours).toMatch(
      /^ \/127\.0\.0\.1:\d+\[1\]\(queued=0,recved=5,sent=5,sid=0x[0-9a-f]+,lop=GETC,est=\d{13},to=20000,lcxid=0x4,lzxid=0x[0-9a-f]+,/,
    );
    await ask(address, 'crst');
    expect(await ask(address, 'cons')).toContain('(queued=0,recved=0,sent=0,');
    await ask(address, 'srst');
    expect(await ask(address, 'srvr')).toContain('Received: 0\nSent: 0\n');
  });

  test('mntr has names of Apache’s, and a number for each but the first two', async () => {
    const { address } = await scene();
    const pairs = (text: string): string[][] =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\t'));
    const ours = pairs(await ask(address, 'mntr'));
    const theirs = new Set(pairs(recorded.get('mntr') as string).map(([name]) => name));
    expect(ours.filter(([name]) => !theirs.has(name as string))).toEqual([]);
    expect(ours.slice(2).filter(([, value]) => !/^\d+(\.\d+)?$/.test(value as string))).toEqual([]);
    expect(Object.fromEntries(ours)).toMatchObject({
      zk_server_state: 'standalone',
      zk_znode_count: '6',
      zk_ephemerals_count: '1',
      zk_watch_count: '2',
      zk_num_alive_connections: '1',
      zk_global_sessions: '1',
      zk_approximate_data_size: expect.stringMatching(/^\d+$/),
      zk_packets_received: '5',
    });
  });

  test('conf has Apache’s lines, but for the backlog of its port', async () => {
    const { server, address } = await scene();
    const namesOf = (text: string): string[] => text.split('\n').map((line) => line.split('=')[0] as string);
    const text = await ask(address, 'conf');
    expect(namesOf(text)).toEqual(namesOf(recorded.get('conf') as string).filter((name) => name !== 'clientPortListenBacklog'));
    expect(text).toContain(`clientPort=${new URL(`tcp://${server.clientAddress}`).port}\nsecureClientPort=-1\n`);
    expect(text).toContain('tickTime=2000\nmaxClientCnxns=60\nminSessionTimeout=4000\nmaxSessionTimeout=40000\n');
  });

  test('dump names sessions, ephemerals and connections', async () => {
    const { address, client } = await scene();
    const session = `0x${client.sessionId.toString(16)}`;
    expect(await ask(address, 'dump')).toMatch(
      new RegExp(
        `^SessionTracker dump:\nGlobal Sessions\\(1\\):\n${session}\t20000ms\nephemeral nodes dump:\nSessions with Ephemerals \\(1\\):\n${session}:\n\t/e\n` +
          `Connections dump:\nConnections Sets \\(1\\)/\\(1\\):\n\tip: /127.0.0.1:\\d+ sessionId: ${session}\n$`,
      ),
    );
  });

  test('envi begins like Apache’s', async () => {
    const { address } = await scene();
    expect(await ask(address, 'envi')).toMatch(/^Environment:\nzookeeper\.version=3\.8\.0-quorate-.*\nhost\.name=.*\nnode\.version=/);
  });

  test('wchs counts each kind of watch', async () => {
    const { address } = await scene();
    expect(await ask(address, 'wchs')).toBe('2 connections watching 2 paths\nTotal watches:2\n');
  });
});

describe('who is answered', () => {
  test('srvr alone, unless the server is told otherwise, in Apache’s words', async () => {
    const { clientAddress } = await started({ words: undefined });
    const address = clientAddress as string;
    expect(await ask(address, 'srvr')).toContain('Mode: ');
    expect(await ask(address, 'mntr')).toBe(recorded.get('mntr, not in the whitelist')?.trimStart());
    expect(await ask(address, 'isro')).toBe('isro is not executed because it is not in the whitelist.\n');
  });

  test('isro too, where clients may be read-only', async () => {
    const { clientAddress } = await started({ words: undefined, readOnlyMode: true });
    expect(await ask(clientAddress as string, 'isro')).toMatch(/^(rw|null)$/);
  });

  test('a word in pieces, and with a line’s end behind it; what is no word is no handshake either', async () => {
    const { clientAddress } = await started();
    const address = clientAddress as string;
    expect(await ask(address, 'ruok\r\n')).toBe('imok');
    expect(await ask(address, 'xyzw')).toBe('');
    expect(await ask(address, 'ruo\u0000')).toBe('');
  });

  test('nobody, about what a server does not know that serves nobody', async () => {
    const peers = [1, 2].map((sid) => ({ sid, host: '127.0.0.1', quorumPort: 1, electionPort: 1 }));
    const { clientAddress } = await started({ servers: peers, transport: () => new MemoryNetwork({ clock: realClock }).transport(1) });
    const address = clientAddress as string;
    expect(await ask(address, 'srvr')).toBe('This ZooKeeper instance is not currently serving requests\n');
    expect(await ask(address, 'isro')).toBe('null');
    expect(await ask(address, 'ruok')).toBe('imok');
  });
});

test('what could be long is cut, and says so (CVE-2017-5637)', async () => {
  const { address, client } = await scene();
  await Promise.all(Array.from({ length: 10_050 }, (_, i) => client.exists(`/none-${i}`, { watch: () => {} })));
  const text = await ask(address, 'wchp');
  expect(text.split('\n').filter((line) => line.startsWith('/'))).toHaveLength(10_000);
  expect(text).toContain('(the first 10000 of 10052 watches)\n');
});
