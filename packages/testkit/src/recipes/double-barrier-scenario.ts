import type { Zxid } from '@quorate/protocol';
import { DoubleBarrier, isRecipeError } from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { between, chance, millis } from '../world/random-streams.js';
import { Holders } from './holders.js';
import { judgeNothingLeft } from './nothing-left.js';

const PATH = '/barriers/double';

/** Members enter and leave, round after round: all enter or none, and nobody has left while another one is inside. */
export const doubleBarrierScenario: Scenario = {
  name: 'double-barrier',
  async play(stage) {
    const size = between(stage.random, 2, 4);
    const rounds = new Rounds(stage, size);
    const names = ['a', 'b', 'c', 'd'].slice(0, size);
    await Promise.all(names.map((name) => stage.cast(name, (actor) => takePart(stage, actor, rounds, size))));
    rounds.judge();
    await stage.cast('latecomer', (actor) => comeAlone(stage, actor, size), { unharmed: true });
    await judgeNothingLeft(stage, PATH);
  },
};

async function takePart(stage: Stage, actor: Actor, rounds: Rounds, members: number): Promise<void> {
  const barrier = new DoubleBarrier(actor.client, PATH, { members });
  while (!actor.over.aborted) {
    await actor.pause(millis(actor.random, 0, stage.sessionTimeoutMs / 10), actor.over);
    await rounds.play(actor, barrier);
  }
}

/** Whoever comes after all have died inside ends their round, and does not enter alone. */
async function comeAlone(stage: Stage, { client, pause }: Actor, members: number): Promise<void> {
  // Until the sessions of the dead are over, they are members.
  await pause(stage.sessionTimeoutMs * 1.5);
  try {
    await new DoubleBarrier(client, PATH, { members }).enter({ timeoutMs: stage.sessionTimeoutMs });
    stage.fail('AllOrNone', `somebody has entered alone, and it takes ${members}`);
  } catch (error) {
    if (!isRecipeError(error, 'TIMEOUT')) throw error;
  }
}

/** One member's part in a round, or attempt at it. */
interface Stay {
  readonly actor: Actor;
  readonly fromMs: number;
  /** True once it is told that the others do not enter with it. */
  isRefused: boolean;
  enteredMs: number | undefined;
  leavesMs: number | undefined;
  leftMs: number | undefined;
}

class Rounds {
  readonly #stage: Stage;
  readonly #size: number;
  readonly #stays: Stay[] = [];
  readonly #inside: Holders;

  constructor(stage: Stage, size: number) {
    this.#stage = stage;
    this.#size = size;
    this.#inside = new Holders(stage);
  }

  async play(actor: Actor, barrier: DoubleBarrier): Promise<void> {
    const { random, over } = actor;
    const stay: Stay = { actor, fromMs: this.#stage.now(), isRefused: false, enteredMs: undefined, leavesMs: undefined, leftMs: undefined };
    this.#stays.push(stay);
    try {
      await barrier.enter({
        timeoutMs: chance(random, 200) ? millis(random, 0, this.#stage.sessionTimeoutMs / 2) : undefined,
        signal: over,
      });
    } catch (error) {
      if (!isRecipeError(error, 'TIMEOUT') && error !== over.reason) throw error;
      stay.isRefused = true;
      this.#stage.note(`${actor.id} is refused`);
      this.#stage.seen('members did not come together in time');
      return;
    }
    stay.enteredMs = this.#stage.now();
    await this.#stay(stay, barrier);
  }

  async #stay(stay: Stay, barrier: DoubleBarrier): Promise<void> {
    const { actor } = stay;
    const { leaseSignal } = actor.client;
    const controller = new AbortController();
    const abort = (): void => controller.abort(leaseSignal.reason);
    const release = async (): Promise<void> => {
      leaseSignal.removeEventListener('abort', abort);
      stay.leavesMs = this.#stage.now();
      await barrier.leave();
      stay.leftMs = this.#stage.now();
      this.#stage.note(`${actor.id} has left`);
    };
    if (leaseSignal.aborted) return release();
    leaseSignal.addEventListener('abort', abort);
    const held = {
      get signal() {
        // Who stood still finds out by the clock.
        void actor.client.leaseSignal;
        return controller.signal;
      },
      fencingToken: this.#stays.length as Zxid,
      release,
    };
    await this.#inside.keep(actor, held, { forMs: millis(actor.random, 0, this.#stage.sessionTimeoutMs / 5) });
  }

  judge(): void {
    for (const stay of this.#stays) {
      if (stay.enteredMs !== undefined) this.#judgeEntry(stay, stay.enteredMs);
      if (stay.leavesMs !== undefined && stay.leftMs !== undefined) this.#judgeExit(stay, stay.leavesMs, stay.leftMs);
    }
  }

  /** As many as the barrier asks for have come and were not refused. Those who have died are members as long as their sessions live, and these live as long as there is no leader. */
  #judgeEntry({ actor, fromMs }: Stay, enteredMs: number): void {
    const together = this.#stays.filter((other) => !other.isRefused && other.fromMs <= enteredMs && (other.leftMs ?? enteredMs) >= fromMs);
    if (together.length < this.#size)
      this.#stage.fail(
        'AllOrNone',
        `${actor.id} has entered at ${enteredMs} with ${together.map((stay) => stay.actor.id).join(', ')} of ${this.#size}`,
      );
    this.#stage.seen('members have entered');
  }

  #judgeExit({ actor }: Stay, leavesMs: number, leftMs: number): void {
    for (const { who, fromMs, untilMs } of this.#inside.holdings())
      if (who !== actor.id && fromMs <= leavesMs && untilMs > leftMs)
        this.#stage.fail('LeaveTogether', `${actor.id} has left at ${leftMs}, and ${who} was inside from ${fromMs} to ${untilMs}`);
  }
}
