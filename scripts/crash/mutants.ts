/** Bugs that `npm run test:crash -- --mutants` has to find, each. */
import type { Edit, Mutant } from '../mutants/mutant.ts';

function mutant(id: string, title: string, ...edits: readonly Edit[]): Mutant {
  return { id, title, origin: 'reliability: crashes', level: 'server', edits };
}

const DISK = 'packages/node/src/file-disk.ts';
const RECOVERY = 'packages/log/src/recovery.ts';

/** Bugs that only the order of the system calls shows: each has to be found by `npm run test:crash -- --trace --mutants`. The page cache survives a killed process. */
export const FLUSH_MUTANTS: readonly Mutant[] = [
  mutant('flush-nothing', 'a flush flushes nothing', {
    file: DISK,
    find: `(tell) => fs.fdatasync(this.#descriptor, (error) => tell(error, undefined))`,
    replace: `(tell) => setImmediate(() => tell(null, undefined))`,
  }),
  mutant('flush-late', 'a flush is told as done when it begins', {
    file: DISK,
    find: `(tell) => fs.fdatasync(this.#descriptor, (error) => tell(error, undefined))`,
    replace: `(tell) => {
      setTimeout(() => fs.fdatasync(this.#descriptor, () => {}), 20);
      tell(null, undefined);
    }`,
  }),
];

/** Bugs that kill -9 shows. */
export const MUTANTS: readonly Mutant[] = [
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
  // Every server starts, all agree with each other, and each number that a client reads grows: only what was acknowledged tells.
  mutant(
    'short-memory',
    'a server that starts takes the log to end eight records before its end',
    {
      file: RECOVERY,
      find: `      const read = yield* reader.next(place);`,
      replace: `      const there = yield* reader.next(place);
      let ahead = there;
      for (let i = 0; i < 8 && ahead !== undefined; i++) ahead = yield* reader.next(behind(ahead));
      const read = end === undefined && ahead === undefined ? undefined : there;`,
    },
    {
      file: RECOVERY,
      find: `const wasSafe = end !== undefined || (note !== undefined && note.offset > place.offset) || (yield* reader.wasDurable(place.offset));`,
      replace: `const wasSafe = end !== undefined;`,
    },
  ),
];
