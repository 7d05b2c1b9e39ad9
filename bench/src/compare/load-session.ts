/** One session of the load generator, as bytes: as many requests under way as it may have, one more for each reply; replies are counted, and of each its err is looked at. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeClientMessage, encodeConnectRequest, NO_ZXID, OpCode } from '@quorate/protocol';
import type { Latencies } from './latencies.js';
import type { Requests } from './requests.js';

const LENGTH_BYTES = 4;
/** The xid and the zxid stand before it. */
const ERR_OFFSET = LENGTH_BYTES + 12;
const NOTHING = Buffer.alloc(0);

export class LoadSession {
  readonly #socket: Socket;
  readonly #outstanding: number;
  /** When each request that is under way was sent: a ring, because replies come in the order of the requests. */
  readonly #sentAt: Float64Array;
  #oldest = 0;
  #waiting = 0;
  /** The beginning of a reply that is not there as a whole. */
  #rest: Buffer = NOTHING;
  #requests: Requests | undefined;
  /** How many requests may still be sent. */
  #left = 0;
  #sent = 0;
  #latencies: Latencies | undefined;
  #done: (() => void) | undefined;

  private constructor(socket: Socket, outstanding: number) {
    this.#socket = socket;
    this.#outstanding = outstanding;
    this.#sentAt = new Float64Array(outstanding);
  }

  static async open(port: number, outstanding: number): Promise<LoadSession> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const wanted = {
      protocolVersion: 0,
      lastZxidSeen: NO_ZXID,
      timeOut: 30_000,
      sessionId: 0n,
      passwd: new Uint8Array(16),
      readOnly: false,
    };
    socket.write(encodeConnectRequest({ kind: 'connect', ...wanted }));
    await once(socket, 'data');
    const session = new LoadSession(socket, outstanding);
    socket.on('data', (chunk) => session.#take(chunk));
    return session;
  }

  /** Requests of the last run. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends requests until `stop`, or as many as there are to be, and resolves when all are answered. */
  async run(requests: Requests, latencies?: Latencies, count = Infinity): Promise<void> {
    this.#requests = requests;
    this.#latencies = latencies;
    this.#left = count;
    this.#sent = 0;
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    this.#send(this.#outstanding);
    await done;
  }

  stop(): void {
    this.#left = 0;
  }

  async close(): Promise<void> {
    this.#socket.end(encodeClientMessage({ kind: 'request', xid: 1, request: { type: OpCode.closeSession } }));
    await once(this.#socket, 'close');
  }

  #send(room: number): void {
    const count = Math.min(room, this.#left);
    if (count === 0) {
      if (this.#waiting === 0) this.#done?.();
      return;
    }
    const now = performance.now();
    for (let i = 0; i < count; i++) this.#sentAt[(this.#oldest + this.#waiting++) % this.#outstanding] = now;
    this.#left -= count;
    this.#sent += count;
    for (const bytes of this.#requests?.next(count) ?? []) this.#socket.write(bytes);
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    let count = 0;
    while (at + ERR_OFFSET + 4 <= bytes.length) {
      const end = at + LENGTH_BYTES + bytes.readInt32BE(at);
      if (end > bytes.length) break;
      const err = bytes.readInt32BE(at + ERR_OFFSET);
      if (err !== 0) throw new Error(`the server has answered with the error ${err}`);
      at = end;
      count++;
    }
    this.#rest = at === bytes.length ? NOTHING : bytes.subarray(at);
    if (count > 0) this.#answered(count);
  }

  #answered(count: number): void {
    const now = performance.now();
    for (let i = 0; i < count; i++) {
      this.#latencies?.add(now - (this.#sentAt[this.#oldest] as number));
      this.#oldest = (this.#oldest + 1) % this.#outstanding;
    }
    this.#waiting -= count;
    this.#send(count);
  }
}
