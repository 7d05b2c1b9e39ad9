import { isFinal } from '@quorate/client';
import { isRecipeError, type OwnedPartition, Partitioner } from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { between, chance, millis } from '../world/random-streams.js';
import { Holders } from './holders.js';

const PATH = '/orders';
const PARTITIONS = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6'];

/** Members divide partitions among them while they come, go and die: a partition has one owner at a time, and in the end each has one, and each owner his share. */
export const partitionerScenario: Scenario = {
  name: 'partitioner',
  async play(stage) {
    const territory = new Territory(stage);
    const names = ['a', 'b', 'c'].slice(0, between(stage.random, 2, 3));
    await Promise.all(names.map((name) => stage.cast(name, (actor) => takePart(stage, actor, territory))));
    territory.judge();
  },
};

async function takePart(stage: Stage, actor: Actor, territory: Territory): Promise<void> {
  const { name, random, over, pause } = actor;
  while (!over.aborted) {
    await runUntil(territory.partitioner(actor), pause(millis(random, 0, stage.sessionTimeoutMs * 2), over));
    if (chance(random, 300)) await pause(millis(random, 0, stage.sessionTimeoutMs), over);
  }
  // All take part once more, long enough for the sessions of those who have died to end, and for everybody to see everybody.
  const ending = async (): Promise<void> => {
    await pause(stage.sessionTimeoutMs * 2.5);
    if (name === 'a' && !isFinal(actor.client.state)) territory.judgeShares();
    await pause(stage.sessionTimeoutMs);
    territory.leave();
  };
  await runUntil(territory.partitioner(actor), ending());
}

async function runUntil(partitioner: Partitioner, end: Promise<void>): Promise<void> {
  const stay = new AbortController();
  const running = partitioner.run({ signal: stay.signal });
  await Promise.race([running, end]);
  stay.abort();
  await running;
}

class Territory {
  readonly #stage: Stage;
  readonly #owners = new Map<string, Holders>();
  /** Who works at a partition. */
  readonly #working = new Map<string, { readonly actor: Actor; readonly signal: AbortSignal }>();
  /** Of each part: the last one. */
  readonly #partitioners = new Map<string, Partitioner>();

  #hasLeft = false;

  constructor(stage: Stage) {
    this.#stage = stage;
    for (const partition of PARTITIONS) this.#owners.set(partition, new Holders(stage));
  }

  partitioner(actor: Actor): Partitioner {
    const work = (owned: OwnedPartition): Promise<void> => this.#work(actor, owned);
    const partitioner = new Partitioner(actor.client, PATH, { id: actor.name, partitions: PARTITIONS, work });
    this.#partitioners.set(actor.name, partitioner);
    return partitioner;
  }

  async #work(actor: Actor, owned: OwnedPartition): Promise<void> {
    const { partition, signal, fencingToken } = owned;
    this.#judgeHandOver(actor, owned);
    this.#working.set(partition, { actor, signal });
    const held = {
      fencingToken,
      // Who stood still and asks the signal that he has had for long may be told that he still holds.
      get signal() {
        return owned.signal;
      },
      release: () => actor.pause(millis(actor.random, 0, 20)),
    };
    await this.#owners.get(partition)?.keep(actor, held, { kind: partition, forMs: Number.POSITIVE_INFINITY });
    if (this.#working.get(partition)?.signal === signal) this.#working.delete(partition);
    // Much code ends so.
    if (chance(actor.random, 500)) signal.throwIfAborted();
  }

  /** Where a partition goes from one living member to another, the work of the first has ended. */
  #judgeHandOver({ id }: Actor, { partition }: OwnedPartition): void {
    const other = this.#working.get(partition);
    if (other === undefined || !isRecipeError(other.signal.reason, 'RELEASED')) return;
    const { diedAtMs, evictedAtMs, frozenAtMs, client } = other.actor;
    if (diedAtMs === undefined && evictedAtMs === undefined && frozenAtMs === undefined && !client.leaseSignal.aborted)
      this.#stage.fail('HandOver', `${id} works at ${partition}, and ${other.actor.id} still does`);
  }

  /** A member ends for good: what the others have from now on says nothing. */
  leave(): void {
    this.#hasLeft = true;
  }

  judgeShares(): void {
    // Whoever was played again so late is alone.
    if (this.#hasLeft) return;
    this.#stage.seen('shares of all were looked at');
    const shares = [...this.#partitioners.values()].map(({ owned }) => owned.map(({ partition }) => partition));
    const told = shares.map((share) => share.sort().join(' ')).join('; ');
    this.#stage.note(`in the end: ${told}`);
    if (shares.flat().sort().join() !== PARTITIONS.join()) this.#stage.fail('AllOwned', `the shares are ${told}`);
    const sizes = shares.map(({ length }) => length);
    if (Math.max(...sizes) - Math.min(...sizes) > 1) this.#stage.fail('Even', `the shares are ${told}`);
  }

  judge(): void {
    for (const owners of this.#owners.values()) owners.judgeExclusion();
  }
}
