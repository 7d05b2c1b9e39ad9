/** Bytes between servers over UDP: a `ByteTransport`, of which `framed` makes a `Transport`. A datagram is the id of a stream, who speaks, what, a number, a payload. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock, Random } from '@quorate/ports';
import type { ByteChannel, ByteChannelHandler, ByteTransport, Sid } from '@quorate/zab';
import { CONNECTIONS_PER_PEER_MAX } from './limits.js';
import { listenError } from './listen-error.js';
import { isLoopback } from './peer-address.js';
import { PeerSocket } from './peer-socket.js';
import { type Segment, UdpStream } from './udp-stream.js';

export interface UdpPeersOptions {
  readonly sid: Sid;
  /** The address of every server, this one included. */
  readonly servers: ReadonlyMap<Sid, { readonly host: string; readonly port: number }>;
  /** Whether a port that other machines reach may be opened: whoever reaches it can say that it is a server, since there is no TLS here. False when absent. */
  readonly insecurePeers?: boolean | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

const TYPES: readonly Segment['type'][] = ['DATA', 'FIN', 'ACK', 'RESET'];
const HEADER_BYTES = 14;
const FROM_OPENER = 0x80;

/**
 * The way to the peers over UDP. The port is bound when this resolves, and given back by `stop`.
 *
 * @throws ListenError where the port cannot be bound. TypeError where an option breaks its rule.
 */
export async function udpPeers(options: UdpPeersOptions): Promise<ByteTransport> {
  const { sid, servers, insecurePeers = false } = options;
  const own = servers.get(sid);
  if (own === undefined) throw new TypeError(`server ${sid} has no address: name it in servers`);
  if (!insecurePeers && !isLoopback(own.host))
    throw new TypeError(
      `other machines reach ${own.host}, and any of them could say that it is a server: give { insecurePeers: true } where the network itself keeps strangers out`,
    );
  const socket = createSocket(isIPv6(own.host) ? 'udp6' : 'udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => reject(listenError(error, own.host, own.port)));
    socket.bind(own.port, own.host, () => resolve());
  });
  return new UdpPeers(socket, options);
}

/** A stream, and its place in the table of streams. */
interface Carried {
  readonly stream: UdpStream;
  readonly peer: PeerSocket;
}

class UdpPeers implements ByteTransport {
  readonly #socket: Socket;
  readonly #options: UdpPeersOptions;
  /** By who has opened it and its id. */
  readonly #streams = new Map<string, Carried>();
  #accept: ((channel: ByteChannel) => ByteChannelHandler) | undefined;
  #stopped = false;
  #closed = false;

  constructor(socket: Socket, options: UdpPeersOptions) {
    this.#socket = socket;
    this.#options = options;
    // A datagram that could not be sent is one that was lost.
    socket.on('error', () => {});
    socket.on('message', (bytes, from) => this.#onDatagram(bytes, from));
  }

  start(accept: (channel: ByteChannel) => ByteChannelHandler): void {
    this.#accept = accept;
  }

  open(to: Sid, handler: ByteChannelHandler): ByteChannel {
    const { servers, random } = this.#options;
    const address = servers.get(to);
    if (address === undefined || this.#stopped) {
      const none = new PeerSocket(() => {});
      none.handle(handler);
      none.destroy();
      return none;
    }
    const id = Uint8Array.from({ length: 8 }, () => random.uint32() >>> 24);
    const { peer, stream } = this.#add(id, FROM_OPENER, address.host, address.port);
    peer.handle(handler);
    peer.carry(stream);
    return peer;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#accept = undefined;
    for (const { peer } of [...this.#streams.values()]) {
      peer.close();
      peer.destroy();
    }
    // Not before the last datagrams are out.
    setImmediate(() => {
      this.#closed = true;
      this.#socket.close();
    });
  }

  /** @param side what this end's datagrams bear. */
  #add(id: Uint8Array, side: number, host: string, port: number): Carried {
    const key = keyOf(id, side ^ FROM_OPENER);
    const stream = new UdpStream(
      this.#options.clock,
      (segment) => this.#send(datagram(id, side, segment), host, port),
      () => this.#streams.delete(key),
    );
    const carried = { stream, peer: new PeerSocket(() => {}) };
    this.#streams.set(key, carried);
    return carried;
  }

  #onDatagram(bytes: Uint8Array, { address, port }: RemoteInfo): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length < HEADER_BYTES) return;
    const id = bytes.slice(0, 8);
    const side = view.getUint8(8) & FROM_OPENER;
    const type = TYPES[view.getUint8(9)];
    if (type === undefined) return;
    const segment: Segment = { type, number: view.getUint32(10), payload: bytes.slice(HEADER_BYTES) };
    const known = this.#streams.get(keyOf(id, side));
    if (known !== undefined) known.stream.receive(segment);
    else if (side === FROM_OPENER && type === 'DATA' && segment.number === 0) this.#take(id, segment, address, port);
    // Where somebody opens a stream, a later segment may only have overtaken the first.
    else if (type !== 'RESET' && side !== FROM_OPENER)
      this.#send(datagram(id, FROM_OPENER, { type: 'RESET', number: 0, payload: new Uint8Array(0) }), address, port);
  }

  /** What goes wrong is a datagram that was lost. */
  #send(bytes: Uint8Array, host: string, port: number): void {
    if (!this.#closed) this.#socket.send(bytes, port, host, () => {});
  }

  /** A peer has opened a stream. One that is played again fails in the handshake of `framed`. */
  #take(id: Uint8Array, first: Segment, host: string, port: number): void {
    if (this.#accept === undefined || this.#streams.size >= 2 * CONNECTIONS_PER_PEER_MAX * this.#options.servers.size) return;
    const { peer, stream } = this.#add(id, 0, host, port);
    peer.handle(this.#accept(peer));
    peer.carry(stream);
    stream.receive(first);
  }
}

/** @param side what the other end's datagrams bear. */
function keyOf(id: Uint8Array, side: number): string {
  return `${side} ${id.join()}`;
}

function datagram(id: Uint8Array, side: number, { type, number, payload }: Segment): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  bytes.set(id);
  view.setUint8(8, side);
  view.setUint8(9, TYPES.indexOf(type));
  view.setUint32(10, number);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}
