/** Section F: lost stores, epochs without elections, hand-over, bulk and frames: what ZooKeeper does not have, or has otherwise. */
import type { Mutant } from './mutant.ts';

const CONFIG = 'packages/zab/src/config.ts';
const ESTABLISHMENT = 'packages/zab/src/establishment.ts';
const FOLLOWING = 'packages/zab/src/following.ts';
const FRAME = 'packages/zab/src/wire/frame.ts';
const FRAMED_LINK = 'packages/zab/src/wire/framed-link.ts';
const HISTORY_SENDER = 'packages/zab/src/history-sender.ts';
const LEARNERS = 'packages/zab/src/learners.ts';
const LOOKING = 'packages/zab/src/looking.ts';
const PEER = 'packages/zab/src/peer.ts';
const PEER_STATE = 'packages/zab/src/peer-state.ts';
const SUCCESSION = 'packages/zab/src/succession.ts';
const SYNC_PLAN = 'packages/zab/src/sync-plan.ts';

export const SUCCESSION_MUTANTS: readonly Mutant[] = [
  // Who counts
  {
    id: 'ZK-2959',
    title: 'observers count wherever a leader counts its learners',
    origin: 'ZOOKEEPER-2959',
    level: 'zab',
    rule: 9,
    edits: [
      { file: ESTABLISHMENT, find: 'learner.counts = !learner.observes;', replace: 'learner.counts = true;' },
      {
        file: LEARNERS,
        find: 'return hasQuorum(this.#config, (sid) => counted.has(sid));',
        replace: 'return counted.size * 2 > this.#config.voters.length || hasQuorum(this.#config, (sid) => counted.has(sid));',
      },
    ],
  },
  {
    id: 'ZK-764',
    title: 'an observer votes for itself, and is elected',
    origin: 'ZOOKEEPER-764',
    level: 'zab',
    rule: 9,
    edits: [
      { file: CONFIG, find: '!config.voters.includes(sid) || config.neverLead', replace: 'config.neverLead' },
      { file: PEER, find: ' && this.config.voters.includes(this.sid);\n  }\n\n  get role', replace: ';\n  }\n\n  get role' },
      { file: PEER_STATE, find: 'marked: image.mark !== undefined,', replace: 'marked: true,' },
    ],
  },
  {
    id: 'zero-weight',
    title: 'a voter whose vote weighs nothing is elected',
    origin: 'class QuorumHierarchical; zookeeper.md 1.16',
    level: 'zab',
    rule: 9,
    edits: [
      {
        file: CONFIG,
        find: 'return config.groups === undefined || config.groups.some(({ weights }) => (weights.get(sid) ?? 0) > 0);',
        replace: 'return true;',
      },
    ],
  },
  {
    id: 'no-suspects',
    title: 'who was elected and said nothing is elected again',
    origin: 'reliability.md N5',
    level: 'zab',
    rule: 5,
    edits: [{ file: LOOKING, find: ' && !this.#peer.state.suspects.has(vote.leader);', replace: ';' }],
    expects: 'Liveness',
  },
  {
    id: 'suspects-for-ever',
    title: 'who was elected and said nothing is never elected again',
    origin: 'this code',
    level: 'zab',
    rule: 5,
    edits: [
      {
        file: LOOKING,
        find: '      if (left > 1) suspects.set(sid, left - 1);\n      else suspects.delete(sid);\n',
        replace: '      void sid, left;\n',
      },
    ],
    expects: 'Liveness',
  },
  // Lost stores
  {
    id: 'blank-votes',
    title: 'a voter that has lost its store votes, by an empty history',
    origin: 'disk-loss rejoin with zxid 0; ZOOKEEPER-3781',
    level: 'zab',
    rule: 25,
    edits: [
      {
        file: PEER,
        find: 'return this.state.durable.marked && !this.state.damaged && this.config.voters.includes(this.sid);',
        replace: 'return this.config.voters.includes(this.sid);',
      },
    ],
  },
  {
    id: 'blank-counts',
    title: 'the promise of a voter that has lost its store counts',
    origin: 'decision 7',
    level: 'zab',
    rule: 25,
    edits: [{ file: ESTABLISHMENT, find: 'learner.counts = !learner.observes;', replace: 'learner.counts = this.#term.isVoter(learner);' }],
  },
  {
    id: 'vote-back-at-once',
    title: 'a voter that has lost its store has its vote back once it is synchronized, in the epoch that it came to',
    origin: 'ZooKeeper’s `initialize`; decision 7',
    level: 'zab',
    rule: 25,
    edits: [
      {
        file: FOLLOWING,
        find: '      this.state.serving = true;\n',
        replace:
          '      if (!state.durable.marked && config.voters.includes(sid)) this.#peer.saveMark({ ensembleId: state.ensembleId });\n      this.state.serving = true;\n',
      },
    ],
  },
  {
    id: 'vote-never-back',
    title: 'a voter that has lost its store is not given another epoch',
    origin: 'decision 7',
    level: 'zab',
    rule: 25,
    edits: [{ file: SUCCESSION, find: ' || (learner.serves && !learner.counts && this.#term.isVoter(learner)),', replace: ',' }],
    expects: 'Liveness',
  },
  {
    id: 'acks-unmarked',
    title: 'a voter that has lost its store acknowledges proposals before its mark is on its disk',
    origin: 'decision 7',
    level: 'zab',
    rule: 25,
    edits: [{ file: FOLLOWING, find: '    if (!this.#peer.votes) return;\n    if (lastZxid', replace: '    if (lastZxid' }],
  },
  {
    id: 'vote-unnoticed',
    title: 'a voter that gets its vote while it looks for a leader goes on with what it heard as one without',
    origin: 'found in this code by the simulator',
    level: 'server',
    rule: 25,
    edits: [
      {
        file: LOOKING,
        find: '    if (this.#peer.votes !== this.#peer.status.votes) this.#peer.becomeLooking();\n',
        replace: '',
      },
    ],
    expects: 'ElectionQuorum',
    survives:
      'the leader has to go in the moment in which a mark is on its way to the disk: rare (it was found at seed 76 of an earlier simulator)',
  },
  {
    id: 'ZK-2325',
    title: 'a store that cannot be read in full counts as one that can',
    origin: 'ZOOKEEPER-2325, 3644, 3056',
    level: 'zab',
    rule: 25,
    edits: [{ file: PEER_STATE, find: 'const damaged = image.damage !== undefined;', replace: 'const damaged = image.damage === "";' }],
  },
  {
    id: 'repaired-with-mark',
    title: 'a damaged store keeps its mark while it is repaired',
    origin: 'found in this code by the simulator; decision 7',
    level: 'zab',
    rule: 26,
    edits: [
      { file: FOLLOWING, find: '    if (state.damaged && state.durable.marked) this.#peer.saveMark(undefined);\n', replace: '' },
      {
        file: PEER,
        find: "    assert(!this.state.damaged || !this.state.durable.marked, 'a damaged store loses its mark before it is repaired');\n",
        replace: '',
      },
      { file: FOLLOWING, find: 'if (damaged && durable.marked) return;', replace: 'if (damaged && acceptedEpoch < 0) return;' },
    ],
  },
  {
    id: 'unmark-undurable',
    title: 'a damaged store is repaired before the end of its mark is on the disk',
    origin: 'decision 7',
    level: 'zab',
    rule: 26,
    edits: [
      {
        file: PEER,
        find: "    assert(!this.state.damaged || !this.state.durable.marked, 'a damaged store loses its mark before it is repaired');\n",
        replace: '',
      },
      { file: FOLLOWING, find: 'if (damaged && durable.marked) return;', replace: 'if (damaged && acceptedEpoch < 0) return;' },
    ],
    survives: 'a crash has to come between two flushes of a store that has just been found damaged: rare',
  },
  {
    id: 'recency-until-promised',
    title: 'a leader steps down for a history ahead of its own until a quorum has promised, and not until a quorum has its history',
    origin: 'ZOOKEEPER-1191: waitForEpochAck; decision 7',
    level: 'zab',
    rule: 8,
    edits: [
      { file: ESTABLISHMENT, find: "if (state.stage !== 'BROADCAST' && moreRecent", replace: "if (state.stage === 'EPOCH' && moreRecent" },
    ],
    survives: 'as ZK-1191: while votes arrive nobody is elected whom a voter is ahead of',
  },
  // Epochs without elections, and hand-over
  {
    id: 'ahead-waits-for-ever',
    title: 'a voter that has promised a later epoch is not given another',
    origin: 'docs/zab.md: where we differ',
    level: 'zab',
    rule: 23,
    edits: [{ file: SUCCESSION, find: 'this.#establishment.mustWait(learner) || (learner.serves', replace: '(learner.serves' }],
    expects: 'Liveness',
    survives: 'as never-gives-way: a promise two epochs ahead needs two discoveries in a row that fail',
  },
  {
    id: 'renewed-uncommitted',
    title: 'the next epoch begins before everything of the last one is committed',
    origin: 'decision 6',
    level: 'zab',
    rule: 24,
    edits: [
      {
        file: SUCCESSION,
        find: "if (state.stage !== 'DRAINING' || peer.state.lastDelivered !== peer.state.log.lastZxid) return;",
        replace: "if (state.stage !== 'DRAINING') return;",
      },
    ],
  },
  {
    id: 'renewed-unpaused',
    title: 'the next epoch does not wait for what the application has proposed meanwhile',
    origin: 'decision 6',
    level: 'zab',
    rule: 24,
    edits: [
      {
        file: SUCCESSION,
        find: "    peer.setStatus({ state: 'LEADING', leader: peer.sid, epoch: state.epoch, serving: false });\n",
        replace:
          "    peer.setStatus({ state: 'LEADING', leader: peer.sid, epoch: state.epoch, serving: false });\n    state.stage = 'DRAINING';\n    this.drain();\n",
      },
    ],
    survives: 'the application has to propose more in the very turn in which the counter ends: rare',
  },
  {
    id: 'renewed-promises-kept',
    title: 'a promise of the last epoch counts for the next',
    origin: 'decision 6',
    level: 'zab',
    edits: [{ file: SUCCESSION, find: '    learner.promised = false;\n', replace: '' }],
    expects: 'QuorumPromise',
  },
  {
    id: 'sync-during-renewal',
    title: 'a learner answers a sync while the history of the next epoch is on its way to it',
    origin: 'decision 6',
    level: 'zab',
    rule: 21,
    edits: [
      {
        file: FOLLOWING,
        find: "zxid: this.state.stage === 'BROADCAST' ? this.#peer.state.lastCommitted : undefined });",
        replace: 'zxid: this.#peer.state.lastCommitted });',
      },
    ],
    expects: 'SyncFreshness',
  },
  {
    id: 'handover-early',
    title: 'a leader hands over to one that has not acknowledged everything',
    origin: 'decision 8',
    level: 'zab',
    rule: 27,
    edits: [{ file: SUCCESSION, find: ' || learner.acked < peer.state.log.lastZxid) continue;', replace: ') continue;' }],
  },
  {
    id: 'handover-to-blank',
    title: 'a leader hands over to one that has no vote',
    origin: 'decision 8',
    level: 'zab',
    rule: 27,
    edits: [{ file: SUCCESSION, find: 'return serves && counts && mayLead', replace: 'void counts;\n    return serves && mayLead' }],
    survives:
      'a leader has to be told to hand over to a voter that has lost its store, in the moment before it has its vote again: rare, and it ends in an election',
  },
  // Bulk
  {
    id: 'bulk-at-once',
    title: 'a learner is sent a whole log at once',
    origin: 'decision 9',
    level: 'zab',
    rule: 28,
    edits: [
      { file: HISTORY_SENDER, find: 'const PIECE_BYTES_MAX = 64 * 1024;', replace: 'const PIECE_BYTES_MAX = Number.MAX_SAFE_INTEGER;' },
    ],
    survives: 'no run has a log of more than one piece in memory; the simulator’s channels do not become slower by what is on them',
  },
  {
    id: 'room-not-asked',
    title: 'after the first piece of a snapshot or a log nothing follows',
    origin: 'decision 9',
    level: 'zab',
    rule: 28,
    edits: [
      {
        file: HISTORY_SENDER,
        find: "    this.#peer.effects.push({ type: 'awaitRoom', channel: learner.channel });\n",
        replace: '    void learner;\n',
      },
    ],
    expects: 'Liveness',
  },
  {
    id: 'diff-below-memory',
    title: 'a learner that is behind the log in memory gets DIFF from where that begins',
    origin: 'ZOOKEEPER-2418, 4925',
    level: 'zab',
    rule: 16,
    edits: [
      { file: SYNC_PLAN, find: "return { mode: 'LOG', from: learnerLastZxid };", replace: "return { mode: 'DIFF', from: log.base };" },
    ],
  },
  {
    id: 'piece-lost',
    title: 'a learner takes a snapshot of which the last piece has not come',
    origin: 'ZOOKEEPER-2872',
    level: 'zab',
    rule: 15,
    edits: [
      {
        file: FOLLOWING,
        find: ' || epoch !== this.state.epoch || replacement?.complete === false) return this.#reject();',
        replace: ' || epoch !== this.state.epoch) return this.#reject();',
      },
      {
        file: HISTORY_SENDER,
        find: "    if (last) {\n      learner.stage = 'LOG';",
        replace: "    if (learner.planned) {\n      learner.stage = 'LOG';",
      },
      { file: FOLLOWING, find: 'if (!planned || replacement?.complete === false || run', replace: 'if (!planned || run' },
    ],
  },
  {
    id: 'other-ensemble',
    title: 'a server follows a leader of another ensemble',
    origin: 'reliability.md 4; decision 7',
    level: 'zab',
    rule: 29,
    edits: [{ file: FOLLOWING, find: "return a !== '' && b !== '' && a !== b;", replace: "return a === '' && b === a && a !== b;" }],
    survives: 'a simulation has one ensemble',
  },
  // Frames
  {
    id: 'frame-sequence',
    title: 'a frame is taken whatever its number is',
    origin: 'decision 11',
    level: 'zab',
    edits: [
      {
        file: FRAME,
        find: "    if (sequence > due) return { rule: 'FRAME_LOST', message: `frame ${sequence} has come instead of ${due}` };\n",
        replace: '',
      },
      {
        file: FRAME,
        find: "    if (sequence < due) return { rule: 'FRAME_REPEATED', message: `frame ${sequence} has come once more, instead of ${due}` };\n",
        replace: '    void sequence;\n',
      },
    ],
  },
  {
    id: 'frame-nonce',
    title: 'a frame is taken for whichever connection it is meant',
    origin: 'decision 11',
    level: 'zab',
    edits: [
      {
        file: FRAME,
        find: 'if (view.getUint32(NONCE_AT) !== this.#nonce.high || view.getUint32(NONCE_AT + 4) !== this.#nonce.low)',
        replace: 'if (view.getUint32(NONCE_AT) === this.#nonce.high && due < 0)',
      },
    ],
    survives: 'a frame that strays onto another channel has to have the number that is due there: rare; `violations.test.ts` has it',
  },
  {
    id: 'frame-body-checksum',
    title: 'a frame is taken whatever the checksum of its body',
    origin: 'decision 11',
    level: 'zab',
    edits: [{ file: FRAME, find: 'if (crc32(body) !== this.#bodyCrc) {', replace: 'if (crc32(body) < this.#bodyCrc - this.#bodyCrc) {' }],
  },
  {
    id: 'bytes-after-close',
    title: 'bytes that come after a close are taken',
    origin: 'decision 11',
    level: 'zab',
    edits: [
      {
        file: FRAMED_LINK,
        find: "    if (this.#stage === 'CLOSED') {\n      this.#report({",
        replace: "    if (this.#stage === 'CLOSED' && bytes.length === 0) {\n      this.#report({",
      },
    ],
    survives: 'what comes after a close meets a role that has left the channel; `violations.test.ts` has it',
  },
];
