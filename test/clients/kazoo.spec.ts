/** kazoo, the client of Python, from Debian's `python3-kazoo`. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ServedEnsemble } from './served-ensemble.ts';

test('kazoo: nodes, watches, transactions and its lock', async () => {
  const served = await ServedEnsemble.start();
  // The interpreter of Debian, which has Debian's packages, wherever else there may be one.
  const child = spawn('/usr/bin/python3', ['-u', join(import.meta.dirname, 'scenario.py'), served.connectString]);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  await new Promise((resolve) => child.once('exit', resolve));
  await served.stop();
  expect(errors).toBe('');
  expect(output.trim().split('\n')).toEqual([
    'create /py',
    'create again NodeExistsError',
    'sequence /py/n-0000000000 /py/n-0000000001',
    'get one 0 2',
    'set BadVersionError',
    'watch CHANGED /py',
    'transaction True /py/t 2',
    "transaction ['RolledBackError', 'NoNodeError']",
    'lock first []',
    "lock ['second']",
    'get NoNodeError',
  ]);
});
