/**
 * The disk of one server: what is flushed survives, what is not may be lost from a random point on.
 *
 * The disk outlives its server. Each life opens it and is given a Storage; when that life ends, a prefix of the orders that had not been
 * flushed survives (the last of them perhaps in part), the rest and every unfinished snapshot of the background lane is lost.
 */

import type { Random, VirtualClock } from '@quorate/ports';
import { assert, epochOf, type Zxid } from '@quorate/protocol';
import { type Completion, lastZxidOf, type Run, type Sid, type Snapshot, type Storage, type StoredImage } from '@quorate/zab';
import { between, chance, millis } from './random-streams.js';
import type { SimProcess } from './sim-process.js';

/** An order of the log lane. */
export type DiskOrder =
  | { readonly type: 'append'; readonly run: Run }
  | { readonly type: 'truncate'; readonly zxid: Zxid }
  | { readonly type: 'saveAcceptedEpoch'; readonly epoch: number }
  | { readonly type: 'saveCurrentEpoch'; readonly epoch: number }
  | { readonly type: 'installSnapshot'; readonly snapshot: Snapshot; readonly runs: readonly Run[] };

/** Who is told what is on the disk: the facts against which promises are checked. */
export interface DiskObserver {
  /** This order would now survive the loss of power. */
  onFlushed(sid: Sid, order: DiskOrder): void;
  /** A snapshot of the server's own is safe. */
  onSnapshotSaved(sid: Sid, snapshot: Snapshot): void;
  /** A new life has read this. */
  onRecovered(sid: Sid, image: StoredImage): void;
  /** A life has ended with this many unflushed orders, of which so many survived; `torn` where one of them did in part. */
  onPowerLost(
    sid: Sid,
    loss: { readonly unflushed: number; readonly survived: number; readonly torn: boolean; readonly snapshots: number },
  ): void;
}

export interface SimDiskOptions {
  readonly sid: Sid;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly observer: DiskObserver;
  readonly flushMinMs: number;
  readonly flushMaxMs: number;
  /** How many of a thousand flushes take up to forty times as long. */
  readonly spikePermille: number;
}

interface Pending {
  readonly order: DiskOrder;
  readonly done: Completion;
}

interface PendingSnapshot {
  readonly snapshot: Snapshot;
  readonly done: Completion;
  /** An own snapshot that was ordered before the leader's was installed is no longer of this history. */
  superseded: boolean;
}

export class SimDisk {
  readonly options: SimDiskOptions;
  #acceptedEpoch = 0;
  #currentEpoch = 0;
  #snapshot: Snapshot | undefined;
  /** The log above the snapshot, one entry per txn: dumber than the log that it checks. */
  #zxids: Zxid[] = [];
  #payloads: Uint8Array[] = [];
  #lane: Pending[] = [];
  #flushing = 0;
  #saving = new Set<PendingSnapshot>();
  #calm = false;
  /** The life that has the disk open. */
  #process: SimProcess | undefined;

  constructor(options: SimDiskOptions) {
    this.options = options;
  }

  /** Opens the disk for a new life of its server. */
  open(process: SimProcess): Storage {
    assert(this.#process === undefined, 'a disk has one user at a time');
    this.#process = process;
    const mine = (): boolean => this.#process === process;
    const order = (next: DiskOrder, done: Completion): void => {
      assert(mine(), 'storage is not used after close');
      this.#order(next, done);
    };
    return {
      recover: (done) => {
        assert(mine(), 'storage is not used after close');
        this.options.clock.setTimer(this.#drawFlushMs(), () => process.enter(() => this.#recover(done)));
      },
      append: (run, done) => order({ type: 'append', run }, done),
      truncate: (zxid, done) => order({ type: 'truncate', zxid }, done),
      saveAcceptedEpoch: (epoch, done) => order({ type: 'saveAcceptedEpoch', epoch }, done),
      saveCurrentEpoch: (epoch, done) => order({ type: 'saveCurrentEpoch', epoch }, done),
      installSnapshot: (snapshot, runs, done) => order({ type: 'installSnapshot', snapshot, runs }, done),
      saveSnapshot: (snapshot, done) => {
        assert(mine(), 'storage is not used after close');
        this.#saveSnapshot(snapshot, done, process);
      },
      close: () => {
        if (mine()) this.#losePower();
      },
    };
  }

  /** From now on no flush takes longer than it should. */
  calm(): void {
    this.#calm = true;
  }

  #recover(done: (result: StoredImage | Error) => void): void {
    const image: StoredImage = {
      acceptedEpoch: this.#acceptedEpoch,
      currentEpoch: this.#currentEpoch,
      snapshot: this.#snapshot,
      runs: this.#runs(),
    };
    this.options.observer.onRecovered(this.options.sid, image);
    done(image);
  }

  /** The log as runs, cut where an epoch ends and, being a dumb reader, at random lengths. */
  #runs(): Run[] {
    const above = this.#snapshot?.zxid ?? 0;
    const runs: { zxid: Zxid; payloads: Uint8Array[] }[] = [];
    let room = 0;
    for (let i = 0; i < this.#zxids.length; i++) {
      const zxid = this.#zxids[i] as Zxid;
      if (zxid <= above) continue;
      const last = runs[runs.length - 1];
      if (last === undefined || room === 0 || epochOf(last.zxid) !== epochOf(zxid)) {
        runs.push({ zxid, payloads: [this.#payloads[i] as Uint8Array] });
        room = between(this.options.random, 0, 50);
      } else {
        last.payloads.push(this.#payloads[i] as Uint8Array);
        room--;
      }
    }
    return runs;
  }

  // The log lane

  #order(order: DiskOrder, done: Completion): void {
    if (order.type === 'installSnapshot') for (const pending of this.#saving) pending.superseded = true;
    this.#lane.push({ order, done });
    if (this.#flushing === 0) {
      this.#flushing = -1;
      // What one turn orders is flushed together.
      this.options.clock.defer(() => this.#beginFlush());
    }
  }

  #beginFlush(): void {
    if (this.#flushing !== -1) return;
    this.#flushing = this.#lane.length;
    const process = this.#process;
    this.options.clock.setTimer(this.#drawFlushMs(), () => {
      if (this.#process === process && process !== undefined) this.#endFlush(process);
    });
  }

  #endFlush(process: SimProcess): void {
    const flushed = this.#lane.splice(0, this.#flushing);
    this.#flushing = 0;
    for (const { order } of flushed) this.#perform(order);
    process.enter(() => {
      for (const { done } of flushed) done();
    });
    if (this.#lane.length > 0) {
      this.#flushing = -1;
      this.#beginFlush();
    }
  }

  #perform(order: DiskOrder): void {
    switch (order.type) {
      case 'append':
        this.#append(order.run);
        break;
      case 'truncate':
        while (this.#zxids.length > 0 && (this.#zxids[this.#zxids.length - 1] as Zxid) > order.zxid) {
          this.#zxids.pop();
          this.#payloads.pop();
        }
        break;
      case 'saveAcceptedEpoch':
        this.#acceptedEpoch = order.epoch;
        break;
      case 'saveCurrentEpoch':
        this.#currentEpoch = order.epoch;
        break;
      case 'installSnapshot':
        this.#snapshot = order.snapshot;
        this.#zxids = [];
        this.#payloads = [];
        for (const run of order.runs) this.#append(run);
        for (const pending of this.#saving) pending.superseded = true;
        break;
    }
    this.options.observer.onFlushed(this.options.sid, order);
  }

  #append(run: Run): void {
    for (let i = 0; i < run.payloads.length; i++) {
      this.#zxids.push((run.zxid + i) as Zxid);
      this.#payloads.push(run.payloads[i] as Uint8Array);
    }
  }

  // The background lane

  #saveSnapshot(snapshot: Snapshot, done: Completion, process: SimProcess): void {
    const pending: PendingSnapshot = { snapshot, done, superseded: false };
    this.#saving.add(pending);
    this.options.clock.setTimer(this.#drawFlushMs() * 8, () => {
      if (!this.#saving.delete(pending)) return;
      if (!pending.superseded) this.#keepSnapshot(snapshot);
      process.enter(() => done());
    });
  }

  #keepSnapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    // Entries that it covers may be dropped, or stay: both are met by a reader.
    if (chance(this.options.random, 500)) {
      const kept = this.#zxids.findIndex((zxid) => zxid > snapshot.zxid);
      const count = kept === -1 ? this.#zxids.length : kept;
      this.#zxids.splice(0, count);
      this.#payloads.splice(0, count);
    }
    this.options.observer.onSnapshotSaved(this.options.sid, snapshot);
  }

  // The end of a life

  #losePower(): void {
    const { random, observer, sid } = this.options;
    const unflushed = this.#lane.length;
    const survivors = unflushed === 0 ? 0 : between(random, 0, unflushed);
    const lane = this.#lane;
    this.#lane = [];
    this.#flushing = 0;
    for (let i = 0; i < survivors; i++) this.#perform((lane[i] as Pending).order);
    const torn = this.#tear(lane[survivors]?.order);
    const snapshots = this.#saving.size;
    this.#saving.clear();
    this.#process = undefined;
    observer.onPowerLost(sid, { unflushed, survived: survivors, torn, snapshots });
  }

  /** The first order that did not survive may have been under way: of a run, some txns are there. */
  #tear(order: DiskOrder | undefined): boolean {
    if (order?.type !== 'append' || order.run.payloads.length < 2 || chance(this.options.random, 500)) return false;
    const count = between(this.options.random, 1, order.run.payloads.length - 1);
    const run: Run = { zxid: order.run.zxid, payloads: order.run.payloads.slice(0, count) };
    assert(lastZxidOf(run) < lastZxidOf(order.run), 'a torn run is shorter');
    this.#perform({ type: 'append', run });
    return true;
  }

  #drawFlushMs(): number {
    const { random, flushMinMs, flushMaxMs, spikePermille } = this.options;
    const flush = millis(random, flushMinMs, flushMaxMs);
    return !this.#calm && chance(random, spikePermille) ? flush * millis(random, 2, 40) : flush;
  }
}
