import type { Zxid } from '@quorate/protocol';

const NOTHING = new Uint8Array(0);

/** Takes the pieces of a snapshot one at a time, and knows which is the last. */
export class SnapshotReader {
  readonly zxid: Zxid;
  readonly #pieces: Iterator<Uint8Array>;
  /** Read, and not given yet. */
  #ahead: Uint8Array | undefined;

  constructor(zxid: Zxid, pieces: Iterable<Uint8Array>) {
    this.zxid = zxid;
    this.#pieces = pieces[Symbol.iterator]();
    this.#ahead = this.#next();
  }

  /** The next piece; an empty one where a snapshot has none at all. Not called again after the last. */
  read(): { readonly bytes: Uint8Array; readonly last: boolean } {
    const bytes = this.#ahead ?? NOTHING;
    this.#ahead = this.#next();
    return { bytes, last: this.#ahead === undefined };
  }

  /** The rest is not wanted. */
  close(): void {
    this.#pieces.return?.();
  }

  #next(): Uint8Array | undefined {
    const { done, value } = this.#pieces.next();
    return done === true ? undefined : (value as Uint8Array);
  }
}
