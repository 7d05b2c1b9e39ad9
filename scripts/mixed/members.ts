/** The servers of a mixed ensemble: where each is, those of Apache's as processes, those of ours within this one. */
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Listener, listen, type PeerAddress, peerTransport } from '@quorate/node';
import { realClock, realRandom } from '@quorate/ports';
import { type Config, MemoryStorage, Server, zookeeperPayloads } from '@quorate/server';
import type { Sid, WireViolation } from '@quorate/zab';
import { freePorts } from '../../packages/node/test/support/free-ports.ts';
import { launch, srvr, stop } from '../differential/apache.ts';

const TICK_TIME_MS = 500;
const INIT_LIMIT = 20;
const SYNC_LIMIT = 20;

export interface Place extends PeerAddress {
  readonly clientPort: number;
}

export interface Places {
  readonly config: Config;
  readonly theirs: readonly Sid[];
  readonly servers: ReadonlyMap<Sid, Place>;
}

/** Where each server is; `observers` are among `ours`. */
export async function choosePlaces(theirs: readonly Sid[], ours: readonly Sid[], observers: readonly Sid[]): Promise<Places> {
  const sids = [...theirs, ...ours];
  const ports = await freePorts(3 * sids.length);
  const servers = new Map(
    sids.map((sid, i) => {
      const [clientPort = 0, quorumPort = 0, electionPort = 0] = ports.slice(3 * i);
      return [sid, { host: '127.0.0.1', clientPort, quorumPort, electionPort }];
    }),
  );
  const voters = sids.filter((sid) => !observers.includes(sid));
  const neverLead = ours.filter((sid) => !observers.includes(sid));
  return { config: { version: 0, voters, observers, neverLead }, theirs, servers };
}

/** One of Apache's. */
export class Theirs {
  readonly sid: Sid;
  readonly clientPort: number;
  readonly #home: string;
  #process: ChildProcess | undefined;

  private constructor(sid: Sid, clientPort: number, home: string) {
    this.sid = sid;
    this.clientPort = clientPort;
    this.#home = home;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  get logFolder(): string {
    return join(this.#home, 'data', 'version-2');
  }

  static async install(places: Places, sid: Sid, folder: string): Promise<Theirs> {
    const home = join(folder, String(sid));
    const { clientPort } = places.servers.get(sid) as Place;
    await mkdir(join(home, 'data'), { recursive: true });
    await writeFile(join(home, 'data', 'myid'), String(sid));
    const servers = [...places.servers].map(([peer, { host, quorumPort, electionPort }]) => {
      const role = places.config.observers?.includes(peer) === true ? ':observer' : '';
      return `server.${peer}=${host}:${quorumPort}:${electionPort}${role}`;
    });
    const lines = [
      ...[`dataDir=${join(home, 'data')}`, `clientPort=${clientPort}`, 'clientPortAddress=127.0.0.1', 'admin.enableServer=false'],
      ...[`tickTime=${TICK_TIME_MS}`, `initLimit=${INIT_LIMIT}`, `syncLimit=${SYNC_LIMIT}`, 'preAllocSize=1024', 'maxClientCnxns=0'],
      ...servers,
      '',
    ];
    await writeFile(join(home, 'zoo.cfg'), lines.join('\n'));
    return new Theirs(sid, clientPort, home);
  }

  start(): void {
    const java = ['-Xmx200m', '-Dzookeeper.forceSync=no', '-Dzookeeper.extendedTypesEnabled=true', '-cp', '/usr/share/java/zookeeper.jar'];
    this.#process = launch([...java, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', join(this.#home, 'zoo.cfg')]);
  }

  /** leader, follower, or nothing where it does not serve. */
  async mode(): Promise<string | undefined> {
    return /^Mode: (\w+)$/m.exec(await srvr(this.clientPort))?.[1];
  }

  async stop(): Promise<void> {
    if (this.#process !== undefined) await stop(this.#process);
    this.#process = undefined;
  }
}

/** One of ours. Its store outlives it. */
export class Ours {
  readonly sid: Sid;
  readonly store: MemoryStorage;
  readonly #places: Places;
  #server: Server | undefined;
  #listener: Listener | undefined;
  /** What its leader has sent since it started, by type. */
  heard: string[] = [];
  readonly violations: WireViolation[] = [];
  readonly failures: Error[] = [];

  constructor(places: Places, sid: Sid) {
    this.#places = places;
    this.sid = sid;
    this.store = new MemoryStorage({ clock: realClock }).format({ ensembleId: 'mixed' });
  }

  get server(): Server {
    if (this.#server === undefined) throw new Error(`server ${this.sid} does not run`);
    return this.#server;
  }

  get clientPort(): number {
    return (this.#places.servers.get(this.sid) as Place).clientPort;
  }

  async start(): Promise<void> {
    const { config, servers } = this.#places;
    const { sid, store } = this;
    this.heard = [];
    const onViolation = (violation: WireViolation): void => void this.violations.push(violation);
    const options = { sid, config, servers, clock: realClock, random: realRandom, payloads: zookeeperPayloads, onViolation };
    const server = new Server({
      ...{ sid, config, transport: await peerTransport(options), storage: store, clock: realClock },
      ...{ tickTimeMs: TICK_TIME_MS, initLimit: INIT_LIMIT, syncLimit: SYNC_LIMIT },
      onInput: (input) => {
        if (input.type === 'leaderMessage') this.heard.push(input.message.type);
      },
      onFailure: (error) => this.failures.push(error),
    });
    server.start();
    this.#server = server;
    this.#listener = await listen({ accept: (link) => server.accept(link) }, { port: this.clientPort });
  }

  async stop(): Promise<void> {
    await this.#listener?.close();
    this.#server?.stop();
    this.#server = undefined;
  }

  /** Where it stands, for whoever looks into a failure. */
  describe(): string {
    const { status } = this.#server ?? {};
    return JSON.stringify({ status, heard: this.heard.slice(-20), violations: this.violations, failures: this.failures.map(String) });
  }
}

/** A folder for the files of Apache's servers, which goes when `run` has ended. */
export async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-mixed-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
