/**
 * The clients of one server: who is connected, who has a session, who was heard, and who waits (`ServerCnxnFactory`, `LearnerSessionTracker`).
 *
 * While the server is at something that must not be interrupted, between `begin` and `end`, nothing is taken from clients, also where a link calls
 * back from inside `send`; what has come by then is taken at the end.
 */
import type { Clock } from '@quorate/ports';
import { assert } from '@quorate/protocol';
import type { ClientPort } from './client-port.js';
import { ConnectedSession, type ConnectedSessionOptions } from './connected-session.js';

/** A session that a client gets. */
export type SessionOpening = Omit<ConnectedSessionOptions, 'port'>;

export class Clients {
  readonly #clock: Clock;
  readonly #ports = new Set<ClientPort>();
  /** Ports without a session, since when. */
  readonly #joining = new Map<ClientPort, number>();
  readonly #sessions = new Map<bigint, ConnectedSession>();
  /** Sessions that were heard since `takeTouched`. */
  #touched: ConnectedSession[] = [];
  /** Ports whose links are not read, because of what waits here. */
  readonly #paused = new Set<ClientPort>();
  /** Ports that may have something to take. */
  readonly #later = new Set<ClientPort>();
  #busy = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#ports.size;
  }

  /** Those that are connected now: what is done with one of them does not change it. */
  get ports(): readonly ClientPort[] {
    return [...this.#ports];
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** The sessions whose clients are connected here, as they are now: closing their connections does not change it. */
  get sessions(): readonly ConnectedSession[] {
    return [...this.#sessions.values()];
  }

  session(id: bigint): ConnectedSession | undefined {
    return this.#sessions.get(id);
  }

  add(port: ClientPort): void {
    this.#ports.add(port);
    this.#joining.set(port, this.#clock.now());
  }

  /** The client has its session, and goes on with what it has sent in the meantime. */
  open(port: ClientPort, opening: SessionOpening): void {
    const { id } = opening;
    assert(!this.#sessions.has(id), 'a session has one connection at a server');
    const session = new ConnectedSession({ ...opening, port });
    this.#sessions.set(id, session);
    this.#joining.delete(port);
    if (session.touched) this.#touched.push(session);
    port.joined(session);
  }

  /** The connection is gone. */
  remove(port: ClientPort): void {
    this.#ports.delete(port);
    this.#joining.delete(port);
    this.#later.delete(port);
    this.#paused.delete(port);
    const { session } = port;
    if (session !== undefined && this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
  }

  /** Ends every connection that has begun its handshake. */
  closeBegun(): void {
    for (const port of [...this.#ports]) if (!port.isFresh) port.close();
  }

  closeAll(): void {
    for (const port of [...this.#ports]) port.close();
  }

  touch(session: ConnectedSession): void {
    if (session.touched) return;
    session.touched = true;
    this.#touched.push(session);
  }

  /** The link of a port is not read any more, or is again. */
  setPaused(port: ClientPort, paused: boolean): void {
    if (paused) this.#paused.add(port);
    else this.#paused.delete(port);
  }

  /** Whoever is not read counts as heard: what it has said lies in its link, and it is this server that does not listen. */
  hearPaused(): void {
    for (const port of this.#paused) port.heard();
  }

  /** Those that were heard since this was asked last. */
  takeTouched(): readonly ConnectedSession[] {
    this.hearPaused();
    const touched = this.#touched;
    this.#touched = [];
    for (const session of touched) session.touched = false;
    return touched;
  }

  /** Closes connections that wait for a handshake to succeed for longer than `patienceOf` says; gives how many. */
  endHandshakes(patienceOf: (port: ClientPort) => number): number {
    const now = this.#clock.now();
    const over = [...this.#joining].filter(([port, since]) => now - since > patienceOf(port));
    for (const [port] of over) port.close();
    return over.length;
  }

  /** Closes connections whose sessions may not be silent for as long as the server has not served. */
  endHolding(sinceMs: number): void {
    const heldMs = this.#clock.now() - sinceMs;
    for (const { port, timeOut } of this.sessions) if (heldMs > timeOut) port.close();
  }

  begin(): void {
    assert(!this.#busy, 'Zab tells one thing at a time');
    this.#busy = true;
  }

  end(): void {
    this.#busy = false;
    this.#runLater();
  }

  /** Runs a port once the server is not busy, at once where it is not. */
  later(port: ClientPort): void {
    this.#later.add(port);
    this.#runLater();
  }

  /** Runs every port at the end. */
  allLater(): void {
    assert(this.#busy, 'all ports run at the end of something');
    for (const port of this.#ports) this.#later.add(port);
  }

  #runLater(): void {
    while (this.#later.size > 0 && !this.#busy) {
      const ports = [...this.#later];
      this.#later.clear();
      for (const port of ports) port.run();
    }
  }
}
