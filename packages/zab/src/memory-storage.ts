import type { Clock } from '@quorate/ports';
import type { Zxid } from '@quorate/protocol';
import { empty } from './empty.js';
import { Log, type Run } from './log.js';
import type { Completion, Mark, Snapshot, Storage, StoredImage } from './storage.js';

/** How many pieces of a snapshot are taken in a turn; 64 KiB each, as servers make them. */
const PIECES_PER_TURN = 4;

/** A snapshot that is being saved. */
interface Saving {
  readonly snapshot: { readonly zxid: Zxid; readonly pieces: Uint8Array[] };
  readonly more: Iterator<Uint8Array>;
  readonly done: Completion;
  /** When it began. */
  readonly lives: number;
}

/** Storage in memory: it survives a crash of the server, as long as the object is kept, and not the end of the process. */
export class MemoryStorage implements Storage {
  readonly #clock: Clock;
  #acceptedEpoch = 0;
  #currentEpoch = 0;
  #mark: Mark | undefined;
  #snapshot: Snapshot | undefined;
  /** It reaches back to the snapshot before the last, so that learners which are not far behind need no snapshot. */
  readonly #log = new Log(0 as Zxid);
  /** Completions in their order, from `#told` on; a crash of the server blots out those that are on their way. */
  readonly #waiting: ((() => void) | undefined)[] = [];
  #told = 0;
  /** How many servers have had this store. A snapshot that one of them was at goes with it. */
  #lives = 0;

  constructor(options: { readonly clock: Clock }) {
    this.#clock = options.clock;
  }

  /**
   * Founds an ensemble: marks this empty store as that of one of its first voters. Every voter's store is marked once, before its first start.
   *
   * @returns the store itself.
   * @throws RangeError where the store is not empty, or the ensemble has no name.
   */
  format(mark: Mark): this {
    if (mark.ensembleId === '') throw new RangeError('an ensemble has a name: ensembleId must not be empty');
    const isEmpty = this.#mark === undefined && this.#acceptedEpoch === 0 && this.#snapshot === undefined && this.#log.length === 0;
    if (!isEmpty) throw new RangeError('only an empty store can be formatted: this one has been in use');
    this.#mark = mark;
    return this;
  }

  recover(done: (result: StoredImage | Error) => void): void {
    const base = this.#snapshot?.zxid ?? this.#log.base;
    const image: StoredImage = {
      acceptedEpoch: this.#acceptedEpoch,
      currentEpoch: this.#currentEpoch,
      snapshot: this.#snapshot,
      runs: this.#log.runs(base, this.#log.lastZxid),
      mark: this.#mark,
    };
    this.#later(() => done(image));
  }

  append(run: Run, done: Completion): void {
    this.#log.append(run);
    this.#later(done);
  }

  truncate(zxid: Zxid, done: Completion): void {
    this.#log.truncate(zxid);
    this.#later(done);
  }

  saveAcceptedEpoch(epoch: number, done: Completion): void {
    this.#acceptedEpoch = epoch;
    this.#later(done);
  }

  saveCurrentEpoch(epoch: number, done: Completion): void {
    this.#currentEpoch = epoch;
    this.#later(done);
  }

  saveMark(mark: Mark | undefined, done: Completion): void {
    this.#mark = mark;
    this.#later(done);
  }

  installSnapshot(snapshot: Snapshot, runs: readonly Run[], done: Completion): void {
    this.#snapshot = snapshot;
    this.#log.reset(snapshot.zxid);
    for (const run of runs) this.#log.append(run);
    this.#later(done);
  }

  /** Memory has no damage. */
  mend(_runs: readonly Run[], done: Completion): void {
    this.#later(() => done(new RangeError('only a damaged store can be mended, and this one is in memory')));
  }

  saveSnapshot(zxid: Zxid, pieces: Iterable<Uint8Array>, done: Completion): void {
    this.#takePieces({ snapshot: { zxid, pieces: [] }, more: pieces[Symbol.iterator](), done, lives: this.#lives });
  }

  /** Making a piece takes time, and there may be thousands: some of them in a turn. */
  #takePieces(saving: Saving): void {
    const { snapshot, more, done, lives } = saving;
    if (lives !== this.#lives) return;
    for (let taken = 0; taken < PIECES_PER_TURN; taken++) {
      const piece = more.next();
      if (piece.done === true) {
        this.#keep(snapshot);
        this.#later(done);
        return;
      }
      snapshot.pieces.push(piece.value);
    }
    this.#clock.defer(() => this.#takePieces(saving));
  }

  #keep(snapshot: Snapshot): void {
    const older = this.#snapshot?.zxid;
    // One that was received meanwhile holds more.
    if (older !== undefined && older > snapshot.zxid) return;
    this.#snapshot = snapshot;
    if (older !== undefined) this.#log.compact(older, 0);
  }

  readLog(after: Zxid, bytesMax: number, done: (result: readonly Run[] | undefined | Error) => void): void {
    const { lastZxid } = this.#log;
    const runs = this.#log.contains(after) ? this.#log.runs(after, this.#log.reach(after, lastZxid, bytesMax)) : undefined;
    this.#later(() => done(runs));
  }

  close(): void {
    this.#lives++;
    this.#waiting.fill(undefined, this.#told);
  }

  #later(done: () => void): void {
    this.#waiting.push(done);
    this.#clock.defer(this.#complete);
  }

  readonly #complete = (): void => {
    const done = this.#waiting[this.#told++];
    if (this.#told === this.#waiting.length) {
      empty(this.#waiting);
      this.#told = 0;
    }
    done?.();
  };
}
