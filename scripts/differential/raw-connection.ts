/** One connection to a server, as bytes: what is sent is framed and nothing more, what comes is decoded as far as it can be. */
import { connect, type Socket } from 'node:net';
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
  readonly #socket: Socket;
  readonly #splitter = new FrameSplitter(ANSWER_BYTES_MAX);
  readonly #types = new Map<number, number>();
  readonly #received: Received[] = [];
  #first = true;
  #ended = false;
  readonly #watchers = new Set<() => void>();

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => {
      this.#splitter.push(chunk);
      for (let body = this.#splitter.next(); body !== undefined; body = this.#splitter.next()) this.#received.push(this.#decode(body));
      this.#changed();
    });
    // What went wrong is no news: 'close' follows.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#ended = true;
      this.#changed();
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
    if (!this.#ended) this.#socket.write(bytes);
  }

  /** Sends a body as a frame. */
  sendBody(body: Uint8Array, xid: number, type: number): void {
    this.send(frame(body), xid, type);
  }

  /** Resolves with true once `condition` holds, with false once the connection has ended without that, or after `timeoutMs`. */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (condition() || this.#ended) end();
      };
      const end = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      const timer = setTimeout(end, timeoutMs);
      this.#watchers.add(look);
      look();
    });
    return condition();
  }

  /** Takes what has come. */
  take(): Received[] {
    return this.#received.splice(0);
  }

  /** Goes away without a word. */
  destroy(): void {
    this.#socket.destroy();
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
