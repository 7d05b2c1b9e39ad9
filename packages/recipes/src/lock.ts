/** Locks for the processes of a system: exclusive, or shared by those who only read. */
import type { Client, Data } from '@quorate/client';
import { validatePath } from '@quorate/protocol';
import { Line } from './line.js';
import { LineLock } from './line-lock.js';
import type { ZnodeOptions } from './parents.js';

/** How a lock is made. */
export interface LockOptions extends ZnodeOptions {
  /** Data of the znode with which this process stands in line: for people who look who has the lock. None when absent. */
  readonly data?: Data | undefined;
}

/**
 * An exclusive lock, fair: who comes first has it first, and a release wakes the next one alone (ZooKeeper's recipe; znodes as those of Curator's `InterProcessMutex`).
 *
 * One object serves any number of callers, each of which stands in line for itself. It holds nothing by itself, so there is nothing to close.
 *
 * @example
 * const lock = new Lock(client, '/locks/billing');
 * await lock.run(async ({ signal, fencingToken }) => bill({ signal, fencingToken }), { timeoutMs: 5_000 });
 */
export class Lock extends LineLock<'lock'> {
  /** @param path the directory of the lock, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path. */
  constructor(client: Client, path: string, { data, acl }: LockOptions = {}) {
    validatePath(path);
    const line = new Line(client, path, ['lock'], { acl });
    super({ client, line, kind: 'lock', data, inTheWay: (before) => before.at(-1) });
  }
}

/**
 * A lock that any number may share, or one has alone. Fair: who comes later waits for a writer who came earlier, so that no writer is starved by readers who keep coming.
 *
 * Each side is used like a `Lock`. A reader's fencing token is greater than that of every writer before, a writer's than that of everybody before. Who holds the lock to write may acquire
 * it to read `within` that; not the other way round, which would wait for itself.
 *
 * @example
 * const lock = new ReadWriteLock(client, '/locks/catalogue');
 * await lock.read.run(() => list());
 * await lock.write.run(({ fencingToken }) => replace({ fencingToken }));
 */
export class ReadWriteLock {
  readonly path: string;
  readonly read: LineLock<'read' | 'write'>;
  readonly write: LineLock<'read' | 'write'>;

  /** @param path as for a `Lock`. */
  constructor(client: Client, path: string, { data, acl }: LockOptions = {}) {
    validatePath(path);
    this.path = path;
    const line = new Line(client, path, ['read', 'write'], { acl });
    this.write = new LineLock({ client, line, kind: 'write', data, inTheWay: (before) => before.at(-1) });
    this.read = new LineLock({
      ...{ client, line, data, kind: 'read', wider: this.write },
      inTheWay: (before) => before.findLast(({ kind }) => kind === 'write'),
    });
  }
}
