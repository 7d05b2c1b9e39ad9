/** Locks of all kinds. */
import { type Hold, isRecipeError, Lease, Lock, MultiLock, ReadWriteLock, Semaphore } from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { between, chance, millis } from '../world/random-streams.js';
import { contest, type Seat } from './contest.js';
import { Holders } from './holders.js';
import { judgeNothingLeft } from './nothing-left.js';

export const lockScenarios: readonly Scenario[] = [
  {
    name: 'lock',
    async play(stage) {
      const holders = new Holders(stage);
      await contest(stage, holders, ({ client, id }) => [seatOf('holder', new Lock(client, '/locks/one', { data: id }))]);
      holders.judgeExclusion();
      await judgeNothingLeft(stage, '/locks/one');
    },
  },
  {
    name: 'read-write-lock',
    async play(stage) {
      const holders = new Holders(stage);
      await contest(stage, holders, ({ client }) => {
        const lock = new ReadWriteLock(client, '/locks/one');
        return [seatOf('reader', lock.read), seatOf('writer', lock.write)];
      });
      holders.judgeExclusion((a, b) => a === 'writer' || b === 'writer');
      if (holders.holdings().some((one) => holders.holdings().some((other) => overlap(one, other)))) stage.seen('two readers at a time');
      await judgeNothingLeft(stage, '/locks/one');
    },
  },
  {
    name: 'semaphore',
    async play(stage) {
      const holders = new Holders(stage);
      const permits = between(stage.random, 1, 3);
      await contest(stage, holders, ({ client }) => [seatOf('holder', new Semaphore(client, '/semaphore', { permits }))]);
      holders.judgeLimit(permits);
      await judgeNothingLeft(stage, '/semaphore/leases');
      await judgeNothingLeft(stage, '/semaphore/locks');
    },
  },
  {
    name: 'lease',
    async play(stage) {
      const holders = new Holders(stage);
      const durationMs = stage.sessionTimeoutMs / 8;
      await contest(stage, holders, ({ client }) => [seatOf('holder', new Lease(client, '/locks/one', { durationMs }))]);
      holders.judgeExclusion();
      await judgeNothingLeft(stage, '/locks/one');
    },
  },
  { name: 'multi-lock', play: playMultiLock },
];

function seatOf(kind: string, lock: Pick<Lock, 'acquire'> & Partial<Pick<Lock, 'tryAcquire'>>): Seat {
  return {
    kind,
    acquire: (options) => lock.acquire(options),
    ...(lock.tryAcquire !== undefined && { tryAcquire: () => (lock as Lock).tryAcquire() }),
  };
}

function overlap(a: ReturnType<Holders['holdings']>[number], b: typeof a): boolean {
  return a !== b && a.kind === 'reader' && b.kind === 'reader' && a.fromMs < b.untilMs && b.fromMs < a.untilMs;
}

/** Some want both locks, named in either order, some want one of them. */
async function playMultiLock(stage: Stage): Promise<void> {
  const paths = ['/locks/x', '/locks/y'];
  const holders = new Map(paths.map((path) => [path, new Holders(stage)]));
  const keep = (actor: Actor, holds: readonly Hold[], forMs: number): Promise<unknown> =>
    Promise.all(holds.map((held) => holders.get(held.path.slice(0, held.path.lastIndexOf('/')))?.keep(actor, held, { forMs })));
  const part = async (actor: Actor): Promise<void> => {
    const { client, random, over, pause } = actor;
    const locks = paths.map((path) => new Lock(client, path));
    const both = new MultiLock(chance(random, 500) ? locks : locks.toReversed());
    while (!over.aborted) {
      await pause(millis(random, 0, stage.sessionTimeoutMs / 10), over);
      const one = locks[between(random, 0, 1)] as Lock;
      const timeoutMs = chance(random, 400) ? millis(random, 0, stage.sessionTimeoutMs / 2) : undefined;
      actor.tempt();
      try {
        const holds = chance(random, 400) ? [await one.acquire({ timeoutMs })] : (await both.acquire({ timeoutMs })).holds;
        await keep(actor, holds, millis(random, 0, stage.sessionTimeoutMs / 4));
      } catch (error) {
        if (!isRecipeError(error, 'TIMEOUT')) throw error;
        stage.seen('not had in time');
      }
    }
    await keep(actor, (await both.acquire()).holds, 1);
  };
  await Promise.all(['a', 'b', 'c'].map((name) => stage.cast(name, part)));
  for (const [path, each] of holders) {
    each.judgeExclusion();
    await judgeNothingLeft(stage, path);
  }
}
