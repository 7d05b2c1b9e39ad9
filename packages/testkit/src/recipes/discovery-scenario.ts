import { isFinal } from '@quorate/client';
import { isZooKeeperError, joinPath } from '@quorate/protocol';
import {
  anyOfThem,
  type Balancer,
  byKey,
  Discovery,
  type Instance,
  isRecipeError,
  type Joined,
  leastLoaded,
  roundRobin,
  type ServiceView,
} from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { chance, millis } from '../world/random-streams.js';
import { judgeNothingLeft } from './nothing-left.js';

const PATH = '/services';
const SERVICE = 'mail';
const DIRECTORY = joinPath(PATH, SERVICE);
const KEYS = ['k0', 'k1', 'k2', 'k3', 'k4'];
const STAYING = ['stays-a', 'stays-b'];

/** Instances of a service come, go and die, and callers choose among them: nobody is given one that he could know to be gone, and in the end everybody sees exactly those that are there. */
export const discoveryScenario: Scenario = {
  name: 'discovery',
  async play(stage) {
    const registry = new Registry(stage);
    await Promise.all([
      ...['a', 'b', 'c'].map((name) => stage.cast(name, (actor) => comeAndGo(stage, actor, registry))),
      ...habits(stage, registry).map((habit) => stage.cast(habit.name, (actor) => callAgainAndAgain(stage, actor, registry, habit))),
      // If they could lose their sessions, there would be a moment at which one of them is not there, and somebody might look then.
      ...STAYING.map((name) => stage.cast(name, (actor) => comeToStay(stage, actor, registry), { unharmed: true })),
    ]);
    await judgeNothingLeft(stage, DIRECTORY);
  },
};

/** What an instance says of itself. */
interface Card {
  /** Which registration it is, of all that there ever were. */
  readonly number: number;
  /** 1, and 2 once it was updated. */
  readonly edition: number;
}

// Instances

async function comeAndGo(stage: Stage, actor: Actor, registry: Registry): Promise<void> {
  const { random, over, pause } = actor;
  while (!over.aborted) {
    const registration = await registry.register(actor);
    actor.tempt();
    await pause(millis(random, 0, stage.sessionTimeoutMs / 3), over);
    if (chance(random, 500)) await registration.update();
    await pause(millis(random, 0, stage.sessionTimeoutMs / 3), over);
    await registration.release();
    await pause(millis(random, 0, stage.sessionTimeoutMs / 4), over);
  }
}

/** It comes when nothing goes wrong any more, and is there until everybody has looked. */
async function comeToStay(stage: Stage, actor: Actor, registry: Registry): Promise<void> {
  while (!actor.over.aborted) await actor.pause(stage.sessionTimeoutMs, actor.over);
  const registration = await registry.register(actor);
  await actor.pause(stage.sessionTimeoutMs * 6);
  await registration.release();
}

/** One registration, as the world knows it. */
class Registration {
  readonly card: Card;
  readonly #stage: Stage;
  readonly #actor: Actor;
  #joined: { readonly held: Joined; readonly atMs: number } | undefined;
  #updatedAtMs = Number.POSITIVE_INFINITY;
  #goneAtMs = Number.POSITIVE_INFINITY;
  #isLeaving = false;

  constructor(stage: Stage, actor: Actor, number: number) {
    this.card = { number, edition: 1 };
    this.#stage = stage;
    this.#actor = actor;
  }

  get id(): string {
    return this.#actor.name;
  }

  async register(): Promise<void> {
    const discovery = new Discovery(this.#actor.client, PATH);
    const held = await discovery.register(SERVICE, { id: this.id, data: this.card });
    this.#joined = { held, atMs: this.#stage.now() };
  }

  async update(): Promise<void> {
    await this.#joined?.held.update(JSON.stringify({ ...this.card, edition: 2 }));
    this.#updatedAtMs = this.#stage.now();
  }

  async release(): Promise<void> {
    this.#isLeaving = true;
    await this.#joined?.held.release();
    // A client whose session has ended by its own clock does not know whether the servers have ended it.
    if (!isFinal(this.#actor.client.state)) this.isGone();
  }

  /** Somebody knows it, and it does not come again. */
  isGone(): void {
    this.#goneAtMs = Math.min(this.#goneAtMs, this.#stage.now());
  }

  /** Whether it answers a call. */
  get answers(): boolean {
    return this.#actor.diedAtMs === undefined && !this.#isLeaving;
  }

  /** Whether nothing can have ended it up to now. The lease is asked now: a signal that was taken earlier does not look at the clock. */
  get isSurelyThere(): boolean {
    const { diedAtMs, evictedAtMs, frozenAtMs, client } = this.#actor;
    return !this.#isLeaving && [diedAtMs, evictedAtMs, frozenAtMs].every((at) => at === undefined) && !client.leaseSignal.aborted;
  }

  wasThereBy(ms: number): boolean {
    return this.#joined !== undefined && this.#joined.atMs < ms;
  }

  wasGoneBy(ms: number): boolean {
    return this.#goneAtMs < ms;
  }

  wasUpdatedBy(ms: number): boolean {
    return this.#updatedAtMs < ms;
  }

  get znode(): string | undefined {
    return this.#joined?.held.path;
  }
}

/** All registrations that there ever were, and what callers may be given of them. */
class Registry {
  readonly #stage: Stage;
  readonly #all: Registration[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async register(actor: Actor): Promise<Registration> {
    const registration = new Registration(this.#stage, actor, this.#all.length);
    this.#all.push(registration);
    await registration.register();
    return registration;
  }

  of({ data }: Instance<Card>): Registration | undefined {
    return this.#all[data.number];
  }

  /** Somebody has looked at the directory after a sync that began then. Who had come before and was not there is gone, by its own will or because its session has ended. */
  looked(children: readonly string[], syncedAtMs: number): void {
    const znodes = new Set(children.map((name) => joinPath(DIRECTORY, name)));
    for (const registration of this.#all) {
      const { znode } = registration;
      if (znode !== undefined && registration.wasThereBy(syncedAtMs) && !znodes.has(znode)) registration.isGone();
    }
  }

  /** A caller whose last sync began then was given this one. */
  judge(who: string, instance: Instance<Card>, syncedAtMs: number): void {
    const registration = this.of(instance);
    const told = `${who}, whose last sync began at ${syncedAtMs.toFixed(3)} ms, was given ${instance.id} (${JSON.stringify(instance.data)})`;
    if (registration?.id !== instance.id) return this.#stage.fail('Existed', `${told}: nobody has registered so`);
    if (registration.wasGoneBy(syncedAtMs)) this.#stage.fail('Gone', `${told}, which was gone before`);
    if (registration.wasUpdatedBy(syncedAtMs) && instance.data.edition < 2)
      this.#stage.fail('Fresh', `${told}, which had said something else before`);
  }

  /** A caller whose last sync began then, and has brought its view up to date, sees these. */
  judgeView(who: string, instances: readonly Instance<Card>[], syncedAtMs: number): void {
    for (const instance of instances) this.judge(who, instance, syncedAtMs);
    const seen = new Set(instances.map(({ data }) => data.number));
    for (const registration of this.#all)
      if (registration.wasThereBy(syncedAtMs) && registration.isSurelyThere && !seen.has(registration.card.number))
        this.#stage.fail(
          'Known',
          `${who} does not see ${registration.id} (${JSON.stringify(registration.card)}), which had registered before`,
        );
  }
}

// Callers

/** How a caller chooses, and what he sees to. */
interface Habit {
  readonly name: string;
  readonly balancer: () => Balancer;
  /** Gives whom he was given. */
  choose(view: ServiceView<Card>, actor: Actor): Promise<readonly Instance<Card>[]>;
}

function habits(stage: Stage, registry: Registry): readonly Habit[] {
  /** By a key and the instances that there are. */
  const owners = new Map<string, string>();
  return [
    {
      name: 'in-turn',
      balancer: roundRobin,
      async choose(view, { id }) {
        const given = view.instances.map(() => view.pick());
        judgeAllDiffer(stage, `${id} in turn`, given);
        return given;
      },
    },
    {
      name: 'least-loaded',
      balancer: leastLoaded,
      async choose(view, { id, random, pause }) {
        const given: Instance<Card>[] = [];
        const call = (instance: Instance<Card>): Promise<void> => {
          given.push(instance);
          return pause(millis(random, 0, 20));
        };
        await Promise.all(view.instances.map(() => view.use(call)));
        judgeAllDiffer(stage, `${id} at a time`, given);
        return given;
      },
    },
    {
      name: 'any',
      balancer: anyOfThem,
      async choose(view, { random, pause }) {
        const given: Instance<Card>[] = [];
        const call = async (instance: Instance<Card>): Promise<boolean> => {
          given.push(instance);
          await pause(millis(random, 0, 20));
          if (registry.of(instance)?.answers !== true) throw NO_ANSWER;
          return true;
        };
        const answered = await view.use(call, { tries: 2 }).catch((error: unknown) => {
          if (error !== NO_ANSWER) throw error;
          return false;
        });
        if (given.length > 1) stage.seen(answered ? 'second try answered' : 'nobody answered');
        return given;
      },
    },
    {
      name: 'by-key',
      balancer: byKey,
      async choose(view, { id }) {
        const given = KEYS.map((key) => view.pick({ key }));
        const ids = view.instances.map((instance) => instance.id).join();
        for (const [index, key] of KEYS.entries()) {
          const owner = given[index]?.id as string;
          const before = owners.get(`${key} of ${ids}`) ?? owner;
          owners.set(`${key} of ${ids}`, owner);
          if (owner !== before) stage.fail('SameForTheKey', `${id}: ${key} goes to ${owner} of ${ids}, and went to ${before}`);
        }
        return given;
      },
    },
  ];
}

/** What a call to an instance that has gone ends with. */
const NO_ANSWER = new Error('the instance does not answer');

function judgeAllDiffer(stage: Stage, who: string, given: readonly Instance<Card>[]): void {
  const ids = given.map(({ id }) => id);
  if (new Set(ids).size < ids.length) stage.fail('Spread', `${who} was given ${ids.join(', ')}`);
}

async function callAgainAndAgain(stage: Stage, actor: Actor, registry: Registry, habit: Habit): Promise<void> {
  const { id, client, random, over, pause } = actor;
  // What is known when the view is made is known from then on.
  let syncedAtMs = stage.now();
  await using view = await new Discovery(client, PATH).view<Card>(SERVICE, { balancer: habit.balancer() });
  while (!over.aborted) {
    if (chance(random, 300)) syncedAtMs = (await bringUpToDate(stage, actor, registry, view)) ?? syncedAtMs;
    await callOnce(stage, view, async () => {
      for (const instance of await habit.choose(view, actor)) registry.judge(id, instance, syncedAtMs);
    });
    await pause(millis(random, 0, stage.sessionTimeoutMs / 4), over);
  }
  // The sessions of those who have died are over by then, and those who stay have come.
  await pause(stage.sessionTimeoutMs * 2);
  await bringUpToDate(stage, actor, registry, view);
  const seen = view.instances.map((instance) => instance.id);
  if (seen.join() !== STAYING.join()) stage.fail('Convergence', `${id} sees ${seen.join(', ') || 'nobody'} in the end`);
  await habit.choose(view, actor);
}

async function callOnce(stage: Stage, view: ServiceView<Card>, call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!isRecipeError(error, 'NO_INSTANCE')) throw error;
    if (view.instances.length > 0) stage.fail('NoInstance', `there are ${view.instances.length} instances, and none is given`);
    stage.seen('no instance');
  }
}

/**
 * Syncs and waits for what the view reads then: the directory at most, what a read under way had not seen, and what has changed meanwhile.
 * Gives when the sync began; undefined where the connection did not hold, because the view reads again when it likes then.
 */
async function bringUpToDate(stage: Stage, actor: Actor, registry: Registry, view: ServiceView<Card>): Promise<number | undefined> {
  const { id, client, pause } = actor;
  const beganAtMs = stage.now();
  let held = true;
  const stop = client.onState(() => {
    held = false;
  });
  try {
    await client.sync();
    registry.looked((await client.getChildren(DIRECTORY)).children, beganAtMs);
    for (let round = 0; round < 3; round++) {
      await pause(1);
      await client.sync();
    }
    await pause(1);
  } catch (error) {
    if (isZooKeeperError(error, 'CONNECTION_LOSS') || isZooKeeperError(error, 'NO_NODE')) return undefined;
    throw error;
  } finally {
    stop();
  }
  if (!held) return undefined;
  stage.seen('view up to date');
  registry.judgeView(id, view.instances, beganAtMs);
  return beganAtMs;
}
