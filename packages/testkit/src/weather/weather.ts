/**
 * What goes wrong, and when: one fault after the other and on top of one another. Weather knows the servers, the network and the disks; it does not know
 * the work.
 *
 * Each seed has its own choice of kinds (swarm testing), and each fault its own number and its own stream of chance.
 */
import type { Random } from '@quorate/ports';
import type { Effect, Sid } from '@quorate/zab';
import { chance, millis, pick, type RandomStreams } from '../world/random-streams.js';
import { Ambush } from './ambush.js';
import { failFlush, fillUp, goBack, rot, rotMany, slowDisk, wipe, wipeMany } from './disk-faults.js';
import {
  cutBetweenTwo,
  cutOneWay,
  depose,
  leaveBehind,
  leaveBridge,
  partition,
  relieve,
  resetChannels,
  slowDown,
  swizzle,
} from './link-faults.js';
import { breakForEver } from './outsiders.js';
import { askToHandOver, crashLoop, crashOne, drift, jumpWallClock, layAmbush, losePower, pauseOne, suspend } from './process-faults.js';
import { Scene, type SceneOptions } from './scene.js';

export interface WeatherOptions extends SceneOptions {
  readonly streams: RandomStreams;
  readonly faultEveryMs: number;
  /** Whether clocks are right and disks good, so that sessions end no earlier than they must; false when absent. */
  readonly gentle?: boolean | undefined;
  /** The only faults that strike, by number; all when absent. */
  readonly only?: ReadonlySet<number> | undefined;
}

type Fault = (scene: Scene, ambush: Ambush) => void;

/** Every kind, with how often it is drawn among those of a seed. */
const KINDS: readonly (readonly [fault: Fault, weight: number])[] = [
  [crashOne, 16],
  [losePower, 6],
  [crashLoop, 5],
  [layAmbush, 18],
  [pauseOne, 8],
  [suspend, 8],
  [drift, 4],
  [jumpWallClock, 2],
  [askToHandOver, 8],
  [partition, 12],
  [depose, 6],
  [leaveBehind, 8],
  [relieve, 8],
  [cutOneWay, 10],
  [cutBetweenTwo, 6],
  [leaveBridge, 4],
  [swizzle, 5],
  [slowDown, 6],
  [resetChannels, 7],
  [failFlush, 5],
  [fillUp, 4],
  [slowDisk, 5],
  [wipe, 6],
  [rot, 7],
  [goBack, 4],
];

/** What leaves clocks and disks as they are. */
const GENTLE: ReadonlySet<Fault> = new Set([
  ...[crashOne, losePower, crashLoop, layAmbush, pauseOne, suspend, askToHandOver],
  ...[partition, leaveBehind, relieve, cutOneWay, cutBetweenTwo, leaveBridge, swizzle, slowDown, resetChannels],
]);

/** What is added where disks may be lost without regard to what is left. */
const REGARDLESS: readonly (readonly [fault: Fault, weight: number])[] = [
  [wipeMany, 15],
  [rotMany, 30],
];

/** How many of a thousand kinds a seed has. */
const KIND_PERMILLE = 600;

export class Weather {
  readonly #options: WeatherOptions;
  readonly #random: Random;
  readonly #ambush: Ambush;
  /** Each kind of this seed as often as its weight says. */
  readonly #kinds: readonly Fault[];
  #over = false;
  #drawn = 0;
  readonly #struck: number[] = [];

  constructor(options: WeatherOptions) {
    this.#options = options;
    this.#random = options.streams.stream('weather');
    this.#ambush = new Ambush(options.clock);
    const swarm = options.streams.stream('weather: kinds');
    const all = options.gentle === true ? KINDS.filter(([fault]) => GENTLE.has(fault)) : KINDS;
    const some = all.filter(() => chance(swarm, KIND_PERMILLE));
    const kinds = [...(some.length > 0 ? some : all), ...(options.spreads ? [] : REGARDLESS)];
    this.#kinds = kinds.flatMap(([fault, weight]) => new Array<Fault>(weight).fill(fault));
  }

  /** The numbers of the faults that have struck. */
  get faults(): readonly number[] {
    return this.#struck;
  }

  start(): void {
    const { faultEveryMs, clock } = this.#options;
    clock.setTimer(millis(this.#random, faultEveryMs / 8, (faultEveryMs * 15) / 8), () => {
      if (this.#over) return;
      this.#strike(++this.#drawn);
      this.start();
    });
  }

  /** What a server is about to do, so that a crash can come at the worst moment. */
  onEffect(sid: Sid, effect: Effect): void {
    if (!this.#over) this.#ambush.onEffect(sid, effect);
  }

  #strike(number: number): void {
    const { only, streams } = this.#options;
    if (only?.has(number) === false) return;
    this.#struck.push(number);
    const random = streams.stream(`fault ${number}`);
    pick(random, this.#kinds)(new Scene(this.#options, { random, number, isOver: () => this.#over }), this.#ambush);
  }

  /**
   * The weather clears for good for a core: its servers run, its links carry, its disks and clocks are good. All others stay broken, each in its way.
   *
   * @param core every server where all is to be well.
   */
  clear(core: readonly Sid[]): void {
    this.#over = true;
    this.#ambush.lift();
    const { network, ensemble, streams } = this.#options;
    network.heal();
    ensemble.calmChannels();
    const random = streams.stream('outsiders');
    const scene = new Scene(this.#options, { random, number: 0, isOver: () => false });
    for (const sid of ensemble.sids) {
      ensemble.calm(sid);
      if (core.includes(sid)) ensemble.start(sid);
      else breakForEver(scene, sid, core);
    }
    scene.note(core.length === ensemble.sids.length ? 'the weather clears' : `the weather clears for servers ${core}`);
  }
}
