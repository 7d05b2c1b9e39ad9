/**
 * The search for a server that takes writes, while the one that is connected only reads (ZooKeeper: `SendThread.pingRwServer`).
 *
 * ZooKeeper asks by a four-letter word and connects then. Here the question is the handshake itself, on a second connection: a server that only reads closes
 * it, one that waits for a leader answers when it has one, and one that takes the session has it from then on. So the client always has a server.
 */
import { type Clock, type Random, randomBelow, type Timer } from '@quorate/ports';
import type { ConnectRequest, ConnectResponse, Zxid } from '@quorate/protocol';
import type { Connection, ConnectionHandler, Connector } from './connection.js';
import type { ServerRotation } from './server-rotation.js';

/** The first pause between two attempts, in milliseconds; it doubles with every attempt. */
const PAUSE_MIN_MS = 100;
/** The longest pause, in milliseconds (ZooKeeper: 60,000). */
const PAUSE_MAX_MS = 10_000;

/** A server that has answered: it takes writes and has the session now, or says that there is none any more. */
export interface Found {
  readonly connection: Connection;
  readonly response: ConnectResponse;
  /** What the server was told that the client had seen. */
  readonly lastZxidSeen: Zxid;
  /** When it was told so. */
  readonly sentAt: number;
  /** Who hears of the connection from now on. */
  handTo(handler: ConnectionHandler): void;
}

export interface ReadWriteSearchOptions {
  readonly connector: Connector;
  readonly clock: Clock;
  readonly random: Random;
  readonly rotation: ServerRotation;
  /** The handshake, of a client that puts up with nothing less. */
  readonly handshake: () => ConnectRequest;
  readonly onFound: (found: Found) => void;
}

export class ReadWriteSearch {
  readonly #options: ReadWriteSearchOptions;
  #attemptMs = 0;
  #pauseMs = 0;
  /** Ends the pause, or the attempt. */
  #timer: Timer | undefined;
  #connection: Connection | undefined;
  /** Of the present attempt; what an earlier one still reports is ignored. */
  #handler: ConnectionHandler | undefined;

  constructor(options: ReadWriteSearchOptions) {
    this.#options = options;
  }

  /** @param attemptMs how long a server may take to answer. */
  start(attemptMs: number): void {
    this.stop();
    this.#attemptMs = attemptMs;
    this.#pauseMs = PAUSE_MIN_MS;
    this.#pause();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#handler = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
  }

  #pause(): void {
    const { clock, random } = this.#options;
    const pauseMs = this.#pauseMs / 2 + randomBelow(random, this.#pauseMs / 2);
    this.#pauseMs = Math.min(PAUSE_MAX_MS, this.#pauseMs * 2);
    this.#timer = clock.setTimer(pauseMs, () => this.#attempt());
  }

  #attempt(): void {
    const { connector, clock, rotation, handshake } = this.#options;
    const request = handshake();
    let to: ConnectionHandler | undefined;
    let sentAt = 0;
    const handler: ConnectionHandler = {
      onOpen: () => {
        if (this.#handler !== handler) return;
        sentAt = clock.now();
        this.#connection?.send(request);
      },
      onMessage: (message) => {
        if (to !== undefined) to.onMessage(message);
        else if (this.#handler !== handler) return;
        else if (message.kind !== 'connected' || message.readOnly) this.#fail();
        else this.#find({ response: message, lastZxidSeen: request.lastZxidSeen, sentAt, handTo: (next) => (to = next) });
      },
      onClose: (reason) => {
        if (to !== undefined) to.onClose(reason);
        else if (this.#handler === handler) this.#fail();
      },
    };
    this.#handler = handler;
    this.#timer = clock.setTimer(this.#attemptMs, () => this.#fail());
    this.#connection = connector.connect(rotation.next(), handler);
  }

  #fail(): void {
    this.stop();
    this.#pause();
  }

  #find(found: Omit<Found, 'connection'>): void {
    const connection = this.#connection as Connection;
    // It is not this search's any more.
    this.#connection = undefined;
    this.stop();
    this.#options.onFound({ ...found, connection });
  }
}
