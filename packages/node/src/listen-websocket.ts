/** ZooKeeper's client port over WebSocket, for clients in browsers. */
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { type ClientTls, isStranger, tlsOptions } from './client-tls.js';
import { HANDSHAKE_TIMEOUT_MS, WEBSOCKET_MESSAGE_BYTES_MAX } from './limits.js';
import { type Acceptor, bind, checkListenOptions, type Listener, type ListenOptions, newLinks, newListenerShare } from './listen.js';
import { originOf } from './stream-link.js';

export interface WebsocketListenOptions extends Omit<ListenOptions, 'tls' | 'words'> {
  /** 0 to 65,535; 0 takes any free port, which the listener then names. ZooKeeper has no port for this, so there is none by custom. */
  readonly port: number;
  /**
   * Whose pages may connect: `['https://app.example']`, or `['*']` for those of everybody. None when absent: any page that a user looks at could else reach
   * a server that only the user's machine reaches. Programs that are no browsers name no origin, and are taken.
   */
  readonly origins?: readonly string[] | undefined;
  /** Clients speak TLS (`wss:`); they do not when absent. Browsers that have no certificate of their own need `clientCertificates: 'NONE'`. */
  readonly tls?: Omit<ClientTls, 'alsoPlain'> | undefined;
}

/**
 * Lets clients connect over WebSocket: `websocketConnector` of `@quorate/client`, or any client of ZooKeeper whose bytes travel in binary messages. A message is a
 * piece of the byte stream, cut anywhere, of at most 1 MiB and 4 bytes. The limits are those of `listen`.
 *
 * @throws as `listen`.
 *
 * @example
 * const listener = await listenWebSocket(ensemble, { port: 8081, origins: ['https://app.example'] });
 */
export async function listenWebSocket(acceptor: Acceptor, options: WebsocketListenOptions): Promise<Listener> {
  checkListenOptions(options);
  checkOrigins(options.origins);
  const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS, origins = [], tls } = options;
  const times = { headersTimeout: handshakeTimeoutMs, requestTimeout: handshakeTimeoutMs, connectionsCheckingInterval: 1_000 };
  const server = tls === undefined ? createServer(times) : createSecureServer({ ...tlsOptions(tls, handshakeTimeoutMs), ...times });
  const share = newListenerShare();
  const begin = newLinks(acceptor, options, share);
  // Compression would cost memory for each client, and a length that depends on what is secret.
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: WEBSOCKET_MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  });
  server.on('request', (_, response) => {
    response.writeHead(426, { 'content-type': 'text/plain', connection: 'close', upgrade: 'websocket' });
    response.end('this port is for WebSocket\n');
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {});
    if (!isAllowed(request.headers.origin, origins)) return refuse(socket, '403 Forbidden');
    if (tls !== undefined && isStranger(request.socket as TLSSocket)) {
      share.counts.handshakesFailed++;
      return refuse(socket, '403 Forbidden');
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => begin(streamOf(webSocket), originOf(request.socket)));
  });
  server.on('tlsClientError', () => share.counts.handshakesFailed++);
  return bind(server, options, share);
}

/** The binary messages of a WebSocket as one stream of bytes. */
export function streamOf(webSocket: WebSocket): Duplex {
  webSocket.on('message', (_, isBinary) => {
    if (!isBinary) webSocket.terminate();
  });
  const stream = createWebSocketStream(webSocket, { allowHalfOpen: false });
  // Where the other end has gone without a goodbye, the stream would wait for ever for its own goodbye to be sent.
  webSocket.once('close', () => {
    if (stream.readableEnded) stream.destroy();
    else stream.once('end', () => stream.destroy());
  });
  return stream;
}

function checkOrigins(origins: readonly string[] | undefined): void {
  const fits = (origin: unknown): boolean =>
    origin === '*' || (typeof origin === 'string' && URL.canParse(origin) && new URL(origin).origin === origin);
  if (origins !== undefined && !(Array.isArray(origins) && origins.every(fits)))
    throw new TypeError("origins must be an array of origins like 'https://app.example', or ['*']");
}

function isAllowed(origin: string | undefined, origins: readonly string[]): boolean {
  return origin === undefined || origins.includes('*') || origins.includes(origin);
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
