import { isRecipeError, Lock } from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { between, chance, millis } from '../world/random-streams.js';
import { Holders } from './holders.js';
import { judgeNothingLeft } from './nothing-left.js';

/** Processes want one lock again and again, wait for it more or less patiently, and hold it for a while. In the end each gets it once more. */
export const lockScenario: Scenario = {
  name: 'lock',
  async play(stage) {
    const holders = new Holders(stage);
    const names = ['a', 'b', 'c', 'd'].slice(0, between(stage.random, 2, 4));
    await Promise.all(names.map((name) => stage.cast(name, (actor) => wantAgainAndAgain(stage, actor, holders))));
    holders.judgeExclusion();
    await judgeNothingLeft(stage, '/locks/one');
  },
};

async function wantAgainAndAgain(stage: Stage, actor: Actor, holders: Holders): Promise<void> {
  const lock = new Lock(actor.client, '/locks/one', { data: actor.id });
  const shortMs = stage.sessionTimeoutMs / 10;
  while (!actor.over.aborted) {
    await actor.pause(millis(actor.random, 0, shortMs), actor.over);
    const held = await tryOnce(stage, actor, lock);
    if (held !== undefined) await holders.keep(actor, held, { forMs: holdMs(stage, actor) });
  }
  await holders.keep(actor, await lock.acquire(), { forMs: 1 });
}

/** Mostly short; at times for longer than a session lasts without its client. */
function holdMs({ sessionTimeoutMs }: Stage, { random }: Actor): number {
  return millis(random, 0, chance(random, 150) ? sessionTimeoutMs * 2 : sessionTimeoutMs / 4);
}

async function tryOnce(stage: Stage, { random, over }: Actor, lock: Lock) {
  if (chance(random, 150)) return lock.tryAcquire();
  const timeoutMs = chance(random, 400) ? millis(random, 0, stage.sessionTimeoutMs) : undefined;
  const signal = chance(random, 500) ? over : undefined;
  try {
    return await lock.acquire({ timeoutMs, signal });
  } catch (error) {
    if (isRecipeError(error, 'TIMEOUT')) stage.seen('lock not had in time');
    else if (error !== signal?.reason) throw error;
    return undefined;
  }
}
