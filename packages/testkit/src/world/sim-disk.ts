/**
 * The disk of one server: what is flushed survives, what is not may be lost.
 *
 * The disk outlives its server. Each life opens it and is given a Storage; when that life ends, of the orders that had not been flushed a part survives: of
 * those that concern the history a prefix (the last of them perhaps in part), each epoch and the mark or not; every unfinished snapshot of the background
 * lane is lost. Disks also fail, fill up, become slow, rot, go back to an earlier state, or come back empty.
 */
import { assert, type Zxid } from '@quorate/protocol';
import { type Completion, lastZxidOf, type Mark, type Run, type Sid, type Snapshot, type Storage, type StoredImage } from '@quorate/zab';
import { DiskContent, type DiskOrder, type Part } from './disk-content.js';
import { Flushes, type FlushTimes } from './flushes.js';
import { between, chance } from './random-streams.js';
import type { EarlierContent, ServerDisk } from './server-disk.js';
import type { SimProcess } from './sim-process.js';

/** What a disk did that a disk may do: the server stops by itself, and that is right. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
}

/** Who is told what is on the disk: the facts against which promises are checked. */
export interface DiskObserver {
  /** This order would now survive the loss of power. */
  onFlushed(sid: Sid, order: DiskOrder): void;
  /** A snapshot of the server's own is safe. */
  onSnapshotSaved(sid: Sid, snapshot: Snapshot): void;
  /** A new life has read this. */
  onRecovered(sid: Sid, image: StoredImage): void;
  /** The disk has no longer what it had, but this. */
  onStoreLost(sid: Sid, image: StoredImage): void;
  /** A life has ended with this many unflushed orders, of which so many survived; `torn` where one of them did in part. */
  onPowerLost(
    sid: Sid,
    loss: { readonly unflushed: number; readonly survived: number; readonly torn: boolean; readonly snapshots: number },
  ): void;
}

export interface SimDiskOptions extends FlushTimes {
  readonly sid: Sid;
  readonly observer: DiskObserver;
  /** With which the disk of a founder begins. */
  readonly mark: Mark | undefined;
}

interface Pending {
  readonly order: DiskOrder;
  readonly done: Completion;
}

/** How much longer a snapshot takes than a flush. */
const SNAPSHOT_FLUSHES = 8;

interface PendingSnapshot {
  readonly zxid: Zxid;
  /** An own snapshot that was ordered before the leader's was installed is no longer of this history. */
  superseded: boolean;
}

export class SimDisk implements ServerDisk {
  readonly options: SimDiskOptions;
  #content: DiskContent;
  #lane: Pending[] = [];
  #flushing = 0;
  #saving = new Set<PendingSnapshot>();
  readonly #flushes: Flushes;
  /** The next flush fails with this. */
  #failure: string | undefined;
  isFull = false;
  /** The life that has the disk open. */
  #process: SimProcess | undefined;

  constructor(options: SimDiskOptions) {
    this.options = options;
    this.#flushes = new Flushes(options);
    this.#content = new DiskContent(options.mark);
  }

  open(process: SimProcess): Storage {
    assert(this.#process === undefined, 'a disk has one user at a time');
    this.#process = process;
    const mine = (): void => assert(this.#process === process, 'storage is not used after close');
    const order = (next: DiskOrder, done: Completion): void => {
      mine();
      this.#order(next, done);
    };
    return {
      recover: (done) => {
        mine();
        this.#flushes.after(1, () => process.enter(() => this.#recover(done)));
      },
      append: (run, done) => order({ type: 'append', run }, done),
      truncate: (zxid, done) => order({ type: 'truncate', zxid }, done),
      saveAcceptedEpoch: (epoch, done) => order({ type: 'saveAcceptedEpoch', epoch }, done),
      saveCurrentEpoch: (epoch, done) => order({ type: 'saveCurrentEpoch', epoch }, done),
      installSnapshot: (snapshot, runs, done) => order({ type: 'installSnapshot', snapshot, runs }, done),
      mend: (runs, done) => order({ type: 'mend', runs }, done),
      saveMark: (mark, done) => order({ type: 'saveMark', mark }, done),
      saveSnapshot: (zxid, pieces, done) => {
        mine();
        this.#saveSnapshot({ zxid, pieces }, done, process);
      },
      readLog: (after, _bytesMax, done) => {
        mine();
        this.#readLog(after, done, process);
      },
      close: () => {
        if (this.#process === process) this.#losePower();
      },
    };
  }

  #recover(done: (result: StoredImage | Error) => void): void {
    const image = this.#content.image(() => between(this.options.random, 0, 50));
    this.options.observer.onRecovered(this.options.sid, image);
    done(image);
  }

  // Faults

  get slowness(): number {
    return this.#flushes.slowness;
  }

  set slowness(times: number) {
    this.#flushes.slowness = times;
  }

  calm(): void {
    this.#failure = undefined;
    this.isFull = false;
    this.#flushes.calm();
  }

  failOnce(error: string): void {
    this.#failure = error;
  }

  get hasSnapshot(): boolean {
    return this.#content.hasSnapshot;
  }

  get entries(): number {
    return this.#content.entries;
  }

  get counts(): boolean {
    return this.#content.isMarked && this.#content.image(() => 50).damage === undefined;
  }

  remember(): EarlierContent {
    const content = this.#content.copy();
    return { isRotten: content.isRotten, isMarked: content.isMarked, restore: () => this.#replace(content.copy()) };
  }

  wipe(): void {
    this.#replace(new DiskContent(undefined));
  }

  rot(part: Part, at = 0): void {
    // One disk of an ensemble does: where the end is forgotten by all who had it, nobody can know of it (decision 25).
    this.#content.rot(part, at, this.options.sid === 1);
    this.#replace(this.#content);
  }

  #replace(content: DiskContent): void {
    assert(this.#process === undefined, 'a disk is lost while nobody has it open');
    this.#content = content;
    this.options.observer.onStoreLost(
      this.options.sid,
      content.image(() => 50),
    );
  }

  // The log lane

  #order(order: DiskOrder, done: Completion): void {
    if (order.type === 'installSnapshot') for (const pending of this.#saving) pending.superseded = true;
    this.#lane.push({ order, done });
    if (this.#flushing === 0) {
      this.#flushing = -1;
      // What one turn orders is flushed together.
      this.options.clock.defer(this.#beginFlush);
    }
  }

  readonly #beginFlush = (): void => {
    if (this.#flushing !== -1) return;
    this.#flushing = this.#lane.length;
    const process = this.#process;
    this.#flushes.after(1, () => {
      if (this.#process === process && process !== undefined) this.#endFlush(process);
    });
  };

  #endFlush(process: SimProcess): void {
    const flushed = this.#lane.splice(0, this.#flushing);
    this.#flushing = 0;
    const failure = this.#failureOf(flushed);
    if (failure !== undefined) {
      this.#failure = undefined;
      this.#survive([...flushed, ...this.#lane.splice(0)]);
      process.enter(() => (flushed[0] as Pending).done(new DiskError(failure)));
      return;
    }
    for (const { order } of flushed) this.#perform(order);
    process.enter(() => {
      for (const { done } of flushed) done();
    });
    if (this.#lane.length > 0 && this.#process === process) {
      this.#flushing = -1;
      this.#beginFlush();
    }
  }

  #failureOf(flushed: readonly Pending[]): string | undefined {
    if (this.#failure !== undefined) return this.#failure;
    const grows = flushed.some(({ order: { type } }) => type === 'append' || type === 'installSnapshot' || type === 'mend');
    return this.isFull && grows ? 'ENOSPC: no space left on device' : undefined;
  }

  #perform(order: DiskOrder): void {
    this.#content.perform(order);
    if (order.type === 'installSnapshot') for (const pending of this.#saving) pending.superseded = true;
    this.options.observer.onFlushed(this.options.sid, order);
  }

  // Beside it

  #readLog(after: Zxid, done: (result: readonly Run[] | undefined) => void, process: SimProcess): void {
    // What was ordered before is in the log that is read, also where it is not flushed yet.
    const content = this.#lane.length === 0 ? this.#content : this.#content.copy();
    for (const { order } of this.#lane) content.perform(order);
    const runs = content.read(after, between(this.options.random, 1, 40));
    this.#flushes.after(1, () => {
      if (this.#process === process) process.enter(() => done(runs));
    });
  }

  #saveSnapshot(
    { zxid, pieces }: { readonly zxid: Zxid; readonly pieces: Iterable<Uint8Array> },
    done: Completion,
    process: SimProcess,
  ): void {
    const pending: PendingSnapshot = { zxid, superseded: false };
    this.#saving.add(pending);
    this.#flushes.after(SNAPSHOT_FLUSHES, () => {
      if (!this.#saving.delete(pending)) return;
      process.enter(() => {
        if (this.#process !== process) return;
        // The pieces are taken long after the snapshot was ordered.
        if (!pending.superseded) this.#keepSnapshot({ zxid, pieces: [...pieces] });
        done();
      });
    });
  }

  #keepSnapshot(snapshot: Snapshot): void {
    this.#content.keepSnapshot(snapshot, chance(this.options.random, 500));
    this.options.observer.onSnapshotSaved(this.options.sid, snapshot);
  }

  // The end of a life

  #losePower(): void {
    const lane = this.#lane;
    this.#lane = [];
    this.#flushing = 0;
    const { survived, torn } = this.#survive(lane);
    const snapshots = this.#saving.size;
    this.#saving.clear();
    this.#process = undefined;
    this.options.observer.onPowerLost(this.options.sid, { unflushed: lane.length, survived, torn, snapshots });
  }

  /** What becomes of orders that were not flushed: a prefix of the history's, any of the others'. */
  #survive(lane: readonly Pending[]): { readonly survived: number; readonly torn: boolean } {
    const { random } = this.options;
    const history = lane.filter(({ order }) => isHistory(order));
    let left = history.length === 0 ? 0 : between(random, 0, history.length);
    let survived = 0;
    let torn: boolean | undefined;
    for (const { order } of lane) {
      if (isHistory(order)) {
        if (left === 0) torn ??= this.#tear(order);
        if (torn !== undefined) continue;
        left--;
      } else if (chance(random, 500)) {
        continue;
      }
      survived++;
      this.#perform(order);
    }
    return { survived, torn: torn === true };
  }

  /** The first order that did not survive may have been under way: of a run, some txns are there. */
  #tear(order: DiskOrder): boolean {
    if (order.type !== 'append' || order.run.payloads.length < 2 || chance(this.options.random, 500)) return false;
    const count = between(this.options.random, 1, order.run.payloads.length - 1);
    const run: Run = { zxid: order.run.zxid, payloads: order.run.payloads.slice(0, count) };
    assert(lastZxidOf(run) < lastZxidOf(order.run), 'a torn run is shorter');
    this.#perform({ type: 'append', run });
    return true;
  }
}

/** Orders that stand in one file and are lost from one place on; the others are files of their own. */
function isHistory({ type }: DiskOrder): boolean {
  return type === 'append' || type === 'truncate' || type === 'installSnapshot' || type === 'mend';
}
