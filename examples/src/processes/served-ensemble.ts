/** An ensemble as it runs in production: `quorate serve`, a process for each server, on ports of 127.0.0.1 and with files of its own. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { formatStore } from '@quorate/node';
import { freePorts } from '../../../packages/node/test/support/free-ports.ts';
import { Child } from './child.ts';

/** The `quorate` command, as this repository has it; elsewhere it is `npx quorate`. */
const QUORATE = new URL('../../../packages/cli/src/bin.ts', import.meta.url);

/** Short, so that the example is; a network that is not within one machine wants 2,000. */
const TICK_TIME_MS = 200;

export class ServedEnsemble implements AsyncDisposable {
  /** Where clients connect. */
  readonly connectString: string;
  readonly #folder: string;
  readonly #servers: readonly { readonly child: Child; readonly port: number }[];

  private constructor(folder: string, ports: readonly number[]) {
    this.#folder = folder;
    this.#servers = ports.map((port, index) => {
      const args = ['serve', join(folder, String(index + 1), 'zoo.cfg')];
      return { child: new Child(`server ${index + 1}`, { program: QUORATE, args, ready: /serving as (\w+)/ }), port };
    });
    this.connectString = ports.map((port) => `127.0.0.1:${port}`).join(',');
  }

  /** Resolves when all servers serve. */
  static async start(count: number): Promise<ServedEnsemble> {
    const folder = await mkdtemp(join(tmpdir(), 'quorate-example-'));
    const ports = await freePorts(3 * count);
    const peers = Array.from({ length: count }, (_, i) => `server.${i + 1}=127.0.0.1:${ports[count + 2 * i]}:${ports[count + 2 * i + 1]}`);
    for (let i = 0; i < count; i++) {
      const dataDir = join(folder, String(i + 1));
      await mkdir(dataDir);
      await formatStore(dataDir, 'example');
      await writeFile(join(dataDir, 'myid'), String(i + 1));
      const lines = [`dataDir=${dataDir}`, `tickTime=${TICK_TIME_MS}`, 'clientPortAddress=127.0.0.1', `clientPort=${ports[i]}`, ...peers];
      await writeFile(join(dataDir, 'zoo.cfg'), lines.join('\n'));
    }
    const ensemble = new ServedEnsemble(folder, ports.slice(0, count));
    try {
      await Promise.all(ensemble.#servers.map(({ child }) => child.start()));
      return ensemble;
    } catch (error) {
      await ensemble[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A server in that role, by its own word. */
  async find(role: 'leader' | 'follower'): Promise<Child> {
    for (const { child, port } of this.#servers) if ((await askServer(port)).includes(`Mode: ${role}`)) return child;
    throw new Error(`no server is a ${role}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#servers) await child[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }
}

/** What a server says of itself, by the four-letter word `srvr`. */
async function askServer(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end('srvr');
  return text(socket);
}
