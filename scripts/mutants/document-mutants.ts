/** Section E: what the documents of the protocol have wrong, and model checking of its specification has found. */
import type { Mutant } from './mutant.ts';

const FOLLOWING = 'packages/zab/src/following.ts';
const BROADCAST = 'packages/zab/src/broadcast.ts';
const HISTORY_SENDER = 'packages/zab/src/history-sender.ts';

export const DOCUMENT_MUTANTS: readonly Mutant[] = [
  {
    id: 'E1',
    title: 'a proposal goes to those only who have acknowledged NEWLEADER',
    origin: 'protocol-spec, issues.md 1',
    level: 'zab',
    rule: 14,
    edits: [
      {
        file: BROADCAST,
        find: 'if (isForwarded(learner) && !learner.observes) this.#term.send(learner, message);',
        replace: "if (learner.stage === 'SYNCHRONIZED' && !learner.observes) this.#term.send(learner, message);",
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
    rule: 14,
    edits: [
      {
        file: HISTORY_SENDER,
        find: "{ type: 'COMMIT', zxid: this.#peer.state.lastCommitted });",
        replace: "{ type: 'COMMIT', zxid: this.#peer.state.log.lastZxid });",
      },
    ],
  },
  {
    id: 'E3-none',
    title: 'no COMMIT comes with a history',
    origin: 'protocol-spec, issues.md 3',
    level: 'zab',
    edits: [
      {
        file: HISTORY_SENDER,
        find: "    this.#term.send(learner, { type: 'COMMIT', zxid: this.#peer.state.lastCommitted });\n",
        replace: '',
      },
    ],
  },
  {
    id: 'commit-to-acknowledged',
    title: 'a COMMIT goes to those only who have acknowledged NEWLEADER',
    origin: 'protocol-spec, issues.md 1, for COMMIT',
    level: 'zab',
    rule: 14,
    edits: [
      {
        file: BROADCAST,
        find: '      if (!isForwarded(learner)) continue;\n',
        replace: "      if (learner.stage !== 'SYNCHRONIZED') continue;\n",
      },
    ],
  },
];
