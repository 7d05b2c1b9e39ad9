/** What befalls the processes of a cast: the counterpart of the weather, which befalls servers. */
import type { Clock, Random } from '@quorate/ports';
import { chance, millis, pick } from '../world/random-streams.js';
import type { Cast, Role } from './cast.js';

type Blow = (role: Role, random: Random, sessionTimeoutMs: number) => void;

/** Kinds, with how often each is drawn among those of a seed. What ends a life is rare: the others wait for the end of its session then. */
const KINDS: readonly (readonly [blow: Blow, weight: number])[] = [
  [(role) => role.cut(), 5],
  [(role, random, timeoutMs) => role.hush(millis(random, 0, timeoutMs / 2)), 3],
  [(role, random, timeoutMs) => role.hush(millis(random, timeoutMs / 2, timeoutMs * 2)), 4],
  [(role, random, timeoutMs) => role.freeze(millis(random, 0, timeoutMs / 2)), 2],
  [(role, random, timeoutMs) => role.freeze(millis(random, timeoutMs / 2, timeoutMs * 2)), 4],
  [(role) => role.die(), 1],
  [(role) => role.expire(), 1],
];

/** The mean time between two blows, in session timeouts. */
const EVERY = 0.4;

/** How many of a thousand temptations are punished, and how soon, in session timeouts. */
const PUNISHED_PERMILLE = 150;
const SOON = 0.1;

export class Misfortune {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #cast: Cast;
  readonly #blows: readonly Blow[];
  #over = false;
  #count = 0;

  constructor(options: { readonly clock: Clock; readonly random: Random; readonly cast: Cast }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#cast = options.cast;
    // Each seed has its own choice of kinds.
    const some = KINDS.filter(() => chance(this.#random, 700));
    this.#blows = (some.length > 0 ? some : KINDS).flatMap(([blow, weight]) => new Array<Blow>(weight).fill(blow));
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  start(): void {
    this.#cast.onTempted = (role) => this.#onTempted(role);
    this.#strikeLater();
  }

  end(): void {
    this.#over = true;
  }

  #strikeLater(): void {
    this.#later(2 * EVERY, () => {
      const { roles } = this.#cast;
      if (roles.length > 0) this.#strike(pick(this.#random, roles));
      this.#strikeLater();
    });
  }

  #onTempted(role: Role): void {
    if (role.options.unharmed !== true && chance(this.#random, PUNISHED_PERMILLE)) this.#later(SOON, () => this.#strike(role));
  }

  #strike(role: Role): void {
    this.#count++;
    pick(this.#random, this.#blows)(role, this.#random, this.#cast.sessionTimeoutMs);
  }

  /** @param most in session timeouts. */
  #later(most: number, task: () => void): void {
    this.#clock.setTimer(millis(this.#random, 0, most * this.#cast.sessionTimeoutMs), () => {
      if (!this.#over) task();
    });
  }
}
