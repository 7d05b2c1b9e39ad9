/**
 * LOOKING: fast leader election (class `FastLeaderElection`).
 *
 * A round ends when a quorum of the round's votes is for one server and either every voter has spoken or nothing better has come for
 * finalizeWait. A server that finds an established leader joins it by the votes of those who follow.
 */
import { assert } from '@quorate/protocol';
import { hasQuorum, type Sid } from './config.js';
import type { ChannelId, TimerName } from './io.js';
import type { Message, Notification, Vote } from './messages.js';
import type { EarlyLearner, Peer } from './peer.js';
import type { Role } from './role.js';
import { backOffMs, finalizeWaitMs } from './timing.js';
import { compareVotes, sameLeadership, sameVote } from './vote.js';

export class Looking implements Role {
  readonly name = 'LOOKING';
  readonly #peer: Peer;
  #vote: Vote;
  /** The latest vote of each server in this round, whatever its state. */
  readonly #received = new Map<Sid, Notification>();
  /** The latest word of each server that has decided, in whatever round it did. */
  readonly #decided = new Map<Sid, Notification>();
  /** Learners that decided for this server before it did itself. */
  readonly #early = new Map<ChannelId, EarlyLearner>();
  #finalizing = false;
  /** How often the vote was sent again; paces the next time. */
  #resends = 0;
  /** False during the pause that follows a try that led nowhere. */
  #announced = false;

  constructor(peer: Peer) {
    this.#peer = peer;
    this.#vote = this.#ownVote();
  }

  get vote(): Vote {
    return this.#vote;
  }

  enter(): void {
    const { state, timing } = this.#peer;
    state.electionEpoch++;
    this.#peer.setStatus({ state: 'LOOKING', leader: undefined, epoch: state.currentEpoch, serving: false });
    this.#received.set(this.#peer.sid, this.#ownNotification());
    // The first try is made at once; further ones are paced, so that servers which cannot agree do not spin.
    if (state.failedTries > 0) this.#peer.setTimer('election', backOffMs(timing, state.failedTries - 1));
    else this.#announce();
    state.failedTries++;
    this.#decide();
  }

  leave(): void {
    this.#peer.cancelTimer('election');
    if (this.#finalizing) this.#peer.cancelTimer('finalize');
    for (const channel of this.#early.keys()) this.#peer.effects.push({ type: 'closeToLearner', channel });
  }

  onNotification(from: Sid, notification: Notification): void {
    if (!this.#peer.config.voters.includes(from)) return;
    if (!this.#peer.config.voters.includes(notification.vote.leader)) return;
    if (notification.state === 'LOOKING') this.#onLooking(from, notification);
    else this.#onDecided(from, notification);
  }

  /** A vote of a server that is looking too. */
  #onLooking(from: Sid, notification: Notification): void {
    const { state } = this.#peer;
    this.#decided.delete(from);
    if (notification.electionEpoch < state.electionEpoch) {
      this.#peer.notify(from, 'LOOKING', this.#vote);
      return;
    }
    if (notification.electionEpoch > state.electionEpoch) {
      state.electionEpoch = notification.electionEpoch;
      this.#received.clear();
      this.#unfinalize();
      const own = this.#ownVote();
      this.#vote = compareVotes(notification.vote, own) > 0 ? notification.vote : own;
      this.#announce();
    } else if (compareVotes(notification.vote, this.#vote) > 0) {
      this.#unfinalize();
      this.#vote = notification.vote;
      this.#announce();
    }
    this.#received.set(this.#peer.sid, this.#ownNotification());
    this.#received.set(from, notification);
    this.#decide();
  }

  /** The word of a server that follows or leads. */
  #onDecided(from: Sid, notification: Notification): void {
    const { state } = this.#peer;
    this.#decided.set(from, notification);
    if (notification.electionEpoch === state.electionEpoch) this.#received.set(from, notification);
    if (!this.#isLedByAll(notification)) return;
    state.electionEpoch = notification.electionEpoch;
    this.#vote = notification.vote;
    this.#conclude();
  }

  /** Whether a quorum of those who have decided is with this leader, and the leader itself says that it leads. */
  #isLedByAll(notification: Notification): boolean {
    const { config, sid, state } = this.#peer;
    const { leader } = notification.vote;
    // A server that is told that it leads, by those who elected it while it had forgotten, has to be in their round.
    if (leader === sid && notification.electionEpoch !== state.electionEpoch) return false;
    if (leader !== sid && this.#decided.get(leader)?.state !== 'LEADING') return false;
    const supporters = new Set<Sid>();
    for (const [from, word] of this.#decided) if (sameLeadership(word.vote, notification.vote)) supporters.add(from);
    // In the round of its own vote, this server's support counts like any other's.
    if (notification.electionEpoch === state.electionEpoch && leader === this.#vote.leader) supporters.add(sid);
    return hasQuorum(config, supporters);
  }

  /** Ends the round where the votes allow it. */
  #decide(): void {
    const { config, timing } = this.#peer;
    const supporters = new Set<Sid>();
    for (const [from, word] of this.#received) if (sameVote(word.vote, this.#vote)) supporters.add(from);
    if (!hasQuorum(config, supporters)) return;
    if (config.voters.every((voter) => this.#received.has(voter))) {
      this.#conclude();
      return;
    }
    if (this.#finalizing) return;
    this.#finalizing = true;
    this.#peer.setTimer('finalize', finalizeWaitMs(timing));
  }

  #conclude(): void {
    const vote = this.#vote;
    if (vote.leader !== this.#peer.sid) {
      this.#peer.becomeFollowing(vote);
      return;
    }
    const early = new Map(this.#early);
    this.#early.clear();
    this.#peer.becomeLeading(vote, early);
  }

  #unfinalize(): void {
    if (!this.#finalizing) return;
    this.#finalizing = false;
    this.#peer.cancelTimer('finalize');
  }

  onTimer(name: TimerName): void {
    if (name === 'finalize') {
      assert(this.#finalizing, 'the timer runs only while a quorum agrees');
      this.#conclude();
      return;
    }
    if (name !== 'election') return;
    // Votes may have been lost, and those who have decided answer only when asked.
    if (this.#announced) this.#resends++;
    this.#announce();
  }

  #announce(): void {
    this.#announced = true;
    for (const voter of this.#peer.config.voters) if (voter !== this.#peer.sid) this.#peer.notify(voter, 'LOOKING', this.#vote);
    this.#peer.setTimer('election', backOffMs(this.#peer.timing, this.#resends));
  }

  #ownVote(): Vote {
    const { sid, state } = this.#peer;
    return { leader: sid, zxid: state.log.lastZxid, peerEpoch: state.currentEpoch };
  }

  #ownNotification(): Notification {
    return { state: 'LOOKING', electionEpoch: this.#peer.state.electionEpoch, vote: this.#vote };
  }

  // Learners may decide for this server before it does.

  onLearnerOpened(from: Sid, channel: ChannelId): void {
    for (const [older, learner] of this.#early) {
      if (learner.from !== from) continue;
      this.#early.delete(older);
      this.#peer.effects.push({ type: 'closeToLearner', channel: older });
    }
    this.#early.set(channel, { from, acceptedEpoch: undefined });
  }

  onLearnerMessage(channel: ChannelId, message: Message): void {
    const learner = this.#early.get(channel);
    if (learner === undefined) return;
    if (message.type === 'FOLLOWERINFO' && learner.acceptedEpoch === undefined) {
      learner.acceptedEpoch = message.acceptedEpoch;
      return;
    }
    this.#early.delete(channel);
    this.#peer.effects.push({ type: 'closeToLearner', channel });
  }

  onLearnerClosed(channel: ChannelId): void {
    this.#early.delete(channel);
  }

  // Nobody leads and nothing is served: what was under way for a former role has no addressee.

  onLeaderMessage(): void {}
  onLeaderClosed(): void {}
  onDurable(): void {}
  propose(): void {}
  request(): void {}
  revalidate(): void {}
  answerRevalidate(): void {}
  heartbeat(): void {}
  sync(): void {}
  onSnapshotTaken(): void {}
}
