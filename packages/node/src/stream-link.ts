/**
 * One client of a listener, from its first byte to its last (ZooKeeper: class `NIOServerCnxn`).
 *
 * Whatever a client sends harms nobody but itself: a stream that cannot be cut into frames ends, a frame that cannot be read is answered as
 * malformed, and a client that does not read is not read from, and then disconnected.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type ConnectResponse,
  decodeConnectRequest,
  encodeConnectResponse,
  FRAME_BYTES_MAX,
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
import {
  ANSWER_BYTES_PER_TURN,
  HANDSHAKE_BYTES_MAX,
  LINGER_MS,
  OUTBOX_PAUSE_BYTES,
  PART_BYTES_MIN,
  REQUESTS_PER_LOOK,
  UNREAD_MS_MAX,
  UNREAD_SHARE_MAX,
} from './limits.js';
import type { LinkMemory } from './link-memory.js';
import type { ListenerCounts } from './listener-counts.js';
import type { ReadTurns } from './read-turns.js';
import { ReadingWatch } from './reading-watch.js';

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
  readonly memory: LinkMemory;
  readonly counts: ListenerCounts;
  readonly turns: Pick<ReadTurns, 'isOver' | 'wait'>;
  /** The answer to a four-letter word; undefined for four letters that are none. */
  readonly answerWord: (word: string) => string | undefined;
}

/** Where a link comes from. */
export interface LinkOrigin {
  readonly address: string;
  readonly remotePort: number;
  /** What the link itself proves about its client. */
  readonly ids: readonly Id[];
  /** What carries the bytes in the end. */
  readonly socket: Socket;
}

const WORD_BYTES = 4;

export class StreamLink implements ClientLink {
  readonly address: string;
  readonly remotePort: number;
  readonly ids: readonly Id[];
  readonly #socket: Duplex;
  readonly #reading: ReadingWatch;
  readonly #accept: Accept;
  readonly #splitter = new FrameSplitter(HANDSHAKE_BYTES_MAX);
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
  /** It has had its share of this turn. */
  #pausedByTurn = false;
  /** What the share's memory was told of it. */
  #keptBytes = 0;
  /** How long it may read nothing of what waits for it, and whether that time runs. */
  #unreadMsMax = UNREAD_MS_MAX;
  #isUnread = false;
  #ended = false;

  constructor(socket: Duplex, accept: Accept, limits: LinkLimits, share: LinkShare, origin: LinkOrigin) {
    const { address, remotePort, ids } = origin;
    this.#socket = socket;
    this.#reading = new ReadingWatch(origin.socket, () => this.destroy());
    this.#accept = accept;
    this.#outboxBytesMax = limits.outboxBytesMax;
    this.#share = share;
    const { schedule } = share.flushes;
    this.#writer = new FrameWriter(socket, { onWritten: () => this.#onWritten(), onUnread: () => this.#weigh(), schedule });
    this.address = address;
    this.remotePort = remotePort;
    this.ids = ids;
    this.#handshakeTimer = setTimeout(() => {
      share.counts.handshakesExpired++;
      this.destroy();
    }, limits.handshakeTimeoutMs);
    socket.on('data', (chunk) => {
      share.counts.bytesReceived += chunk.length;
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
    if (message.kind === 'connected') this.#sendConnected(message);
    else if (message.kind === 'event') frames.raw(this.#share.events.of(message));
    else writeServerMessage(frames, message);
    const { waitingBytes } = this.#writer;
    if (waitingBytes > this.#outboxBytesMax) this.destroy();
    else if (waitingBytes > this.#share.memory.pauseBytes) this.#pausedByOutbox = true;
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
    return this.#pausedByServer || this.#pausedByOutbox || this.#pausedByTurn;
  }

  /** Whoever is disconnected because it does not read must have time left to come again before its session ends. */
  #sendConnected(message: ConnectResponse): void {
    this.#writer.frames.raw(encodeConnectResponse(message, { withReadOnly: this.#withReadOnly }));
    this.#unreadMsMax = Math.min(UNREAD_MS_MAX, Math.max(1, message.timeOut * UNREAD_SHARE_MAX));
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

  /** Takes frames that are complete, now or in its turn. */
  #read(): void {
    if (this.#share.turns.isOver) this.#rest();
    else this.#takeSome();
  }

  /** Takes frames that are complete, until something asks for a pause. */
  #takeSome(): void {
    try {
      for (let taken = 1; !this.#ended && !this.#paused && this.#takeNext(); taken++)
        if (this.#writer.waitingBytes > ANSWER_BYTES_PER_TURN || (taken % REQUESTS_PER_LOOK === 0 && this.#share.turns.isOver))
          this.#rest();
    } catch (error) {
      // Neither a length nor a header can be believed from here on.
      this.destroy();
      if (!isProtocolError(error)) throw error;
      return;
    }
    if (this.#ended) return;
    if (this.#keptBytes > 0 || this.#splitter.length >= PART_BYTES_MIN) this.#weigh();
    if (this.#paused) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Until it is the turn of this one again. */
  #rest(): void {
    if (this.#pausedByTurn) return;
    this.#pausedByTurn = true;
    this.#socket.pause();
    this.#share.turns.wait(this.#takeTurn);
  }

  readonly #takeTurn = (): void => {
    this.#pausedByTurn = false;
    this.#takeSome();
  };

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
    this.#splitter.bytesMax = FRAME_BYTES_MAX;
    this.#withReadOnly = hasReadOnly;
    this.#port = this.#accept(this);
    this.#port.receive(request);
    return true;
  }

  /** Says what this client makes the listener keep, and gives it time to read where it has not read all. */
  #weigh(): void {
    if (this.#ended) return;
    const unread = this.#socket.writableLength;
    const part = this.#splitter.length;
    this.#keptBytes = unread + (part < PART_BYTES_MIN ? 0 : part);
    if (this.#isUnread !== unread > 0) {
      this.#isUnread = unread > 0;
      if (this.#isUnread) this.#reading.begin(this.#unreadMsMax);
      else this.#reading.end();
    }
    this.#share.memory.keep(this, this.#keptBytes);
  }

  #onWritten(): void {
    if (this.#keptBytes > 0) this.#weigh();
    // Whoever reads is there, even where nothing is read from it because it reads too slowly.
    if (this.#pausedByOutbox) this.#port?.heard();
    if (!this.#pausedByOutbox || this.#writer.waitingBytes > OUTBOX_PAUSE_BYTES / 2) return;
    this.#pausedByOutbox = false;
    this.#read();
  }

  #onClose(): void {
    this.#ended = true;
    clearTimeout(this.#handshakeTimer);
    this.#reading.end();
    this.#share.memory.keep(this, 0);
    this.#port?.closed();
  }
}

export function originOf(socket: Socket): LinkOrigin {
  return { address: plainAddress(socket.remoteAddress), remotePort: socket.remotePort ?? 0, ids: certificateIds(socket), socket };
}

/** An IPv4 client of an IPv6 socket has its own address, so that an ACL of the scheme `ip` fits both. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}
