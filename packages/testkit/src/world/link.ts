/** One direction between two hosts: how long it takes, whether it is cut, and what stands before the cut. */
import type { Random, VirtualClock } from '@quorate/ports';
import { chance, millis } from './random-streams.js';

/** How the network is at the moment. All links share one, so that it can calm down. */
export interface Climate {
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  /** How many of a thousand messages take up to thirty times as long. */
  spikePermille: number;
  /** How many of a thousand datagrams are lost, how many arrive twice, and how many long after their time. */
  datagramLossPermille: number;
  datagramCopyPermille: number;
  datagramLatePermille: number;
}

export class Link {
  readonly from: string;
  readonly to: string;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #climate: Climate;
  /** How many faults cut this direction at the moment. */
  #cuts = 0;
  /** Times the usual latency. */
  slowness = 1;
  /** What goes on when the cut is mended. */
  #blocked: (() => void)[] = [];

  constructor(ends: { readonly from: string; readonly to: string }, clock: VirtualClock, random: Random, climate: Climate) {
    this.from = ends.from;
    this.to = ends.to;
    this.#clock = clock;
    this.#random = random;
    this.#climate = climate;
  }

  get isCut(): boolean {
    return this.#cuts > 0;
  }

  get clock(): VirtualClock {
    return this.#clock;
  }

  drawLatencyMs(): number {
    const { latencyMinMs, latencyMaxMs, spikePermille } = this.#climate;
    let latency = millis(this.#random, latencyMinMs, latencyMaxMs);
    if (chance(this.#random, spikePermille)) latency *= millis(this.#random, 2, 30);
    return latency * this.slowness;
  }

  cut(): void {
    this.#cuts++;
  }

  mend(): void {
    if (this.#cuts === 0) return;
    this.#cuts--;
    if (this.#cuts > 0) return;
    const blocked = this.#blocked;
    this.#blocked = [];
    for (const goOn of blocked) goOn();
  }

  whenMended(goOn: () => void): void {
    this.#blocked.push(goOn);
  }
}
