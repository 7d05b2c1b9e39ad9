/**
 * A client's way to a server over WebSocket, for browsers and wherever else there is no TCP: the bytes are those of ZooKeeper's client port, a frame to a message
 * on the way there, cut anywhere on the way back.
 */
import { type ClientMessage, encodeClientMessage } from '@quorate/protocol';
import { checkWhole } from './arguments.js';
import type { Connection, ConnectionHandler, Connector } from './connection.js';
import { ServerMessageReader } from './server-message-reader.js';

/** The longest frame that a client takes from a server, in bytes, unless it is said otherwise: a list of children can be longer than any request. */
export const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;

/** What is used of a WebSocket: that of browsers has it, and that of the package `ws`. */
export interface WebSocketLike {
  binaryType: string;
  send(bytes: Uint8Array): void;
  close(): void;
  addEventListener(type: 'open' | 'message' | 'error' | 'close', listener: (event: object) => void): void;
}

export type WebSocketConstructor = new (url: string) => WebSocketLike;

export interface WebsocketConnectorOptions {
  /** What makes a WebSocket; that of the platform when absent, which Node has from version 22. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** The longest frame that is taken from a server, in bytes; 16 MiB when absent. */
  readonly responseBytesMax?: number | undefined;
}

/**
 * A connector to servers that take clients over WebSocket (`listenWebSocket` of `@quorate/node`).
 *
 * @param urls one for each server: `['wss://zk1.example', 'wss://zk2.example']`.
 * @throws TypeError for a URL that is none of WebSocket's, and where there is no WebSocket.
 *
 * @example
 * const client = await Client.connect({ connector: websocketConnector(['wss://zk1.example']) });
 */
export function websocketConnector(urls: readonly string[], options: WebsocketConnectorOptions = {}): Connector {
  const { WebSocket: Socket = platformWebSocket(), responseBytesMax = RESPONSE_BYTES_MAX } = options;
  if (!Array.isArray(urls) || urls.length === 0) throw new TypeError("urls must be an array that names a server: ['wss://host']");
  checkWhole('responseBytesMax', responseBytesMax, 1, 0x7fff_ffff);
  if (Socket === undefined) throw new TypeError('this platform has no WebSocket: give { WebSocket }, for instance that of the package ws');
  for (const url of urls)
    if (!/^wss?:\/\/[^#]+$/.test(url)) throw new TypeError(`${JSON.stringify(url)} must be a URL that begins with wss:// or ws://`);
  return {
    servers: urls.length,
    connect: (index, handler) => new WebsocketConnection(new Socket(urls[index] as string), handler, responseBytesMax),
  };
}

function platformWebSocket(): WebSocketConstructor | undefined {
  return typeof WebSocket === 'undefined' ? undefined : WebSocket;
}

class WebsocketConnection implements Connection {
  readonly #socket: WebSocketLike;
  readonly #reader: ServerMessageReader;
  /** Undefined once the client has closed, or was told that the connection has. */
  #handler: ConnectionHandler | undefined;
  /** What was sent before the socket could be written to; undefined from then on. */
  #early: Uint8Array[] | undefined = [];
  #reason: Error | undefined;

  constructor(socket: WebSocketLike, handler: ConnectionHandler, responseBytesMax: number) {
    this.#socket = socket;
    this.#handler = handler;
    this.#reader = new ServerMessageReader(responseBytesMax);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => this.#onOpen());
    socket.addEventListener('message', (event) => this.#onData(event));
    socket.addEventListener('error', (event) => {
      this.#reason = new Error(('message' in event && String(event.message)) || 'the WebSocket has failed');
    });
    socket.addEventListener('close', (event) => {
      const code = 'code' in event ? ` (${String(event.code)})` : '';
      this.#end(this.#reason ?? new Error(`the server has ended the connection${code}`));
    });
  }

  send(message: ClientMessage): void {
    if (this.#handler === undefined) return;
    this.#reader.noteSent(message);
    const bytes = encodeClientMessage(message);
    if (this.#early === undefined) this.#socket.send(bytes);
    else this.#early.push(bytes);
  }

  close(): void {
    if (this.#handler === undefined) return;
    this.#handler = undefined;
    this.#socket.close();
  }

  #onOpen(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const bytes of early) this.#socket.send(bytes);
    this.#handler?.onOpen();
  }

  #onData(event: object): void {
    if (this.#handler === undefined) return;
    try {
      if (!('data' in event && event.data instanceof ArrayBuffer)) throw new TypeError('a message that is not binary has come');
      this.#reader.push(new Uint8Array(event.data));
      while (this.#handler !== undefined) {
        const message = this.#reader.next();
        if (message === undefined) return;
        this.#handler.onMessage(message);
      }
    } catch (error) {
      this.#socket.close();
      this.#end(error as Error);
    }
  }

  #end(reason: Error): void {
    const told = this.#handler;
    this.#handler = undefined;
    told?.onClose(reason);
  }
}
