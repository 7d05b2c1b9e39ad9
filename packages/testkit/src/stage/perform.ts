/** A scenario by the real clock, against servers that are there already: Apache ZooKeeper's, for instance. Their weather is not ours; their clients' is. */
import { Client, type Connector } from '@quorate/client';
import { realClock } from '@quorate/ports';
import { Verdict, type Violation } from '../check/verdict.js';
import { RandomStreams } from '../world/random-streams.js';
import { Cast } from './cast.js';
import { Misfortune } from './misfortune.js';
import type { Scenario } from './stage.js';

export interface PerformanceOptions {
  /** For what is drawn by chance. What happens when is not in its hands. */
  readonly seed: number;
  readonly connector: Connector;
  /** How long things go wrong, in milliseconds. */
  readonly runMs: number;
  readonly sessionTimeoutMs: number;
}

export interface Performance {
  readonly violation: Violation | undefined;
  readonly faults: number;
  readonly sometimes: readonly (readonly [condition: string, count: number])[];
  /** What was noted, with its times. */
  readonly record: readonly string[];
}

/** How long after the end of all misfortune a play may take to come to its end. */
const ENDING_MS = 30_000;

/** Plays a scenario once. */
export async function perform(scenario: Scenario, options: PerformanceOptions): Promise<Performance> {
  const { seed, connector, runMs, sessionTimeoutMs } = options;
  const clock = realClock;
  const streams = new RandomStreams(seed);
  const verdict = new Verdict();
  const record: string[] = [];
  const startedAt = clock.now();
  const cast = new Cast({
    ...{ clock, streams, verdict, sessionTimeoutMs },
    connector: () => connector,
    expire: (client) => evict(client, connector),
    stirred: () => {},
    note: (text) => record.push(`${(clock.now() - startedAt).toFixed(1).padStart(9)}  ${text}`),
  });
  const misfortune = new Misfortune({ clock, random: streams.stream('misfortune'), cast });
  misfortune.start();
  const over = clock.setTimer(runMs, () => {
    misfortune.end();
    cast.end();
  });
  await new Promise<void>((resolve) => {
    const late = clock.setTimer(runMs + ENDING_MS, () => {
      cast.fail('Progress', `not at an end ${ENDING_MS} ms after all was well: ${cast.unfinished.join(', ')}`);
      resolve();
    });
    const end = (): void => {
      late.cancel();
      resolve();
    };
    cast.onFailure = end;
    scenario.play(cast).then(end, (error: Error) => cast.fail('UnexpectedException', error.stack ?? String(error)));
  });
  over.cancel();
  misfortune.end();
  cast.clear();
  return { violation: verdict.violation, faults: misfortune.count, sometimes: cast.conditions, record };
}

/** Whoever has the id and the password of a session may end it. */
function evict({ session, sessionTimeoutMs }: Client, connector: Connector): boolean {
  if (session.id === 0n) return false;
  Client.connect({ connector, session, sessionTimeoutMs }).then(
    (other) => other.close(),
    () => {},
  );
  return true;
}
