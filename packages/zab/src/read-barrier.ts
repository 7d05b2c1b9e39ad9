/**
 * Rounds of heartbeats, and the syncs that wait for them.
 *
 * A sync is answered once everything proposed at its receipt is committed and a round of heartbeats begun after its receipt is answered by a
 * quorum: only then is it certain that no other leader had taken over before it was asked (safer than ZOOKEEPER-1675).
 */
import type { Zxid } from '@quorate/protocol';
import type { ChannelId } from './io.js';
import { isForwarded, type Learners } from './learners.js';
import type { Message } from './messages.js';
import type { Peer } from './peer.js';
import type { Term } from './term.js';

/** A sync that the leader has not answered. */
export interface PendingSync {
  /** The learner's channel; undefined where the leader's own application asks. */
  readonly channel: ChannelId | undefined;
  readonly tag: number;
  /** What was proposed when it came. */
  readonly zxid: Zxid;
  /** The first round that was begun after it came. */
  readonly round: number;
}

/** What the barrier keeps in the leader's state. */
export interface ReadBarrierState {
  /** The round that was begun last. */
  round: number;
  /** In the order of their coming; zxid and round ascend with it, so the first that has to wait holds back the rest. */
  readonly syncs: PendingSync[];
}

const NOTHING = new Uint8Array(0);

export class ReadBarrier {
  readonly #peer: Peer;
  readonly #learners: Learners;
  readonly #state: ReadBarrierState;

  constructor({ peer, learners, state }: Term) {
    this.#peer = peer;
    this.#learners = learners;
    this.#state = state;
  }

  /** Asks every learner that follows; the answers confirm that it still does. */
  beginRound(): void {
    this.#state.round++;
    const message: Message = { type: 'PING', round: this.#state.round, payload: NOTHING };
    for (const learner of this.#learners.all) {
      if (learner.serves || isForwarded(learner)) this.#peer.effects.push({ type: 'sendToLearner', channel: learner.channel, message });
    }
  }

  /** A sync has come: from a learner, or from the own application where `channel` is undefined. */
  begin(channel: ChannelId | undefined, tag: number): void {
    this.#state.syncs.push({ channel, tag, zxid: this.#peer.state.log.lastZxid, round: this.#state.round + 1 });
    if (this.#confirmedRound() >= this.#state.round) this.beginRound();
    this.answer();
  }

  /** Answers those that are done; called whenever more is delivered or a round has been answered. */
  answer(): void {
    if (this.#state.syncs.length === 0) return;
    const confirmed = this.#confirmedRound();
    while (this.#isDone(this.#state.syncs[0], confirmed)) this.#answerOne(this.#state.syncs.shift() as PendingSync);
    // Those that came while a round was under way need the next one; it starts as soon as that one is confirmed.
    const newest = this.#state.syncs[this.#state.syncs.length - 1];
    if (newest === undefined || newest.round <= this.#state.round || confirmed < this.#state.round) return;
    this.beginRound();
    this.answer();
  }

  #isDone(sync: PendingSync | undefined, confirmed: number): boolean {
    return sync !== undefined && sync.zxid <= this.#peer.state.lastDelivered && sync.round <= confirmed;
  }

  #answerOne({ channel, tag }: PendingSync): void {
    if (channel === undefined) this.#peer.effects.push({ type: 'synced', tag });
    else if (this.#learners.at(channel) !== undefined) {
      this.#peer.effects.push({ type: 'sendToLearner', channel, message: { type: 'SYNC', tag } });
    }
  }

  #confirmedRound(): number {
    return this.#learners.reachedByQuorum(this.#state.round, ({ serves, round }) => (serves ? round : Number.NEGATIVE_INFINITY));
  }
}
