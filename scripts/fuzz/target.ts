/** Something that takes bytes from outside. */
export interface FuzzTarget {
  readonly name: string;
  /** Good inputs, to be mutated. */
  readonly corpus: readonly Uint8Array[];
  /** Reads an input. Whatever it throws must be `typed`. */
  readonly read: (bytes: Uint8Array) => unknown;
  /** Whether an error is the one that this reader says an input is wrong by; a `ProtocolError` when absent. */
  readonly typed?: (error: unknown) => boolean;
  /** Puts the checksums of an input right in place, so that what is behind them is looked at; done to every second input. None has one when absent. */
  readonly seal?: (bytes: Uint8Array) => void;
  /** What it may set aside beyond twice the input, in bytes, where that is not 64 KiB. */
  readonly spareBytes?: number;
  /** Which part of an equal share of all inputs it gets, because an input takes it longer; all of it when absent. */
  readonly share?: number;
}
