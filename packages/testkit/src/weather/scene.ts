/**
 * What a fault acts on: servers, links, disks and clocks. Each fault has a scene of its own with its own stream of chance, so that leaving one fault out
 * changes nothing in what the others draw: that is how a failure is shrunk.
 */
import type { Random, VirtualClock } from '@quorate/ports';
import { hasQuorum, type Sid } from '@quorate/zab';
import type { Machine, SimEnsemble } from '../simulation/sim-ensemble.js';
import type { Condition, Sometimes } from '../simulation/sometimes.js';
import type { Trace } from '../trace/trace.js';
import { chance, millis, pick } from '../world/random-streams.js';
import type { SimNetwork } from '../world/sim-network.js';
import { hostOf } from '../world/sim-transport.js';

export type Hosts = readonly (readonly [from: string, to: string])[];

export interface SceneOptions {
  readonly clock: VirtualClock;
  readonly network: SimNetwork;
  readonly ensemble: SimEnsemble<Machine>;
  readonly trace: Trace;
  readonly sometimes: Sometimes;
  /** Whether disks are lost only while a quorum of the others can bring back what was on them. */
  readonly spreads: boolean;
  /** The hosts of clients. */
  readonly clients: readonly string[];
  /** Whether everything that this server has stored and promised is stored and promised by a quorum of others as well. */
  readonly isReplaceable: (sid: Sid) => boolean;
}

export class Scene {
  readonly random: Random;
  readonly network: SimNetwork;
  readonly ensemble: SimEnsemble<Machine>;
  readonly #options: SceneOptions;
  /** Numbers the fault, in notes. */
  readonly #number: number;
  /** Whether the weather has cleared: then what was still to come of this fault does not. */
  readonly #isOver: () => boolean;

  constructor(options: SceneOptions, fault: { readonly random: Random; readonly number: number; readonly isOver: () => boolean }) {
    this.#options = options;
    this.random = fault.random;
    this.#number = fault.number;
    this.#isOver = fault.isOver;
    this.network = options.network;
    this.ensemble = options.ensemble;
  }

  get sids(): readonly Sid[] {
    return this.ensemble.sids;
  }

  /** Any server; the leader more often than its share. */
  victim(): Sid {
    const { leader } = this.ensemble;
    return leader !== undefined && chance(this.random, 300) ? leader : pick(this.random, this.sids);
  }

  othersThan(sid: Sid): Sid[] {
    return this.sids.filter((other) => other !== sid);
  }

  /** Short ones are common, long ones happen. */
  outageMs(): number {
    return chance(this.random, 600) ? millis(this.random, 20, 800) : millis(this.random, 500, 6000);
  }

  crash(sid: Sid): void {
    if (!this.ensemble.isUp(sid)) return;
    this.note(`S${sid} crashes`);
    this.seen('crash');
    if (this.ensemble.leader === sid) this.seen('crash of a serving leader');
    this.ensemble.crash(sid);
  }

  restart(sid: Sid): void {
    if (this.ensemble.isUp(sid)) return;
    this.note(`S${sid} restarts`);
    this.ensemble.start(sid);
  }

  /** Takes directions away for a while. */
  cut(directions: Hosts, text: string, forMs = this.outageMs()): void {
    this.note(text);
    const mend = this.network.cut(directions, this.random);
    this.later(forMs, () => {
      this.note(`mended: ${text}`);
      mend();
    });
  }

  /** No client reaches this server any more. */
  shutOffClients(sid: Sid): void {
    const { clients, network } = this.#options;
    for (const client of clients) {
      network.cutForEver([
        [client, hostOf(sid)],
        [hostOf(sid), client],
      ]);
      network.reset(client, hostOf(sid));
    }
  }

  /** Whether what is on a disk may be lost: a quorum of servers that count is left. */
  canLose(sid: Sid): boolean {
    const { config } = this.ensemble;
    return !this.#options.spreads || hasQuorum(config, (other) => other !== sid && this.ensemble.disk(other).counts);
  }

  isReplaceable(sid: Sid): boolean {
    return this.#options.isReplaceable(sid);
  }

  seen(condition: Condition): void {
    this.#options.sometimes.note(condition);
  }

  note(text: string): void {
    this.#options.trace.note(0, this.#number, () => `** ${text} (fault ${this.#number})`);
  }

  later(ms: number, task: () => void): void {
    this.#options.clock.setTimer(ms, () => {
      if (!this.#isOver()) task();
    });
  }
}

export function pairs(from: readonly Sid[], to: readonly Sid[]): Hosts {
  return from.flatMap((a) => to.map((b) => [hostOf(a), hostOf(b)] as const));
}

export function bothWays(some: readonly Sid[], others: readonly Sid[]): Hosts {
  return [...pairs(some, others), ...pairs(others, some)];
}
