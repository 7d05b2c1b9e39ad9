/** ZooKeeper's C client: its command line from Debian's `zookeeper-bin`, and its library for multi, which the command line does not have. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServedEnsemble } from './served-ensemble.ts';

const CLI = '/usr/lib/zookeeper/bin/cli_mt';

/** How long a line of the command line is waited for. */
const WAIT_MS = 15_000;

let served: ServedEnsemble;
let scratch: string;

beforeAll(async () => {
  served = await ServedEnsemble.start();
  scratch = mkdtempSync(join(tmpdir(), 'quorate-c-client-'));
});
afterAll(async () => {
  await served.stop();
  rmSync(scratch, { recursive: true });
});

/** The command line as a person would use it: a command, then what it printed. */
class CommandLine {
  readonly #process: ChildProcess;
  #output = '';
  #changed = () => {};

  constructor(connectString: string) {
    this.#process = spawn(CLI, ['-h', connectString], { stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
        this.#changed();
      });
    }
  }

  type(command: string): void {
    this.#process.stdin?.write(`${command}\n`);
  }

  /** What was printed up to and with the first match from here on; the rest stays for the next call. */
  async until(pattern: RegExp): Promise<string> {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) {
        const end = match.index + match[0].length;
        const text = this.#output.slice(0, end);
        this.#output = this.#output.slice(end);
        return text;
      }
      if (performance.now() > deadline) throw new Error(`waited for ${pattern}, and there was only:\n${this.#output}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        setTimeout(resolve, WAIT_MS);
      });
    }
  }

  async run(command: string, pattern: RegExp): Promise<string> {
    this.type(command);
    return await this.until(pattern);
  }

  async quit(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.type('quit');
    await ended;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

test('the command line creates, reads, lists, sets, watches and deletes', async () => {
  const line = new CommandLine(served.connectString);
  await line.until(/CONNECTED_STATE/);
  await line.run('create /c', /\[\/c\]: rc = 0/);
  await line.run('set /c hello', /ephemeralOwner/);
  expect(await line.run('get /c', /ephemeralOwner/)).toMatch(/value_len = 5\s+hello[\s\S]*version=1/);
  await line.run('create +s /c/n-', /name = \/c\/n-0000000000/);
  await line.run('ls /c', /\/c: rc = 0\s+n-0000000000/);
  await line.run('wexists /c/w', /Error -101 for \/c\/w/);
  await line.run('create /c/w', /CREATED_EVENT state = CONNECTED_STATE for path \/c\/w/);
  await line.run('delete /c', /\/c: rc = -111/);
  await line.run('delete /nowhere', /\/nowhere: rc = -101/);
  await line.run('delete /c/w', /\/c\/w: rc = 0/);
  await line.run('sync /c', /\[\/c\]: rc = 0/);
  await line.quit();
});

test('an ephemeral goes when its command line goes', async () => {
  const observer = new CommandLine(served.connectString);
  await observer.until(/CONNECTED_STATE/);
  for (const [path, end] of [
    ['/quits', (line: CommandLine) => line.quit()],
    ['/is-killed', (line: CommandLine) => line.kill()],
  ] as const) {
    const line = new CommandLine(served.connectString);
    await line.until(/CONNECTED_STATE/);
    await line.run(`create +e ${path}`, /rc = 0/);
    // It prints nothing of a znode that it finds; the sync behind it says that the watch is set.
    observer.type(`wexists ${path}`);
    await observer.run(`sync ${path}`, /rc = 0/);
    await end(line);
    await observer.until(new RegExp(`DELETED_EVENT state = CONNECTED_STATE for path ${path}`));
  }
  await observer.quit();
});

test('the command line lives through a crash of the leader', async () => {
  const line = new CommandLine(served.connectString);
  await line.until(/CONNECTED_STATE/);
  await line.run('create /kept', /rc = 0/);
  await served.crashLeader();
  for (;;) {
    // The first request after a crash may meet a connection that has just been cut.
    const answer = await line.run('set /kept value', /\/kept: rc = -?\d+/);
    if (answer.endsWith(' 0')) break;
  }
  await line.until(/ephemeralOwner/);
  expect(await line.run('get /kept', /ephemeralOwner/)).toContain('value');
  await line.quit();
});

test('the library does a multi, and none of it when one part fails', () => {
  const program = join(scratch, 'multi');
  execFileSync('cc', ['-DTHREADED', '-o', program, join(import.meta.dirname, 'multi.c'), '-lzookeeper_mt']);
  // execFileSync would stop this process, and the servers with it.
  return new Promise<void>((resolve, reject) => {
    let output = '';
    const child = spawn(program, [served.connectString], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.once('error', reject);
    child.once('exit', () => {
      try {
        expect(output.trim().split('\n')).toEqual([
          'multi: 0',
          'create /m: 0 /m',
          'set /m: 0 version 1',
          'check /m: 0',
          'create /m/c: 0 /m/c',
          'failing multi: -110',
          'set /m: 0',
          'create /m: -110',
          'delete /m/c: -2',
          'version of /m: 1',
        ]);
        resolve();
      } catch (error) {
        reject(error as Error);
      }
    });
  });
});
