/**
 * The end of an epoch without an election: the leader goes on to its next epoch, or hands over to a voter that has the whole history.
 *
 * Both begin alike: the application is told to stop, and what it has proposed until then is committed. An epoch is followed by another when its counter nears
 * the end, when a voter has promised a later one and cannot follow, and when a voter has come back without its store: it is counted again in an epoch
 * that a quorum of the others has promised after it came, because what it had promised itself before is forgotten.
 */
import type { Zxid } from '@quorate/protocol';
import { mayLead, type Sid } from './config.js';
import type { Establishment } from './establishment.js';
import { isJoining, type Learner } from './learners.js';
import type { Term } from './term.js';

export class Succession {
  readonly #term: Term;
  readonly #establishment: Establishment;

  constructor(term: Term, establishment: Establishment) {
    this.#term = term;
    this.#establishment = establishment;
  }

  /** Tells the application to stop proposing. */
  pause(): void {
    const { state, peer } = this.#term;
    if (state.pausing) return;
    state.pausing = true;
    peer.setStatus({ state: 'LEADING', leader: peer.sid, epoch: state.epoch, serving: false });
  }

  /** It has stopped. */
  onPaused(): void {
    const { state, peer } = this.#term;
    if (!state.pausing || state.stage !== 'BROADCAST') return;
    state.stage = 'DRAINING';
    peer.setTimer('init', peer.timing.initLimit * peer.timing.tickTimeMs);
    this.drain();
  }

  /** Goes on once everything that was proposed is committed, and applied here. */
  drain(): void {
    const { state, learners, peer } = this.#term;
    if (state.stage !== 'DRAINING' || peer.state.lastDelivered !== peer.state.log.lastZxid) return;
    if (state.handOver !== undefined) return this.#chooseSuccessor(state.handOver.to);
    for (const learner of learners.all) {
      if (isJoining(learner)) this.#term.dismiss(learner);
      else if (learner.serves) this.#goOver(learner);
    }
    this.#establishment.beginEpoch();
  }

  /** A learner that follows into the next epoch. A voter that came without its vote is told of proposals from there on, like any other. */
  #goOver(learner: Learner): void {
    learner.stage = 'INFORMED';
    learner.promised = false;
    learner.acked = -1 as Zxid;
    if (this.#term.isVoter(learner)) learner.observes = false;
  }

  /** Whether another epoch would help a voter that cannot follow, or is not counted, in this one. */
  isDue(): boolean {
    return this.#term.learners.some(
      (learner) => this.#establishment.mustWait(learner) || (learner.serves && !learner.counts && this.#term.isVoter(learner)),
    );
  }

  /** A leader that can hand over pauses for it. */
  handOver(to: Sid | undefined): void {
    if (!this.canHandOver(to)) return;
    this.#term.state.handOver = { to };
    this.pause();
  }

  /** Whether there is somebody to hand over to: `to`, or anybody where that is undefined. */
  canHandOver(to: Sid | undefined): boolean {
    const { state, learners } = this.#term;
    return state.stage === 'BROADCAST' && learners.some((learner) => this.#maySucceed(learner, to));
  }

  #maySucceed({ sid, serves, counts }: Learner, to: Sid | undefined): boolean {
    return serves && counts && mayLead(this.#term.peer.config, sid) && (to === undefined || to === sid);
  }

  /** One that has acknowledged everything. Where there is none yet, it is awaited. */
  #chooseSuccessor(to: Sid | undefined): void {
    const { state, learners, peer } = this.#term;
    for (const learner of learners.all) {
      if (!this.#maySucceed(learner, to) || learner.acked < peer.state.log.lastZxid) continue;
      state.stage = 'HANDOVER';
      state.successor = learner.sid;
      this.#term.send(learner, { type: 'HANDOVER', leader: learner.sid });
      return;
    }
  }

  /** Whether the channel that has closed was the successor's: it leads by now, or is gone. All are sent to it, this server included. */
  follow({ sid }: Learner): boolean {
    const { state, learners, peer } = this.#term;
    const leader = state.successor;
    if (state.stage !== 'HANDOVER' || sid !== leader) return false;
    for (const learner of learners.all) if (learner.serves) this.#term.send(learner, { type: 'HANDOVER', leader });
    peer.becomeFollowing({ leader, zxid: peer.state.log.lastZxid, peerEpoch: peer.state.currentEpoch });
    return true;
  }
}
