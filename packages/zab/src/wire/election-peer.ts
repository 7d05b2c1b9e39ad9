/**
 * The election connection between this server and one other (class `QuorumCnxManager`), which both send on. Two servers keep one: that which the greater of the
 * two sids has opened. The lesser one that wants a connection opens one too, says who it is, and is dialled back.
 *
 * Only the newest notification counts: where there is no connection, it waits for one, and after a while for none.
 */
import type { Clock, Random, Timer } from '@quorate/ports';
import { isProtocolError, type JuteWriter } from '@quorate/protocol';
import type { Sid } from '../config.js';
import type { Notification } from '../messages.js';
import { ByteQueue } from './byte-queue.js';
import type { ByteChannel, ByteChannelHandler } from './byte-transport.js';
import { takeNotification, writeElectionHello, writeNotification } from './zookeeper-election.js';

export interface ElectionPeerOptions {
  readonly sid: Sid;
  readonly peer: Sid;
  /** Where this server takes such connections: `host:port`. */
  readonly address: string;
  /** The text of the config, in UTF-8. */
  readonly config: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  readonly writer: JuteWriter;
  readonly answerTimeoutMs: number;
  readonly open: (handler: ByteChannelHandler) => ByteChannel;
  readonly onNotification: (notification: Notification) => void;
  readonly onBadMessage: (message: string) => void;
}

/** The pause after the first failure; it doubles. */
const BACK_OFF_MS_MIN = 50;
const BACK_OFF_MS_MAX = 2_000;
/** The same for the lesser server: until it is dialled back. Asking again ends what the greater one has opened meanwhile. */
const DIALLED_BACK_MS_MIN = 400;
/** A connection that is younger is not given up because the lesser server asks for one: it asked before it had this one. */
const YOUNG_MS = 1_000;

export class ElectionPeer {
  readonly #options: ElectionPeerOptions;
  /** The connection that both use. */
  #line: Line | undefined;
  /** Not sent yet. */
  #newest: Waiting | undefined;
  /** What was sent last. It goes once more over the next connection: the former may have ended before it arrived. */
  #last: Waiting | undefined;
  #lineSinceMs = 0;
  /** Runs while no connection may be opened. */
  #pause: Timer | undefined;
  /** Connections in a row on which nothing was heard. */
  #failures = 0;
  /** When the first notification was sent since anything was heard; undefined where all is answered. */
  #unansweredSinceMs: number | undefined;
  #stopped = false;

  constructor(options: ElectionPeerOptions) {
    this.#options = options;
  }

  send(notification: Notification): void {
    const { clock, answerTimeoutMs } = this.#options;
    const nowMs = clock.now();
    this.#newest = { notification, sinceMs: nowMs };
    // A connection over which nothing gets through any more shows nothing else: those who look are answered, and those who have decided are asked.
    if (this.#unansweredSinceMs !== undefined && nowMs - this.#unansweredSinceMs > 2 * answerTimeoutMs) this.#hangUp();
    this.#sendNewest();
  }

  /** The peer has opened a connection and said who it is. Gives who takes what follows, and undefined where this server dials back. */
  accept(stream: ByteChannel, queue: ByteQueue): ByteChannelHandler | undefined {
    const { sid, peer, clock } = this.#options;
    if (peer < sid && this.#line !== undefined && clock.now() - this.#lineSinceMs < YOUNG_MS) return undefined;
    // It has opened one because it has none: what is here of it is old.
    this.#hangUp();
    this.#pause?.cancel();
    this.#pause = undefined;
    this.#failures = 0;
    if (peer < sid) {
      this.#dial();
      return undefined;
    }
    const line = this.#newLine(queue);
    line.stream = stream;
    this.#sendNewest();
    return line;
  }

  /** Ends, with no word to anybody. */
  stop(): void {
    this.#stopped = true;
    this.#pause?.cancel();
    this.#line = undefined;
  }

  #sendNewest(): void {
    const { writer, config, clock } = this.#options;
    if (this.#newest === undefined) return;
    if (this.#line === undefined) return this.#dial();
    writer.clear();
    writeNotification(writer, this.#newest.notification, config);
    this.#line.stream?.send(writer.finish());
    this.#last = this.#newest;
    this.#newest = undefined;
    this.#unansweredSinceMs ??= clock.now();
  }

  #dial(): void {
    const { sid, peer, address, writer, open } = this.#options;
    if (this.#pause !== undefined || this.#stopped) return;
    const keeps = sid > peer;
    const line = keeps ? this.#newLine(new ByteQueue()) : undefined;
    const stream = open(line ?? { onBytes: () => {}, onClose: () => {} });
    writer.clear();
    writeElectionHello(writer, sid, address);
    stream.send(writer.finish());
    if (line !== undefined) {
      line.stream = stream;
      this.#sendNewest();
    } else {
      stream.close();
      this.#beginPause();
    }
  }

  #newLine(queue: ByteQueue): Line {
    const line = new Line(queue, this.#options.peer, {
      onNotification: (notification) => {
        this.#failures = 0;
        this.#unansweredSinceMs = undefined;
        this.#options.onNotification(notification);
      },
      onBadMessage: (message) => {
        this.#options.onBadMessage(message);
        if (this.#line === line) this.#hangUp();
      },
      onClose: () => {
        if (this.#line !== line) return;
        this.#line = undefined;
        this.#unansweredSinceMs = undefined;
        this.#beginPause();
      },
    });
    this.#line = line;
    this.#lineSinceMs = this.#options.clock.now();
    this.#newest ??= this.#last;
    this.#forgetOld();
    return line;
  }

  #hangUp(): void {
    this.#line?.close();
    this.#line = undefined;
    this.#unansweredSinceMs = undefined;
  }

  /** Between this connection and the next: doubled with every failure, and shortened by chance, so that servers which start together do not go on together. */
  #beginPause(): void {
    const { clock, random, sid, peer } = this.#options;
    this.#pause?.cancel();
    const shortest = sid > peer ? BACK_OFF_MS_MIN : DIALLED_BACK_MS_MIN;
    const longest = Math.min(BACK_OFF_MS_MAX, shortest * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    this.#pause = clock.setTimer(longest * (0.5 + random.uint32() / 2 ** 33), () => this.#onPauseOver());
  }

  #onPauseOver(): void {
    this.#pause = undefined;
    this.#forgetOld();
    if (this.#line === undefined) this.#sendNewest();
  }

  /** What the core still means it says again. */
  #forgetOld(): void {
    const { clock, answerTimeoutMs } = this.#options;
    if (this.#newest !== undefined && clock.now() - this.#newest.sinceMs > answerTimeoutMs) this.#newest = undefined;
  }
}

/** A notification, and since when this server means it. */
interface Waiting {
  readonly notification: Notification;
  readonly sinceMs: number;
}

interface LineHandler {
  readonly onNotification: (notification: Notification) => void;
  readonly onBadMessage: (message: string) => void;
  readonly onClose: () => void;
}

/** A connection in use. */
class Line implements ByteChannelHandler {
  readonly #queue: ByteQueue;
  readonly #peer: Sid;
  readonly #handler: LineHandler;
  stream: ByteChannel | undefined;
  #closed = false;

  constructor(queue: ByteQueue, peer: Sid, handler: LineHandler) {
    this.#queue = queue;
    this.#peer = peer;
    this.#handler = handler;
  }

  close(): void {
    this.#closed = true;
    this.stream?.close();
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#queue.push(bytes);
    this.takeAll();
  }

  /** Takes every notification that is complete. */
  takeAll(): void {
    try {
      while (!this.#closed) {
        const notification = takeNotification(this.#queue, this.#peer);
        if (notification === undefined) return;
        this.#handler.onNotification(notification);
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#handler.onBadMessage(error.message);
    }
  }

  onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler.onClose();
  }
}
