/** The `quorate` command: how it ends, what it says, and a conversation with the shell. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { type RunningServer, startServer } from '@quorate/node';
import { afterEach, describe, expect, test } from 'vitest';
import { main } from '../src/index.js';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface RunOptions {
  /** What it reads. */
  readonly input?: string;
  /** What it must have written before it is told to stop. */
  readonly until?: RegExp;
  /** What is done before that, with what it has written. */
  readonly before?: (out: string) => Promise<void>;
}

/** Runs a command within this process. */
async function run(args: readonly string[], { input = '', until, before }: RunOptions = {}): Promise<Ran> {
  const [stdout, stderr, stop] = [new PassThrough(), new PassThrough(), new AbortController()];
  let [out, err] = ['', ''];
  stdout.on('data', (chunk) => {
    out += chunk;
    if (until?.test(out) !== true || stop.signal.aborted) return;
    if (before === undefined) stop.abort();
    else void before(out).finally(() => stop.abort());
  });
  stderr.on('data', (chunk) => {
    err += chunk;
  });
  const code = await main(args, { stdin: Readable.from([input]), stdout, stderr, stop: stop.signal });
  return { code, out, err };
}

async function served(): Promise<RunningServer> {
  const server = await startServer({ memory: true, tickTimeMs: 50, client: { port: 0 } });
  closers.push(() => server.close());
  return server;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'quorate-cli-'));
  closers.push(() => rmSync(path, { recursive: true }));
  return path;
}

describe('quorate', () => {
  test.each<[readonly string[], number, string]>([
    [[], 2, 'quorate serve'],
    [['nosuch'], 2, 'quorate: there is no command "nosuch": quorate help lists them'],
    [['serve'], 2, 'quorate: where shall the data be kept? Give --data DIR; or --memory, to lose everything with the process'],
    [['serve', '--data', '/no/such'], 2, 'quorate: there is no directory /no/such: make one, or give another by --data DIR'],
    [['serve', '--data', ''], 2, 'quorate: where shall the data be kept?'],
    [['serve', '--data', '/dev/null'], 2, 'quorate: /dev/null is no directory: make one, or give another by --data DIR'],
    [['serve', '--data', `/${'x'.repeat(300)}`], 2, 'cannot be used (ENAMETOOLONG: name too long, '],
    [
      ['format', '--data', '/no/such', '--name', 'x'],
      2,
      'quorate: there is no directory /no/such: make one, or give another by --data DIR',
    ],
    [
      ['import', '/tmp', '--data', '/no/such', '--name', 'x'],
      2,
      'quorate: there is no directory /no/such: make one, or give another by --data DIR',
    ],
    [
      ['export', '--data', '/no/such', '/tmp/x'],
      2,
      'quorate: there is no directory /no/such: give the store of a server that is stopped by --data DIR',
    ],
    [['doctor', '/no/such'], 2, 'quorate: there is no directory /no/such: give a data directory'],
    [['serve', '--memory', '--port', 'x'], 2, 'quorate: --port takes a whole number, not "x"'],
    [['serve', '--memory', '--port', '70000'], 2, 'quorate: port must be a whole number from 0 to 65535, not 70000'],
    [['serve', '--memory', '--data', '/tmp'], 2, 'quorate: --data and --memory exclude each other'],
    [['serve', '--memory', '--nosuch'], 2, "quorate: Unknown option '--nosuch'"],
    [['serve', '/no/zoo.cfg'], 2, 'quorate: /no/zoo.cfg: cannot be read'],
    [['serve', '--memory', '--websocket-origins', '*'], 2, 'quorate: --websocket-origins needs --websocket-port'],
    [['serve', '--memory', '--admin-unrestricted'], 2, 'quorate: --admin-unrestricted needs --admin-port'],
    [['serve', '--memory', '--websocket-port', 'x'], 2, 'quorate: --websocket-port takes a whole number, not "x"'],
    [['serve', '--memory', '--words', 'kill'], 2, 'quorate: words must be made of'],
    [['shell', '-nosuch'], 2, 'quorate: there is no option -nosuch'],
    [['shell', '-server', '127.0.0.1:1:1', 'ls', '/'], 2, 'must be host, host:port or [IPv6 address]:port'],
  ])('%j ends with %i', async (args, code, message) => {
    const ran = await run(args);
    expect([ran.code, ran.out]).toEqual([code, '']);
    expect(ran.err).toContain(message);
  });

  test('says what there is', async () => {
    for (const args of [['--help'], ['help'], ['serve', '--help'], ['shell', '--help'], ['version']])
      expect(await run(args)).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/quorate/) });
  });
});

describe('quorate serve', () => {
  test('opens a port for WebSocket where it is asked for', async () => {
    const args = ['serve', '--memory', '--port', '0', '--websocket-port', '0', '--websocket-origins', 'https://a.example'];
    const { code, out } = await run(args, { until: /serving/ });
    expect(code).toBe(0);
    expect(out).toMatch(/^clients by WebSocket ws:\/\/127\.0\.0\.1:\d+$/m);
  });

  test('serves until it is told to end', async () => {
    const { code, out, err } = await run(['serve', '--memory', '--port', '0', '--admin-port', '0', '--metrics-port', '0', '--sid', '7'], {
      until: /serving/,
    });
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /^server 7, in memory: everything is lost with this process\nclients 127\.0\.0\.1:\d+\nadmin http:\/\/127\.0\.0\.1:\d+\/commands\nmetrics http:\/\/127\.0\.0\.1:\d+\/metrics\nserving as standalone\n$/,
    );
  });

  test('takes what zoo.cfg says where no option says otherwise, and tells what changes nothing', async () => {
    const home = folder();
    const file = join(home, 'zoo.cfg');
    writeFileSync(
      file,
      `dataDir=${home}\nclientPort=2181\nclientPortAddress=127.0.0.1\ntickTime=50\nautopurge.purgeInterval=1\nadmin.enableServer=false\n`,
    );
    const { code, out, err } = await run(['serve', '--memory', '--port', '0', file], { until: /serving/ });
    expect([code, err]).toEqual([
      0,
      `${file}: autopurge.purgeInterval changes nothing: what is not needed any more is removed by the server itself\n`,
    ]);
    expect(out).toMatch(/clients 127\.0\.0\.1:(?!2181)\d+\n/);
  });

  test('keeps its data in a directory that was founded', async () => {
    const data = folder();
    expect(await run(['serve', '--data', data, '--port', '0'])).toEqual({
      code: 1,
      out: expect.stringContaining(`data in ${data}`),
      err: `quorate: the server has ended: ${data} is not founded, or was lost: found a new ensemble there by formatStore, or quorate format --data ${data} --name NAME\n`,
    });
    const fresh = folder();
    expect(await run(['format', '--data', fresh])).toMatchObject({ code: 2, err: 'quorate: format takes --data DIR and --name NAME\n' });
    expect(await run(['format', '--data', fresh, '--name', 'test'])).toEqual({
      code: 0,
      out: `${fresh} is the store of a voter of the new ensemble test\n`,
      err: '',
    });
    expect(await run(['serve', '--data', fresh, '--port', '0'], { until: /serving/ })).toMatchObject({ code: 0, err: '' });
    expect(await run(['format', '--data', fresh, '--name', 'test'])).toMatchObject({
      code: 1,
      err: 'quorate: only an empty store can be formatted: this one has been in use\n',
    });
  });

  test('ends with 1 where its port is taken', async () => {
    const port = new URL(`tcp://${(await served()).clientAddress}`).port;
    expect(await run(['serve', '--memory', '--port', port])).toEqual({
      code: 1,
      out: '',
      err: `quorate: port ${port} of 127.0.0.1 is in use: choose another, or 0 for any that is free\n`,
    });
  });

  test('gives a backup to whoever reaches an unrestricted admin port', async () => {
    const args = ['serve', '--memory', '--port', '0', '--admin-port', '0'];
    const statusOf = async (more: readonly string[]): Promise<number> => {
      let status = 0;
      await run([...args, ...more], {
        until: /serving/,
        before: async (out) => {
          status = (await fetch(`${/^admin (.*)$/m.exec(out)?.[1]}/snapshot`)).status;
        },
      });
      return status;
    };
    expect([await statusOf([]), await statusOf(['--admin-unrestricted'])]).toEqual([403, 200]);
  });

  test('logs lines of JSON', async () => {
    const { err } = await run(['serve', '--memory', '--port', '0', '--log'], { until: /serving/ });
    const lines = err
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { message: string });
    expect(lines.map(({ message }) => message)).toEqual(expect.arrayContaining(['listening', 'status', 'closed']));
  });

  test('as a process of its own ends with a goodbye at SIGTERM', async () => {
    const bin = join(import.meta.dirname, '../src/bin.ts');
    const child = spawn(process.execPath, ['--conditions=@quorate/source', '--import', 'tsx', bin, 'serve', '--memory', '--port', '0']);
    closers.push(() => child.kill('SIGKILL'));
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
      if (out.includes('serving as standalone')) child.kill('SIGTERM');
    });
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe('quorate shell', () => {
  test('does one command', async () => {
    const { clientAddress } = await served();
    const ask = (...command: string[]): Promise<Ran> => run(['shell', '-server', clientAddress as string, ...command]);
    expect(await ask('create', '/a', 'hello world')).toEqual({ code: 0, out: 'Created /a\n', err: '' });
    expect(await ask('get', '/a')).toEqual({ code: 0, out: 'hello world\n', err: '' });
    expect(await ask('create', '/a')).toEqual({ code: 1, out: '', err: 'Node already exists: /a\n' });
    expect(await ask('ls')).toEqual({ code: 2, out: '', err: 'ls [-s] [-w] [-R] path\n' });
    expect(await ask('nosuch')).toEqual({ code: 2, out: '', err: 'there is no command "nosuch": help lists them\n' });
  });

  test('takes a line of any length (CVE-2016-5017)', async () => {
    const { clientAddress } = await served();
    const lines = [`create /long ${'x'.repeat(1_000_000)}`, `cmd:${'y'.repeat(1_000_000)}`, 'stat /long', 'quit'];
    const { code, out } = await run(['shell', '-server', clientAddress as string], { input: lines.join('\n') });
    expect(code).toBe(0);
    expect(out).toContain('dataLength = 1000000');
  });

  test('says when there is nobody', async () => {
    const server = await served();
    const address = server.clientAddress as string;
    await server.close();
    const stop = new AbortController();
    const stderr = new PassThrough();
    setImmediate(() => stop.abort());
    const io = { stdin: Readable.from([]), stdout: new PassThrough(), stderr, stop: stop.signal };
    expect(await main(['shell', '-server', address, 'ls', '/'], io)).toBe(1);
    expect(String(stderr.read())).toBe(`quorate: no server of ${address} answers\n`);
  });

  test('converses', async () => {
    const { clientAddress } = await served();
    const input = [
      'create -s /n- "a \'b\'"',
      'create -e /e me',
      'create -c /c',
      'create -t 60000 /t ttl',
      'create /a/b',
      'create /a x world:anyone:cdrwa,digest:bob:hash=:r',
      'create /a/b y',
      'create /a/b/c z',
      'ls /',
      'create /a/b-',
      'ls -R /a',
      'get -s /a',
      'set -v 7 /a y',
      'set /a y',
      'stat /none',
      'getAcl /a',
      'setAcl /a world:anyone:cdra',
      'getAcl /a',
      'delete /a',
      'deleteall /a',
      'getEphemerals',
      'getAllChildrenNumber /',
      'sync /',
      'addauth digest bob:secret',
      'whoami',
      'get "unclosed',
      'history',
      'quit',
      'create /never',
    ].join('\n');
    const { code, out, err } = await run(['shell', '-server', clientAddress as string], { input });
    expect(code).toBe(0);
    const zxids = out.replace(/0x[0-9a-f]+/g, 'X').replace(/= \w{3} \w{3} \d+ [\d:]+ UTC \d{4}/g, '= DATE');
    expect(zxids.slice(0, zxids.indexOf('0 - '))).toBe(`Created /n-0000000000
Created /e
Created /c
Created /t
Created /a
Created /a/b
Created /a/b/c
[a, c, e, n-0000000000, t, zookeeper]
Created /a/b-
/a
/a/b
/a/b/c
/a/b-
x
cZxid = X
ctime = DATE
mZxid = X
mtime = DATE
pZxid = X
cversion = 2
dataVersion = 0
aclVersion = 0
ephemeralOwner = X
dataLength = 1
numChildren = 2
'world,'anyone
: cdrwa
'digest,'bob:hash=
: r
'world,'anyone
: cdra
[/e]
7
Sync is OK
Auth scheme: User
ip: 127.0.0.1
digest: bob
`);
    expect(err).toBe(`Node does not exist: /a/b
version No is not valid: /a
Node does not exist: /none
Node not empty: /a
the quote " is not closed
`);
    expect(out).toContain('23 - addauth digest …\n24 - whoami\n25 - history\n');
    expect(out).not.toContain('secret');
  });

  test('sets, lists and deletes quotas as zkCli.sh does', async () => {
    const { clientAddress } = await served();
    const input = [
      'create /a',
      'create /a/b xy',
      'listquota /a',
      'setquota -n 5 /a',
      'setquota -B 90 -b 40 /a',
      'listquota /a',
      'setquota -n 1 /a/b',
      'delquota -n /a',
      'listquota /a',
      'delquota /a',
      'ls -R /zookeeper/quota',
      'delquota /a',
      'setquota -n 7 /a/b',
      'setquota -n 7 /a',
      'setquota -n 0 /a/b',
      'setquota /a',
      'setquota -n 1 /zookeeper/quota/a',
      'setquota -n 1 /none',
    ].join('\n');
    const { out, err } = await run(['shell', '-server', clientAddress as string], { input });
    expect(out).toBe(`Created /a
Created /a/b
absolute path is /zookeeper/quota/a/zookeeper_limits
quota for /a does not exist.
absolute path is /zookeeper/quota/a/zookeeper_limits
Output quota for /a count=5,bytes=40=;byteHardLimit=90
Output stat for /a count=2,bytes=2
absolute path is /zookeeper/quota/a/zookeeper_limits
Output quota for /a count=-1,bytes=40=;byteHardLimit=90
Output stat for /a count=2,bytes=2
/zookeeper/quota
`);
    expect(err).toBe(`/a/b has a parent /a which has a quota
quota for /a does not exist.
/a has a child /a/b which has a quota
-n takes a whole number of 1 or more, not "0"
setquota takes a limit at least: -n or -N for znodes, -b or -B for bytes
cannot set a quota under the path: /zookeeper/quota
/none does not exist: a quota is for a znode and all below it
`);
  });

  test('shows events as they come, and answers and errors as JSON', async () => {
    const { clientAddress } = await served();
    const input =
      'create /a\nget -w /a\nset /a y\nsync /\nstat /none\nget /none\naddWatch /b\ncreate /b\nsync /\nconfig\nremovewatches /b\n';
    const { out } = await run(['shell', '-server', clientAddress as string, '--json'], { input });
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.slice(0, 2)).toMatchObject([
      { path: '/a', stat: { version: 0, ephemeralOwner: '0x0' } },
      { data: '', stat: { version: 0 } },
    ]);
    expect(lines.map((line) => (line.event as { type: string } | undefined)?.type).filter((type) => type !== undefined)).toEqual(
      expect.arrayContaining(['NODE_DATA_CHANGED', 'NODE_CREATED']),
    );
    expect(lines).toContainEqual({ error: { code: 'NO_NODE', message: expect.any(String) } });
    const asText = await run(['shell', '-server', clientAddress as string], { input: 'get -w /a\nset /a z\nsync /\n' });
    expect(asText.out).toMatch(/WATCHER::\n\nWatchedEvent state:SyncConnected type:NodeDataChanged path:\/a zxid: \d+\n/);
  });
});
