/** The servers that are measured, and the load generator: a process each, all ended by `close`. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '@quorate/node';
import { foundEnsemble } from '../../../scripts/crash/ensemble.ts';
import { startApache as launchApache } from '../../../scripts/differential/apache.ts';
import { createFolder, DATA_BYTES, FOLDER, type LoadOrder, type LoadResult, ZNODES, znode } from './order.js';

/** Where Linux keeps files in memory. */
const MEMORY_FOLDER = '/dev/shm';
const SESSIONS_MAX = 64;
export const DURABLE_SERVERS = 3;
/** Within this a server of ours serves, in milliseconds. */
export const START_MS_MAX = 30_000;
/** This file is run from bench/dist. */
export const QUORATE = fileURLToPath(new URL('compare/quorate.js', import.meta.url));

export interface Contestant {
  readonly name: string;
  readonly ports: readonly number[];
  readonly pids: readonly number[];
  close(): Promise<void>;
}

/** Apache ZooKeeper as it comes: default flags of the JVM, every txn flushed; but its files are in memory, so that a flush costs it next to nothing. */
export async function startApache(): Promise<Contestant> {
  const inMemory = existsSync(MEMORY_FOLDER);
  const { servers, close } = await launchApache(1, { under: inMemory ? MEMORY_FOLDER : tmpdir(), java: [], settings: ['tickTime=2000'] });
  return {
    name: `Apache ZooKeeper 3.8.0, files ${inMemory ? 'on tmpfs' : 'on disk'}`,
    ports: servers.map(({ port }) => port),
    pids: servers.map(({ pid }) => pid),
    close,
  };
}

/** Three of Apache's, as they come, with their files on the disk: every txn is flushed. */
export async function startDurableApache(): Promise<Contestant> {
  const { servers, close } = await launchApache(DURABLE_SERVERS, { under: tmpdir(), java: [], settings: ['tickTime=2000'] });
  const ports = servers.map(({ port }) => port);
  return { name: 'Apache ZooKeeper 3.8.0, three servers, on disk', ports, pids: servers.map(({ pid }) => pid), close };
}

/** Three `quorate serve`, with their files on the disk. */
export async function startDurableOurs(): Promise<Contestant> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-durable-'));
  const servers = await foundEnsemble({ program: QUORATE, folder, servers: DURABLE_SERVERS, settings: ['tickTime=2000'] });
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(servers.map((server) => server.start(START_MS_MAX)));
  } catch (error) {
    await close();
    throw error;
  }
  const ports = servers.map(({ port }) => port);
  return { name: 'Quorate, three servers, on disk', ports, pids: servers.map(({ pid }) => pid as number), close };
}

export async function startOurs(): Promise<Contestant> {
  const child = forkBuilt('served.js');
  const port = (await nextMessage(child)) as number;
  return { name: 'Quorate, one server, in memory', ports: [port], pids: [child.pid as number], close: () => end(child) };
}

/** Gives a server what the load is about. */
export async function furnish({ ports }: Contestant): Promise<void> {
  await using client = await connect(ports.map((port) => `127.0.0.1:${port}`).join());
  await client.create(FOLDER);
  const paths = Array.from({ length: ZNODES }, (_, index) => znode(index));
  await Promise.all(paths.map((path) => client.create(path, new Uint8Array(DATA_BYTES))));
  await Promise.all(Array.from({ length: SESSIONS_MAX }, (_, session) => client.create(createFolder(session))));
}

export class LoadGenerator {
  readonly #process = forkBuilt('load.js');

  async run(order: LoadOrder): Promise<LoadResult> {
    if (order.sessions > SESSIONS_MAX) throw new RangeError(`at most ${SESSIONS_MAX} sessions`);
    this.#process.send(order);
    return (await nextMessage(this.#process)) as LoadResult;
  }

  close(): Promise<void> {
    return end(this.#process);
  }
}

/** This file is run from bench/dist. */
function forkBuilt(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(`compare/${file}`, import.meta.url)));
}

/** The next message of a process; that it ends instead is an error, of which it has said more itself. */
function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`${child.spawnargs.join(' ')} has ended with the status ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, 'exit');
  child.disconnect();
  await gone;
}
