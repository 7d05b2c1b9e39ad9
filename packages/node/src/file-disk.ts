/** A directory of the file system as a `Disk`. */
import * as fs from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Answered, type Disk, DiskError, type DiskErrorCode, type DiskFile, type Finished } from '@quorate/ports';
import { type DirectoryLock, isLockName, lockDirectory } from './directory-lock.js';

/** Zeros are written so many bytes at a time. */
const ZEROS_BYTES = 1024 * 1024;

/** The longest path of a directory in which a socket can be named; longer ones are reached by a shorter way, on Linux. */
const SOCKET_DIRECTORY_BYTES_MAX = 90;

export class FileDisk implements Disk {
  readonly #directory: string;
  /** Of the directory, while it is locked. */
  #descriptor: number | undefined;
  #lock: DirectoryLock | undefined;
  readonly #open = new Set<File>();
  /** Calls that have not been answered. The disk is given back when there are none. */
  #outstanding = 0;
  #closed = false;
  #givenBack = false;
  /** Resolves when the disk was closed and somebody else may have its directory. */
  readonly released: Promise<void>;
  #onReleased!: () => void;

  private constructor(directory: string) {
    this.#directory = resolve(directory);
    this.released = new Promise((done) => {
      this.#onReleased = done;
    });
  }

  /**
   * The disk of a directory, which `lock` makes if there is none. Every file in it but the lock is the store's.
   *
   * A flush is an fdatasync, and as good as the file system and the device are at it.
   */
  static open(directory: string): FileDisk {
    return new FileDisk(directory);
  }

  lock(done: Finished): void {
    this.#call<undefined>(undefined, done as Answered<undefined>, (tell) => {
      this.#take().then(
        () => tell(null, undefined),
        (error: Error) => tell(error, undefined),
      );
    });
  }

  async #take(): Promise<void> {
    await makeDirectory(this.#directory);
    const descriptor = fs.openSync(this.#directory, 'r');
    const long = Buffer.byteLength(this.#directory) > SOCKET_DIRECTORY_BYTES_MAX;
    try {
      this.#lock = await lockDirectory(long ? `/proc/self/fd/${descriptor}` : this.#directory);
      this.#descriptor = descriptor;
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
  }

  list(done: Answered<readonly string[]>): void {
    this.#call<readonly string[]>(undefined, done, (tell) => {
      fs.readdir(this.#directory, (error, names) =>
        tell(
          error,
          names?.filter((name) => !isLockName(name)),
        ),
      );
    });
  }

  create(name: string, done: Answered<DiskFile>): void {
    this.#openFile(name, 'wx+', done);
  }

  open(name: string, done: Answered<DiskFile>): void {
    this.#openFile(name, 'r+', done);
  }

  #openFile(name: string, flags: string, done: Answered<DiskFile>): void {
    this.#call<DiskFile>(name, done, (tell) => {
      fs.open(join(this.#directory, name), flags, (error, descriptor) => {
        if (error !== null) return tell(error, undefined);
        if (this.#closed) {
          fs.closeSync(descriptor);
          return tell(null, undefined);
        }
        const file = new File(descriptor, {
          call: (answered, begin) => this.#call(name, answered, begin),
          isClosed: () => this.#closed,
          onClosed: () => this.#open.delete(file),
        });
        this.#open.add(file);
        tell(null, file);
      });
    });
  }

  remove(name: string, done: Finished): void {
    this.#call<undefined>(name, done as Answered<undefined>, (tell) =>
      fs.unlink(join(this.#directory, name), (error) => tell(error, undefined)),
    );
  }

  flushDirectory(done: Finished): void {
    this.#call<undefined>(undefined, done as Answered<undefined>, (tell) =>
      fs.fsync(this.#descriptor as number, (error) => tell(error, undefined)),
    );
  }

  freeBytes(done: Answered<number>): void {
    this.#call<number>(undefined, done, (tell) =>
      fs.statfs(this.#directory, (error, stats) => tell(error, error === null ? stats.bavail * stats.bsize : undefined)),
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#giveBack();
  }

  /** Another process may have the directory once nothing of this one can reach it any more. */
  #giveBack(): void {
    if (!this.#closed || this.#outstanding > 0 || this.#givenBack) return;
    this.#givenBack = true;
    for (const file of this.#open) file.close();
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    const lock = this.#lock;
    this.#lock = undefined;
    void (lock?.release() ?? Promise.resolve()).then(() => {
      if (descriptor !== undefined) fs.closeSync(descriptor);
      this.#onReleased();
    });
  }

  /**
   * Makes a call, unless the disk is closed: whoever still works on it must not reach what may be another's by now. What the system calls back with is the port's
   * answer, and none once the disk is closed.
   */
  #call<T>(name: string | undefined, done: (result: T | DiskError) => void, begin: (tell: Tell<T>) => void): void {
    if (this.#closed) return;
    this.#outstanding++;
    begin((error, result) => {
      this.#outstanding--;
      if (this.#closed) this.#giveBack();
      else done(error === null ? (result as T) : diskError(error, name));
    });
  }
}

type Tell<T> = (error: Error | null, result: T | undefined) => void;

interface FileOwner {
  call<T>(done: (result: T | DiskError) => void, begin: (tell: Tell<T>) => void): void;
  /** Whether nobody waits for an answer any more. */
  isClosed(): boolean;
  onClosed(): void;
}

/** An open file. One call is under way at a time, so that they take effect in their order. */
class File implements DiskFile {
  readonly #descriptor: number;
  readonly #owner: FileOwner;
  readonly #calls: (() => void)[] = [];
  #closing = false;
  #ended = false;

  constructor(descriptor: number, owner: FileOwner) {
    this.#descriptor = descriptor;
    this.#owner = owner;
  }

  size(done: Answered<number>): void {
    this.#call(done, (tell) => fs.fstat(this.#descriptor, (error, stats) => tell(error, stats?.size)));
  }

  read(offset: number, length: number, done: Answered<Uint8Array>): void {
    this.#call<Uint8Array>(done, (tell) => {
      fs.fstat(this.#descriptor, (error, stats) => {
        if (error !== null) return tell(error, undefined);
        // No more room than there is to read.
        const bytes = new Uint8Array(Math.max(0, Math.min(length, stats.size - offset)));
        this.#readInto(bytes, 0, offset, tell);
      });
    });
  }

  #readInto(bytes: Uint8Array, filled: number, offset: number, tell: Tell<Uint8Array>): void {
    fs.read(this.#descriptor, bytes, filled, bytes.length - filled, offset + filled, (error, count) => {
      if (error !== null) return tell(error, undefined);
      if (count === 0 || filled + count === bytes.length) return tell(null, bytes.subarray(0, filled + count));
      this.#readInto(bytes, filled + count, offset, tell);
    });
  }

  write(offset: number, bytes: Uint8Array, done: Finished): void {
    this.#call<undefined>(done as Answered<undefined>, (tell) => this.#writeFrom(bytes, 0, offset, tell));
  }

  /** The system may write a part only, and says so. */
  #writeFrom(bytes: Uint8Array, written: number, offset: number, tell: Tell<undefined>): void {
    fs.write(this.#descriptor, bytes, written, bytes.length - written, offset + written, (error, count) => {
      if (error !== null || written + count === bytes.length) return tell(error, undefined);
      this.#writeFrom(bytes, written + count, offset, tell);
    });
  }

  reserve(length: number, done: Finished): void {
    this.#call<undefined>(done as Answered<undefined>, (tell) => {
      fs.fstat(this.#descriptor, (error, stats) => {
        if (error !== null) return tell(error, undefined);
        this.#writeZeros(stats.size, length, tell);
      });
    });
  }

  /** Zeros that are written take their room, and later flushes need not change the file's length or its extents. */
  #writeZeros(from: number, to: number, tell: Tell<undefined>): void {
    if (from >= to || this.#owner.isClosed()) return tell(null, undefined);
    const zeros = new Uint8Array(Math.min(ZEROS_BYTES, to - from));
    this.#writeFrom(zeros, 0, from, (error) => {
      if (error !== null) return tell(error, undefined);
      this.#writeZeros(from + zeros.length, to, tell);
    });
  }

  flush(done: Finished): void {
    this.#call<undefined>(done as Answered<undefined>, (tell) => fs.fdatasync(this.#descriptor, (error) => tell(error, undefined)));
  }

  close(): void {
    this.#closing = true;
    if (this.#calls.length === 0) this.#end();
  }

  #call<T>(done: (result: T | DiskError) => void, begin: (tell: Tell<T>) => void): void {
    this.#owner.call<T>(done, (tell) => {
      this.#calls.push(() =>
        begin((error, result) => {
          this.#calls.shift();
          const next = this.#calls[0];
          if (next !== undefined) next();
          tell(error, result);
          if (this.#closing && this.#calls.length === 0) this.#end();
        }),
      );
      if (this.#calls.length === 1) (this.#calls[0] as () => void)();
    });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#owner.onClosed();
    fs.close(this.#descriptor, () => {});
  }
}

/** Makes a directory and whatever it stands in, so that it survives the loss of power. */
async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true });
  if (first === undefined) return;
  for (let at = dirname(directory); ; at = dirname(at)) {
    const parent = await open(at, 'r');
    await parent.sync();
    await parent.close();
    if (at === dirname(first)) return;
  }
}

function diskError(cause: NodeJS.ErrnoException, file: string | undefined): DiskError {
  if (cause instanceof DiskError) return cause;
  return new DiskError(codeOf(cause.code), cause.message, { cause, ...(file !== undefined && { file }) });
}

function codeOf(code: string | undefined): DiskErrorCode {
  switch (code) {
    case 'ENOENT':
      return 'NOT_FOUND';
    case 'EEXIST':
      return 'EXISTS';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'NO_SPACE';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'FORBIDDEN';
    default:
      return 'IO';
  }
}
