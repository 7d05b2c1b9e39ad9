/** Apache ZooKeeper as Debian packages it (`zookeeper`, 3.8.0): one server on a port of 127.0.0.1, with its files in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SESSION_TIMEOUT_MAX_MS, SESSION_TIMEOUT_MIN_MS, SUPER_DIGEST, TICK_TIME_MS } from './settings.ts';

/** Where Debian keeps it; its manifest names the libraries that it needs. */
const JAR = '/usr/share/java/zookeeper.jar';
const START_TIMEOUT_MS = 30_000;
const WORD_TIMEOUT_MS = 500;
const STOP_TIMEOUT_MS = 5_000;

export interface ApacheOptions {
  /** The folder that its own is made in. */
  readonly under: string;
  /** Options of the JVM. */
  readonly java: readonly string[];
  /** Lines of zoo.cfg, beside the ports and the folder. */
  readonly settings: readonly string[];
}

/** As the differential test needs it. */
const COMPARABLE: ApacheOptions = {
  under: tmpdir(),
  java: [
    `-Dzookeeper.DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`,
    '-Dzookeeper.extendedTypesEnabled=true',
    '-Dzookeeper.forceSync=no',
    '-Xmx256m',
  ],
  settings: [
    `tickTime=${TICK_TIME_MS}`,
    `minSessionTimeout=${SESSION_TIMEOUT_MIN_MS}`,
    `maxSessionTimeout=${SESSION_TIMEOUT_MAX_MS}`,
    'preAllocSize=1024',
  ],
};

export class Apache {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(port: number, process: ChildProcess, folder: string) {
    this.port = port;
    this.#process = process;
    this.#folder = folder;
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  static async start({ under, java, settings } = COMPARABLE): Promise<Apache> {
    if (!existsSync(JAR)) throw new RangeError(`there is no ${JAR}: install Debian's zookeeper and default-jre-headless`);
    const folder = await mkdtemp(join(under, 'quorate-apache-'));
    const port = await freePort();
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'zoo.cfg'), [...configuration(folder, port), ...settings, ''].join('\n'));
    const main = 'org.apache.zookeeper.server.ZooKeeperServerMain';
    const process = spawn('java', [...java, '-cp', JAR, main, join(folder, 'zoo.cfg')], { stdio: 'ignore' });
    const apache = new Apache(port, process, folder);
    let failure: Error | undefined;
    process.once('error', (error) => {
      failure = error;
    });
    const giveUpAt = performance.now() + START_TIMEOUT_MS;
    while (!(await answers(port))) {
      if (failure === undefined && process.exitCode === null && performance.now() < giveUpAt) continue;
      await apache.stop();
      throw new Error(`Apache ZooKeeper does not start${failure === undefined ? '' : `: ${failure.message}`}`);
    }
    return apache;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.pid !== undefined) {
      const gone = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill();
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await gone;
      clearTimeout(timer);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function configuration(folder: string, port: number): string[] {
  return [
    `dataDir=${join(folder, 'data')}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    'maxClientCnxns=0',
    'admin.enableServer=false',
  ];
}

/** Free now; nobody on this machine is likely to take it within the next second. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Whether the server serves: it says so to the word `srvr`. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('srvr'));
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    // A server that is just starting may take the connection and never answer on it.
    socket.setTimeout(WORD_TIMEOUT_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => setTimeout(() => resolve(text.startsWith('Zookeeper version:')), text === '' ? 50 : 0));
  });
}
