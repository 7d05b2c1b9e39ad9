import { decodeUtf8 } from '@quorate/protocol';
import { DelayQueue, isRecipeError, PriorityQueue, Queue, type TakingQueue } from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { between, chance, millis, pick } from '../world/random-streams.js';
import { judgeNothingLeft } from './nothing-left.js';

const PATH = '/queues/one';

/** Some put items into a queue and others take them: each goes to one taker at most, and none is lost but with a taker who has died. */
export const queueScenario: Scenario = {
  name: 'queue',
  async play(stage) {
    const ledger = new Ledger(stage);
    const kind = pick(stage.random, KINDS);
    const takers = between(stage.random, 1, 3);
    const putters = between(stage.random, 1, 2);
    stage.note(`${kind.name} queue, ${putters} put and ${takers} take`);
    await Promise.all([
      ...Array.from({ length: putters }, (_, index) =>
        stage.cast(`putter-${index}`, (actor) => putAgainAndAgain(stage, actor, kind, ledger)),
      ),
      ...Array.from({ length: takers }, (_, index) =>
        stage.cast(`taker-${index}`, (actor) => takeAgainAndAgain(stage, actor, kind, ledger)),
      ),
    ]);
    await stage.cast('rest', (actor) => takeRest(stage, actor, kind, ledger), { unharmed: true });
    ledger.judge(kind.isOrdered && takers === 1);
    await judgeNothingLeft(stage, PATH, ['items', 'takers']);
  },
};

interface Kind {
  readonly name: string;
  /** Whether one taker gets what one putter has put in that order. */
  readonly isOrdered: boolean;
  make(actor: Actor): { readonly queue: TakingQueue; put(data: string): Promise<void> };
}

const KINDS: readonly Kind[] = [
  {
    name: 'plain',
    isOrdered: true,
    make({ client }) {
      const queue = new Queue(client, PATH);
      return { queue, put: (data) => queue.put(data) };
    },
  },
  {
    name: 'priority',
    isOrdered: false,
    make({ client, random }) {
      const queue = new PriorityQueue(client, PATH);
      return { queue, put: (data) => queue.put(data, { priority: between(random, 0, 3) }) };
    },
  },
  {
    name: 'delay',
    isOrdered: false,
    make({ client, random }) {
      const queue = new DelayQueue(client, PATH);
      return { queue, put: (data) => queue.put(data, { delayMs: millis(random, 0, 200) }) };
    },
  },
];

async function putAgainAndAgain(stage: Stage, actor: Actor, kind: Kind, ledger: Ledger): Promise<void> {
  const { put } = kind.make(actor);
  for (let number = 0; !actor.over.aborted; number++) {
    await ledger.put(`${actor.name}:${actor.id}:${number}`, put);
    await actor.pause(millis(actor.random, 0, stage.sessionTimeoutMs / 20), actor.over);
  }
}

async function takeAgainAndAgain(stage: Stage, actor: Actor, kind: Kind, ledger: Ledger): Promise<void> {
  await using queue = kind.make(actor).queue;
  while (!actor.over.aborted) {
    const timeoutMs = chance(actor.random, 300) ? millis(actor.random, 0, stage.sessionTimeoutMs / 2) : undefined;
    await ledger.take(actor, async () => {
      try {
        return chance(actor.random, 100) ? await queue.tryTake() : await queue.take({ timeoutMs, signal: actor.over });
      } catch (error) {
        if (isRecipeError(error, 'TIMEOUT')) stage.seen('no item in time');
        else if (error !== actor.over.reason) throw error;
        return undefined;
      }
    });
    if (chance(actor.random, 300)) await actor.pause(millis(actor.random, 0, stage.sessionTimeoutMs / 10), actor.over);
  }
}

async function takeRest(stage: Stage, actor: Actor, kind: Kind, ledger: Ledger): Promise<void> {
  await using queue = kind.make(actor).queue;
  // What is delayed is ready by then.
  await actor.pause(500);
  await actor.client.sync();
  while ((await queue.size()) > 0) await ledger.take(actor, () => queue.tryTake());
}

/** What was put and taken. */
class Ledger {
  readonly #stage: Stage;
  /** What is known to have been put, and what may have been. */
  readonly #put = new Set<string>();
  readonly #maybePut = new Set<string>();
  /** Item by item, who has taken it. */
  readonly #taken = new Map<string, string>();
  /** Takes whose end is not known. */
  readonly #open = new Set<object>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async put(item: string, put: (item: string) => Promise<void>): Promise<void> {
    this.#maybePut.add(item);
    await put(item);
    this.#put.add(item);
  }

  async take({ id }: Actor, take: () => Promise<Uint8Array | undefined>): Promise<void> {
    const open = {};
    this.#open.add(open);
    const data = await take();
    this.#open.delete(open);
    if (data === undefined) return;
    const item = decodeUtf8(data);
    const other = this.#taken.get(item);
    if (other !== undefined) this.#stage.fail('OneTaker', `${item} was taken by ${other} and by ${id}`);
    if (!this.#maybePut.has(item)) this.#stage.fail('NothingInvented', `${id} has taken ${item}, which nobody has put`);
    this.#stage.note(`${id} has ${item}`);
    this.#taken.set(item, id);
  }

  judge(isOrdered: boolean): void {
    const missing = [...this.#put].filter((item) => !this.#taken.has(item));
    if (missing.length > this.#open.size)
      this.#stage.fail('NothingLost', `${missing.join(', ')} went to nobody, and only ${this.#open.size} takers may have died with one`);
    if (missing.length > 0) this.#stage.seen('item gone with a taker who has died');
    if (isOrdered) this.#judgeOrder();
  }

  #judgeOrder(): void {
    const last = new Map<string, number>();
    for (const item of this.#taken.keys()) {
      const [, life, number] = item.split(':') as [string, string, string];
      if (Number(number) < (last.get(life) ?? -1)) this.#stage.fail('Order', `${item} was taken after number ${last.get(life)}`);
      last.set(life, Number(number));
    }
  }
}
