/**
 * The second phase of a run: the weather has cleared for good for a core, a quorum at least, and the core has to come right by itself within a bound: a
 * leader serves, a new write is acknowledged, every server of the core serves, has the last txn, and has the same state; nobody looks for a leader
 * again, whatever those do who stay broken. Where so many disks are lost that no quorum counts any more, the right answer is to stay down.
 */
import type { Random, VirtualClock } from '@quorate/ports';
import { formatZxid } from '@quorate/protocol';
import { hasQuorum, type Sid } from '@quorate/zab';
import type { Verdict } from '../check/verdict.js';
import { sameBytes } from '../check/witness.js';
import type { Load } from '../load/load.js';
import { chance, millis, shuffled } from '../world/random-streams.js';
import type { Knobs } from './knobs.js';
import type { Pace } from './pace.js';
import type { Machine, SimEnsemble } from './sim-ensemble.js';
import type { Sometimes } from './sometimes.js';

/** How long each step may take: discovery and synchronization, an election after each failed try, and the silence of a peer that is gone. */
export function livenessBoundMs(knobs: Knobs): number {
  return (2 * knobs.initLimit + 2 * knobs.syncLimit + 20) * knobs.tickTimeMs;
}

/** How often servers are lost in good weather. */
const FAIL_OVERS = 4;

/**
 * How long the loss of servers may be felt where all else is well: until their silence is noticed, and an election that has split the servers once, so that some wait for a
 * leader in vain.
 */
function failOverBoundMs(knobs: Knobs): number {
  return (knobs.initLimit + knobs.syncLimit + 8) * knobs.tickTimeMs;
}

/**
 * Where all is to be well: everywhere, or, with a stream of chance, at a quorum of servers that count. Undefined where there is no such quorum: then all
 * servers are down, and what is on their disks is final.
 */
export function chooseCore(ensemble: SimEnsemble<Machine>, random: Random | undefined): readonly Sid[] | undefined {
  const { config, sids } = ensemble;
  const count = (): Sid[] => config.voters.filter((sid) => ensemble.disk(sid).counts);
  if (!hasQuorum(config, (sid) => count().includes(sid))) {
    // Of what is on its way to a disk nobody knows whether it survives until it has.
    for (const sid of sids) ensemble.crash(sid);
    if (!hasQuorum(config, (sid) => count().includes(sid))) return undefined;
  }
  if (random === undefined) return sids;
  const core: Sid[] = [];
  for (const sid of shuffled(random, count())) {
    core.push(sid);
    if (hasQuorum(config, (one) => core.includes(one))) break;
  }
  return core.sort((a, b) => a - b);
}

export class Liveness {
  readonly #knobs: Knobs;
  readonly #clock: VirtualClock;
  readonly #pace: Pace;
  readonly #ensemble: SimEnsemble<Machine>;
  readonly #core: readonly Sid[];
  readonly #load: Load;
  readonly #verdict: Verdict;
  readonly #sometimes: Sometimes;
  readonly #timesLooked: (sid: Sid) => number;
  readonly #random: Random;
  #probed = false;

  constructor(options: {
    /** For the failures that are not the weather's. */
    readonly random: Random;
    readonly knobs: Knobs;
    readonly clock: VirtualClock;
    readonly pace: Pace;
    readonly ensemble: SimEnsemble<Machine>;
    /** The servers where all is to be well. */
    readonly core: readonly Sid[];
    readonly load: Load;
    readonly verdict: Verdict;
    readonly sometimes: Sometimes;
    /** How often a server has begun to look for a leader. */
    readonly timesLooked: (sid: Sid) => number;
  }) {
    this.#random = options.random;
    this.#knobs = options.knobs;
    this.#clock = options.clock;
    this.#pace = options.pace;
    this.#ensemble = options.ensemble;
    this.#core = options.core;
    this.#load = options.load;
    this.#verdict = options.verdict;
    this.#sometimes = options.sometimes;
    this.#timesLooked = options.timesLooked;
  }

  /** Too many disks are lost: nobody may lead, and whoever has lost its disk says that it has no vote; unless they can be mended by what is on the others. */
  stayDown(): void {
    const { config } = this.#ensemble;
    this.#load.settle();
    this.#pace.runUntil(this.#clock.now() + livenessBoundMs(this.#knobs) / 4);
    if (hasQuorum(config, (sid) => this.#ensemble.disk(sid).counts)) return this.run();
    this.#sometimes.note('stays down, for too many disks are lost');
    for (const sid of this.#core) {
      const status = this.#ensemble.machine(sid)?.status;
      if (status?.serving === true || status?.state === 'LEADING')
        this.#fail(`server ${sid} serves, and no quorum has its disk: ${this.#standing()}`);
      if (status !== undefined && status.votes !== (this.#ensemble.disk(sid).counts && config.voters.includes(sid)))
        this.#fail(`server ${sid} says that it ${status.votes ? 'has' : 'has no'} vote, and its disk says otherwise`);
    }
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
    if (!this.#runUntil(() => this.#allServe() && this.#isLedFromWithin(), boundMs))
      return this.#fail(`after ${boundMs} ms more the leader is none that is well: ${this.#standing()}`);
    if (!this.#runUntil(() => this.#sameZxid(), boundMs)) return this.#fail(`the servers do not come to one last txn: ${this.#standing()}`);
    this.#compareStates();
    this.#stayQuiet();
    if (this.#core.length === this.#ensemble.sids.length) this.#failOver();
  }

  /** Where all is well, the loss of one or more servers costs one election. */
  #failOver(): void {
    for (let i = 0; i < FAIL_OVERS && this.#verdict.isClean; i++) {
      const { leader, sids } = this.#ensemble;
      const lost = chance(this.#random, 300) ? sids : sids.filter((sid) => sid === leader || chance(this.#random, 200));
      for (const sid of lost) {
        this.#ensemble.crash(sid);
        this.#clock.setTimer(millis(this.#random, 0, 2 * this.#knobs.tickTimeMs), () => this.#ensemble.start(sid));
      }
      this.#sometimes.note('servers lost in good weather');
      const boundMs = failOverBoundMs(this.#knobs);
      if (!this.#runUntil(() => this.#allServe(), boundMs))
        this.#fail(`servers ${lost} were lost, led by server ${leader}; after ${boundMs} ms not all serve: ${this.#standing()}`);
    }
  }

  /** What serves goes on serving: nobody looks for another leader while the one that there is is well (reliability.md 2.3, L5). */
  #stayQuiet(): void {
    const { syncLimit, tickTimeMs } = this.#knobs;
    // What had become of a channel in bad weather is noticed by then.
    this.#pace.runUntil(this.#clock.now() + (syncLimit + 1) * tickTimeMs);
    if (!this.#runUntil(() => this.#allServe() && this.#isLedFromWithin(), livenessBoundMs(this.#knobs)))
      return this.#fail(`not all servers serve under a leader that is well: ${this.#standing()}`);
    const { leader } = this.#ensemble;
    const before = this.#core.map(this.#timesLooked);
    this.#pace.runUntil(this.#clock.now() + 3 * syncLimit * tickTimeMs);
    if (!this.#verdict.isClean) return;
    const restless = this.#core.filter((sid, i) => this.#timesLooked(sid) !== before[i]);
    if (restless.length > 0)
      this.#fail(`servers ${restless} were well under server ${leader} and have looked for a leader again: ${this.#standing()}`);
  }

  /** One that is not well may lead as long as nothing is asked of it, and no longer. */
  #isLedFromWithin(): boolean {
    const { leader } = this.#ensemble;
    return leader !== undefined && this.#core.includes(leader);
  }

  /** A leader serves, and so does every server of the core, in its epoch; and every voter of it counts. */
  #allServe(): boolean {
    const { leader, config } = this.#ensemble;
    if (leader === undefined) return false;
    const { epoch } = (this.#ensemble.machine(leader) as Machine).status;
    return this.#core.every((sid) => {
      const status = this.#ensemble.machine(sid)?.status;
      return status?.serving === true && status.epoch === epoch && status.votes === config.voters.includes(sid);
    });
  }

  #sameZxid(): boolean {
    const [first, ...rest] = this.#core.map((sid) => this.#ensemble.machine(sid)?.lastZxid);
    return this.#allServe() && rest.every((zxid) => zxid === first);
  }

  #compareStates(): void {
    const states = this.#core.map((sid) => this.#ensemble.machine(sid)?.state() as Uint8Array);
    for (let i = 1; i < states.length; i++) {
      if (sameBytes(states[0] as Uint8Array, states[i] as Uint8Array)) continue;
      const which = `${this.#core[0]} and ${this.#core[i]}`;
      this.#verdict.fail('ReplicaDigest', `at the end servers ${which} have the same last txn and different states`);
    }
  }

  #runUntil(condition: () => boolean, boundMs: number): boolean {
    const end = this.#clock.now() + boundMs;
    this.#pace.runUntil(end, () => !condition());
    return !this.#verdict.isClean || condition();
  }

  /** Where every server stands, and how far it is. */
  #standing(): string {
    const words = this.#core.map((sid) => {
      const machine = this.#ensemble.machine(sid);
      if (machine === undefined) return `S${sid} down`;
      const { state, epoch, serving, votes } = machine.status;
      return `S${sid} ${state} epoch ${epoch}${serving ? ' serving' : ''}${votes ? '' : ' without a vote'} ${formatZxid(machine.lastZxid)}`;
    });
    return words.join('; ');
  }

  #fail(message: string): void {
    this.#verdict.fail('Liveness', message);
  }
}
