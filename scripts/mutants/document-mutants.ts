/** Section E: what the documents of the protocol have wrong, and model checking of its specification has found. */
import type { Mutant } from './mutant.ts';

const FOLLOWING = 'packages/zab/src/following.ts';
const LEADING = 'packages/zab/src/leading.ts';

export const DOCUMENT_MUTANTS: readonly Mutant[] = [
  {
    id: 'E1',
    title: 'a proposal goes to those only who have acknowledged NEWLEADER',
    origin: 'protocol-spec, issues.md 1',
    level: 'zab',
    edits: [
      {
        file: LEADING,
        find: '    for (const learner of this.#learners) if (isForwarded(learner) && !learner.observes) this.#send(learner, message);\n  }\n\n  /** The zxid of the next proposal. */',
        replace:
          '    for (const learner of this.#learners) if (isSynchronized(learner) && !learner.observes) this.#send(learner, message);\n  }\n\n  /** The zxid of the next proposal. */',
      },
      {
        file: FOLLOWING,
        find: 'epochOf(run.zxid) > epoch || !log.continues(run.zxid)) return this.#reject();',
        replace: 'epochOf(run.zxid) > epoch) return this.#reject();',
      },
    ],
  },
  {
    id: 'E3',
    title: 'the COMMIT after a history names the end of that history, and not the leader’s last committed zxid',
    origin: 'protocol-spec, issues.md 3',
    level: 'zab',
    edits: [{ file: LEADING, find: "{ type: 'COMMIT', zxid: lastCommitted });", replace: "{ type: 'COMMIT', zxid: log.lastZxid });" }],
  },
  {
    id: 'E3-none',
    title: 'no COMMIT comes with a history',
    origin: 'protocol-spec, issues.md 3',
    level: 'zab',
    edits: [
      { file: LEADING, find: "    this.#send(learner, { type: 'COMMIT', zxid: lastCommitted });\n", replace: '    void lastCommitted;\n' },
    ],
  },
  {
    id: 'commit-to-acknowledged',
    title: 'a COMMIT goes to those only who have acknowledged NEWLEADER',
    origin: 'protocol-spec, issues.md 1, for COMMIT',
    level: 'zab',
    edits: [
      {
        file: LEADING,
        find: '      if (!isForwarded(learner)) continue;\n',
        replace: '      if (!isSynchronized(learner)) continue;\n',
      },
    ],
  },
];
