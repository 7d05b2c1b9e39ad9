/** One seed from its beginning to its end: a world, an ensemble, its work, its weather, and what the checkers say. */
import { VirtualClock } from '@quorate/ports';
import type { Storage, Transport } from '@quorate/zab';
import type { Sid } from '@quorate/zab';
import { Verdict, type Violation } from '../check/verdict.js';
import { ZabChecker } from '../check/zab-checker.js';
import { LedgerMachine } from '../load/ledger.js';
import { LedgerLoad } from '../load/ledger-load.js';
import { Trace } from '../trace/trace.js';
import { RandomStreams } from '../world/random-streams.js';
import { SimNetwork } from '../world/sim-network.js';
import type { SimProcess } from '../world/sim-process.js';
import { EnsembleRecorder } from './ensemble-recorder.js';
import { drawKnobs, type Knobs } from './knobs.js';
import { Liveness } from './liveness.js';
import { SimEnsemble } from './sim-ensemble.js';
import { Sometimes } from './sometimes.js';
import { Weather } from './weather.js';

export interface SimulationOptions {
  readonly seed: number;
  /** 3 or 5; drawn from the seed when absent. */
  readonly servers?: number | undefined;
  readonly level?: 'zab' | 'server' | undefined;
  /** Knobs to be set by hand, over those that are drawn. */
  readonly knobs?: Partial<Knobs> | undefined;
  readonly wrapStorage?: ((storage: Storage, sid: Sid, process: SimProcess) => Storage) | undefined;
  readonly wrapTransport?: ((transport: Transport, sid: Sid) => Transport) | undefined;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** All inputs and effects, folded: equal for equal seeds. */
  readonly traceHash: string;
  readonly virtualMs: number;
  /** Tasks that the virtual clock has run, and inputs that state machines were given. */
  readonly events: number;
  readonly inputs: number;
  readonly committed: number;
  readonly faults: number;
  readonly sometimes: readonly (readonly [condition: string, count: number])[];
  /** The last events as a readable message sequence; asked for, because it takes long to write. */
  readonly lastEvents: (count: number, options?: { readonly all?: boolean }) => string[];
}

/** Runs one seed. */
export function simulate(options: SimulationOptions): SimulationResult {
  const knobs: Knobs = { ...drawKnobs(options.seed, { servers: options.servers }), ...options.knobs };
  const streams = new RandomStreams(options.seed);
  const clock = new VirtualClock();
  const verdict = new Verdict();
  const trace = new Trace(() => clock.now());
  const sometimes = new Sometimes();
  const config = { version: 0, voters: Array.from({ length: knobs.servers }, (_, i) => i + 1) };
  const checker = new ZabChecker({ config, verdict, now: () => clock.now() });
  const network = new SimNetwork({
    clock,
    random: streams.stream('network'),
    latencyMinMs: knobs.latencyMinMs,
    latencyMaxMs: knobs.latencyMaxMs,
    spikePermille: knobs.latencySpikePermille,
    datagramLossPermille: knobs.datagramLossPermille,
    datagramCopyPermille: knobs.datagramCopyPermille,
  });
  const ensemble: SimEnsemble<LedgerMachine> = new SimEnsemble({
    knobs,
    clock,
    streams,
    network,
    observer: new EnsembleRecorder({ trace, checker, sometimes, verdict, onEffect: (sid, effect) => weather.onEffect(sid, effect) }),
    createMachine: (context) => new LedgerMachine(context, (sid, tag) => load.onSynced(sid, tag)),
    wrapStorage: options.wrapStorage,
    wrapTransport: options.wrapTransport,
  });
  const load = new LedgerLoad({ knobs, clock, random: streams.stream('load'), ensemble, witness: checker.witness, sometimes });
  const weather: Weather = new Weather({
    clock,
    random: streams.stream('weather'),
    network,
    ensemble,
    trace,
    sometimes,
    faultEveryMs: knobs.faultEveryMs,
  });
  let events = 0;
  for (const sid of ensemble.sids) ensemble.start(sid);
  load.start();
  weather.start();
  while (verdict.isClean && clock.step(knobs.runMs)) events++;
  if (verdict.isClean) {
    weather.clear();
    new Liveness({ knobs, clock, ensemble, load, verdict }).run();
  }
  if (verdict.isClean) load.finish();
  return {
    seed: options.seed,
    violation: verdict.violation,
    traceHash: trace.hash,
    virtualMs: clock.now(),
    events,
    inputs: trace.inputs,
    committed: checker.witness.committed.length - 1,
    faults: weather.faults,
    sometimes: sometimes.entries(),
    lastEvents: (count, how) => trace.last(count, how),
  };
}
