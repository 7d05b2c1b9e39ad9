/** BROADCAST, the leader's side: proposals, acknowledgements, commits (classes `Leader`, `CommitProcessor` apart from the application's part). */
import { COUNTER_MAX, counterOf, epochOf, makeZxid, type Zxid } from '@quorate/protocol';
import { isForwarded, type Learner } from './learners.js';
import type { Message } from './messages.js';
import type { Term } from './term.js';

export class Broadcast {
  readonly #term: Term;

  constructor(term: Term) {
    this.#term = term;
  }

  /** The zxid of the next proposal. */
  get nextZxid(): Zxid {
    const last = this.#term.peer.state.log.lastZxid;
    const { epoch } = this.#term.state;
    return epochOf(last) === epoch ? ((last + 1) as Zxid) : makeZxid(epoch, 1);
  }

  /** How many txns this epoch has had. */
  get txns(): number {
    const last = this.#term.peer.state.log.lastZxid;
    return epochOf(last) === this.#term.state.epoch ? counterOf(last) : 0;
  }

  /** Whether the counter suffices for so many txns more. */
  hasRoomFor(count: number): boolean {
    return this.txns + count <= COUNTER_MAX;
  }

  propose(payloads: readonly Uint8Array[]): void {
    const run = { zxid: this.nextZxid, payloads };
    this.#term.peer.append(run);
    const message: Message = { type: 'PROPOSAL', run };
    for (const learner of this.#term.learners.all) if (isForwarded(learner) && !learner.observes) this.#term.send(learner, message);
  }

  /** A learner that is synchronized has acknowledged what was proposed to it; false where it cannot have. */
  onAck(learner: Learner, zxid: Zxid): boolean {
    const { log, lastCommitted } = this.#term.peer.state;
    if (zxid > log.lastZxid) return false;
    learner.acked = zxid;
    // A quorum above what is committed needs one more server above it.
    if (zxid > lastCommitted) this.commitAcked();
    return true;
  }

  /** Commits what a quorum has acknowledged in this epoch; all below it goes with it. */
  commitAcked(): void {
    const { state, learners, peer } = this.#term;
    if (state.stage !== 'BROADCAST' && state.stage !== 'DRAINING') return;
    const reached = learners.reachedByQuorum(peer.state.durable.lastZxid, ({ acked }) => acked) as Zxid;
    // Counter 0 stands for the history that was committed when the epoch was established.
    if (reached > peer.state.lastCommitted && counterOf(reached) !== 0) this.commit(reached);
  }

  commit(zxid: Zxid): void {
    this.#term.peer.commit(zxid);
    const message: Message = { type: 'COMMIT', zxid };
    for (const learner of this.#term.learners.all) {
      if (!isForwarded(learner)) continue;
      if (learner.observes && zxid > learner.sent) this.#inform(learner, zxid);
      else this.#term.send(learner, message);
    }
  }

  #inform(learner: Learner, through: Zxid): void {
    for (const run of this.#term.peer.state.log.runs(learner.sent, through)) this.#term.send(learner, { type: 'INFORM', run });
    learner.sent = through;
  }
}
