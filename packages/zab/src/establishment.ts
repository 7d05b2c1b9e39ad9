/**
 * DISCOVERY and SYNCHRONIZATION, the leader's side: how an epoch begins. For a server that was elected, and once more over the same channels for a leader
 * that goes on to its next epoch.
 *
 * Nothing is proposed before a quorum, this server included, has the leader's history and its epoch durably: that is what
 * makes every txn of earlier epochs that may have been committed a part of this one.
 */
import type { Zxid } from '@quorate/protocol';
import type { HistorySender } from './history-sender.js';
import { isSynchronized, type Learner } from './learners.js';
import type { LearnerInfo } from './peer.js';
import type { Term } from './term.js';

export class Establishment {
  readonly #term: Term;
  readonly #history: HistorySender;
  readonly #onEstablished: () => void;

  constructor(term: Term, history: HistorySender, onEstablished: () => void) {
    this.#term = term;
    this.#history = history;
    this.#onEstablished = onEstablished;
  }

  noteInfo(learner: Learner, { type, acceptedEpoch }: LearnerInfo): void {
    const { state } = this.#term.peer;
    learner.observes = type === 'OBSERVERINFO';
    learner.counts = !learner.observes;
    learner.acceptedEpoch = acceptedEpoch;
    learner.stage = 'INFORMED';
    state.highestEpochSeen = Math.max(state.highestEpochSeen, acceptedEpoch);
  }

  /** A learner has promised; false where this server must not go on leading. */
  notePromise(learner: Learner, currentEpoch: number, lastZxid: Zxid): boolean {
    const { peer, state } = this.#term;
    const { historyEpoch } = state;
    const moreRecent = currentEpoch > historyEpoch || (currentEpoch === historyEpoch && lastZxid > peer.state.log.lastZxid);
    // Until a quorum has the history of this leader, one that is ahead of it may hold what was committed: its owner has to lead. That a quorum has
    // promised would be enough, were there no servers that have promised and then lost their store.
    if (state.stage !== 'BROADCAST' && moreRecent && learner.counts) return false;
    learner.stage = 'PROMISED';
    learner.promised = currentEpoch !== -1;
    learner.lastZxid = lastZxid;
    return true;
  }

  /** Takes every step that has become possible. */
  advance(): void {
    const { state, learners, peer } = this.#term;
    if (state.stage === 'DISCOVERY' && learners.quorumOf(({ stage }) => stage === 'INFORMED')) this.beginEpoch();
    if (state.stage === 'PROMISING' && peer.state.durable.acceptedEpoch === state.epoch) state.stage = 'EPOCH';
    if (state.stage === 'EPOCH') this.#countPromises();
    if (state.stage === 'SYNCHRONIZATION' || state.stage === 'BROADCAST') this.#welcome();
    if (state.stage === 'SYNCHRONIZATION') this.#establish();
  }

  /** The new epoch is above every promise of a quorum. Observers do not count for the quorum (ZOOKEEPER-2959). */
  beginEpoch(): void {
    const { state, peer } = this.#term;
    state.epoch = Math.max(peer.state.acceptedEpoch, peer.state.highestEpochSeen) + 1;
    state.historyEpoch = peer.state.currentEpoch;
    state.stage = 'PROMISING';
    peer.saveAcceptedEpoch(state.epoch);
  }

  #countPromises(): void {
    const { state, learners, peer } = this.#term;
    for (const learner of learners.all) this.#invite(learner);
    if (!learners.quorumOf(({ promised }) => promised)) return;
    state.stage = 'SYNCHRONIZATION';
    state.historyOrders = peer.state.lane.length;
  }

  #invite(learner: Learner): void {
    const { state, peer } = this.#term;
    if (learner.stage !== 'INFORMED' || this.mustWait(learner)) return;
    // Who comes while those who follow go over to the next epoch is invited to that one once it has begun.
    if (state.established && state.stage !== 'BROADCAST' && !learner.serves) return;
    learner.stage = 'INVITED';
    this.#term.send(learner, { type: 'LEADERINFO', epoch: state.epoch, ensembleId: peer.state.ensembleId });
  }

  /** Whether a learner is a voter that has promised a later epoch: it cannot follow this one. */
  mustWait({ stage, counts, acceptedEpoch }: Learner): boolean {
    return stage === 'INFORMED' && counts && acceptedEpoch > this.#term.state.epoch;
  }

  /** Invites and synchronizes whoever is ready for it: the first quorum, and all who join later. */
  #welcome(): void {
    for (const learner of this.#term.learners.all) {
      this.#invite(learner);
      if (learner.stage === 'PROMISED') this.#history.begin(learner);
    }
  }

  /** The own history, then the own currentEpoch, then the quorum of those who have acknowledged NEWLEADER. */
  #establish(): void {
    const { state, learners, peer } = this.#term;
    if (state.historyOrders > 0) return;
    if (state.historyOrders === 0) {
      state.historyOrders = -1;
      peer.saveCurrentEpoch(state.epoch);
      return;
    }
    if (peer.state.durable.currentEpoch !== state.epoch || !learners.quorumOf(isSynchronized)) return;
    state.stage = 'BROADCAST';
    this.#onEstablished();
    for (const learner of learners.all) if (isSynchronized(learner)) this.admit(learner);
    this.#welcome();
  }

  /** A learner has the history and this leader is established: it serves, and where it is a voter it counts from now on. */
  admit(learner: Learner): void {
    learner.serves = true;
    learner.counts ||= !learner.observes;
    this.#term.send(learner, { type: 'UPTODATE' });
  }
}
