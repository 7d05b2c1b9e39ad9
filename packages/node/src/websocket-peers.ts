/** Bytes between servers over WebSocket, where nothing but HTTP gets through: a `ByteTransport`, of which `framed` makes a `Transport`. */
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ByteChannel, type ByteChannelHandler, type ByteTransport, FRAME_BODY_BYTES_MAX, type Sid } from '@quorate/zab';
import { WebSocket, WebSocketServer } from 'ws';
import { CONNECTIONS_PER_PEER_MAX, PEER_CONNECT_TIMEOUT_MS } from './limits.js';
import { listenError } from './listen-error.js';
import { streamOf } from './listen-websocket.js';
import { isLoopback } from './peer-address.js';
import { PeerSocket, tuned } from './peer-socket.js';
import { type PeerTls, secureContext } from './peer-tls.js';

/** A body, and room for the header of its frame. */
const MESSAGE_BYTES_MAX = FRAME_BODY_BYTES_MAX + 1024;

export interface WebsocketPeersOptions {
  readonly sid: Sid;
  /** The URL of every server, this one included: `ws://10.0.0.1:4888/`, or `wss:` where `tls` is given. */
  readonly servers: ReadonlyMap<Sid, string>;
  /** The address and the port that this server binds; those of its URL when absent. */
  readonly bind?: { readonly host: string; readonly port: number } | undefined;
  /** How the servers prove that they belong to the ensemble; none does when absent. */
  readonly tls?: PeerTls | undefined;
  /** Whether a port that other machines reach may be opened without TLS: whoever reaches it can then say that it is a server. False when absent. */
  readonly insecurePeers?: boolean | undefined;
}

/**
 * The way to the peers over WebSocket. The port is bound when this resolves, and given back by `stop`.
 *
 * Under TLS a peer proves that it belongs to the ensemble, and a server that is connected to that it is the host of its URL; which of the ensemble's servers it is that
 * connects is believed.
 *
 * @throws ListenError where the port cannot be bound. TypeError where an option breaks its rule.
 *
 * @example
 * const servers = new Map([1, 2, 3].map((sid) => [sid, `ws://127.0.0.1:${4887 + sid}/`]));
 * const transport = framed(await websocketPeers({ sid: 1, servers }), { sid: 1, ensembleId: 'shop', clock: realClock, random: realRandom });
 */
export async function websocketPeers(options: WebsocketPeersOptions): Promise<ByteTransport> {
  const { sid, servers, tls, insecurePeers = false } = options;
  const urls = new Map([...servers].map(([peer, text]) => [peer, checkedUrl(text, tls !== undefined)]));
  const own = urls.get(sid);
  if (own === undefined) throw new TypeError(`server ${sid} has no URL: name it in servers`);
  const { host, port } = options.bind ?? {
    host: own.hostname.replace(/^\[|\]$/g, ''),
    port: Number(own.port || (tls === undefined ? 80 : 443)),
  };
  if (tls === undefined && !insecurePeers && !isLoopback(host))
    throw new TypeError(
      `other machines reach ${host}, and without TLS any of them could say that it is a server: give { tls }, or { insecurePeers: true } where the network itself keeps strangers out`,
    );
  const peers = new WebsocketPeers(urls, tls);
  await peers.bind(host, port);
  return peers;
}

function checkedUrl(text: string, isSecure: boolean): URL {
  const scheme = isSecure ? 'wss:' : 'ws:';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== scheme) throw new TypeError(`${JSON.stringify(text)} must be a URL that begins with ${scheme}// here`);
  return url;
}

class WebsocketPeers implements ByteTransport {
  readonly #urls: ReadonlyMap<Sid, URL>;
  readonly #tls: PeerTls | undefined;
  readonly #server: ReturnType<typeof createServer>;
  readonly #upgrades = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  });
  readonly #streams = new Set<PeerSocket>();
  /** Connected, whether they speak WebSocket or not. */
  readonly #raw = new Set<Socket>();
  #accept: ((channel: ByteChannel) => ByteChannelHandler) | undefined;
  #stopped = false;

  constructor(urls: ReadonlyMap<Sid, URL>, tls: PeerTls | undefined) {
    this.#urls = urls;
    this.#tls = tls;
    const times = { headersTimeout: PEER_CONNECT_TIMEOUT_MS, requestTimeout: PEER_CONNECT_TIMEOUT_MS };
    this.#server =
      tls === undefined
        ? createServer(times)
        : createSecureServer({ ...secureContext(tls), ...times, requestCert: true, handshakeTimeout: PEER_CONNECT_TIMEOUT_MS });
    this.#server.maxConnections = CONNECTIONS_PER_PEER_MAX * urls.size;
    this.#server.on('connection', (socket: Socket) => {
      this.#raw.add(socket);
      socket.once('close', () => this.#raw.delete(socket));
    });
    this.#server.on('request', (_, response) => response.writeHead(426, { connection: 'close' }).end());
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#take(request, socket, head));
  }

  bind(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, host, port)));
      this.#server.listen(port, host, () => resolve());
    });
  }

  start(accept: (channel: ByteChannel) => ByteChannelHandler): void {
    this.#accept = accept;
  }

  open(to: Sid, handler: ByteChannelHandler): ByteChannel {
    const url = this.#urls.get(to);
    const stream = this.#newStream();
    stream.handle(handler);
    if (url === undefined || this.#stopped) stream.destroy();
    else this.#dial(stream, url);
    return stream;
  }

  stop(): void {
    this.#stopped = true;
    this.#accept = undefined;
    this.#server.close();
    for (const stream of [...this.#streams]) {
      stream.close();
      stream.destroy();
    }
    for (const socket of this.#raw) socket.destroy();
  }

  #dial(stream: PeerSocket, url: URL): void {
    const context = this.#tls === undefined ? {} : secureContext(this.#tls);
    const options = { ...context, handshakeTimeout: PEER_CONNECT_TIMEOUT_MS, maxPayload: MESSAGE_BYTES_MAX, perMessageDeflate: false };
    const webSocket = new WebSocket(url, options);
    const onFailure = (): void => stream.giveUp();
    webSocket.on('error', onFailure);
    webSocket.once('upgrade', ({ socket }) => tuned(socket));
    webSocket.once('open', () => {
      webSocket.off('error', onFailure);
      stream.carry(streamOf(webSocket));
    });
  }

  #take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {});
    const accept = this.#accept;
    // A page of a browser names its origin, and is no server. Nobody is taken before this server has started.
    if (accept === undefined || request.headers.origin !== undefined) {
      socket.destroy();
      return;
    }
    tuned(request.socket);
    this.#upgrades.handleUpgrade(request, socket, head, (webSocket) => {
      const stream = this.#newStream();
      stream.handle(accept(stream));
      stream.carry(streamOf(webSocket));
    });
  }

  #newStream(): PeerSocket {
    const stream = new PeerSocket((ended) => this.#streams.delete(ended));
    this.#streams.add(stream);
    return stream;
  }
}
