/** Apache ZooKeeper as Debian packages it (`zookeeper`, 3.8.0): one server or an ensemble, on ports of 127.0.0.1, with their files in a folder of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Started } from './ours.ts';
import { SESSION_TIMEOUT_MAX_MS, SESSION_TIMEOUT_MIN_MS, SUPER_DIGEST, TICK_TIME_MS } from './settings.ts';
import { tcpWay } from './way.ts';

/** Where Debian keeps it; its manifest names the libraries that it needs. */
const JAR = '/usr/share/java/zookeeper.jar';
const START_TIMEOUT_MS = 60_000;
const WORD_TIMEOUT_MS = 500;
const STOP_TIMEOUT_MS = 5_000;
/** Ticks. A busy machine must not end an ensemble. */
const LIMIT = 200;

interface Member {
  readonly sid: number;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly electionPort: number;
}

/** Resolves when every server serves. */
export async function startApache(servers: number): Promise<Started> {
  if (!existsSync(JAR)) throw new RangeError(`there is no ${JAR}: install Debian's zookeeper and default-jre-headless`);
  const folder = await mkdtemp(join(tmpdir(), 'quorate-differential-'));
  const ports = await freePorts(servers * 3);
  const members = Array.from({ length: servers }, (_, i): Member => {
    const [clientPort = 0, peerPort = 0, electionPort = 0] = ports.slice(i * 3);
    return { sid: i + 1, clientPort, peerPort, electionPort };
  });
  const processes = await Promise.all(members.map((member) => launch(folder, member, members)));
  const close = async (): Promise<void> => {
    await Promise.all(processes.map(stop));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const modes = await Promise.all(members.map(({ clientPort }, i) => modeOf(clientPort, processes[i] as ChildProcess)));
    const leader = Math.max(0, modes.indexOf('leader'));
    const inOrder = [...members.slice(leader), ...members.slice(0, leader)];
    return { ways: inOrder.map(({ clientPort }) => tcpWay(clientPort)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function launch(folder: string, member: Member, members: readonly Member[]): Promise<ChildProcess> {
  const home = join(folder, String(member.sid));
  const data = join(home, 'data');
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'myid'), String(member.sid));
  await writeFile(join(home, 'zoo.cfg'), configuration(data, member, members));
  const options = [
    `-Dzookeeper.DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`,
    '-Dzookeeper.extendedTypesEnabled=true',
    '-Dzookeeper.forceSync=no',
    '-Xmx256m',
  ];
  const main = `org.apache.zookeeper.server.${members.length === 1 ? 'ZooKeeperServerMain' : 'quorum.QuorumPeerMain'}`;
  const process = spawn('java', [...options, '-cp', JAR, main, join(home, 'zoo.cfg')], { stdio: 'ignore' });
  // That it does not run is seen by its exit.
  process.on('error', () => process.emit('exit'));
  return process;
}

function configuration(dataDir: string, { clientPort }: Member, members: readonly Member[]): string {
  const ensemble = members.map(({ sid, peerPort, electionPort }) => `server.${sid}=127.0.0.1:${peerPort}:${electionPort}`);
  return [
    `tickTime=${TICK_TIME_MS}`,
    `dataDir=${dataDir}`,
    `clientPort=${clientPort}`,
    'clientPortAddress=127.0.0.1',
    'maxClientCnxns=0',
    `minSessionTimeout=${SESSION_TIMEOUT_MIN_MS}`,
    `maxSessionTimeout=${SESSION_TIMEOUT_MAX_MS}`,
    'admin.enableServer=false',
    'preAllocSize=1024',
    ...(members.length > 1 ? [`initLimit=${LIMIT}`, `syncLimit=${LIMIT}`, ...ensemble] : []),
    '',
  ].join('\n');
}

async function stop(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.pid === undefined) return;
  const gone = new Promise((resolve) => process.once('exit', resolve));
  process.kill();
  const timer = setTimeout(() => process.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await gone;
  clearTimeout(timer);
}

/** Waits until a server serves, and gives what it then is: standalone, leader or follower. */
async function modeOf(port: number, process: ChildProcess): Promise<string> {
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  while (process.pid !== undefined && process.exitCode === null && performance.now() < giveUpAt) {
    const mode = /^Mode: (\w+)$/m.exec(await srvr(port))?.[1];
    if (mode !== undefined) return mode;
  }
  throw new Error('Apache ZooKeeper does not start');
}

/** Free now, all at the same time; nobody on this machine is likely to take one within the next second. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** What a server says to the word `srvr`; nothing where it does not serve yet. */
function srvr(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('srvr'));
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    // A server that is just starting may take the connection and never answer on it.
    socket.setTimeout(WORD_TIMEOUT_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => setTimeout(() => resolve(text), text.includes('Mode:') ? 0 : 50));
  });
}
