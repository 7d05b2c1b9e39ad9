export type ApacheFileErrorCode =
  /** There is no data directory of Apache ZooKeeper's, or nothing in it. */
  | 'NOT_FOUND'
  /** A file is not as it was written, or one is missing. */
  | 'DAMAGED'
  /** The files can be read, and what they come to is not what they say it is. */
  | 'DIGEST'
  /** A file is in order and cannot be read here. */
  | 'UNSUPPORTED';

/** A data directory of Apache ZooKeeper's cannot be read. */
export class ApacheFileError extends Error {
  override readonly name = 'ApacheFileError';
  readonly code: ApacheFileErrorCode;
  /** The file or the directory. */
  readonly file: string;
  /** In bytes from the beginning of the file. */
  readonly offset: number;
  /** What is wrong there. */
  readonly reason: string;

  constructor(code: ApacheFileErrorCode, place: { readonly file: string; readonly offset?: number }, reason: string) {
    const { file, offset = 0 } = place;
    super('offset' in place ? `${file} at byte ${offset}: ${reason}` : `${file}: ${reason}`);
    this.code = code;
    this.file = file;
    this.offset = offset;
    this.reason = reason;
  }
}
