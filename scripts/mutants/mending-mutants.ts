/** Section F, continued: what a damaged store is mended with, and when its server counts again (docs/decisions/0025). */
import type { Mutant } from './mutant.ts';

const ANSWERING = 'packages/zab/src/answering.ts';
const LOOKING = 'packages/zab/src/looking.ts';
const MENDING = 'packages/zab/src/mending.ts';
const MENDING_STATE = 'packages/zab/src/mending-state.ts';
const PEER = 'packages/zab/src/peer.ts';

export const MENDING_MUTANTS: readonly Mutant[] = [
  {
    id: 'mended-unproven',
    title: 'whatever follows what stands before a gap is taken for what stood in it',
    origin: 'decision 25',
    level: 'zab',
    rule: 31,
    edits: [
      { file: MENDING_STATE, find: 'found.size > 0 && reached === proof', replace: 'found.size > 0 && reached !== -1 && proof >= 0' },
    ],
  },
  {
    id: 'second-gap-forgotten',
    title: 'a store is mended when its first gap is closed',
    origin: 'decision 25',
    level: 'zab',
    rule: 31,
    edits: [
      { file: MENDING, find: 'state.closed.includes(false)', replace: 'state.closed[0] === false' },
      // What is behind the second gap goes: else it is a hole, which is seen at once.
      {
        file: MENDING_STATE,
        find: 'if (!follows(last, zxid)) return undefined;\n    const run',
        replace: 'if (!follows(last, zxid)) break;\n    const run',
      },
    ],
  },
  {
    id: 'vote-before-mended',
    title: 'a server has its vote back when it has ordered what mends its store',
    origin: 'decision 25',
    level: 'zab',
    rule: 31,
    edits: [
      {
        file: PEER,
        find: "    this.#order({ type: 'mend', lastZxid",
        replace: "    this.state.damaged = false;\n    this.#order({ type: 'mend', lastZxid",
      },
    ],
  },
  {
    id: 'end-taken-for-granted',
    title: 'nobody is asked whether a store whose end is not known has had more',
    origin: 'decision 25',
    level: 'zab',
    rule: 31,
    edits: [
      {
        file: MENDING,
        find: 'return salvage.endIsKnown || !hasQuorum(config, mayHaveMore);',
        replace: 'return salvage.endIsKnown || mayHaveMore(sid);',
      },
    ],
  },
  {
    id: 'end-told-by-the-forgetful',
    title: 'a server that has lost its store says that it has no more, and is believed',
    origin: 'decision 25',
    level: 'zab',
    rule: 31,
    edits: [
      {
        file: ANSWERING,
        find: 'if (!durable.marked || (damaged && mending === undefined)) return',
        replace: 'if (!durable.marked && damaged && mending === undefined) return',
      },
    ],
  },
  {
    id: 'follows-while-mended',
    title: 'a server follows a leader without a vote while its store is being mended',
    origin: 'decision 25',
    level: 'zab',
    rule: 31,
    edits: [{ file: LOOKING, find: 'if (this.#peer.state.mending?.ordered === true) return;', replace: '' }],
    survives: 'it costs the server an epoch without its vote, and nobody anything else',
  },
];
