/**
 * The manifest on the disk, in two copies. One is written and flushed before the other is touched, so that a crash spoils one at most, and there is always
 * one to put it right.
 */
import { type Disk, DiskError, type DiskFile } from '@quorate/ports';
import { MANIFEST_NAMES } from './file-names.js';
import { MANIFEST_BYTES_MAX, MANIFEST_ROOM_BYTES, MANIFEST_SPARE_BYTES } from './limits.js';
import { decodeManifest, EMPTY_MANIFEST, encodeManifest, type Manifest } from './manifest.js';
import { type Steps, wait } from './steps.js';

type Change = (manifest: Manifest) => Manifest;

export class ManifestStore {
  readonly #disk: Disk;
  readonly #files: (DiskFile | undefined)[] = [undefined, undefined];
  #manifest: Manifest = EMPTY_MANIFEST;
  /** The copy that is touched last, because it is the newer or the only one. */
  #last = 1;
  /** Changes that have been asked for while others were written. */
  #waiting: { readonly change: Change; readonly done: (error?: DiskError) => void }[] = [];
  #writing = false;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** What both copies say, or will say before a change that is asked for now. */
  get current(): Manifest {
    return this.#manifest;
  }

  /** Reads what there is, without changing anything; gives undefined where neither copy can be read. */
  *read(): Steps<{ readonly newest: Manifest | undefined; readonly files: number }> {
    const copies: (Manifest | undefined)[] = [];
    for (const [copy, name] of MANIFEST_NAMES.entries()) copies.push(yield* this.#readCopy(copy, name));
    const [a, b] = copies;
    const newest = a === undefined || (b !== undefined && b.generation > a.generation) ? b : a;
    if (newest !== undefined) this.#manifest = newest;
    this.#last = newest === undefined || newest === b ? 1 : 0;
    return { newest, files: this.#files.filter((file) => file !== undefined).length };
  }

  *#readCopy(copy: number, name: string): Steps<Manifest | undefined> {
    try {
      const file = yield* wait<DiskFile>((done) => this.#disk.open(name, done));
      this.#files[copy] = file;
      return decodeManifest(yield* wait<Uint8Array>((done) => file.read(0, MANIFEST_BYTES_MAX, done)), copy);
    } catch (error) {
      // What the device cannot read is as lost as what it reads wrongly: the other copy tells.
      if (error instanceof DiskError && (error.code === 'NOT_FOUND' || error.code === 'IO')) return undefined;
      throw error;
    }
  }

  /** Goes on from this where neither copy can be read. Nothing is written before the first change. */
  assume(manifest: Manifest): void {
    this.#manifest = manifest;
  }

  /** Writes both copies anew: what was read may stand in one of them alone, or not be flushed. Then that one is made safe first. */
  *settle(change: Change = (manifest) => manifest): Steps<void> {
    const newest = this.#files[this.#last];
    if (newest !== undefined) yield* wait<void>((done) => newest.flush(done));
    yield* this.#write(change(this.#manifest));
    yield* wait<void>((done) => this.#disk.flushDirectory(done));
  }

  /** Changes the manifest. Several changes that come together are written together; the second copy is flushed when it returns. */
  *update(change: Change): Steps<void> {
    if (this.#writing) {
      yield* wait<void>((done) => this.#waiting.push({ change, done }));
      return;
    }
    this.#writing = true;
    yield* this.#write(change(this.#manifest));
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      yield* this.#write(waiting.reduce((manifest, next) => next.change(manifest), this.#manifest));
      for (const { done } of waiting) done();
    }
    this.#writing = false;
  }

  *#write(manifest: Manifest): Steps<void> {
    const next = { ...manifest, generation: manifest.generation + 1 };
    for (const copy of [1 - this.#last, this.#last]) {
      const bytes = encodeManifest(next, copy);
      const known = this.#files[copy];
      const name = MANIFEST_NAMES[copy] as string;
      const file = known ?? (yield* wait<DiskFile>((done) => this.#disk.create(name, done)));
      this.#files[copy] = file;
      yield* this.#makeRoom(file, bytes.length);
      yield* wait<void>((done) => file.write(0, bytes, done));
      yield* wait<void>((done) => file.flush(done));
      if (known === undefined) yield* wait<void>((done) => this.#disk.flushDirectory(done));
    }
    this.#manifest = next;
  }

  /** @throws DiskError NO_SPACE where there is none, and none was made ahead. */
  *#makeRoom(file: DiskFile, length: number): Steps<void> {
    const size = yield* wait<number>((done) => file.size(done));
    const needed = length + MANIFEST_SPARE_BYTES;
    if (needed <= size) return;
    try {
      yield* wait<void>((done) => file.reserve(Math.ceil(needed / MANIFEST_ROOM_BYTES) * MANIFEST_ROOM_BYTES, done));
    } catch (error) {
      if (!(error instanceof DiskError && error.code === 'NO_SPACE') || length > size) throw error;
    }
  }

  close(): void {
    for (const file of this.#files) file?.close();
  }
}
