/** The example that moves by its connection string alone: what it prints is the same wherever it runs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { startOn } from './apache-server.ts';
import { ServedEnsemble } from './served-ensemble.ts';

const PRINTED = `the colour was blue, then green, then gone
10 went through the door, 1 at a time; the tokens ascend
1 order; the second one was refused: BAD_VERSION
`;

/** What the program prints there. */
async function run(connectString: string): Promise<string> {
  const program = ['--conditions=@quorate/source', '--import', 'tsx', 'examples/src/anywhere.ts', connectString];
  const child = spawn(process.execPath, program, { cwd: resolve(import.meta.dirname, '../..'), stdio: ['ignore', 'pipe', 'inherit'] });
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return printed;
}

test('within its own process', async () => {
  expect(await run('memory:3/app')).toBe(PRINTED);
});

test('at our servers over TCP', async () => {
  const served = await ServedEnsemble.start();
  try {
    expect(await run(`${served.connectString}/app/deeper`)).toBe(PRINTED);
  } finally {
    await served.stop();
  }
});

test('at Apache ZooKeeper', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-anywhere-'));
  const server = await startOn(directory);
  try {
    expect(await run(`${server.connectString}/app`)).toBe(PRINTED);
  } finally {
    await server.stop();
    await rm(directory, { recursive: true });
  }
});
