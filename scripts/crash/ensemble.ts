/** An ensemble as `quorate serve` runs it: a process for each server, with its files in a folder of its own, on ports of 127.0.0.1. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatStore, type PeerAddress, type PeerTls } from '@quorate/node';
import type { Sid } from '@quorate/zab';
import { freePorts } from '../../packages/node/test/support/free-ports.ts';

/** `quorate` as one file. */
export const PROGRAM = new URL('../../packages/cli/src/bin.ts', import.meta.url);

export interface EnsembleOptions {
  /** The built `PROGRAM`. */
  readonly program: string;
  readonly folder: string;
  readonly servers: number;
  /** Lines of zoo.cfg, beside the ports and the folder. */
  readonly settings: readonly string[];
  /** How many connections an address may have (`maxClientCnxns`); any number when absent. */
  readonly perAddressMax?: number | undefined;
  /** What a server proves itself to its peers with; no TLS between them when absent. */
  readonly tls?: ((sid: Sid) => Promise<PeerTls>) | undefined;
  /** The address of a server; `127.0.0.1` when absent. */
  readonly hostOf?: ((sid: Sid) => string) | undefined;
  /** Where the server `by` sees another, where that is not where it is. */
  readonly seen?: ((sid: Sid, address: PeerAddress, by: Sid) => Promise<PeerAddress>) | undefined;
  /** What a process is started by, in place of node alone. */
  readonly launcher?: ((sid: Sid) => readonly string[]) | undefined;
}

/** How a process has ended that nobody had ended. */
export class ServerEnded extends Error {}

/** What a server is, over all its processes. */
export class ServeProcess {
  readonly sid: Sid;
  readonly host: string;
  readonly port: number;
  readonly home: string;
  readonly #command: readonly string[];
  #process: ChildProcess | undefined;
  #said = '';

  constructor({ sid, host, port, home }: Pick<ServeProcess, 'sid' | 'host' | 'port' | 'home'>, command: readonly string[]) {
    this.sid = sid;
    this.host = host;
    this.port = port;
    this.home = home;
    this.#command = command;
  }

  /** For clients. */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Resolves when it serves. @throws ServerEnded where it ends before that by itself, or does not serve within `withinMs`. */
  start(withinMs: number): Promise<void> {
    const [file = '', ...args] = this.#command;
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#process = child;
    this.#said = '';
    process.prependListener('exit', this.#killAtOnce);
    return new Promise((resolve, reject) => {
      const end = (why: string): void => reject(new ServerEnded(`server ${this.sid} ${why}: ${this.#said}`));
      const timer = setTimeout(() => end(`does not serve within ${withinMs} ms`), withinMs);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        // One that was killed before it served has done nothing wrong.
        if (this.#process === child) end(`has ended with ${code ?? signal}`);
        else resolve();
      });
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          this.#said += chunk.toString();
          if (!this.#said.includes('serving as')) return;
          clearTimeout(timer);
          resolve();
        });
    });
  }

  /** By SIGKILL: no goodbye. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    process.off('exit', this.#killAtOnce);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    killGroup(child);
    await once(child, 'close');
  }

  /** It is in a group of its own, and would outlive this process. */
  readonly #killAtOnce = (): void => {
    const child = this.#process;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) killGroup(child);
  };
}

/** Whatever has launched a server, and the server. */
function killGroup({ pid }: ChildProcess): void {
  process.kill(-(pid as number), 'SIGKILL');
}

/** Founds an ensemble. No server is started. */
export async function foundEnsemble(options: EnsembleOptions): Promise<readonly ServeProcess[]> {
  const { program, folder, servers: count, launcher, perAddressMax = 0, hostOf = () => '127.0.0.1' } = options;
  const ports = await freePorts(3 * count);
  const places = Array.from({ length: count }, (_, i) => {
    const [port = 0, quorumPort = 0, electionPort = 0] = ports.slice(3 * i);
    const sid = i + 1;
    const host = hostOf(sid);
    return { sid, host, port, home: join(folder, String(sid)), own: { host, quorumPort, electionPort } };
  });
  return Promise.all(
    places.map(async (place) => {
      const { sid, host, port, home } = place;
      const lines = [`clientPort=${port}`, `clientPortAddress=${host}`, `maxClientCnxns=${perAddressMax}`, ...options.settings];
      for (const { sid: peer, own } of places)
        lines.push(serverLine(peer, peer === sid ? own : ((await options.seen?.(peer, own, sid)) ?? own)));
      await furnishHome(home, sid, lines, await options.tls?.(sid));
      return new ServeProcess(place, [...(launcher?.(sid) ?? []), process.execPath, program, 'serve', join(home, 'zoo.cfg')]);
    }),
  );
}

function serverLine(sid: Sid, { host, quorumPort, electionPort }: PeerAddress): string {
  return `server.${sid}=${host}:${quorumPort}:${electionPort}`;
}

async function furnishHome(home: string, sid: Sid, settings: readonly string[], tls: PeerTls | undefined): Promise<void> {
  const dataDir = join(home, 'data');
  await mkdir(dataDir, { recursive: true });
  await formatStore(dataDir, 'crash');
  await writeFile(join(dataDir, 'myid'), String(sid));
  const lines = [`dataDir=${dataDir}`, '4lw.commands.whitelist=*', ...settings];
  if (tls !== undefined) {
    await writeFile(join(home, 'key.pem'), `${tls.key}\n${tls.cert}`);
    await writeFile(join(home, 'ca.pem'), tls.ca);
    lines.push('sslQuorum=true', `ssl.quorum.keyStore.location=${join(home, 'key.pem')}`);
    lines.push(`ssl.quorum.trustStore.location=${join(home, 'ca.pem')}`);
  }
  await writeFile(join(home, 'zoo.cfg'), `${lines.join('\n')}\n`);
}

/** Waits until all servers have applied the same. @throws where they do not within `withinMs`, or have different trees. */
export async function agreement(
  servers: readonly ServeProcess[],
  ask: (address: string) => Promise<string>,
  withinMs: number,
): Promise<string> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const hashes = await Promise.all(servers.map(({ address }) => ask(address)));
    const [first = ''] = hashes;
    const zxids = new Set(hashes.map((hash) => hash.split(':')[0]));
    if (first !== '' && zxids.size === 1) {
      if (new Set(hashes).size === 1) return first.trim();
      throw new Error(`the trees are not the same: ${hashes.map((hash) => hash.trim()).join('; ')}`);
    }
    if (performance.now() > giveUpAt)
      throw new Error(`the servers do not come to the same txn: ${hashes.map((hash) => hash.trim()).join('; ')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
