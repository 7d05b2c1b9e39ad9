/**
 * One client of a listener, from its first byte to its last (ZooKeeper: class `NIOServerCnxn`).
 *
 * Whatever a client sends harms nobody but itself: a stream that cannot be cut into frames ends, a frame that cannot be read is answered as
 * malformed, and a client that does not read is not read from, and then disconnected.
 */
import type { Socket } from 'node:net';
import {
  decodeConnectRequest,
  encodeConnectResponse,
  FrameSplitter,
  isProtocolError,
  readClientMessage,
  type ServerMessage,
  writeServerMessage,
} from '@quorate/protocol';
import type { ClientLink, ClientPort } from '@quorate/server';
import { FrameWriter } from './frame-writer.js';
import { LINGER_MS, OUTBOX_PAUSE_BYTES } from './limits.js';

/** Gives a link to a server. */
export type Accept = (link: ClientLink) => Pick<ClientPort, 'receive' | 'closed'>;

/** What one client may cost. */
export interface LinkLimits {
  readonly handshakeTimeoutMs: number;
  readonly outboxBytesMax: number;
}

export class TcpLink implements ClientLink {
  readonly address: string;
  readonly #socket: Socket;
  readonly #accept: Accept;
  readonly #splitter = new FrameSplitter();
  readonly #writer: FrameWriter;
  readonly #outboxBytesMax: number;
  readonly #handshakeTimer: NodeJS.Timeout;
  /** The server, after the handshake. */
  #port: Pick<ClientPort, 'receive' | 'closed'> | undefined;
  /** Whether the client knows the last byte of the handshake. */
  #withReadOnly = true;
  #pausedByServer = false;
  #pausedByOutbox = false;
  #ended = false;

  constructor(socket: Socket, accept: Accept, limits: LinkLimits) {
    this.#socket = socket;
    this.#accept = accept;
    this.#outboxBytesMax = limits.outboxBytesMax;
    this.#writer = new FrameWriter(socket, () => this.#onWritten());
    this.address = plainAddress(socket.remoteAddress);
    socket.setNoDelay(true);
    this.#handshakeTimer = setTimeout(() => this.destroy(), limits.handshakeTimeoutMs);
    socket.on('data', (chunk) => {
      if (this.#ended) return;
      this.#splitter.push(chunk);
      this.#read();
    });
    // What went wrong is no news to anybody: 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
  }

  send(message: ServerMessage): void {
    if (this.#ended) return;
    const { frames } = this.#writer;
    if (message.kind === 'connected') frames.raw(encodeConnectResponse(message, { withReadOnly: this.#withReadOnly }));
    else writeServerMessage(frames, message);
    const { waitingBytes } = this.#writer;
    if (waitingBytes > this.#outboxBytesMax) this.destroy();
    else if (waitingBytes > OUTBOX_PAUSE_BYTES) this.#pausedByOutbox = true;
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#handshakeTimer);
    this.#writer.flush();
    this.#socket.end();
    // What the client still sends is read and dropped: a socket that is closed over unread bytes takes back what it has sent.
    this.#socket.resume();
    const linger = setTimeout(() => this.destroy(), LINGER_MS);
    linger.unref();
    this.#socket.once('close', () => clearTimeout(linger));
  }

  pause(): void {
    this.#pausedByServer = true;
  }

  resume(): void {
    this.#pausedByServer = false;
    this.#read();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  get #paused(): boolean {
    return this.#pausedByServer || this.#pausedByOutbox;
  }

  /** Takes every frame that is complete, until something asks for a pause. */
  #read(): void {
    try {
      while (!this.#ended && !this.#paused && this.#takeNext());
    } catch (error) {
      // Neither a length nor a header can be believed from here on. A four-letter word comes here too: it reads as a length beyond the limit.
      this.destroy();
      if (!isProtocolError(error)) throw error;
      return;
    }
    if (this.#ended) return;
    if (this.#paused) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Takes the next frame; false where it is not complete. */
  #takeNext(): boolean {
    if (this.#port === undefined) return this.#takeHandshake();
    const reader = this.#splitter.nextReader();
    if (reader === undefined) return false;
    this.#port.receive(readClientMessage(reader));
    return true;
  }

  #takeHandshake(): boolean {
    const body = this.#splitter.next();
    if (body === undefined) return false;
    const { hasReadOnly, ...request } = decodeConnectRequest(body);
    clearTimeout(this.#handshakeTimer);
    this.#withReadOnly = hasReadOnly;
    this.#port = this.#accept(this);
    this.#port.receive(request);
    return true;
  }

  #onWritten(): void {
    if (!this.#pausedByOutbox || this.#writer.waitingBytes > OUTBOX_PAUSE_BYTES / 2) return;
    this.#pausedByOutbox = false;
    this.#read();
  }

  #onClose(): void {
    this.#ended = true;
    clearTimeout(this.#handshakeTimer);
    this.#port?.closed();
  }
}

/** An IPv4 client of an IPv6 socket has its own address, so that an ACL of the scheme `ip` fits both. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}
