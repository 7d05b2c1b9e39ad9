/**
 * What goes wrong, and when: crashes, power cuts, partitions, slow and one-way links, resets and pauses, one after the other and on top of one
 * another. Weather knows the servers and the network; it does not know the work.
 */
import type { Random, VirtualClock } from '@quorate/ports';
import type { Effect, Sid } from '@quorate/zab';
import type { Trace } from '../trace/trace.js';
import { between, chance, millis, pick, shuffled } from '../world/random-streams.js';
import type { SimNetwork } from '../world/sim-network.js';
import { hostOf } from '../world/sim-transport.js';
import { Ambush } from './ambush.js';
import type { Machine, SimEnsemble } from './sim-ensemble.js';
import type { Condition, Sometimes } from './sometimes.js';

type Hosts = readonly (readonly [from: string, to: string])[];

export interface WeatherOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly network: SimNetwork;
  readonly ensemble: SimEnsemble<Machine>;
  readonly trace: Trace;
  readonly sometimes: Sometimes;
  readonly faultEveryMs: number;
}

export class Weather {
  readonly #options: WeatherOptions;
  readonly #random: Random;
  readonly #ambush: Ambush;
  #over = false;
  #faults = 0;

  constructor(options: WeatherOptions) {
    this.#options = options;
    this.#random = options.random;
    this.#ambush = new Ambush(options.random, (sid) => this.#onCaught(sid));
  }

  get faults(): number {
    return this.#faults;
  }

  start(): void {
    this.#next();
  }

  /** What the servers do, so that a crash can come at the worst moment. */
  onEffect(sid: Sid, effect: Effect): void {
    if (!this.#over) this.#ambush.onEffect(sid, effect);
  }

  /** All is well again: every server runs, every link carries. */
  clear(): void {
    this.#over = true;
    const { network, ensemble } = this.#options;
    network.heal();
    ensemble.calm();
    for (const sid of ensemble.sids) {
      ensemble.resume(sid);
      ensemble.start(sid);
    }
    this.#note('the weather clears');
  }

  #next(): void {
    const { faultEveryMs } = this.#options;
    this.#later(millis(this.#random, faultEveryMs / 8, (faultEveryMs * 15) / 8), () => {
      this.#strike();
      this.#next();
    });
  }

  #strike(): void {
    this.#faults++;
    const draw = between(this.#random, 0, 99);
    if (draw < 16) this.#crashOne();
    else if (draw < 22) this.#crashMany();
    else if (draw < 27) this.#crashLoop();
    else if (draw < 42) this.#layAmbush();
    else if (draw < 54) this.#partition();
    else if (draw < 64) this.#cutOneWay();
    else if (draw < 70) this.#cutBetweenTwo();
    else if (draw < 78) this.#slowDown();
    else if (draw < 86) this.#resetChannels();
    else this.#pauseOne();
  }

  // Crashes

  #crashOne(): void {
    const sid = this.#victim();
    if (!this.#options.ensemble.isUp(sid)) return;
    this.#crash(sid);
    this.#later(this.#outageMs(), () => this.#restart(sid));
  }

  /** Power is lost on most or all servers at one instant. */
  #crashMany(): void {
    const { ensemble, sometimes } = this.#options;
    const count = chance(this.#random, 600) ? ensemble.sids.length : between(this.#random, 2, ensemble.sids.length);
    const victims = shuffled(this.#random, ensemble.sids).slice(0, count);
    if (count === ensemble.sids.length) sometimes.note('power lost on all servers at once');
    const outageMs = this.#outageMs();
    for (const sid of victims) {
      this.#crash(sid);
      this.#later(outageMs + millis(this.#random, 0, 300), () => this.#restart(sid));
    }
  }

  /** A server that does not live long, again and again, also in the middle of its recovery. */
  #crashLoop(): void {
    const sid = this.#victim();
    let left = between(this.#random, 2, 6);
    const round = (): void => {
      this.#crash(sid);
      this.#later(millis(this.#random, 0, 200), () => {
        this.#restart(sid);
        if (--left > 0) this.#later(millis(this.#random, 0, 400), round);
      });
    };
    round();
  }

  /** The next servers that take a certain step crash in it; what comes before is often an election. */
  #layAmbush(): void {
    const { ensemble } = this.#options;
    this.#ambush.lay();
    const leader = ensemble.leader;
    if (leader === undefined || chance(this.#random, 400)) return;
    this.#crash(leader);
    this.#later(millis(this.#random, 1, 200), () => this.#restart(leader));
  }

  #onCaught(sid: Sid): void {
    // The crash itself waits for the end of the turn: a server is not taken away from under its own feet.
    this.#later(chance(this.#random, 400) ? 0 : millis(this.#random, 0, 4), () => {
      this.#seen('crash in ambush');
      this.#crash(sid);
      if (chance(this.#random, 500)) this.#ambush.lay();
      this.#later(chance(this.#random, 600) ? millis(this.#random, 0, 100) : this.#outageMs(), () => this.#restart(sid));
    });
  }

  #crash(sid: Sid): void {
    const { ensemble, sometimes } = this.#options;
    if (!ensemble.isUp(sid)) return;
    this.#note(`S${sid} crashes`);
    sometimes.note('crash');
    if (ensemble.leader === sid) sometimes.note('crash of a serving leader');
    ensemble.crash(sid);
  }

  #restart(sid: Sid): void {
    if (this.#options.ensemble.isUp(sid)) return;
    this.#note(`S${sid} restarts`);
    this.#options.ensemble.start(sid);
  }

  // Links

  #partition(): void {
    const { ensemble } = this.#options;
    const order = shuffled(this.#random, ensemble.sids);
    const size = between(this.#random, 1, Math.floor(order.length / 2));
    const alone = order.slice(0, size);
    const leader = ensemble.leader;
    // The leader's being in the minority is what tests most.
    if (leader !== undefined && chance(this.#random, 500) && !alone.includes(leader)) alone[0] = leader;
    const rest = ensemble.sids.filter((sid) => !alone.includes(sid));
    if (leader !== undefined && alone.includes(leader)) this.#seen('partition with the leader in the minority');
    this.#seen('partition');
    this.#cut([...pairs(alone, rest), ...pairs(rest, alone)], `servers ${alone} are cut off`);
    // Those on one side may see it at once while the others still believe that all is well.
    if (chance(this.#random, 400)) this.#later(millis(this.#random, 0, 30), () => this.#giveUp(rest, alone));
  }

  #giveUp(some: readonly Sid[], others: readonly Sid[]): void {
    for (const a of some) for (const b of others) this.#options.network.reset(hostOf(a), hostOf(b));
  }

  /** A server that is heard but does not hear, or the other way round. */
  #cutOneWay(): void {
    const { ensemble } = this.#options;
    const sid = this.#victim();
    const others = ensemble.sids.filter((other) => other !== sid);
    const some = chance(this.#random, 500) ? others : shuffled(this.#random, others).slice(0, 1);
    this.#seen('one-way cut');
    if (chance(this.#random, 500)) this.#cut(pairs([sid], some), `nothing of S${sid} reaches ${some}`);
    else this.#cut(pairs(some, [sid]), `nothing of ${some} reaches S${sid}`);
  }

  /** Two servers do not see each other; all others see both. */
  #cutBetweenTwo(): void {
    const [a, b] = shuffled(this.#random, this.#options.ensemble.sids) as [Sid, Sid];
    this.#cut([...pairs([a], [b]), ...pairs([b], [a])], `S${a} and S${b} do not reach each other`);
  }

  #cut(directions: Hosts, text: string): void {
    this.#note(text);
    const mend = this.#options.network.cut(directions);
    this.#later(this.#outageMs(), () => {
      this.#note(`mended: ${text}`);
      mend();
    });
  }

  #slowDown(): void {
    const sid = this.#victim();
    const others = this.#options.ensemble.sids.filter((other) => other !== sid);
    const factor = pick(this.#random, [5, 20, 60]);
    this.#seen('slow links');
    this.#note(`the links of S${sid} are ${factor} times slower`);
    const end = this.#options.network.slow([...pairs([sid], others), ...pairs(others, [sid])], factor);
    this.#later(this.#outageMs(), end);
  }

  #resetChannels(): void {
    const { ensemble, network } = this.#options;
    const sid = this.#victim();
    let count = 0;
    for (const other of ensemble.sids) if (other !== sid && chance(this.#random, 600)) count += network.reset(hostOf(sid), hostOf(other));
    if (count > 0) this.#seen('channels reset');
    this.#note(`S${sid} resets ${count} of its channels`);
  }

  // Pauses

  #pauseOne(): void {
    const { ensemble } = this.#options;
    const sid = this.#victim();
    const process = ensemble.process(sid);
    if (process === undefined || process.isPaused) return;
    this.#seen('server paused');
    if (ensemble.leader === sid) this.#seen('serving leader paused');
    this.#note(`S${sid} stands still`);
    process.pause();
    this.#later(millis(this.#random, 20, 3000), () => {
      if (process.hasEnded) return;
      this.#note(`S${sid} goes on`);
      process.resume();
    });
  }

  /** Any server; the leader more often than its share. */
  #victim(): Sid {
    const { ensemble } = this.#options;
    const leader = ensemble.leader;
    return leader !== undefined && chance(this.#random, 300) ? leader : pick(this.#random, ensemble.sids);
  }

  /** Short ones are common, long ones happen. */
  #outageMs(): number {
    return chance(this.#random, 600) ? millis(this.#random, 20, 800) : millis(this.#random, 500, 6000);
  }

  #seen(condition: Condition): void {
    this.#options.sometimes.note(condition);
  }

  #note(text: string): void {
    this.#options.trace.note(0, this.#faults, () => `** ${text}`);
  }

  #later(ms: number, task: () => void): void {
    this.#options.clock.setTimer(ms, () => {
      if (!this.#over) task();
    });
  }
}

function pairs(from: readonly Sid[], to: readonly Sid[]): Hosts {
  return from.flatMap((a) => to.map((b) => [hostOf(a), hostOf(b)] as const));
}
