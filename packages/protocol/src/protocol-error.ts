const brand: unique symbol = Symbol.for('@quorate/protocol/ProtocolError') as never;

/** What was wrong with bytes from outside. The names are stable. */
export type ProtocolErrorCode =
  /** The bytes end before the record does, or a count promises more items than the bytes can hold. */
  | 'TRUNCATED'
  /** A length or a count is negative and not −1. */
  | 'NEGATIVE_LENGTH'
  /** A frame is longer than is allowed. */
  | 'FRAME_TOO_LONG'
  /** A string is not UTF-8. */
  | 'BAD_UTF8'
  /** Bytes follow a record that must be alone. */
  | 'TRAILING_BYTES'
  /** A request or txn is of a type that is not known. */
  | 'UNKNOWN_OPCODE'
  /** A zxid has an epoch above 2^21 − 1. */
  | 'EPOCH_TOO_LARGE'
  /** A field has a value that it cannot have. */
  | 'BAD_VALUE';

/** Bytes from outside are not what they should be. Decoders throw this and nothing else. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  get [brand](): true {
    return true;
  }
}

/** True for a `ProtocolError`, also of another copy of this package; with `code`, only for that one. */
export function isProtocolError(error: unknown, code?: ProtocolErrorCode): error is ProtocolError {
  if (typeof error !== 'object' || error === null || (error as { [brand]?: unknown })[brand] !== true) return false;
  return code === undefined || (error as ProtocolError).code === code;
}
