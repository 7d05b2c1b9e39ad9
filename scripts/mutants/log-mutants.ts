/** Section A: the log, its durability, synchronization, broadcast and delivery. */
import type { Edit, Mutant } from './mutant.ts';

const FOLLOWING = 'packages/zab/src/following.ts';
const BROADCAST = 'packages/zab/src/broadcast.ts';
const ESTABLISHMENT = 'packages/zab/src/establishment.ts';
const HISTORY_SENDER = 'packages/zab/src/history-sender.ts';
const LEADING = 'packages/zab/src/leading.ts';
const LOG = 'packages/zab/src/log.ts';
const LOOKING = 'packages/zab/src/looking.ts';
const PEER = 'packages/zab/src/peer.ts';
const PEER_STATE = 'packages/zab/src/peer-state.ts';
const READ_BARRIER = 'packages/zab/src/read-barrier.ts';
const REPLICA = 'packages/zab/src/replica.ts';
const SYNC_PLAN = 'packages/zab/src/sync-plan.ts';
const CONFIG = 'packages/zab/src/config.ts';

/** The learner's guard against a hole: behind it several mistakes of a leader come to nothing but a new synchronization. */
const NO_CONTINUITY_CHECK: Edit = {
  file: FOLLOWING,
  find: 'epochOf(run.zxid) > epoch || !log.continues(run.zxid)) return this.#reject();',
  replace: 'epochOf(run.zxid) > epoch) return this.#reject();',
};

/** The guard of a leader that is behind one of those who follow it. */
const NO_RECENCY_CHECK: Edit = {
  file: ESTABLISHMENT,
  find: "    if (state.stage !== 'BROADCAST' && moreRecent && learner.counts) return false;\n",
  replace: '    void moreRecent;\n',
};

export const LOG_MUTANTS: readonly Mutant[] = [
  // The learner's order: history, currentEpoch, ACK(NEWLEADER)
  {
    id: 'ZK-4646',
    title: 'ACK(NEWLEADER) before the history and currentEpoch are on disk',
    origin: 'ZOOKEEPER-4646; a bad fix (PR-1848) has it too',
    level: 'zab',
    rule: 10,
    edits: [{ file: FOLLOWING, find: 'if (durable.currentEpoch !== current.epoch) return;', replace: '' }],
    expects: 'AckHonesty',
  },
  {
    id: 'ZK-4643',
    title: 'currentEpoch is saved before the history that belongs to it',
    origin: 'ZOOKEEPER-4643, 4785',
    level: 'zab',
    rule: 10,
    edits: [
      {
        file: FOLLOWING,
        find: '    this.state.planned = true;\n',
        replace: '    this.state.planned = true;\n    this.#peer.saveCurrentEpoch(this.state.epoch);\n',
      },
    ],
    expects: 'HistoryBeforeEpoch',
  },
  {
    id: 'ZK-3911',
    title: 'what comes before NEWLEADER stays in memory, and goes to the log at UPTODATE',
    origin: 'ZOOKEEPER-3911',
    level: 'zab',
    rule: 10,
    edits: [
      {
        file: FOLLOWING,
        find: '  readonly state: FollowingState;\n',
        replace: '  readonly state: FollowingState;\n  readonly #deferred: Run[] = [];\n',
      },
      {
        file: FOLLOWING,
        find: '    if (replacement === undefined) this.#peer.append(run);\n',
        replace: `    if (replacement === undefined && this.state.stage !== 'BROADCAST') {
      log.append(run);
      this.#deferred.push(run);
    } else if (replacement === undefined) this.#peer.append(run);\n`,
      },
      {
        file: FOLLOWING,
        find: "    this.state.stage = 'BROADCAST';\n",
        replace: `    this.state.stage = 'BROADCAST';
    for (const run of this.#deferred) {
      this.#peer.state.lane.push({ type: 'append', lastZxid: (run.zxid + run.payloads.length - 1) as Zxid });
      this.#peer.effects.push({ type: 'append', run });
    }\n`,
      },
    ],
    expects: 'HistoryBeforeEpoch',
  },
  {
    id: 'ZK-4685',
    title: 'a proposal is acknowledged before NEWLEADER',
    origin: 'ZOOKEEPER-4685',
    level: 'zab',
    rule: 11,
    edits: [{ file: FOLLOWING, find: "      case 'HISTORY':\n", replace: "      case 'HISTORY':\n        this.#acknowledge();\n" }],
  },
  {
    id: 'ZK-4394',
    title: 'a COMMIT between NEWLEADER and UPTODATE is dropped',
    origin: 'ZOOKEEPER-4394',
    level: 'zab',
    rule: 13,
    edits: [
      {
        file: FOLLOWING,
        find: '    this.#peer.commit(zxid);\n',
        replace: "    if (this.state.stage === 'SYNCHRONIZATION' || this.state.stage === 'BROADCAST') this.#peer.commit(zxid);\n",
      },
    ],
  },
  {
    id: 'ZK-3023',
    title: 'a follower serves at UPTODATE before it has delivered what is committed',
    origin: 'ZOOKEEPER-3023; a bad fix (PR-1993) has it too',
    level: 'zab',
    rule: 13,
    edits: [
      {
        file: FOLLOWING,
        find: '    this.#deliver();\n    this.#tellStatus();\n',
        replace: '    this.#tellStatus();\n',
      },
    ],
  },
  {
    id: 'ack-before-flush',
    title: 'a proposal is acknowledged as soon as it is in the log in memory',
    origin: 'ZOOKEEPER-4646, 3911',
    level: 'zab',
    rule: 18,
    edits: [
      {
        file: FOLLOWING,
        find: 'const { lastZxid } = this.#peer.state.durable;',
        replace: 'const { lastZxid } = this.#peer.state.log;',
      },
    ],
    expects: 'AckHonesty',
  },
  {
    id: 'completion-at-once',
    title: 'the driver takes an append for durable as soon as it has ordered it',
    origin: 'this code',
    level: 'zab',
    edits: [
      {
        file: REPLICA,
        find: 'storage.append(effect.run, this.#onCompleted);',
        replace: 'storage.append(effect.run, () => {});\n        this.#onCompleted();',
      },
    ],
    expects: 'AckHonesty',
  },
  {
    id: 'uptodate-early',
    title: 'the leader sends UPTODATE together with NEWLEADER, and the learner takes it',
    origin: 'ZOOKEEPER-3023',
    level: 'zab',
    edits: [
      {
        file: HISTORY_SENDER,
        find: "    learner.stage = 'SYNCHRONIZING';\n",
        replace:
          "    learner.stage = 'SYNCHRONIZING';\n    if (this.#term.state.stage === 'BROADCAST') this.#term.send(learner, { type: 'UPTODATE' });\n",
      },
      { file: FOLLOWING, find: "if (this.state.stage !== 'ACKED') return this.#reject();", replace: '' },
    ],
  },
  // What survives a change of role, and a crash
  {
    id: 'ZK-2845',
    title: 'a server votes, and is synchronized, by what its application has instead of by the end of its log',
    origin: 'ZOOKEEPER-2845',
    level: 'zab',
    rule: 2,
    edits: [
      { file: LOOKING, find: 'zxid: state.log.lastZxid, peerEpoch', replace: 'zxid: state.lastDelivered, peerEpoch' },
      { file: FOLLOWING, find: 'lastZxid: this.#peer.state.log.lastZxid,', replace: 'lastZxid: this.#peer.state.lastDelivered,' },
    ],
  },
  {
    id: 'ZK-2845-vote',
    title: 'a server votes by what its application has, and the leader does not look who is ahead of it',
    origin: 'ZOOKEEPER-2845, 1191',
    level: 'zab',
    edits: [
      { file: LOOKING, find: 'zxid: state.log.lastZxid, peerEpoch', replace: 'zxid: state.lastDelivered, peerEpoch' },
      NO_RECENCY_CHECK,
    ],
  },
  {
    id: 'ZK-4712',
    title: 'a change of role forgets the orders that are on their way to the disk',
    origin: 'ZOOKEEPER-4712, 4541',
    level: 'zab',
    rule: 12,
    edits: [{ file: PEER, find: '    this.#role?.leave();\n', replace: '    this.#role?.leave();\n    this.state.lane.length = 0;\n' }],
  },
  {
    id: 'ZK-4712-ack',
    title: 'a history is taken over while truncations and appends of an earlier term are on their way, and counts as durable at once',
    origin: 'ZOOKEEPER-4712',
    level: 'zab',
    rule: 10,
    edits: [
      {
        file: FOLLOWING,
        find: '        if (current.historyOrders > 0) return;\n',
        replace: '        this.#peer.state.durable.lastZxid = this.#peer.state.log.lastZxid;\n',
      },
    ],
  },
  {
    id: 'ZK-1319',
    title: 'after a restart all of the log counts as committed',
    origin: 'ZOOKEEPER-1319, 1367',
    level: 'zab',
    rule: 2,
    edits: [{ file: PEER_STATE, find: '    lastCommitted: base,\n', replace: '    lastCommitted: log.lastZxid,\n' }],
  },
  {
    id: 'ZK-596',
    title: 'a restart does not read the newest part of the log',
    origin: 'ZOOKEEPER-596, 508',
    level: 'zab',
    edits: [{ file: PEER_STATE, find: 'of image.runs) {', replace: 'of image.runs.slice(0, Math.max(1, image.runs.length - 1))) {' }],
  },
  // Snapshots
  {
    id: 'ZK-3642',
    title: 'the leader’s snapshot is given to the application before it is on disk',
    origin: 'ZOOKEEPER-3642',
    level: 'zab',
    rule: 15,
    edits: [
      {
        file: FOLLOWING,
        find: '      this.#peer.replaceHistory({ zxid, pieces }, log.runs(log.base, log.lastZxid));\n',
        replace:
          "      this.#peer.effects.push({ type: 'restore', snapshot: { zxid, pieces } });\n      this.#peer.replaceHistory({ zxid, pieces }, log.runs(log.base, log.lastZxid));\n",
      },
    ],
    expects: 'AppliedDurable',
  },
  {
    id: 'snap-in-two-orders',
    title: 'a snapshot and the txns above it are two orders: a crash between them leaves less than there was',
    origin: 'found in this code by the simulator',
    level: 'zab',
    rule: 15,
    edits: [
      {
        file: FOLLOWING,
        find: 'this.#peer.replaceHistory({ zxid, pieces }, log.runs(log.base, log.lastZxid));',
        replace:
          'this.#peer.replaceHistory({ zxid, pieces }, []);\n      for (const run of log.runs(log.base, log.lastZxid)) this.#peer.append(run);',
      },
    ],
    expects: 'CommittedLogDurability',
    survives:
      'a leader that is not established, and whose application is far behind its log, has to send a snapshot to one that holds more: rare. The model checker finds it',
  },
  {
    id: 'restore-not-noted',
    title: 'after the leader’s snapshot a server goes on delivering where it was before',
    origin: 'ZOOKEEPER-1319: lastProcessed after a snapshot',
    level: 'zab',
    edits: [{ file: PEER, find: '    this.state.lastDelivered = snapshot.zxid;\n', replace: '' }],
  },
  {
    id: 'late-snapshot-dropped',
    title: 'a snapshot that is on disk after its server has left the leader does not reach the application',
    origin: 'ZOOKEEPER-4712: what completes late belongs to nobody',
    level: 'zab',
    rule: 15,
    edits: [
      {
        file: PEER,
        find: '          this.#restore(order.snapshot);\n',
        replace: "          if (this.role.name === 'FOLLOWING') this.#restore(order.snapshot);\n",
      },
    ],
  },
  {
    id: 'ZK-1549',
    title: 'a snapshot bears the zxid of the end of the log, and not of what its content has',
    origin: 'ZOOKEEPER-1549, 2872',
    level: 'zab',
    edits: [
      {
        file: REPLICA,
        find: '    const zxid = this.#applied;\n',
        replace: '    const zxid = (this.#peer as Peer).state.log.lastZxid;\n',
      },
    ],
  },
  {
    id: 'snap-zxid',
    title: 'the snapshot for a learner bears the zxid of the end of the log',
    origin: 'ZOOKEEPER-1549',
    level: 'zab',
    edits: [
      {
        file: REPLICA,
        find: 'new SnapshotReader(this.#applied,',
        replace: 'new SnapshotReader((this.#peer as Peer).state.log.lastZxid,',
      },
    ],
  },
  {
    id: 'compact-base',
    title: 'compaction of the log in memory puts its base one too high',
    origin: 'this code',
    level: 'zab',
    edits: [
      {
        file: LOG,
        find: '(Math.min(count, end) - segment.index) - 1) as Zxid;',
        replace: '(Math.min(count, end) - segment.index)) as Zxid;',
      },
    ],
  },
  // The synchronization plan
  {
    id: 'trunc-across-epochs',
    title: 'a learner that is ahead is cut to the leader’s last zxid, whatever epoch its own is of',
    origin: 'class LearnerHandler; ZOOKEEPER-1154, 1156',
    level: 'zab',
    rule: 16,
    edits: [
      {
        file: SYNC_PLAN,
        find: "  return { mode: 'SNAP' };",
        replace: "  return { mode: 'TRUNC', from: log.lastZxid };",
      },
    ],
    expects: 'Liveness',
  },
  {
    id: 'ZK-1154',
    title: 'TRUNC goes down to the base of the leader’s log',
    origin: 'ZOOKEEPER-1154, 1156',
    level: 'zab',
    rule: 16,
    edits: [{ file: SYNC_PLAN, find: "return { mode: 'TRUNC', from: last };", replace: "return { mode: 'TRUNC', from: log.base };" }],
  },
  {
    id: 'trunc-one-low',
    title: 'TRUNC cuts one txn too many, and the history is sent from above it',
    origin: 'ZOOKEEPER-1489',
    level: 'zab',
    rule: 16,
    edits: [
      {
        file: HISTORY_SENDER,
        find: "{ type: 'TRUNC', zxid: plan.from });",
        replace: "{ type: 'TRUNC', zxid: (plan.from - 1) as Zxid });",
      },
    ],
  },
  {
    id: 'diff-instead-of-trunc',
    title: 'a learner that is ahead within an epoch gets DIFF, and keeps what the leader does not have',
    origin: 'class LearnerHandler',
    level: 'zab',
    rule: 16,
    edits: [{ file: SYNC_PLAN, find: "return { mode: 'TRUNC', from: last };", replace: "return { mode: 'DIFF', from: last };" }],
    expects: 'HistoryConsistency',
  },
  {
    id: 'ZK-3701',
    title: 'a learner does not cut its log, and goes on',
    origin: 'ZOOKEEPER-3701',
    level: 'zab',
    edits: [{ file: FOLLOWING, find: '      this.#peer.truncate(message.zxid);\n', replace: '' }],
    expects: 'HistoryConsistency',
  },
  {
    id: 'ZK-2846',
    title: 'a learner cuts its log in memory, and not on disk',
    origin: 'ZOOKEEPER-2846, 1489',
    level: 'zab',
    edits: [{ file: PEER, find: "    this.#order({ type: 'truncate', lastZxid: zxid }, { type: 'truncate', zxid });\n", replace: '' }],
  },
  {
    id: 'diff-repeats',
    title: 'DIFF begins with the txn that the learner has',
    origin: 'class LearnerHandler, >= for >',
    level: 'zab',
    edits: [
      {
        file: LOG,
        find: 'const first = Math.max(from, segment.index);',
        replace: 'const first = Math.max(from - 1, segment.index);',
      },
    ],
  },
  {
    id: 'ZK-4925',
    title: 'a learner gets what is committed, and not what is only proposed',
    origin: 'ZOOKEEPER-4925; outstanding proposals not forwarded',
    level: 'zab',
    rule: 14,
    edits: [
      {
        file: HISTORY_SENDER,
        find: 'const toCommitted = learner.observes && this.#term.state.established;',
        replace: 'const toCommitted = this.#term.state.established;',
      },
    ],
    expects: 'HistoryBeforeEpoch',
  },
  {
    id: 'ZK-4925-hole',
    title: 'the same, and learners take proposals with a hole before them',
    origin: 'ZOOKEEPER-4925; enforceContinuousProposal of 3.9.5 removed',
    level: 'zab',
    rule: 17,
    edits: [
      {
        file: HISTORY_SENDER,
        find: 'const toCommitted = learner.observes && this.#term.state.established;',
        replace: 'const toCommitted = this.#term.state.established;',
      },
      NO_CONTINUITY_CHECK,
    ],
  },
  {
    id: 'diff-skips-epoch',
    title: 'DIFF leaves out what is of earlier epochs than the last',
    origin: 'ZOOKEEPER-2418',
    level: 'zab',
    edits: [
      {
        file: HISTORY_SENDER,
        find: 'for (const run of log.runs(learner.sent, next)) this.#term.send',
        replace: 'for (const run of log.runs(learner.sent, next).slice(-1)) this.#term.send',
      },
    ],
  },
  // Broadcast
  {
    id: 'commit-own-unflushed',
    title: 'the leader counts its own proposals before they are on its disk',
    origin: 'this code; Zab paper 5',
    level: 'zab',
    rule: 18,
    edits: [
      {
        file: BROADCAST,
        find: 'reachedByQuorum(peer.state.durable.lastZxid,',
        replace: 'reachedByQuorum(peer.state.log.lastZxid,',
      },
    ],
    expects: 'QuorumDurability',
  },
  {
    id: 'commit-by-one',
    title: 'one acknowledgement commits',
    origin: 'quorum arithmetic',
    level: 'zab',
    rule: 18,
    edits: [
      {
        file: CONFIG,
        find: 'if (value > best && isReached(config, values, value)) best = value;',
        replace: 'if (value > best) best = value;',
      },
    ],
    expects: 'QuorumDurability',
  },
  {
    id: 'quorum-half',
    title: 'half of the voters, rounded down, are a quorum',
    origin: 'reliability.md 3.3: quorum n/2',
    level: 'zab',
    rule: 18,
    edits: [{ file: CONFIG, find: 'return part * 2 > whole;', replace: 'return part >= Math.floor(whole / 2);' }],
  },
  {
    id: 'commit-at-proposal',
    title: 'the leader sends COMMIT together with PROPOSAL',
    origin: 'this code',
    level: 'zab',
    edits: [
      {
        file: BROADCAST,
        find: 'if (isForwarded(learner) && !learner.observes) this.#term.send(learner, message);\n',
        replace: `if (isForwarded(learner) && !learner.observes) {
      this.#term.send(learner, message);
      this.#term.send(learner, { type: 'COMMIT', zxid: this.#term.peer.state.log.lastZxid });
    }\n`,
      },
    ],
    expects: 'QuorumDurability',
  },
  {
    id: 'ZK-4882',
    title: 'what is committed is delivered also where it is not on disk',
    origin: 'ZOOKEEPER-4882: applied <= durable',
    level: 'zab',
    rule: 19,
    edits: [
      {
        file: PEER,
        find: 'const through = state.lastCommitted < state.durable.lastZxid ? state.lastCommitted : state.durable.lastZxid;',
        replace: 'const through = state.lastCommitted;',
      },
    ],
    expects: 'AppliedDurable',
  },
  {
    id: 'deliver-proposed',
    title: 'what is on disk is delivered, committed or not',
    origin: 'this code',
    level: 'zab',
    rule: 19,
    edits: [
      {
        file: PEER,
        find: 'const through = state.lastCommitted < state.durable.lastZxid ? state.lastCommitted : state.durable.lastZxid;',
        replace: 'const through = state.durable.lastZxid;',
      },
    ],
    expects: 'QuorumDurability',
  },
  {
    id: 'deliver-again',
    title: 'a server delivers the last txn once more with the next',
    origin: 'this code',
    level: 'zab',
    edits: [
      {
        file: PEER,
        find: '    state.lastDelivered = through;\n',
        replace: '    state.lastDelivered = state.log.contains((through - 1) as Zxid) ? ((through - 1) as Zxid) : through;\n',
      },
    ],
    expects: 'Integrity',
  },
  {
    id: 'counter-zero',
    title: 'NEWLEADER’s acknowledgement is taken for that of a txn',
    origin: 'newEpochZxid treated like a normal zxid',
    level: 'zab',
    rule: 18,
    edits: [
      {
        file: BROADCAST,
        find: 'if (reached > peer.state.lastCommitted && counterOf(reached) !== 0)',
        replace: 'if (reached > peer.state.lastCommitted)',
      },
    ],
  },
  {
    id: 'counter-goes-on',
    title: 'the first proposal of an epoch goes on with the counter of the last one',
    origin: 'ZOOKEEPER-1277',
    level: 'zab',
    edits: [{ file: BROADCAST, find: ': makeZxid(epoch, 1);', replace: ': makeZxid(epoch, counterOf(last) + 1);' }],
  },
  {
    id: 'next-zxid-committed',
    title: 'the leader numbers its proposals from the last committed one',
    origin: 'ZOOKEEPER-2845: the same zxids used again',
    level: 'zab',
    edits: [
      {
        file: BROADCAST,
        find: 'const last = this.#term.peer.state.log.lastZxid;\n    const { epoch }',
        replace: 'const last = this.#term.peer.state.lastCommitted;\n    const { epoch }',
      },
    ],
  },
  {
    id: 'ZK-1277',
    title: 'the counter rolls over into the epoch',
    origin: 'ZOOKEEPER-1277',
    level: 'zab',
    rule: 23,
    edits: [
      {
        file: LEADING,
        find: '    if (this.#broadcast.txns >= this.#peer.limits.epochTxnsMax) this.#succession.pause();\n',
        replace: '',
      },
    ],
    expects: 'EpochEnds',
  },
  {
    id: 'establish-early',
    title: 'a leader serves once NEWLEADER is sent to a quorum',
    origin: 'Zab 1.0, phase 2',
    level: 'zab',
    rule: 20,
    edits: [
      {
        file: ESTABLISHMENT,
        find: '|| !learners.quorumOf(isSynchronized)) return;',
        replace: "|| !learners.quorumOf(({ stage }) => stage === 'SYNCHRONIZING' || stage === 'SYNCHRONIZED')) return;",
      },
    ],
    expects: 'QuorumSynchronization',
  },
  {
    id: 'establish-undurable',
    title: 'a leader counts itself before its currentEpoch is on its disk',
    origin: 'Zab 1.0, phase 2',
    level: 'zab',
    rule: 10,
    edits: [{ file: ESTABLISHMENT, find: 'if (peer.state.durable.currentEpoch !== state.epoch || ', replace: 'if (' }],
    expects: 'QuorumSynchronization',
  },
  {
    id: 'initial-history-uncommitted',
    title: 'a leader begins to serve without having delivered its initial history',
    origin: 'Zab paper: primary integrity',
    level: 'zab',
    rule: 20,
    edits: [{ file: LEADING, find: '    this.#broadcast.commit(state.log.lastZxid);\n', replace: '' }],
    expects: 'PrimaryIntegrity',
  },
  // Reads
  {
    id: 'ZK-1675',
    title: 'a sync is answered without asking who still follows',
    origin: 'ZOOKEEPER-1675',
    level: 'zab',
    rule: 21,
    edits: [{ file: READ_BARRIER, find: ' && sync.round <= confirmed;', replace: ' && confirmed <= this.#state.round;' }],
    expects: 'SyncFreshness',
  },
  {
    id: 'sync-old-round',
    title: 'a sync is answered by a round of heartbeats that was begun before it came',
    origin: 'etcd’s ReadIndex',
    level: 'zab',
    rule: 21,
    edits: [{ file: READ_BARRIER, find: 'round: this.#state.round + 1 });', replace: 'round: this.#state.round });' }],
    expects: 'SyncFreshness',
    survives: 'the others have to have another leader, and something new committed, within half a tick after the last answered round: rare',
  },
  {
    id: 'sync-half',
    title: 'a round of heartbeats counts as answered once one learner has answered it',
    origin: 'this code',
    level: 'zab',
    rule: 21,
    edits: [
      {
        file: READ_BARRIER,
        find: 'return this.#learners.reachedByQuorum(this.#state.round, ({ serves, round }) => (serves ? round : Number.NEGATIVE_INFINITY));',
        replace: `let confirmed = -1;
    for (const { serves, round } of this.#learners.all) if (serves && round > confirmed) confirmed = round;
    return confirmed;`,
      },
    ],
    expects: 'SyncFreshness',
  },
  {
    id: 'sync-undelivered',
    title: 'a learner answers a sync before it has delivered what was committed when it came',
    origin: 'ZOOKEEPER-1675',
    level: 'zab',
    rule: 21,
    edits: [
      {
        file: FOLLOWING,
        find: "zxid: this.state.stage === 'BROADCAST' ? this.#peer.state.lastCommitted : undefined });",
        replace: 'zxid: 0 as Zxid });',
      },
    ],
    expects: 'SyncFreshness',
  },
  // Holding and losing a quorum
  {
    id: 'no-step-down',
    title: 'a leader without a quorum goes on',
    origin: 'ZOOKEEPER-2247; reliability.md 3.3',
    level: 'zab',
    rule: 22,
    edits: [
      {
        file: LEADING,
        find: 'if (this.state.established && !this.#term.learners.quorumOf(({ serves }) => serves)) this.#peer.becomeLooking();',
        replace: '',
      },
    ],
  },
  {
    id: 'silent-learners',
    title: 'a leader never gives up a learner that is silent',
    origin: 'syncLimit',
    level: 'zab',
    rule: 22,
    edits: [{ file: LEADING, find: 'if (learner.silentHalfTicks > limit * 2) this.#term.dismiss(learner);', replace: 'void limit;' }],
    expects: 'Liveness',
  },
  {
    id: 'silent-leader',
    title: 'a follower never gives up a leader that is silent',
    origin: 'syncLimit',
    level: 'zab',
    rule: 22,
    edits: [
      {
        file: FOLLOWING,
        find: 'if (this.state.silentHalfTicks > timing.syncLimit * 2) this.#peer.becomeLooking();\n      else ',
        replace: '',
      },
    ],
    expects: 'Liveness',
  },
  {
    id: 'init-limit',
    title: 'discovery and synchronization may take for ever',
    origin: 'initLimit',
    level: 'zab',
    rule: 22,
    edits: [
      {
        file: LEADING,
        find: "    if (name === 'init') this.#peer.becomeLooking();\n    else if",
        replace: '    if',
      },
      {
        file: FOLLOWING,
        find: "      if (this.state.stage === 'DISCOVERY') this.#peer.suspect(this.#leader);\n      this.#peer.becomeLooking();\n",
        replace: '',
      },
    ],
    expects: 'Liveness',
  },
];
