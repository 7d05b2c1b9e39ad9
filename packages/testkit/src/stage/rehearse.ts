/** A scenario in a simulated world: servers, network, weather and processes, all in virtual time and all from one seed. */
import { VirtualClock } from '@quorate/ports';
import { Verdict, type Violation } from '../check/verdict.js';
import { climateOf, drawKnobs, type Knobs } from '../simulation/knobs.js';
import type { SimEnsemble } from '../simulation/sim-ensemble.js';
import { Sometimes } from '../simulation/sometimes.js';
import { Trace } from '../trace/trace.js';
import { Weather } from '../weather/weather.js';
import { between, RandomStreams } from '../world/random-streams.js';
import { SimNetwork } from '../world/sim-network.js';
import { Cast, type Interruption } from './cast.js';
import { Misfortune } from './misfortune.js';
import { type StageServer, simConnector, simServers } from './sim-servers.js';
import type { Scenario } from './stage.js';

export interface RehearsalOptions {
  readonly seed: number;
  /** Resolves when every promise that was settled has been heard: a task of the platform's, `setImmediate` for instance. */
  readonly turn: () => Promise<void>;
  /** 3 or 5; drawn from the seed when absent. */
  readonly servers?: number | undefined;
  /** How long things go wrong, in virtual milliseconds; 2,500 to 5,000 when absent. */
  readonly runMs?: number | undefined;
  /** Whether all is well but for this. */
  readonly interruption?: Interruption | undefined;
  readonly calm?: boolean | undefined;
  /** How many of the last events `lastEvents` can tell; 256 when absent. */
  readonly eventsKept?: number | undefined;
}

export interface Rehearsal {
  readonly seed: number;
  /** What did not hold. */
  readonly violation: Violation | undefined;
  /** All that servers have done and actors have noted, folded: equal for equal seeds. */
  readonly traceHash: string;
  readonly virtualMs: number;
  /** How many requests each part has sent. */
  readonly requests: ReadonlyMap<string, number>;
  readonly faults: number;
  readonly sometimes: readonly (readonly [condition: string, count: number])[];
  readonly lastEvents: (count: number) => string[];
}

/** How long after the end of the weather a play may take to come to its end. */
const ENDING_MS = 60_000;

/** Tasks of one rehearsal. A real one has some ten thousand. */
const TASKS_MAX = 500_000;

/** Plays a scenario once. */
export function rehearse(scenario: Scenario, options: RehearsalOptions): Promise<Rehearsal> {
  return new Rehearsing(scenario, options).run();
}

class Rehearsing {
  readonly #scenario: Scenario;
  readonly #options: RehearsalOptions;
  readonly #knobs: Knobs;
  readonly #clock = new VirtualClock();
  readonly #verdict = new Verdict();
  readonly #trace: Trace;
  readonly #ensemble: SimEnsemble<StageServer>;
  readonly #weather: Weather;
  readonly #misfortune: Misfortune;
  readonly #cast: Cast;
  #stirred = false;
  #tasks = 0;
  #hasEnded = false;

  constructor(scenario: Scenario, options: RehearsalOptions) {
    this.#scenario = scenario;
    this.#options = options;
    const knobs = knobsOf(options);
    const streams = new RandomStreams(options.seed);
    const clock = this.#clock;
    this.#knobs = knobs;
    this.#trace = new Trace(() => clock.now(), options.eventsKept ?? 256);
    const network = new SimNetwork({
      clock,
      random: streams.stream('network'),
      climate: climateOf(knobs),
    });
    this.#ensemble = simServers({
      ...{ knobs, clock, streams, network, trace: this.#trace, verdict: this.#verdict },
      onEffect: (sid, effect) => this.#weather.onEffect(sid, effect),
    });
    const { sids } = this.#ensemble;
    this.#cast = new Cast({
      ...{ clock, streams, verdict: this.#verdict, sessionTimeoutMs: knobs.sessionTimeoutTicks * knobs.tickTimeMs },
      connector: (id) => simConnector(network, id, { clock, sids }),
      expire: ({ sessionId }) => this.#leader?.server.expireSession(sessionId) === true,
      stirred: () => {
        this.#stirred = true;
      },
      note: (text) => this.#trace.noteText(text),
    });
    this.#cast.interruption = options.interruption;
    this.#misfortune = new Misfortune({ clock, random: streams.stream('misfortune'), cast: this.#cast });
    this.#weather = new Weather({
      ...{ clock, streams, network, ensemble: this.#ensemble, trace: this.#trace, sometimes: new Sometimes() },
      clients: [],
      spreads: true,
      gentle: true,
      isReplaceable: () => false,
      faultEveryMs: knobs.faultEveryMs,
    });
  }

  get #leader(): StageServer | undefined {
    const { leader } = this.#ensemble;
    return leader === undefined ? undefined : this.#ensemble.machine(leader);
  }

  async run(): Promise<Rehearsal> {
    const { runMs } = this.#knobs;
    for (const sid of this.#ensemble.sids) this.#ensemble.start(sid);
    const played = this.#scenario.play(this.#cast).then(
      () => {
        this.#hasEnded = true;
      },
      (error: Error) => this.#cast.fail('UnexpectedException', error.stack ?? String(error)),
    );
    if (this.#options.calm !== true) {
      this.#weather.start();
      this.#misfortune.start();
    }
    await this.#runUntil(runMs);
    this.#clearUp();
    await this.#runUntil(runMs + ENDING_MS);
    if (this.#hasEnded) await played;
    else this.#cast.fail('Progress', `not at an end ${ENDING_MS} ms after all was well: ${this.#cast.unfinished.join(', ')}`);
    this.#cast.clear();
    return this.#result();
  }

  /** From now on nothing goes wrong. */
  #clearUp(): void {
    this.#misfortune.end();
    this.#weather.clear(this.#ensemble.sids);
    this.#cast.end();
  }

  async #runUntil(untilMs: number): Promise<void> {
    await this.#options.turn();
    while (this.#verdict.isClean && !this.#hasEnded && this.#clock.step(untilMs)) {
      if (++this.#tasks > TASKS_MAX) this.#cast.fail('Progress', `more than ${TASKS_MAX} tasks: something goes round for ever`);
      if (!this.#stirred) continue;
      this.#stirred = false;
      await this.#options.turn();
    }
  }

  #result(): Rehearsal {
    return {
      seed: this.#options.seed,
      violation: this.#verdict.violation,
      traceHash: this.#trace.hash,
      virtualMs: this.#clock.now(),
      requests: this.#cast.requests,
      faults: this.#weather.faults.length + this.#misfortune.count,
      sometimes: this.#cast.conditions,
      lastEvents: (count) => this.#trace.last(count),
    };
  }
}

/**
 * What differs from seed to seed. A session must be longer than a follower may serve without its leader, and by so much that its client has
 * given up before: see `Client.leaseSignal`.
 */
function knobsOf({ seed, servers, runMs }: RehearsalOptions): Knobs {
  const knobs = drawKnobs(seed, { servers });
  const own = new RandomStreams(seed).stream('knobs: stage');
  const syncLimit = between(own, 2, 3);
  return {
    ...knobs,
    syncLimit,
    sessionTimeoutTicks: 3 * (syncLimit + 1) + between(own, 2, 8),
    runMs: runMs ?? between(own, 2500, 5000),
    faultEveryMs: 1000,
    snapshotEvery: undefined,
    sessions: 'ensemble',
    readOnlyMode: false,
    quotas: 'none',
    // How servers keep and send what they say is what the simulator looks at; here it is to cost little.
    logDisks: false,
    framed: false,
    spoilPermille: 0,
    flushSpikePermille: 0,
  };
}
