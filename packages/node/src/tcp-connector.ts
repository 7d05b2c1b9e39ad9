/** A client's way to any ZooKeeper server over TCP (ZooKeeper: class `ClientCnxnSocketNIO`). */
import { connect as connectSocket, type Socket } from 'node:net';
import { type CallOptions, Client, type ClientOptions, type Connection, type ConnectionHandler, type Connector } from '@quorate/client';
import {
  type ClientMessage,
  decodeConnectResponse,
  decodeServerMessage,
  encodeClientMessage,
  FrameSplitter,
  writeClientMessage,
} from '@quorate/protocol';
import { type HostPort, parseConnectString } from './connect-string.js';
import { FrameWriter } from './frame-writer.js';
import { RESPONSE_BYTES_MAX } from './limits.js';

export interface TcpConnectorOptions {
  /** The longest frame that is taken from a server, in bytes; 16 MiB when absent. */
  readonly responseBytesMax?: number | undefined;
}

/**
 * A connector to the servers of a connect string.
 *
 * @param hosts as in ZooKeeper: `'10.0.0.1:2181,10.0.0.2:2181'`; port 2181 where none is given, IPv6 addresses in brackets.
 * @throws TypeError for a connect string that is none.
 */
export function tcpConnector(hosts: string, options: TcpConnectorOptions = {}): Connector {
  const { responseBytesMax = RESPONSE_BYTES_MAX } = options;
  const servers = parseConnectString(hosts);
  return {
    servers: servers.length,
    connect: (index, handler) => new TcpConnection(servers[index] as HostPort, handler, responseBytesMax),
  };
}

/**
 * A client that is connected to one of these servers.
 *
 * @throws what `tcpConnector` and `Client.connect` throw. It tries as long as it takes: give a signal to end that.
 *
 * @example
 * const client = await connect('127.0.0.1:2181', { signal: AbortSignal.timeout(5_000) });
 */
export async function connect(
  hosts: string,
  options: Omit<ClientOptions, 'connector'> & CallOptions & TcpConnectorOptions = {},
): Promise<Client> {
  return Client.connect({ ...options, connector: tcpConnector(hosts, options) });
}

class TcpConnection implements Connection {
  readonly #socket: Socket;
  readonly #writer: FrameWriter;
  readonly #splitter: FrameSplitter;
  /** Undefined once the client has closed, or was told that the connection has. */
  #handler: ConnectionHandler | undefined;
  #connected = false;
  /** The types of the requests that have no answer yet, which is what the answers are read by. */
  readonly #types = new Map<number, number>();

  constructor({ host, port }: HostPort, handler: ConnectionHandler, responseBytesMax: number) {
    this.#handler = handler;
    this.#splitter = new FrameSplitter(responseBytesMax);
    this.#socket = connectSocket({ host, port, noDelay: true });
    this.#writer = new FrameWriter(this.#socket);
    let reason: Error | undefined;
    this.#socket.on('connect', () => this.#handler?.onOpen());
    this.#socket.on('data', (chunk) => {
      try {
        this.#read(chunk);
      } catch (error) {
        this.#socket.destroy(error as Error);
      }
    });
    this.#socket.on('error', (error) => {
      reason = error;
    });
    this.#socket.on('close', () => {
      const told = this.#handler;
      this.#handler = undefined;
      told?.onClose(reason);
    });
  }

  send(message: ClientMessage): void {
    if (this.#handler === undefined) return;
    if (message.kind === 'request' && message.xid > 0) this.#types.set(message.xid, message.request.type);
    const { frames } = this.#writer;
    if (message.kind === 'request') writeClientMessage(frames, message);
    else frames.raw(encodeClientMessage(message));
  }

  close(): void {
    this.#handler = undefined;
    this.#writer.flush();
    this.#socket.destroySoon();
  }

  #read(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
    for (let body = this.#splitter.next(); body !== undefined && this.#handler !== undefined; body = this.#splitter.next())
      this.#take(body, this.#handler);
  }

  #take(body: Uint8Array, handler: ConnectionHandler): void {
    if (!this.#connected) {
      this.#connected = true;
      handler.onMessage(decodeConnectResponse(body));
      return;
    }
    const message = decodeServerMessage(body, (xid) => this.#types.get(xid));
    if (message.kind === 'reply') this.#types.delete(message.xid);
    handler.onMessage(message);
  }
}
