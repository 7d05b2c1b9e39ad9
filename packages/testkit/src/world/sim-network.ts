import type { Random, VirtualClock } from '@quorate/ports';
import { type Climate, Link } from './link.js';
import { chance, millis } from './random-streams.js';
import type { SimProcess } from './sim-process.js';
import { Direction, StreamEnd, type StreamHandler } from './stream.js';

/** Takes a stream at a listening host. The stream may be used at once. */
export type StreamListener<Out, In> = (from: string, end: StreamEnd<Out, In>) => StreamHandler<In>;

export interface SimNetworkOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly climate: Readonly<Climate>;
}

interface Listening {
  readonly process: SimProcess;
  // The network does not know what its streams carry; the two sides of a service agree on it.
  readonly listener: StreamListener<never, never>;
}

/**
 * Hosts and the links between them. Streams keep the contract of a connection under every fault; datagrams may be lost, doubled and
 * overtake one another. What stands before a cut waits; it never arrives at an end that has closed.
 */
export class SimNetwork {
  readonly #options: SimNetworkOptions;
  readonly #climate: Climate;
  readonly #links = new Map<string, Link>();
  readonly #listening = new Map<string, Listening>();
  readonly #ends = new Set<StreamEnd<never, never>>();
  #healed = false;
  /** Undoes the faults that last. */
  #faults = new Set<() => void>();

  constructor(options: SimNetworkOptions) {
    this.#options = options;
    this.#climate = { ...options.climate };
  }

  link(from: string, to: string): Link {
    const key = `${from}>${to}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = new Link({ from, to }, this.#options.clock, this.#options.random, this.#climate);
      this.#links.set(key, link);
    }
    return link;
  }

  listen<Out, In>(address: string, process: SimProcess, listener: StreamListener<Out, In>): void {
    this.#listening.set(address, { process, listener: listener as unknown as StreamListener<never, never> });
  }

  /** Ends the listening of this process, if it is still the one. */
  unlisten(address: string, process: SimProcess): void {
    if (this.#listening.get(address)?.process === process) this.#listening.delete(address);
  }

  /**
   * Opens a stream from a host to `service` of another. Where nobody listens, `onClose` tells it; nothing is called back before this returns.
   */
  dial<Out, In>(options: {
    readonly from: string;
    readonly process: SimProcess;
    readonly to: string;
    readonly service: string;
    readonly handler: StreamHandler<In>;
    readonly onEnd?: (end: StreamEnd<Out, In>) => void;
  }): StreamEnd<Out, In> {
    const { from, to, process } = options;
    const back = new Direction(this.link(to, from), () => near as unknown as StreamEnd<unknown, unknown>);
    const accept = (): StreamEnd<unknown, unknown> | undefined => {
      const listening = this.#listening.get(`${to}/${options.service}`);
      if (listening === undefined) return undefined;
      const far = new StreamEnd<never, never>({
        host: to,
        peerHost: from,
        process: listening.process,
        outgoing: back,
        onEnd: this.#forget,
      });
      this.#ends.add(far);
      listening.process.enter(() => far.handle(listening.listener(from, far)));
      return far as unknown as StreamEnd<unknown, unknown>;
    };
    const forth = new Direction(this.link(from, to), () => near as unknown as StreamEnd<unknown, unknown>, accept);
    forth.refusal = back;
    const near: StreamEnd<Out, In> = new StreamEnd<Out, In>({
      host: from,
      peerHost: to,
      process,
      outgoing: forth,
      onEnd: (end) => {
        this.#forget(end as unknown as StreamEnd<never, never>);
        options.onEnd?.(end);
      },
    });
    back.far = near as unknown as StreamEnd<unknown, unknown>;
    near.handle(options.handler);
    this.#ends.add(near as unknown as StreamEnd<never, never>);
    near.dial();
    return near;
  }

  /** Sends something that may be lost, doubled or overtaken. */
  datagram(link: Link, deliver: () => void): void {
    const { random } = this.#options;
    const { datagramLossPermille, datagramCopyPermille } = this.#climate;
    if (chance(random, datagramLossPermille)) return;
    const copies = chance(random, datagramCopyPermille) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      // One that has been overtaken by hundreds of others may still come.
      const lateMs = chance(random, this.#climate.datagramLatePermille) ? millis(random, 0, 4000) : 0;
      this.#options.clock.setTimer(link.drawLatencyMs() + lateMs, () => {
        if (!link.isCut) deliver();
        else if (chance(random, 300)) link.whenMended(deliver);
      });
    }
  }

  // Faults

  /** Cuts these directions; gives what mends them. Some of the streams across the cut are given up by their hosts, in their own time. */
  cut(directions: readonly (readonly [from: string, to: string])[], random: Random = this.#options.random): () => void {
    const links = directions.map(([from, to]) => this.link(from, to));
    for (const link of links) link.cut();
    for (const end of [...this.#ends]) {
      const across = links.some((link) => link.from === end.host && link.to === end.peerHost);
      if (across && chance(random, 250)) {
        this.#options.clock.setTimer(millis(random, 0, 2000), () => {
          if (!this.#healed) end.reset();
        });
      }
    }
    return this.#lasting(() => {
      for (const link of links) link.mend();
    });
  }

  /** Cuts these directions for good. */
  cutForEver(directions: readonly (readonly [from: string, to: string])[]): void {
    for (const [from, to] of directions) this.link(from, to).cut();
  }

  /** Makes these directions slow; gives what ends it. */
  slow(directions: readonly (readonly [from: string, to: string])[], factor: number): () => void {
    const links = directions.map(([from, to]) => this.link(from, to));
    for (const link of links) link.slowness = factor;
    return this.#lasting(() => {
      for (const link of links) link.slowness = 1;
    });
  }

  /** Resets the streams between two hosts, from the side of the first. */
  reset(host: string, peerHost: string): number {
    let count = 0;
    for (const end of [...this.#ends]) {
      if (end.host !== host || end.peerHost !== peerHost) continue;
      end.reset();
      count++;
    }
    return count;
  }

  /** Ends every fault, those that were to come included, for good: nothing is lost or delayed any more. */
  heal(): void {
    this.#healed = true;
    for (const undo of [...this.#faults]) undo();
    this.#climate.spikePermille = 0;
    this.#climate.datagramLossPermille = 0;
    this.#climate.datagramCopyPermille = 0;
    this.#climate.datagramLatePermille = 0;
  }

  #lasting(undo: () => void): () => void {
    const once = (): void => {
      if (this.#faults.delete(once)) undo();
    };
    this.#faults.add(once);
    return once;
  }

  readonly #forget = (end: StreamEnd<never, never>): void => {
    this.#ends.delete(end);
  };
}
