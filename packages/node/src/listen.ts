/** ZooKeeper's client port over TCP, for an ensemble or a server in this process. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ClientLink, checkWholeOption } from '@quorate/server';
import { type ClientTls, checkClientTls, isStranger, TLS_HANDSHAKE, tlsServer } from './client-tls.js';
import { ConnectionsByAddress } from './connections-by-address.js';
import { EventFrames } from './event-frames.js';
import { FlushScheduler } from './flush-scheduler.js';
import { CONNECTIONS_MAX, HANDSHAKE_TIMEOUT_MS, LINKS_BYTES_MAX, OUTBOX_BYTES_MAX } from './limits.js';
import { LinkMemory } from './link-memory.js';
import { listenError } from './listen-error.js';
import { type ListenerCounts, noCounts } from './listener-counts.js';
import { isBeyond, openFilesMax, openForClients } from './open-files.js';
import { ReadTurns } from './read-turns.js';
import { type LinkOrigin, type LinkPort, originOf, plainAddress, StreamLink } from './stream-link.js';

/** ZooKeeper's client port. */
export const CLIENT_PORT = 2181;

export interface ListenOptions {
  /** The address to bind, `127.0.0.1` when absent: only this machine reaches it. `0.0.0.0` or `::` lets every machine connect. */
  readonly host?: string | undefined;
  /** 0 to 65,535; 2181 when absent. 0 takes any free port, which the listener then names. */
  readonly port?: number | undefined;
  /** How long a client may take to introduce itself, in milliseconds; 10,000 when absent. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Answers and events that may wait for one client, in bytes; 64 MiB when absent. A client that reads more slowly is disconnected. */
  readonly outboxBytesMax?: number | undefined;
  /**
   * What all clients of the listener may make it keep together, in bytes: answers and events that they do not read, requests that they have sent in part; 256 MiB when absent.
   * From a quarter of it on each gets less at a time; at the limit those are disconnected for whom something is kept for longest.
   */
  readonly linksBytesMax?: number | undefined;
  /** How many connections may be open; 10,000 when absent, and fewer where the system lets the process have fewer files open. One more is closed at once. */
  readonly connectionsMax?: number | undefined;
  /**
   * How many connections one address may have open; 60 when absent, but any number for addresses of this machine. One more is closed at once
   * (ZooKeeper: `maxClientCnxns`).
   */
  readonly connectionsPerAddressMax?: number | undefined;
  /** Clients speak TLS; they do not when absent. */
  readonly tls?: ClientTls | undefined;
  /** The answer to a four-letter word, which comes in place of a handshake; undefined for four letters that are none. None is answered when absent. */
  readonly words?: ((word: string) => string | undefined) | undefined;
}

/** Whoever takes clients: an `Ensemble`, a `Server`. */
export interface Acceptor {
  accept(link: ClientLink): LinkPort;
}

/**
 * Lets ZooKeeper clients of any language connect to an ensemble or to a server. One port serves for all servers of an ensemble: each connection
 * belongs to one of them and is cut when that one crashes, so that the client comes again and gets another.
 *
 * @throws ListenError PORT_IN_USE, PORT_FORBIDDEN, ADDRESS_NOT_HERE, LISTEN_FAILED. TypeError for an option that breaks its rule.
 *
 * @example
 * const listener = await listen(ensemble, { port: 0 });
 * console.log(`zkCli.sh -server ${listener.address}`);
 */
export function listen(acceptor: Acceptor, options: ListenOptions = {}): Promise<Listener> {
  return new Promise((resolve, reject) => {
    checkListenOptions(options);
    const share = newListenerShare();
    bind(createServer(newSockets(acceptor, options, share)), options, share).then(resolve, reject);
  });
}

/** What all connections of a listener have in common. */
export interface ListenerShare {
  readonly turns: ReadTurns;
  readonly counts: ListenerCounts;
}

export function newListenerShare(): ListenerShare {
  return { turns: new ReadTurns(), counts: noCounts() };
}

/** Binds a server of sockets to its port, and counts its connections. */
export function bind(server: Server, options: ListenOptions, { turns, counts }: ListenerShare): Promise<Listener> {
  const { host = '127.0.0.1', port = CLIENT_PORT, connectionsMax = CONNECTIONS_MAX, connectionsPerAddressMax } = options;
  const sockets = new Set<Socket>();
  const addresses = new ConnectionsByAddress(connectionsPerAddressMax);
  const numbers = openForClients(openFilesMax());
  // Before whoever takes the socket, who finds it destroyed where there are too many.
  server.prependListener('connection', (socket: Socket) => {
    turns.onNewcomer();
    const address = plainAddress(socket.remoteAddress);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (isBeyond(socket, numbers) || !addresses.enter(address)) {
      counts.rejected++;
      socket.destroy();
    } else socket.once('close', () => addresses.leave(address));
  });
  server.on('drop', () => {
    counts.rejected++;
    turns.onNewcomer();
  });
  server.maxConnections = connectionsMax;
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)));
    server.listen(port, host, () => resolve(new Listener(server, sockets, counts)));
  });
}

const wholeNumbers = {
  port: [0, 65_535],
  handshakeTimeoutMs: [1, 0x7fff_ffff],
  outboxBytesMax: [1, Number.MAX_SAFE_INTEGER],
  linksBytesMax: [1, Number.MAX_SAFE_INTEGER],
  connectionsMax: [1, 0x7fff_ffff],
  connectionsPerAddressMax: [1, 0x7fff_ffff],
} as const;

/** @throws TypeError that names the option and its rule. */
export function checkListenOptions(options: ListenOptions): void {
  const { host, tls } = options;
  if (host !== undefined && (typeof host !== 'string' || host === '')) throw new TypeError('host must be an address or a name');
  for (const [name, range] of Object.entries(wholeNumbers)) {
    const value = options[name as keyof typeof wholeNumbers];
    if (value !== undefined) checkWholeOption(name, value, range);
  }
  if (tls !== undefined) checkClientTls(tls);
}

/** What a listener does with each new stream of bytes that comes from a client. */
export function newLinks(
  acceptor: Acceptor,
  options: ListenOptions,
  listener: ListenerShare,
): (stream: Duplex, origin: LinkOrigin) => void {
  const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS, outboxBytesMax = OUTBOX_BYTES_MAX, words = () => undefined } = options;
  const memory = new LinkMemory(options.linksBytesMax ?? LINKS_BYTES_MAX);
  const share = { flushes: new FlushScheduler(), events: new EventFrames(), memory, answerWord: words, ...listener };
  const accept = (link: ClientLink): LinkPort => acceptor.accept(link);
  return (stream, origin) => void new StreamLink(stream, accept, { handshakeTimeoutMs, outboxBytesMax }, share, origin);
}

/** What a listener does with each new socket. */
function newSockets(acceptor: Acceptor, options: ListenOptions, share: ListenerShare): (socket: Socket) => void {
  const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS, tls } = options;
  const begin = newLinks(acceptor, options, share);
  const link = (socket: Socket): void => {
    socket.setNoDelay(true);
    begin(socket, originOf(socket));
  };
  const secure = tls === undefined ? undefined : tlsServer(tls, handshakeTimeoutMs);
  const refuse = (socket: Socket): void => {
    share.counts.handshakesFailed++;
    socket.destroy();
  };
  secure?.on('secureConnection', (socket) => (isStranger(socket) ? refuse(socket) : link(socket)));
  // Whoever fails to introduce itself by TLS is cut off.
  secure?.on('tlsClientError', (_error, socket) => refuse(socket));
  return (socket) => {
    if (socket.destroyed) return;
    if (secure === undefined) link(socket);
    else if (tls?.alsoPlain !== true) secure.emit('connection', socket);
    else
      onFirstByte(socket, { handshakeTimeoutMs, counts: share.counts }, (byte) =>
        byte === TLS_HANDSHAKE ? secure.emit('connection', socket) : link(socket),
      );
  };
}

/** Looks at the first byte that comes, and leaves it there. */
function onFirstByte(
  socket: Socket,
  { handshakeTimeoutMs, counts }: { readonly handshakeTimeoutMs: number; readonly counts: ListenerCounts },
  decide: (byte: number) => void,
): void {
  const timer = setTimeout(() => {
    counts.handshakesExpired++;
    socket.destroy();
  }, handshakeTimeoutMs);
  const ignore = (): void => {};
  socket.on('error', ignore);
  socket.once('close', () => clearTimeout(timer));
  socket.once('data', (chunk) => {
    clearTimeout(timer);
    socket.off('error', ignore);
    socket.pause();
    socket.unshift(chunk);
    decide(chunk[0] as number);
    // Not before TLS has taken what was put back.
    process.nextTick(() => socket.resume());
  });
}

/** A bound port. */
export class Listener {
  /** The address that was bound. */
  readonly host: string;
  /** The port that was bound, also where any was asked for. */
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  /** What it has counted since it was bound. */
  readonly counts: Readonly<ListenerCounts>;
  #closed: Promise<void> | undefined;

  /** Made by `listen`. */
  constructor(server: Server, sockets: Set<Socket>, counts: Readonly<ListenerCounts>) {
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new TypeError('a listener is bound to a port');
    this.host = bound.address;
    this.port = bound.port;
    this.#server = server;
    this.#sockets = sockets;
    this.counts = counts;
  }

  /** As a connect string has it: `127.0.0.1:2181`, `[::1]:2181`. */
  get address(): string {
    return this.host.includes(':') ? `[${this.host}]:${this.port}` : `${this.host}:${this.port}`;
  }

  /** How many connections are open. */
  get connectionCount(): number {
    return this.#sockets.size;
  }

  /** Gives the port back and cuts every connection. The ensemble goes on. */
  close(): Promise<void> {
    void this.stopListening();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    return this.#closed as Promise<void>;
  }

  /** Gives the port back and leaves the connections to whoever ends them. Resolves when the last one has ended. */
  stopListening(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
