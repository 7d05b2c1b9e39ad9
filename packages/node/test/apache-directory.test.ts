/** Data directories that Apache ZooKeeper 3.8.0 has written, in order and damaged. */
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readApacheDirectory } from '../src/apache-directory.js';

test('x', async () => {
  const r = await readApacheDirectory({ directory: join(import.meta.dirname, 'apache-3.8.0') });
  console.log(
    { ...r, database: undefined },
    r.database.lastZxid,
    r.database.tree.nodeCount,
    [...r.database.sessions.entries()],
    r.database.tree.ephemeralCount,
  );
});
