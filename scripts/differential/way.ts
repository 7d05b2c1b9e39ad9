/** The way to one server, as bytes in both directions: over TCP, or within the process under a virtual clock. */
import { connect } from 'node:net';
import {
  decodeClientMessage,
  decodeConnectRequest,
  encodeConnectResponse,
  encodeServerMessage,
  FrameSplitter,
  isProtocolError,
  type ServerMessage,
} from '@quorate/protocol';
import { type Clock, type Ensemble, realClock, type VirtualClock } from 'quorate';

/** Takes a connection for a server, as an ensemble does. */
export type Accept = Ensemble['accept'];

export interface ByteLink {
  write(frame: Uint8Array): void;
  /** Goes away without a word. */
  destroy(): void;
}

export interface Receiver {
  onBytes(chunk: Uint8Array): void;
  onEnd(): void;
}

export interface Way {
  readonly clock: Clock;
  dial(receiver: Receiver): ByteLink;
  /** Lets time pass until something holds, where time does not pass by itself. */
  drive(isDone: () => boolean): void;
}

export function tcpWay(port: number): Way {
  return {
    clock: realClock,
    drive() {},
    dial(receiver) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.on('data', (chunk) => receiver.onBytes(chunk));
      // What went wrong is no news: 'close' follows.
      socket.on('error', () => {});
      socket.on('close', () => receiver.onEnd());
      return { write: (frame) => socket.write(frame), destroy: () => socket.destroy() };
    },
  };
}

/** Clients have the address of this machine, as over TCP. Bytes arrive in a later turn than that in which they were sent. */
export function inProcessWay(accept: Accept, clock: VirtualClock): Way {
  return {
    clock,
    drive(isDone) {
      while (!isDone() && clock.step()) {}
    },
    dial: (receiver) => new InProcessLink(accept, clock, receiver),
  };
}

class InProcessLink implements ByteLink {
  readonly address = '127.0.0.1';
  readonly #accept: Accept;
  readonly #clock: VirtualClock;
  readonly #receiver: Receiver;
  readonly #splitter = new FrameSplitter();
  #port: ReturnType<Accept> | undefined;
  #withReadOnly = true;
  #closed = false;

  constructor(accept: Accept, clock: VirtualClock, receiver: Receiver) {
    this.#accept = accept;
    this.#clock = clock;
    this.#receiver = receiver;
  }

  write(frame: Uint8Array): void {
    this.#clock.defer(() => {
      this.#splitter.push(frame);
      for (let body = this.#splitter.next(); body !== undefined && !this.#closed; body = this.#splitter.next()) this.#take(body);
    });
  }

  destroy(): void {
    this.#closed = true;
    this.#clock.defer(() => this.#port?.closed());
  }

  #take(body: Uint8Array): void {
    try {
      if (this.#port !== undefined) return this.#port.receive(decodeClientMessage(body));
      const { hasReadOnly, ...request } = decodeConnectRequest(body);
      this.#withReadOnly = hasReadOnly;
      this.#port = this.#accept({ address: this.address, send: (message) => this.#send(message), close: () => this.#close() });
      this.#port.receive(request);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#port?.closed();
      this.#close();
    }
  }

  #send(message: ServerMessage): void {
    const bytes =
      message.kind === 'connected' ? encodeConnectResponse(message, { withReadOnly: this.#withReadOnly }) : encodeServerMessage(message);
    this.#clock.defer(() => {
      if (!this.#closed) this.#receiver.onBytes(bytes);
    });
  }

  /** The server ends it; what it has sent before still arrives. */
  #close(): void {
    this.#clock.defer(() => {
      if (this.#closed) return;
      this.#closed = true;
      this.#receiver.onEnd();
    });
  }
}
