/**
 * LEADING: the leader's side of discovery, synchronization and broadcast (classes `Leader`, `LearnerHandler`). What a leader does stands in its parts:
 * how an epoch begins (`establishment.ts`, `history-sender.ts`), what it is for (`broadcast.ts`, `read-barrier.ts`), and how it ends without an
 * election (`succession.ts`). Here inputs find the part that they are for.
 */
import { counterOf, epochOf, unreachable, type Zxid } from '@quorate/protocol';
import { Broadcast } from './broadcast.js';
import type { Sid } from './config.js';
import { Establishment } from './establishment.js';
import { isForeign } from './following.js';
import { HistorySender } from './history-sender.js';
import type { ChannelId, Input, TimerName } from './io.js';
import { isForwarded, isSynchronized, type Learner } from './learners.js';
import type { Run } from './log.js';
import type { Message, Notification, Vote } from './messages.js';
import type { EarlyLearner, Peer } from './peer.js';
import { clonePlain } from './plain.js';
import { ReadBarrier } from './read-barrier.js';
import type { Role } from './role.js';
import { Succession } from './succession.js';
import { newTermState, Term, type TermState } from './term.js';
import { establishedVote } from './vote.js';

export class Leading implements Role {
  readonly name = 'LEADING';
  readonly state: TermState;
  readonly #peer: Peer;
  readonly #term: Term;
  readonly #history: HistorySender;
  readonly #establishment: Establishment;
  readonly #broadcast: Broadcast;
  readonly #barrier: ReadBarrier;
  readonly #succession: Succession;

  private constructor(peer: Peer, state: TermState) {
    this.state = state;
    this.#peer = peer;
    this.#term = new Term(peer, state);
    this.#history = new HistorySender(this.#term);
    this.#establishment = new Establishment(this.#term, this.#history, () => this.#onEstablished());
    this.#broadcast = new Broadcast(this.#term);
    this.#barrier = new ReadBarrier(this.#term);
    this.#succession = new Succession(this.#term, this.#establishment);
  }

  static begin(peer: Peer, elected: Vote, early: ReadonlyMap<ChannelId, EarlyLearner>): Leading {
    const role = new Leading(peer, newTermState(elected));
    for (const [channel, { from, info }] of early) {
      const learner = role.#term.learners.add(from, channel);
      if (info !== undefined) role.#establishment.noteInfo(learner, info);
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
    for (const { channel } of this.#term.learners.all) this.#peer.effects.push({ type: 'closeToLearner', channel });
  }

  // Learners come and go

  onLearnerOpened(from: Sid, channel: ChannelId): void {
    this.#term.learners.add(from, channel);
  }

  onLearnerClosed(channel: ChannelId): void {
    const learner = this.#term.learners.at(channel);
    if (learner === undefined) return;
    this.#term.learners.remove(channel);
    if (!this.#succession.follow(learner)) this.#checkQuorum();
  }

  /**
   * A server follows on one channel: the newer one is the one that it still knows of. One that was only opened does not tell which that is: it may be the late beginning of
   * a question (MEND), which the server has given up by now.
   */
  #dismissOlder({ sid }: Learner): void {
    const older = this.#term.learners.of(sid);
    if (older !== undefined) this.#term.dismiss(older);
  }

  /** A learner that breaks the protocol loses its channel. */
  #reject(learner: Learner): void {
    this.#term.dismiss(learner);
    this.#checkQuorum();
  }

  /** A leader without a quorum of servers that serve steps down at once: waiting could only let it serve what others have replaced. */
  #checkQuorum(): void {
    if (this.state.established && !this.#term.learners.quorumOf(({ serves }) => serves)) this.#peer.becomeLooking();
  }

  onLearnerMessage(channel: ChannelId, message: Message): void {
    const learner = this.#term.learners.at(channel);
    if (learner === undefined) return;
    learner.silentHalfTicks = 0;
    switch (message.type) {
      case 'FOLLOWERINFO':
      case 'OBSERVERINFO':
        if (learner.stage !== 'OPENED' || isForeign(this.#peer.state.ensembleId, message.ensembleId)) return this.#reject(learner);
        this.#dismissOlder(learner);
        this.#establishment.noteInfo(learner, message);
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
        if (learner.serves) this.#peer.effects.push({ type: 'request', from: learner.sid, payload: message.payload });
        return;
      case 'REVALIDATE':
        if (learner.serves) this.#peer.effects.push({ type: 'revalidate', from: learner.sid, payload: message.payload });
        return;
      case 'SYNC':
        if (learner.serves) this.#barrier.begin(channel, message.tag);
        return;
      case 'LEADERINFO':
      case 'DIFF':
      case 'TRUNC':
      case 'SNAP':
      case 'PIECE':
      case 'PROPOSAL':
      case 'COMMIT':
      case 'INFORM':
      case 'NEWLEADER':
      case 'UPTODATE':
      case 'HANDOVER':
      case 'MEND':
      case 'FOUND':
        this.#reject(learner);
        return;
      default:
        unreachable(message);
    }
  }

  // Discovery and synchronization

  #onAckEpoch(learner: Learner, currentEpoch: number, lastZxid: Zxid): void {
    if (learner.stage !== 'INVITED') return this.#reject(learner);
    if (!this.#establishment.notePromise(learner, currentEpoch, lastZxid)) return this.#peer.becomeLooking();
    this.#advance();
  }

  /** Takes every step that has become possible. */
  #advance(): void {
    // A voter that has promised a later epoch cannot follow this one. As long as nobody does, an election above that epoch is the way to it.
    const { epoch, established } = this.state;
    if (epoch > 0 && !established && this.#term.learners.some((learner) => this.#establishment.mustWait(learner)))
      return this.#peer.becomeLooking();
    this.#establishment.advance();
  }

  #onEstablished(): void {
    const { sid, state, timing } = this.#peer;
    this.#peer.cancelTimer('init');
    if (!this.state.established) this.#peer.setTimer('tick', timing.tickTimeMs / 2);
    this.state.established = true;
    this.state.pausing = false;
    this.#broadcast.commit(state.log.lastZxid);
    this.#deliver();
    this.#peer.setStatus({ state: 'LEADING', leader: sid, epoch: this.state.epoch, serving: true });
  }

  onRoom(channel: ChannelId): void {
    const learner = this.#term.learners.at(channel);
    if (learner !== undefined) this.#history.onRoom(learner);
  }

  onSnapshotRead(piece: Input & { readonly type: 'snapshotRead' }): void {
    const learner = this.#term.learners.at(piece.channel);
    if (learner !== undefined) this.#history.onSnapshotRead(learner, piece);
  }

  onLogRead(channel: ChannelId, runs: readonly Run[] | undefined): void {
    const learner = this.#term.learners.at(channel);
    if (learner !== undefined) this.#history.onLogRead(learner, runs);
  }

  // Broadcast

  propose(payloads: readonly Uint8Array[]): void {
    if (this.state.stage !== 'BROADCAST' || payloads.length === 0) return;
    // The application was told to stop long ago, and went on. The counter never runs into the epoch.
    if (!this.#broadcast.hasRoomFor(payloads.length)) return this.#peer.becomeLooking();
    this.#broadcast.propose(payloads);
    if (this.#broadcast.txns >= this.#peer.limits.epochTxnsMax) this.#succession.pause();
  }

  /** The zxid of the next proposal. */
  get nextZxid(): Zxid {
    return this.#broadcast.nextZxid;
  }

  #onAck(learner: Learner, zxid: Zxid): void {
    const { epoch } = this.state;
    // It was on its way while this leader went on to its next epoch.
    if (learner.serves && epochOf(zxid) < epoch) return;
    if (!isForwarded(learner) || epochOf(zxid) !== epoch || zxid <= learner.acked) return this.#reject(learner);
    if (learner.stage === 'SYNCHRONIZING') {
      this.#onNewLeaderAck(learner, zxid);
    } else if (this.#broadcast.onAck(learner, zxid)) {
      this.#deliver();
    } else {
      this.#reject(learner);
    }
  }

  #onNewLeaderAck(learner: Learner, zxid: Zxid): void {
    // ACK(NEWLEADER) comes before the ACK of any proposal (ZOOKEEPER-4685).
    if (counterOf(zxid) !== 0) return this.#reject(learner);
    learner.stage = 'SYNCHRONIZED';
    learner.acked = zxid;
    if (this.state.stage === 'SYNCHRONIZATION') this.#advance();
    else this.#establishment.admit(learner);
  }

  onDurable(count: number): void {
    if (this.state.historyOrders > 0) this.state.historyOrders = Math.max(0, this.state.historyOrders - count);
    this.#broadcast.commitAcked();
    if (this.state.established) this.#deliver();
    if (this.state.stage !== 'BROADCAST') this.#advance();
  }

  #deliver(): void {
    this.#peer.deliver();
    this.#barrier.answer();
    this.#succession.drain();
  }

  // The end of an epoch, or of this leader's time

  onPaused(): void {
    this.#succession.onPaused();
  }

  handOver(to: Sid | undefined): void {
    this.#succession.handOver(to);
  }

  /** Whether there is somebody to hand over to: `to`, or anybody where that is undefined. */
  canHandOver(to: Sid | undefined): boolean {
    return this.#succession.canHandOver(to);
  }

  /** The learners that have the history of this epoch. */
  get synchronized(): { readonly followers: number; readonly observers: number } {
    const all = this.#term.learners.all.filter(isSynchronized);
    const observers = all.filter(({ observes }) => observes).length;
    return { followers: all.length - observers, observers };
  }

  // Heartbeats and syncs

  onTimer(name: TimerName): void {
    if (name === 'init') this.#peer.becomeLooking();
    else if (name === 'tick') this.#onHalfTick();
  }

  #onHalfTick(): void {
    const { timing } = this.#peer;
    for (const learner of this.#term.learners.all) {
      learner.silentHalfTicks++;
      // One that is being synchronized has initLimit for it, like the leader itself.
      const limit = learner.serves ? timing.syncLimit : timing.initLimit;
      if (learner.silentHalfTicks > limit * 2) this.#term.dismiss(learner);
    }
    this.#barrier.beginRound();
    this.#peer.setTimer('tick', timing.tickTimeMs / 2);
    if (this.state.stage === 'BROADCAST' && this.#succession.isDue()) this.#succession.pause();
    this.#checkQuorum();
  }

  #onPing(learner: Learner, round: number, payload: Uint8Array): void {
    if (round > this.state.round) return this.#reject(learner);
    learner.round = Math.max(learner.round, round);
    if (!learner.serves) return;
    if (payload.length > 0) this.#peer.effects.push({ type: 'heartbeatReceived', from: learner.sid, payload });
    this.#barrier.answer();
  }

  sync(tag: number): void {
    if (this.state.established) this.#barrier.begin(undefined, tag);
  }

  answerRevalidate(to: Sid, payload: Uint8Array): void {
    const learner = this.#term.learners.of(to);
    if (learner?.serves === true) this.#term.send(learner, { type: 'REVALIDATE', payload });
  }

  onNotification(from: Sid, notification: Notification): void {
    if (notification.state === 'LOOKING') this.#peer.notify(from, 'LEADING', this.vote);
  }

  // The leader follows nobody.

  onLeaderMessage(): void {}
  onLeaderClosed(): void {}
  request(): void {}
  revalidate(): void {}
  heartbeat(): void {}
}
