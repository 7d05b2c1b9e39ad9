import { isRecipeError, VersionedConfig, type VersionedValue } from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { chance, millis, pick } from '../world/random-streams.js';

const PATH = '/config/one';

/** Some publish versions of a configuration and others follow it: nobody sees an older one after a newer one, nor two that are different, and none is lost. */
export const configScenario: Scenario = {
  name: 'config',
  async play(stage) {
    const editions = new Editions(stage);
    await Promise.all([
      ...['a', 'b'].map((name) => stage.cast(name, (actor) => publishAgainAndAgain(stage, actor, editions))),
      ...['reader-a', 'reader-b'].map((name) => stage.cast(name, (actor) => follow(actor, editions))),
    ]);
    await stage.cast('judge', async ({ client }) => editions.judge(new VersionedConfig(client, PATH)), { unharmed: true });
  },
};

async function publishAgainAndAgain(stage: Stage, actor: Actor, editions: Editions): Promise<void> {
  const { client, random, over, pause, id } = actor;
  await using config = new VersionedConfig<string>(client, PATH, { versionsKept: 5 });
  for (let number = 0; !over.aborted; number++) {
    const now = await config.get();
    if (now !== undefined) editions.saw(actor, now);
    try {
      if (chance(random, 200)) await editions.rollBack(config);
      else await editions.publish(config, `${id}:${number}`, chance(random, 300) ? (now?.version ?? 0) : undefined);
    } catch (error) {
      if (!isRecipeError(error, 'CONFLICT') && !isRecipeError(error, 'NOT_KEPT')) throw error;
      stage.seen(error.code);
    }
    await pause(millis(random, 0, stage.sessionTimeoutMs / 8), over);
  }
}

async function follow(actor: Actor, editions: Editions): Promise<void> {
  const config = new VersionedConfig<string>(actor.client, PATH);
  try {
    for await (const versioned of config.follow({ signal: actor.over })) editions.saw(actor, versioned);
  } catch (error) {
    if (error !== actor.over.reason) throw error;
  }
}

/** What is known of each version. */
class Editions {
  readonly #stage: Stage;
  readonly #values = new Map<number, string>();
  /** What each part has seen last, over all its lives: `get` and `follow` begin with what is newest. */
  readonly #last = new Map<string, number>();
  #begun = 0;
  #known = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async publish(config: VersionedConfig<string>, value: string, after: number | undefined): Promise<void> {
    await this.#count(async () => {
      const version = await config.publish(value, { after });
      this.#is(version, value);
      if (after !== undefined && version !== after + 1) this.#stage.fail('NoLostUpdate', `version ${version} was published after ${after}`);
    });
  }

  async rollBack(config: VersionedConfig<string>): Promise<void> {
    const earlier = (await config.history()).map(({ version }) => version);
    if (earlier.length === 0) return;
    const chosen = pick(this.#stage.random, earlier);
    await this.#count(async () => {
      const version = await config.rollBack(chosen);
      const value = this.#values.get(chosen);
      if (value !== undefined) this.#is(version, value);
    });
  }

  saw({ name, id }: Actor, { version, value }: VersionedValue<string>): void {
    this.#is(version, value);
    const last = this.#last.get(name) ?? 0;
    if (version < last) this.#stage.fail('Monotonic', `${id} sees version ${version} after ${last}`);
    this.#last.set(name, version);
  }

  async judge(config: VersionedConfig<string>): Promise<void> {
    const newest = await config.get();
    const version = newest?.version ?? 0;
    if (version < this.#known) this.#stage.fail('NoLostUpdate', `version ${version} is the newest after ${this.#known} were published`);
    if (version > this.#begun)
      this.#stage.fail('NoDoubleUpdate', `version ${version} is the newest, and only ${this.#begun} may have been published`);
    if (newest !== undefined) this.#is(version, newest.value);
    const kept = (await config.history()).map((entry) => entry.version);
    const wanted = Array.from({ length: Math.min(version, 5) }, (_, index) => version - Math.min(version, 5) + 1 + index);
    if (kept.join() !== wanted.join()) this.#stage.fail('History', `versions ${kept.join()} are kept, not ${wanted.join()}`);
    for (const entry of kept) this.#is(entry, (await config.read(entry)).value);
  }

  async #count(publish: () => Promise<void>): Promise<void> {
    this.#begun++;
    try {
      await publish();
      this.#known++;
    } catch (error) {
      if (isRecipeError(error, 'CONFLICT') || isRecipeError(error, 'NOT_KEPT')) this.#begun--;
      throw error;
    }
  }

  /** A version has one value for everybody. */
  #is(version: number, value: string): void {
    const other = this.#values.get(version);
    if (other !== undefined && other !== value) this.#stage.fail('OneValue', `version ${version} is "${value}" and was "${other}"`);
    this.#values.set(version, value);
  }
}
