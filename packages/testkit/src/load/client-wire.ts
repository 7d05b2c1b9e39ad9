/**
 * The way between clients and servers: the unchanged `Connector` of a client at one end, the unchanged `ClientLink` of a server at the other, and a
 * simulated stream between them. In half of the seeds every message passes through the shipped codecs on its way.
 */
import type { Connection, ConnectionHandler, Connector } from '@quorate/client';
import {
  type ClientMessage,
  type ConnectRequest,
  decodeClientMessage,
  decodeConnectRequest,
  decodeConnectResponse,
  decodeServerMessage,
  encodeClientMessage,
  encodeServerMessage,
  FrameSplitter,
  JuteWriter,
  type ServerMessage,
  type Zxid,
} from '@quorate/protocol';
import type { ClientLink, ClientPort } from '@quorate/server';
import type { Sid } from '@quorate/zab';
import type { ServerAccount } from '../check/calm-checker.js';
import type { ClientChecker } from '../check/client-checker.js';
import type { WireConnection } from '../check/client-history.js';
import type { Trace } from '../trace/trace.js';
import type { SimNetwork } from '../world/sim-network.js';
import type { SimProcess } from '../world/sim-process.js';
import { hostOf } from '../world/sim-transport.js';
import type { StreamEnd } from '../world/stream.js';

/** What goes along a stream: with the connection, so that the checker knows whose it is, and as bytes where codecs are on. */
interface Parcel<M> {
  readonly wire: WireConnection;
  readonly content: M | Uint8Array;
}

/** A client's end of its connection. */
export type ClientEnd = StreamEnd<Parcel<ClientMessage>, Parcel<ServerMessage>>;
/** A server's end. */
export type ServerEnd = StreamEnd<Parcel<ServerMessage>, Parcel<ClientMessage>>;

/** A server as its clients meet it. */
export interface Door {
  /** The last txn that it has applied. */
  readonly lastZxid: Zxid;
  readonly serves: boolean;
  readonly watchCount: number;
  accept(link: ClientLink): ClientPort;
  onConnect(request: ConnectRequest): void;
}

/** One life of a server. */
interface Life {
  readonly sid: Sid;
  readonly process: SimProcess;
  readonly door: Door;
  /** Whose connections are open at this end. */
  readonly connections: Set<WireConnection>;
}

export interface ClientWireOptions {
  readonly network: SimNetwork;
  readonly checker: ClientChecker;
  /** A client has been told of an event. */
  readonly onEvent: (client: number) => void;
  readonly trace: Trace;
  /** Whether messages pass through the shipped codecs. */
  readonly codecs: boolean;
}

export class ClientWire {
  readonly #options: ClientWireOptions;
  readonly #writer = new JuteWriter();
  readonly #lives = new Map<Sid, Life>();
  #disturbances = 0;
  /** A leader is about to end this session, because its client was silent for too long. */
  onExpiring: ((session: bigint) => void) | undefined;
  /** A server that served does so no more, and keeps the connections of these clients. */
  onHolding: ((server: Sid, clients: readonly number[]) => void) | undefined;

  /** A server begins to answer reads without a leader. */
  onReadOnly: ((server: Sid) => void) | undefined;

  constructor(options: ClientWireOptions) {
    this.#options = options;
  }

  get checker(): ClientChecker {
    return this.#options.checker;
  }

  /** How often a server that served has stopped serving, or has begun another epoch. */
  get disturbances(): number {
    return this.#disturbances;
  }

  disturb(): void {
    this.#disturbances++;
  }

  /** A server has stopped serving and goes on living. */
  hold(server: Sid): void {
    const { connections = [] } = this.#lives.get(server) ?? {};
    this.onHolding?.(
      server,
      [...connections].map(({ client }) => client),
    );
  }

  /** Whether every server that serves has applied all up to `zxid`. */
  serversHave(zxid: Zxid): boolean {
    return this.#serving().every(({ door }) => door.lastZxid >= zxid);
  }

  /** Every server that serves. */
  accounts(): ServerAccount[] {
    return this.#serving().map(({ sid, door, connections }) => ({
      sid,
      connections,
      watchCount: door.watchCount,
      lastZxid: door.lastZxid,
    }));
  }

  #serving(): Life[] {
    return [...this.#lives.values()].filter(({ process, door }) => !process.hasEnded && door.serves);
  }

  /** The name of a client's host. */
  static hostOf(client: number): string {
    return `c${client}`;
  }

  /** For one life of a client, or of somebody in its name. `ends` holds what is open, so that a crash can take it away. */
  connector(options: {
    readonly client: number;
    readonly isForeign?: boolean;
    readonly process: SimProcess;
    readonly sids: readonly Sid[];
    readonly ends: Set<ClientEnd>;
  }): Connector {
    const { client, isForeign = false, process, sids, ends } = options;
    return {
      servers: sids.length,
      connect: (index, handler) => this.#dial({ client, isForeign, process, server: sids[index] as Sid, handler, ends }),
    };
  }

  #dial(options: {
    readonly client: number;
    readonly isForeign: boolean;
    readonly process: SimProcess;
    readonly server: Sid;
    readonly handler: ConnectionHandler;
    readonly ends: Set<ClientEnd>;
  }): Connection {
    const { client, isForeign, process, server, handler, ends } = options;
    const { network, checker, onEvent, trace, codecs } = this.#options;
    const wire = checker.onDialled(client, server, isForeign);
    const codec = new ClientCodec(this.#writer);
    const end: ClientEnd = network.dial<Parcel<ClientMessage>, Parcel<ServerMessage>>({
      from: ClientWire.hostOf(client),
      process,
      to: hostOf(server),
      service: 'client',
      handler: {
        onOpen: () => handler.onOpen(),
        onMessage: ({ content }) => {
          const message = content instanceof Uint8Array ? codec.decode(content) : content;
          trace.onReceived(client, server, message);
          checker.onReceived(wire, message);
          handler.onMessage(message);
          if (message.kind === 'event') onEvent(client);
        },
        onClose: () => handler.onClose(),
      },
      onEnd: (ended) => {
        ends.delete(ended);
        checker.onLost(wire);
      },
    });
    ends.add(end);
    return {
      send: (message) => {
        if (!end.isOpen) return;
        trace.onSent(client, server, message);
        checker.onSent(wire, message);
        end.send({ wire, content: codecs ? codec.encode(message) : message });
      },
      close: () => end.close(),
    };
  }

  /** Lets a server be reached by clients for one of its lives; gives the ends that are open. */
  listen(sid: Sid, process: SimProcess, door: Door): Set<ServerEnd> {
    const ends = new Set<ServerEnd>();
    const connections = new Set<WireConnection>();
    this.#lives.set(sid, { sid, process, door, connections });
    const { network, checker, codecs } = this.#options;
    checker.onBegun(sid);
    network.listen<Parcel<ServerMessage>, Parcel<ClientMessage>>(`${hostOf(sid)}/client`, process, (_from, end) => {
      ends.add(end);
      let wire: WireConnection | undefined;
      const codec = new ServerCodec();
      const port = door.accept({
        send: (message) => {
          // A server speaks only after its client has.
          if (wire === undefined) return;
          if (message.kind === 'connected') checker.onHandshakeAnswered(wire, message, door.lastZxid);
          end.send({ wire, content: codecs ? encodeServerMessage(message, this.#writer) : message });
        },
        close: () => {
          ends.delete(end);
          if (wire !== undefined) connections.delete(wire);
          end.close();
        },
      });
      return {
        onMessage: (parcel) => {
          if (wire === undefined) {
            wire = parcel.wire;
            wire.serverEnd = end;
            connections.add(wire);
          }
          checker.onHeard(wire);
          const message = parcel.content instanceof Uint8Array ? codec.decode(parcel.content) : parcel.content;
          if (message.kind === 'connect') door.onConnect(message);
          port.receive(message);
        },
        onClose: () => {
          ends.delete(end);
          if (wire !== undefined) connections.delete(wire);
          port.closed();
        },
      };
    });
    return ends;
  }

  unlisten(sid: Sid, process: SimProcess): void {
    this.#options.network.unlisten(`${hostOf(sid)}/client`, process);
  }
}

/** The client's end of a byte stream. */
class ClientCodec {
  readonly #splitter = new FrameSplitter();
  /** Types of the requests under way, by xid. */
  readonly #types = new Map<number, number>();
  readonly #writer: JuteWriter;
  #handshake = true;

  constructor(writer: JuteWriter) {
    this.#writer = writer;
  }

  encode(message: ClientMessage): Uint8Array {
    if (message.kind === 'request') this.#types.set(message.xid, message.request.type);
    return encodeClientMessage(message, this.#writer);
  }

  decode(bytes: Uint8Array): ServerMessage {
    const body = oneFrame(this.#splitter, bytes);
    if (this.#handshake) {
      this.#handshake = false;
      return decodeConnectResponse(body);
    }
    const message = decodeServerMessage(body, (xid) => this.#types.get(xid));
    if (message.kind === 'reply') this.#types.delete(message.xid);
    return message;
  }
}

/** The server's end. */
class ServerCodec {
  readonly #splitter = new FrameSplitter();
  #handshake = true;

  decode(bytes: Uint8Array): ClientMessage {
    const body = oneFrame(this.#splitter, bytes);
    if (!this.#handshake) return decodeClientMessage(body);
    this.#handshake = false;
    return decodeConnectRequest(body);
  }
}

function oneFrame(splitter: FrameSplitter, bytes: Uint8Array): Uint8Array {
  // Cut somewhere, as a network would.
  const cut = bytes.length >> 1;
  splitter.push(bytes.subarray(0, cut));
  splitter.push(bytes.subarray(cut));
  return splitter.next() as Uint8Array;
}
