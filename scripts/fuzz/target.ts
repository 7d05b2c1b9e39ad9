/** Something that takes bytes from outside. */
export type FuzzTarget = Target & Reader;

/** How it does. Whatever is thrown must be `typed`. */
export type Reader = (Reads | Prepares) & {
  /** Whether an error is the one that this reader says an input is wrong by; a `ProtocolError` when absent. */
  readonly typed?: (error: unknown) => boolean;
};

interface Reads {
  readonly read: (bytes: Uint8Array) => unknown;
}

interface Prepares {
  /** Makes what is not the reader's to make, and gives what reads: that alone is counted. */
  readonly prepare: (bytes: Uint8Array) => () => unknown;
}

interface Target {
  readonly name: string;
  /** Good inputs, to be mutated. */
  readonly corpus: readonly Uint8Array[];
  /** Puts the checksums of an input right in place, so that what is behind them is looked at; done to every second input. None has one when absent. */
  readonly seal?: (bytes: Uint8Array) => void;
  /** Which part of an equal share of all inputs it gets, because an input takes it longer; all of it when absent. */
  readonly share?: number;
}

/** A reader, and large good inputs of parts as small as there are. */
export type Growth = Reader & {
  readonly name: string;
  /** A good input of about so many bytes. */
  readonly input: (bytes: number) => Uint8Array;
  /** What it may set aside for each byte that it is given, beside 64 KiB; 2 when absent. */
  readonly bytesPerByte?: number;
};
