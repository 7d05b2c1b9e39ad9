/**
 * The twin of `ByteTransport` in memory, for tests: what is sent arrives in the order of sending, each chunk in a task of its own. It keeps the contract unless a test
 * breaks it by `alter` or `inject`, and remembers every chunk, so that a test can play it again.
 */
import type { Clock } from '@quorate/ports';
import type { Sid } from '../config.js';
import type { ByteChannel, ByteChannelHandler, ByteTransport } from './byte-transport.js';

/** Where a chunk is. */
export interface Way {
  /** Counts the connections of the network, from 0. */
  readonly connection: number;
  readonly from: Sid;
  readonly to: Sid;
  /** True from the end that opened the connection. */
  readonly forth: boolean;
  /** Counts the chunks that were sent this way. */
  readonly index: number;
}

export class MemoryByteNetwork {
  /** Gives what arrives in place of a chunk. */
  alter: (chunk: Uint8Array, way: Way) => readonly Uint8Array[] = (chunk) => [chunk];
  /** Breaks a rule: who has asked for room is told also when the channel has closed meanwhile. */
  tellsOfRoomAfterClose = false;
  /** Every chunk that was sent, before `alter`. */
  readonly sent: { readonly way: Way; readonly chunk: Uint8Array }[] = [];
  readonly ends: { near: End; far: End | undefined }[] = [];
  readonly clock: Clock;
  readonly #members = new Map<Sid, MemberTransport>();

  constructor(options: { readonly clock: Clock }) {
    this.clock = options.clock;
  }

  transport(sid: Sid): ByteTransport {
    return new MemberTransport(sid, this, this.#members);
  }

  /** Gives bytes to an end, open or not, as no legal network does. */
  inject(connection: number, end: 'near' | 'far', bytes: Uint8Array): void {
    this.ends[connection]?.[end]?.handler?.onBytes(bytes);
  }

  /** Ends a connection, as seen from both ends. */
  sever(connection: number): void {
    this.ends[connection]?.near.closed();
    this.ends[connection]?.far?.closed();
  }

  /** The chunks of one way, as they were sent. */
  chunksOf(connection: number, forth: boolean): Uint8Array[] {
    return this.sent.filter(({ way }) => way.connection === connection && way.forth === forth).map(({ chunk }) => chunk);
  }
}

class MemberTransport implements ByteTransport {
  readonly #sid: Sid;
  readonly #network: MemoryByteNetwork;
  readonly #members: Map<Sid, MemberTransport>;
  readonly #ends = new Set<End>();
  #accept: ((channel: ByteChannel) => ByteChannelHandler) | undefined;

  constructor(sid: Sid, network: MemoryByteNetwork, members: Map<Sid, MemberTransport>) {
    this.#sid = sid;
    this.#network = network;
    this.#members = members;
  }

  start(accept: (channel: ByteChannel) => ByteChannelHandler): void {
    this.#accept = accept;
    this.#members.set(this.#sid, this);
  }

  open(to: Sid, handler: ByteChannelHandler): ByteChannel {
    const connection = this.#network.ends.length;
    const near = new End(this.#network, { connection, from: this.#sid, to, forth: true }, this.#ends);
    near.handler = handler;
    this.#network.ends.push({ near, far: undefined });
    this.#network.clock.defer(() => {
      const member = this.#members.get(to);
      if (member?.take(near) !== true) this.#network.clock.defer(() => near.closed());
    });
    return near;
  }

  take(near: End): boolean {
    if (this.#accept === undefined) return false;
    const { connection, from, to } = near.way;
    const far = new End(this.#network, { connection, from: to, to: from, forth: false }, this.#ends);
    near.peer = far;
    far.peer = near;
    (this.#network.ends[connection] as { far: End | undefined }).far = far;
    far.handler = this.#accept(far);
    return true;
  }

  stop(): void {
    this.#accept = undefined;
    if (this.#members.get(this.#sid) === this) this.#members.delete(this.#sid);
    for (const end of [...this.#ends]) end.close();
  }
}

class End implements ByteChannel {
  readonly #network: MemoryByteNetwork;
  readonly way: Omit<Way, 'index'>;
  readonly #siblings: Set<End>;
  handler: ByteChannelHandler | undefined;
  peer: End | undefined;
  isOpen = true;
  #index = 0;

  constructor(network: MemoryByteNetwork, way: Omit<Way, 'index'>, siblings: Set<End>) {
    this.#network = network;
    this.way = way;
    this.#siblings = siblings;
    siblings.add(this);
  }

  send(bytes: Uint8Array): void {
    if (!this.isOpen) return;
    const way = { ...this.way, index: this.#index++ };
    this.#network.sent.push({ way, chunk: bytes });
    for (const chunk of this.#network.alter(bytes, way)) this.#network.clock.defer(() => this.peer?.arrive(chunk));
  }

  awaitRoom(ready: () => void): void {
    this.#network.clock.defer(() => {
      if (this.isOpen || this.#network.tellsOfRoomAfterClose) ready();
    });
  }

  close(): void {
    if (!this.isOpen) return;
    this.#end();
    this.#network.clock.defer(() => this.peer?.closed());
  }

  arrive(chunk: Uint8Array): void {
    if (!this.isOpen) return;
    const bytes = chunk.slice();
    this.handler?.onBytes(bytes);
    // The array is used again, as that of a socket may be.
    bytes.fill(0xee);
  }

  closed(): void {
    if (!this.isOpen) return;
    this.#end();
    this.handler?.onClose();
  }

  #end(): void {
    this.isOpen = false;
    this.#siblings.delete(this);
  }
}
