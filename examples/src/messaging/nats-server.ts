/** A `nats-server` of one's own, on a free port of 127.0.0.1 and with files in a temporary folder that goes with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READY_MS = 10_000;

export class NatsServer implements AsyncDisposable {
  readonly #folder: string;
  #process: ChildProcess | undefined;
  #address = '127.0.0.1:-1';
  readonly #onExit = (): void => void this.#process?.kill('SIGKILL');

  private constructor(folder: string) {
    this.#folder = folder;
    // However this process ends, the other one does.
    process.on('exit', this.#onExit);
  }

  /** Resolves when it takes connections. @throws Error that says what to install where there is no `nats-server` on the PATH. */
  static async start(): Promise<NatsServer> {
    const server = new NatsServer(await mkdtemp(join(tmpdir(), 'quorate-nats-')));
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** `host:port`, where clients connect. */
  get address(): string {
    return this.#address;
  }

  /** kill -9, and another process on the same port with the same files. */
  async restart(): Promise<void> {
    await this.#kill();
    const [host, port] = this.#address.split(':') as [string, string];
    // Port -1: any that is free.
    const args = ['--addr', host, '--port', port, '--jetstream', '--store_dir', this.#folder];
    this.#process = spawn('nats-server', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#address = await addressOf(this.#process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#onExit);
    await this.#kill();
    await rm(this.#folder, { recursive: true });
  }

  async #kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

/** What it says about itself, on stderr, before it is ready. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => reject(new Error(`nats-server is not ready after ${READY_MS} ms: ${said}`)), READY_MS);
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(new Error('this needs nats-server on the PATH: apt-get install nats-server, or see nats.io', { cause }));
    });
    child.once('exit', (code, signal) => reject(new Error(`nats-server has ended with ${code ?? signal}: ${said}`)));
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const address = /Listening for client connections on (\S+)/.exec(said)?.[1];
      if (address === undefined || !said.includes('Server is ready')) return;
      clearTimeout(timer);
      resolve(address);
    });
  });
}
