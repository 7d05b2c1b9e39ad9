/** The entry of each bundle: runs the seeds that the command line names, one after the other, until one fails, and tells its parent of each. */
import { setImmediate } from 'node:timers/promises';
import { type Level, simulate } from '@quorate/testkit';

/** What became of one seed. */
export interface SeedWord {
  readonly seed: number;
  readonly property: string | undefined;
  readonly message: string | undefined;
}

const [level, from, to] = process.argv.slice(2);

for (let seed = Number(from); seed <= Number(to); seed++) {
  const { violation } = simulate({ seed, level: level as Level, eventsKept: 1 });
  const word: SeedWord = { seed, property: violation?.property, message: violation?.message };
  process.send?.(word);
  if (violation !== undefined) break;
  // Lets the channel work: a parent that is gone is noticed.
  await setImmediate();
  if (!process.connected) break;
}
process.disconnect?.();
