/** What the files of a store say from outside, while its server runs. */
import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerConfig } from './server-config.js';

const isSnapshot = (name: string): boolean => name.startsWith('snapshot');

/** What they take, in bytes. */
export function sizesOf(config: ServerConfig): { readonly snapshots: number; readonly log: number } {
  const sizes = { snapshots: 0, log: 0 };
  for (const [name, { size }] of filesOf(config)) sizes[isSnapshot(name) ? 'snapshots' : 'log'] += size;
  return sizes;
}

/** When the newest snapshot was written, by the wall clock; undefined where there is none. */
export function snapshotTimeOf(config: ServerConfig): number | undefined {
  const times = [...filesOf(config)].filter(([name]) => isSnapshot(name)).map(([, { mtimeMs }]) => mtimeMs);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** None where everything is in memory. */
function* filesOf({ dataDir }: ServerConfig): Generator<readonly [name: string, stat: Stats]> {
  if (dataDir === undefined) return;
  for (const name of readdirSync(dataDir)) {
    const stat = statSync(join(dataDir, name), { throwIfNoEntry: false });
    if (stat?.isFile() === true) yield [name, stat];
  }
}
