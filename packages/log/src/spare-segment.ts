/**
 * The file of the next segment, made ahead: no append waits for its zeros to be written, and as long as there is one, a full disk fails nothing.
 */
import { type Disk, DiskError, type DiskFile } from '@quorate/ports';
import { fileName } from './file-names.js';
import { type Steps, wait } from './steps.js';

/** A file with room that no manifest names yet. */
export interface SegmentFile {
  readonly id: number;
  readonly file: DiskFile;
  /** In bytes. */
  readonly reserved: number;
}

export class SpareSegment {
  readonly #disk: Disk;
  #spare: SegmentFile | undefined;
  #making = false;
  #waiting: (() => void)[] = [];

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  get isThere(): boolean {
    return this.#spare !== undefined || this.#making;
  }

  /** False where there is no room. */
  *make(id: number, reserved: number): Steps<boolean> {
    this.#making = true;
    this.#spare = yield* makeSegmentFile(this.#disk, id, reserved);
    this.#making = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
    return this.#spare !== undefined;
  }

  /** Gives the file away, once it is made; undefined where there is none with so much room. */
  *take(room: number): Steps<SegmentFile | undefined> {
    if (this.#making) yield* wait<void>((done) => this.#waiting.push(done));
    const spare = this.#spare;
    if (spare === undefined || spare.reserved < room) return undefined;
    this.#spare = undefined;
    return spare;
  }
}

/** Makes the file of a segment, with room for the future, and flushes it; undefined where there is none, and nothing is left of it. */
export function* makeSegmentFile(disk: Disk, id: number, reserved: number): Steps<SegmentFile | undefined> {
  const name = fileName('segment', id);
  try {
    const file = yield* wait<DiskFile>((done) => disk.create(name, done));
    yield* wait<void>((done) => file.reserve(reserved, done));
    yield* wait<void>((done) => file.flush(done));
    yield* wait<void>((done) => disk.flushDirectory(done));
    return { id, file, reserved };
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'NO_SPACE')) throw error;
    yield* removeFile(disk, name);
    return undefined;
  }
}

/** Does nothing where there is no such file. */
export function* removeFile(disk: Disk, name: string): Steps<void> {
  try {
    yield* wait<void>((done) => disk.remove(name, done));
  } catch (error) {
    if (error instanceof DiskError && error.code === 'NOT_FOUND') return;
    throw error;
  }
  yield* wait<void>((done) => disk.flushDirectory(done));
}
