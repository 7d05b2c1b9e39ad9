/** The two ports of a server for its peers, and the streams over them. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { Clock, Random } from '@quorate/ports';
import type { AcceptedStream, ByteChannel, ByteChannelHandler, ChannelPurpose, PeerStreams, Sid } from '@quorate/zab';
import { CONNECTIONS_PER_PEER_MAX, LEARNER_TRIES, PEER_CONNECT_TIMEOUT_MS } from './limits.js';
import { listenError } from './listen-error.js';
import type { PeerAddress } from './peer-address.js';
import { isLoopback } from './peer-address.js';
import { dial } from './peer-dial.js';
import { PeerSocket, tuned } from './peer-socket.js';
import { isFrom, type PeerTls, secureContext } from './peer-tls.js';

export interface PeerStreamsOptions {
  readonly sid: Sid;
  /** Every server of the ensemble, this one included. */
  readonly servers: ReadonlyMap<Sid, PeerAddress>;
  /** The address that this server binds; that of `servers` when absent. */
  readonly bindHost?: string | undefined;
  readonly tls?: PeerTls | undefined;
  /** Whether a port that other machines reach may be opened without TLS: whoever reaches it can then say that it is a server. False when absent. */
  readonly insecurePeers?: boolean | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Binds the two ports.
 *
 * @throws ListenError where they cannot be bound. TypeError where this server has no address, or would have to believe whoever connects.
 */
export async function bindPeerStreams(options: PeerStreamsOptions): Promise<TcpPeerStreams> {
  const { sid, servers, tls, insecurePeers = false } = options;
  const own = servers.get(sid);
  if (own === undefined) throw new TypeError(`server ${sid} has no address: name it in servers`);
  const host = options.bindHost ?? own.host;
  if (tls === undefined && !insecurePeers && !isLoopback(host))
    throw new TypeError(
      `other machines reach ${host}, and without TLS any of them could say that it is a server: give { tls }, or { insecurePeers: true } where the network itself keeps strangers out`,
    );
  const streams = new TcpPeerStreams(options);
  try {
    await streams.bind(host, own);
  } catch (error) {
    streams.stop();
    throw error;
  }
  return streams;
}

export class TcpPeerStreams implements PeerStreams {
  readonly #options: PeerStreamsOptions;
  readonly #ports: Server[] = [];
  readonly #sockets = new Set<PeerSocket>();
  /** Accepted, and in TLS not verified yet. */
  readonly #raw = new Set<Socket>();
  #accept: ((stream: AcceptedStream) => ByteChannelHandler) | undefined;
  #stopped = false;

  /** Made by `bindPeerStreams`. */
  constructor(options: PeerStreamsOptions) {
    this.#options = options;
  }

  async bind(host: string, { electionPort, quorumPort }: PeerAddress): Promise<void> {
    await this.#listen(host, electionPort, 'ELECTION');
    await this.#listen(host, quorumPort, 'LEARNER');
  }

  start(accept: (stream: AcceptedStream) => ByteChannelHandler): void {
    this.#accept = accept;
  }

  open(to: Sid, purpose: ChannelPurpose, handler: ByteChannelHandler): ByteChannel {
    const { servers, tls, clock, random } = this.#options;
    const address = servers.get(to);
    const stream = this.#newSocket();
    stream.handle(handler);
    if (address === undefined || this.#stopped) {
      stream.destroy();
    } else {
      const port = purpose === 'ELECTION' ? address.electionPort : address.quorumPort;
      dial(stream, { address, port, tls, clock, random, tries: purpose === 'LEARNER' ? LEARNER_TRIES : 1 });
    }
    return stream;
  }

  stop(): void {
    this.#stopped = true;
    this.#accept = undefined;
    for (const port of this.#ports) port.close();
    for (const stream of [...this.#sockets]) {
      stream.close();
      stream.destroy();
    }
    for (const socket of this.#raw) socket.destroy();
  }

  #listen(host: string, port: number, purpose: ChannelPurpose): Promise<void> {
    const { tls, servers } = this.#options;
    const take = (socket: Socket): void => this.#take(socket, purpose);
    const server =
      tls === undefined
        ? createServer(take)
        : createTlsServer({ ...secureContext(tls), requestCert: true, handshakeTimeout: PEER_CONNECT_TIMEOUT_MS }, take);
    server.maxConnections = CONNECTIONS_PER_PEER_MAX * servers.size;
    server.on('connection', (socket: Socket) => {
      this.#raw.add(socket);
      socket.once('close', () => this.#raw.delete(socket));
    });
    this.#ports.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, host, port)));
      server.listen(port, host, () => resolve());
    });
  }

  /** Somebody has connected, and in TLS has proved that it belongs to the ensemble. */
  #take(socket: Socket, purpose: ChannelPurpose): void {
    if (this.#accept === undefined) {
      // Not before this server has started.
      socket.destroy();
      return;
    }
    const stream = this.#newSocket();
    const mayBe = (sid: Sid): boolean => {
      const address = this.#options.servers.get(sid);
      return address !== undefined && (this.#options.tls === undefined || (socket instanceof TLSSocket && isFrom(socket, address)));
    };
    const accepted: AcceptedStream = {
      purpose,
      mayBe,
      send: (bytes) => stream.send(bytes),
      awaitRoom: (ready) => stream.awaitRoom(ready),
      close: () => stream.close(),
    };
    stream.handle(this.#accept(accepted));
    stream.carry(tuned(socket));
  }

  #newSocket(): PeerSocket {
    const stream = new PeerSocket((ended) => this.#sockets.delete(ended));
    this.#sockets.add(stream);
    return stream;
  }
}
