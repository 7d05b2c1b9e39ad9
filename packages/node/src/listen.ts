/** ZooKeeper's client port over TCP, for an ensemble in this process. */
import { createServer, type Server } from 'node:net';
import type { Ensemble } from 'quorate';
import { ConnectionsByAddress } from './connections-by-address.js';
import { EventFrames } from './event-frames.js';
import { FlushScheduler } from './flush-scheduler.js';
import { CONNECTIONS_MAX, HANDSHAKE_TIMEOUT_MS, OUTBOX_BYTES_MAX } from './limits.js';
import { listenError } from './listen-error.js';
import { plainAddress, TcpLink } from './tcp-link.js';

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
  /** How many connections may be open; 10,000 when absent. One more is closed at once. */
  readonly connectionsMax?: number | undefined;
  /**
   * How many connections one address may have open; 60 when absent, but any number for addresses of this machine. One more is closed at once
   * (ZooKeeper: `maxClientCnxns`).
   */
  readonly connectionsPerAddressMax?: number | undefined;
}

/**
 * Lets ZooKeeper clients of any language connect to an ensemble. One port serves for all its servers: each connection belongs to one of them
 * and is cut when that one crashes, so that the client comes again and gets another.
 *
 * @throws ListenError PORT_IN_USE, PORT_FORBIDDEN, ADDRESS_NOT_HERE, LISTEN_FAILED. TypeError for an option that breaks its rule.
 *
 * @example
 * const listener = await listen(ensemble, { port: 0 });
 * console.log(`zkCli.sh -server ${listener.address}`);
 */
export function listen(ensemble: Pick<Ensemble, 'accept'>, options: ListenOptions = {}): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const { host = '127.0.0.1', port = CLIENT_PORT, connectionsMax = CONNECTIONS_MAX } = options;
    const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS, outboxBytesMax = OUTBOX_BYTES_MAX, connectionsPerAddressMax } = options;
    if (typeof host !== 'string' || host === '') throw new TypeError('host must be an address or a name');
    checkWhole('port', port, 0, 65_535);
    checkWhole('handshakeTimeoutMs', handshakeTimeoutMs, 1, 0x7fff_ffff);
    checkWhole('outboxBytesMax', outboxBytesMax, 1, Number.MAX_SAFE_INTEGER);
    checkWhole('connectionsMax', connectionsMax, 1, 0x7fff_ffff);
    if (connectionsPerAddressMax !== undefined) checkWhole('connectionsPerAddressMax', connectionsPerAddressMax, 1, 0x7fff_ffff);
    const links = new Set<TcpLink>();
    const addresses = new ConnectionsByAddress(connectionsPerAddressMax);
    const share = { flushes: new FlushScheduler(), events: new EventFrames() };
    const server = createServer((socket) => {
      const address = plainAddress(socket.remoteAddress);
      if (!addresses.enter(address)) {
        socket.destroy();
        return;
      }
      const link = new TcpLink(socket, (accepted) => ensemble.accept(accepted), { handshakeTimeoutMs, outboxBytesMax }, share);
      links.add(link);
      socket.once('close', () => {
        links.delete(link);
        addresses.leave(address);
      });
    });
    server.maxConnections = connectionsMax;
    server.once('error', (error) => reject(listenError(error, host, port)));
    server.listen(port, host, () => resolve(new Listener(server, links)));
  });
}

/** A bound port. */
export class Listener {
  /** The address that was bound. */
  readonly host: string;
  /** The port that was bound, also where any was asked for. */
  readonly port: number;
  readonly #server: Server;
  readonly #links: Set<TcpLink>;
  #closed: Promise<void> | undefined;

  /** Made by `listen`. */
  constructor(server: Server, links: Set<TcpLink>) {
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new TypeError('a listener is bound to a port');
    this.host = bound.address;
    this.port = bound.port;
    this.#server = server;
    this.#links = links;
  }

  /** As a connect string has it: `127.0.0.1:2181`, `[::1]:2181`. */
  get address(): string {
    return this.host.includes(':') ? `[${this.host}]:${this.port}` : `${this.host}:${this.port}`;
  }

  /** How many connections are open. */
  get connectionCount(): number {
    return this.#links.size;
  }

  /** Gives the port back and cuts every connection. The ensemble goes on. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const link of this.#links) link.destroy();
      this.#links.clear();
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function checkWhole(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new TypeError(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
}
