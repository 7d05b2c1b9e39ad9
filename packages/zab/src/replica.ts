/**
 * The driver of one server: it feeds the state machine, performs its effects over the ports in their order, and speaks with the
 * application. Batching is its affair: proposals of one turn become one run, completions of one turn one input.
 *
 * A fault of the storage, or an exception in the core or the application, ends the server: a part that goes on alone would be a liar.
 */

import type { Clock, Timer } from '@quorate/ports';
import { assert, unreachable, type Zxid } from '@quorate/protocol';
import type { Application, Status } from './application.js';
import { Channels } from './channels.js';
import type { Config, Sid } from './config.js';
import { empty } from './empty.js';
import { Inbox } from './inbox.js';
import type { Effect, Input, TimerName } from './io.js';
import { Leading } from './leading.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { lastZxidOf, RUN_TXNS_MAX, type Run } from './log.js';
import { Peer } from './peer.js';
import { SnapshotReader } from './snapshot-reader.js';
import type { Storage, StoredImage } from './storage.js';
import type { Transport } from './transport.js';

export interface ReplicaOptions {
  readonly sid: Sid;
  readonly config: Config;
  readonly transport: Transport;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly application: Application;
  /** The unit of all times, in milliseconds; 2,000 when absent. */
  readonly tickTimeMs?: number;
  /** Ticks that discovery and synchronization may take; 10 when absent. */
  readonly initLimit?: number;
  /** Ticks of silence after which a peer counts as gone; 5 when absent. */
  readonly syncLimit?: number;
  /** A snapshot is saved after this many delivered txns; 100,000 when absent. */
  readonly snapshotEvery?: number;
  /** Others than the usual ones. For tests. */
  readonly limits?: Partial<Limits>;
  /** Sees every input before it is taken. For checkers and traces. */
  readonly onInput?: (input: Input) => void;
  /** Sees every effect before it is performed. For checkers and traces. */
  readonly onEffect?: (effect: Effect) => void;
  /** The server has stopped for good: its storage failed, or an invariant did. Thrown where absent. */
  readonly onFailure?: (error: Error) => void;
}

const NOTHING = new Uint8Array(0);

/** How much of the log on the storage is read at a time for a learner. */
const LOG_PIECE_BYTES = 64 * 1024;

/** So many txns are delivered in a turn before others have theirs. */
const TURN_TXNS_MAX = RUN_TXNS_MAX;

export class Replica {
  readonly #options: ReplicaOptions;
  readonly #clock: Clock;
  readonly #storage: Storage;
  readonly #application: Application;
  readonly #onInput: ReplicaOptions['onInput'];
  readonly #onEffect: ReplicaOptions['onEffect'];
  readonly #snapshotEvery: number;
  #peer: Peer | undefined;
  #status: Status = { state: 'LOOKING', leader: undefined, epoch: 0, serving: false, votes: false };
  /** The role of a serving leader, from the moment at which the application knows of it until it knows of its end. */
  #leading: Leading | undefined;
  #started = false;
  #stopped = false;
  #scheduled = false;
  #inTurn = false;
  readonly #inbox = new Inbox();
  /** How many of the effects of the last input were performed: a turn may end in between. */
  #effectsPerformed = 0;
  /** How many txns may still be delivered in this turn. */
  #txnsLeft = 0;
  /** The last txn that the application was given. */
  #applied = 0 as Zxid;
  #deliveredSinceSnapshot = 0;
  #savingSnapshot = false;
  readonly #timers = new Map<TimerName, Timer>();
  readonly #channels: Channels;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#storage = options.storage;
    this.#application = options.application;
    this.#onInput = options.onInput;
    this.#onEffect = options.onEffect;
    this.#snapshotEvery = options.snapshotEvery ?? 100_000;
    this.#channels = new Channels(options.transport, (input) => this.#take(input));
  }

  get sid(): Sid {
    return this.#options.sid;
  }

  /** Where this server stands, as its application was told last. */
  get status(): Status {
    return this.#status;
  }

  get isServingLeader(): boolean {
    return this.#leading !== undefined;
  }

  /** Serving leader: how many learners have the history of this epoch; undefined for any other server. */
  get synchronizedLearners(): { readonly followers: number; readonly observers: number } | undefined {
    return this.#leading?.synchronized;
  }

  /** The last txn that the application has. */
  get lastDelivered(): Zxid {
    return this.#applied;
  }

  /** Serving leader: the zxid that the next `propose` takes. */
  get nextZxid(): Zxid {
    assert(this.#leading !== undefined, 'only a serving leader proposes');
    return (this.#leading.nextZxid + this.#inbox.proposalCount) as Zxid;
  }

  /** Reads the storage and joins the ensemble. */
  start(): void {
    assert(!this.#started, 'a replica starts once');
    this.#started = true;
    this.#options.storage.recover((result) => {
      if (this.#stopped) return;
      if (result instanceof Error) this.#fail(result);
      else this.#begin(result);
    });
  }

  /** Ends at once, without a goodbye: what a crash leaves is what the storage has. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#inbox.clear();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    if (this.#started) this.#options.transport.stop();
    this.#options.storage.close();
  }

  /**
   * Serving leader: gives the payload the next zxid and proposes it at the end of this turn. It is delivered on every server once
   * it is committed, or lost with this leader: `onStatus` then says that it leads no more.
   */
  propose(payload: Uint8Array): Zxid {
    const zxid = this.nextZxid;
    this.#inbox.propose(payload);
    this.#schedule();
    return zxid;
  }

  /** Serving learner: sends a request to the leader's application (`onRequest`). May be lost with the leader. */
  request(payload: Uint8Array): void {
    this.#take({ type: 'request', payload });
  }

  /** Serving learner: asks the leader's application (`onRevalidate`). May be lost with the leader. */
  revalidate(payload: Uint8Array): void {
    this.#take({ type: 'revalidate', payload });
  }

  /** Leader: answers a learner's `revalidate`. */
  answerRevalidate(to: Sid, payload: Uint8Array): void {
    this.#take({ type: 'answerRevalidate', to, payload });
  }

  /** Serving server: `onSynced(tag)` comes once everything that is committed anywhere by now has been delivered here. */
  sync(tag: number): void {
    this.#take({ type: 'sync', tag });
  }

  /**
   * Serving leader: hands the leadership over, to `to` or to any voter that has everything. Proposals end with a status that is not serving; the successor's
   * ensemble serves moments later. What stands in the way of it ends in an election.
   *
   * @returns false where there is nobody to hand over to.
   */
  handOver(to?: Sid): boolean {
    if (this.#leading?.canHandOver(to) !== true) return false;
    this.#take({ type: 'handOver', to });
    return true;
  }

  #begin(image: StoredImage): void {
    const { sid, config, tickTimeMs = 2_000, initLimit = 10, syncLimit = 5, limits, transport, application } = this.#options;
    try {
      const timing = { tickTimeMs, initLimit, syncLimit };
      this.#peer = Peer.recover({ sid, config, timing, limits: { ...DEFAULT_LIMITS, ...limits }, image });
      if (image.snapshot !== undefined) {
        application.restore(image.snapshot.pieces, image.snapshot.zxid);
        this.#applied = image.snapshot.zxid;
      }
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    transport.start({
      onNotification: (from, notification) => this.#take({ type: 'notification', from, notification }),
      onChannel: (from, channel) => this.#channels.accept(from, channel),
    });
    this.#take({ type: 'start' });
  }

  #take(input: Input): void {
    if (this.#stopped) return;
    this.#inbox.put(input);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#inTurn || this.#stopped) return;
    this.#scheduled = true;
    this.#clock.defer(this.#turn);
  }

  /** Takes all that has come, and all that comes of it here, then proposes what the application has gathered meanwhile; in several turns where that is much. */
  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#stopped || this.#peer === undefined) return;
    this.#inTurn = true;
    this.#txnsLeft = TURN_TXNS_MAX;
    try {
      while (this.#performEffects() && this.#takeNext());
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      this.#inTurn = false;
    }
    if (this.#txnsLeft <= 0) this.#schedule();
  };

  /** Gives the core one input; false where there is none. */
  #takeNext(): boolean {
    const input = this.#inbox.take();
    if (input === undefined) return false;
    this.#onInput?.(input);
    (this.#peer as Peer).step(input);
    return true;
  }

  /** Performs the effects of the last step, in their order; false where the turn has to end before the next input, be they done or not. */
  #performEffects(): boolean {
    const { effects } = this.#peer as Peer;
    // Performing an effect only ever gathers inputs, so the array does not grow meanwhile.
    while (this.#effectsPerformed < effects.length) {
      if (this.#stopped || this.#txnsLeft <= 0) return false;
      const effect = effects[this.#effectsPerformed++] as Effect;
      this.#onEffect?.(effect);
      // Whoever looks on may have stopped the server between two effects.
      if (!this.#stopped) this.#perform(effect);
    }
    empty(effects);
    this.#effectsPerformed = 0;
    return !this.#stopped && this.#txnsLeft > 0;
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      // First what every txn needs.
      case 'append':
        this.#storage.append(effect.run, this.#onCompleted);
        return;
      case 'sendToLearner':
        this.#channels.sendToLearner(effect.channel, effect.message);
        return;
      case 'sendToLeader':
        this.#channels.sendToLeader(effect.channel, effect.message);
        return;
      case 'deliver':
        this.#applied = lastZxidOf(effect.run);
        this.#application.deliver(effect.run);
        this.#txnsLeft -= effect.run.payloads.length;
        this.#countDelivered(effect.run.payloads.length);
        return;
      case 'notify':
        this.#options.transport.notify(effect.to, effect.notification);
        return;
      case 'openToLeader':
        this.#channels.openToLeader(effect.to, effect.channel);
        return;
      case 'closeToLeader':
        this.#channels.closeToLeader(effect.channel);
        return;
      case 'closeToLearner':
        this.#channels.closeToLearner(effect.channel);
        return;
      case 'awaitRoom':
        this.#channels.awaitRoom(effect.channel);
        return;
      case 'truncate':
        this.#storage.truncate(effect.zxid, this.#onCompleted);
        return;
      case 'saveAcceptedEpoch':
        this.#storage.saveAcceptedEpoch(effect.epoch, this.#onCompleted);
        return;
      case 'saveCurrentEpoch':
        this.#storage.saveCurrentEpoch(effect.epoch, this.#onCompleted);
        return;
      case 'installSnapshot':
        this.#storage.installSnapshot(effect.snapshot, effect.runs, this.#onCompleted);
        return;
      case 'mend':
        this.#storage.mend(effect.runs, this.#onCompleted);
        return;
      case 'saveMark':
        this.#storage.saveMark(effect.mark, this.#onCompleted);
        return;
      case 'setTimer':
        this.#setTimer(effect.name, effect.ms);
        return;
      case 'cancelTimer':
        this.#timers.get(effect.name)?.cancel();
        this.#timers.delete(effect.name);
        return;
      case 'restore':
        this.#applied = effect.snapshot.zxid;
        this.#deliveredSinceSnapshot = 0;
        this.#application.restore(effect.snapshot.pieces, effect.snapshot.zxid);
        return;
      case 'status':
        this.#setStatus(effect.status);
        return;
      case 'request':
        this.#application.onRequest?.(effect.from, effect.payload);
        return;
      case 'revalidate':
        this.#application.onRevalidate?.(effect.from, effect.payload);
        return;
      case 'heartbeat':
        this.#take({ type: 'heartbeat', round: effect.round, payload: this.#application.heartbeat?.() ?? NOTHING });
        return;
      case 'heartbeatReceived':
        this.#application.onHeartbeat?.(effect.from, effect.payload);
        return;
      case 'synced':
        this.#application.onSynced?.(effect.tag);
        return;
      case 'readSnapshot':
        this.#channels.readSnapshot(effect.channel, () => new SnapshotReader(this.#applied, this.#application.snapshot()));
        return;
      case 'readLog':
        this.#storage.readLog(effect.after, LOG_PIECE_BYTES, (result) => this.#onLogRead(effect.channel, result));
        return;
      default:
        unreachable(effect);
    }
  }

  #setStatus(status: Status): void {
    this.#status = status;
    const role = this.#peer?.role;
    const pauses = status.state === 'LEADING' && this.#leading !== undefined && !status.serving;
    if (pauses) this.#inbox.pause();
    else this.#inbox.dropProposals();
    this.#leading = status.serving && role instanceof Leading ? role : undefined;
    this.#options.application.onStatus(status);
  }

  #onLogRead(channel: number, result: readonly Run[] | undefined | Error): void {
    if (this.#stopped) return;
    if (result instanceof Error) this.#fail(result);
    else this.#take({ type: 'logRead', channel, runs: result });
  }

  #setTimer(name: TimerName, ms: number): void {
    this.#timers.get(name)?.cancel();
    const timer = this.#options.clock.setTimer(ms, () => {
      this.#timers.delete(name);
      this.#take({ type: 'timer', name });
    });
    this.#timers.set(name, timer);
  }

  readonly #onCompleted = (error?: Error): void => {
    if (this.#stopped) return;
    if (error !== undefined) {
      this.#fail(error);
      return;
    }
    this.#inbox.complete();
    this.#schedule();
  };

  #countDelivered(count: number): void {
    this.#deliveredSinceSnapshot += count;
    if (this.#deliveredSinceSnapshot < this.#snapshotEvery || this.#savingSnapshot) return;
    this.#deliveredSinceSnapshot = 0;
    this.#savingSnapshot = true;
    const zxid = this.#applied;
    this.#options.storage.saveSnapshot(zxid, this.#options.application.snapshot(), (error) => {
      this.#savingSnapshot = false;
      if (error !== undefined) this.#fail(error);
      else this.#take({ type: 'snapshotSaved', zxid });
    });
  }

  /** Stops for good, and says why. */
  #fail(error: Error): void {
    if (this.#stopped) return;
    this.stop();
    if (this.#options.onFailure === undefined) throw error;
    this.#options.onFailure(error);
  }
}
