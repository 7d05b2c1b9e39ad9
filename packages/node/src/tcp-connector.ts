/** A client's way to any ZooKeeper server over TCP (ZooKeeper: class `ClientCnxnSocketNIO`). */
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import {
  type CallOptions,
  Client,
  type ClientOptions,
  type Connection,
  type ConnectionHandler,
  type Connector,
  parseConnectString,
  RESPONSE_BYTES_MAX,
  type ServerAddress,
  ServerMessageReader,
} from '@quorate/client';
import { type ClientMessage, encodeClientMessage, writeClientMessage } from '@quorate/protocol';
import { checkOption, checkWholeOption } from '@quorate/server';
import { FrameWriter } from './frame-writer.js';

export interface TcpConnectorOptions {
  /** The longest frame that is taken from a server, in bytes; 16 MiB when absent. */
  readonly responseBytesMax?: number | undefined;
  /** The servers speak TLS; they do not when absent. */
  readonly tls?: ConnectorTls | undefined;
}

/** How a client proves who it is, and whom it believes; all of it is PEM. A server's certificate must name the host of the connect string. */
export interface ConnectorTls {
  /** Who signs the certificates of servers; those whom the platform trusts when absent. */
  readonly ca?: string | Uint8Array | undefined;
  /** The client's own key and certificate; it shows none when absent. */
  readonly key?: string | Uint8Array | undefined;
  readonly cert?: string | Uint8Array | undefined;
  readonly passphrase?: string | undefined;
}

/**
 * A connector to the servers of a connect string.
 *
 * @param hosts as in ZooKeeper: `'10.0.0.1:2181,10.0.0.2:2181'`; port 2181 where none is given, IPv6 addresses in brackets,
 * and `/app` behind the last server where the client is to see that as its root.
 * @throws TypeError for a connect string that is none; it says what would be right.
 */
export function tcpConnector(hosts: string, options: TcpConnectorOptions = {}): Connector {
  const { responseBytesMax = RESPONSE_BYTES_MAX, tls } = options;
  checkWholeOption('responseBytesMax', responseBytesMax, [1, 0x7fff_ffff]);
  const { servers, chroot } = parseConnectString(hosts);
  const context = tls === undefined ? undefined : secureContext(tls);
  return {
    servers: servers.length,
    chroot,
    connect: (index, handler) =>
      new TcpConnection(
        openSocket(servers[index] as ServerAddress, context),
        tls === undefined ? 'connect' : 'secureConnect',
        handler,
        responseBytesMax,
      ),
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
  const { responseBytesMax, tls, ...own } = options;
  return Client.connect({ ...own, connector: tcpConnector(hosts, { responseBytesMax, tls }) });
}

/** @throws TypeError for what is no PEM, or no key of that certificate. */
function secureContext(tls: ConnectorTls): SecureContext {
  checkOption(typeof tls === 'object' && tls !== null, 'tls', 'an object like { ca }', tls);
  const { ca, key, cert, passphrase } = tls;
  const pem = (value: string | Uint8Array | undefined): string | Buffer | undefined =>
    typeof value === 'object' ? Buffer.from(value) : value;
  try {
    return createSecureContext({ ca: pem(ca), key: pem(key), cert: pem(cert), passphrase, minVersion: 'TLSv1.2' });
  } catch (cause) {
    throw new TypeError(`tls must be { ca, key, cert, passphrase } with PEM: ${(cause as Error).message}`, { cause });
  }
}

function openSocket({ host, port }: ServerAddress, secureContext: SecureContext | undefined): Socket {
  if (secureContext === undefined) return connectSocket({ host, port, noDelay: true });
  // An address is no name that a server is told (SNI). That a certificate fits the host is looked at by Node, without asking a name service (CVE-2026-24281).
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({
    host,
    port,
    ...servername,
    secureContext,
  }).setNoDelay();
}

class TcpConnection implements Connection {
  readonly #socket: Socket;
  readonly #writer: FrameWriter;
  readonly #reader: ServerMessageReader;
  /** Undefined once the client has closed, or was told that the connection has. */
  #handler: ConnectionHandler | undefined;

  /** @param opened the event of the socket by which it may be written to. */
  constructor(socket: Socket, opened: 'connect' | 'secureConnect', handler: ConnectionHandler, responseBytesMax: number) {
    this.#handler = handler;
    this.#reader = new ServerMessageReader(responseBytesMax);
    this.#socket = socket;
    this.#writer = new FrameWriter(this.#socket);
    let reason: Error | undefined;
    this.#socket.on(opened, () => this.#handler?.onOpen());
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
    this.#reader.noteSent(message);
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
    this.#reader.push(chunk);
    while (this.#handler !== undefined) {
      const message = this.#reader.next();
      if (message === undefined) return;
      this.#handler.onMessage(message);
    }
  }
}
