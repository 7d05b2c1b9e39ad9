/** Section G: recipes. Each is played by the scenario that its level names. */
import type { Mutant } from './mutant.ts';

const BALLOT = 'packages/recipes/src/ballot.ts';
const ELECTORATE = 'packages/recipes/src/electorate.ts';
const HOLD = 'packages/recipes/src/hold.ts';
const LATCH = 'packages/recipes/src/leader-latch.ts';
const LEASE = 'packages/recipes/src/lease.ts';
const LINE = 'packages/recipes/src/line.ts';
const LINE_LOCK = 'packages/recipes/src/line-lock.ts';
const LOCK = 'packages/recipes/src/lock.ts';
const MULTI_LOCK = 'packages/recipes/src/multi-lock.ts';
const PERSISTENT_NODE = 'packages/recipes/src/persistent-node.ts';
const SEMAPHORE = 'packages/recipes/src/semaphore.ts';
const TWO_PHASE = 'packages/recipes/src/two-phase-commit.ts';
const VOTING = 'packages/recipes/src/voting.ts';

export const RECIPE_MUTANTS: readonly Mutant[] = [
  {
    id: 'lock-unlooked',
    title: 'who stood before has gone, and nobody looks who else stands there',
    origin: 'ZooKeeper’s recipe for locks, step 5',
    level: 'recipe lock',
    edits: [
      {
        file: LINE_LOCK,
        find: '          await this.#posts.gone(joinPath(this.path, other.name), bounds);\n',
        replace: '          await this.#posts.gone(joinPath(this.path, other.name), bounds);\n          break;\n',
      },
    ],
    expects: 'Exclusion',
  },
  {
    id: 'lock-unsafe',
    title: 'a lock is given although the lease is over',
    origin: 'this code',
    level: 'recipe lock',
    edits: [{ file: LINE_LOCK, find: '        await leaseOf(this.client, bounds);\n', replace: '        void leaseOf;\n' }],
    test: { file: 'packages/testkit/test/recipes/lock.test.ts', name: 'is not given while the lease is over' },
    survives: 'a process has to stand still between the question and the answer that gives it the lock: rare',
  },
  {
    id: 'hold-for-ever',
    title: 'what is held is taken for safe until it is released, whatever becomes of the session',
    origin: 'Curator without a ConnectionStateListener',
    level: 'recipe lock',
    edits: [
      {
        file: HOLD,
        find: 'this.#unfollow = follow(this.#controller, safe());',
        replace: 'this.#unfollow = follow(this.#controller, undefined);',
      },
    ],
    expects: 'Exclusion',
  },
  {
    id: 'create-unprotected',
    title: 'a create whose answer was lost is made again, and the first one stays',
    origin: 'ZooKeeper’s recipes: recoverable errors and the GUID',
    level: 'recipe lock',
    edits: [
      {
        file: LINE,
        find: 'this.#client.create(path, data, { mode, protected: true, ...this.#options, ...options });',
        replace: 'persevere(this.#client, () => this.#client.create(path, data, { mode, ...this.#options, ...options }), options);',
      },
    ],
  },
  {
    id: 'release-once',
    title: 'a release whose connection is lost is not made again',
    origin: 'this code',
    level: 'recipe lock',
    edits: [
      {
        file: LINE,
        find: 'await persevere(this.#client, () => this.#client.delete(place.path));',
        replace: 'await this.#client.delete(place.path).catch(() => {});',
      },
    ],
  },
  {
    id: 'place-kept',
    title: 'who waits no longer keeps his place in line',
    origin: 'this code',
    level: 'recipe lock',
    edits: [{ file: LINE, find: '      this.leave(place).catch(() => {});\n', replace: '' }],
  },
  {
    id: 'release-another',
    title: 'a release removes the first in line, whoever that is',
    origin: 'this code',
    level: 'recipe lock',
    edits: [
      {
        file: LINE,
        find: 'await persevere(this.#client, () => this.#client.delete(place.path));',
        replace:
          'const [first] = await this.members();\n      await persevere(this.#client, () => this.#client.delete(first === undefined ? place.path : joinPath(this.directory, first.name)));',
      },
    ],
  },
  {
    id: 'tried-anyway',
    title: 'a lock that is only tried is had whoever else has it',
    origin: 'this code',
    level: 'recipe lock',
    edits: [{ file: LINE_LOCK, find: 'return isFree && !this', replace: 'return (isFree || place !== undefined) && !this' }],
    expects: 'Exclusion',
  },
  {
    id: 'reader-by-a-reader',
    title: 'a reader looks only at who stands right before it',
    origin: 'ZooKeeper’s recipe for shared locks',
    level: 'recipe read-write-lock',
    edits: [
      {
        file: LOCK,
        find: "before.findLast(({ kind }) => kind === 'write')",
        replace: "(before.at(-1)?.kind === 'write' ? before.at(-1) : undefined)",
      },
    ],
    expects: 'Exclusion',
  },
  {
    id: 'writer-among-readers',
    title: 'a writer waits for writers alone',
    origin: 'ZooKeeper’s recipe for shared locks',
    level: 'recipe read-write-lock',
    edits: [
      {
        file: LOCK,
        find: "kind: 'write', data, inTheWay: (before) => before.at(-1) });",
        replace: "kind: 'write', data, inTheWay: (before) => before.findLast(({ kind }) => kind === 'write') });",
      },
    ],
    expects: 'Exclusion',
  },
  {
    id: 'one-permit-more',
    title: 'a semaphore gives one permit more than it has',
    origin: 'this code',
    level: 'recipe semaphore',
    edits: [{ file: SEMAPHORE, find: '(before) => before.length < this.permits,', replace: '(before) => before.length <= this.permits,' }],
    expects: 'Limit',
  },
  {
    id: 'gate-kept',
    title: 'who has a permit keeps others from asking for one',
    origin: 'this code',
    level: 'recipe semaphore',
    edits: [{ file: SEMAPHORE, find: '      gate.release().catch(() => {});\n', replace: '      void gate;\n' }],
  },
  {
    id: 'lease-for-ever',
    title: 'a lease whose time is over is given back, and its holder is not told',
    origin: 'this code',
    level: 'recipe lease',
    edits: [
      {
        file: LEASE,
        find: '      this.release().catch(() => {});\n',
        replace: '      inner.release().catch(() => {});\n',
      },
      { file: LEASE, find: '    this.#begin();\n  }\n\n  /** How', replace: '    this.#begin(inner);\n  }\n\n  /** How' },
      {
        file: LEASE,
        find: '    this.#begin();\n  }\n\n  #begin(): void {',
        replace: '    this.#begin(this);\n  }\n\n  #begin(inner: Hold): void {',
      },
      {
        file: LEASE,
        find: '      this.#over.abort(new RecipeError(',
        replace: '      void [this.#over, RecipeError];\n      void (new RecipeError(',
      },
      { file: LEASE, find: '    follow(over, signal);\n', replace: '    void [follow, signal];\n' },
      { file: LEASE, find: '(inner.signal.aborted ? inner.signal : over.signal)', replace: 'over.signal' },
    ],
    expects: 'Exclusion',
  },
  {
    id: 'some-of-all',
    title: 'who does not get all locks keeps those that it has',
    origin: 'this code',
    level: 'recipe multi-lock',
    edits: [{ file: MULTI_LOCK, find: '      for (const hold of holds) hold.release().catch(() => {});\n', replace: '' }],
  },
  {
    id: 'locks-as-named',
    title: 'several locks are taken in the order in which they are named',
    origin: 'two who wait for one another',
    level: 'recipe multi-lock',
    edits: [{ file: MULTI_LOCK, find: '.sort((a, b) => (a.path < b.path ? -1 : 1))', replace: '' }],
    expects: 'Progress',
  },
  {
    id: 'second-leads',
    title: 'who stands second leads as well',
    origin: 'this code',
    level: 'recipe leader-latch',
    edits: [{ file: ELECTORATE, find: 'inTheWay: (before) => before.at(-1)', replace: 'inTheWay: (before) => before.at(-2)' }],
  },
  {
    id: 'latch-stays',
    title: 'a latch that is closed keeps its place',
    origin: 'this code',
    level: 'recipe leader-latch',
    edits: [
      {
        file: LATCH,
        find: 'await aborted(term.signal, signal);',
        replace: 'await aborted(term.signal, signal);\n      signal.throwIfAborted();',
      },
    ],
  },
  {
    id: 'kept-once',
    title: 'a znode that somebody has removed is not made again',
    origin: 'this code',
    level: 'recipe persistent-node',
    edits: [
      {
        file: PERSISTENT_NODE,
        find: '        await posts.gone(this.path, { signal });\n        this.#setOwner(undefined);',
        replace: '        await posts.gone(this.path, { signal });\n        await new Promise(() => {});',
      },
    ],
  },
  {
    id: 'left-by-a-quick-end',
    title: 'a znode whose create is under way when its keeper is closed stays',
    origin: 'CURATOR-297',
    level: 'recipe persistent-node',
    edits: [
      {
        file: PERSISTENT_NODE,
        find: '      this.#setOwner(undefined);\n      if (signal.aborted) await',
        replace:
          '      const owner = this.#owner;\n      this.#setOwner(undefined);\n      if (signal.aborted && owner !== undefined) await',
      },
    ],
    expects: 'NothingLeft',
  },
  {
    id: 'votes-overwritten',
    title: 'votes are written whatever has been written since they were read',
    origin: 'lost updates',
    level: 'recipe voting',
    edits: [
      {
        file: BALLOT,
        find: 'data: JSON.stringify(tally), version };',
        replace: 'data: JSON.stringify(tally), version: version * 0 - 1 };',
      },
    ],
    expects: 'VotesCount',
  },
  {
    id: 'half-is-enough',
    title: 'half of the voters decide',
    origin: 'this code',
    level: 'recipe voting',
    edits: [{ file: VOTING, find: 'if (count * 2 > voters) return', replace: 'if (count * 2 >= voters) return' }],
    expects: 'Majority',
  },
  {
    id: 'voted-after-all',
    title: 'a vote that comes after the decision is taken',
    origin: 'this code',
    level: 'recipe voting',
    edits: [
      {
        file: BALLOT,
        find: 'if (decision !== undefined) throw new RecipeError',
        replace: 'if (decision !== undefined && voter === undefined) throw new RecipeError',
      },
    ],
  },
  {
    id: 'commit-by-most',
    title: 'a transaction commits before the last participant has said so',
    origin: 'this code',
    level: 'recipe two-phase-commit',
    edits: [{ file: TWO_PHASE, find: 'return votes.length === participants ?', replace: 'return votes.length >= participants - 1 ?' }],
    expects: 'Unanimity',
  },
  {
    id: 'each-for-itself',
    title: 'whoever waits no longer aborts for itself alone',
    origin: 'presumed abort without a record',
    level: 'recipe two-phase-commit',
    edits: [
      {
        file: BALLOT,
        find: '      await this.#close({ signal });\n',
        replace:
          "      if (closeAfterMs !== undefined) return { voters: [], votes: [], decision: { choice: 'ABORT', atDeadline: true } };\n      await this.#close({ signal });\n",
      },
    ],
    expects: 'AllOrNothing',
  },
];
