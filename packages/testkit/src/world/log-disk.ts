/**
 * The disk of one server with the shipped store on it: `LogStorage` over a disk in memory, which loses any part of what is not flushed when the power fails.
 *
 * What survives of orders that had not completed is read from the disk after each life, and told to the observer; so the checkers see the same facts as from `SimDisk`,
 * and the store's own recovery is what they are compared with.
 */
import { inspect, LogStorage } from '@quorate/log';
import { type DiskCall, type DiskFault, MemoryDisk, VirtualClock } from '@quorate/ports';
import { assert, type Zxid } from '@quorate/protocol';
import { type Completion, lastZxidOf, type Mark, type Storage, type StoredImage } from '@quorate/zab';
import type { DiskOrder, Part } from './disk-content.js';
import { Flushes } from './flushes.js';
import { between, chance, pick } from './random-streams.js';
import type { EarlierContent, ServerDisk } from './server-disk.js';
import { DiskError, type SimDiskOptions } from './sim-disk.js';
import type { SimProcess } from './sim-process.js';

/** The room for the records of a segment: a run begins many. */
const SEGMENT_BYTES = 2048;
const SECTOR_BYTES = 512;
/** An order may need four flushes, where `SimDisk` takes one. */
const PART_OF_A_FLUSH = 1 / 4;

/** What is known of the store without reading it. */
interface Known {
  marked: boolean;
  damaged: boolean;
  /** The last entry of what is safe. */
  last: Zxid;
}

export class LogDisk implements ServerDisk {
  readonly options: SimDiskOptions;
  isFull = false;
  #disk: MemoryDisk;
  #known: Known;
  #storage: LogStorage | undefined;
  /** The life that has the disk open. */
  #process: SimProcess | undefined;
  /** Orders that have not completed. */
  #lane: DiskOrder[] = [];
  readonly #flushes: Flushes;
  readonly #saving = new Set<{ superseded: boolean }>();
  #snapshotsSkipped = 0;
  #failure: string | undefined;

  constructor(options: SimDiskOptions) {
    this.options = options;
    this.#flushes = new Flushes(options);
    this.#disk = founded(options.mark);
    this.#known = knownOf(imageOf(this.#disk));
  }

  get hasSnapshot(): boolean {
    return this.#filesOf('snapshot').length > 0;
  }

  get entries(): number {
    return this.#filesOf('entry').length;
  }

  get counts(): boolean {
    return this.#known.marked && !this.#known.damaged;
  }

  open(process: SimProcess): Storage {
    assert(this.#process === undefined, 'a disk has one user at a time');
    this.#process = process;
    let call: DiskCall | undefined;
    this.#disk = this.#disk.reopen({
      onCall: (next) => {
        call = next;
        return this.#faultOf(next);
      },
      clock: {
        defer: (task) => {
          if (call?.operation === 'flush' || call?.operation === 'flushDirectory')
            this.#flushes.after(PART_OF_A_FLUSH, () => process.enter(task));
          else process.defer(task);
        },
      },
    });
    const storage = new LogStorage({
      disk: this.#disk,
      clock: process,
      segmentBytes: SEGMENT_BYTES,
      onNotice: ({ type }) => {
        if (type === 'snapshotSkipped') this.#snapshotsSkipped++;
      },
    });
    this.#storage = storage;
    return this.#observed(storage, process);
  }

  /** The store, with everything told that it has completed. */
  #observed(storage: LogStorage, process: SimProcess): Storage {
    const { sid, observer, random } = this.options;
    const order = (next: DiskOrder, done: Completion): Completion => {
      if (next.type === 'installSnapshot') for (const pending of this.#saving) pending.superseded = true;
      this.#lane.push(next);
      return (error) => {
        if (error !== undefined) return done(new DiskError(error.message));
        this.#lane.shift();
        this.#perform(next);
        done();
      };
    };
    return {
      recover: (done) =>
        storage.recover((image) => {
          if (image instanceof Error) return done(new DiskError(image.message));
          observer.onRecovered(sid, image);
          done(image);
        }),
      append: (run, done) => storage.append(run, order({ type: 'append', run }, done)),
      truncate: (zxid, done) => storage.truncate(zxid, order({ type: 'truncate', zxid }, done)),
      saveAcceptedEpoch: (epoch, done) => storage.saveAcceptedEpoch(epoch, order({ type: 'saveAcceptedEpoch', epoch }, done)),
      saveCurrentEpoch: (epoch, done) => storage.saveCurrentEpoch(epoch, order({ type: 'saveCurrentEpoch', epoch }, done)),
      mend: (runs, done) => storage.mend(runs, order({ type: 'mend', runs }, done)),
      saveMark: (mark, done) => storage.saveMark(mark, order({ type: 'saveMark', mark }, done)),
      installSnapshot: (snapshot, runs, done) =>
        storage.installSnapshot(snapshot, runs, order({ type: 'installSnapshot', snapshot, runs }, done)),
      saveSnapshot: (zxid, pieces, done) => {
        const pending = { superseded: false };
        this.#saving.add(pending);
        const taken: Uint8Array[] = [];
        const skipped = this.#snapshotsSkipped;
        storage.saveSnapshot(zxid, copied(pieces, taken), (error) => {
          this.#saving.delete(pending);
          if (error !== undefined) return done(new DiskError(error.message));
          // One that was skipped is told of before it completes.
          if (!pending.superseded && this.#snapshotsSkipped === skipped) observer.onSnapshotSaved(sid, { zxid, pieces: taken });
          done();
        });
      },
      readLog: (after, bytesMax, done) =>
        storage.readLog(after, Math.min(bytesMax, between(random, 1, 4000)), (result) =>
          done(result instanceof Error ? new DiskError(result.message) : result),
        ),
      close: () => {
        if (this.#process === process) this.#losePower();
      },
    };
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

  #faultOf({ operation }: DiskCall): DiskFault | undefined {
    if (operation === 'flush' && this.#failure !== undefined) {
      this.#failure = undefined;
      return 'IO';
    }
    // As where the file system copies what is written over, so that no room that was taken before helps.
    const grows = operation === 'create' || operation === 'reserve' || operation === 'write';
    return this.isFull && grows ? 'NO_SPACE' : undefined;
  }

  remember(): EarlierContent {
    const disk = this.#disk.afterPowerLoss(this.#disk.unflushed().map(() => 0));
    const { damage, mark } = imageOf(disk);
    return { isRotten: damage !== undefined, isMarked: mark !== undefined, restore: () => this.#replace(disk.copy()) };
  }

  wipe(): void {
    this.#replace(founded(undefined));
  }

  /** A sector of a file that has such parts turns to something else. */
  rot(part: Part): void {
    const { random } = this.options;
    const files = this.#disk.files();
    const bytes = files.get(pick(random, this.#filesOf(part))) as Uint8Array;
    const sectors = Array.from({ length: Math.ceil(bytes.length / SECTOR_BYTES) }, (_, i) =>
      bytes.subarray(i * SECTOR_BYTES, (i + 1) * SECTOR_BYTES),
    );
    const victim = pick(
      random,
      sectors.filter((sector) => sector.some((byte) => byte !== 0)),
    );
    if (chance(random, 500)) victim.fill(0);
    else for (let i = 0; i < victim.length; i++) victim[i] = between(random, 0, 255);
    const before = imageOf(this.#disk);
    const disk = MemoryDisk.of(files, { clock: new VirtualClock() });
    const after = imageOf(disk);
    assert(after.damage !== undefined || isSame(before, after), 'a store notices what it has lost');
    // Where the power took the note on the last batch, that batch looks torn: two faults at once, which a store does not notice (decision 18); behind other damage the others
    // do, but for one that all of them have forgotten (decision 25): so this comes to one disk alone.
    const isNoticed = after.damage !== undefined && after.salvage?.endIsKnown !== true && this.options.sid === 1;
    const isUnnoticed = endOf(after) < endOf(before) && !isNoticed;
    if (!isUnnoticed) this.#replace(disk);
  }

  #filesOf(part: Part): string[] {
    const kind = part === 'entry' ? 'segment' : part === 'snapshot' ? 'snapshot' : 'manifest';
    return [...this.#disk.files()]
      .filter(([name, bytes]) => name.startsWith(kind) && bytes.some((byte) => byte !== 0))
      .map(([name]) => name);
  }

  #replace(disk: MemoryDisk): void {
    assert(this.#process === undefined, 'a disk is lost while nobody has it open');
    this.#disk = disk;
    const image = imageOf(disk);
    this.#known = knownOf(image);
    this.options.observer.onStoreLost(this.options.sid, image);
  }

  // What is flushed, and when

  #perform(order: DiskOrder): void {
    this.#known = { ...this.#known, ...resultOf(order, this.#known) };
    this.options.observer.onFlushed(this.options.sid, order);
  }

  // The end of a life

  #losePower(): void {
    const { sid, random, observer } = this.options;
    this.#storage?.close();
    this.#storage = undefined;
    this.#process = undefined;
    this.#flushes.drop();
    this.#disk = this.#disk.crash(random, { clock: new VirtualClock() });
    const lane = this.#lane;
    this.#lane = [];
    const survivors = survivorsOf(lane, this.#known.last, imageOf(this.#disk));
    for (const order of survivors) this.#perform(order);
    const torn = survivors.some((order) => !lane.includes(order));
    observer.onPowerLost(sid, { unflushed: lane.length, survived: survivors.length, torn, snapshots: this.#saving.size });
    this.#saving.clear();
  }
}

/** Which orders are on a disk that had not completed: a prefix of the history's, the last perhaps in part, and of the others those that can be seen. */
function survivorsOf(lane: readonly DiskOrder[], last: Zxid, image: StoredImage): DiskOrder[] {
  const end = lastOf(image);
  let best: DiskOrder[] = [];
  const performed: DiskOrder[] = [];
  let at = last;
  for (const order of lane) {
    if (order.type === 'saveAcceptedEpoch' || order.type === 'saveCurrentEpoch') {
      const epoch = order.type === 'saveAcceptedEpoch' ? image.acceptedEpoch : image.currentEpoch;
      if (epoch < order.epoch) continue;
    } else if (order.type === 'saveMark') {
      if ((image.mark === undefined) !== (order.mark === undefined)) continue;
    } else if (order.type === 'mend') {
      if (image.damage !== undefined) continue;
    } else if (order.type === 'append' && order.run.zxid <= end && end < lastZxidOf(order.run)) {
      const run = { zxid: order.run.zxid, payloads: order.run.payloads.slice(0, end - order.run.zxid + 1) };
      return [...performed, { type: 'append', run }];
    }
    performed.push(order);
    at = resultOf(order, { last: at }).last ?? at;
    if (at === end) best = performed.slice();
  }
  return best;
}

/** What changes by an order. */
function resultOf(order: DiskOrder, { last }: Pick<Known, 'last'>): Partial<Known> {
  switch (order.type) {
    case 'append':
      return { last: lastZxidOf(order.run) };
    case 'truncate':
      return { last: order.zxid, damaged: false };
    case 'mend': {
      const run = order.runs[order.runs.length - 1];
      return { ...(run !== undefined && { last: lastZxidOf(run) }), damaged: false };
    }
    case 'installSnapshot': {
      const run = order.runs[order.runs.length - 1];
      return { last: run === undefined ? order.snapshot.zxid : lastZxidOf(run), damaged: false };
    }
    case 'saveMark':
      return { marked: order.mark !== undefined };
    default:
      return { last };
  }
}

function knownOf(image: StoredImage): Known {
  return { marked: image.mark !== undefined, damaged: image.damage !== undefined, last: lastOf(image) };
}

function lastOf({ snapshot, runs }: StoredImage): Zxid {
  const run = runs[runs.length - 1];
  return run === undefined ? (snapshot?.zxid ?? (0 as Zxid)) : lastZxidOf(run);
}

/** The pieces, each kept as it is taken. */
function copied(pieces: Iterable<Uint8Array>, taken: Uint8Array[]): Iterable<Uint8Array> {
  return {
    [Symbol.iterator]: () => {
      const inner = pieces[Symbol.iterator]();
      return {
        next: () => {
          const next = inner.next();
          if (next.done !== true) taken.push(next.value);
          return next;
        },
        return: () => inner.return?.() ?? { done: true, value: undefined },
      };
    },
  };
}

/** A new disk, of a founder where there is a mark. */
function founded(mark: Mark | undefined): MemoryDisk {
  const clock = new VirtualClock();
  const disk = new MemoryDisk({ clock, sectorBytes: SECTOR_BYTES });
  if (mark === undefined) return disk;
  const storage = new LogStorage({ disk, clock, segmentBytes: SEGMENT_BYTES });
  let failure: Error | undefined;
  storage.format(mark, (error) => {
    failure = error;
  });
  clock.advance(1);
  assert(failure === undefined, 'an empty store can be formatted');
  storage.close();
  return disk;
}

/** What the next life will find. */
function imageOf(disk: MemoryDisk): StoredImage {
  const clock = new VirtualClock();
  let image: StoredImage | undefined;
  inspect(disk.reopen({ clock }), (result) => {
    if (!(result instanceof Error)) image = result.image;
  });
  clock.advance(1);
  assert(image !== undefined, 'a disk that does not fail can be read');
  return image;
}

function isSame(a: StoredImage, b: StoredImage): boolean {
  return a.acceptedEpoch === b.acceptedEpoch && a.currentEpoch === b.currentEpoch && a.mark?.ensembleId === b.mark?.ensembleId;
}

/** The last entry, one that cannot be read included. */
function endOf(image: StoredImage): number {
  const { gaps = [], runs = [] } = image.salvage ?? {};
  return Math.max(lastOf(image), ...gaps.map(({ before }) => before - 1), ...runs.map(lastZxidOf));
}
