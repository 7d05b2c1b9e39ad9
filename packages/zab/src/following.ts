/**
 * FOLLOWING, and OBSERVING: the learner's side of discovery, synchronization and broadcast (classes `Learner`, `Follower`, `Observer`).
 *
 * An observer has no vote: it is told of txns by INFORM once they are committed, and acknowledges its history and nothing else. It too applies nothing that
 * it has not flushed. A voter whose store is not marked is one until its leader has begun an epoch with it.
 *
 * The order that matters, each step waiting for the input that says the one before it is durable:
 * acceptedEpoch → ACKEPOCH; history → currentEpoch → ACK(NEWLEADER); a proposal → its ACK; committed and durable → delivered.
 *
 * A leader may begin another epoch on the same channel: from LEADERINFO on all is done once more, and meanwhile this server goes on serving.
 */
import { assert, epochOf, makeZxid, unreachable, type Zxid } from '@quorate/protocol';
import { mayLead, type Sid } from './config.js';
import { beginFollowing, type FollowingState } from './following-state.js';
import type { ChannelId, TimerName } from './io.js';
import { lastZxidOf, type Run } from './log.js';
import { ownVote } from './looking.js';
import type { Message, Notification, Vote } from './messages.js';
import type { Peer } from './peer.js';
import { clonePlain } from './plain.js';
import { beginReplacement } from './replacement.js';
import type { Role } from './role.js';
import { establishedVote } from './vote.js';

export class Following implements Role {
  readonly #peer: Peer;
  readonly state: FollowingState;

  private constructor(peer: Peer, state: FollowingState) {
    this.#peer = peer;
    this.state = state;
  }

  static begin(peer: Peer, elected: Vote): Following {
    peer.state.channelsOpened++;
    return new Following(peer, beginFollowing(elected, peer.state.channelsOpened));
  }

  clone(peer: Peer): Following {
    return new Following(peer, clonePlain(this.state));
  }

  get name(): 'FOLLOWING' | 'OBSERVING' {
    return this.#peer.votes ? 'FOLLOWING' : 'OBSERVING';
  }

  get vote(): Vote {
    return establishedVote(this.state.elected, this.state.epoch);
  }

  get #leader(): Sid {
    return this.state.elected.leader;
  }

  enter(): void {
    const { state, timing, votes } = this.#peer;
    this.#peer.setStatus({ state: this.name, leader: this.#leader, epoch: state.currentEpoch, serving: false });
    this.#peer.effects.push({ type: 'openToLeader', to: this.#leader, channel: this.state.channel });
    const { acceptedEpoch, ensembleId } = state;
    this.#send({ type: votes ? 'FOLLOWERINFO' : 'OBSERVERINFO', acceptedEpoch, ensembleId });
    this.#peer.setTimer('init', timing.initLimit * timing.tickTimeMs);
  }

  leave(): void {
    this.#peer.cancelTimer('init');
    this.#peer.cancelTimer('tick');
    this.#peer.effects.push({ type: 'closeToLeader', channel: this.state.channel });
  }

  onLeaderMessage(channel: ChannelId, message: Message): void {
    if (channel !== this.state.channel) return;
    this.state.silentHalfTicks = 0;
    switch (message.type) {
      case 'LEADERINFO':
        this.#onLeaderInfo(message.epoch, message.ensembleId);
        return;
      case 'DIFF':
      case 'TRUNC':
      case 'SNAP':
        this.#onPlan(message);
        return;
      case 'PIECE':
        this.#onPiece(message.bytes, message.last);
        return;
      case 'PROPOSAL':
        this.#onProposal(message.run);
        return;
      case 'INFORM':
        this.#onInform(message.run);
        return;
      case 'NEWLEADER':
        this.#onNewLeader(message.epoch);
        return;
      case 'COMMIT':
        this.#onCommit(message.zxid);
        return;
      case 'UPTODATE':
        this.#onUpToDate();
        return;
      case 'PING':
        this.#peer.effects.push({ type: 'heartbeat', round: message.round });
        return;
      case 'SYNC':
        this.#onSync(message.tag);
        return;
      case 'REVALIDATE':
        this.#peer.effects.push({ type: 'revalidate', from: this.#leader, payload: message.payload });
        return;
      case 'HANDOVER':
        this.#onHandOver(message.leader);
        return;
      case 'FOLLOWERINFO':
      case 'OBSERVERINFO':
      case 'ACKEPOCH':
      case 'ACK':
      case 'REQUEST':
      case 'MEND':
      case 'FOUND':
        this.#reject();
        return;
      default:
        unreachable(message);
    }
  }

  #onLeaderInfo(epoch: number, ensembleId: string): void {
    const { state, votes } = this.#peer;
    const { stage } = this.state;
    if (stage !== 'DISCOVERY' && stage !== 'BROADCAST') return this.#reject();
    if (isForeign(state.ensembleId, ensembleId)) return this.#reject();
    // A leader of an epoch below the promise is one that others have already left behind. The promise of a server without a vote binds nobody: it
    // follows any leader that is not older than its history.
    if (epoch < (votes ? state.acceptedEpoch : state.currentEpoch) || epoch <= this.state.epoch) return this.#reject();
    if (ensembleId !== '') state.ensembleId = ensembleId;
    this.state.epoch = epoch;
    this.state.stage = 'PROMISING';
    this.state.planned = false;
    this.state.counted = epoch > state.acceptedEpoch;
    // A store that is repaired looks whole again. It must not count then, for what it has forgotten.
    if (state.damaged && state.durable.marked) this.#peer.saveMark(undefined);
    this.#advance();
  }

  #onPlan(message: Message & { readonly type: 'DIFF' | 'TRUNC' | 'SNAP' }): void {
    const { log, lastDelivered } = this.#peer.state;
    if (this.state.stage !== 'SYNCHRONIZATION' || this.state.planned) return this.#reject();
    this.state.planned = true;
    if (message.type === 'SNAP') {
      this.state.replacement = beginReplacement(message.zxid);
    } else if (message.type === 'TRUNC') {
      // A cut at a place that is not here, or below what the application has, would be a leader without the committed history.
      if (!log.contains(message.zxid) || message.zxid < lastDelivered) return this.#reject();
      this.#peer.truncate(message.zxid);
    }
  }

  #onPiece(bytes: Uint8Array, last: boolean): void {
    const { replacement } = this.state;
    if (replacement === undefined || replacement.complete) return this.#reject();
    replacement.pieces.push(bytes);
    replacement.complete = last;
  }

  #onProposal(run: Run): void {
    const { planned, epoch, replacement } = this.state;
    const log = replacement?.log ?? this.#peer.state.log;
    if (!planned || replacement?.complete === false || run.payloads.length === 0) return this.#reject();
    if (epochOf(run.zxid) > epoch || !log.continues(run.zxid)) return this.#reject();
    if (replacement === undefined) this.#peer.append(run);
    else log.append(run);
  }

  /** A run that is committed already: an observer hears of it then. */
  #onInform(run: Run): void {
    const { log } = this.#peer.state;
    const { stage } = this.state;
    const told = this.name === 'OBSERVING' && (stage === 'HISTORY' || stage === 'EPOCH' || stage === 'ACKED' || stage === 'BROADCAST');
    if (!told || run.payloads.length === 0 || epochOf(run.zxid) !== this.state.epoch || !log.continues(run.zxid)) return this.#reject();
    this.#peer.append(run);
    this.#peer.commit(lastZxidOf(run));
  }

  #onNewLeader(epoch: number): void {
    const { stage, planned, replacement } = this.state;
    if (stage !== 'SYNCHRONIZATION' || !planned || epoch !== this.state.epoch || replacement?.complete === false) return this.#reject();
    if (replacement !== undefined) {
      const { zxid, pieces, log, lastCommitted } = replacement;
      this.state.replacement = undefined;
      this.#peer.replaceHistory({ zxid, pieces }, log.runs(log.base, log.lastZxid));
      this.#peer.commit(lastCommitted);
    }
    this.state.stage = 'HISTORY';
    this.state.historyOrders = this.#peer.state.lane.length;
    this.#advance();
  }

  #onCommit(zxid: Zxid): void {
    const { planned, replacement } = this.state;
    const log = replacement?.log ?? this.#peer.state.log;
    if (!planned || zxid > log.lastZxid) return this.#reject();
    if (replacement !== undefined) {
      if (zxid > replacement.lastCommitted) replacement.lastCommitted = zxid;
      return;
    }
    this.#peer.commit(zxid);
    this.#deliver();
  }

  /** The leader's answer comes behind all that it had committed; but for the history that it sends with another epoch. */
  #onSync(tag: number): void {
    this.state.syncs.push({ tag, zxid: this.state.stage === 'BROADCAST' ? this.#peer.state.lastCommitted : undefined });
    this.#answerSyncs();
  }

  #onUpToDate(): void {
    if (this.state.stage !== 'ACKED') return this.#reject();
    const { state, timing, config, sid } = this.#peer;
    assert(state.durable.currentEpoch === this.state.epoch, 'a server serves in the epoch that it has acknowledged');
    this.state.stage = 'BROADCAST';
    this.state.syncs = this.state.syncs.map(({ tag, zxid }) => ({ tag, zxid: zxid ?? state.lastCommitted }));
    if (this.state.serving) {
      // The leader has begun this epoch, by a quorum of others, after this server had come: nothing that it has forgotten can be in its way any more.
      if (!state.durable.marked && config.voters.includes(sid)) this.#peer.saveMark({ ensembleId: state.ensembleId });
    } else {
      this.state.serving = true;
      this.#peer.cancelTimer('init');
      this.#peer.setTimer('tick', timing.tickTimeMs / 2);
    }
    this.#deliver();
    this.#tellStatus();
  }

  /** The leader hands over: to this server, or to another one that leads by now. */
  #onHandOver(leader: Sid): void {
    const { sid, config, state } = this.#peer;
    if (this.state.stage !== 'BROADCAST' || !mayLead(config, leader)) return this.#reject();
    if (leader !== sid) return this.#peer.becomeFollowing({ leader, zxid: state.log.lastZxid, peerEpoch: state.currentEpoch });
    if (!this.#peer.votes) return this.#reject();
    this.#peer.becomeLeading(ownVote(this.#peer), new Map());
  }

  onDurable(count: number): void {
    if (this.state.stage === 'HISTORY') this.state.historyOrders = Math.max(0, this.state.historyOrders - count);
    this.#advance();
    this.#deliver();
  }

  /** Takes the next step of those that wait for the storage. */
  #advance(): void {
    const { durable, damaged, acceptedEpoch } = this.#peer.state;
    const current = this.state;
    switch (current.stage) {
      case 'PROMISING':
        // Nothing may repair a damaged store as long as it is marked, a promise included.
        if (damaged && durable.marked) return;
        if (current.counted && acceptedEpoch < current.epoch) this.#peer.saveAcceptedEpoch(current.epoch);
        if (durable.acceptedEpoch < current.epoch) return;
        current.stage = 'SYNCHRONIZATION';
        this.#send({
          type: 'ACKEPOCH',
          currentEpoch: current.counted ? this.#peer.state.currentEpoch : -1,
          lastZxid: this.#peer.state.log.lastZxid,
        });
        return;
      case 'HISTORY':
        if (current.historyOrders > 0) return;
        // currentEpoch is saved after the history is durable and before ACK(NEWLEADER): Zab 1.0 phase 2, ZOOKEEPER-4643, 4646.
        current.stage = 'EPOCH';
        this.#peer.saveCurrentEpoch(current.epoch);
        return;
      case 'EPOCH':
        if (durable.currentEpoch !== current.epoch) return;
        current.stage = 'ACKED';
        current.lastAcked = makeZxid(current.epoch, 0);
        this.#send({ type: 'ACK', zxid: current.lastAcked });
        this.#acknowledge();
        return;
      case 'ACKED':
        this.#acknowledge();
        return;
      case 'BROADCAST':
        this.#acknowledge();
        // The mark may have become durable just now.
        if (this.#peer.votes !== this.#peer.status.votes) this.#tellStatus();
        return;
      case 'DISCOVERY':
      case 'SYNCHRONIZATION':
        return;
      default:
        unreachable(current.stage);
    }
  }

  /** Proposals are acknowledged after NEWLEADER and never before they are durable (ZOOKEEPER-4685, 3911). */
  #acknowledge(): void {
    const { lastZxid } = this.#peer.state.durable;
    if (!this.#peer.votes) return;
    if (lastZxid <= this.state.lastAcked) return;
    this.state.lastAcked = lastZxid;
    this.#send({ type: 'ACK', zxid: lastZxid });
  }

  #deliver(): void {
    if (!this.state.serving) return;
    this.#peer.deliver();
    this.#answerSyncs();
  }

  #answerSyncs(): void {
    const { syncs } = this.state;
    while (syncs[0]?.zxid !== undefined && syncs[0].zxid <= this.#peer.state.lastDelivered) {
      this.#peer.effects.push({ type: 'synced', tag: syncs[0].tag });
      syncs.shift();
    }
  }

  #tellStatus(): void {
    this.#peer.setStatus({ state: this.name, leader: this.#leader, epoch: this.state.epoch, serving: true });
  }

  heartbeat(round: number, payload: Uint8Array): void {
    this.#send({ type: 'PING', round, payload });
  }

  request(payload: Uint8Array): void {
    if (this.state.serving) this.#send({ type: 'REQUEST', payload });
  }

  revalidate(payload: Uint8Array): void {
    if (this.state.serving) this.#send({ type: 'REVALIDATE', payload });
  }

  sync(tag: number): void {
    if (this.state.serving) this.#send({ type: 'SYNC', tag });
  }

  onTimer(name: TimerName): void {
    const { timing } = this.#peer;
    if (name === 'init') {
      // One that cannot hear may be the best candidate of all, for ever.
      if (this.state.stage === 'DISCOVERY') this.#peer.suspect(this.#leader);
      this.#peer.becomeLooking();
    } else if (name === 'tick') {
      this.state.silentHalfTicks++;
      if (this.state.silentHalfTicks > timing.syncLimit * 2) this.#peer.becomeLooking();
      else this.#peer.setTimer('tick', timing.tickTimeMs / 2);
    }
  }

  onLeaderClosed(channel: ChannelId): void {
    if (channel === this.state.channel) this.#peer.becomeLooking();
  }

  onNotification(from: Sid, notification: Notification): void {
    if (notification.state === 'LOOKING') this.#peer.notify(from, this.name, this.vote);
  }

  /** Another server believes that this one leads; closing tells it at once. */
  onLearnerMessage(channel: ChannelId): void {
    this.#peer.effects.push({ type: 'closeToLearner', channel });
  }

  /** The leader broke the protocol, or is one that must not be followed: look again. */
  #reject(): void {
    this.#peer.becomeLooking();
  }

  #send(message: Message): void {
    this.#peer.effects.push({ type: 'sendToLeader', channel: this.state.channel, message });
  }

  // Only the leader has learners and takes proposals.

  onLearnerOpened(): void {}
  onLearnerClosed(): void {}
  propose(): void {}
  answerRevalidate(): void {}
  onRoom(): void {}
  onSnapshotRead(): void {}
  onLogRead(): void {}
  onPaused(): void {}
  handOver(): void {}
}

/** Whether two names of ensembles cannot be of one; who has none yet takes any. */
export function isForeign(a: string, b: string): boolean {
  return a !== '' && b !== '' && a !== b;
}
