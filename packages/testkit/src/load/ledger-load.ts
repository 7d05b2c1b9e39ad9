/** Work for ledgers: proposals at the leader, requests at its learners, and syncs everywhere. */
import type { Random, VirtualClock } from '@quorate/ports';
import { JuteWriter } from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import type { Witness } from '../check/witness.js';
import type { Knobs } from '../simulation/knobs.js';
import type { SimEnsemble } from '../simulation/sim-ensemble.js';
import type { Sometimes } from '../simulation/sometimes.js';
import { between, chance, millis, pick } from '../world/random-streams.js';
import type { LedgerMachine } from './ledger.js';
import type { Load } from './load.js';

export class LedgerLoad implements Load {
  readonly #knobs: Knobs;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #ensemble: SimEnsemble<LedgerMachine>;
  readonly #witness: Witness;
  readonly #sometimes: Sometimes;
  /** By tag: how long G was when the sync was asked for. */
  readonly #syncs = new Map<number, number>();
  #settled = false;
  #count = 0;

  constructor(options: {
    readonly knobs: Knobs;
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly ensemble: SimEnsemble<LedgerMachine>;
    readonly witness: Witness;
    readonly sometimes: Sometimes;
  }) {
    this.#knobs = options.knobs;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#ensemble = options.ensemble;
    this.#witness = options.witness;
    this.#sometimes = options.sometimes;
  }

  start(): void {
    this.#work();
  }

  settle(): void {
    this.#settled = true;
  }

  probe(done: () => void): void {
    const payload = this.#payload();
    const ask = (): void => {
      if (this.#witness.committed.some((entry) => entry.payload === payload)) return done();
      const leader = this.#ensemble.leader;
      const machine = leader === undefined ? undefined : this.#ensemble.machine(leader);
      if (machine?.replica.isServingLeader === true) machine.propose(payload);
      this.#clock.setTimer(this.#knobs.tickTimeMs, ask);
    };
    ask();
  }

  finish(): void {}

  /** SyncFreshness: whatever was delivered anywhere when the sync was asked for has been delivered here when it is answered. */
  onSynced(sid: Sid, tag: number): void {
    const length = this.#syncs.get(tag);
    if (length === undefined) return;
    this.#syncs.delete(tag);
    this.#sometimes.note('sync answered');
    const delivered = this.#witness.server(sid).delivered.committedIndex;
    if (delivered < length - 1)
      this.#witness.verdict.fail(
        'SyncFreshness',
        `server ${sid} answers a sync at entry ${delivered} of G; it had ${length - 1} when it was asked`,
      );
  }

  #work(): void {
    if (this.#settled) return;
    this.#clock.setTimer(millis(this.#random, 1, this.#knobs.thinkMs), () => this.#work());
    // One that still believes that it leads is asked by all means: there the answer is hardest.
    for (const sid of this.#ensemble.sids) if (this.#isDeposed(sid)) this.#sync(this.#ensemble.machine(sid) as LedgerMachine);
    const sid = pick(this.#random, this.#ensemble.sids);
    const machine = this.#ensemble.machine(sid);
    if (machine === undefined || !machine.status.serving || this.#ensemble.isPaused(sid)) return;
    if (chance(this.#random, 150)) return this.#sync(machine);
    const { replica } = machine;
    const count = between(this.#random, 1, 4);
    for (let i = 0; i < count; i++) {
      if (replica.isServingLeader) machine.propose(this.#payload());
      else replica.request(this.#payload());
    }
  }

  #isDeposed(sid: Sid): boolean {
    const { leader } = this.#ensemble;
    const status = this.#ensemble.machine(sid)?.status;
    return sid !== leader && status?.state === 'LEADING' && status.serving && !this.#ensemble.isPaused(sid);
  }

  #sync({ replica }: LedgerMachine): void {
    const tag = ++this.#count;
    this.#syncs.set(tag, this.#witness.committed.length);
    replica.sync(tag);
  }

  #payload(): Uint8Array {
    const writer = new JuteWriter();
    writer.int(++this.#count);
    return writer.finish();
  }
}
