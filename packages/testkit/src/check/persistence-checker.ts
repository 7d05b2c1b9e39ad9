/**
 * What a server may promise: only what is on its disk, never two promises that exclude each other, and never less than before. What the disk
 * has is told by the disk itself, so that a completion which came too early is seen through.
 */
import { counterOf, epochOf, formatZxid, type Zxid } from '@quorate/protocol';
import { lastZxidOf, type Message, type Sid, type Snapshot, type StoredImage } from '@quorate/zab';
import type { DiskOrder } from '../world/disk-content.js';
import { at, cutAt, type Entry, holds, lastCommittedOf, type Witness } from './witness.js';

export class PersistenceChecker {
  readonly #witness: Witness;
  /** By server and epoch: to whom ACK(NEWLEADER) went. For ever, restarts included. */
  readonly #acknowledged = new Map<string, Sid>();
  /** By server, and by epoch: to whom the promise went that counts. As long as its disk is what it was. */
  readonly #promised = new Map<Sid, Map<number, Sid>>();
  /** Leader and learner, where the learner has introduced itself last as one that observes; it may get its vote while it is synchronized. */
  readonly #observing = new Set<string>();
  /** By leader, learner and epoch: the history that was sent before NEWLEADER. */
  readonly #sent = new Map<string, Entry>();
  readonly #sentFirst = new Map<string, Entry>();
  /** By server and epoch: the history with which it has ordered currentEpoch. */
  readonly #historyOf = new Map<string, Entry>();
  /** By server: the epoch that LEADERINFO named last, and who did. */
  readonly #invited = new Map<Sid, { readonly epoch: number; readonly leader: Sid }>();

  constructor(witness: Witness) {
    this.#witness = witness;
  }

  /** The epoch that a learner was invited to last. */
  invitedTo(sid: Sid): number {
    return this.#invited.get(sid)?.epoch ?? 0;
  }

  onInvited(sid: Sid, leader: Sid, epoch: number): void {
    this.#invited.set(sid, { epoch, leader });
  }

  /** A leader is told what a learner comes as. */
  onIntroduced(leader: Sid, learner: Sid, observes: boolean): void {
    if (observes) this.#observing.add(`${leader} ${learner}`);
    else this.#observing.delete(`${leader} ${learner}`);
  }

  /** A leader ends the history that it sends to a learner. */
  onNewLeaderSent(leader: Sid, learner: Sid, epoch: number): void {
    const { ordered, delivered, leads } = this.#witness.server(leader);
    // An observer of an established leader is sent what is committed, of which the leader may have applied less.
    const key = `${leader} ${learner} ${epoch}`;
    const end = leads && this.#observing.has(`${leader} ${learner}`) ? delivered : ordered;
    this.#sent.set(key, end);
    // One that comes again may still be writing what it was sent the first time, which is no longer than what it is sent now.
    if (!this.#sentFirst.has(key)) this.#sentFirst.set(key, end);
  }

  /** A learner promises not to go back behind an epoch. */
  onPromise(sid: Sid, leader: Sid, message: Message & { readonly type: 'ACKEPOCH' }): void {
    const view = this.#witness.server(sid);
    const epoch = this.invitedTo(sid);
    if (this.#observes(sid) ? view.flushedAcceptedEpoch < epoch && view.marked : view.flushedAcceptedEpoch !== epoch) {
      this.#fail('AckHonesty', `server ${sid} promises epoch ${epoch} while its disk says ${view.flushedAcceptedEpoch}`);
      return;
    }
    if (message.currentEpoch === -1 || this.#observes(sid)) return;
    const promised = this.#promised.get(sid) ?? new Map<number, Sid>();
    const other = promised.get(epoch);
    if (other !== undefined && other !== leader)
      this.#fail('PromiseUniqueness', `server ${sid} promises epoch ${epoch} to server ${leader} after promising it to server ${other}`);
    this.#promised.set(sid, promised.set(epoch, leader));
  }

  /** What it has promised above this it may promise to another: a quorum of others, without which no disk is lost, is in those epochs already. */
  onStoreLost(sid: Sid, { acceptedEpoch }: StoredImage): void {
    const promised = this.#promised.get(sid);
    for (const epoch of [...(promised?.keys() ?? [])]) if (epoch > acceptedEpoch) promised?.delete(epoch);
  }

  /** A learner acknowledges. */
  onAck(sid: Sid, leader: Sid, zxid: Zxid): void {
    const view = this.#witness.server(sid);
    const epoch = epochOf(zxid);
    if (epoch < view.flushedAcceptedEpoch && !this.#observes(sid)) {
      this.#fail('PersistMonotonicity', `${at(sid, zxid)} acknowledges an epoch below its promise, ${view.flushedAcceptedEpoch}`);
      return;
    }
    if (counterOf(zxid) === 0) {
      this.#onNewLeaderAck(sid, leader, epoch);
      return;
    }
    const entry = this.#witness.find(zxid);
    if (!view.marked) this.#fail('AckHonesty', `${at(sid, zxid)} acknowledges it, and its store is not marked`);
    else if (entry === undefined || !holds(view.flushed, entry))
      this.#fail('AckHonesty', `${at(sid, zxid)} acknowledges it while its disk has only ${formatZxid(view.flushed.zxid)}`);
  }

  #onNewLeaderAck(sid: Sid, leader: Sid, epoch: number): void {
    const view = this.#witness.server(sid);
    const key = `${sid} ${epoch}`;
    const other = this.#acknowledged.get(key);
    if (other !== undefined && other !== leader)
      this.#fail(
        'PrimaryUniqueness',
        `server ${sid} acknowledges NEWLEADER of epoch ${epoch} to server ${leader} after doing so to ${other}`,
      );
    this.#acknowledged.set(key, leader);
    if (view.flushedCurrentEpoch !== epoch)
      this.#fail('AckHonesty', `server ${sid} acknowledges NEWLEADER of epoch ${epoch} while its disk says ${view.flushedCurrentEpoch}`);
    const sent = this.#sent.get(`${leader} ${key}`);
    if (sent === undefined || !holds(view.flushed, sent))
      this.#fail(
        'AckHonesty',
        `server ${sid} acknowledges NEWLEADER of epoch ${epoch} before the history that came with it is on its disk (ZOOKEEPER-4646)`,
      );
  }

  /** Called before the history checker moves the flushed end. */
  onFlushed(sid: Sid, order: DiskOrder): void {
    const view = this.#witness.server(sid);
    switch (order.type) {
      case 'saveAcceptedEpoch':
        if (order.epoch < view.flushedAcceptedEpoch)
          this.#fail('PersistMonotonicity', `server ${sid} lowers acceptedEpoch from ${view.flushedAcceptedEpoch} to ${order.epoch}`);
        view.flushedAcceptedEpoch = order.epoch;
        return;
      case 'saveCurrentEpoch':
        if (order.epoch < view.flushedCurrentEpoch)
          this.#fail('PersistMonotonicity', `server ${sid} lowers currentEpoch from ${view.flushedCurrentEpoch} to ${order.epoch}`);
        if (order.epoch > view.flushedAcceptedEpoch && !this.#observes(sid))
          this.#fail(
            'PersistMonotonicity',
            `server ${sid} has currentEpoch ${order.epoch} above acceptedEpoch ${view.flushedAcceptedEpoch}`,
          );
        view.flushedCurrentEpoch = order.epoch;
        this.#checkHistory(sid, order.epoch);
        return;
      case 'saveMark':
        view.marked = order.mark !== undefined;
        return;
      case 'mend':
        view.marked = true;
        return;
      case 'append':
        if (epochOf(order.run.zxid) > view.flushedAcceptedEpoch && !this.#observes(sid))
          this.#fail('PersistMonotonicity', `${at(sid, order.run.zxid)} stores a txn above its promise, ${view.flushedAcceptedEpoch}`);
        return;
      case 'truncate':
        this.#checkCut(sid, cutAt(view.flushed, order.zxid), 'TRUNC');
        return;
      case 'installSnapshot': {
        const last = order.runs[order.runs.length - 1];
        const end = this.#witness.find(last === undefined ? order.snapshot.zxid : lastZxidOf(last));
        if (end !== undefined) this.#checkCut(sid, end, 'SNAP');
        return;
      }
    }
  }

  /** A server orders currentEpoch: with which history, is known now. */
  onEpochOrdered(sid: Sid, epoch: number): void {
    const view = this.#witness.server(sid);
    const leader = this.#invited.get(sid)?.leader ?? 0;
    const sent = view.state === 'LEADING' ? view.ordered : this.#sentFirst.get(`${leader} ${sid} ${epoch}`);
    if (sent === undefined)
      this.#fail('HistoryBeforeEpoch', `server ${sid} saves currentEpoch ${epoch} before its leader has sent the history of that epoch`);
    else this.#historyOf.set(`${sid} ${epoch}`, sent);
  }

  /** HistoryBeforeEpoch: the history of an epoch is on the disk when its number is (ZOOKEEPER-4643, 4785). */
  #checkHistory(sid: Sid, epoch: number): void {
    const { flushed } = this.#witness.server(sid);
    const history = this.#historyOf.get(`${sid} ${epoch}`);
    if (history !== undefined && !holds(flushed, history))
      this.#fail(
        'HistoryBeforeEpoch',
        `server ${sid} has currentEpoch ${epoch} on its disk before the history of that epoch: only ${formatZxid(flushed.zxid)} is there`,
      );
  }

  onSnapshotSaved(sid: Sid, snapshot: Snapshot): void {
    const view = this.#witness.server(sid);
    const entry = this.#witness.find(snapshot.zxid);
    if (entry === undefined || !holds(view.flushed, entry))
      this.#fail(
        'AppliedDurable',
        `${at(sid, snapshot.zxid)} has saved a snapshot that is ahead of its log, ${formatZxid(view.flushed.zxid)}`,
      );
  }

  /** What is committed and was on this disk is still there, or in a snapshot. */
  #checkCut(sid: Sid, end: Entry, how: string): void {
    const held = lastCommittedOf(this.#witness.server(sid).flushed);
    if (held.committedIndex <= lastCommittedOf(end).committedIndex) return;
    this.#fail(
      'CommittedLogDurability',
      `server ${sid} held ${formatZxid(held.zxid)}, which is committed; ${how} to ${formatZxid(end.zxid)} takes it off its disk`,
    );
  }

  /** The promise of a server without a vote binds nobody. */
  #observes(sid: Sid): boolean {
    return !this.#witness.votes(sid);
  }

  #fail(property: string, message: string): void {
    this.#witness.verdict.fail(property, message);
  }
}
