/**
 * The driver of one server: it feeds the state machine, performs its effects over the ports in their order, and speaks with the
 * application. Batching is its affair: proposals of one turn become one run, completions of one turn one input.
 *
 * A fault of the storage, or an exception in the core or the application, ends the server: a part that goes on alone would be a liar.
 */
import type { Clock, Timer } from '@quorate/ports';
import { assert, unreachable, type Zxid } from '@quorate/protocol';
import type { Application, Status } from './application.js';
import type { Config, Sid } from './config.js';
import type { ChannelId, Effect, Input, TimerName } from './io.js';
import { Leading } from './leading.js';
import { lastZxidOf } from './log.js';
import type { Message } from './messages.js';
import { Peer } from './peer.js';
import type { Storage, StoredImage } from './storage.js';
import type { Channel, ChannelHandler, Transport } from './transport.js';

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
  /** Sees every input before it is taken. For checkers and traces. */
  readonly onInput?: (input: Input) => void;
  /** Sees every effect before it is performed. For checkers and traces. */
  readonly onEffect?: (effect: Effect) => void;
  /** The server has stopped for good: its storage failed, or an invariant did. Thrown where absent. */
  readonly onFailure?: (error: Error) => void;
}

const NOTHING = new Uint8Array(0);

export class Replica {
  readonly #options: ReplicaOptions;
  readonly #snapshotEvery: number;
  #peer: Peer | undefined;
  #status: Status = { state: 'LOOKING', leader: undefined, epoch: 0, serving: false };
  /** The role of a serving leader, from the moment at which the application knows of it until it knows of its end. */
  #leading: Leading | undefined;
  #started = false;
  #stopped = false;
  #scheduled = false;
  #inTurn = false;
  #inputs: Input[] = [];
  /** Orders of the log lane that have completed since the last turn. */
  #completed = 0;
  /** Payloads that take the next zxids at the end of this turn. */
  #proposals: Uint8Array[] = [];
  /** The last txn that the application was given. */
  #applied = 0 as Zxid;
  #deliveredSinceSnapshot = 0;
  #savingSnapshot = false;
  readonly #timers = new Map<TimerName, Timer>();
  readonly #learners = new Map<ChannelId, Channel>();
  #nextLearner = 1;
  #leader: { readonly id: ChannelId; readonly channel: Channel } | undefined;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#snapshotEvery = options.snapshotEvery ?? 100_000;
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

  /** The last txn that the application has. */
  get lastDelivered(): Zxid {
    return this.#applied;
  }

  /** Serving leader: the zxid that the next `propose` takes. */
  get nextZxid(): Zxid {
    assert(this.#leading !== undefined, 'only a serving leader proposes');
    return (this.#leading.nextZxid + this.#proposals.length) as Zxid;
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
    this.#inputs = [];
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
    this.#proposals.push(payload);
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

  #begin(image: StoredImage): void {
    const { sid, config, tickTimeMs = 2_000, initLimit = 10, syncLimit = 5, transport, application } = this.#options;
    try {
      this.#peer = Peer.recover({ sid, config, timing: { tickTimeMs, initLimit, syncLimit }, image });
      if (image.snapshot !== undefined) {
        application.restore(image.snapshot.bytes);
        this.#applied = image.snapshot.zxid;
      }
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    transport.start({
      onNotification: (from, notification) => this.#take({ type: 'notification', from, notification }),
      onChannel: (from, channel) => this.#acceptLearner(from, channel),
    });
    this.#take({ type: 'start' });
  }

  #acceptLearner(from: Sid, channel: Channel): ChannelHandler {
    const id = this.#nextLearner++;
    this.#learners.set(id, channel);
    this.#take({ type: 'learnerOpened', from, channel: id });
    return {
      onMessage: (message: Message) => this.#take({ type: 'learnerMessage', channel: id, message }),
      onClose: () => {
        if (this.#learners.delete(id)) this.#take({ type: 'learnerClosed', channel: id });
      },
    };
  }

  #take(input: Input): void {
    if (this.#stopped) return;
    this.#inputs.push(input);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#inTurn || this.#stopped) return;
    this.#scheduled = true;
    this.#options.clock.defer(this.#turn);
  }

  /** Takes all that has come, and all that comes of it here, then proposes what the application has gathered meanwhile. */
  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#stopped || this.#peer === undefined) return;
    this.#inTurn = true;
    try {
      while (!this.#stopped && this.#gather()) {
        const inputs = this.#inputs;
        this.#inputs = [];
        for (let i = 0; i < inputs.length && !this.#stopped; i++) this.#step(inputs[i] as Input);
      }
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      this.#inTurn = false;
    }
  };

  /** Turns what has gathered into inputs; false where there is nothing to do. */
  #gather(): boolean {
    if (this.#completed > 0) {
      this.#inputs.push({ type: 'completed', count: this.#completed });
      this.#completed = 0;
    }
    if (this.#inputs.length === 0 && this.#proposals.length > 0) {
      this.#inputs.push({ type: 'propose', payloads: this.#proposals });
      this.#proposals = [];
    }
    return this.#inputs.length > 0;
  }

  #step(input: Input): void {
    const peer = this.#peer as Peer;
    this.#options.onInput?.(input);
    peer.step(input);
    const { effects } = peer;
    // Performing an effect only ever gathers inputs, so the array does not grow meanwhile.
    for (let i = 0; i < effects.length && !this.#stopped; i++) {
      const effect = effects[i] as Effect;
      this.#options.onEffect?.(effect);
      this.#perform(effect);
    }
    effects.length = 0;
  }

  #perform(effect: Effect): void {
    const { transport, storage, application } = this.#options;
    switch (effect.type) {
      case 'notify':
        transport.notify(effect.to, effect.notification);
        return;
      case 'openToLeader':
        this.#openToLeader(effect.to, effect.channel);
        return;
      case 'sendToLeader':
        if (this.#leader?.id === effect.channel) this.#leader.channel.send(effect.message);
        return;
      case 'closeToLeader':
        if (this.#leader?.id !== effect.channel) return;
        this.#leader.channel.close();
        this.#leader = undefined;
        return;
      case 'sendToLearner':
        this.#learners.get(effect.channel)?.send(effect.message);
        return;
      case 'closeToLearner':
        this.#learners.get(effect.channel)?.close();
        this.#learners.delete(effect.channel);
        return;
      case 'append':
        storage.append(effect.run, this.#onCompleted);
        return;
      case 'truncate':
        storage.truncate(effect.zxid, this.#onCompleted);
        return;
      case 'saveAcceptedEpoch':
        storage.saveAcceptedEpoch(effect.epoch, this.#onCompleted);
        return;
      case 'saveCurrentEpoch':
        storage.saveCurrentEpoch(effect.epoch, this.#onCompleted);
        return;
      case 'installSnapshot':
        storage.installSnapshot(effect.snapshot, effect.runs, this.#onCompleted);
        return;
      case 'setTimer':
        this.#setTimer(effect.name, effect.ms);
        return;
      case 'cancelTimer':
        this.#timers.get(effect.name)?.cancel();
        this.#timers.delete(effect.name);
        return;
      case 'deliver':
        this.#applied = lastZxidOf(effect.run);
        application.deliver(effect.run);
        this.#countDelivered(effect.run.payloads.length);
        return;
      case 'restore':
        this.#applied = effect.snapshot.zxid;
        this.#deliveredSinceSnapshot = 0;
        application.restore(effect.snapshot.bytes);
        return;
      case 'status':
        this.#setStatus(effect.status);
        return;
      case 'request':
        application.onRequest?.(effect.from, effect.payload);
        return;
      case 'revalidate':
        application.onRevalidate?.(effect.from, effect.payload);
        return;
      case 'heartbeat':
        this.#take({ type: 'heartbeat', round: effect.round, payload: application.heartbeat?.() ?? NOTHING });
        return;
      case 'heartbeatReceived':
        application.onHeartbeat?.(effect.from, effect.payload);
        return;
      case 'synced':
        application.onSynced?.(effect.tag);
        return;
      case 'takeSnapshot':
        this.#take({ type: 'snapshotTaken', channel: effect.channel, snapshot: { zxid: this.#applied, bytes: application.snapshot() } });
        return;
      default:
        unreachable(effect);
    }
  }

  #setStatus(status: Status): void {
    this.#status = status;
    const role = this.#peer?.role;
    this.#leading = status.serving && role instanceof Leading ? role : undefined;
    // What the application had gathered for a term that has ended has no place in the next.
    this.#proposals = [];
    this.#options.application.onStatus(status);
  }

  #openToLeader(to: Sid, id: ChannelId): void {
    const channel = this.#options.transport.open(to, {
      onMessage: (message) => this.#take({ type: 'leaderMessage', channel: id, message }),
      onClose: () => this.#take({ type: 'leaderClosed', channel: id }),
    });
    this.#leader = { id, channel };
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
    this.#completed++;
    this.#schedule();
  };

  #countDelivered(count: number): void {
    this.#deliveredSinceSnapshot += count;
    if (this.#deliveredSinceSnapshot < this.#snapshotEvery || this.#savingSnapshot) return;
    this.#deliveredSinceSnapshot = 0;
    this.#savingSnapshot = true;
    const zxid = this.#applied;
    this.#options.storage.saveSnapshot({ zxid, bytes: this.#options.application.snapshot() }, (error) => {
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
