/** A process of an example: started, waited for, killed, and never left behind. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

const READY_MS = 30_000;

export interface ChildOptions {
  /** Its program. */
  readonly program: URL;
  readonly args: readonly string[];
  /** What it writes to stdout when it is ready. */
  readonly ready: RegExp;
}

export class Child implements AsyncDisposable {
  readonly name: string;
  readonly #options: ChildOptions;
  #process: ChildProcess | undefined;
  readonly #onExit = (): void => void this.#process?.kill('SIGKILL');

  constructor(name: string, options: ChildOptions) {
    this.name = name;
    this.#options = options;
    // However this process ends, the other one does.
    process.on('exit', this.#onExit);
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Resolves to what it says when it is ready. @throws Error where it ends before that, or is not ready in time. */
  start(): Promise<RegExpExecArray> {
    const { program, args, ready } = this.#options;
    const child = fork(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#process = child;
    return new Promise((resolve, reject) => {
      let said = '';
      const fail = (why: string): void => reject(new Error(`${this.name} ${why}: ${said}`));
      const timer = setTimeout(() => fail(`is not ready after ${READY_MS} ms`), READY_MS);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        fail(`has ended with ${code ?? signal}`);
      });
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          const match = ready.exec(said);
          if (match === null) return;
          clearTimeout(timer);
          resolve(match);
          // Nobody reads the rest, but it must not stop the process.
          said = '';
        });
    });
  }

  /** kill -9: no goodbye. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    process.off('exit', this.#onExit);
  }
}
