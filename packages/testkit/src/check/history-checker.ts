/**
 * HistoryConsistency: whatever a server orders to be stored is a txn that was proposed, as it was proposed, behind the very history that stood
 * before it at its proposer. Then two histories that share a zxid share all below it, on disk and on the way there.
 *
 * It also keeps the two ends of each server's history: what is ordered and what is flushed.
 */
import { formatZxid, type Zxid } from '@quorate/protocol';
import type { Run, Sid, Snapshot, StoredImage } from '@quorate/zab';
import type { DiskOrder } from '../world/disk-content.js';
import { at, cutAt, type Entry, holds, lastCommittedOf, sameBytes, type Witness } from './witness.js';

export class HistoryChecker {
  readonly #witness: Witness;

  constructor(witness: Witness) {
    this.#witness = witness;
  }

  /** A server orders a run that another has proposed. */
  onAppend(sid: Sid, run: Run): void {
    const view = this.#witness.server(sid);
    view.ordered = this.#extended(sid, view.ordered, run) ?? view.ordered;
  }

  onMend(sid: Sid, runs: readonly Run[]): void {
    for (const run of runs) this.onAppend(sid, run);
  }

  onTruncate(sid: Sid, zxid: Zxid): void {
    const view = this.#witness.server(sid);
    view.ordered = this.#cut(sid, view.ordered, zxid);
  }

  onInstall(sid: Sid, snapshot: Snapshot, runs: readonly Run[]): void {
    const view = this.#witness.server(sid);
    view.ordered = this.#endOf(sid, snapshot, runs) ?? view.ordered;
  }

  /** Called after the persistence checker has seen the order. */
  onFlushed(sid: Sid, order: DiskOrder): void {
    const view = this.#witness.server(sid);
    if (order.type === 'append') view.flushed = this.#extended(sid, view.flushed, order.run) ?? view.flushed;
    else if (order.type === 'truncate') view.flushed = this.#cut(sid, view.flushed, order.zxid);
    else if (order.type === 'installSnapshot') view.flushed = this.#endOf(sid, order.snapshot, order.runs) ?? view.flushed;
    else if (order.type === 'mend') this.#onMended(sid, order.runs);
    // Without its mark a store is not mended any more.
    if (order.type === 'truncate' || order.type === 'installSnapshot' || order.type === 'saveMark') view.beforeDamage = undefined;
  }

  /** MendedWhole: a store that is made whole has nothing but what it had, and of that all that is committed: what nobody else has may be gone from its end. */
  #onMended(sid: Sid, runs: readonly Run[]): void {
    const view = this.#witness.server(sid);
    for (const run of runs) view.flushed = this.#extended(sid, view.flushed, run) ?? view.flushed;
    const before = view.beforeDamage ?? view.flushed;
    view.beforeDamage = undefined;
    if (holds(before, view.flushed) && holds(view.flushed, lastCommittedOf(before))) return;
    const ends = `ends at ${formatZxid(view.flushed.zxid)} and ended at ${formatZxid(before.zxid)}`;
    this.#witness.verdict.fail('MendedWhole', `server ${sid} has mended its store, which ${ends}`);
  }

  /** The disk of a server that is down is not what it was. */
  onStoreLost(sid: Sid, image: StoredImage): void {
    const view = this.#witness.server(sid);
    view.lost.push(view.flushed);
    view.beforeDamage = image.damage === undefined ? undefined : (view.beforeDamage ?? view.flushed);
    view.flushed = this.#endOf(sid, image.snapshot, image.runs) ?? view.flushed;
    view.flushedAcceptedEpoch = image.acceptedEpoch;
    view.flushedCurrentEpoch = image.currentEpoch;
    view.marked = image.mark !== undefined && image.damage === undefined;
  }

  /** What a new life reads is what was flushed: no less, and no other. */
  onRecovered(sid: Sid, image: StoredImage): void {
    const view = this.#witness.server(sid);
    view.delivered = this.#snapshotEnd(sid, image.snapshot?.zxid ?? (0 as Zxid)) ?? view.delivered;
    const end = this.#endOf(sid, image.snapshot, image.runs);
    if (end === undefined) return;
    if (end !== view.flushed)
      this.#witness.verdict.fail(
        'DurableHistory',
        `server ${sid} has read a history that ends at ${formatZxid(end.zxid)}, but ${formatZxid(view.flushed.zxid)} was flushed`,
      );
    view.ordered = end;
  }

  /** The end of a history that is a snapshot and the runs above it. */
  #endOf(sid: Sid, snapshot: Snapshot | undefined, runs: readonly Run[]): Entry | undefined {
    let end = this.#snapshotEnd(sid, snapshot?.zxid ?? (0 as Zxid));
    for (const run of runs) end = end === undefined ? undefined : this.#extended(sid, end, run);
    return end;
  }

  #extended(sid: Sid, end: Entry, run: Run): Entry | undefined {
    const { verdict } = this.#witness;
    let last = end;
    for (let i = 0; i < run.payloads.length; i++) {
      const zxid = (run.zxid + i) as Zxid;
      const entry = this.#witness.find(zxid);
      if (entry === undefined) {
        verdict.fail('Integrity', `${at(sid, zxid)} stores a txn that nobody has proposed`);
        return undefined;
      }
      if (!sameBytes(entry.payload, run.payloads[i] as Uint8Array)) {
        verdict.fail('Integrity', `${at(sid, zxid)} stores other bytes than were proposed`);
        return undefined;
      }
      if (entry.prev !== last) {
        const before = formatZxid(entry.prev?.zxid ?? (0 as Zxid));
        verdict.fail(
          'HistoryConsistency',
          `${at(sid, zxid)} stores it behind ${formatZxid(last.zxid)}, but its proposer had ${before} before it`,
        );
        return undefined;
      }
      last = entry;
    }
    return last;
  }

  #cut(sid: Sid, end: Entry, zxid: Zxid): Entry {
    const result = cutAt(end, zxid);
    if (result.zxid !== zxid)
      this.#witness.verdict.fail('HistoryConsistency', `${at(sid, zxid)} cuts its history at a place that is not in it`);
    return result;
  }

  #snapshotEnd(sid: Sid, zxid: Zxid): Entry | undefined {
    const entry = this.#witness.find(zxid);
    if (entry !== undefined && entry.committedIndex >= 0) return entry;
    this.#witness.verdict.fail('CommitConsistency', `${at(sid, zxid)} has a snapshot of a state that was never committed`);
    return undefined;
  }
}
