/**
 * The storage of one server over a disk: a log in segments, snapshots, and a manifest that says what counts.
 *
 * The log lane does one thing after the other, so that what survives is always a prefix of what was ordered; appends that have come while another was flushed are written
 * and flushed together. Snapshots and the removal of files go on beside it. They meet in the manifest alone, whose changes are made in one turn.
 */
import { type Clock, type Disk, DiskError, type DiskFile } from '@quorate/ports';
import { assert, type Zxid } from '@quorate/protocol';
import { type Completion, follows, lastZxidOf, type Mark, type Run, type Snapshot, type Storage, type StoredImage } from '@quorate/zab';
import { fileName } from './file-names.js';
import { BATCH_BYTES_MAX, SEGMENT_BYTES, SNAPSHOTS_KEPT } from './limits.js';
import { cutSegment, readLog } from './log-reader.js';
import type { Manifest, SnapshotEntry } from './manifest.js';
import { ManifestStore } from './manifest-store.js';
import type { Notice } from './notice.js';
import { recordBytes } from './record.js';
import { type Recovered, recover } from './recovery.js';
import { closed, type Segment } from './segment.js';
import { SEGMENT_HEAD_BYTES } from './segment-header.js';
import { type Batch, batchOf, partsOf, SegmentWriter } from './segment-writer.js';
import { writeSnapshot } from './snapshot-file.js';
import { makeSegmentFile, removeFile, SpareSegment } from './spare-segment.js';
import { type Steps, wait } from './steps.js';
import { Tasks } from './tasks.js';

export interface LogStorageOptions {
  readonly disk: Disk;
  /** What comes in one turn is written together: `defer` alone is used. */
  readonly clock: Pick<Clock, 'defer'>;
  /** The room that is reserved for the records of a segment, and of the next one ahead of its need, in bytes; 64 MiB when absent. */
  readonly segmentBytes?: number;
  /** Told of what an operator should know. Nobody is when absent. */
  readonly onNotice?: (notice: Notice) => void;
}

type Order =
  | { readonly run: Run; readonly done: Completion }
  | { readonly run: undefined; readonly steps: () => Steps<void>; readonly done: Completion };

interface Waiting {
  /** Of completed orders. */
  readonly count: number;
  readonly done: () => void;
}

interface PendingSnapshot {
  readonly zxid: Zxid;
  /** An own snapshot that was ordered before the leader's was installed is no longer of this history. */
  superseded: boolean;
}

export class LogStorage implements Storage {
  readonly #disk: Disk;
  readonly #clock: Pick<Clock, 'defer'>;
  /** How long the file of a segment is made, if no batch needs more. */
  readonly #segmentBytes: number;
  readonly #onNotice: (notice: Notice) => void;
  readonly #manifest: ManifestStore;
  readonly #tasks: Tasks;
  readonly #spare: SpareSegment;
  #recovered: Recovered | undefined;
  /** Nothing is added to a damaged history before it has been cut or replaced. */
  #damaged = false;
  #segments: Segment[] = [];
  #snapshots: SnapshotEntry[] = [];
  /** At the end of the last segment; undefined where the next append begins another. */
  #writer: SegmentWriter | undefined;
  #nextId = 1;
  /** The last entry of the log, with all that has been ordered. */
  #tail = 0 as Zxid;
  readonly #lane: Order[] = [];
  #working = false;
  /** Orders of the lane, since the beginning. */
  #ordered = 0;
  #completed = 0;
  /** Who waits until so many have completed; in order. */
  readonly #waiting: Waiting[] = [];
  readonly #saving = new Set<PendingSnapshot>();

  constructor({ disk, clock, segmentBytes = SEGMENT_BYTES, onNotice = () => {} }: LogStorageOptions) {
    this.#disk = disk;
    this.#clock = clock;
    this.#segmentBytes = SEGMENT_HEAD_BYTES + segmentBytes;
    this.#onNotice = onNotice;
    this.#manifest = new ManifestStore(disk);
    this.#spare = new SpareSegment(disk);
    this.#tasks = new Tasks({
      clock,
      onFailure: (error) => {
        for (const { done } of this.#lane.splice(0)) this.#tasks.later(() => done(error));
      },
      onEnd: () => disk.close(),
    });
  }

  /**
   * Founds an ensemble: marks this empty store as that of one of its first voters, before `recover`. Every voter's store is marked once.
   *
   * Completes with a RangeError where the store is not empty, or the ensemble has no name.
   */
  format(mark: Mark, done: Completion): void {
    this.#tasks.inTheBackground(
      () => this.#format(mark),
      this.#tasks.answering<void>((error) => done(error ?? undefined)),
    );
  }

  *#format(mark: Mark): Steps<void> {
    if (mark.ensembleId === '') throw new RangeError('an ensemble has a name: ensembleId must not be empty');
    const { image } = yield* this.#open();
    const isEmpty = image.acceptedEpoch === 0 && image.mark === undefined && image.snapshot === undefined && image.runs.length === 0;
    if (!isEmpty || image.damage !== undefined) throw new RangeError('only an empty store can be formatted: this one has been in use');
    yield* this.#manifest.update((manifest) => ({ ...manifest, mark }));
  }

  recover(done: (result: StoredImage | Error) => void): void {
    this.#tasks.inTheBackground(() => this.#recover(), this.#tasks.answering(done));
  }

  *#recover(): Steps<StoredImage> {
    const { image } = yield* this.#open();
    const { mark } = this.#manifest.current;
    return { ...image, mark };
  }

  /** Takes the disk, reads it, and makes sure that what was read would be read again. */
  *#open(): Steps<Recovered> {
    if (this.#recovered !== undefined) return this.#recovered;
    yield* wait<void>((done) => this.#disk.lock(done));
    const recovered = yield* recover(this.#disk, this.#manifest);
    this.#recovered = recovered;
    this.#damaged = recovered.damage !== undefined;
    // One that a crash has left empty is begun again under another number.
    this.#segments = recovered.segments.filter(({ isEmpty }) => !isEmpty);
    this.#snapshots = [...recovered.snapshots];
    this.#nextId = recovered.nextId;
    this.#tail = this.#lastZxid;
    for (const damage of recovered.spared) this.#notice({ type: 'spared', damage });
    // What is damaged stays as it is, as evidence and because more of it may be readable one day.
    if (!this.#damaged) yield* this.#settle(recovered);
    else if (!recovered.manifest.historyLost) yield* this.#manifest.settle();
    return recovered;
  }

  /** Closes the last segment: its end is written down, and what a crash has torn behind it counts no more. */
  *#settle({ manifest, garbage }: Recovered): Steps<void> {
    const last = manifest.segments[manifest.segments.length - 1];
    if (last !== undefined && last.end === undefined) {
      const file = yield* wait<DiskFile>((done) => this.#disk.open(fileName('segment', last.id), done));
      yield* wait<void>((done) => file.flush(done));
      file.close();
    }
    yield* this.#manifest.settle((was) => this.#withHistory(was));
    for (const name of garbage) yield* removeFile(this.#disk, name);
    this.#makeSpare();
  }

  // The log lane

  append(run: Run, done: Completion): void {
    assert(run.payloads.length > 0, 'a run is never empty');
    assert(follows(this.#tail, run.zxid), 'the log has no holes');
    this.#tail = lastZxidOf(run);
    this.#order({ run, done });
  }

  truncate(zxid: Zxid, done: Completion): void {
    this.#tail = zxid;
    this.#order({ run: undefined, steps: () => this.#truncate(zxid), done });
  }

  saveAcceptedEpoch(epoch: number, done: Completion): void {
    this.#change((manifest) => ({ ...manifest, acceptedEpoch: epoch }), done);
  }

  saveCurrentEpoch(epoch: number, done: Completion): void {
    this.#change((manifest) => ({ ...manifest, currentEpoch: epoch }), done);
  }

  saveMark(mark: Mark | undefined, done: Completion): void {
    this.#change((manifest) => ({ ...manifest, mark }), done);
  }

  installSnapshot(snapshot: Snapshot, runs: readonly Run[], done: Completion): void {
    for (const pending of this.#saving) pending.superseded = true;
    const last = runs[runs.length - 1];
    this.#tail = last === undefined ? snapshot.zxid : lastZxidOf(last);
    this.#order({ run: undefined, steps: () => this.#install(snapshot, runs), done });
  }

  mend(runs: readonly Run[], done: Completion): void {
    const [first, last] = [runs[0], runs[runs.length - 1]];
    assert(first === undefined || follows(this.#tail, first.zxid), 'what is mended goes on where the damage began');
    if (last !== undefined) this.#tail = lastZxidOf(last);
    this.#order({ run: undefined, steps: () => this.#mend(runs), done });
  }

  #change(change: (manifest: Manifest) => Manifest, done: Completion): void {
    this.#order({ run: undefined, steps: () => this.#manifest.update(change), done });
  }

  #order(order: Order): void {
    assert(this.#recovered !== undefined, 'a store is recovered before it is written');
    if (this.#tasks.refuses(order.done)) return;
    this.#ordered++;
    this.#lane.push(order);
    if (this.#working) return;
    this.#working = true;
    // What one turn orders is written together.
    this.#clock.defer(() => {
      this.#tasks.run(this.#work(), () => {
        this.#working = false;
      });
    });
  }

  *#work(): Steps<void> {
    while (this.#lane.length > 0) {
      const first = this.#lane[0] as Order;
      const runs = this.#nextRuns();
      if (first.run === undefined) yield* first.steps();
      else yield* this.#append(batchOf(runs));
      this.#complete(Math.max(1, runs.length));
      if (this.#lane.length === 0) yield* this.#rest();
    }
  }

  /** The appends at the head of the lane, as many as may be written together. */
  #nextRuns(): Run[] {
    const runs: Run[] = [];
    let bytes = 0;
    for (const { run: next } of this.#lane) {
      if (next === undefined) break;
      bytes += recordBytes(next.payloads);
      if (bytes > BATCH_BYTES_MAX && runs.length > 0) break;
      runs.push(next);
    }
    return runs;
  }

  *#append(batch: Batch): Steps<void> {
    assert(!this.#damaged, 'a damaged log is cut before it is continued');
    let writer = this.#writer;
    if (writer === undefined || !writer.hasRoomFor(batch)) {
      const next = yield* this.#newWriter(this.#lastZxid, batch);
      yield* this.#restructure(() => {
        this.#segments.push(next.segment);
        this.#useWriter(next);
      });
      writer = next;
    }
    yield* writer.append(batch);
  }

  /** Leaves a note, unless those who are told that something has completed order more at once. */
  *#rest(): Steps<void> {
    yield* wait<void>((done) => this.#clock.defer(done));
    if (this.#lane.length === 0 && this.#writer !== undefined) yield* this.#writer.note();
  }

  #complete(count: number): void {
    for (const { done } of this.#lane.splice(0, count)) this.#tasks.later(done);
    this.#completed += count;
    while (this.#waiting.length > 0 && (this.#waiting[0] as { readonly count: number }).count <= this.#completed)
      this.#waiting.shift()?.done();
  }

  *#truncate(zxid: Zxid): Steps<void> {
    const last = this.#segments.findLast(({ base }) => base < zxid);
    const cut = last === undefined || last.end.zxid === zxid ? last : yield* cutSegment(this.#disk, last, zxid);
    yield* this.#restructure(() => {
      this.#useWriter(undefined);
      this.#segments = this.#segments.filter(({ base }) => base < zxid);
      if (cut !== undefined) this.#segments[this.#segments.length - 1] = cut;
      this.#snapshots = this.#snapshots.filter((snapshot) => snapshot.zxid <= zxid);
    });
  }

  *#install({ zxid, pieces }: Snapshot, runs: readonly Run[]): Steps<void> {
    const entry: SnapshotEntry = { id: this.#nextId++, zxid };
    yield* writeSnapshot(this.#disk, entry, pieces);
    const writer = yield* this.#writeSegment(zxid, runs);
    yield* this.#restructure(() => {
      this.#useWriter(writer);
      this.#segments = [writer.segment];
      this.#snapshots = [entry];
    });
  }

  /** What can be read below the damage stays where it is; a new segment follows it with all the rest. */
  *#mend(runs: readonly Run[]): Steps<void> {
    const writer = yield* this.#writeSegment(this.#lastZxid, runs);
    yield* this.#restructure(() => {
      this.#useWriter(writer);
      this.#segments.push(writer.segment);
    });
  }

  /** A new segment with these runs, flushed. It counts from the next manifest on, and then it is known that all of it is safe. */
  *#writeSegment(base: Zxid, runs: readonly Run[]): Steps<SegmentWriter> {
    const all = batchOf(runs);
    const writer = yield* this.#newWriter(base, all);
    for (const batch of partsOf(all)) yield* writer.append(batch);
    yield* writer.note();
    return writer;
  }

  /**
   * A new segment that follows `base`, with room for the batch at least.
   *
   * @throws DiskError NO_SPACE where none was made ahead, or the batch is too large for it.
   */
  *#newWriter(base: Zxid, batch: Batch): Steps<SegmentWriter> {
    const room = SegmentWriter.roomFor(batch);
    const file =
      (yield* this.#spare.take(room)) ??
      (yield* makeSegmentFile(this.#disk, this.#nextId++, Math.max(this.#segmentBytes, room))) ??
      noSpace();
    const writer = yield* SegmentWriter.begin(file, base);
    this.#makeSpare();
    return writer;
  }

  #useWriter(writer: SegmentWriter | undefined): void {
    this.#writer?.close();
    this.#writer = writer;
  }

  get #lastZxid(): Zxid {
    const segment = this.#segments[this.#segments.length - 1];
    const snapshot = this.#snapshots[this.#snapshots.length - 1];
    return segment?.end.zxid ?? snapshot?.zxid ?? (0 as Zxid);
  }

  // What counts

  /** Changes the history by one manifest, and removes the files that count no more. */
  *#restructure(change: () => void): Steps<void> {
    let before: readonly string[] = [];
    yield* this.#manifest.update((manifest) => {
      before = this.#files();
      change();
      this.#damaged = false;
      return this.#withHistory(manifest);
    });
    const after = new Set(this.#files());
    const garbage = before.filter((name) => !after.has(name));
    if (garbage.length > 0) this.#tasks.inTheBackground(() => this.#purge(garbage));
  }

  #files(): string[] {
    // Of a damaged history, what cannot be read counts too, until another has begun.
    const { segments, snapshots } = this.#damaged ? this.#manifest.current : { segments: this.#segments, snapshots: this.#snapshots };
    return [...segments.map(({ id }) => fileName('segment', id)), ...snapshots.map(({ id }) => fileName('snapshot', id))];
  }

  #withHistory(manifest: Manifest): Manifest {
    const open = this.#writer?.segment;
    const segments = this.#segments.map((segment) => (segment === open ? { ...closed(segment), end: undefined } : closed(segment)));
    return { ...manifest, historyLost: false, snapshots: [...this.#snapshots], segments };
  }

  // Beside the lane

  saveSnapshot(zxid: Zxid, pieces: Iterable<Uint8Array>, done: Completion): void {
    if (this.#tasks.refuses(done)) return;
    const pending: PendingSnapshot = { zxid, superseded: false };
    this.#saving.add(pending);
    this.#tasks.inTheBackground(
      () => this.#saveSnapshot(pending, pieces),
      this.#tasks.answering<void>((error) => done(error ?? undefined)),
    );
  }

  *#saveSnapshot(pending: PendingSnapshot, pieces: Iterable<Uint8Array>): Steps<void> {
    const { zxid } = pending;
    assert(!this.#damaged, 'a damaged store has nothing to take a snapshot of');
    const free = yield* wait<number>((done) => this.#disk.freeBytes(done));
    if (pending.superseded || free < this.#segmentBytes) {
      pieces[Symbol.iterator]().return?.();
      if (!pending.superseded) this.#notice({ type: 'snapshotSkipped', zxid });
      return;
    }
    const entry: SnapshotEntry = { id: this.#nextId++, zxid };
    try {
      yield* writeSnapshot(this.#disk, entry, pieces);
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      pending.superseded = true;
      this.#notice({ type: 'snapshotSkipped', zxid });
    }
    if (!pending.superseded) yield* this.#restructure(() => this.#keep(entry, pending));
    if (!this.#snapshots.includes(entry)) yield* removeFile(this.#disk, fileName('snapshot', entry.id));
  }

  /** The log begins at the oldest snapshot that is kept. */
  #keep(entry: SnapshotEntry, { superseded }: PendingSnapshot): void {
    if (superseded) return;
    this.#snapshots = [...this.#snapshots, entry].slice(-SNAPSHOTS_KEPT);
    const { zxid } = this.#snapshots[0] as SnapshotEntry;
    if (this.#snapshots.length < SNAPSHOTS_KEPT) return;
    while (this.#segments.length > 1 && (this.#segments[1] as Segment).base <= zxid) this.#segments.shift();
  }

  readLog(after: Zxid, bytesMax: number, done: (result: readonly Run[] | undefined | Error) => void): void {
    if (this.#tasks.refuses(done)) return;
    const [ordered, through] = [this.#ordered, this.#tail];
    const answer = this.#tasks.answering(done);
    this.#clock.defer(() => this.#tasks.run(this.#readLog(ordered, { after, through, bytesMax }), answer));
  }

  *#readLog(
    ordered: number,
    range: { readonly after: Zxid; readonly through: Zxid; readonly bytesMax: number },
  ): Steps<readonly Run[] | undefined> {
    yield* this.#reached(ordered);
    return yield* readLog(this.#disk, this.#segments.slice(), range);
  }

  /** Waits until so many orders of the lane have completed. */
  *#reached(count: number): Steps<void> {
    if (this.#completed < count) yield* wait<void>((done) => this.#waiting.push({ count, done }));
  }

  *#purge(names: readonly string[]): Steps<void> {
    for (const name of names) yield* removeFile(this.#disk, name);
    this.#makeSpare();
  }

  /** Begins with the file of the next segment. It is no part of the background, where it would wait for a snapshot. */
  #makeSpare(): void {
    if (this.#spare.isThere || this.#damaged) return;
    this.#tasks.run(this.#spare.make(this.#nextId++, this.#segmentBytes), (isMade) => {
      if (!isMade) this.#notice({ type: 'nearlyFull' });
    });
  }

  close(): void {
    this.#tasks.close();
  }

  #notice(notice: Notice): void {
    this.#tasks.later(() => this.#onNotice(notice));
  }
}

function noSpace(): never {
  throw new DiskError('NO_SPACE', 'no space is left for the next segment of the log');
}

function isNoSpace(error: unknown): boolean {
  return error instanceof DiskError && error.code === 'NO_SPACE';
}
