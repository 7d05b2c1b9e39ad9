/** A process that holds a lock and stands still beyond its session. */
import { Lock } from '@quorate/recipes';
import { Client, Ensemble, SeededRandom, VirtualClock } from 'quorate';
import { expect, it } from 'vitest';
import { ActorProcess } from '../../src/stage/actor-process.ts';
import { ActorWire } from '../../src/stage/actor-wire.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What remembers the greatest token, and refuses smaller ones. */
class Store {
  #greatest = 0;

  write(token: number): boolean {
    if (token < this.#greatest) return false;
    this.#greatest = token;
    return true;
  }
}

it('finds its signal aborted before any call resolves, and its late write is refused', async () => {
  const clock = new VirtualClock();
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    let done = false;
    const end = (): void => {
      done = true;
    };
    promise.then(end, end);
    for (await turn(); !done; await turn()) clock.step();
    return promise;
  };
  const ensemble = await settled(Ensemble.start({ servers: 3, clock, random: new SeededRandom(1) }));
  const process = new ActorProcess(clock, () => {});
  const inner = ensemble.connector();
  const connector = new ActorWire({ inner, process, fateOf: () => 'pass', onInjury: () => {} });
  const sleeper = await settled(Client.connect({ connector, clock: process, random: new SeededRandom(2), sessionTimeoutMs: 1000 }));
  const other = await settled(ensemble.connect({ sessionTimeoutMs: 1000 }));

  const store = new Store();
  const held = await settled(new Lock(sleeper, '/locks/a').acquire());
  expect(store.write(held.fencingToken)).toBe(true);
  // As a program keeps it: not asked for again, so that nothing but the library makes it abort.
  const { signal } = held;
  const seen: string[] = [];
  for (const call of [sleeper.sync(), sleeper.getData('/locks/a'), sleeper.exists('/b')]) {
    const note = (): void => void seen.push(signal.aborted ? 'aborted' : 'safe');
    call.then(note, note);
  }
  process.pause();
  const next = await settled(new Lock(other, '/locks/a').acquire());
  expect(store.write(next.fencingToken)).toBe(true);
  expect([seen, signal.aborted]).toEqual([[], false]);

  process.resume();
  for (let i = 0; i < 200; i++) {
    await turn();
    clock.step();
  }
  expect(seen).toEqual(['aborted', 'aborted', 'aborted']);
  expect(store.write(held.fencingToken)).toBe(false);
  await ensemble.close();
});
