/** Apache ZooKeeper as Debian packages it (`zookeeper`, 3.8.0): one server or an ensemble, on ports of 127.0.0.1, with their files in a folder of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../packages/node/test/support/free-ports.ts';
import type { Started } from './ours.ts';
import { CONTAINER_CHECK_INTERVAL_MS, SESSION_TIMEOUT_MAX_MS, SESSION_TIMEOUT_MIN_MS, SUPER_DIGEST, TICK_TIME_MS } from './settings.ts';
import { tcpWay } from './way.ts';

/** Where Debian keeps it; its manifest names the libraries that it needs. */
export const JAR = '/usr/share/java/zookeeper.jar';
const START_TIMEOUT_MS = 60_000;
const WORD_TIMEOUT_MS = 500;
const STOP_TIMEOUT_MS = 5_000;
/** Ticks. A busy machine must not end an ensemble. */
const LIMIT = 200;

export interface ApacheOptions {
  /** The folder that its own is made in. */
  readonly under: string;
  /** Options of the JVM. */
  readonly java: readonly string[];
  /** Lines of zoo.cfg, beside the ports and the folder. */
  readonly settings: readonly string[];
  /** Told of the client ports when the processes have been started. */
  readonly onLaunched?: ((ports: readonly number[]) => void) | undefined;
}

/** Servers, while they run. */
export interface StartedApache extends Started {
  /** In the order of `ways`. */
  readonly servers: readonly { readonly port: number; readonly pid: number }[];
  /** Where the leader has its log. */
  readonly logFolder: string;
}

/** As the differential test needs it. */
export const COMPARABLE: ApacheOptions = {
  under: tmpdir(),
  java: [
    `-Dzookeeper.DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`,
    '-Dzookeeper.extendedTypesEnabled=true',
    '-Dzookeeper.enforceQuota=true',
    `-Dznode.container.checkIntervalMs=${CONTAINER_CHECK_INTERVAL_MS}`,
    '-Dzookeeper.forceSync=no',
    // A server that finds the others not yet there asks again after twice as long each time, up to a minute.
    '-Dzookeeper.fastleader.maxNotificationInterval=400',
    // It runs for a minute or a few, on a machine that is busy with three of them.
    ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
  ],
  settings: [
    `tickTime=${TICK_TIME_MS}`,
    `minSessionTimeout=${SESSION_TIMEOUT_MIN_MS}`,
    `maxSessionTimeout=${SESSION_TIMEOUT_MAX_MS}`,
    'preAllocSize=1024',
  ],
};

interface Member {
  readonly sid: number;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly electionPort: number;
}

/** Resolves when every server serves. */
export async function startApache(
  servers: number,
  { under, java, settings, onLaunched }: ApacheOptions = COMPARABLE,
): Promise<StartedApache> {
  if (!existsSync(JAR)) throw new RangeError(`there is no ${JAR}: install Debian's zookeeper and default-jre-headless`);
  const folder = await mkdtemp(join(under, 'quorate-apache-'));
  const ports = await freePorts(servers * 3);
  const members = Array.from({ length: servers }, (_, i): Member => {
    const [clientPort = 0, peerPort = 0, electionPort = 0] = ports.slice(i * 3);
    return { sid: i + 1, clientPort, peerPort, electionPort };
  });
  const processes = await Promise.all(
    members.map(async (member) => {
      const home = join(folder, String(member.sid));
      await mkdir(join(home, 'data'), { recursive: true });
      await writeFile(join(home, 'data', 'myid'), String(member.sid));
      await writeFile(join(home, 'zoo.cfg'), [...configuration(home, member, members), ...settings, ''].join('\n'));
      const main = `org.apache.zookeeper.server.${servers === 1 ? 'ZooKeeperServerMain' : 'quorum.QuorumPeerMain'}`;
      return launch([...java, '-cp', JAR, main, join(home, 'zoo.cfg')]);
    }),
  );
  onLaunched?.(members.map(({ clientPort }) => clientPort));
  const close = async (): Promise<void> => {
    await Promise.all(processes.map(stop));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const modes = await Promise.all(members.map(({ clientPort }, i) => modeOf(clientPort, processes[i] as ChildProcess)));
    const leader = Math.max(0, modes.indexOf('leader'));
    const all = members.map(({ clientPort: port }, i) => ({ port, pid: processes[i]?.pid as number }));
    const inOrder = [...all.slice(leader), ...all.slice(0, leader)];
    const logFolder = join(folder, String(leader + 1), 'data', 'version-2');
    return { servers: inOrder, ways: inOrder.map(({ port }) => tcpWay(port)), logFolder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export function launch(command: readonly string[]): ChildProcess {
  const process = spawn('java', command, { stdio: 'ignore' });
  // That it does not run is seen by its exit.
  process.on('error', () => process.emit('exit'));
  return process;
}

function configuration(home: string, { clientPort }: Member, members: readonly Member[]): string[] {
  const ensemble = members.map(({ sid, peerPort, electionPort }) => `server.${sid}=127.0.0.1:${peerPort}:${electionPort}`);
  return [
    `dataDir=${join(home, 'data')}`,
    `clientPort=${clientPort}`,
    'clientPortAddress=127.0.0.1',
    'maxClientCnxns=0',
    'admin.enableServer=false',
    ...(members.length > 1 ? [`initLimit=${LIMIT}`, `syncLimit=${LIMIT}`, ...ensemble] : []),
  ];
}

export async function stop(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null || process.pid === undefined) return;
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

/** What a server says to the word `srvr`; nothing where it does not serve yet. */
export function srvr(port: number): Promise<string> {
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
