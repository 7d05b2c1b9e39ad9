/**
 * The bytes of a session's requests, prepared so that sending one costs the load generator next to nothing: what it takes of the processor is taken
 * from the server that is measured.
 */
import { encodeClientMessage, OPEN_ACL_UNSAFE, OpCode, type Request } from '@quorate/protocol';
import { createFolder, DATA_BYTES, type Work, ZNODES, znode } from './order.js';

/** An endless row of requests. */
export interface Requests {
  /** The frames of the next ones, in one piece or two. */
  next(count: number): readonly Uint8Array[];
}

const DATA = new Uint8Array(DATA_BYTES).fill(0x78);
const READS_OF_TEN = 7;
const DIGITS = 10;
const XID_OFFSET = 4;

/** What a session does at a work; sessions begin at different znodes. */
export function requestsOf(work: Work, session: number): Requests {
  switch (work) {
    case 'read':
      return new Circle(session, (path) => getData(path));
    case 'write':
      return new Circle(session, (path) => setData(path));
    case 'mixed':
      return new Circle(session, (path, index) => (index % 10 < READS_OF_TEN ? getData(path) : setData(path)));
    case 'create':
      return new Numbered((path) => create(path), session);
  }
}

/** The deletes of the znodes that a session has created, in their order. */
export function deletesOf(session: number): Requests {
  return new Numbered((path) => ({ type: OpCode.delete, path, version: -1 }), session);
}

function getData(path: string): Request {
  return { type: OpCode.getData, path, watch: false };
}

function setData(path: string): Request {
  return { type: OpCode.setData, path, data: DATA, version: -1 };
}

function create(path: string): Request {
  return { type: OpCode.create, path, data: DATA, acl: OPEN_ACL_UNSAFE, flags: 0 };
}

/** The same requests over and over: pieces of one buffer. */
class Circle implements Requests {
  readonly #bytes: Buffer;
  /** Where each request begins, and where the last one ends. */
  readonly #offsets: number[] = [0];
  #next = 0;

  constructor(session: number, request: (path: string, index: number) => Request) {
    const frames: Uint8Array[] = [];
    for (let i = 0; i < ZNODES; i++) {
      const bytes = encodeClientMessage({ kind: 'request', xid: i + 1, request: request(znode(i * 7 + session * 131), i) });
      frames.push(bytes);
      this.#offsets.push((this.#offsets[i] as number) + bytes.length);
    }
    this.#bytes = Buffer.concat(frames);
  }

  next(count: number): readonly Uint8Array[] {
    const end = this.#next + count;
    if (end < ZNODES) return [this.#piece(end)];
    const first = this.#piece(ZNODES);
    this.#next = 0;
    return end === ZNODES ? [first] : [first, this.#piece(end - ZNODES)];
  }

  #piece(end: number): Uint8Array {
    const piece = this.#bytes.subarray(this.#offsets[this.#next], this.#offsets[end]);
    this.#next = end;
    return piece;
  }
}

/** Requests that differ in the number at the end of their path, which is written into copies of one. */
class Numbered implements Requests {
  readonly #frame: Buffer;
  readonly #lastDigit: number;
  #next = 0;

  constructor(request: (path: string) => Request, session: number) {
    const path = `${createFolder(session)}/${'0'.repeat(DIGITS)}`;
    this.#frame = Buffer.from(encodeClientMessage({ kind: 'request', xid: 0, request: request(path) }));
    this.#lastDigit = this.#frame.indexOf(path) + path.length - 1;
  }

  next(count: number): readonly Uint8Array[] {
    const { length } = this.#frame;
    const bytes = Buffer.allocUnsafe(count * length);
    for (let at = 0; at < bytes.length; at += length) {
      this.#frame.copy(bytes, at);
      const number = this.#next++;
      bytes.writeInt32BE(number + 1, at + XID_OFFSET);
      let rest = number;
      for (let digit = at + this.#lastDigit; rest > 0; digit--) {
        bytes[digit] = 0x30 + (rest % 10);
        rest = Math.floor(rest / 10);
      }
    }
    return [bytes];
  }
}
