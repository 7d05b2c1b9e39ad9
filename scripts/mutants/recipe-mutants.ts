/** Section G: recipes. Each is played by the scenario that its level names. */
import type { Mutant } from './mutant.ts';

const ACK_QUEUE = 'packages/recipes/src/ack-queue.ts';
const BACKLOG = 'packages/recipes/src/backlog.ts';
const BALLOT = 'packages/recipes/src/ballot.ts';
const BARRIER = 'packages/recipes/src/barrier.ts';
const CELL = 'packages/recipes/src/cell.ts';
const CONFIG = 'packages/recipes/src/versioned-config.ts';
const DELAY_QUEUE = 'packages/recipes/src/delay-queue.ts';
const DELIVERY = 'packages/recipes/src/delivery.ts';
const DOUBLE_BARRIER = 'packages/recipes/src/double-barrier.ts';
const ELECTORATE = 'packages/recipes/src/electorate.ts';
const GROUP_VIEW = 'packages/recipes/src/group-view.ts';
const HOLD = 'packages/recipes/src/hold.ts';
const LATCH = 'packages/recipes/src/leader-latch.ts';
const LEASE = 'packages/recipes/src/lease.ts';
const LINE = 'packages/recipes/src/line.ts';
const LINE_LOCK = 'packages/recipes/src/line-lock.ts';
const LOCK = 'packages/recipes/src/lock.ts';
const MEMBERSHIP = 'packages/recipes/src/membership.ts';
const MESSAGE_DISCARDING = 'examples/src/messaging/discarding.ts';
const MESSAGE_NOTES = 'examples/src/messaging/notes.ts';
const MESSAGE_PRODUCER = 'examples/src/messaging/producer.ts';
const MESSAGE_PROGRESS = 'examples/src/messaging/progress.ts';
const MESSAGE_TOPICS = 'examples/src/messaging/topics.ts';
const MESSAGE_WORKER = 'examples/src/messaging/partition-worker.ts';
const MULTI_LOCK = 'packages/recipes/src/multi-lock.ts';
const PARTITIONER = 'packages/recipes/src/partitioner.ts';
const PERSISTENT_NODE = 'packages/recipes/src/persistent-node.ts';
const PRIORITY = 'packages/recipes/src/priority-queue.ts';
const RECEIPT = 'packages/recipes/src/receipt.ts';
const SEMAPHORE = 'packages/recipes/src/semaphore.ts';
const SERVICE_VIEW = 'packages/recipes/src/service-view.ts';
const TAKING = 'packages/recipes/src/taking.ts';
const TWO_PHASE = 'packages/recipes/src/two-phase-commit.ts';
const VOTING = 'packages/recipes/src/voting.ts';
const WAITING_LINE = 'packages/recipes/src/waiting-line.ts';

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
  {
    id: 'commit-repeated',
    title: 'a txn that was lost with its connection is made again, without asking whether it was done',
    origin: 'lost answers',
    level: 'recipe counter',
    edits: [
      {
        file: RECEIPT,
        find: "[{ op: 'setData', path, data: '', version: this.#version }, ...operations]",
        replace: "[{ op: 'setData', path, data: '' }, ...operations]",
      },
    ],
  },
  {
    id: 'receipt-once',
    title: 'a txn whose connection is lost is taken for not done',
    origin: 'lost answers',
    level: 'recipe queue',
    edits: [
      {
        file: RECEIPT,
        find: 'await persevere(this.#client, attempt);',
        replace:
          'await attempt().catch((error) => {\n        if (error instanceof MultiError) throw error;\n      });\n      void persevere;',
      },
    ],
  },
  {
    id: 'taken-unremoved',
    title: 'an item goes to whoever has read it',
    origin: 'this code',
    level: 'recipe queue',
    edits: [
      {
        file: TAKING,
        find: "if (error instanceof MultiError && error.code === 'NO_NODE') return false;",
        replace: "if (error instanceof MultiError && error.code === 'NO_NODE') return true;",
      },
    ],
    expects: 'OneTaker',
  },
  {
    id: 'last-first',
    title: 'a queue gives the last item first',
    origin: 'this code',
    level: 'recipe queue',
    edits: [
      {
        file: BACKLOG,
        find: 'items: items.sort((a, b) => a.rank - b.rank || compareSequence(a.number, b.number))',
        replace: 'items: items.sort((a, b) => compareSequence(b.number, a.number))',
      },
    ],
    expects: 'Order',
  },
  {
    id: 'early',
    title: 'an item of a delay queue is ready at once',
    origin: 'this code',
    level: 'recipe queue',
    edits: [
      {
        file: DELAY_QUEUE,
        find: 'Math.max(0, rank - client.clock.wallNow())',
        replace: 'Math.max(0, rank * 0 - client.clock.wallNow() * 0)',
      },
    ],
    test: {
      file: 'packages/testkit/test/recipes/queues.test.ts',
      name: 'a delay queue keeps an item until its time has come, and wakes who waits for it then',
    },
    survives: 'the scenario does not look at the clock',
  },
  {
    id: 'priority-upside-down',
    title: 'a priority queue gives the greatest number first',
    origin: 'this code',
    level: 'recipe queue',
    edits: [
      {
        file: PRIORITY,
        find: 'await this.backlog.put(data, priority, { signal });',
        replace: 'await this.backlog.put(data, PRIORITY_MAX - priority, { signal });',
      },
    ],
    test: {
      file: 'packages/testkit/test/recipes/queues.test.ts',
      name: 'a priority queue gives the lesser numbers first, and equal ones in their order',
    },
    survives: 'the scenario knows no order between several takers',
  },
  {
    id: 'taker-stays',
    title: 'who has taken an item keeps his place in line',
    origin: 'this code',
    level: 'recipe queue',
    edits: [{ file: WAITING_LINE, find: '      this.#line.leave(place).catch(() => {});\n', replace: '      void this.#line;\n' }],
    test: {
      file: 'packages/testkit/test/recipes/queues.test.ts',
      name: 'gives an item to the one who has waited longest, and wakes nobody else',
    },
    survives: 'the others go on once a session has ended, and in the end whoever is left takes the rest without standing in line',
  },
  {
    id: 'claim-kept',
    title: 'what is given back stays claimed',
    origin: 'this code',
    level: 'recipe ack-queue',
    edits: [
      { file: DELIVERY, find: "await this.#receipts.commit([{ op: 'delete', path: this.#claim }]);", replace: 'void isZooKeeperError;' },
    ],
    test: {
      file: 'packages/testkit/test/recipes/queues.test.ts',
      name: 'delivers again what was given back or whose consumer is gone, and counts',
    },
    survives: 'the session of the consumer ends at some time, and the claim with it',
  },
  {
    id: 'claimless',
    title: 'a delivery claims nothing',
    origin: 'this code',
    level: 'recipe ack-queue',
    edits: [{ file: ACK_QUEUE, find: "{ op: 'create', path: claim, mode: CreateMode.EPHEMERAL, ...this.#options },", replace: '' }],
  },
  {
    id: 'claim-for-ever',
    title: 'a claim outlives its consumer',
    origin: 'ephemerals left out',
    level: 'recipe ack-queue',
    edits: [
      {
        file: ACK_QUEUE,
        find: "{ op: 'create', path: claim, mode: CreateMode.EPHEMERAL, ...this.#options }",
        replace: "{ op: 'create', path: claim, mode: CreateMode.PERSISTENT, ...this.#options }",
      },
    ],
  },
  {
    id: 'ack-by-half',
    title: 'an acknowledgement removes the claim, and not the item',
    origin: 'this code',
    level: 'recipe ack-queue',
    edits: [{ file: DELIVERY, find: "{ op: 'delete', path: this.id }, ...operations", replace: '...operations' }],
  },
  {
    id: 'version-unminded',
    title: 'a change is made whatever has been written since what it was computed from',
    origin: 'lost updates',
    level: 'recipe counter',
    edits: [{ file: CELL, find: "{ op: 'setData', path: this.path, data, version }", replace: "{ op: 'setData', path: this.path, data }" }],
    expects: 'NoLostUpdate',
  },
  {
    id: 'read-unsynced',
    title: 'a value is read as the server knows it',
    origin: 'this code',
    level: 'recipe counter',
    edits: [
      { file: CELL, find: '    await this.#sync(options);\n    return this.#read(options);', replace: '    return this.#read(options);' },
    ],
    test: {
      file: 'packages/testkit/test/recipes/values.test.ts',
      name: 'is read and followed from what had been written before the call, also at a server that lags',
    },
    survives: 'a counter is read at the end, by one who has just come',
  },
  {
    id: 'history-whole',
    title: 'old versions of a configuration stay',
    origin: 'this code',
    level: 'recipe config',
    edits: [{ file: CONFIG, find: 'kept <= version - this.#versionsKept', replace: 'kept < version - this.#versionsKept' }],
    expects: 'History',
  },
  {
    id: 'any-version',
    title: 'a version is published after any other',
    origin: 'this code',
    level: 'recipe config',
    edits: [
      {
        file: CONFIG,
        find: 'isNext = after === undefined || after === version;',
        replace: 'isNext = after === undefined || version >= after;',
      },
    ],
    expects: 'NoLostUpdate',
  },
  {
    id: 'follow-unsynced',
    title: 'a follower begins with what its server knows',
    origin: 'this code',
    level: 'recipe config',
    edits: [{ file: CELL, find: '    await this.#sync(options);\n    for (let seen', replace: '    for (let seen' }],
    test: {
      file: 'packages/testkit/test/recipes/values.test.ts',
      name: 'is read and followed from what had been written before the call, also at a server that lags',
    },
    survives: 'a server has to lag when a follower begins at it that has seen more elsewhere: rare',
  },
  {
    id: 'barrier-unsynced',
    title: 'whoever comes to a barrier goes by what his server knows',
    origin: 'this code',
    level: 'recipe barrier',
    edits: [
      { file: BARRIER, find: '      await persevere(this.#client, () => this.#client.sync(this.path, bounds), bounds);\n', replace: '' },
    ],
    expects: 'HeldBack',
  },
  {
    id: 'barrier-there',
    title: 'a barrier holds nobody back',
    origin: 'this code',
    level: 'recipe barrier',
    edits: [{ file: BARRIER, find: '      await this.#posts.gone(this.path, bounds);\n', replace: '' }],
    expects: 'HeldBack',
  },
  {
    id: 'members-unchecked',
    title: 'a round is opened with members that may have gone',
    origin: 'ZooKeeper’s recipe for double barriers',
    level: 'recipe double-barrier',
    edits: [
      { file: DOUBLE_BARRIER, find: "      ...paths.map((path) => ({ op: 'check', path }) as const),\n", replace: '' },
      { file: DOUBLE_BARRIER, find: '    const paths = members.map(({ name }) => joinPath(this.path, name));\n', replace: '' },
    ],
    test: {
      file: 'packages/testkit/test/recipes/groups.test.ts',
      name: 'is entered by nobody where a member goes in the moment in which it is opened',
    },
    survives: 'a member has to go between the list and the txn that follows it: rare',
  },
  {
    id: 'last-one-alone',
    title: 'a round is opened by its last member or by nobody',
    origin: 'this code',
    level: 'recipe double-barrier',
    edits: [
      { file: DOUBLE_BARRIER, find: 'for (let opens = false; ; opens = true) {', replace: 'for (const opens = false; ; ) {' },
      {
        file: DOUBLE_BARRIER,
        find: '      opens ||= stat.pzxid === place.czxid;\n      if (!opens) return',
        replace: '      if (!opens && stat.pzxid !== place.czxid) return',
      },
    ],
    test: {
      file: 'packages/testkit/test/recipes/groups.test.ts',
      name: 'is opened by another member where the last one does not, after a while',
    },
    survives: 'a member has to leave in the moment in which the last one comes: rare',
  },
  {
    id: 'withdrawn-anyway',
    title: 'who has waited for too long leaves, whoever has entered with him',
    origin: 'ZooKeeper’s recipe for double barriers',
    level: 'recipe double-barrier',
    edits: [{ file: DOUBLE_BARRIER, find: 'if (round !== undefined && this.#isOf(round, place)) return round;', replace: 'void round;' }],
    expects: 'AllOrNone',
  },
  {
    id: 'keeper-first',
    title: 'the keeper of a round does not wait for the others',
    origin: 'this code',
    level: 'recipe double-barrier',
    edits: [
      {
        file: DOUBLE_BARRIER,
        find: '      if (last === undefined) break;',
        replace: '      if (last === undefined || round.version > 0) break;',
      },
    ],
    expects: 'LeaveTogether',
  },
  {
    id: 'keeper-dead',
    title: 'nobody ends a round whose keeper has died',
    origin: 'this code',
    level: 'recipe double-barrier',
    edits: [{ file: DOUBLE_BARRIER, find: 'return void (await this.#close(round, []));', replace: 'return;' }],
    expects: 'Progress',
  },
  {
    id: 'member-for-ever',
    title: 'a member is there when its session has ended',
    origin: 'ephemerals left out',
    level: 'recipe group',
    edits: [{ file: MEMBERSHIP, find: 'mode: CreateMode.EPHEMERAL,', replace: 'mode: CreateMode.PERSISTENT,' }],
  },
  {
    id: 'join-unprotected',
    title: 'a join whose answer is lost is not looked for',
    origin: 'recoverable errors',
    level: 'recipe group',
    edits: [
      { file: MEMBERSHIP, find: 'protected: true, ...this.#options, signal };', replace: 'protected: false, ...this.#options, signal };' },
    ],
  },
  {
    id: 'left-unseen',
    title: 'a view keeps those who have gone',
    origin: 'this code',
    level: 'recipe group',
    edits: [
      { file: GROUP_VIEW, find: 'if (member === undefined) this.#znodes.delete(name);', replace: 'if (member === undefined) continue;' },
    ],
    expects: 'Convergence',
  },
  {
    id: 'missed-unread',
    title: 'a view does not read all again where events are missing',
    origin: 'this code',
    level: 'recipe group',
    edits: [{ file: GROUP_VIEW, find: 'if (path === this.path) this.#allDirty = true;', replace: 'if (path === this.path) return;' }],
  },
  {
    id: 'dirty-once',
    title: 'a change that comes while a view reads is not read',
    origin: 'this code',
    level: 'recipe group',
    edits: [
      {
        file: GROUP_VIEW,
        find: 'while (this.#allDirty || this.#dirty.size > 0) {',
        replace: 'if (this.#allDirty || this.#dirty.size > 0) {',
      },
      { file: GROUP_VIEW, find: '      this.#tell();\n    }', replace: '      this.#dirty.clear();\n      this.#tell();\n    }' },
    ],
  },
  {
    id: 'instances-kept',
    title: 'a view of a service keeps instances that have gone',
    origin: 'this code',
    level: 'recipe discovery',
    edits: [
      {
        file: SERVICE_VIEW,
        find: 'this.#entries = new Map(entries.flatMap((entry) => (entry === undefined ? [] : [[entry.id, entry]])));',
        replace: 'for (const entry of entries) if (entry !== undefined) this.#entries.set(entry.id, entry);',
      },
    ],
    expects: 'Gone',
  },
  {
    id: 'update-unseen',
    title: 'an instance is called by what it said of itself when it came',
    origin: 'this code',
    level: 'recipe discovery',
    edits: [
      { file: SERVICE_VIEW, find: 'if (known?.changed === changed) return known;', replace: 'if (known?.joined === joined) return known;' },
    ],
    expects: 'Fresh',
  },
  {
    id: 'calls-uncounted',
    title: 'calls under way are not counted',
    origin: 'this code',
    level: 'recipe discovery',
    edits: [{ file: SERVICE_VIEW, find: '      entry.underWay++;\n', replace: '      entry.underWay = 0;\n' }],
    expects: 'Spread',
  },
  {
    id: 'share-unlocked',
    title: 'a partition is its owner’s without a lock',
    origin: 'shares that differ while members come and go',
    level: 'recipe partitioner',
    edits: [
      {
        file: PARTITIONER,
        find: 'await lock.run((held) => this.#own(partition, held, claim.signal), { signal: claim.signal });',
        replace:
          'await using joined = await this.#membership.join(`${this.#options.id} ${partition}`);\n        void lock;\n        await this.#own(partition, joined, claim.signal);',
      },
    ],
  },
  {
    id: 'claim-unended',
    title: 'a partition that goes to another member is kept',
    origin: 'this code',
    level: 'recipe partitioner',
    edits: [
      {
        file: PARTITIONER,
        find: 'if (!mine.has(partition)) claim.abort(',
        replace: 'if (!mine.has(partition) && stop.signal.aborted) claim.abort(',
      },
    ],
  },
  {
    id: 'work-unawaited',
    title: 'a partition is handed over while its work goes on',
    origin: 'this code',
    level: 'recipe partitioner',
    edits: [
      {
        file: PARTITIONER,
        find: '      await this.#options.work(owned);\n',
        replace: '      void Promise.resolve(this.#options.work(owned)).catch(() => {});\n',
      },
    ],
    expects: 'HandOver',
  },
  {
    id: 'partition-by-id',
    title: 'messages of a key go to several partitions',
    origin: 'this code',
    level: 'recipe messaging',
    edits: [{ file: MESSAGE_PRODUCER, find: 'hashText(message.key)', replace: 'hashText(message.id)' }],
    expects: 'Order',
  },
  {
    id: 'noted-early',
    title: 'a message is noted as handled before it is',
    origin: 'at most once',
    level: 'recipe messaging',
    edits: [
      {
        file: MESSAGE_WORKER,
        find: '      await handle(options, notes, stored, signal);\n      notes.handled(stored.position);\n',
        replace: '      notes.handled(stored.position);\n      await handle(options, notes, stored, signal);\n',
      },
    ],
    expects: 'NothingLost',
  },
  {
    id: 'begun-with-nothing',
    title: 'each owner of a partition counts as a try of its next message, which may not be there yet',
    origin: 'this code, of an earlier day',
    level: 'recipe messaging',
    edits: [
      {
        file: MESSAGE_PROGRESS,
        find: '    await own.save(progress);\n',
        replace: '    await own.save({ ...progress, begun: progress.begun + 1 });\n',
      },
    ],
    test: {
      file: 'test/messaging/partition-worker.test.ts',
      name: 'owners that end with nothing in hand do not count as tries of what comes next',
    },
    expects: 'TriesCounted',
  },
  {
    id: 'failure-taken-back',
    title: 'progress that is noted late takes back the failures behind it',
    origin: 'this code, of an earlier day',
    level: 'recipe messaging',
    edits: [
      {
        file: MESSAGE_NOTES,
        find: '      this.#timer = undefined;\n',
        replace: '      this.#timer = undefined;\n      this.#begun = 0;\n',
      },
    ],
    test: { file: 'test/messaging/partition-worker.test.ts', name: 'a failure stays noted when progress before it is noted later' },
    expects: 'TriesCounted',
  },
  {
    id: 'end-unnoted',
    title: 'who gives a partition back does not note what he has handled',
    origin: 'this code',
    level: 'recipe messaging',
    edits: [{ file: MESSAGE_NOTES, find: '    await this.#write().catch(() => {});\n', replace: '' }],
    expects: 'HandledOnce',
  },
  {
    id: 'discarded-by-one',
    title: 'messages go when one group is past them',
    origin: 'this code',
    level: 'recipe messaging',
    edits: [{ file: MESSAGE_DISCARDING, find: 'Math.min(...positions)', replace: 'Math.max(...positions)' }],
  },
  {
    id: 'settings-once',
    title: 'settings are what they were when somebody came',
    origin: 'this code',
    level: 'recipe messaging',
    edits: [{ file: MESSAGE_TOPICS, find: '      this.#settings = parse(next.value.data);\n', replace: '      parse(next.value.data);\n' }],
    expects: 'Paused',
  },
];
