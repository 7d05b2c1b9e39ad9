/**
 * Crashes at the moments that matter: right after a server has ordered something, or shortly after, so that the order, or what follows it in the
 * same turn, is on its way. Chance alone hits the few milliseconds between two steps of a synchronization too rarely.
 */
import type { Random } from '@quorate/ports';
import type { Effect, Sid } from '@quorate/zab';
import { between, pick } from '../world/random-streams.js';

/** The steps between which a crash must do no harm. */
const STEPS: readonly ((effect: Effect) => boolean)[] = [
  (effect) => effect.type === 'append',
  (effect) => effect.type === 'truncate' || effect.type === 'installSnapshot',
  (effect) => effect.type === 'installSnapshot',
  (effect) => effect.type === 'saveAcceptedEpoch',
  (effect) => effect.type === 'saveCurrentEpoch',
  (effect) => effect.type === 'sendToLeader' && effect.message.type === 'ACKEPOCH',
  (effect) => effect.type === 'sendToLeader' && effect.message.type === 'ACK',
  (effect) => effect.type === 'sendToLearner' && effect.message.type === 'LEADERINFO',
  (effect) => effect.type === 'sendToLearner' && effect.message.type === 'NEWLEADER',
  (effect) => effect.type === 'sendToLearner' && effect.message.type === 'COMMIT',
  (effect) => effect.type === 'status' && effect.status.serving,
  (effect) => effect.type === 'deliver',
];

export class Ambush {
  readonly #random: Random;
  readonly #onCaught: (sid: Sid) => void;
  #step: ((effect: Effect) => boolean) | undefined;
  #left = 0;

  constructor(random: Random, onCaught: (sid: Sid) => void) {
    this.#random = random;
    this.#onCaught = onCaught;
  }

  /** Waits for one of the steps to be taken, by whichever server. */
  lay(): void {
    this.#step = pick(this.#random, STEPS);
    this.#left = between(this.#random, 1, 4);
  }

  onEffect(sid: Sid, effect: Effect): void {
    if (this.#step?.(effect) !== true || --this.#left > 0) return;
    this.#step = undefined;
    this.#onCaught(sid);
  }
}
