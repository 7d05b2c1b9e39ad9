/**
 * What a primary may do: one per epoch, complete at its start, gapless in its proposals (Zab paper: Local primary order, Global primary order,
 * Primary integrity; ZooKeeper's TLA+ Leadership, LeaderLogCompleteness).
 */
import { counterOf, epochOf, formatZxid, makeZxid, type Zxid } from '@quorate/protocol';
import { type Config, hasQuorum, type Run, type Sid } from '@quorate/zab';
import { at, type Entry, holds, type Witness } from './witness.js';

/** What an application may still propose after its leader has had all the txns that an epoch may have. */
const PROPOSED_MEANWHILE_MAX = 100;

export class PrimaryChecker {
  readonly #witness: Witness;
  readonly #epochTxnsMax: number;
  /** Who has sent ACK(NEWLEADER) for an epoch. */
  readonly #acknowledged = new Map<number, Set<Sid>>();

  /** Who has promised an epoch to its leader, and been counted. */
  readonly #promised = new Map<number, Set<Sid>>();
  /** By leader: its latest epoch. */
  readonly #lastEpochOf = new Map<Sid, number>();
  /** By leader: the epoch that it has invited learners to. */
  readonly #invitedTo = new Map<Sid, number>();
  /** By server: the epoch in which it gets its vote. */
  readonly #regaining = new Map<Sid, number>();

  /** @param epochTxnsMax how many txns an epoch may have, but for those that are proposed while the application is told to stop. */
  constructor(witness: Witness, epochTxnsMax = Number.POSITIVE_INFINITY) {
    this.#witness = witness;
    this.#epochTxnsMax = epochTxnsMax;
  }

  /** A leader names its epoch to a learner. */
  onInvitation(leader: Sid, epoch: number): void {
    const { leads, ordered, delivered } = this.#witness.server(leader);
    if (leads && epoch > (this.#lastEpochOf.get(leader) ?? 0) && ordered !== delivered)
      this.#fail(
        'EpochEnds',
        `server ${leader} goes on to epoch ${epoch} with ${formatZxid(ordered.zxid)} proposed and only ${formatZxid(delivered.zxid)} delivered`,
      );
    this.#invitedTo.set(leader, epoch);
  }

  /** A leader tells a learner to lead. */
  onHandOver(leader: Sid, successor: Sid): void {
    const { ordered, delivered } = this.#witness.server(leader);
    const { flushed } = this.#witness.server(successor);
    const regained = this.#regaining.get(successor);
    const counts = this.#witness.votes(successor) || (regained !== undefined && regained === this.#invitedTo.get(leader));
    if (ordered !== delivered || !holds(flushed, ordered) || !counts)
      this.#fail(
        'HandOverComplete',
        `server ${leader} at ${formatZxid(ordered.zxid)}, having delivered ${formatZxid(delivered.zxid)}, hands over to server ${successor}, whose disk has ${formatZxid(flushed.zxid)}`,
      );
  }

  /** A server without a vote goes with its leader into an epoch that begins after it came: in that epoch it gets its vote. */
  onRegains(sid: Sid, epoch: number): void {
    this.#regaining.set(sid, epoch);
  }

  /** A learner has promised an epoch for the first time. */
  onPromised(sid: Sid, epoch: number): void {
    const promised = this.#promised.get(epoch) ?? new Set<Sid>();
    promised.add(sid);
    this.#promised.set(epoch, promised);
  }

  /** A leader sends its history to a learner: DISCOVERY must have ended, so that no other history can have been the right one. */
  onSynchronize(leader: Sid): void {
    const epoch = this.#invitedTo.get(leader) ?? 0;
    const promised = new Set(this.#promised.get(epoch));
    if (this.#witness.server(leader).flushedAcceptedEpoch >= epoch) promised.add(leader);
    if (hasQuorum(this.#witness.config, (sid) => promised.has(sid))) return;
    this.#fail(
      'QuorumPromise',
      `server ${leader} sends its history in epoch ${epoch}, which only servers [${[...promised].join(' ')}] have promised`,
    );
  }

  onNewLeaderAcknowledged(sid: Sid, epoch: number): void {
    const acknowledged = this.#acknowledged.get(epoch) ?? new Set<Sid>();
    acknowledged.add(sid);
    this.#acknowledged.set(epoch, acknowledged);
  }

  /** A leader begins to serve. */
  onEstablished(sid: Sid, epoch: number, at: { readonly nowMs: number; readonly renewed: boolean }): void {
    const { established, committed, config } = this.#witness;
    const view = this.#witness.server(sid);
    if (!isEligible(config, sid)) {
      this.#fail(
        'LeaderEligibility',
        `server ${sid} is established in epoch ${epoch}, and must not lead: it observes, or its vote weighs nothing`,
      );
      return;
    }
    const other = established.get(epoch);
    if (other !== undefined) {
      this.#fail('PrimaryUniqueness', `server ${sid} is established in epoch ${epoch}, which had server ${other.leader} as its leader`);
      return;
    }
    const last = lastBelowEpoch(committed, epoch);
    if (!holds(view.ordered, last)) {
      this.#fail(
        'LeaderCompleteness',
        `server ${sid} is established in epoch ${epoch} without ${formatZxid(last.zxid)}, which is committed`,
      );
      return;
    }
    const supporters = new Set(this.#acknowledged.get(epoch));
    if (view.flushedCurrentEpoch >= epoch) supporters.add(sid);
    if (!hasQuorum(config, (voter) => supporters.has(voter)))
      this.#fail('QuorumSynchronization', `server ${sid} is established in epoch ${epoch} by servers [${[...supporters].join(' ')}] alone`);
    const previous = established.get(this.#lastEpochOf.get(sid) ?? 0);
    const termAtMs = at.renewed && previous !== undefined ? previous.termAtMs : at.nowMs;
    established.set(epoch, { epoch, leader: sid, initial: view.ordered, termAtMs });
    this.#lastEpochOf.set(sid, epoch);
    if (epoch > this.#witness.newestEpoch) this.#witness.newestEpoch = epoch;
  }

  /** A leader proposes: its history grows by txns that did not exist before. */
  onPropose(sid: Sid, run: Run, nowMs: number): void {
    const view = this.#witness.server(sid);
    const epoch = epochOf(run.zxid);
    const establishment = this.#witness.established.get(epoch);
    if (establishment === undefined || establishment.leader !== sid) {
      this.#fail('PrimaryUniqueness', `${at(sid, run.zxid)} proposes in an epoch that it does not lead`);
      return;
    }
    const before = view.ordered;
    if (run.zxid <= before.zxid) {
      this.#fail('GlobalPrimaryOrder', `${at(sid, run.zxid)} proposes it behind ${formatZxid(before.zxid)}`);
      return;
    }
    const expected = epochOf(before.zxid) === epoch ? counterOf(before.zxid) + 1 : 1;
    if (counterOf(run.zxid) !== expected) {
      this.#fail('LocalPrimaryOrder', `${at(sid, run.zxid)} proposes it behind ${formatZxid(before.zxid)}`);
      return;
    }
    if (counterOf(run.zxid) > this.#epochTxnsMax + PROPOSED_MEANWHILE_MAX) {
      this.#fail('EpochEnds', `${at(sid, run.zxid)} goes on in an epoch that has had its ${this.#epochTxnsMax} txns (ZOOKEEPER-1277)`);
      return;
    }
    if (expected === 1) this.#checkPrimaryIntegrity(sid, epoch);
    let last = before;
    for (let i = 0; i < run.payloads.length; i++) {
      const zxid = (run.zxid + i) as Zxid;
      if (this.#witness.find(zxid) !== undefined) {
        this.#fail('Integrity', `${at(sid, zxid)} proposes under a zxid that is taken`);
        return;
      }
      last = this.#witness.propose({ proposer: sid, zxid, payload: run.payloads[i] as Uint8Array, prev: last, nowMs });
    }
    view.ordered = last;
  }

  /** Before its first proposal a primary has delivered all that any server has delivered of the epochs before. */
  #checkPrimaryIntegrity(sid: Sid, epoch: number): void {
    const last = lastBelowEpoch(this.#witness.committed, epoch);
    const { delivered } = this.#witness.server(sid);
    if (delivered.committedIndex >= last.committedIndex) return;
    this.#fail(
      'PrimaryIntegrity',
      `${at(sid, makeZxid(epoch, 1))} proposes, having delivered up to ${formatZxid(delivered.zxid)} only; others have delivered ${formatZxid(last.zxid)}`,
    );
  }

  #fail(property: string, message: string): void {
    this.#witness.verdict.fail(property, message);
  }
}

/** Asked of the config itself, and not of the rules that are under test. */
function isEligible({ voters, groups }: Config, sid: Sid): boolean {
  return voters.includes(sid) && (groups === undefined || groups.some(({ weights }) => (weights.get(sid) ?? 0) > 0));
}

/** The last entry of G that belongs to an earlier epoch. */
function lastBelowEpoch(committed: readonly Entry[], epoch: number): Entry {
  let index = committed.length - 1;
  while (epochOf((committed[index] as Entry).zxid) >= epoch && index > 0) index--;
  return committed[index] as Entry;
}
