/** A network of relays on the loopback: whoever connects to another server comes to a relay, which passes on what it likes. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { PeerAddress } from '@quorate/node';
import { type Random, randomBelow } from '@quorate/ports';
import type { Sid } from '@quorate/zab';
import type { Network } from './network.ts';

/** Of an impaired server, how late what it says can be, in milliseconds. */
const LATE_MS_MAX = 150;
/** What a relay holds before it reads no further, in bytes. */
const HELD_BYTES_MAX = 256 * 1024;
/** By then a connection that shall be cut in the middle of something is cut, also where nothing is said. */
const CUT_MS_MAX = 300;

/** What becomes of what one server says to another. */
interface Way {
  isStalled: boolean;
  lateMs: number;
}

export class RelayNetwork implements Network {
  readonly #random: Random;
  readonly #ways = new Map<string, Way>();
  readonly #cuts = new Set<string>();
  readonly #servers: Server[] = [];
  readonly #passages = new Set<Passage>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Where `by` sees the server `sid`, which is at `address`. */
  async before(sid: Sid, address: PeerAddress, by: Sid): Promise<PeerAddress> {
    const ends = { from: by, to: sid };
    return {
      ...address,
      quorumPort: await this.#listen(address.quorumPort, ends),
      electionPort: await this.#listen(address.electionPort, ends),
    };
  }

  async cut(one: Sid, other: Sid): Promise<void> {
    this.#cuts.add(between(one, other));
    for (const passage of [...this.#passages]) if (passage.isBetween(one, other)) passage.cut();
  }

  async stall(from: Sid, to: Sid): Promise<void> {
    this.#way(from, to).isStalled = true;
  }

  async impair(sid: Sid): Promise<void> {
    for (const [name, way] of this.#ways) if (name.startsWith(`${sid}>`)) way.lateMs = 1 + randomBelow(this.#random, LATE_MS_MAX);
  }

  async heal(): Promise<void> {
    this.#cuts.clear();
    for (const way of this.#ways.values()) Object.assign(way, CLEAR);
    for (const passage of this.#passages) passage.pass();
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const passage of this.#passages) passage.end();
  }

  async #listen(port: number, { from, to }: { readonly from: Sid; readonly to: Sid }): Promise<number> {
    const server = createServer((near) => {
      if (this.#cuts.has(between(from, to))) {
        near.destroy();
        return;
      }
      const far = connect(port, '127.0.0.1');
      this.#add(new Passage({ source: near, target: far, from, to, way: this.#way(from, to) }));
      this.#add(new Passage({ source: far, target: near, from: to, to: from, way: this.#way(to, from) }));
    });
    this.#servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  #add(passage: Passage): void {
    this.#passages.add(passage);
    passage.onEnd(() => this.#passages.delete(passage));
  }

  #way(from: Sid, to: Sid): Way {
    const name = `${from}>${to}`;
    const known = this.#ways.get(name);
    if (known !== undefined) return known;
    const way = { ...CLEAR };
    this.#ways.set(name, way);
    return way;
  }
}

const CLEAR: Way = { isStalled: false, lateMs: 0 };

function between(one: Sid, other: Sid): string {
  return one < other ? `${one}-${other}` : `${other}-${one}`;
}

interface Ends {
  readonly source: Socket;
  readonly target: Socket;
  readonly from: Sid;
  readonly to: Sid;
  readonly way: Way;
}

/** One direction of one connection. */
class Passage {
  readonly #ends: Ends;
  /** What has come and was not passed on, each with when that is due. */
  readonly #held: { readonly bytes: Buffer; readonly dueAt: number }[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isCut = false;
  /** The source has nothing more to say: the target is told when its turn comes. */
  #isOver = false;

  constructor(ends: Ends) {
    this.#ends = ends;
    const { source } = ends;
    source.on('data', (bytes: Buffer) => this.#take(bytes));
    source.on('error', () => {});
    source.once('close', () => {
      this.#isOver = true;
      this.pass();
    });
  }

  isBetween(one: Sid, other: Sid): boolean {
    const { from, to } = this.#ends;
    return between(from, to) === between(one, other);
  }

  onEnd(gone: () => void): void {
    this.#ends.target.once('close', gone);
  }

  /** Half of what is said next is the last that gets through. */
  cut(): void {
    this.#isCut = true;
    setTimeout(() => this.end(), CUT_MS_MAX);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#ends.source.destroy();
    this.#ends.target.destroy();
  }

  /** Passes on what is due. */
  pass(): void {
    clearTimeout(this.#timer);
    const { source, target, way } = this.#ends;
    if (way.isStalled) return;
    for (let next = this.#held[0]; next !== undefined; next = this.#held[0]) {
      const waitMs = next.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pass(), waitMs);
        break;
      }
      this.#held.shift();
      this.#heldBytes -= next.bytes.length;
      target.write(next.bytes);
    }
    if (this.#heldBytes < HELD_BYTES_MAX) source.resume();
    if (this.#isOver && this.#held.length === 0) target.destroySoon();
  }

  #take(bytes: Buffer): void {
    const { source, target, way } = this.#ends;
    if (this.#isCut) {
      target.write(bytes.subarray(0, bytes.length >> 1));
      target.end();
      source.destroy();
      return;
    }
    this.#held.push({ bytes, dueAt: performance.now() + way.lateMs });
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= HELD_BYTES_MAX) source.pause();
    this.pass();
  }
}
