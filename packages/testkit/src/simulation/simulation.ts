/** One seed from its beginning to its end: a world, an ensemble, its work, its weather, and what the checkers say. */
import { VirtualClock } from '@quorate/ports';
import type { Sid, Storage, Transport } from '@quorate/zab';
import { ClientChecker } from '../check/client-checker.js';
import { Verdict, type Violation } from '../check/verdict.js';
import { type Entry, isReplaceable } from '../check/witness.js';
import { ZabChecker } from '../check/zab-checker.js';
import { ClientLoad } from '../load/client-load.js';
import { ClientWire } from '../load/client-wire.js';
import { LedgerMachine } from '../load/ledger.js';
import { LedgerLoad } from '../load/ledger-load.js';
import type { Load } from '../load/load.js';
import { ServerMachine } from '../load/server-machine.js';
import { Trace } from '../trace/trace.js';
import { Weather } from '../weather/weather.js';
import { RandomStreams } from '../world/random-streams.js';
import { SimNetwork } from '../world/sim-network.js';
import type { SimProcess } from '../world/sim-process.js';
import { EnsembleRecorder } from './ensemble-recorder.js';
import { climateOf, configOf, drawKnobs, type Knobs } from './knobs.js';
import { chooseCore, Liveness } from './liveness.js';
import { Pace } from './pace.js';
import { type Machine, type MachineContext, SimEnsemble } from './sim-ensemble.js';
import { Sometimes } from './sometimes.js';

/** What is simulated: Zab alone under a ledger, or whole servers and their clients. */
export type Level = 'zab' | 'server';

export interface SimulationOptions {
  readonly seed: number;
  /** 3 or 5; drawn from the seed when absent. */
  readonly servers?: number | undefined;
  /** 'server' when absent. */
  readonly level?: Level | undefined;
  /** Knobs to be set by hand, over those that are drawn. */
  readonly knobs?: Partial<Knobs> | undefined;
  /** The only faults that strike, by number; all when absent. Those that are left out change nothing in the others. */
  readonly onlyFaults?: ReadonlySet<number> | undefined;
  /** How many of the last events `lastEvents` can tell; 4,096 when absent. */
  readonly eventsKept?: number | undefined;
  /** Puts something between every server and its storage, or its transport: for tests of the checkers. */
  readonly wrapStorage?: ((storage: Storage, sid: Sid, process: SimProcess) => Storage) | undefined;
  readonly wrapTransport?: ((transport: Transport, sid: Sid) => Transport) | undefined;
  /** Called when the weather clears for good: from now on all has to come right. */
  readonly onLiveness?: (() => void) | undefined;
}

export interface SimulationResult {
  readonly seed: number;
  /** The first property that did not hold. */
  readonly violation: Violation | undefined;
  /** All inputs and effects, folded: equal for equal seeds. */
  readonly traceHash: string;
  readonly virtualMs: number;
  /** Tasks that the virtual clock has run. */
  readonly events: number;
  /** Inputs that state machines were given. */
  readonly inputs: number;
  readonly committed: number;
  readonly faults: number;
  /** The numbers of the faults, for `onlyFaults`. */
  readonly struck: readonly number[];
  /** How many clients there were. */
  readonly clients: number;
  readonly sometimes: readonly (readonly [condition: string, count: number])[];
  /** The last events as a readable message sequence; made when asked for, because it takes long to write. */
  readonly lastEvents: (count: number, options?: { readonly all?: boolean }) => string[];
}

/** Runs one seed. */
export function simulate(options: SimulationOptions): SimulationResult {
  return new Simulation(options).run();
}

class Simulation {
  readonly #seed: number;
  readonly #knobs: Knobs;
  readonly #streams: RandomStreams;
  readonly #clock = new VirtualClock();
  readonly #verdict = new Verdict();
  readonly #pace = new Pace(this.#clock, this.#verdict);
  readonly #trace: Trace;
  readonly #sometimes = new Sometimes();
  readonly #checker: ZabChecker;
  readonly #network: SimNetwork;
  readonly #ensemble: SimEnsemble<Machine>;
  readonly #weather: Weather;
  readonly #load: Load;
  readonly #onLiveness: (() => void) | undefined;
  #onCommitted: ((entry: Entry) => void) | undefined;

  constructor(options: SimulationOptions) {
    const { seed, servers } = options;
    const knobs: Knobs = { ...drawKnobs(seed, { servers }), ...options.knobs };
    const clockOf = (sid: Sid): number => this.#ensemble.clockOf(sid);
    this.#seed = seed;
    this.#onLiveness = options.onLiveness;
    this.#knobs = knobs;
    this.#streams = new RandomStreams(seed);
    this.#trace = new Trace(() => this.#clock.now(), options.eventsKept);
    const config = configOf(knobs);
    this.#checker = new ZabChecker({
      config,
      verdict: this.#verdict,
      clockOf,
      epochTxnsMax: knobs.limits.epochTxnsMax,
      onCommitted: (entry) => this.#onCommitted?.(entry),
    });
    this.#network = new SimNetwork({
      clock: this.#clock,
      random: this.#streams.stream('network'),
      climate: climateOf(knobs),
    });
    const { ensemble, load } = options.level === 'zab' ? this.#zabLevel(options) : this.#serverLevel(options);
    this.#ensemble = ensemble;
    this.#load = load;
    this.#weather = new Weather({
      clock: this.#clock,
      streams: this.#streams,
      network: this.#network,
      ensemble,
      trace: this.#trace,
      sometimes: this.#sometimes,
      clients: Array.from({ length: knobs.clients }, (_, i) => ClientWire.hostOf(i + 1)),
      spreads: knobs.spreads,
      isReplaceable: (sid) => isReplaceable(this.#checker.witness, sid),
      faultEveryMs: knobs.faultEveryMs,
      only: options.onlyFaults,
    });
  }

  run(): SimulationResult {
    try {
      this.#safetyPhase();
      if (this.#verdict.isClean) this.#livenessPhase();
      if (this.#verdict.isClean) this.#load.finish();
    } catch (error) {
      this.#verdict.fail('UnexpectedException', (error as Error).stack ?? String(error));
    }
    return this.#result();
  }

  /** Work under bad weather. */
  #safetyPhase(): void {
    for (const sid of this.#ensemble.sids) this.#ensemble.start(sid);
    this.#load.start();
    this.#weather.start();
    this.#pace.runUntil(this.#knobs.runMs);
  }

  /** The weather clears for good. */
  #livenessPhase(): void {
    this.#onLiveness?.();
    const core = chooseCore(this.#ensemble, this.#knobs.coreOnly ? this.#streams.stream('core') : undefined);
    this.#weather.clear(core ?? this.#ensemble.sids);
    const liveness = new Liveness({
      random: this.#streams.stream('fail-over'),
      knobs: this.#knobs,
      clock: this.#clock,
      pace: this.#pace,
      ensemble: this.#ensemble,
      core: core ?? this.#ensemble.sids,
      load: this.#load,
      verdict: this.#verdict,
      sometimes: this.#sometimes,
      timesLooked: (sid) => this.#checker.witness.server(sid).timesLooked,
    });
    if (core === undefined) liveness.stayDown();
    else liveness.run();
  }

  #zabLevel(options: SimulationOptions): { readonly ensemble: SimEnsemble<Machine>; readonly load: Load } {
    const ensemble: SimEnsemble<LedgerMachine> = this.#makeEnsemble(
      options,
      (context) => new LedgerMachine(context, (sid, tag) => load.onSynced(sid, tag)),
    );
    const load = new LedgerLoad({
      knobs: this.#knobs,
      clock: this.#clock,
      random: this.#streams.stream('load'),
      ensemble,
      witness: this.#checker.witness,
      sometimes: this.#sometimes,
    });
    return { ensemble, load };
  }

  #serverLevel(options: SimulationOptions): { readonly ensemble: SimEnsemble<Machine>; readonly load: Load } {
    const checker = new ClientChecker({
      witness: this.#checker.witness,
      sometimes: this.#sometimes,
      rules: { localSessions: this.#knobs.sessions !== 'ensemble', enforcesQuotas: this.#knobs.quotas === 'kept' },
      clockOf: (sid) => this.#ensemble.clockOf(sid),
    });
    this.#onCommitted = (entry) => checker.onCommitted(entry);
    const wire = new ClientWire({
      network: this.#network,
      checker,
      onEvent: (client) => load.onEvent(client),
      trace: this.#trace,
      codecs: this.#knobs.codecs,
    });
    const ensemble = this.#makeEnsemble(options, (context) => new ServerMachine(context, wire, this.#sometimes));
    const load: ClientLoad = new ClientLoad({
      knobs: this.#knobs,
      clock: this.#clock,
      streams: this.#streams,
      network: this.#network,
      wire,
      sids: ensemble.sids,
      checker,
      verdict: this.#verdict,
      sometimes: this.#sometimes,
    });
    return { ensemble, load };
  }

  #makeEnsemble<M extends Machine>(options: SimulationOptions, createMachine: (context: MachineContext) => M): SimEnsemble<M> {
    const recorder = new EnsembleRecorder({
      trace: this.#trace,
      checker: this.#checker,
      sometimes: this.#sometimes,
      verdict: this.#verdict,
      onEffect: (sid, effect) => this.#weather.onEffect(sid, effect),
      channelsAreLegal: this.#knobs.spoilPermille === 0,
    });
    return new SimEnsemble({
      knobs: this.#knobs,
      clock: this.#clock,
      streams: this.#streams,
      network: this.#network,
      observer: recorder,
      createMachine,
      wrapStorage: options.wrapStorage,
      wrapTransport: options.wrapTransport,
    });
  }

  #result(): SimulationResult {
    return {
      seed: this.#seed,
      violation: this.#verdict.violation,
      traceHash: this.#trace.hash,
      virtualMs: this.#clock.now(),
      events: this.#pace.events,
      inputs: this.#trace.inputs,
      committed: this.#checker.witness.committed.length - 1,
      faults: this.#weather.faults.length,
      struck: this.#weather.faults,
      clients: this.#knobs.clients,
      sometimes: this.#sometimes.entries(),
      lastEvents: (count, how) => this.#trace.last(count, how),
    };
  }
}
