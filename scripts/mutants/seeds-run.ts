/** Runs a bundle over its seeds in a process of its own: a mutant may loop for ever, or take all memory. */
import { fork } from 'node:child_process';
import type { MutantLevel } from './mutant.ts';
import type { SeedWord } from './seeds-child.ts';

/** One seed takes a fraction of a second, and on a machine with much else to do some ten; one that takes this long will not end. */
const SEED_MS_MAX = 300_000;

export interface SeedsOutcome {
  /** How many seeds were run, the one that failed included. */
  readonly seeds: number;
  /** The property that failed; undefined where all held. */
  readonly property: string | undefined;
  readonly message: string | undefined;
  readonly seconds: number;
}

export function runSeeds(file: string, options: { readonly level: MutantLevel; readonly to: number }): Promise<SeedsOutcome> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let last: SeedWord = { seed: 0, property: undefined, message: undefined };
    let ended = false;
    const child = fork(file, [options.level, '1', String(options.to)], {
      execArgv: ['--max-old-space-size=1024'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const end = (word: SeedWord): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve({ seeds: word.seed, property: word.property, message: word.message, seconds: (performance.now() - startedAt) / 1000 });
    };
    const hang = (): void => end({ seed: last.seed + 1, property: 'Hang', message: `a seed has not ended after ${SEED_MS_MAX} ms` });
    let timer = setTimeout(hang, SEED_MS_MAX);
    child.on('message', (word: SeedWord) => {
      last = word;
      clearTimeout(timer);
      if (word.property !== undefined || word.seed === options.to) return end(word);
      timer = setTimeout(hang, SEED_MS_MAX);
    });
    child.on('exit', (code, signal) => end({ seed: last.seed + 1, property: 'ProcessDied', message: `with ${code ?? signal}` }));
    child.on('error', (error) => end({ seed: last.seed + 1, property: 'ProcessDied', message: error.message }));
  });
}
