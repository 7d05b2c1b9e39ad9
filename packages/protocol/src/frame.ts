/** Frames: an int32 length and as many bytes, which is how messages follow one another on a stream. */
import { JuteReader } from './jute-reader.js';
import { ProtocolError, type ProtocolErrorCode } from './protocol-error.js';

/** The longest frame that ZooKeeper accepts (`jute.maxbuffer`). */
export const FRAME_BYTES_MAX = 0xfffff;

const LENGTH_BYTES = 4;
const NOTHING = new Uint8Array(0);

/**
 * Cuts a stream into frames, however it arrives.
 *
 * Time is linear in the bytes that come in, memory in the bytes that stand in it: nothing is set aside for a length that is only claimed.
 * Take out all frames after every `push`. A bad length is the end of the stream: nothing more is taken in, and `next` fails again.
 */
export class FrameSplitter {
  /** The longest body that is accepted from now on, in bytes. */
  bytesMax: number;
  /** Arrived and not taken out is what lies from `#head` up to `#tail`. What lies before may be somebody's view and is not written to again. */
  #bytes = NOTHING;
  #head = 0;
  #tail = 0;
  #failure: ProtocolError | undefined;

  constructor(bytesMax = FRAME_BYTES_MAX) {
    this.bytesMax = bytesMax;
  }

  /** What has arrived and was not taken out, in bytes. */
  get length(): number {
    return this.#tail - this.#head;
  }

  /** Adds what has arrived. The bytes are copied. */
  push(chunk: Uint8Array): void {
    if (this.#failure !== undefined) return;
    if (this.#tail + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#tail);
    this.#tail += chunk.length;
  }

  /**
   * The body of the next frame, in an array of its own; undefined where it is not complete.
   *
   * @throws ProtocolError NEGATIVE_LENGTH, FRAME_TOO_LONG as soon as the length is there.
   */
  next(): Uint8Array | undefined {
    const length = this.#nextLength();
    return length === undefined ? undefined : this.#bytes.slice(this.#head - length, this.#head);
  }

  /**
   * A reader of the body of the next frame, whose buffers are views; undefined where it is not complete. Cheaper than `next` by an array per frame.
   *
   * @throws ProtocolError as `next`.
   */
  nextReader(): JuteReader | undefined {
    const length = this.#nextLength();
    return length === undefined ? undefined : JuteReader.sharing(this.#bytes, this.#head - length, this.#head);
  }

  /** Goes behind the next frame and gives the length of its body; undefined where it is not complete. */
  #nextLength(): number | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const present = this.length;
    if (present < LENGTH_BYTES) {
      if (present === 0) this.#clear();
      return undefined;
    }
    const length = this.#lengthAt(this.#head);
    if (length < 0) throw this.#fail('NEGATIVE_LENGTH', `a frame has the length ${length}`);
    if (length > this.bytesMax) throw this.#fail('FRAME_TOO_LONG', `a frame has ${length} bytes; ${this.bytesMax} are allowed`);
    if (present - LENGTH_BYTES < length) return undefined;
    this.#head += LENGTH_BYTES + length;
    return length;
  }

  #lengthAt(at: number): number {
    const bytes = this.#bytes;
    return ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  }

  #fail(code: ProtocolErrorCode, message: string): ProtocolError {
    this.#failure = new ProtocolError(code, message);
    this.#clear();
    return this.#failure;
  }

  /** Everything has been taken out: an idle connection keeps nothing. */
  #clear(): void {
    this.#head = 0;
    this.#tail = 0;
    this.#bytes = NOTHING;
  }

  /** Copies what is there to the front of a new array. Half of that is free then, so a byte is moved once on average; where nothing is there, it is exact. */
  #makeRoom(count: number): void {
    const present = this.length;
    const bytes = new Uint8Array(present === 0 ? count : (present + count) * 2);
    bytes.set(this.#bytes.subarray(this.#head, this.#tail));
    this.#bytes = bytes;
    this.#head = 0;
    this.#tail = present;
  }
}

/** A frame with this body. */
export function frame(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES + body.length);
  bytes[0] = body.length >> 24;
  bytes[1] = body.length >> 16;
  bytes[2] = body.length >> 8;
  bytes[3] = body.length;
  bytes.set(body, LENGTH_BYTES);
  return bytes;
}
