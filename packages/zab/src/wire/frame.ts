/**
 * Frames, which make faults of a byte channel visible.
 *
 * | bytes | header |
 * |---|---|
 * | 4 | length of the body |
 * | 8 | nonce of the end that the frame is meant for, drawn by that end for this connection (as the verification tag of SCTP, RFC 9260 section 8.5) |
 * | 8 | number of the frame in its direction, from 0 |
 * | 4 | CRC-32 of the body |
 * | 4 | CRC-32 of the header up to here |
 *
 * The header has a checksum of its own because its length must not be believed unseen: a length that a flipped bit has made larger would swallow the frames
 * behind it in silence. A nonce that the receiver has drawn itself cannot be in anything that was sent before this connection, or for another one.
 * No fault of a transport gets past all of this but by a chance of 2^−32; somebody who means harm does, and needs TLS below.
 */
import type { Random } from '@quorate/ports';
import { crc32 } from '@quorate/protocol';
import { ByteQueue } from './byte-queue.js';
import type { WireFault } from './violation.js';

/**
 * The largest body: 16 MiB. A frame carries one message, and runs are cut to `RUN_BYTES_MAX`, so that only a single payload can be as large: sixteen times what
 * ZooKeeper lets a client send (`jute.maxbuffer`), for applications that propose more. Whoever connects can make a server hold as many bytes.
 */
export const FRAME_BODY_BYTES_MAX = 16 * 1024 * 1024;

const HEADER_BYTES = 28;
const NONCE_AT = 4;
const SEQUENCE_AT = 12;
const BODY_CRC_AT = 20;
const HEADER_CRC_AT = 24;

/** 64 random bits. */
export interface Nonce {
  readonly high: number;
  readonly low: number;
}

/** In the first frame of a connection, whose sender does not know the other end's. */
export const NO_NONCE: Nonce = { high: 0, low: 0 };

export function drawNonce(random: Random): Nonce {
  for (;;) {
    const nonce = { high: random.uint32(), low: random.uint32() };
    if (nonce.high !== 0 || nonce.low !== 0) return nonce;
  }
}

/** @throws RangeError where the body is larger than `FRAME_BODY_BYTES_MAX`. */
export function checkFits(body: Uint8Array): void {
  if (body.length > FRAME_BODY_BYTES_MAX)
    throw new RangeError(`a message of ${body.length} bytes does not fit into a frame: ${FRAME_BODY_BYTES_MAX} are allowed`);
}

/** Makes the frames of one direction of one connection. */
export class FrameWriter {
  #nonce = NO_NONCE;
  #sequence = 0;

  /** From now on frames are meant for the end that has drawn this. */
  address(nonce: Nonce): void {
    this.#nonce = nonce;
  }

  /** The next frame, in an array of its own. @throws RangeError where the body is larger than `FRAME_BODY_BYTES_MAX`. */
  frame(body: Uint8Array): Uint8Array {
    checkFits(body);
    const bytes = new Uint8Array(HEADER_BYTES + body.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, body.length);
    view.setUint32(NONCE_AT, this.#nonce.high);
    view.setUint32(NONCE_AT + 4, this.#nonce.low);
    view.setUint32(SEQUENCE_AT, this.#sequence / 0x1_0000_0000);
    view.setUint32(SEQUENCE_AT + 4, this.#sequence);
    view.setUint32(BODY_CRC_AT, crc32(body));
    view.setUint32(HEADER_CRC_AT, crc32(bytes, 0, HEADER_CRC_AT));
    bytes.set(body, HEADER_BYTES);
    this.#sequence++;
    return bytes;
  }
}

/**
 * Takes the bytes of one direction of one connection, cut anywhere, and gives the bodies of its frames, up to the first fault.
 * Take out all bodies after every `push`.
 */
export class FrameReader {
  readonly #queue = new ByteQueue();
  #nonce = NO_NONCE;
  #bodyBytesMax: number;
  /** The number of the next frame. */
  #sequence = 0;
  /** Of the frame whose header has been read and whose body has not; −1 between frames. */
  #bodyBytes = -1;
  #bodyCrc = 0;
  #fault: WireFault | undefined;

  /** @param bodyBytesMax the largest body that is accepted. */
  constructor(bodyBytesMax = FRAME_BODY_BYTES_MAX) {
    this.#bodyBytesMax = bodyBytesMax;
  }

  /** What was wrong; no body is given any more. */
  get fault(): WireFault | undefined {
    return this.#fault;
  }

  /** The frames that follow are meant for the end that has drawn this nonce, and may be so large. */
  expect(nonce: Nonce, bodyBytesMax: number): void {
    this.#nonce = nonce;
    this.#bodyBytesMax = bodyBytesMax;
  }

  /** Adds what has arrived. The bytes are copied. */
  push(chunk: Uint8Array): void {
    if (this.#fault === undefined) this.#queue.push(chunk);
  }

  /** The body of the next frame, in an array of its own; undefined where it is not complete, or `fault` says why there is none. */
  next(): Uint8Array | undefined {
    if (this.#bodyBytes === -1 && !this.#readHeader()) return undefined;
    if (this.#queue.length < this.#bodyBytes) return undefined;
    const body = this.#queue.take(this.#bodyBytes);
    if (crc32(body) !== this.#bodyCrc) {
      this.#fail({ rule: 'CORRUPT_FRAME', message: `the body of frame ${this.#sequence} has another checksum` });
      return undefined;
    }
    this.#bodyBytes = -1;
    this.#sequence++;
    return body;
  }

  /** Whether the header of the next frame is there and right. */
  #readHeader(): boolean {
    if (this.#queue.length < HEADER_BYTES) return false;
    const header = this.#queue.peek(HEADER_BYTES);
    const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
    const fault = this.#faultOf(header, view);
    if (fault !== undefined) {
      this.#fail(fault);
      return false;
    }
    this.#bodyBytes = view.getUint32(0);
    this.#bodyCrc = view.getUint32(BODY_CRC_AT);
    this.#queue.skip(HEADER_BYTES);
    return true;
  }

  /** What is wrong with a header. Nothing in it is looked at before its checksum. */
  #faultOf(header: Uint8Array, view: DataView): WireFault | undefined {
    const due = this.#sequence;
    if (crc32(header, 0, HEADER_CRC_AT) !== view.getUint32(HEADER_CRC_AT))
      return { rule: 'CORRUPT_FRAME', message: `where frame ${due} should begin is no header` };
    const bodyBytes = view.getUint32(0);
    if (bodyBytes > this.#bodyBytesMax)
      return { rule: 'FRAME_TOO_LARGE', message: `a body has ${bodyBytes} bytes; ${this.#bodyBytesMax} are allowed` };
    if (view.getUint32(NONCE_AT) !== this.#nonce.high || view.getUint32(NONCE_AT + 4) !== this.#nonce.low)
      return { rule: 'FOREIGN_FRAME', message: `a frame of another connection has come instead of frame ${due}` };
    const sequence = view.getUint32(SEQUENCE_AT) * 0x1_0000_0000 + view.getUint32(SEQUENCE_AT + 4);
    if (sequence > due) return { rule: 'FRAME_LOST', message: `frame ${sequence} has come instead of ${due}` };
    if (sequence < due) return { rule: 'FRAME_REPEATED', message: `frame ${sequence} has come once more, instead of ${due}` };
    return undefined;
  }

  #fail(fault: WireFault): void {
    this.#fault = fault;
    // What is left is never looked at: no header is ever complete again.
    this.#queue.clear();
    this.#bodyBytes = -1;
  }
}
