/** A log that Apache ZooKeeper 3.8.0 has written, of creations of every kind, changes, multis, quotas and closed sessions. */
import { join } from 'node:path';
import { OpCode } from '@quorate/protocol';
import type { NodeHandle } from '@quorate/tree';
import { expect, test } from 'vitest';
import { readLogs } from '../scripts/differential/apache-log.ts';
import { replay } from '../scripts/differential/replay.ts';

const log = await readLogs(join(import.meta.dirname, 'apache-3.8.0'));

test('our tree comes to the digests that stand behind its txns', () => {
  const { tree, compared } = replay(log);
  expect([log.length, compared]).toEqual([24, 23]);
  const stats = tree.data(tree.find('/zookeeper/quota/a/zookeeper_stats') as NodeHandle);
  expect(new TextDecoder().decode(stats as Uint8Array)).toBe('count=4,bytes=8');
});

test('a txn that does something else does not', () => {
  const changes = [...log.keys()].filter((index) => log[index]?.txn.type === OpCode.create2);
  expect(changes.length).toBeGreaterThan(5);
  for (const index of changes) {
    const { header, txn, digest } = log[index] as (typeof log)[number];
    const late = [...log.slice(0, index), { header: { ...header, time: header.time + 1 }, txn, digest }];
    const isSeen = !('path' in txn && txn.path.startsWith('/zookeeper/'));
    if (isSeen) expect(() => replay(late), `txn ${index}`).toThrow('theirs is');
    else expect(() => replay(late), `txn ${index}`).not.toThrow();
  }
});
