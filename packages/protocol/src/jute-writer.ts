import { encodeUtf8Into, UTF8_BYTES_PER_UNIT_MAX } from './utf8.js';
import type { Zxid } from './zxid.js';

const CAPACITY_DEFAULT = 256;

/** Above this, `finish` does not keep the room for the next record: one large answer must not cost memory for ever. */
const CAPACITY_KEPT_MAX = 64 * 1024;

/** The arrays that records share after `cut`. */
const SHARED_BYTES = 32 * 1024;
const NOTHING = new Uint8Array(0);

/**
 * Writes jute, ZooKeeper's encoding (`BinaryOutputArchive`), as `JuteReader` reads it.
 *
 * Integers are cut to their width, as in Java. A writer can be used again after `finish`; whoever encodes much keeps one.
 */
export class JuteWriter {
  #bytes: Uint8Array;
  /** Of the same bytes, for what is written as a BigInt: many times as fast as taking one apart. */
  #view: DataView | undefined;
  /** Where the record begins: what lies before has been cut, and is not written to again. */
  #start = 0;
  #position = 0;
  /** The room to begin with after `take`. */
  #expected = 0;

  constructor(capacity = CAPACITY_DEFAULT) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** How many bytes have been written since the last `finish`, `take` or `cut`. */
  get length(): number {
    return this.#position - this.#start;
  }

  /** Forgets what has been written: what a writer that is shared begins with, as the last one may have failed half way. */
  clear(): void {
    this.#position = this.#start;
  }

  /** An int32. */
  int(value: number): void {
    const at = this.#make(4);
    const bytes = this.#bytes;
    bytes[at] = value >> 24;
    bytes[at + 1] = value >> 16;
    bytes[at + 2] = value >> 8;
    bytes[at + 3] = value;
  }

  /** An int64. */
  long(value: bigint): void {
    if (value === 0n) {
      this.int(0);
      this.int(0);
      return;
    }
    const at = this.#make(8);
    this.#view ??= new DataView(this.#bytes.buffer);
    this.#view.setBigInt64(at, value);
  }

  /** An int64 from a whole number. */
  longNumber(value: number): void {
    const high = Math.floor(value / 0x1_0000_0000);
    const at = this.#make(8);
    const bytes = this.#bytes;
    bytes[at] = high >> 24;
    bytes[at + 1] = high >> 16;
    bytes[at + 2] = high >> 8;
    bytes[at + 3] = high;
    bytes[at + 4] = value >> 24;
    bytes[at + 5] = value >> 16;
    bytes[at + 6] = value >> 8;
    bytes[at + 7] = value;
  }

  /** A zxid as an int64. */
  zxid(value: Zxid): void {
    this.longNumber(value);
  }

  /** A byte, 1 or 0. */
  bool(value: boolean): void {
    const at = this.#make(1);
    this.#bytes[at] = value ? 1 : 0;
  }

  /** Bytes behind their length; null. */
  buffer(value: Uint8Array | null): void {
    if (value === null) {
      this.int(-1);
      return;
    }
    this.int(value.length);
    this.raw(value);
  }

  /** Bytes as they are: a record that was written before. */
  raw(value: Uint8Array): void {
    const at = this.#make(value.length);
    this.#bytes.set(value, at);
  }

  /** A string in UTF-8 behind its length. */
  string(text: string): void {
    // The most room that it can take is made first, so that it is encoded in one pass; the length is known after that.
    const at = this.#make(4 + text.length * UTF8_BYTES_PER_UNIT_MAX);
    this.#position = at;
    const end = encodeUtf8Into(text, this.#bytes, at + 4);
    this.int(end - at - 4);
    this.#position = end;
  }

  /** A string or null. */
  nullableString(text: string | null): void {
    if (text === null) this.int(-1);
    else this.string(text);
  }

  /** A list behind its count. */
  vector<T>(items: readonly T[], writeItem: (writer: JuteWriter, item: T) => void): void {
    this.int(items.length);
    for (let index = 0; index < items.length; index++) writeItem(this, items[index] as T);
  }

  /** A list of strings. */
  strings(texts: readonly string[]): void {
    this.int(texts.length);
    for (let index = 0; index < texts.length; index++) this.string(texts[index] as string);
  }

  /** Leaves room for an int32 that is known later. Returns where, for `endLength`. */
  beginLength(): number {
    return this.#make(4) - this.#start;
  }

  /** Writes into the room at `at` how many bytes have been written since. */
  endLength(at: number): void {
    const end = this.#position;
    this.#position = this.#start + at;
    this.int(end - this.#position - 4);
    this.#position = end;
  }

  /** What has been written, exactly, in an array of its own; the writer is empty again. */
  finish(): Uint8Array {
    const written = this.#bytes.slice(this.#start, this.#position);
    this.#position = this.#start;
    if (this.#bytes.length > CAPACITY_KEPT_MAX) this.take();
    return written;
  }

  /** What has been written, without a copy: the writer is empty again, and keeps nothing but how much room it has needed. */
  take(): Uint8Array {
    const written = this.cut();
    this.#expected = Math.min(Math.max(written.length, CAPACITY_DEFAULT), CAPACITY_KEPT_MAX);
    this.#start = 0;
    this.#position = 0;
    this.#bytes = NOTHING;
    this.#view = undefined;
    return written;
  }

  /**
   * What has been written, without a copy, in an array that it shares with what is written next: for records that are kept for about as long as their
   * neighbours, because an array for each costs more than all the rest.
   */
  cut(): Uint8Array {
    // All arrays here are whole buffers, and a view made so takes less time than by `subarray`.
    const written = new Uint8Array(this.#bytes.buffer, this.#start, this.#position - this.#start);
    this.#start = this.#position;
    return written;
  }

  #make(count: number): number {
    if (this.#position + count > this.#bytes.length) this.#grow(this.#position + count);
    const at = this.#position;
    this.#position = at + count;
    return at;
  }

  /** Moves the record into a larger array; what has been cut stays behind. */
  #grow(end: number): void {
    const least = this.#start > 0 ? SHARED_BYTES : Math.max(this.#bytes.length * 2, this.#expected);
    const bytes = new Uint8Array(Math.max(end - this.#start, least));
    bytes.set(this.#bytes.subarray(this.#start, this.#position));
    this.#bytes = bytes;
    this.#view = undefined;
    this.#position -= this.#start;
    this.#start = 0;
  }
}
