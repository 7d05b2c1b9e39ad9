/** Why an ensemble could not do what it was asked. The names are stable. */
export type EnsembleErrorCode =
  /** There is no server of that sid. */
  | 'UNKNOWN_SERVER'
  /** The server is down already, or has to be up for this. */
  | 'SERVER_DOWN'
  /** The server is up already. */
  | 'SERVER_UP'
  /** The servers speak over a transport of the caller's, which alone can cut it. */
  | 'OWN_TRANSPORT'
  /** The servers keep what must survive in stores of the caller's. */
  | 'OWN_STORAGE'
  /** No leader serves at present, and only one can do it. */
  | 'NO_LEADER'
  /** No other server can lead at present. */
  | 'NO_SUCCESSOR'
  /** So many stores are not marked that there can never be a quorum: they are new, or were lost. */
  | 'NOT_FOUNDED'
  /** A server has failed for good; `cause` says why. */
  | 'SERVER_FAILED'
  /** The ensemble was closed. */
  | 'CLOSED';

/** An ensemble could not do what it was asked. `code` is stable, the message is free. */
export class EnsembleError extends Error {
  override readonly name = 'EnsembleError';
  readonly code: EnsembleErrorCode;

  constructor(code: EnsembleErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
