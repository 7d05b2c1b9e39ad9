import { decodeUtf8, type Zxid } from '@quorate/protocol';
import { AckQueue, type Delivery, isRecipeError } from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { between, chance, millis } from '../world/random-streams.js';
import { Holders } from './holders.js';
import { judgeNothingLeft } from './nothing-left.js';

const PATH = '/queues/jobs';

/** Consumers get items, and acknowledge them, give them back or die with them: every item is acknowledged in the end, and none is with two at a time. */
export const ackQueueScenario: Scenario = {
  name: 'ack-queue',
  async play(stage) {
    const jobs = new Jobs(stage);
    const consumers = between(stage.random, 1, 3);
    await Promise.all([
      stage.cast('producer', (actor) => produce(stage, actor, jobs)),
      ...Array.from({ length: consumers }, (_, index) => stage.cast(`consumer-${index}`, (actor) => consume(stage, actor, jobs))),
    ]);
    // The claims of the dead are gone after their sessions.
    await stage.cast('rest', (actor) => consumeRest(actor, jobs), { unharmed: true });
    jobs.judge();
    await judgeNothingLeft(stage, PATH, ['items', 'takers', 'claims']);
  },
};

async function produce(stage: Stage, actor: Actor, jobs: Jobs): Promise<void> {
  await using queue = new AckQueue(actor.client, PATH);
  for (let number = 0; !actor.over.aborted; number++) {
    const item = `${actor.id}:${number}`;
    jobs.maybePut.add(item);
    await queue.put(item);
    jobs.put.add(item);
    await actor.pause(millis(actor.random, 0, stage.sessionTimeoutMs / 10), actor.over);
  }
}

async function consume(stage: Stage, actor: Actor, jobs: Jobs): Promise<void> {
  await using queue = new AckQueue(actor.client, PATH);
  while (!actor.over.aborted) {
    const timeoutMs = chance(actor.random, 300) ? millis(actor.random, 0, stage.sessionTimeoutMs / 2) : undefined;
    try {
      await jobs.have(actor, await queue.take({ timeoutMs, signal: actor.over }));
    } catch (error) {
      if (!isRecipeError(error, 'TIMEOUT') && error !== actor.over.reason) throw error;
    }
  }
}

async function consumeRest(actor: Actor, jobs: Jobs): Promise<void> {
  await using queue = new AckQueue(actor.client, PATH);
  await actor.client.sync();
  while ((await queue.size()) > 0) {
    const delivery = await queue.tryTake();
    if (delivery === undefined) await actor.pause(100);
    else await jobs.acknowledge(actor, delivery);
  }
}

/** What has become of each item. */
class Jobs {
  readonly put = new Set<string>();
  readonly maybePut = new Set<string>();
  readonly #stage: Stage;
  /** Of each item: who had it when. */
  readonly #holders = new Map<string, Holders>();
  readonly #attempts = new Map<string, number>();
  readonly #acknowledged = new Set<string>();
  /** Of which the answer has not come. */
  readonly #maybeAcknowledged = new Set<string>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Works at it for a while, and acknowledges it or gives it back. */
  async have(actor: Actor, delivery: Delivery): Promise<void> {
    const item = this.#note(actor, delivery);
    const holders = this.#holders.get(item) ?? new Holders(this.#stage);
    this.#holders.set(item, holders);
    const release = async (): Promise<void> => {
      if (chance(actor.random, 250)) await delivery.release();
      else await this.acknowledge(actor, delivery);
    };
    await holders.keep(
      actor,
      {
        get signal() {
          return delivery.signal;
        },
        fencingToken: delivery.attempt as Zxid,
        release,
      },
      { forMs: millis(actor.random, 0, this.#stage.sessionTimeoutMs / 5) },
    );
  }

  async acknowledge({ id }: Actor, delivery: Delivery): Promise<void> {
    const item = decodeUtf8(delivery.data);
    this.#maybeAcknowledged.add(item);
    try {
      await delivery.ack();
    } catch (error) {
      if (!isRecipeError(error, 'LOST')) throw error;
      this.#stage.seen('claim lost');
      return;
    }
    this.#stage.note(`${id} has done ${item}`);
    if (this.#acknowledged.has(item)) this.#stage.fail('DoneOnce', `${id} has acknowledged ${item}, as somebody else had`);
    this.#acknowledged.add(item);
  }

  judge(): void {
    for (const item of this.put)
      if (!this.#acknowledged.has(item) && !this.#maybeAcknowledged.has(item))
        this.#stage.fail('NothingLost', `${item} was never delivered`);
    for (const holders of this.#holders.values()) holders.judgeExclusion();
    if ([...this.#attempts.values()].some((attempt) => attempt > 1)) this.#stage.seen('item delivered again');
  }

  #note({ id, evictedAtMs }: Actor, { data, attempt }: Delivery): string {
    const item = decodeUtf8(data);
    this.#stage.note(`${id} has ${item}, delivered ${attempt} times`);
    if (!this.maybePut.has(item)) this.#stage.fail('NothingInvented', `${id} was given ${item}, which nobody has put`);
    // He does not know yet that his claim went with his session, and that others have had the item since.
    if (evictedAtMs !== undefined) return item;
    if (this.#acknowledged.has(item)) this.#stage.fail('DoneOnce', `${id} was given ${item}, which was acknowledged`);
    if (attempt <= (this.#attempts.get(item) ?? 0))
      this.#stage.fail('FencingOrder', `${id} was given ${item} for the ${attempt}th time again`);
    this.#attempts.set(item, attempt);
    return item;
  }
}
