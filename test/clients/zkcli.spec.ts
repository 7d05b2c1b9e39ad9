/** ZooKeeper's own shell (Debian's `zookeeper`, Java) against a server of ours in a process of its own. */
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, inTemporaryFolder } from '../../scripts/bundle.ts';
import { foundEnsemble, PROGRAM, type ServeProcess } from '../../scripts/crash/ensemble.ts';

const ZKCLI = '/usr/share/zookeeper/bin/zkCli.sh';
const START_MS_MAX = 30_000;
const TIMEOUT_MS = 60_000;

let server: ServeProcess;
let stop: () => void;
let stopped: Promise<void>;

beforeAll(async () => {
  await new Promise<void>((resolve, reject) => {
    stopped = inTemporaryFolder(async (folder) => {
      const program = await bundle(PROGRAM, { folder });
      [server] = (await foundEnsemble({ program, folder, servers: 1, settings: [] })) as [ServeProcess];
      await server.start(START_MS_MAX);
      resolve();
      await new Promise<void>((end) => {
        stop = end;
      });
      await server.kill();
    });
    stopped.catch(reject);
  });
}, TIMEOUT_MS);

afterAll(async () => {
  stop();
  await stopped;
});

/** What the shell says to these lines: answers, the events of its watches, and what went wrong. */
interface Said {
  readonly answers: string;
  readonly events: readonly string[];
  readonly errors: readonly string[];
}

const EVENT = /\nWATCHER::\n\nWatchedEvent state:(\w+) type:(\w+) path:(\S*)\n?/g;

function type(...lines: readonly string[]): Promise<Said> {
  return new Promise((resolve, reject) => {
    const args = ['-waitforconnection', '-server', server.address];
    const shell = execFile(ZKCLI, args, { timeout: TIMEOUT_MS }, (error, stdout, stderr) =>
      error === null ? resolve(said(stdout, stderr)) : reject(error),
    );
    shell.stdin?.end(`${[...lines, 'quit'].join('\n')}\n`);
  });
}

/** Events come when they come, between the answers; what differs from run to run has a name. */
function said(stdout: string, stderr: string): Said {
  const events = [...stdout.matchAll(EVENT)].filter(([, , kind]) => kind !== 'None').map(([, , kind, path]) => `${kind} ${path}`);
  const answers = stdout
    .replace(EVENT, '')
    .replace(/^[^]*JLine support is disabled\n/, '')
    .replace(/0x1\d{8}/g, 'ZXID')
    .replace(/(?<=time = ).*/g, 'TIME');
  return { answers: answers.trim(), events, errors: stderr.split('\n').filter((line) => line !== '' && !line.startsWith('SLF4J')) };
}

test(
  'reads, writes, makes ephemerals and sequentials, watches, and is told what is wrong',
  async () => {
    const { answers, events, errors } = await type(
      ...['create /shop shoes', 'create -e -s /shop/visit- me', 'get -s /shop', 'set -v 0 /shop boots', 'set -v 0 /shop hats', 'ls -R /'],
      ...['setAcl /shop world:anyone:cdra', 'getAcl /shop', 'whoami', 'addWatch /shop', 'create /shop/sale today', 'sync /shop'],
      ...['get /nothing', 'deleteall /shop', 'ls /'],
    );
    expect(events).toEqual(['NodeCreated /shop/sale', 'NodeDeleted /shop/sale', 'NodeDeleted /shop/visit-0000000000', 'NodeDeleted /shop']);
    expect(errors).toMatchInlineSnapshot(`
      [
        "Created /shop",
        "Created /shop/visit-0000000000",
        "version No is not valid : /shop",
        "Created /shop/sale",
        "Node does not exist: /nothing",
      ]
    `);
    expect(answers).toMatchInlineSnapshot(`
      "shoes
      cZxid = ZXID
      ctime = TIME
      mZxid = ZXID
      mtime = TIME
      pZxid = ZXID
      cversion = 1
      dataVersion = 0
      aclVersion = 0
      ephemeralOwner = 0x0
      dataLength = 5
      numChildren = 1
      /
      /shop
      /zookeeper
      /shop/visit-0000000000
      /zookeeper/config
      /zookeeper/quota
      'world,'anyone
      : cdra
      Auth scheme: User
      ip: 127.0.0.1
      Sync is OK
      [zookeeper]"
    `);
  },
  TIMEOUT_MS,
);
