/** Rounds of kill -9 under load: each ends with all servers back by themselves, and with nothing lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@quorate/client';
import { connect } from '@quorate/node';
import { oneIn, type Random, randomBelow, SeededRandom } from '@quorate/ports';
import { isZooKeeperError, joinPath } from '@quorate/protocol';
import { ask } from '../../packages/node/test/support/ask.ts';
import { agreement, type ServeProcess } from './ensemble.ts';
import { type Created, Load, SESSION_TIMEOUT_MS } from './load.ts';
import { again, Reader } from './read-back.ts';

const WRITERS = 4;
/** How long the load runs before the kill, and how long who was killed is away, in milliseconds. */
const BEFORE_MS_MAX = 300;
const AWAY_MS_MAX = 300;
/** Within this a server that was killed serves again, in milliseconds. */
export const RESTART_MS_MAX = 20_000;
/** An older folder is read once more and removed: a tree that grew with every round would make the rounds ever longer. */
const FOLDERS_KEPT = 8;
/** Znodes that a txn removes at a time. */
const REMOVED_AT_A_TIME = 1_000;

export interface RoundsOptions {
  readonly servers: readonly ServeProcess[];
  readonly rounds: number;
  readonly seed: number;
  /** Told of each round that was good. */
  readonly onRound?: ((round: number) => void) | undefined;
}

export interface RoundsResult {
  readonly rounds: number;
  readonly acknowledged: number;
  readonly unknown: number;
  /** How long each restart took until the server served, in milliseconds. */
  readonly restartsMs: readonly number[];
  readonly faults: readonly string[];
  /** Of all trees at the end. */
  readonly hash: string | undefined;
}

/** Starts the servers and leaves them running. Ends with the first round in which something was wrong. */
export async function runRounds({ servers, rounds, seed, onRound }: RoundsOptions): Promise<RoundsResult> {
  const random = new SeededRandom(seed);
  await Promise.all(servers.map((server) => server.start(RESTART_MS_MAX)));
  const hosts = servers.map(({ address }) => address).join();
  const load = await Load.connect(hosts, WRITERS);
  const readers = await Promise.all(servers.map((server) => Reader.connect(server)));
  const keeper = await connect(hosts, { sessionTimeoutMs: SESSION_TIMEOUT_MS });
  const restartsMs: number[] = [];
  let faults: readonly string[] = [];
  let done = 0;
  while (done < rounds && faults.length === 0) {
    const folder = `/created/${done}`;
    await ensure(keeper, folder);
    load.turnTo(folder);
    if (done === 0) load.run();
    faults = await killAndRestart(servers, random, restartsMs);
    if (faults.length === 0) faults = await readBack(load, readers, 2);
    if (faults.length === 0) faults = await removeOldest(load, readers, keeper);
    if (faults.length === 0) onRound?.(++done);
  }
  await load.stop();
  let hash: string | undefined;
  if (faults.length === 0) {
    faults = await readBack(load, readers, Infinity);
    hash = await agreement(servers, hashOf, RESTART_MS_MAX).catch((error: Error) => {
      faults = [...faults, error.message];
      return undefined;
    });
    await Promise.all([keeper, load, ...readers].map((open) => open.close()));
  }
  return { rounds: done, ...load.counts, restartsMs, faults, hash };
}

async function killAndRestart(servers: readonly ServeProcess[], random: Random, restartsMs: number[]): Promise<readonly string[]> {
  await sleep(randomBelow(random, BEFORE_MS_MAX));
  const victims = chooseVictims(servers, random);
  await Promise.all(victims.map((victim) => victim.kill()));
  await sleep(randomBelow(random, AWAY_MS_MAX));
  const startedAt = performance.now();
  const restarts = victims.map(async (victim) => {
    await victim.start(RESTART_MS_MAX);
    restartsMs.push(performance.now() - startedAt);
  });
  const results = await Promise.allSettled(restarts);
  return results.filter((result) => result.status === 'rejected').map(({ reason }) => (reason as Error).message);
}

/** Mostly one; every fifth time the quorum goes, every tenth time everybody. */
function chooseVictims(servers: readonly ServeProcess[], random: Random): readonly ServeProcess[] {
  if (oneIn(random, 10)) return servers;
  const count = oneIn(random, 4) ? Math.floor(servers.length / 2) + 1 : 1;
  const left = [...servers];
  return Array.from({ length: count }, () => left.splice(randomBelow(random, left.length), 1)[0] as ServeProcess);
}

/** The last folders, on all servers. */
export function readBack(load: Load, readers: readonly Reader[], folders: number): Promise<readonly string[]> {
  return readFolders(load, readers, [...load.folders].slice(-folders));
}

async function removeOldest(load: Load, readers: readonly Reader[], keeper: Client): Promise<readonly string[]> {
  const [oldest] = load.folders;
  if (oldest === undefined || load.folders.size <= FOLDERS_KEPT) return [];
  const faults = await readFolders(load, readers, [oldest]);
  if (faults.length > 0) return faults;
  const [folder] = oldest;
  load.folders.delete(folder);
  await make(() => empty(keeper, folder));
  await make(() => keeper.delete(folder));
  return [];
}

async function empty(client: Client, folder: string): Promise<void> {
  // Whichever server the client is at, it knows what is gone already.
  await client.sync(folder);
  const { children } = await client.getChildren(folder);
  for (let begin = 0; begin < children.length; begin += REMOVED_AT_A_TIME) {
    const names = children.slice(begin, begin + REMOVED_AT_A_TIME);
    await client.multi(names.map((name) => ({ op: 'delete', path: joinPath(folder, name) }) as const));
  }
}

async function readFolders(
  load: Load,
  readers: readonly Reader[],
  wanted: readonly (readonly [folder: string, created: Created])[],
): Promise<readonly string[]> {
  if (load.failure !== undefined) return [`a write was answered with ${load.failure.message}`];
  const results = await Promise.allSettled(readers.map((reader) => reader.faults(load, wanted)));
  return results.flatMap((result) => (result.status === 'fulfilled' ? result.value : [(result.reason as Error).message]));
}

export function ensure(client: Client, path: string): Promise<void> {
  return make(() => client.create(path));
}

/** A change whose connection ends is made again; the second time it may find that it was made. */
async function make(change: () => Promise<unknown>): Promise<void> {
  await again((isFirst) =>
    change().catch((error: unknown) => {
      if (isFirst || !(isZooKeeperError(error, 'NODE_EXISTS') || isZooKeeperError(error, 'NO_NODE'))) throw error;
    }),
  );
}

/** A server that is just starting says nothing. */
export function hashOf(address: string): Promise<string> {
  return ask(address, 'hash').catch(() => '');
}
