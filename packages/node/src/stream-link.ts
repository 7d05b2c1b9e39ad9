/**
 * One client of a listener, from its first byte to its last (ZooKeeper: class `NIOServerCnxn`).
 *
 * Whatever a client sends harms nobody but itself: a stream that cannot be cut into frames ends, a frame that cannot be read is answered as
 * malformed, and a client that does not read is not read from, and then disconnected.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  decodeConnectRequest,
  encodeConnectResponse,
  FrameSplitter,
  type Id,
  isProtocolError,
  readClientMessage,
  type ServerMessage,
  writeServerMessage,
} from '@quorate/protocol';
import type { ClientLink, ClientPort } from '@quorate/server';
import { certificateIds } from './client-tls.js';
import type { EventFrames } from './event-frames.js';
import type { FlushScheduler } from './flush-scheduler.js';
import { FrameWriter } from './frame-writer.js';
import { LINGER_MS, OUTBOX_PAUSE_BYTES } from './limits.js';

/** Gives a link to a server. */
export type Accept = (link: ClientLink) => LinkPort;

/** The server's end of a link. */
export type LinkPort = Pick<ClientPort, 'receive' | 'heard' | 'closed'>;

/** What one client may cost. */
export interface LinkLimits {
  readonly handshakeTimeoutMs: number;
  readonly outboxBytesMax: number;
}

/** What the links of one listener have in common. */
export interface LinkShare {
  readonly flushes: FlushScheduler;
  readonly events: EventFrames;
  /** The answer to a four-letter word; undefined for four letters that are none. */
  readonly answerWord: (word: string) => string | undefined;
}

/** Where a link comes from. */
export interface LinkOrigin {
  readonly address: string;
  readonly remotePort: number;
  /** What the link itself proves about its client. */
  readonly ids: readonly Id[];
}

const WORD_BYTES = 4;

export class StreamLink implements ClientLink {
  readonly address: string;
  readonly remotePort: number;
  readonly ids: readonly Id[];
  readonly #socket: Duplex;
  readonly #accept: Accept;
  readonly #splitter = new FrameSplitter();
  readonly #writer: FrameWriter;
  readonly #share: LinkShare;
  /** The first bytes, while they may be a word: what comes in place of a handshake. */
  #opening: Uint8Array | undefined = new Uint8Array(0);
  readonly #outboxBytesMax: number;
  readonly #handshakeTimer: NodeJS.Timeout;
  /** The server, after the handshake. */
  #port: LinkPort | undefined;
  /** Whether the client knows the last byte of the handshake. */
  #withReadOnly = true;
  #pausedByServer = false;
  #pausedByOutbox = false;
  #ended = false;

  constructor(socket: Duplex, accept: Accept, limits: LinkLimits, share: LinkShare, { address, remotePort, ids }: LinkOrigin) {
    this.#socket = socket;
    this.#accept = accept;
    this.#outboxBytesMax = limits.outboxBytesMax;
    this.#share = share;
    this.#writer = new FrameWriter(socket, () => this.#onWritten(), share.flushes.schedule);
    this.address = address;
    this.remotePort = remotePort;
    this.ids = ids;
    this.#handshakeTimer = setTimeout(() => this.destroy(), limits.handshakeTimeoutMs);
    socket.on('data', (chunk) => {
      if (this.#ended) return;
      const bytes = this.#opening === undefined ? chunk : this.#takeOpening(this.#opening, chunk);
      if (bytes === undefined) return;
      this.#splitter.push(bytes);
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
    else if (message.kind === 'event') frames.raw(this.#share.events.of(message));
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

  /** Answers a word where that is what has come; else gives what is to be read as frames, or undefined where that cannot be told yet. */
  #takeOpening(before: Uint8Array, chunk: Uint8Array): Uint8Array | undefined {
    const bytes = before.length === 0 ? chunk : Buffer.concat([before, chunk]);
    this.#opening = bytes.length < WORD_BYTES ? bytes : undefined;
    if (bytes.length < WORD_BYTES) return undefined;
    const answer = this.#share.answerWord(String.fromCharCode(...bytes.subarray(0, WORD_BYTES)));
    if (answer === undefined) return bytes;
    this.#socket.write(answer);
    this.close();
    return undefined;
  }

  /** Takes every frame that is complete, until something asks for a pause. */
  #read(): void {
    try {
      while (!this.#ended && !this.#paused && this.#takeNext());
    } catch (error) {
      // Neither a length nor a header can be believed from here on.
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
    // Whoever reads is there, even where nothing is read from it because it reads too slowly.
    if (this.#pausedByOutbox) this.#port?.heard();
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

export function originOf(socket: Socket): LinkOrigin {
  return { address: plainAddress(socket.remoteAddress), remotePort: socket.remotePort ?? 0, ids: certificateIds(socket) };
}

/** An IPv4 client of an IPv6 socket has its own address, so that an ACL of the scheme `ip` fits both. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}
