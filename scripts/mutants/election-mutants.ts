/** Section B: election, discovery and epochs. */
import type { Edit, Mutant } from './mutant.ts';

const FOLLOWING = 'packages/zab/src/following.ts';
const ESTABLISHMENT = 'packages/zab/src/establishment.ts';
const LEADING = 'packages/zab/src/leading.ts';
const LEARNERS = 'packages/zab/src/learners.ts';
const LOOKING = 'packages/zab/src/looking.ts';
const REPLICA = 'packages/zab/src/replica.ts';
const VOTE = 'packages/zab/src/vote.ts';

const NO_RECENCY_CHECK: Edit = {
  file: ESTABLISHMENT,
  find: "    if (state.stage !== 'BROADCAST' && moreRecent && learner.counts) return false;\n",
  replace: '    void moreRecent;\n',
};

/** The leader's own way to bring back a voter that is ahead of its epoch. */
const NEVER_GIVES_WAY: Edit = {
  file: ESTABLISHMENT,
  find: "return stage === 'INFORMED' && counts && acceptedEpoch > this.#term.state.epoch;",
  replace: "return stage === 'INFORMED' && counts && acceptedEpoch < 0;",
};

/** A leader that does not listen to what its learners have promised. */
const LOW_EPOCH: Edit = {
  file: ESTABLISHMENT,
  find: 'Math.max(peer.state.acceptedEpoch, peer.state.highestEpochSeen) + 1;',
  replace: 'peer.state.acceptedEpoch + 1;',
};

/** The learner's word that it had promised this epoch before, to whomever. */
const PROMISES_AGAIN: Edit = {
  file: FOLLOWING,
  find: 'currentEpoch: current.counted ? this.#peer.state.currentEpoch : -1,',
  replace: 'currentEpoch: this.#peer.state.currentEpoch,',
};

export const ELECTION_MUTANTS: readonly Mutant[] = [
  // Discovery and epochs
  {
    id: 'promise-undurable',
    title: 'ACKEPOCH before acceptedEpoch is on disk',
    origin: 'Zab 1.0, phase 1',
    level: 'zab',
    rule: 6,
    edits: [
      { file: FOLLOWING, find: 'if (durable.acceptedEpoch < current.epoch) return;', replace: 'if (durable.acceptedEpoch < 0) return;' },
    ],
    expects: 'AckHonesty',
  },
  {
    id: 'ZK-1387',
    title: 'acceptedEpoch is kept in memory only',
    origin: 'ZOOKEEPER-1387, 1653, 4269',
    level: 'zab',
    edits: [
      {
        file: FOLLOWING,
        find: 'if (current.counted && acceptedEpoch < current.epoch) this.#peer.saveAcceptedEpoch(current.epoch);',
        replace:
          'if (current.counted && acceptedEpoch < current.epoch) this.#peer.state.acceptedEpoch = durable.acceptedEpoch = current.epoch;',
      },
    ],
    expects: 'AckHonesty',
  },
  {
    id: 'ZK-335',
    title: 'a server follows a leader of an earlier epoch than it has promised, and there is one',
    origin: 'ZOOKEEPER-335, 1081, 1343',
    level: 'zab',
    rule: 7,
    edits: [
      {
        file: FOLLOWING,
        find: 'if (epoch < (votes ? state.acceptedEpoch : state.currentEpoch) || ',
        replace: 'void votes;\n    if (',
      },
      LOW_EPOCH,
    ],
    survives: 'two leaders have to invite to one epoch, neither of them established, and a server has to hear both: rare',
  },
  {
    id: 'ZK-1282',
    title: 'a promise that was given before is given again, and counts again',
    origin: 'ZOOKEEPER-1282, 1343; ACKEPOCH to two leaders of one epoch',
    level: 'zab',
    rule: 7,
    edits: [PROMISES_AGAIN],
    expects: 'PromiseUniqueness',
    survives: 'two leaders have to invite to one epoch, neither of them established, and a server has to hear both: rare',
  },
  {
    id: 'counts-all-promises',
    title: 'a leader counts a learner that says that it must not be counted, in an epoch that is none of its own',
    origin: 'ZOOKEEPER-1343',
    level: 'zab',
    rule: 7,
    edits: [LOW_EPOCH, { file: ESTABLISHMENT, find: 'learner.promised = currentEpoch !== -1;', replace: 'learner.promised = true;' }],
  },
  {
    id: 'invite-undurable',
    title: 'a leader invites to an epoch before it has promised it on its own disk',
    origin: 'Zab 1.0, phase 1',
    level: 'zab',
    rule: 6,
    edits: [
      {
        file: ESTABLISHMENT,
        find: "state.stage === 'PROMISING' && peer.state.durable.acceptedEpoch === state.epoch",
        replace: "state.stage === 'PROMISING'",
      },
    ],
  },
  {
    id: 'own-epoch-plus-one',
    title:
      'the new epoch is above the leader’s own promise, and not above those of the quorum; a promise that was given before counts again',
    origin: 'Zab paper, step d.1',
    level: 'zab',
    rule: 7,
    edits: [LOW_EPOCH, PROMISES_AGAIN],
  },
  {
    id: 'epoch-not-raised',
    title: 'the new epoch is the highest promise that was heard of, and not one above; a promise that was given before counts again',
    origin: 'ZOOKEEPER-1282: >= for >',
    level: 'zab',
    rule: 7,
    edits: [
      {
        file: ESTABLISHMENT,
        find: 'Math.max(peer.state.acceptedEpoch, peer.state.highestEpochSeen) + 1;',
        replace: 'Math.max(peer.state.acceptedEpoch + 1, peer.state.highestEpochSeen);',
      },
      PROMISES_AGAIN,
    ],
  },
  {
    id: 'opened-counts',
    title:
      'a learner that has opened a channel counts for the new epoch before it has told its promise; a promise that was given before counts again',
    origin: 'ZOOKEEPER-2959: who counts for an epoch',
    level: 'zab',
    edits: [
      PROMISES_AGAIN,
      {
        file: ESTABLISHMENT,
        find: "learners.quorumOf(({ stage }) => stage === 'INFORMED')) this.beginEpoch();",
        replace: 'learners.quorumOf(() => true)) this.beginEpoch();',
      },
      { file: LEARNERS, find: '      counts: false,\n', replace: '      counts: true,\n' },
      {
        file: LEADING,
        find: '    this.#term.learners.add(from, channel);\n  }\n',
        replace: '    this.#term.learners.add(from, channel);\n    this.#advance();\n  }\n',
      },
    ],
  },
  {
    id: 'no-promise-quorum',
    title: 'a leader synchronizes without a quorum of promises',
    origin: 'ZOOKEEPER-1191, 1192: waitForEpochAck',
    level: 'zab',
    edits: [{ file: ESTABLISHMENT, find: '    if (!learners.quorumOf(({ promised }) => promised)) return;\n', replace: '' }],
  },
  {
    id: 'ZK-1191',
    title: 'a leader does not step down for a learner whose history is ahead of its own',
    origin: 'ZOOKEEPER-1191, 1192',
    level: 'zab',
    rule: 8,
    edits: [NO_RECENCY_CHECK],
    survives:
      'the order of votes alone is enough while votes arrive in time; behind a wrong order (vote-sid-first-unguarded, vote-accepted-epoch) the guard matters',
  },
  {
    id: 'never-gives-way',
    title: 'a leader does not give way to a voter that has promised a later epoch',
    origin: 'docs/zab.md: where we differ',
    level: 'zab',
    rule: 23,
    edits: [NEVER_GIVES_WAY],
    expects: 'Liveness',
    survives: 'a promise that is two epochs ahead needs two discoveries in a row that fail, which 300 seeds do not bring',
  },
  {
    id: 'ZK-2247',
    title: 'a server goes on after its storage has failed',
    origin: 'ZOOKEEPER-2247, 4203',
    level: 'zab',
    rule: 30,
    edits: [
      {
        file: REPLICA,
        find: '    if (error !== undefined) {\n      this.#fail(error);\n      return;\n    }\n    this.#inbox.complete();',
        replace: '    void error;\n    this.#inbox.complete();',
      },
    ],
  },
  // Election
  {
    id: 'vote-zxid-first',
    title: 'votes are ordered by zxid before epoch, and the leader does not look who is ahead of it',
    origin: 'class FastLeaderElection.totalOrderPredicate',
    level: 'zab',
    rule: 1,
    edits: [
      {
        file: VOTE,
        find: 'return a.peerEpoch - b.peerEpoch || a.zxid - b.zxid || a.leader - b.leader;',
        replace: 'return a.zxid - b.zxid || a.peerEpoch - b.peerEpoch || a.leader - b.leader;',
      },
      NO_RECENCY_CHECK,
    ],
  },
  {
    id: 'vote-sid-first',
    title: 'votes are ordered by server before history',
    origin: 'class FastLeaderElection.totalOrderPredicate',
    level: 'zab',
    rule: 1,
    edits: [
      {
        file: VOTE,
        find: 'return a.peerEpoch - b.peerEpoch || a.zxid - b.zxid || a.leader - b.leader;',
        replace: 'return a.leader - b.leader || a.peerEpoch - b.peerEpoch || a.zxid - b.zxid;',
      },
    ],
  },
  {
    id: 'vote-sid-first-unguarded',
    title: 'the same, and the leader does not look who is ahead of it',
    origin: 'class FastLeaderElection.totalOrderPredicate; ZOOKEEPER-1191',
    level: 'zab',
    edits: [
      {
        file: VOTE,
        find: 'return a.peerEpoch - b.peerEpoch || a.zxid - b.zxid || a.leader - b.leader;',
        replace: 'return a.leader - b.leader || a.peerEpoch - b.peerEpoch || a.zxid - b.zxid;',
      },
      NO_RECENCY_CHECK,
    ],
  },
  {
    id: 'vote-accepted-epoch',
    title: 'a server votes with the epoch that it has promised, and not with that of its history',
    origin: 'ZOOKEEPER-2354, 2307: which epoch file',
    level: 'zab',
    rule: 1,
    edits: [
      {
        file: LOOKING,
        find: 'zxid: state.log.lastZxid, peerEpoch: state.currentEpoch',
        replace: 'zxid: state.log.lastZxid, peerEpoch: state.acceptedEpoch',
      },
      NO_RECENCY_CHECK,
    ],
  },
  {
    id: 'elect-without-quorum',
    title: 'a server that has heard one vote decides',
    origin: 'class FastLeaderElection',
    level: 'zab',
    edits: [
      { file: LOOKING, find: '    if (!hasQuorum(config, (voter) => supporters.has(voter))) return this.#unfinalize();\n', replace: '' },
    ],
    expects: 'ElectionQuorum',
  },
  {
    id: 'finalize-kept',
    title: 'a better vote that comes during finalizeWait does not begin the wait again',
    origin: 'class FastLeaderElection, finalizeWait',
    level: 'zab',
    rule: 1,
    edits: [
      {
        file: LOOKING,
        find: '      this.#unfinalize();\n      this.state.vote = notification.vote;\n',
        replace: '      this.state.vote = notification.vote;\n',
      },
    ],
  },
  {
    id: 'round-kept',
    title: 'votes of an earlier round count in the next',
    origin: 'class FastLeaderElection: recvset not cleared',
    level: 'zab',
    rule: 1,
    edits: [{ file: LOOKING, find: '    this.state.received.clear();\n', replace: '' }],
  },
  {
    id: 'quorum-gone',
    title: 'the wait for something better goes on when the quorum is gone',
    origin: 'class FastLeaderElection; found in this code by the simulator',
    level: 'zab',
    rule: 1,
    edits: [
      {
        file: LOOKING,
        find: 'if (!hasQuorum(config, (voter) => supporters.has(voter))) return this.#unfinalize();',
        replace: 'if (!hasQuorum(config, (voter) => supporters.has(voter))) return;',
      },
    ],
    expects: 'ElectionQuorum',
  },
  {
    id: 'decision-unheard',
    title: 'the decision of a server for another one takes nothing from the quorum',
    origin: 'found in this code by the simulator',
    level: 'zab',
    rule: 1,
    edits: [
      {
        file: LOOKING,
        find: 'if (!this.#isLedByAll(notification)) return this.#decide();',
        replace: 'if (!this.#isLedByAll(notification)) return;',
      },
    ],
    expects: 'ElectionQuorum',
  },
  {
    id: 'old-round-counts',
    title: 'a vote of an earlier round counts',
    origin: 'class FastLeaderElection; reliability.md 3.3',
    level: 'zab',
    rule: 1,
    edits: [
      {
        file: LOOKING,
        find: "      this.#peer.notify(from, 'LOOKING', this.state.vote);\n      return;\n",
        replace: "      this.#peer.notify(from, 'LOOKING', this.state.vote);\n",
      },
    ],
  },
  {
    id: 'old-round-unanswered',
    title: 'a server of an earlier round is not told of the later one',
    origin: 'class FastLeaderElection',
    level: 'zab',
    rule: 1,
    edits: [
      { file: LOOKING, find: "      this.#peer.notify(from, 'LOOKING', this.state.vote);\n      return;\n", replace: '      return;\n' },
    ],
    survives: 'a vote is said again after a while, and heard by the server of the earlier round then',
  },
  {
    id: 'checkLeader',
    title: 'a leader is followed that does not say itself that it leads',
    origin: 'class FastLeaderElection.checkLeader',
    level: 'zab',
    rule: 3,
    edits: [
      {
        file: LOOKING,
        find: "    if (leader !== sid && this.state.decided.get(leader)?.state !== 'LEADING') return false;\n",
        replace: '',
      },
    ],
  },
  {
    id: 'ZK-1419',
    title: 'a server joins a leader of whom one other server tells',
    origin: 'ZOOKEEPER-1419, 975',
    level: 'zab',
    rule: 3,
    edits: [
      {
        file: LOOKING,
        find: '    return hasQuorum(config, (voter) => supporters.has(voter));\n',
        replace: '    return supporters.size > 0 && config.version >= 0;\n',
      },
    ],
  },
  {
    id: 'told-that-it-leads',
    title: 'a server that is told that it leads believes it, in whatever round that was',
    origin: 'class FastLeaderElection.checkLeader',
    level: 'zab',
    rule: 3,
    edits: [
      { file: LOOKING, find: '    if (leader === sid && notification.electionEpoch !== state.electionEpoch) return false;\n', replace: '' },
    ],
  },
  {
    id: 'ZK-1732',
    title: 'who has decided tells the vote by which it did, and not the leader’s epoch',
    origin: 'ZOOKEEPER-1732, 1818; found in this code by the simulator',
    level: 'zab',
    rule: 4,
    edits: [
      {
        file: VOTE,
        find: 'return epoch === 0 ? elected : { ...elected, peerEpoch: epoch };',
        replace: 'return epoch < 0 ? { ...elected } : elected;',
      },
    ],
    expects: 'Liveness',
  },
  {
    id: 'ZK-1805',
    title: 'those who have decided agree only where their votes are equal, zxid included',
    origin: 'ZOOKEEPER-1732, 1805',
    level: 'zab',
    rule: 4,
    edits: [
      {
        file: VOTE,
        find: 'return a.leader === b.leader && a.peerEpoch === b.peerEpoch;',
        replace: 'return a.leader === b.leader && a.peerEpoch === b.peerEpoch && a.zxid === b.zxid;',
      },
    ],
    expects: 'Liveness',
  },
  {
    id: 'votes-said-once',
    title: 'a server that is looking says its vote once',
    origin: 'class FastLeaderElection: lost notifications',
    level: 'zab',
    edits: [
      {
        file: LOOKING,
        find: '    if (this.state.announced) this.state.resends++;\n    this.#announce();\n',
        replace: '    if (!this.state.announced) this.#announce();\n',
      },
    ],
    expects: 'Liveness',
  },
  {
    id: 'follower-silent',
    title: 'a follower does not answer those who are looking',
    origin: 'class FastLeaderElection.WorkerReceiver',
    level: 'zab',
    edits: [
      {
        file: FOLLOWING,
        find: "if (notification.state === 'LOOKING') this.#peer.notify(from, this.name, this.vote);",
        replace: 'void from, notification;',
      },
    ],
    expects: 'Liveness',
  },
  {
    id: 'leader-silent',
    title: 'a leader does not answer those who are looking',
    origin: 'class FastLeaderElection.WorkerReceiver',
    level: 'zab',
    edits: [
      {
        file: LEADING,
        find: "if (notification.state === 'LOOKING') this.#peer.notify(from, 'LEADING', this.vote);",
        replace: 'void from, notification;',
      },
    ],
    expects: 'Liveness',
  },
  {
    id: 'early-learners-lost',
    title: 'learners that came before the leader knew that it leads are forgotten',
    origin: 'this code',
    level: 'zab',
    edits: [
      { file: LOOKING, find: 'const early = new Map(this.state.early);', replace: 'const early = new Map<ChannelId, EarlyLearner>();' },
    ],
  },
  {
    id: 'round-not-joined',
    title: 'who joins an established leader keeps its own round',
    origin: 'ZOOKEEPER-1732',
    level: 'zab',
    edits: [
      {
        file: LOOKING,
        find: '    state.electionEpoch = notification.electionEpoch;\n    this.state.vote = notification.vote;\n',
        replace: '    this.state.vote = notification.vote;\n',
      },
    ],
  },
];
