/** One connection to a server, as bytes: what is sent is framed and nothing more, what comes is decoded as far as it can be. */
import {
  type ConnectResponse,
  decodeConnectResponse,
  decodeServerMessage,
  type EventMessage,
  FrameSplitter,
  frame,
  isProtocolError,
  JuteReader,
  type ReplyMessage,
  type Zxid,
} from '@quorate/protocol';
import type { ByteLink, Way } from './way.ts';

/** A reply whose body is not known, as its bytes. */
export interface OpaqueMessage {
  readonly kind: 'opaque';
  readonly xid: number;
  readonly zxid: Zxid;
  readonly err: number;
  readonly body: string;
}

/** The first answer, with its length, by which one form of the handshake is told from the other. */
export type HandshakeMessage = ConnectResponse & { readonly length: number };

export type Received = HandshakeMessage | ReplyMessage | EventMessage | OpaqueMessage;

const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
const HEADER_BYTES = 16;

export class RawConnection {
  readonly #way: Way;
  readonly #link: ByteLink;
  readonly #splitter = new FrameSplitter(ANSWER_BYTES_MAX);
  readonly #types = new Map<number, number>();
  readonly #received: Received[] = [];
  #first = true;
  #ended = false;
  readonly #watchers = new Set<() => void>();

  constructor(way: Way) {
    this.#way = way;
    this.#link = way.dial({
      onBytes: (chunk) => {
        this.#splitter.push(chunk);
        for (let body = this.#splitter.next(); body !== undefined; body = this.#splitter.next()) this.#received.push(this.#decode(body));
        this.#changed();
      },
      onEnd: () => {
        this.#ended = true;
        this.#changed();
      },
    });
  }

  /** The server, or this side, has ended it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What has come and was not taken yet, in its order. */
  get received(): readonly Received[] {
    return this.#received;
  }

  /** Sends a frame as it is; `type` is what an answer under `xid` is read by. */
  send(bytes: Uint8Array, xid: number, type: number): void {
    this.#types.set(xid, type);
    if (!this.#ended) this.#link.write(bytes);
  }

  /** Sends a body as a frame. */
  sendBody(body: Uint8Array, xid: number, type: number): void {
    this.send(frame(body), xid, type);
  }

  /** Resolves with true once `condition` holds, with false once the connection has ended without that, or after `timeoutMs`. */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    await new Promise<void>((resolve) => {
      let isDone = false;
      const look = (): void => {
        if (condition() || this.#ended) end();
      };
      const end = (): void => {
        isDone = true;
        timer.cancel();
        this.#watchers.delete(look);
        resolve();
      };
      const timer = this.#way.clock.setTimer(timeoutMs, end);
      this.#watchers.add(look);
      look();
      this.#way.drive(() => isDone);
    });
    return condition();
  }

  /** Whether the reply to `xid` has come. */
  has(xid: number): boolean {
    return this.#received.some((message) => message.kind === 'reply' && message.xid === xid);
  }

  /** Takes the reply to `xid` out of what has come; undefined where there is none. */
  pick(xid: number): ReplyMessage | undefined {
    const at = this.#received.findIndex((message) => message.kind === 'reply' && message.xid === xid);
    return at === -1 ? undefined : (this.#received.splice(at, 1)[0] as ReplyMessage);
  }

  /** Takes what has come. */
  take(): Received[] {
    return this.#received.splice(0);
  }

  /** Goes away without a word. */
  destroy(): void {
    this.#link.destroy();
  }

  #changed(): void {
    for (const look of [...this.#watchers]) look();
  }

  #decode(body: Uint8Array): Received {
    if (this.#first) {
      this.#first = false;
      return { ...decodeConnectResponse(body), length: body.length };
    }
    try {
      return decodeServerMessage(body, (xid) => this.#types.get(xid));
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      const reader = new JuteReader(body);
      return { kind: 'opaque', xid: reader.int(), zxid: reader.zxid(), err: reader.int(), body: hex(body.subarray(HEADER_BYTES)) };
    }
  }
}

export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
