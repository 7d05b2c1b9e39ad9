/**
 * One server of the ensemble as a deterministic state machine: `step(input)` changes the state and pushes effects.
 *
 * Sources: Junqueira, Reed, Serafini, "Zab: High-performance broadcast for primary-backup systems" (DSN 2011), the Zab 1.0 page of
 * ZooKeeper, and ZooKeeper's classes QuorumPeer, FastLeaderElection, Leader, LearnerHandler, Learner.
 */

import { assert, unreachable, type Zxid } from '@quorate/protocol';
import { Answering } from './answering.js';
import type { Status } from './application.js';
import { type Config, checkConfig, type Sid } from './config.js';
import { empty } from './empty.js';
import { Following } from './following.js';
import type { Effect, Input, TimerName } from './io.js';
import { Leading } from './leading.js';
import type { Limits } from './limits.js';
import { lastZxidOf, partOf, RUN_TXNS_MAX, type Run } from './log.js';
import { Looking } from './looking.js';
import type { Message, Notification, Vote } from './messages.js';
import { type LaneOrder, type PeerState, recoverState } from './peer-state.js';
import { clonePlain, type Fingerprint } from './plain.js';
import type { Role } from './role.js';
import type { Mark, Snapshot, StoredImage } from './storage.js';
import type { Timing } from './timing.js';

export interface PeerOptions {
  readonly sid: Sid;
  readonly config: Config;
  readonly timing: Timing;
  readonly limits: Limits;
  readonly image: StoredImage;
}

export class Peer {
  readonly sid: Sid;
  readonly config: Config;
  readonly timing: Timing;
  readonly limits: Limits;
  readonly state: PeerState;
  /** Orders since the last drain; the driver performs them in this order and empties the array. */
  readonly effects: Effect[] = [];
  readonly #answering: Answering;
  #role: Role | undefined;
  #status: Status;

  private constructor({ sid, config, timing, limits }: Omit<PeerOptions, 'image'>, state: PeerState) {
    this.sid = sid;
    this.config = config;
    this.timing = timing;
    this.limits = limits;
    this.state = state;
    this.#answering = new Answering(this);
    this.#status = { state: 'LOOKING', leader: undefined, epoch: state.currentEpoch, serving: false, votes: this.votes };
  }

  /** A server that starts from what its storage holds. @throws RangeError where that, or the config, contradicts itself. */
  static recover(options: PeerOptions): Peer {
    checkConfig(options.config);
    return new Peer(options, recoverState(options.image));
  }

  /** A server that goes on from here by itself, for those who explore what may come. Called between steps. */
  clone(): Peer {
    assert(this.effects.length === 0, 'effects are drained before a copy is made');
    const peer = new Peer(this, clonePlain(this.state));
    peer.#role = this.#role?.clone(peer);
    peer.#status = this.#status;
    return peer;
  }

  /** Adds everything that decides what this server will do to a fingerprint. */
  fingerprint(fingerprint: Fingerprint): void {
    fingerprint.add(this.state).add(this.#status).add(this.#role?.name).add(this.#role?.state);
  }

  get status(): Status {
    return this.#status;
  }

  /** Whether this server counts: one that the config lets vote, and whose store is marked and whole. */
  get votes(): boolean {
    return this.state.durable.marked && !this.state.damaged && this.config.voters.includes(this.sid);
  }

  get role(): Role {
    assert(this.#role !== undefined, 'the first input is start');
    return this.#role;
  }

  step(input: Input): void {
    switch (input.type) {
      case 'start':
        this.effects.push({ type: 'status', status: this.#status });
        this.becomeLooking();
        return;
      case 'notification':
        this.role.onNotification(input.from, input.notification);
        return;
      case 'learnerOpened':
        this.role.onLearnerOpened(input.from, input.channel);
        return;
      case 'learnerMessage':
        if (input.message.type === 'MEND') {
          // Who asks is no learner.
          this.role.onLearnerClosed(input.channel);
          this.#answering.onQuestion(input.channel, input.message);
          return;
        }
        this.role.onLearnerMessage(input.channel, input.message);
        return;
      case 'learnerClosed':
        this.#answering.onClosed(input.channel);
        this.role.onLearnerClosed(input.channel);
        return;
      case 'leaderMessage':
        this.role.onLeaderMessage(input.channel, input.message);
        return;
      case 'leaderClosed':
        this.role.onLeaderClosed(input.channel);
        return;
      case 'completed':
        this.#onCompleted(input.count);
        return;
      case 'timer':
        this.role.onTimer(input.name);
        return;
      case 'propose':
        this.role.propose(input.payloads);
        return;
      case 'request':
        this.role.request(input.payload);
        return;
      case 'revalidate':
        this.role.revalidate(input.payload);
        return;
      case 'answerRevalidate':
        this.role.answerRevalidate(input.to, input.payload);
        return;
      case 'heartbeat':
        this.role.heartbeat(input.round, input.payload);
        return;
      case 'sync':
        this.role.sync(input.tag);
        return;
      case 'room':
        this.role.onRoom(input.channel);
        return;
      case 'snapshotRead':
        this.role.onSnapshotRead(input);
        return;
      case 'logRead':
        if (!this.#answering.onLogRead(input.channel, input.runs)) this.role.onLogRead(input.channel, input.runs);
        return;
      case 'snapshotSaved':
        this.state.log.compact(input.zxid, this.limits.committedLogTxns);
        return;
      case 'paused':
        this.role.onPaused();
        return;
      case 'handOver':
        this.role.handOver(input.to);
        return;
      default:
        return unreachable(input);
    }
  }

  // Roles

  becomeLooking(): void {
    this.#become(Looking.begin(this));
  }

  becomeFollowing(vote: Vote): void {
    this.#become(Following.begin(this, vote));
  }

  becomeLeading(vote: Vote, early: ReadonlyMap<number, EarlyLearner>): void {
    this.#become(Leading.begin(this, vote, early));
  }

  setStatus(standing: Omit<Status, 'votes'>): void {
    const status = { ...standing, votes: this.votes };
    const same =
      status.state === this.#status.state &&
      status.leader === this.#status.leader &&
      status.epoch === this.#status.epoch &&
      status.serving === this.#status.serving &&
      status.votes === this.#status.votes;
    if (same) return;
    if (status.serving) {
      this.state.failedTries = 0;
      this.state.suspects.clear();
    }
    this.#status = status;
    this.effects.push({ type: 'status', status });
  }

  // The log lane: what is ordered, and what is durable

  append(run: Run): void {
    this.#cutDamage();
    this.state.log.append(run);
    this.#order({ type: 'append', lastZxid: lastZxidOf(run) }, { type: 'append', run });
  }

  truncate(zxid: Zxid): void {
    assert(zxid >= this.state.lastDelivered, 'what was delivered is never cut off');
    this.#repair();
    this.state.log.truncate(zxid);
    this.#order({ type: 'truncate', lastZxid: zxid }, { type: 'truncate', zxid });
  }

  /** The history becomes a snapshot and the runs above it: one order, because what it replaces may hold committed txns that are in the runs alone. */
  replaceHistory(snapshot: Snapshot, runs: readonly Run[]): void {
    const { log } = this.state;
    this.#repair();
    log.reset(snapshot.zxid);
    for (const run of runs) log.append(run);
    this.#order({ type: 'installSnapshot', snapshot, lastZxid: log.lastZxid }, { type: 'installSnapshot', snapshot, runs });
  }

  saveAcceptedEpoch(epoch: number): void {
    assert(epoch > this.state.acceptedEpoch, 'acceptedEpoch ascends');
    this.state.acceptedEpoch = epoch;
    this.#order({ type: 'saveAcceptedEpoch', epoch }, { type: 'saveAcceptedEpoch', epoch });
  }

  saveCurrentEpoch(epoch: number): void {
    assert(epoch >= this.state.currentEpoch, 'currentEpoch does not descend');
    assert(epoch <= this.state.durable.acceptedEpoch, 'currentEpoch follows a durable promise');
    this.state.currentEpoch = epoch;
    this.#order({ type: 'saveCurrentEpoch', epoch }, { type: 'saveCurrentEpoch', epoch });
  }

  /** What is damaged is made whole: these runs are what stood there. The server counts again once they are durable. */
  mend(runs: readonly Run[]): void {
    const { log } = this.state;
    assert(this.state.damaged && this.state.durable.marked, 'what is mended is damaged, and nothing has been put in its place');
    for (const run of runs) log.append(run);
    this.#order({ type: 'mend', lastZxid: log.lastZxid }, { type: 'mend', runs });
  }

  /** From now on this server counts, or does not. */
  saveMark(mark: Mark | undefined): void {
    if (mark === undefined) this.state.mending = undefined;
    else this.#cutDamage();
    this.#order({ type: 'saveMark', mark }, { type: 'saveMark', mark });
  }

  #repair(): void {
    assert(!this.state.damaged || !this.state.durable.marked, 'a damaged store loses its mark before it is repaired');
    this.state.damaged = false;
  }

  /** What could not be read goes when something is to stand in its place, and no earlier. */
  #cutDamage(): void {
    if (this.state.damaged) this.truncate(this.state.log.lastZxid);
  }

  // Delivery

  /** Notes that everything up to `zxid` is committed. */
  commit(zxid: Zxid): void {
    assert(zxid <= this.state.log.lastZxid, 'only what is in the log can be committed');
    if (zxid > this.state.lastCommitted) this.state.lastCommitted = zxid;
  }

  /** Delivers what is committed and durable here; called by a serving role. */
  deliver(): void {
    const state = this.state;
    const through = state.lastCommitted < state.durable.lastZxid ? state.lastCommitted : state.durable.lastZxid;
    if (through <= state.lastDelivered) return;
    for (const run of state.log.runs(state.lastDelivered, through))
      for (let at = 0; at < run.payloads.length; at += RUN_TXNS_MAX) this.effects.push({ type: 'deliver', run: partOf(run, at) });
    state.lastDelivered = through;
  }

  /** A server was elected, and nothing has come from it. */
  suspect(sid: Sid): void {
    this.state.suspects.set(sid, 2 * this.timing.initLimit);
  }

  // Small orders

  notify(to: Sid, state: Notification['state'], vote: Vote): void {
    this.effects.push({ type: 'notify', to, notification: { state, electionEpoch: this.state.electionEpoch, vote } });
  }

  setTimer(name: TimerName, ms: number): void {
    this.effects.push({ type: 'setTimer', name, ms });
  }

  cancelTimer(name: TimerName): void {
    this.effects.push({ type: 'cancelTimer', name });
  }

  /** What must hold after every step; the tests ask after each. */
  invariants(): void {
    const { state } = this;
    assert(state.currentEpoch <= state.acceptedEpoch, 'currentEpoch <= acceptedEpoch');
    assert(state.durable.acceptedEpoch <= state.acceptedEpoch, 'durable acceptedEpoch trails');
    assert(state.durable.currentEpoch <= state.currentEpoch, 'durable currentEpoch trails');
    assert(state.lastDelivered <= state.lastCommitted, 'only what is committed is delivered');
    assert(!this.#status.serving || state.lastDelivered <= state.durable.lastZxid, 'applied <= durable');
  }

  #become(role: Role): void {
    this.#role?.leave();
    this.#role = role;
    role.enter();
  }

  #order(pending: LaneOrder, effect: Effect): void {
    this.state.lane.push(pending);
    this.effects.push(effect);
  }

  #onCompleted(count: number): void {
    const { durable, lane } = this.state;
    assert(count <= lane.length, 'only what was ordered can complete');
    for (let i = 0; i < count; i++) {
      const order = lane[i] as LaneOrder;
      switch (order.type) {
        case 'append':
        case 'truncate':
          durable.lastZxid = order.lastZxid;
          break;
        case 'mend':
          durable.lastZxid = order.lastZxid;
          this.state.damaged = false;
          this.state.mending = undefined;
          // What it has tried until now was without a vote.
          this.state.failedTries = 0;
          break;
        case 'saveAcceptedEpoch':
          durable.acceptedEpoch = order.epoch;
          break;
        case 'saveCurrentEpoch':
          durable.currentEpoch = order.epoch;
          break;
        case 'installSnapshot':
          durable.lastZxid = order.lastZxid;
          this.#restore(order.snapshot);
          break;
        case 'saveMark':
          durable.marked = order.mark !== undefined;
          break;
        default:
          unreachable(order);
      }
    }
    if (count < lane.length) lane.splice(0, count);
    else empty(lane);
    this.role.onDurable(count);
  }

  /** A snapshot reaches the application once it is durable, whatever role this server has by then: its store starts there now. */
  #restore(snapshot: Snapshot): void {
    this.state.lastDelivered = snapshot.zxid;
    if (snapshot.zxid > this.state.lastCommitted) this.state.lastCommitted = snapshot.zxid;
    this.effects.push({ type: 'restore', snapshot });
  }
}

/** A learner that came before this server knew that it leads. */
export interface EarlyLearner {
  readonly from: Sid;
  /** Its FOLLOWERINFO or OBSERVERINFO, once that has come. */
  info: LearnerInfo | undefined;
}

/** How a learner introduces itself. */
export type LearnerInfo = Message & { readonly type: 'FOLLOWERINFO' | 'OBSERVERINFO' };
