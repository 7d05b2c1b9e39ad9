/** Several processes that want the same again and again, wait for it more or less patiently, and hold it for a while: what all locks are played by. */
import { type Hold, isRecipeError, type WaitOptions } from '@quorate/recipes';
import type { Actor, Stage } from '../stage/stage.js';
import { between, chance, millis, pick } from '../world/random-streams.js';
import type { Holders } from './holders.js';

/** One way to get hold of something. */
export interface Seat {
  /** What it is to hold this, for the judgement. */
  readonly kind: string;
  acquire(options: WaitOptions): Promise<Hold>;
  tryAcquire?(): Promise<Hold | undefined>;
}

/** Plays until all is over. In the end each gets what it wants once more, however long it takes. @param seats of one life of a process; each time it takes any of them. */
export async function contest(stage: Stage, holders: Holders, seats: (actor: Actor) => readonly Seat[]): Promise<void> {
  const names = ['a', 'b', 'c', 'd'].slice(0, between(stage.random, 2, 4));
  await Promise.all(names.map((name) => stage.cast(name, (actor) => wantAgainAndAgain(stage, actor, holders, seats(actor)))));
}

async function wantAgainAndAgain(stage: Stage, actor: Actor, holders: Holders, seats: readonly Seat[]): Promise<void> {
  while (!actor.over.aborted) {
    await actor.pause(millis(actor.random, 0, stage.sessionTimeoutMs / 10), actor.over);
    const { kind, ...seat } = pick(actor.random, seats);
    const held = await tryOnce(stage, actor, seat);
    if (held !== undefined) await holders.keep(actor, held, { kind, forMs: holdMs(stage, actor) });
  }
  for (const { kind, acquire } of seats) await holders.keep(actor, await acquire({}), { kind, forMs: 1 });
}

/** Mostly short; at times for longer than a session lasts without its client. */
function holdMs({ sessionTimeoutMs }: Stage, { random }: Actor): number {
  return millis(random, 0, chance(random, 150) ? sessionTimeoutMs * 2 : sessionTimeoutMs / 4);
}

async function tryOnce(stage: Stage, actor: Actor, { acquire, tryAcquire }: Omit<Seat, 'kind'>): Promise<Hold | undefined> {
  const { random, over } = actor;
  actor.tempt();
  if (tryAcquire !== undefined && chance(random, 150)) return tryAcquire();
  const timeoutMs = chance(random, 400) ? millis(random, 0, stage.sessionTimeoutMs) : undefined;
  const signal = chance(random, 500) ? over : undefined;
  try {
    return await acquire({ timeoutMs, signal });
  } catch (error) {
    if (isRecipeError(error, 'TIMEOUT')) stage.seen('not had in time');
    else if (signal === undefined || error !== signal.reason) throw error;
    return undefined;
  }
}
