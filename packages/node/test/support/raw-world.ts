/** One server or several under virtual time behind the very links that a listener makes, and clients that are nothing but bytes. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  decodeConnectResponse,
  encodeClientMessage,
  encodeConnectRequest,
  FrameSplitter,
  frame,
  JuteReader,
  JuteWriter,
  NO_ZXID,
  type Request,
  type Zxid,
} from '@quorate/protocol';
import { MemoryNetwork, MemoryStorage, Server } from '@quorate/server';
import { VirtualClock } from 'quorate';
import { EventFrames } from '../../src/event-frames.js';
import { FlushScheduler } from '../../src/flush-scheduler.js';
import { LinkMemory } from '../../src/link-memory.js';
import { noCounts } from '../../src/listener-counts.js';
import { StreamLink } from '../../src/stream-link.js';

/** The header of a reply, or what a handshake was answered with. */
export type Answer = { readonly xid: number; readonly err: number } | { readonly timeOut: number; readonly sessionId: bigint };

/** What a client needs to take its session along. */
interface Session {
  readonly sessionId: bigint;
  readonly passwd: Uint8Array;
}

const NO_PASSWORD = new Uint8Array(16);

export class RawWorld {
  readonly clock = new VirtualClock();
  readonly failures: Error[] = [];
  /** The one that leads. */
  readonly server: Server;
  readonly followers: readonly Server[];
  readonly #clients: RawClient[] = [];

  constructor(size = 1) {
    const network = new MemoryNetwork({ clock: this.clock });
    const voters = Array.from({ length: size }, (_, index) => index + 1);
    const servers = voters.map(
      (sid) =>
        new Server({
          sid,
          config: { version: 0, voters },
          transport: network.transport(sid),
          storage: new MemoryStorage({ clock: this.clock }).format({ ensembleId: 'raw' }),
          clock: this.clock,
          onFailure: (error) => this.failures.push(error),
        }),
    );
    for (const server of servers) server.start();
    this.clock.advance(0);
    while (!servers.every(({ status }) => status.serving)) this.clock.step();
    this.server = servers.find(({ status }) => status.state === 'LEADING') as Server;
    this.followers = servers.filter((server) => server !== this.server);
  }

  connect(server = this.server): RawClient {
    const client = new RawClient(server);
    this.#clients.push(client);
    return client;
  }

  /** A client with a session. */
  async open(server = this.server): Promise<RawClient> {
    const client = this.connect(server);
    client.handshake();
    await this.settle();
    client.take();
    return client;
  }

  /** Everything that is under way arrives. */
  async settle(): Promise<void> {
    this.clock.advance(0);
    // What is written leaves at the end of a turn.
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }

  /** All that can be read, without the zxid of the last txn, which an error moves as well. */
  get tree(): string {
    const { tree } = this.server;
    const lines: string[] = [];
    const visit = (path: string): void => {
      const node = tree.find(path);
      if (node === undefined) return;
      const all = { path, data: tree.data(node), stat: tree.stat(node), acl: tree.acl(node) };
      lines.push(JSON.stringify(all, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)));
      for (const name of tree.children(node)) visit(path === '/' ? `/${name}` : `${path}/${name}`);
    };
    visit('/');
    return lines.join('\n');
  }

  get lastZxid(): Zxid {
    return this.server.lastZxid;
  }

  close(): void {
    for (const client of this.#clients) client.destroy();
    for (const server of [this.server, ...this.followers]) server.stop();
  }
}

export class RawClient {
  readonly #socket = new FakeSocket();
  #greeted = false;
  #session: Session = { sessionId: 0n, passwd: NO_PASSWORD };

  constructor(server: Server) {
    const limits = { handshakeTimeoutMs: 10_000, outboxBytesMax: 1 << 24 };
    const share = {
      flushes: new FlushScheduler(),
      counts: noCounts(),
      events: new EventFrames(),
      turns: { isOver: false, wait: setImmediate },
      memory: new LinkMemory(1 << 24),
      answerWord: () => undefined,
    };
    // Made for its events alone: it holds on to its socket.
    const origin = { address: '127.0.0.1', remotePort: 0, ids: [], socket: this.#socket as unknown as Socket };
    void new StreamLink(this.#socket as unknown as Duplex, (link) => server.accept(link), limits, share, origin);
  }

  get session(): Session {
    return this.#session;
  }

  get isClosed(): boolean {
    return this.#socket.ended;
  }

  /** Bytes as they are. */
  bytes(bytes: Uint8Array): void {
    if (!this.#socket.ended) this.#socket.emit('data', bytes);
  }

  handshake(session = this.#session): void {
    this.bytes(
      encodeConnectRequest({ kind: 'connect', protocolVersion: 0, lastZxidSeen: NO_ZXID, timeOut: 20_000, readOnly: false, ...session }),
    );
  }

  request(xid: number, request: Request): void {
    this.bytes(encodeClientMessage({ kind: 'request', xid, request }));
  }

  /** A request of any type with any body. */
  raw(xid: number, type: number, body: Uint8Array): void {
    const writer = new JuteWriter();
    writer.int(xid);
    writer.int(type);
    writer.raw(body);
    this.bytes(frame(writer.finish()));
  }

  /** What has come since this was asked last. */
  take(): Answer[] {
    const answers: Answer[] = [];
    for (let body = this.#socket.received.next(); body !== undefined; body = this.#socket.received.next()) answers.push(this.#read(body));
    return answers;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(body: Uint8Array): Answer {
    const reader = new JuteReader(body);
    if (this.#greeted) {
      const xid = reader.int();
      reader.zxid();
      return { xid, err: reader.int() };
    }
    this.#greeted = true;
    const { timeOut, sessionId, passwd } = decodeConnectResponse(body);
    this.#session = { sessionId, passwd };
    return { timeOut, sessionId };
  }
}

/** As much of a socket as a link uses; whatever is written has arrived. */
class FakeSocket extends EventEmitter {
  readonly received = new FrameSplitter();
  readonly remoteAddress = '127.0.0.1';
  readonly writableLength = 0;
  writable = true;
  ended = false;

  write(bytes: Uint8Array, done?: () => void): boolean {
    this.received.push(bytes);
    if (done !== undefined) process.nextTick(done);
    return true;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.ended) return;
    this.ended = true;
    this.writable = false;
    process.nextTick(() => this.emit('close'));
  }

  pause(): void {}
  resume(): void {}
  setNoDelay(): void {}
}
