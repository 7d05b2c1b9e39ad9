/** A lock on an ensemble in the process, in virtual time: what a test of a recipe looks like that needs no weather. */
import { Hold, isRecipeError, Lock } from '@quorate/recipes';
import { type Client, Ensemble, SeededRandom, VirtualClock } from 'quorate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let clock: VirtualClock;
let ensemble: Ensemble;
let client: Client;

/** Lets time pass until a promise has settled: the clock moves on whenever nobody has anything to do. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!done) clock.step();
  }
  return promise;
}

beforeEach(async () => {
  clock = new VirtualClock();
  ensemble = await settled(Ensemble.start({ servers: 1, clock, random: new SeededRandom(1) }));
  client = await settled(ensemble.connect());
});

afterEach(() => ensemble.close());

describe('a lock', () => {
  it('is had by one at a time, in the order in which they came, with greater and greater tokens', async () => {
    const lock = new Lock(client, '/locks/a');
    const order: number[] = [];
    const tokens: number[] = [];
    let inside = 0;
    const tasks = [1, 2, 3, 4].map((number) =>
      lock.run(async ({ fencingToken }) => {
        expect(++inside).toBe(1);
        order.push(number);
        tokens.push(fencingToken);
        await client.sync();
        inside--;
      }),
    );
    await settled(Promise.all(tasks));
    expect(order).toEqual([1, 2, 3, 4]);
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
  });

  it('is not waited for longer than was said, and then nothing is left', async () => {
    const lock = new Lock(client, '/locks/a');
    const held = await settled(lock.acquire());
    const before = clock.now();
    const error = await settled(lock.acquire({ timeoutMs: 300 }).catch((reason) => reason));
    expect(isRecipeError(error, 'TIMEOUT')).toBe(true);
    expect(clock.now() - before).toBe(300);
    await settled(held.release());
    expect((await settled(client.getChildren('/locks/a'))).children).toEqual([]);
  });

  it('is tried without waiting', async () => {
    const lock = new Lock(client, '/locks/a');
    const held = await settled(lock.tryAcquire());
    expect(held).toBeInstanceOf(Hold);
    expect(await settled(lock.tryAcquire())).toBeUndefined();
    await settled((held as Hold).release());
    expect(await settled(lock.tryAcquire())).toBeInstanceOf(Hold);
  });

  it('is entered again by who has it, and ends with the outer hold', async () => {
    const lock = new Lock(client, '/locks/a');
    const outer = await settled(lock.acquire());
    const inner = await settled(lock.acquire({ within: outer }));
    expect(inner.fencingToken).toBe(outer.fencingToken);
    await settled(outer.release());
    expect(isRecipeError(inner.signal.reason, 'RELEASED')).toBe(true);
    const error = await settled(lock.acquire({ within: outer }).catch((reason) => reason));
    expect(isRecipeError(error, 'LOST')).toBe(true);
    const other = await settled(new Lock(client, '/locks/b').acquire());
    await expect(settled(lock.acquire({ within: other }))).rejects.toThrow(TypeError);
  });

  it('is not given while the lease is over', async () => {
    // As after a process has stood still between the question and the answer: only what a leader answers from now on makes the lease good.
    let isOver = true;
    const syncs: string[] = [];
    const late = new Proxy(client, {
      get: (target, name) => {
        if (name === 'leaseSignal' && isOver) return AbortSignal.abort(new Error('over'));
        const value = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (name === 'sync') {
            syncs.push('sync');
            isOver = syncs.length < 3;
          }
          return value.apply(target, args);
        };
      },
    });
    const held = await settled(new Lock(late, '/locks/a').acquire());
    expect(held.signal.aborted).toBe(false);
    expect(syncs).toHaveLength(3);
  });

  it('is lost where somebody removes its znode', async () => {
    const held = await settled(new Lock(client, '/locks/a').acquire());
    await settled(client.delete(held.path));
    await settled(client.sync());
    expect(isRecipeError(held.signal.reason, 'LOST')).toBe(true);
  });

  it('never hides the error of a task, not even where the release fails too', async () => {
    const lock = new Lock(client, '/locks/a');
    const mine = new Error('mine');
    const run = lock.run(() => {
      ensemble.expireSession(client);
      throw mine;
    });
    await expect(settled(run)).rejects.toBe(mine);
  });
});
