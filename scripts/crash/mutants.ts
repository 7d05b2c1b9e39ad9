/** Bugs that a kill -9 shows: each has to be found by `npm run test:crash -- --mutants`. */
import type { Edit, Mutant } from '../mutants/mutant.ts';

function mutant(id: string, title: string, ...edits: readonly Edit[]): Mutant {
  return { id, title, origin: 'reliability: crashes', level: 'server', edits };
}

const DISK = 'packages/node/src/file-disk.ts';

export const MUTANTS: readonly Mutant[] = [
  // The page cache survives a killed process, so that a missing flush is not among these: `--trace` sees it.
  mutant('write-behind', 'a write is told as done a while before the system has it', {
    file: DISK,
    find: `    this.#call<undefined>(done as Answered<undefined>, (tell) => this.#writeFrom(bytes, 0, offset, tell));`,
    replace: `    this.#call<undefined>(done as Answered<undefined>, (tell) => {
      const copy = bytes.slice();
      const write = () => this.#writeFrom(copy, 0, offset, () => {});
      // What stands at the beginning of a file says which files there are: without it nothing would start.
      if (offset > 0) setTimeout(write, 50);
      else write();
      tell(null, undefined);
    });`,
  }),
];
