/**
 * The second phase of a run: the weather has cleared for good, and the ensemble has to come right by itself within a bound: a leader serves, a new
 * write is acknowledged, every server serves, has the last txn, and has the same state.
 */
import type { VirtualClock } from '@quorate/ports';
import { formatZxid } from '@quorate/protocol';
import type { Verdict } from '../check/verdict.js';
import { sameBytes } from '../check/witness.js';
import type { Load } from '../load/load.js';
import type { Knobs } from './knobs.js';
import type { Pace } from './pace.js';
import type { Machine, SimEnsemble } from './sim-ensemble.js';

/** How long each step may take: discovery and synchronization, an election after each failed try, and the silence of a peer that is gone. */
export function livenessBoundMs(knobs: Knobs): number {
  return (4 * knobs.initLimit + 4 * knobs.syncLimit + 40) * knobs.tickTimeMs + 8000;
}

export class Liveness {
  readonly #knobs: Knobs;
  readonly #clock: VirtualClock;
  readonly #pace: Pace;
  readonly #ensemble: SimEnsemble<Machine>;
  readonly #load: Load;
  readonly #verdict: Verdict;
  #probed = false;

  constructor(options: {
    readonly knobs: Knobs;
    readonly clock: VirtualClock;
    readonly pace: Pace;
    readonly ensemble: SimEnsemble<Machine>;
    readonly load: Load;
    readonly verdict: Verdict;
  }) {
    this.#knobs = options.knobs;
    this.#clock = options.clock;
    this.#pace = options.pace;
    this.#ensemble = options.ensemble;
    this.#load = options.load;
    this.#verdict = options.verdict;
  }

  /** Runs until all is well, or fails. */
  run(): void {
    const boundMs = livenessBoundMs(this.#knobs);
    this.#load.settle();
    if (!this.#runUntil(() => this.#allServe(), boundMs))
      return this.#fail(`after ${boundMs} ms not all servers serve: ${this.#standing()}`);
    this.#load.probe(() => {
      this.#probed = true;
    });
    if (!this.#runUntil(() => this.#probed, boundMs))
      return this.#fail(`a new write is not acknowledged within ${boundMs} ms: ${this.#standing()}`);
    if (!this.#runUntil(() => this.#sameZxid(), boundMs)) return this.#fail(`the servers do not come to one last txn: ${this.#standing()}`);
    this.#compareStates();
    this.#stayQuiet();
  }

  /** What serves goes on serving: nobody leaves a leader that is well (reliability.md 2.3, L5). */
  #stayQuiet(): void {
    const before = this.#standing({ withZxid: false });
    const end = this.#clock.now() + 3 * this.#knobs.syncLimit * this.#knobs.tickTimeMs;
    this.#pace.runUntil(end);
    const after = this.#standing({ withZxid: false });
    if (this.#verdict.isClean && after !== before)
      this.#fail(`servers that were well have looked for a leader again: before ${before}, then ${after}`);
  }

  #allServe(): boolean {
    return this.#ensemble.leader !== undefined && this.#ensemble.sids.every((sid) => this.#ensemble.machine(sid)?.status.serving === true);
  }

  #sameZxid(): boolean {
    const [first, ...rest] = this.#ensemble.sids.map((sid) => this.#ensemble.machine(sid)?.lastZxid);
    return this.#allServe() && rest.every((zxid) => zxid === first);
  }

  #compareStates(): void {
    const states = this.#ensemble.sids.map((sid) => this.#ensemble.machine(sid)?.state() as Uint8Array);
    for (let i = 1; i < states.length; i++) {
      if (sameBytes(states[0] as Uint8Array, states[i] as Uint8Array)) continue;
      this.#verdict.fail('ReplicaDigest', `at the end servers 1 and ${i + 1} have the same last txn and different states`);
    }
  }

  #runUntil(condition: () => boolean, boundMs: number): boolean {
    const end = this.#clock.now() + boundMs;
    this.#pace.runUntil(end, () => !condition());
    return !this.#verdict.isClean || condition();
  }

  /** Where every server stands, and how far it is. */
  #standing(options: { readonly withZxid: boolean } = { withZxid: true }): string {
    const words = this.#ensemble.sids.map((sid) => {
      const machine = this.#ensemble.machine(sid);
      if (machine === undefined) return `S${sid} down`;
      const { state, epoch, serving } = machine.status;
      const zxid = options.withZxid ? ` ${formatZxid(machine.lastZxid)}` : '';
      return `S${sid} ${state} epoch ${epoch}${serving ? ' serving' : ''}${zxid}`;
    });
    return words.join('; ');
  }

  #fail(message: string): void {
    this.#verdict.fail('Liveness', message);
  }
}
