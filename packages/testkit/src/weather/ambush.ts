/**
 * Crashes at the moments that matter: before a server performs an effect, right after the turn in which it did, or shortly after, so that the order, or what
 * follows it, is on its way. Chance alone hits the few milliseconds between two steps of a synchronization too rarely.
 */
import type { Random, VirtualClock } from '@quorate/ports';
import type { Effect, Sid } from '@quorate/zab';
import { between, chance, millis, pick } from '../world/random-streams.js';

/** The steps between which a crash must do no harm. */
const STEPS: readonly ((effect: Effect) => boolean)[] = [
  (effect) => effect.type === 'append',
  (effect) => effect.type === 'truncate' || effect.type === 'installSnapshot',
  (effect) => effect.type === 'installSnapshot' || effect.type === 'restore',
  (effect) => effect.type === 'saveAcceptedEpoch',
  (effect) => effect.type === 'saveCurrentEpoch',
  (effect) => effect.type === 'saveMark' || effect.type === 'mend',
  (effect) => effect.type === 'sendToLeader' && effect.message.type === 'ACKEPOCH',
  (effect) => effect.type === 'sendToLeader' && effect.message.type === 'ACK',
  (effect) => effect.type === 'sendToLearner' && effect.message.type === 'LEADERINFO',
  (effect) => effect.type === 'sendToLearner' && effect.message.type === 'PIECE',
  (effect) => effect.type === 'sendToLearner' && effect.message.type === 'NEWLEADER',
  (effect) => effect.type === 'sendToLearner' && effect.message.type === 'UPTODATE',
  (effect) => effect.type === 'sendToLearner' && effect.message.type === 'COMMIT',
  (effect) => effect.type === 'sendToLearner' && effect.message.type === 'HANDOVER',
  (effect) => effect.type === 'status' && effect.status.serving,
  (effect) => effect.type === 'deliver',
];

/** Is told of the server that is to crash now. */
export type OnCaught = (sid: Sid, between: 'effects' | 'turns') => void;

interface Trap {
  readonly random: Random;
  readonly onCaught: OnCaught;
  readonly step: (effect: Effect) => boolean;
  left: number;
}

export class Ambush {
  readonly #clock: VirtualClock;
  #trap: Trap | undefined;
  #lifted = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Waits for one of the steps to be taken, by whichever server. A later ambush takes the place of an earlier one. */
  lay(random: Random, onCaught: OnCaught): void {
    this.#trap = { random, onCaught, step: pick(random, STEPS), left: between(random, 1, 4) };
  }

  /** For good: nobody crashes any more, also nobody who was caught already. */
  lift(): void {
    this.#trap = undefined;
    this.#lifted = true;
  }

  /** A server is about to perform this. */
  onEffect(sid: Sid, effect: Effect): void {
    const trap = this.#trap;
    if (trap === undefined || !trap.step(effect) || --trap.left > 0) return;
    this.#trap = undefined;
    const { random, onCaught } = trap;
    if (chance(random, 400)) return onCaught(sid, 'effects');
    this.#clock.setTimer(chance(random, 400) ? 0 : millis(random, 0, 4), () => {
      if (!this.#lifted) onCaught(sid, 'turns');
    });
  }
}
