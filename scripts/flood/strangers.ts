/** Clients as nobody wants them, each over a connection of its own, and what became of it. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { decodeConnectResponse, encodeClientMessage, encodeConnectRequest, FrameSplitter, NO_ZXID, OpCode } from '@quorate/protocol';

/** What they read; everybody may, and it is large. */
export const LARGE_PATH = '/large';

/** Of whoever has a session, in milliseconds. */
export const SESSION_TIMEOUT_MS = 9_000;
const LORIS_PAUSE_MS = 700;
/** Requests that are written at a time by whoever writes as fast as it can. */
const BURST = 200;
const BURSTS_UNDER_WAY = 10;
const PASSWORD_BYTES = 16;
/** The length of the longest frame, and far too few bytes of it. */
const CLAIM_BYTES = 0xf_ffff;

export type Kind = 'mute' | 'loris' | 'claimer' | 'deaf' | 'hasty';

/** Requests of which nobody looks at the xid. */
const READS = burstOf(OpCode.getData);
const LOOKS = burstOf(OpCode.exists);

/** Where a connection goes, and from which address of this machine it comes. */
export interface Way {
  readonly port: number;
  readonly from: string;
}

export abstract class Stranger {
  abstract readonly kind: Kind;
  protected readonly socket: Socket;
  protected readonly way: Way;
  readonly #splitter = new FrameSplitter();
  /** Its connecting, or when the server last took something from it. */
  protected sinceMs: number | undefined;
  #closedMs: number | undefined;
  /** Settled once it is known whether it is connected. */
  readonly tried: Promise<void>;
  readonly closed: Promise<void>;

  constructor(way: Way) {
    this.way = way;
    this.socket = connect({ host: '127.0.0.1', port: way.port, localAddress: way.from });
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.tried = Promise.race([new Promise<void>((resolve) => this.socket.once('connect', () => resolve())), this.closed]);
    this.socket.once('connect', () => {
      this.sinceMs = performance.now();
      this.begin();
    });
    this.socket.once('close', () => {
      this.#closedMs = performance.now();
    });
    this.socket.on('data', (chunk) => {
      this.#splitter.push(chunk);
      for (let body = this.#splitter.next(); body !== undefined; body = this.#splitter.next()) this.receive(body);
    });
  }

  /** From its connecting, or from when the server last took something from it, to its end, in milliseconds; undefined while it is connected. */
  get livedMs(): number | undefined {
    return this.#closedMs === undefined ? undefined : this.#closedMs - (this.sinceMs ?? this.#closedMs);
  }

  end(): void {
    this.socket.destroy();
  }

  protected begin(): void {}
  protected receive(_body: Uint8Array): void {}
}

/** Says nothing. */
export class Mute extends Stranger {
  override readonly kind = 'mute';
}

/** Introduces itself, a byte at a time. */
export class Loris extends Stranger {
  override readonly kind = 'loris';

  protected override begin(): void {
    const handshake = handshakeFrame(0n, new Uint8Array(PASSWORD_BYTES));
    let next = 0;
    const timer = setInterval(() => this.socket.write(handshake.subarray(next, ++next)), LORIS_PAUSE_MS);
    this.socket.once('close', () => clearInterval(timer));
  }
}

/** Claims that its handshake has a megabyte, and sends nearly all of it. */
export class Claimer extends Stranger {
  override readonly kind = 'claimer';

  protected override begin(): void {
    const bytes = new Uint8Array(CLAIM_BYTES);
    new DataView(bytes.buffer).setInt32(0, CLAIM_BYTES);
    this.socket.write(bytes);
  }
}

/** One that has a session and asks for all that it can. */
abstract class Asker extends Stranger {
  sessionId = 0n;
  protected password = new Uint8Array(PASSWORD_BYTES);

  protected override begin(): void {
    this.socket.write(handshakeFrame(0n, this.password));
  }

  protected override receive(body: Uint8Array): void {
    if (this.sessionId !== 0n) return this.answered();
    const { sessionId, passwd } = decodeConnectResponse(body);
    this.sessionId = sessionId;
    this.password = Uint8Array.from(passwd);
    this.welcome();
  }

  protected abstract welcome(): void;
  protected answered(): void {}

  /** Writes requests; true where the system takes more of them. */
  protected ask(requests: Uint8Array): boolean {
    return this.socket.write(requests);
  }
}

/** Asks for more and more, and never reads what it is answered. */
export class Deaf extends Asker {
  override readonly kind = 'deaf';
  /** Whether somebody who knows its password could go on with its session, as soon as it was disconnected. */
  readonly kept: Promise<boolean> = this.closed.then(() => this.#isKept());

  async #isKept(): Promise<boolean> {
    const socket = connect({ host: '127.0.0.1', port: this.way.port, localAddress: this.way.from });
    const splitter = new FrameSplitter();
    try {
      return await new Promise<boolean>((resolve) => {
        socket.on('error', () => {});
        socket.on('close', () => resolve(false));
        socket.on('connect', () => socket.write(handshakeFrame(this.sessionId, this.password)));
        socket.on('data', (chunk) => {
          splitter.push(chunk);
          const body = splitter.next();
          if (body !== undefined) resolve(decodeConnectResponse(body).sessionId === this.sessionId);
        });
      });
    } finally {
      socket.destroy();
    }
  }

  protected override welcome(): void {
    this.socket.pause();
    this.socket.on('drain', () => this.#askOn());
    this.#askOn();
  }

  #askOn(): void {
    while (!this.socket.destroyed && this.ask(READS));
    this.sinceMs = performance.now();
  }
}

/** Asks for small things as fast as it is answered. */
export class Hasty extends Asker {
  override readonly kind = 'hasty';
  answers = 0;

  protected override welcome(): void {
    for (let burst = 0; burst < BURSTS_UNDER_WAY; burst++) this.ask(LOOKS);
  }

  protected override answered(): void {
    if (++this.answers % BURST === 0) this.ask(LOOKS);
  }
}

export function handshakeFrame(sessionId: bigint, passwd: Uint8Array): Uint8Array {
  return encodeConnectRequest({
    kind: 'connect',
    protocolVersion: 0,
    lastZxidSeen: NO_ZXID,
    timeOut: SESSION_TIMEOUT_MS,
    sessionId,
    passwd,
    readOnly: false,
  });
}

/** What nobody can compress or guess. */
export function largeData(bytes: number): Uint8Array {
  return randomBytes(bytes);
}

function burstOf(type: typeof OpCode.exists | typeof OpCode.getData): Uint8Array {
  return Buffer.concat(
    Array.from({ length: BURST }, (_, i) =>
      encodeClientMessage({ kind: 'request', xid: i + 1, request: { type, path: LARGE_PATH, watch: false } }),
    ),
  );
}
