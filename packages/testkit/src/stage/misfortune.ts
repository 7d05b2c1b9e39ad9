/** What befalls the processes of a cast: the counterpart of the weather, which befalls servers. */
import type { Clock, Random } from '@quorate/ports';
import { chance, millis, pick } from '../world/random-streams.js';
import type { Cast, Role } from './cast.js';

type Blow = (role: Role, random: Random, sessionTimeoutMs: number) => void;

/** Kinds, each as often as it stands here. */
const BLOWS: readonly Blow[] = [
  ...new Array<Blow>(4).fill((role) => role.cut()),
  ...new Array<Blow>(2).fill((role, random, timeoutMs) => role.freeze(millis(random, 0, timeoutMs / 2))),
  ...new Array<Blow>(3).fill((role, random, timeoutMs) => role.freeze(millis(random, timeoutMs / 2, timeoutMs * 3))),
  ...new Array<Blow>(2).fill((role) => role.die()),
  ...new Array<Blow>(1).fill((role) => role.expire()),
];

/** The mean time between two of them, in session timeouts. */
const EVERY = 0.2;

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
    const some = BLOWS.filter(() => chance(this.#random, 600));
    this.#blows = some.length > 0 ? some : BLOWS;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  start(): void {
    const { sessionTimeoutMs } = this.#cast;
    this.#clock.setTimer(millis(this.#random, 0, 2 * EVERY * sessionTimeoutMs), () => {
      if (this.#over) return;
      this.#strike();
      this.start();
    });
  }

  end(): void {
    this.#over = true;
  }

  #strike(): void {
    const roles = this.#cast.roles;
    if (roles.length === 0) return;
    this.#count++;
    pick(this.#random, this.#blows)(pick(this.#random, roles), this.#random, this.#cast.sessionTimeoutMs);
  }
}
