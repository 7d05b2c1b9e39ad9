/** kazoo, the client of Python, from Debian's `python3-kazoo`. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ServedEnsemble } from './served-ensemble.ts';

test('the lock of kazoo: one holds it, the other waits', async () => {
  const served = await ServedEnsemble.start();
  // The interpreter of Debian, which has Debian's packages, wherever else there may be one.
  const child = spawn('/usr/bin/python3', ['-u', join(import.meta.dirname, 'kazoo_lock.py'), served.connectString]);
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
  expect(output.trim().split('\n')).toEqual(['lock first []', "lock ['second']"]);
});
