/**
 * LEADING: the leader's side of discovery, synchronization and broadcast (classes `Leader`, `LearnerHandler`).
 *
 * Nothing is proposed before a quorum, this server included, has the leader's history and its epoch durably: that is what
 * makes every txn of earlier epochs that may have been committed a part of this one.
 */
import { COUNTER_MAX, counterOf, epochOf, makeZxid, unreachable, type Zxid } from '@quorate/protocol';
import type { Sid } from './config.js';
import type { ChannelId, TimerName } from './io.js';
import { isForwarded, type Learner, Learners } from './learners.js';
import type { Message, Notification, Vote } from './messages.js';
import type { EarlyLearner, LearnerInfo, Peer } from './peer.js';
import { clonePlain } from './plain.js';
import { ReadBarrier, type ReadBarrierState } from './read-barrier.js';
import type { Role } from './role.js';
import type { Snapshot } from './storage.js';
import { planSync } from './sync-plan.js';
import { establishedVote } from './vote.js';

/**
 * DISCOVERY: a quorum's FOLLOWERINFO is awaited. PROMISING: the own acceptedEpoch is on its way to the storage. EPOCH: a quorum's ACKEPOCH is
 * awaited. SYNCHRONIZATION: a quorum's ACK(NEWLEADER) is. BROADCAST: established.
 */
type Stage = 'DISCOVERY' | 'PROMISING' | 'EPOCH' | 'SYNCHRONIZATION' | 'BROADCAST';

interface LeadingState extends ReadBarrierState {
  /** The vote that was elected here. */
  readonly elected: Vote;
  stage: Stage;
  /** The new epoch, from PROMISING on. */
  epoch: number;
  /** In SYNCHRONIZATION: orders of the lane that stand before the own currentEpoch; −1 once that is ordered. */
  historyOrders: number;
  readonly learners: Map<ChannelId, Learner>;
}

export class Leading implements Role {
  readonly name = 'LEADING';
  readonly #peer: Peer;
  readonly state: LeadingState;
  readonly #learners: Learners;
  readonly #barrier: ReadBarrier;

  private constructor(peer: Peer, state: LeadingState) {
    this.#peer = peer;
    this.state = state;
    this.#learners = new Learners(peer.sid, peer.config, state.learners);
    this.#barrier = new ReadBarrier(peer, this.#learners, state);
  }

  static begin(peer: Peer, elected: Vote, early: ReadonlyMap<ChannelId, EarlyLearner>): Leading {
    const role = new Leading(peer, { elected, stage: 'DISCOVERY', epoch: 0, historyOrders: 0, learners: new Map(), round: 0, syncs: [] });
    for (const [channel, { from, info }] of early) {
      const learner = role.#learners.add(from, channel);
      if (info !== undefined) role.#noteInfo(learner, info);
    }
    return role;
  }

  clone(peer: Peer): Leading {
    return new Leading(peer, clonePlain(this.state));
  }

  get vote(): Vote {
    return establishedVote(this.state.elected, this.state.epoch);
  }

  enter(): void {
    const { sid, state, timing } = this.#peer;
    this.#peer.setStatus({ state: 'LEADING', leader: sid, epoch: state.currentEpoch, serving: false });
    this.#peer.setTimer('init', timing.initLimit * timing.tickTimeMs);
    this.#advance();
  }

  leave(): void {
    this.#peer.cancelTimer('init');
    this.#peer.cancelTimer('tick');
    for (const { channel } of this.#learners) this.#peer.effects.push({ type: 'closeToLearner', channel });
  }

  // Learners come and go

  onLearnerOpened(from: Sid, channel: ChannelId): void {
    // A server has one channel: the newer one is the one that it still knows of.
    const older = this.#learners.of(from);
    if (older !== undefined) this.#dismiss(older);
    this.#learners.add(from, channel);
  }

  onLearnerClosed(channel: ChannelId): void {
    if (this.#learners.remove(channel)) this.#checkQuorum();
  }

  #dismiss(learner: Learner): void {
    this.#learners.remove(learner.channel);
    this.#peer.effects.push({ type: 'closeToLearner', channel: learner.channel });
  }

  onLearnerMessage(channel: ChannelId, message: Message): void {
    const learner = this.#learners.at(channel);
    if (learner === undefined) return;
    learner.silentHalfTicks = 0;
    switch (message.type) {
      case 'FOLLOWERINFO':
      case 'OBSERVERINFO':
        if (learner.stage !== 'OPENED') return this.#reject(learner);
        this.#noteInfo(learner, message);
        this.#advance();
        return;
      case 'ACKEPOCH':
        this.#onAckEpoch(learner, message.currentEpoch, message.lastZxid);
        return;
      case 'ACK':
        this.#onAck(learner, message.zxid);
        return;
      case 'PING':
        this.#onPing(learner, message.round, message.payload);
        return;
      case 'REQUEST':
        if (this.#serves(learner)) this.#peer.effects.push({ type: 'request', from: learner.sid, payload: message.payload });
        return;
      case 'REVALIDATE':
        if (this.#serves(learner)) this.#peer.effects.push({ type: 'revalidate', from: learner.sid, payload: message.payload });
        return;
      case 'SYNC':
        if (this.#serves(learner)) this.#barrier.begin(channel, message.tag);
        return;
      case 'LEADERINFO':
      case 'DIFF':
      case 'TRUNC':
      case 'SNAP':
      case 'PROPOSAL':
      case 'COMMIT':
      case 'INFORM':
      case 'NEWLEADER':
      case 'UPTODATE':
        this.#reject(learner);
        return;
      default:
        unreachable(message);
    }
  }

  // Discovery

  #noteInfo(learner: Learner, { type, acceptedEpoch }: LearnerInfo): void {
    learner.observes = type === 'OBSERVERINFO';
    learner.acceptedEpoch = acceptedEpoch;
    learner.stage = 'INFORMED';
    this.#peer.state.highestEpochSeen = Math.max(this.#peer.state.highestEpochSeen, acceptedEpoch);
  }

  #onAckEpoch(learner: Learner, currentEpoch: number, lastZxid: Zxid): void {
    if (learner.stage !== 'INVITED') return this.#reject(learner);
    const { state } = this.#peer;
    const moreRecent = currentEpoch > state.currentEpoch || (currentEpoch === state.currentEpoch && lastZxid > state.log.lastZxid);
    // Until a quorum has promised, a history that is ahead of this one may hold what was committed: its owner has to lead.
    if (this.state.stage === 'EPOCH' && moreRecent && !learner.observes) return this.#peer.becomeLooking();
    learner.stage = 'PROMISED';
    learner.promised = currentEpoch !== -1;
    learner.lastZxid = lastZxid;
    this.#advance();
  }

  /** Takes every step that has become possible. */
  #advance(): void {
    if (this.state.stage === 'DISCOVERY') this.#chooseEpoch();
    if (this.state.stage === 'PROMISING') this.#invite();
    if (this.state.stage === 'EPOCH') this.#countPromises();
    if (this.state.stage !== 'SYNCHRONIZATION' && this.state.stage !== 'BROADCAST') return;
    if (this.#mustGiveWay()) {
      this.#peer.becomeLooking();
      return;
    }
    this.#welcome();
    if (this.state.stage === 'SYNCHRONIZATION') this.#establish();
  }

  /** The new epoch is above every promise of a quorum. Observers do not count (ZOOKEEPER-2959). */
  #chooseEpoch(): void {
    if (!this.#learners.quorumOf(({ stage }) => stage === 'INFORMED')) return;
    this.state.epoch = Math.max(this.#peer.state.acceptedEpoch, this.#peer.state.highestEpochSeen) + 1;
    this.state.stage = 'PROMISING';
    this.#peer.saveAcceptedEpoch(this.state.epoch);
  }

  #invite(): void {
    if (this.#peer.state.durable.acceptedEpoch !== this.state.epoch) return;
    this.state.stage = 'EPOCH';
    for (const learner of this.#learners) this.#inviteOne(learner);
  }

  #inviteOne(learner: Learner): void {
    if (learner.stage !== 'INFORMED') return;
    learner.stage = 'INVITED';
    this.#send(learner, { type: 'LEADERINFO', epoch: this.state.epoch });
  }

  #countPromises(): void {
    for (const learner of this.#learners) this.#inviteOne(learner);
    if (!this.#learners.quorumOf(({ promised }) => promised)) return;
    this.state.stage = 'SYNCHRONIZATION';
    this.state.historyOrders = this.#peer.state.lane.length;
  }

  // Synchronization

  /**
   * Whether a voter has promised a later epoch: it can never follow this one, and a new election, once, brings it back. The epoch that
   * it has seen is kept in mind for the next one.
   */
  #mustGiveWay(): boolean {
    for (const { stage, observes, acceptedEpoch } of this.#learners) {
      if (stage === 'INFORMED' && !observes && acceptedEpoch > this.state.epoch) return true;
    }
    return false;
  }

  /** Invites and synchronizes whoever is ready for it: the first quorum, and all who join later. */
  #welcome(): void {
    for (const learner of this.#learners) {
      this.#inviteOne(learner);
      if (learner.stage === 'PROMISED') this.#synchronize(learner);
    }
  }

  #synchronize(learner: Learner): void {
    const plan = planSync(this.#peer.state.log, learner.lastZxid);
    if (plan.mode === 'SNAP') {
      learner.stage = 'SNAPSHOT';
      this.#peer.effects.push({ type: 'takeSnapshot', channel: learner.channel });
      return;
    }
    this.#send(learner, plan.mode === 'DIFF' ? { type: 'DIFF' } : { type: 'TRUNC', zxid: plan.from });
    this.#sendHistory(learner, plan.from);
  }

  onSnapshotTaken(channel: ChannelId, snapshot: Snapshot): void {
    const learner = this.#learners.at(channel);
    if (learner === undefined || learner.stage !== 'SNAPSHOT') return;
    this.#send(learner, { type: 'SNAP', snapshot });
    this.#sendHistory(learner, snapshot.zxid);
  }

  /**
   * Sends all above `after`, committed or not, and from then on everything that is proposed (ZooKeeper: startForwarding). An observer of an
   * established leader gets what is committed, and from then on that.
   */
  #sendHistory(learner: Learner, after: Zxid): void {
    const { log, lastCommitted } = this.#peer.state;
    learner.sent = learner.observes && this.state.stage === 'BROADCAST' ? lastCommitted : log.lastZxid;
    for (const run of log.runs(after, learner.sent)) this.#send(learner, { type: 'PROPOSAL', run });
    this.#send(learner, { type: 'COMMIT', zxid: lastCommitted });
    this.#send(learner, { type: 'NEWLEADER', epoch: this.state.epoch });
    learner.stage = 'SYNCHRONIZING';
  }

  /** The own history, then the own currentEpoch, then the quorum of those who have acknowledged NEWLEADER. */
  #establish(): void {
    const { state, sid, timing } = this.#peer;
    const current = this.state;
    if (current.historyOrders > 0) return;
    if (current.historyOrders === 0) {
      current.historyOrders = -1;
      this.#peer.saveCurrentEpoch(current.epoch);
      return;
    }
    if (state.durable.currentEpoch !== current.epoch) return;
    if (!this.#learners.quorumOf(isSynchronized)) return;
    current.stage = 'BROADCAST';
    this.#peer.cancelTimer('init');
    this.#peer.setTimer('tick', timing.tickTimeMs / 2);
    this.#commit(state.log.lastZxid);
    this.#peer.setStatus({ state: 'LEADING', leader: sid, epoch: current.epoch, serving: true });
    for (const learner of this.#learners) if (isSynchronized(learner)) this.#send(learner, { type: 'UPTODATE' });
  }

  // Broadcast

  propose(payloads: readonly Uint8Array[]): void {
    if (this.state.stage !== 'BROADCAST' || payloads.length === 0) return;
    const zxid = this.nextZxid;
    if (counterOf(zxid) + payloads.length > COUNTER_MAX) {
      // The counter is spent. The next epoch starts a new one; these payloads share the fate of all that a lost leader had not sent.
      this.#peer.becomeLooking();
      return;
    }
    const run = { zxid, payloads };
    this.#peer.append(run);
    const message: Message = { type: 'PROPOSAL', run };
    for (const learner of this.#learners) if (isForwarded(learner) && !learner.observes) this.#send(learner, message);
  }

  /** The zxid of the next proposal. */
  get nextZxid(): Zxid {
    const last = this.#peer.state.log.lastZxid;
    return epochOf(last) === this.state.epoch ? ((last + 1) as Zxid) : makeZxid(this.state.epoch, 1);
  }

  #onAck(learner: Learner, zxid: Zxid): void {
    const { epoch } = this.state;
    if (!isForwarded(learner) || epochOf(zxid) !== epoch || zxid <= learner.acked) return this.#reject(learner);
    if (counterOf(zxid) !== 0 && zxid > this.#peer.state.log.lastZxid) return this.#reject(learner);
    if (learner.stage === 'SYNCHRONIZING') {
      // ACK(NEWLEADER) comes before the ACK of any proposal (ZOOKEEPER-4685).
      if (counterOf(zxid) !== 0) return this.#reject(learner);
      learner.stage = 'SYNCHRONIZED';
      learner.acked = zxid;
      if (this.state.stage === 'BROADCAST') this.#send(learner, { type: 'UPTODATE' });
      else this.#advance();
      return;
    }
    learner.acked = zxid;
    this.#commitAcked();
  }

  /** Commits what a quorum has acknowledged in this epoch; all below it goes with it. */
  #commitAcked(): void {
    if (this.state.stage !== 'BROADCAST') return;
    const reached = this.#learners.reachedByQuorum(this.#peer.state.durable.lastZxid, ({ acked }) => acked) as Zxid;
    // Counter 0 stands for the history that was committed when the epoch was established.
    if (reached > this.#peer.state.lastCommitted && counterOf(reached) !== 0) this.#commit(reached);
  }

  #commit(zxid: Zxid): void {
    this.#peer.commit(zxid);
    const message: Message = { type: 'COMMIT', zxid };
    for (const learner of this.#learners) {
      if (!isForwarded(learner)) continue;
      if (learner.observes && zxid > learner.sent) this.#inform(learner, zxid);
      else this.#send(learner, message);
    }
    this.#deliver();
  }

  #inform(learner: Learner, through: Zxid): void {
    for (const run of this.#peer.state.log.runs(learner.sent, through)) this.#send(learner, { type: 'INFORM', run });
    learner.sent = through;
  }

  onDurable(count: number): void {
    if (this.state.stage === 'BROADCAST') {
      this.#commitAcked();
      this.#deliver();
      return;
    }
    if (this.state.stage === 'SYNCHRONIZATION' && this.state.historyOrders > 0) {
      this.state.historyOrders = Math.max(0, this.state.historyOrders - count);
    }
    this.#advance();
  }

  #deliver(): void {
    this.#peer.deliver();
    this.#barrier.answer();
  }

  // Heartbeats and syncs

  onTimer(name: TimerName): void {
    if (name === 'init') {
      this.#peer.becomeLooking();
      return;
    }
    if (name !== 'tick') return;
    const { timing } = this.#peer;
    for (const learner of this.#learners) {
      learner.silentHalfTicks++;
      // One that is being synchronized has initLimit for it, like the leader itself.
      const limit = isSynchronized(learner) ? timing.syncLimit : timing.initLimit;
      if (learner.silentHalfTicks > limit * 2) this.#dismiss(learner);
    }
    this.#barrier.beginRound();
    this.#peer.setTimer('tick', timing.tickTimeMs / 2);
    this.#checkQuorum();
  }

  #onPing(learner: Learner, round: number, payload: Uint8Array): void {
    if (round > this.state.round) return this.#reject(learner);
    learner.round = Math.max(learner.round, round);
    if (!this.#serves(learner)) return;
    if (payload.length > 0) this.#peer.effects.push({ type: 'heartbeatReceived', from: learner.sid, payload });
    this.#barrier.answer();
  }

  sync(tag: number): void {
    if (this.state.stage === 'BROADCAST') this.#barrier.begin(undefined, tag);
  }

  /** A leader without a quorum of synchronized servers steps down at once: waiting could only let it serve what others have replaced. */
  #checkQuorum(): void {
    if (this.state.stage !== 'BROADCAST') return;
    if (!this.#learners.quorumOf(isSynchronized)) this.#peer.becomeLooking();
  }

  answerRevalidate(to: Sid, payload: Uint8Array): void {
    const learner = this.#learners.of(to);
    if (learner !== undefined && isSynchronized(learner)) this.#send(learner, { type: 'REVALIDATE', payload });
  }

  onNotification(from: Sid, notification: Notification): void {
    if (notification.state === 'LOOKING') this.#peer.notify(from, 'LEADING', this.vote);
  }

  /** Whether a learner's requests are taken: both it and the leader are in broadcast. */
  #serves(learner: Learner): boolean {
    return this.state.stage === 'BROADCAST' && isSynchronized(learner);
  }

  /** A learner that breaks the protocol loses its channel; it will look and come back. */
  #reject(learner: Learner): void {
    this.#dismiss(learner);
    this.#checkQuorum();
  }

  #send(learner: Learner, message: Message): void {
    this.#peer.effects.push({ type: 'sendToLearner', channel: learner.channel, message });
  }

  // The leader follows nobody.

  onLeaderMessage(): void {}
  onLeaderClosed(): void {}
  request(): void {}
  revalidate(): void {}
  heartbeat(): void {}
}

function isSynchronized({ stage }: Learner): boolean {
  return stage === 'SYNCHRONIZED';
}
