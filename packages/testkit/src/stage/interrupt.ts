/** A scenario in good weather, once for each request that its parts send: there the connection ends, or the session. */

import type { Interruption } from './cast.js';
import { type Rehearsal, type RehearsalOptions, rehearse } from './rehearse.js';
import type { Scenario } from './stage.js';

export interface InterruptOptions extends Pick<RehearsalOptions, 'seed' | 'turn' | 'servers' | 'runMs'> {
  /** Only every so manieth request; each when absent. Which ones depends on the seed. */
  readonly every?: number | undefined;
}

/** A rehearsal and what interrupted it. */
export interface Interrupted extends Rehearsal {
  readonly interruption: Interruption | undefined;
}

/** How long parts go on, in virtual milliseconds, where nothing else is said: the first leader is elected in a part of it. */
const RUN_MS = 1_500;

/** Plays the scenario without an interruption, and then with each. */
export async function* interrupt(
  scenario: Scenario,
  { every = 1, runMs = RUN_MS, ...options }: InterruptOptions,
): AsyncGenerator<Interrupted> {
  const common = { ...options, runMs, calm: true };
  const undisturbed = await rehearse(scenario, common);
  yield { ...undisturbed, interruption: undefined };
  let number = options.seed;
  for (const [part, requests] of undisturbed.requests) {
    for (let request = 1; request <= requests; request++) {
      for (const fate of ['lose request', 'lose reply'] as const) {
        for (const expires of [false, true]) {
          if (number++ % every !== 0) continue;
          const interruption = { part, request, fate, expires };
          yield { ...(await rehearse(scenario, { ...common, interruption })), interruption };
        }
      }
    }
  }
}

/** An interruption in words. */
export function tellInterruption({ part, request, fate, expires }: Interruption): string {
  return `request ${request} of ${part}: ${fate}, and the ${expires ? 'session' : 'connection'} ends`;
}
