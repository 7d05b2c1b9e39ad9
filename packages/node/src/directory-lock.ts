/**
 * A directory for one process alone, for as long as that process lives.
 *
 * The lock is a socket in the directory on which its holder listens: when the process ends, however it ends, nobody listens any more, and a socket in a file system is found
 * from every container that shares it. (A file with a process id would have to be judged by somebody who may not see that process.)
 *
 * No name is ever taken over, because between finding a holder dead and taking its place another may have done so. Who comes takes the next number, listens, and then looks
 * whether anybody else does. Of two that come at once, whoever looks later hears the other: one of them at least withdraws.
 */
import { readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DiskError } from '@quorate/ports';

const PREFIX = 'lock-';

/** A holder. */
export interface DirectoryLock {
  release(): Promise<void>;
}

export function isLockName(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * @param directory by a path short enough for a socket: 90 bytes.
 * @throws DiskError LOCKED where another process has it; what `listen` said, where there can be no sockets.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const before = await numbers(directory);
  await refuseIfHeld(directory, before);
  const mine = Math.max(0, ...before) + 1;
  const server = await listen(join(directory, PREFIX + mine));
  const release = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  try {
    const others = (await numbers(directory)).filter((number) => number !== mine);
    await refuseIfHeld(directory, others);
    // Nobody listens there any more, or somebody is about to and will hear this one.
    for (const number of others) if (number < mine) await rm(join(directory, PREFIX + number), { force: true });
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

async function numbers(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names.filter(isLockName).map((name) => Number(name.slice(PREFIX.length)));
}

async function refuseIfHeld(directory: string, locks: readonly number[]): Promise<void> {
  for (const number of locks) {
    const path = join(directory, PREFIX + number);
    if (await isHeld(path)) throw new DiskError('LOCKED', `another process uses this directory: it listens on ${path}; stop it first`);
  }
}

/** Held is what answers, and what does not say plainly that nobody is there. */
function isHeld(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      reject(
        taken
          ? new DiskError('LOCKED', `another process is about to use this directory: ${path}`)
          : new DiskError('IO', `a directory is locked by a socket in it, and there can be none at ${path}: ${cause.message}`, { cause }),
      );
    });
    server.listen(path, () => {
      // The lock alone keeps no process alive.
      server.unref();
      resolve(server);
    });
  });
}
