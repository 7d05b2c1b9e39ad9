/** Something that takes bytes from outside. */
export interface FuzzTarget {
  readonly name: string;
  /** Good inputs, to be mutated. */
  readonly corpus: readonly Uint8Array[];
  /** Reads an input. Whatever it throws must be a `ProtocolError`. */
  readonly read: (bytes: Uint8Array) => unknown;
  /** What it may set aside beyond twice the input, in bytes, where that is not 64 KiB. */
  readonly spareBytes?: number;
}
