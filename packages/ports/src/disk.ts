/**
 * A directory of files, as a port: what a store writes to. Implement this to keep a store on something else than the files of an operating system.
 *
 * What has been written survives the end of the process; the loss of power survives what has been flushed: the bytes and the length of a file by the file's own
 * `flush`, which names exist by `flushDirectory`. Of what has not been flushed any part may survive, in any order and in pieces of sectors.
 *
 * Calls of one file take effect in their order. A callback is never called before the method has returned, and none after `close`.
 */
export interface Disk {
  /**
   * Takes the directory for this process alone, before anything else is done with it; `close` gives it back, and so does the end of the process, however it
   * comes. LOCKED where another has it.
   */
  lock(done: Finished): void;
  /** The names of all files, in no order. */
  list(done: Answered<readonly string[]>): void;
  /** Makes an empty file, for reading and writing. EXISTS where there is one. */
  create(name: string, done: Answered<DiskFile>): void;
  /** Opens a file for reading and writing. NOT_FOUND where there is none. */
  open(name: string, done: Answered<DiskFile>): void;
  /** Removes a file; whoever has it open goes on with it. NOT_FOUND where there is none. */
  remove(name: string, done: Finished): void;
  /** The files that have been created and removed until now stay so. */
  flushDirectory(done: Finished): void;
  /** How many bytes could still be written, roughly. */
  freeBytes(done: Answered<number>): void;
  /** Ends: nothing is called back after this. What has been called may or may not be done. */
  close(): void;
}

/** An open file. Offsets and lengths are in bytes. */
export interface DiskFile {
  size(done: Answered<number>): void;
  /** Reads so many bytes, fewer where the file ends before. Nobody changes the array afterwards. */
  read(offset: number, length: number, done: Answered<Uint8Array>): void;
  /** Writes all of the bytes, which nobody changes until it is done; a gap before them reads as zeros. After an error a part of them may be there. */
  write(offset: number, bytes: Uint8Array, done: Finished): void;
  /** Makes the file at least so long with zeros that take their room now: to write there later does not fail for want of space. */
  reserve(length: number, done: Finished): void;
  /** Everything that was written before the call survives the loss of power. After an error nobody knows what does, and to flush again tells nothing. */
  flush(done: Finished): void;
  /** Not used again after this. */
  close(): void;
}

export type Finished = (error?: DiskError) => void;
export type Answered<T> = (result: T | DiskError) => void;

export type DiskErrorCode =
  /** There is no such file. */
  | 'NOT_FOUND'
  /** There is such a file. */
  | 'EXISTS'
  /** No room is left. */
  | 'NO_SPACE'
  /** Another process has the directory. */
  | 'LOCKED'
  /** The process may not do this, or nobody may: the medium is read-only. */
  | 'FORBIDDEN'
  /** The device failed, or anything else; `cause` says what. */
  | 'IO';

/** What a disk could not do. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: DiskErrorCode;
  /** The file, or undefined where it was about the directory. */
  readonly file: string | undefined;

  constructor(code: DiskErrorCode, message: string, options: { readonly file?: string; readonly cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.code = code;
    this.file = options.file;
  }
}
