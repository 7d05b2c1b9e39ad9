import { ProtocolError } from './protocol-error.js';
import { decodeUtf8 } from './utf8.js';
import { type Zxid, zxidFromHalves } from './zxid.js';

/**
 * Reads jute, ZooKeeper's encoding (`BinaryInputArchive`): big-endian integers; buffers and strings behind an int32 length,
 * lists behind an int32 count, −1 for null.
 *
 * Total: any bytes give a value or a `ProtocolError`, in time and memory linear in what is there. No length is believed before the
 * bytes are seen to be there. What it returns shares nothing with the bytes that it reads, unless it is made by `sharing`.
 */
export class JuteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #shares = false;
  #position: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    // Of a subclass (Node's Buffer), `slice` would share memory instead of copying.
    this.#bytes = bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#position = start;
    this.#end = Math.min(end, bytes.length);
  }

  /** A reader whose buffers are views: for bytes that nobody writes to any more, because a copy of each would cost more than all the rest. */
  static sharing(bytes: Uint8Array, start = 0, end = bytes.length): JuteReader {
    const reader = new JuteReader(bytes, start, end);
    reader.#shares = true;
    return reader;
  }

  /** How many bytes have not been read. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  /** A signed int32. */
  int(): number {
    const bytes = this.#bytes;
    const at = this.#take(4);
    return ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  }

  /** A signed int64. */
  long(): bigint {
    const high = this.int();
    const low = this.int() >>> 0;
    // What fits is converted once: three times as fast as BigInt arithmetic, and most owners are 0.
    if (high >= -0x20_0000 && high <= 0x1f_ffff) return BigInt(high * 0x1_0000_0000 + low);
    return BigInt(high) * 0x1_0000_0000n + BigInt(low);
  }

  /**
   * A signed int64 as a number: a time.
   *
   * @throws ProtocolError BAD_VALUE where a number cannot hold it exactly.
   */
  longNumber(): number {
    const value = this.int() * 0x1_0000_0000 + (this.int() >>> 0);
    if (!Number.isSafeInteger(value)) throw new ProtocolError('BAD_VALUE', 'a time is beyond 2^53');
    return value;
  }

  /** An int64 that is a zxid. */
  zxid(): Zxid {
    return zxidFromHalves(this.int(), this.int());
  }

  /** A byte; all but 0 is true, as in Java. */
  bool(): boolean {
    return this.#bytes[this.#take(1)] !== 0;
  }

  /** Goes behind these bytes where they come next; false where others do. */
  skip(expected: Uint8Array): boolean {
    const at = this.#position;
    if (expected.length > this.#end - at) return false;
    for (let index = 0; index < expected.length; index++) if (this.#bytes[at + index] !== expected[index]) return false;
    this.#position = at + expected.length;
    return true;
  }

  /** The bytes, a copy or a view; null for null. */
  buffer(): Uint8Array | null {
    const length = this.#length('a buffer');
    if (length === -1) return null;
    const at = this.#take(length);
    const bytes = this.#bytes;
    // A view made so takes less time than by `subarray`.
    return this.#shares ? new Uint8Array(bytes.buffer, bytes.byteOffset + at, length) : bytes.slice(at, at + length);
  }

  /** A string that must be there. */
  string(): string {
    const text = this.nullableString();
    if (text === null) throw new ProtocolError('BAD_VALUE', 'a string is null');
    return text;
  }

  /** A string; null for null. */
  nullableString(): string | null {
    const length = this.#length('a string');
    if (length === -1) return null;
    const at = this.#take(length);
    return decodeUtf8(this.#bytes, at, at + length);
  }

  /**
   * A list; a null list reads as an empty one.
   *
   * @param itemBytesMin the fewest bytes that an item takes, at least 1: what bounds a count by the bytes that are there.
   */
  vector<T>(readItem: (reader: JuteReader) => T, itemBytesMin: number): T[] {
    const count = this.#length('a list');
    if (count * itemBytesMin > this.#end - this.#position) throw truncated();
    // As long as it will be, which the bytes allow: an array that grows is copied again and again.
    const items = new Array<T>(Math.max(0, count));
    for (let index = 0; index < count; index++) items[index] = readItem(this);
    return items;
  }

  /** A list of strings. */
  strings(): string[] {
    return this.vector(readString, STRING_BYTES_MIN);
  }

  /** A reader of the record that stands here behind its own length, with no bytes copied; it is skipped in this one. */
  enclosed(): JuteReader {
    const length = this.#length('a record');
    if (length === -1) throw new ProtocolError('BAD_VALUE', 'a record is null');
    const at = this.#take(length);
    const reader = new JuteReader(this.#bytes, at, at + length);
    reader.#shares = this.#shares;
    return reader;
  }

  /** Says that the record ends here. @throws ProtocolError TRAILING_BYTES where it does not. */
  finish(): void {
    if (this.#position < this.#end) throw new ProtocolError('TRAILING_BYTES', `${this.remaining} bytes follow the record`);
  }

  #length(what: string): number {
    const length = this.int();
    if (length < -1) throw new ProtocolError('NEGATIVE_LENGTH', `${what} has the length ${length}`);
    return length;
  }

  #take(count: number): number {
    const at = this.#position;
    if (count > this.#end - at) throw truncated();
    this.#position = at + count;
    return at;
  }
}

/** The length of an empty string. */
const STRING_BYTES_MIN = 4;

function readString(reader: JuteReader): string {
  return reader.string();
}

function truncated(): ProtocolError {
  return new ProtocolError('TRUNCATED', 'the bytes end before the record does');
}
