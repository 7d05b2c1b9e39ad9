/**
 * Holds an ensemble against the properties of Zab. It sees inputs, effects and what the disks say, in the order in which they happen, and
 * gives each to the checkers whose rule it touches.
 */
import type { Config, Effect, Input, Message, Sid, Snapshot, StoredImage } from '@quorate/zab';
import type { DiskOrder } from '../world/disk-content.js';
import { DeliveryChecker } from './delivery-checker.js';
import { ElectionChecker } from './election-checker.js';
import { HistoryChecker } from './history-checker.js';
import { PersistenceChecker } from './persistence-checker.js';
import { PrimaryChecker } from './primary-checker.js';
import { ReplicaDigestChecker } from './replica-digest-checker.js';
import type { Verdict } from './verdict.js';
import { type Entry, type ServerView, Witness } from './witness.js';

export interface ZabCheckerOptions {
  readonly config: Config;
  readonly verdict: Verdict;
  /** What the clock of a server shows: all that a server must do in some time, it does by its own. */
  readonly clockOf: (sid: Sid) => number;
  /** How many txns an epoch may have. */
  readonly epochTxnsMax?: number | undefined;
  /** Is told of each txn when it is delivered for the first time anywhere. */
  readonly onCommitted?: (entry: Entry) => void;
}

export class ZabChecker {
  readonly witness: Witness;
  readonly #clockOf: (sid: Sid) => number;
  readonly #delivery: DeliveryChecker;
  readonly #election: ElectionChecker;
  readonly #history: HistoryChecker;
  readonly #persistence: PersistenceChecker;
  readonly #primary: PrimaryChecker;
  readonly #digest: ReplicaDigestChecker;
  /** By leader and channel: what has been read of the snapshot that is being sent. */
  readonly #pieces = new Map<string, Uint8Array[]>();
  /** What the application of a leader has just proposed: the append that follows is the proposal. */
  #proposing: { readonly sid: Sid; readonly payloads: readonly Uint8Array[] } | undefined;

  constructor(options: ZabCheckerOptions) {
    this.witness = new Witness(options.config, options.verdict);
    this.#clockOf = options.clockOf;
    this.#delivery = new DeliveryChecker(this.witness, options.onCommitted);
    this.#election = new ElectionChecker(this.witness);
    this.#history = new HistoryChecker(this.witness);
    this.#persistence = new PersistenceChecker(this.witness);
    this.#primary = new PrimaryChecker(this.witness, options.epochTxnsMax);
    this.#digest = new ReplicaDigestChecker(options.verdict);
  }

  onInput(sid: Sid, input: Input): void {
    this.#proposing = undefined;
    switch (input.type) {
      case 'propose':
        this.#proposing = { sid, payloads: input.payloads };
        return;
      case 'notification':
        this.#election.onNotification(sid, input.from, input.notification);
        return;
      case 'timer':
        if (input.name === 'finalize') this.#election.onWaited(sid);
        return;
      case 'learnerOpened':
        this.witness.server(sid).learners.set(input.channel, input.from);
        return;
      case 'learnerMessage': {
        const { type } = input.message;
        if (type !== 'FOLLOWERINFO' && type !== 'OBSERVERINFO') return;
        const learner = this.witness.server(sid).learners.get(input.channel) as Sid;
        this.#persistence.onIntroduced(sid, learner, type === 'OBSERVERINFO');
        return;
      }
      case 'snapshotRead':
        this.#onSnapshotRead(sid, input);
        return;
      case 'leaderMessage':
        if (input.message.type === 'LEADERINFO')
          this.#persistence.onInvited(sid, this.witness.server(sid).leaders.get(input.channel) as Sid, input.message.epoch);
        return;
      default:
        return;
    }
  }

  #onSnapshotRead(sid: Sid, { channel, zxid, bytes, last }: Input & { readonly type: 'snapshotRead' }): void {
    const key = `${sid} ${channel}`;
    const pieces = [...(this.#pieces.get(key) ?? []), bytes];
    this.#pieces.set(key, pieces);
    if (!last) return;
    this.#pieces.delete(key);
    this.#digest.onState(sid, { zxid, pieces });
  }

  onEffect(sid: Sid, effect: Effect): void {
    switch (effect.type) {
      case 'append':
        if (this.#proposing?.sid === sid && this.#proposing.payloads === effect.run.payloads)
          this.#primary.onPropose(sid, effect.run, this.#clockOf(sid));
        else this.#history.onAppend(sid, effect.run);
        return;
      case 'truncate':
        this.#history.onTruncate(sid, effect.zxid);
        return;
      case 'mend':
        this.#history.onMend(sid, effect.runs);
        return;
      case 'installSnapshot':
        this.#history.onInstall(sid, effect.snapshot, effect.runs);
        return;
      case 'saveCurrentEpoch':
        this.#persistence.onEpochOrdered(sid, effect.epoch);
        return;
      case 'deliver':
        this.#delivery.onDeliver(sid, effect.run);
        return;
      case 'restore':
        this.#digest.onState(sid, effect.snapshot);
        this.#delivery.onRestore(sid, effect.snapshot);
        return;
      case 'openToLeader':
        this.witness.server(sid).leaders.set(effect.channel, effect.to);
        return;
      case 'sendToLeader':
        this.#onSentToLeader(this.witness.server(sid), effect.channel, effect.message);
        return;
      case 'sendToLearner':
        this.#onSentToLearner(sid, effect.channel, effect.message);
        return;
      case 'notify':
        this.#election.onSaid(sid, effect.notification);
        return;
      case 'setTimer':
        if (effect.name === 'finalize') this.#election.onWaits(sid);
        return;
      case 'status': {
        this.#election.onStatus(sid, effect.status);
        const view = this.witness.server(sid);
        view.serving = effect.status.serving;
        view.state = effect.status.state;
        if (view.state === 'LOOKING') view.timesLooked++;
        const renewed = view.leads;
        view.leads = view.state === 'LEADING' && (view.serving || view.leads);
        if (effect.status.serving && effect.status.state === 'LEADING')
          this.#primary.onEstablished(sid, effect.status.epoch, { nowMs: this.#clockOf(sid), renewed });
        return;
      }
      default:
        return;
    }
  }

  #onSentToLearner(sid: Sid, channel: number, message: Message): void {
    switch (message.type) {
      case 'LEADERINFO':
        this.#primary.onInvitation(sid, message.epoch);
        return;
      case 'DIFF':
      case 'TRUNC':
      case 'SNAP':
        this.#primary.onSynchronize(sid);
        return;
      case 'HANDOVER': {
        const { learners, dead } = this.witness.server(sid);
        if (learners.get(channel) === message.leader && !dead.has(channel)) this.#primary.onHandOver(sid, message.leader);
        return;
      }
      case 'NEWLEADER':
        this.#persistence.onNewLeaderSent(sid, this.witness.server(sid).learners.get(channel) as Sid, message.epoch);
        return;
      default:
        return;
    }
  }

  #onSentToLeader(view: ServerView, channel: number, message: Message): void {
    const leader = view.leaders.get(channel) as Sid;
    if (message.type === 'ACKEPOCH') {
      this.#persistence.onPromise(view.sid, leader, message);
      const epoch = this.#persistence.invitedTo(view.sid);
      if (message.currentEpoch !== -1 && this.witness.votes(view.sid)) this.#primary.onPromised(view.sid, epoch);
      else if (view.serving) this.#primary.onRegains(view.sid, epoch);
    } else if (message.type === 'ACK') {
      this.#persistence.onAck(view.sid, leader, message.zxid);
      if (message.zxid % 0x1_0000_0000 === 0 && this.witness.votes(view.sid))
        this.#primary.onNewLeaderAcknowledged(view.sid, message.zxid / 0x1_0000_0000);
    }
  }

  // Facts of the disks

  onFlushed(sid: Sid, order: DiskOrder): void {
    this.#persistence.onFlushed(sid, order);
    this.#history.onFlushed(sid, order);
  }

  onSnapshotSaved(sid: Sid, snapshot: Snapshot): void {
    this.#persistence.onSnapshotSaved(sid, snapshot);
    this.#digest.onState(sid, snapshot);
  }

  onStoreLost(sid: Sid, image: StoredImage): void {
    this.#persistence.onStoreLost(sid, image);
    this.#history.onStoreLost(sid, image);
    // A leader that stands still believes what this server has acknowledged, and does not know yet that it is gone.
    for (const { learners, dead } of this.witness.servers.values())
      for (const [channel, learner] of learners) if (learner === sid) dead.add(channel);
  }

  onRecovered(sid: Sid, image: StoredImage): void {
    this.#history.onRecovered(sid, image);
    if (image.snapshot !== undefined) this.#digest.onState(sid, image.snapshot);
  }

  /** A server is gone; what it had in memory is forgotten. */
  onDown(sid: Sid): void {
    const view = this.witness.server(sid);
    view.serving = false;
    view.state = 'LOOKING';
    view.leads = false;
    this.#election.onDown(sid);
    for (const key of this.#pieces.keys()) if (key.startsWith(`${sid} `)) this.#pieces.delete(key);
    view.ordered = view.flushed;
    view.leaders.clear();
    view.learners.clear();
    view.dead.clear();
  }
}
