/**
 * LOOKING: fast leader election (class `FastLeaderElection`).
 *
 * A round ends when a quorum of the round's votes is for one server and either every voter has spoken or nothing better has come for
 * finalizeWait. A server that finds an established leader joins it by the votes of those who follow.
 */
import { assert, type Zxid } from '@quorate/protocol';
import { type Config, hasQuorum, mayLead, type Sid } from './config.js';
import type { ChannelId, TimerName } from './io.js';
import { Mending } from './mending.js';
import type { Message, Notification, Vote } from './messages.js';
import type { EarlyLearner, Peer } from './peer.js';
import { clonePlain } from './plain.js';
import type { Role } from './role.js';
import { backOffMs, finalizeWaitMs } from './timing.js';
import { compareVotes, sameLeadership, sameVote } from './vote.js';

interface LookingState {
  vote: Vote;
  /** The latest vote of each server in this round, whatever its state. */
  readonly received: Map<Sid, Notification>;
  /** The latest word of each server that has decided, in whatever round it did. */
  readonly decided: Map<Sid, Notification>;
  /** Learners that decided for this server before it did itself. */
  readonly early: Map<ChannelId, EarlyLearner>;
  /** A quorum agrees, and something better may still come. */
  finalizing: boolean;
  /** How often the vote was sent again; paces the next time. */
  resends: number;
  /** False during the pause that follows a try that led nowhere. */
  announced: boolean;
}

export class Looking implements Role {
  readonly name = 'LOOKING';
  readonly #peer: Peer;
  readonly #mending: Mending;
  readonly state: LookingState;

  private constructor(peer: Peer, state: LookingState) {
    this.#peer = peer;
    this.#mending = new Mending(peer);
    this.state = state;
  }

  static begin(peer: Peer): Looking {
    return new Looking(peer, {
      vote: ownVote(peer),
      received: new Map(),
      decided: new Map(),
      early: new Map(),
      finalizing: false,
      resends: 0,
      announced: false,
    });
  }

  clone(peer: Peer): Looking {
    return new Looking(peer, clonePlain(this.state));
  }

  get vote(): Vote {
    return this.state.vote;
  }

  enter(): void {
    const { state, timing } = this.#peer;
    state.electionEpoch++;
    this.#peer.setStatus({ state: 'LOOKING', leader: undefined, epoch: state.currentEpoch, serving: false });
    this.#countOwn();
    // The first try is made at once; further ones are paced, so that servers which cannot agree do not spin.
    if (state.failedTries > 0) this.#peer.setTimer('election', backOffMs(timing, state.failedTries - 1));
    else this.#announce();
    state.failedTries++;
    this.#mending.begin();
    this.#decide();
  }

  leave(): void {
    this.#peer.cancelTimer('election');
    if (this.state.finalizing) this.#peer.cancelTimer('finalize');
    this.#mending.end();
    for (const channel of this.state.early.keys()) this.#peer.effects.push({ type: 'closeToLearner', channel });
  }

  onNotification(from: Sid, notification: Notification): void {
    const { config, sid } = this.#peer;
    const { leader, peerEpoch } = notification.vote;
    // Others may still want a server that has lost its store meanwhile.
    if (leader === sid && !this.#votes) return;
    if (!config.voters.includes(from) || !mayLead(config, leader) || peerEpoch < 0) this.#onAsked(from, notification);
    else if (notification.state === 'LOOKING') this.#onLooking(from, notification);
    else if (notification.state !== 'OBSERVING') this.#onDecided(from, notification);
  }

  get #votes(): boolean {
    return this.#peer.votes;
  }

  /** One who does not count, or has heard of nobody yet, wants to hear what a voter wants. Only voters answer, so that no two answer each other for ever. */
  #onAsked(from: Sid, { state, electionEpoch }: Notification): void {
    const { config } = this.#peer;
    const knows = this.#votes && mayLead(config, this.state.vote.leader);
    if (state !== 'LOOKING' || !knows) return;
    // The round of a voter without weight counts, though its vote does not.
    if (isPowerless(config, from) && electionEpoch > this.#peer.state.electionEpoch) this.#beginRound(electionEpoch);
    else this.#peer.notify(from, 'LOOKING', this.state.vote);
  }

  /** A vote of a server that is looking too. */
  #onLooking(from: Sid, notification: Notification): void {
    const { state } = this.#peer;
    this.state.decided.delete(from);
    if (notification.electionEpoch < state.electionEpoch && this.#votes) {
      this.#peer.notify(from, 'LOOKING', this.state.vote);
      return;
    }
    // An observer has no round of its own: it is in that of whoever spoke last.
    if (notification.electionEpoch !== state.electionEpoch) {
      this.#beginRound(notification.electionEpoch, notification.vote);
    } else if (this.#isBetter(notification.vote, this.state.vote)) {
      this.#unfinalize();
      this.state.vote = notification.vote;
      this.#tell();
    }
    this.#countOwn();
    this.state.received.set(from, notification);
    this.#decide();
  }

  #isBetter(vote: Vote, than: Vote): boolean {
    return compareVotes(vote, than) > 0 && !this.#peer.state.suspects.has(vote.leader);
  }

  /** Counts anew, with the better of two votes. */
  #beginRound(electionEpoch: number, vote?: Vote): void {
    this.#peer.state.electionEpoch = electionEpoch;
    this.state.received.clear();
    this.#unfinalize();
    const own = ownVote(this.#peer);
    this.state.vote = vote !== undefined && this.#isBetter(vote, own) ? vote : own;
    this.#countOwn();
    this.#tell();
  }

  /** Voters have to hear of a change of mind; that of an observer changes nothing, and each of its messages is answered. */
  #tell(): void {
    if (this.#votes) this.#announce();
  }

  /** The word of a server that follows or leads. */
  #onDecided(from: Sid, notification: Notification): void {
    const { state } = this.#peer;
    this.state.decided.set(from, notification);
    if (notification.electionEpoch === state.electionEpoch) this.state.received.set(from, notification);
    if (!this.#isLedByAll(notification)) return this.#decide();
    state.electionEpoch = notification.electionEpoch;
    this.state.vote = notification.vote;
    this.#conclude();
  }

  /** Whether a quorum of those who have decided is with this leader, and the leader itself says that it leads. */
  #isLedByAll(notification: Notification): boolean {
    const { config, sid, state } = this.#peer;
    const { leader } = notification.vote;
    // A server that is told that it leads, by those who elected it while it had forgotten, has to be in their round.
    if (leader === sid && notification.electionEpoch !== state.electionEpoch) return false;
    if (leader !== sid && this.state.decided.get(leader)?.state !== 'LEADING') return false;
    const supporters = new Set<Sid>();
    for (const [from, word] of this.state.decided) if (sameLeadership(word.vote, notification.vote)) supporters.add(from);
    // In the round of its own vote, this server's support counts like any other's.
    if (this.#votes && notification.electionEpoch === state.electionEpoch && leader === this.state.vote.leader) supporters.add(sid);
    return hasQuorum(config, (voter) => supporters.has(voter));
  }

  /** Ends the round where the votes allow it. */
  #decide(): void {
    const { config, timing } = this.#peer;
    const supporters = new Set<Sid>();
    for (const [from, word] of this.state.received) if (sameVote(word.vote, this.state.vote)) supporters.add(from);
    // Who has made the quorum may have decided otherwise, and a word that comes late may take back a newer one.
    if (!hasQuorum(config, (voter) => supporters.has(voter))) return this.#unfinalize();
    if (config.voters.every((voter) => this.state.received.has(voter))) {
      this.#conclude();
      return;
    }
    if (this.state.finalizing) return;
    this.state.finalizing = true;
    this.#peer.setTimer('finalize', finalizeWaitMs(timing));
  }

  #conclude(): void {
    const vote = this.state.vote;
    // A store that is being mended has its vote back in a moment, and then it looks again.
    if (this.#peer.state.mending?.ordered === true) return;
    if (vote.leader !== this.#peer.sid) {
      this.#peer.becomeFollowing(vote);
      return;
    }
    const early = new Map(this.state.early);
    this.state.early.clear();
    this.#peer.becomeLeading(vote, early);
  }

  #unfinalize(): void {
    if (!this.state.finalizing) return;
    this.state.finalizing = false;
    this.#peer.cancelTimer('finalize');
  }

  onTimer(name: TimerName): void {
    this.#mending.onTimer(name);
    if (name === 'finalize') {
      assert(this.state.finalizing, 'the timer runs only while a quorum agrees');
      this.#conclude();
      return;
    }
    if (name !== 'election') return;
    this.#relent();
    // Votes may have been lost, and those who have decided answer only when asked.
    if (this.state.announced) this.state.resends++;
    this.#announce();
  }

  /** A suspicion does not last: whoever is under it may be the only one left. */
  #relent(): void {
    const { suspects } = this.#peer.state;
    for (const [sid, left] of suspects) {
      if (left > 1) suspects.set(sid, left - 1);
      else suspects.delete(sid);
    }
  }

  /** A server that gets its vote meanwhile begins again, as one that has it. */
  onDurable(): void {
    if (this.#peer.votes !== this.#peer.status.votes) this.#peer.becomeLooking();
  }

  #announce(): void {
    this.state.announced = true;
    // What one wants who does not vote is nobody's business; that it asks is.
    const vote = this.#votes ? this.state.vote : ownVote(this.#peer);
    for (const voter of this.#peer.config.voters) if (voter !== this.#peer.sid) this.#peer.notify(voter, 'LOOKING', vote);
    this.#peer.setTimer('election', backOffMs(this.#peer.timing, this.state.resends));
  }

  /** The own vote counts like any other's, where this server has one. */
  #countOwn(): void {
    if (!this.#votes) return;
    const { sid, state } = this.#peer;
    this.state.received.set(sid, { state: 'LOOKING', electionEpoch: state.electionEpoch, vote: this.state.vote });
  }

  // Learners may decide for this server before it does.

  onLearnerOpened(from: Sid, channel: ChannelId): void {
    if (this.#votes) this.state.early.set(channel, { from, info: undefined });
  }

  onLearnerMessage(channel: ChannelId, message: Message): void {
    const learner = this.state.early.get(channel);
    if (learner !== undefined && (message.type === 'FOLLOWERINFO' || message.type === 'OBSERVERINFO') && learner.info === undefined) {
      this.#dismissOlder(learner.from);
      learner.info = message;
      return;
    }
    this.#dismiss(channel);
  }

  /** A server follows on one channel, the one on which it has said so last; see the same of a leader. */
  #dismissOlder(sid: Sid): void {
    for (const [channel, { from, info }] of this.state.early) if (from === sid && info !== undefined) this.#dismiss(channel);
  }

  #dismiss(channel: ChannelId): void {
    this.state.early.delete(channel);
    this.#peer.effects.push({ type: 'closeToLearner', channel });
  }

  onLearnerClosed(channel: ChannelId): void {
    this.state.early.delete(channel);
  }

  // Whom this server asks for what its store lacks is no leader, but the channel is like one to it.

  onLeaderMessage(channel: ChannelId, message: Message): void {
    this.#mending.onMessage(channel, message);
  }

  onLeaderClosed(channel: ChannelId): void {
    this.#mending.onClosed(channel);
  }

  // Nobody leads and nothing is served: what was under way for a former role has no addressee.

  propose(): void {}
  request(): void {}
  revalidate(): void {}
  answerRevalidate(): void {}
  heartbeat(): void {}
  sync(): void {}
  onRoom(): void {}
  onSnapshotRead(): void {}
  onLogRead(): void {}
  onPaused(): void {}
  handOver(): void {}
}

/** What a server wants that has heard of nobody better: itself, or, where it may not lead, something that is worse than every vote. */
export function ownVote({ sid, config, state, votes }: Peer): Vote {
  if (!votes || !mayLead(config, sid)) return { leader: sid, zxid: -1 as Zxid, peerEpoch: -1 };
  return { leader: sid, zxid: state.log.lastZxid, peerEpoch: state.currentEpoch };
}

/** Whether a server votes, and its vote weighs nothing. */
function isPowerless(config: Config, sid: Sid): boolean {
  return config.voters.includes(sid) && !mayLead(config, sid);
}
