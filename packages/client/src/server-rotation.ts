/**
 * Which server is tried next, and after what pause (ZooKeeper: class `StaticHostProvider`).
 *
 * The servers are shuffled once and then tried in turn, so that the clients of an ensemble spread over it. After a loss the next
 * server is tried at once; from the second failure in a row on, pauses with jitter grow, so that clients which lost the same server do
 * not come back at the same instant.
 */

import { type Random, randomBelow } from '@quorate/ports';
import { assert } from '@quorate/protocol';

/** The first pause, in milliseconds; it doubles with every further failure. */
const BACK_OFF_MIN_MS = 20;
/** The longest pause, in milliseconds (ZooKeeper waits up to 1,000). */
const BACK_OFF_MAX_MS = 1000;
/** A connection that served for less than this counts as one more failure, or a server that drops its clients at once is tried in a hot loop. */
const STABLE_MS = 1000;

export class ServerRotation {
  readonly #random: Random;
  readonly #order: number[] = [];
  #next = 0;
  /** Attempts in a row that led to no stable connection. */
  #failures = 0;

  /** @param first the server to begin with; any when absent. */
  constructor(servers: number, random: Random, first?: number) {
    assert(servers >= 1, 'there is a server to connect to');
    this.#random = random;
    for (let index = 0; index < servers; index++) this.#order.push(index);
    for (let index = servers - 1; index > 0; index--) this.#swap(index, randomBelow(random, index + 1));
    if (first !== undefined) this.#swap(0, this.#order.indexOf(first));
  }

  /** The server of the next attempt. */
  next(): number {
    const index = this.#order[this.#next] as number;
    this.#next = (this.#next + 1) % this.#order.length;
    return index;
  }

  /** How long to wait before the next attempt, in milliseconds; 0 up to the first failure. */
  pauseMs(): number {
    if (this.#failures <= 1) return 0;
    const pause = Math.min(BACK_OFF_MAX_MS, BACK_OFF_MIN_MS * 2 ** Math.min(this.#failures - 2, 10));
    return pause / 2 + randomBelow(this.#random, pause / 2);
  }

  /** A connection has ended that had served for so long; 0 where it never did. */
  ended(servedMs: number): void {
    this.#failures = servedMs >= STABLE_MS ? 0 : this.#failures + 1;
  }

  #swap(a: number, b: number): void {
    const server = this.#order[a] as number;
    this.#order[a] = this.#order[b] as number;
    this.#order[b] = server;
  }
}
