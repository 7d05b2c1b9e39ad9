/** The entry of each bundle: runs the seeds that the command line names, one after the other, until one fails, and tells its parent of each. */
import { setImmediate } from 'node:timers/promises';
import { type Level, rehearse, simulate, type Violation } from '@quorate/testkit';
import { allScenarios } from '../recipes/scenarios.ts';
import { turn } from '../recipes/turn.ts';
import type { MutantLevel } from './mutant.ts';

/** What became of one seed. */
export interface SeedWord {
  readonly seed: number;
  readonly property: string | undefined;
  readonly message: string | undefined;
}

const [level, from, to] = process.argv.slice(2) as [MutantLevel, string, string];

async function violationOf(seed: number): Promise<Violation | undefined> {
  const scenario = allScenarios.find(({ name }) => level === `recipe ${name}`);
  if (scenario === undefined) return simulate({ seed, level: level as Level, eventsKept: 1 }).violation;
  return (await rehearse(scenario, { seed, turn, eventsKept: 1 })).violation;
}

for (let seed = Number(from); seed <= Number(to); seed++) {
  const violation = await violationOf(seed);
  const word: SeedWord = { seed, property: violation?.property, message: violation?.message };
  process.send?.(word);
  if (violation !== undefined) break;
  // Lets the channel work: a parent that is gone is noticed.
  await setImmediate();
  if (!process.connected) break;
}
process.disconnect?.();
