/**
 * One connection of a client, as a machine: handshake, then requests in order (`ServerCnxn`, `CommitProcessor`, zookeeper.md 1.11).
 *
 * Writes go to the leader at once and are answered when their txn is applied here. A read waits for the earlier writes of its connection and is
 * answered from the tree as it is then. Replies leave in the order of the requests. Behind a sync nothing is taken until it is done: otherwise a
 * later write could be applied before the reads in between are answered.
 *
 *     fresh ──connect──► joining ──session applied here──► open ──closeSession, failed addauth, unknown opcode──► leaving ──► closed
 */
import {
  assert,
  type ClientMessage,
  type ConnectRequest,
  type ConnectResponse,
  ErrorCode,
  type EventMessage,
  type Id,
  OpCode,
  type Request,
  type Response,
  type ServerMessage,
  type SyncRequest,
  type Zxid,
} from '@quorate/protocol';
import { SESSION_PASSWORD_BYTES, sessionPassword } from '@quorate/session';
import type { AuthIds } from './auth-ids.js';
import type { ConnectedSession } from './connected-session.js';
import { Fifo } from './fifo.js';
import { isWrite } from './forwarded-request.js';
import type { Load } from './load.js';
import { clientMessageBytes, MESSAGE_BYTES_MIN, requestBytes } from './message-bytes.js';
import type { Connection, PendingRequest } from './pending-request.js';
import type { LocalAnswer } from './reads.js';
import type { ServerCounts } from './server-counts.js';
import { type ConnectionInfo, ConnectionTraffic, type Traffic } from './traffic.js';

/**
 * The way to one client, as the server uses it. Messages are immutable and passed as they are; a link that stays within the process copies the
 * bytes in them, in both directions, as a network would.
 */
export interface ClientLink {
  send(message: ServerMessage): void;
  /** Ends the connection from this side. What was sent before still arrives. */
  close(): void;
  /** Where the client is, for the id `ip:<address>`. */
  readonly address?: string;
  /** The port of its end. */
  readonly remotePort?: number;
  /** What the link itself proves about the client, beside its address: `x509` for the subject of its certificate. */
  readonly ids?: readonly Id[];
  /** More waits here than should: read no further from the client. */
  pause?(): void;
  /** Read on. */
  resume?(): void;
}

/** What a port asks of its server. */
export interface PortHost {
  /** True while requests may be taken. */
  readonly serving: boolean;
  /** True while the server is at something that must not be interrupted; `later` then. */
  readonly busy: boolean;
  readonly lastZxid: Zxid;
  /** Runs the port again once the server is not busy any more. */
  later(port: ClientPort): void;
  /** Gets the client its session: `joined`, `refuse` or `close` follow. */
  join(port: ClientPort, connect: ConnectRequest): void;
  forward(session: ConnectedSession, pending: PendingRequest): void;
  sync(pending: PendingRequest): void;
  answer(pending: PendingRequest, request: Request): LocalAnswer;
  /** What a connection has proved after this addauth; undefined where it is not valid. */
  authenticate(ids: AuthIds, scheme: string, auth: Uint8Array): AuthIds | undefined;
  /** What is under way for all clients of the server. */
  readonly load: Load;
  /** What all connections count together. */
  readonly traffic: Traffic;
  readonly counts: ServerCounts;
  /** Monotonic, in milliseconds. */
  nowMs(): number;
  /** By the wall clock, in milliseconds. */
  wallMs(): number;
  /** Whether a client may begin a handshake now. */
  admits(connect: ConnectRequest): boolean;
  /** The port has asked its link to pause, or to read on. */
  onPaused(port: ClientPort, paused: boolean): void;
  touch(session: ConnectedSession): void;
  /** Ends a session that this server alone knows; false for any other. */
  endSession(session: ConnectedSession): boolean;
  onPortClosed(port: ClientPort): void;
  /** An invariant does not hold: the server stops. */
  fail(error: Error): void;
}

/**
 * Requests of one connection that are under way at a time, in bytes; one there may always be. What comes then waits in the port. More would not be faster, and
 * the leader proposes all of it as one run, which is applied in one turn.
 */
export const PENDING_BYTES_MAX = 256 * 1024;
/** What waits in a port before its link is asked to pause, in bytes; where the server is full, the first message. */
export const HELD_BYTES_BEFORE_PAUSE = 64 * 1024;
/** What may wait in a port, in bytes; with more the connection is closed. Links that pause stay far below it. */
export const HELD_BYTES_MAX = 64 * 1024 * 1024;

/** A message that waits. */
interface Held {
  readonly message: ClientMessage;
  readonly bytes: number;
  readonly sinceMs: number;
}

type Phase = 'fresh' | 'joining' | 'open' | 'leaving' | 'closed';

const NO_IDS: AuthIds = [];

export class ClientPort implements Connection {
  readonly #host: PortHost;
  readonly #link: ClientLink;
  #phase: Phase = 'fresh';
  #session: ConnectedSession | undefined;
  #authIds: AuthIds;
  /** What has come and cannot be taken yet. */
  readonly #held = new Fifo<Held>();
  #heldBytes = 0;
  /** Requests in order of their coming. Invariant: the first one waits, or there is none. */
  readonly #pending = new Fifo<PendingRequest>();
  #pendingBytes = 0;
  /** A sync is not answered yet. */
  #synchronizing = false;
  /** A message is being taken, so that one that comes from inside `link.send` has to wait. */
  #taking = false;
  #paused = false;
  readonly #traffic: ConnectionTraffic;
  readonly #since: number;
  /** When the message that is being taken came; undefined where that is just now. */
  #takenSinceMs: number | undefined;

  constructor(host: PortHost, link: ClientLink) {
    this.#host = host;
    this.#link = link;
    this.#authIds = [...(link.address === undefined ? NO_IDS : [ipId(link.address)]), ...(link.ids ?? NO_IDS)];
    this.#traffic = new ConnectionTraffic(host.traffic);
    this.#since = host.wallMs();
  }

  get isClosed(): boolean {
    return this.#phase === 'closed';
  }

  /** Nothing of it was taken yet. */
  get isFresh(): boolean {
    return this.#phase === 'fresh';
  }

  get session(): ConnectedSession | undefined {
    return this.#session;
  }

  get sessionId(): bigint {
    return this.#session?.id ?? 0n;
  }

  /** What the connection has proved by now. */
  get authIds(): AuthIds {
    return this.#authIds;
  }

  /** The first message, while it waits to be taken. */
  get firstHeld(): ClientMessage | undefined {
    return this.#held.peek()?.message;
  }

  get info(): ConnectionInfo {
    return {
      address: this.#link.address,
      remotePort: this.#link.remotePort,
      session: this.sessionId,
      timeoutMs: this.#session?.timeOut ?? 0,
      since: this.#since,
      outstanding: this.#pending.length,
      last: this.#traffic.last,
      ...this.#traffic.counts,
    };
  }

  resetTraffic(): void {
    this.#traffic.reset();
  }

  // From the link

  /** The client has sent a message. */
  receive(message: ClientMessage): void {
    if (this.#phase === 'closed' || this.#phase === 'leaving') return;
    this.#traffic.received();
    this.heard();
    if (this.#held.length > 0 || this.#taking || this.#host.busy || !this.#canTake()) {
      this.#hold(message);
      if (this.#host.busy) this.#host.later(this);
      return;
    }
    this.#takeGuarded(message, undefined);
    if (this.#held.length > 0) this.run();
  }

  /** The client has shown that it is there, if only by reading what it was sent. */
  heard(): void {
    if (this.#session !== undefined) this.#host.touch(this.#session);
  }

  /** The connection is gone. */
  closed(): void {
    if (this.#phase === 'closed') return;
    this.#host.counts.connectionsDropped++;
    this.#end();
  }

  #end(): void {
    this.#phase = 'closed';
    this.#dropHeld();
    while (this.#pending.length > 0) this.#shiftPending();
    this.#host.onPortClosed(this);
  }

  // From the server

  /** Takes what can be taken of what is held. */
  run(): void {
    if (this.#taking) return;
    while (this.#held.length > 0 && this.#canTake()) {
      const { message, bytes, sinceMs } = this.#held.shift() as Held;
      this.#heldBytes -= bytes;
      this.#takeGuarded(message, sinceMs);
    }
    if (this.#paused && this.#held.length === 0 && !this.isClosed) {
      this.#paused = false;
      this.#host.onPaused(this, false);
      this.#link.resume?.();
    }
  }

  /** The client has its session. */
  joined(session: ConnectedSession): void {
    assert(this.#phase === 'joining', 'a client joins once');
    this.#phase = 'open';
    this.#session = session;
    const { id, timeOut, standing } = session;
    this.#traffic.sent();
    this.#link.send(connectResponse({ timeOut, sessionId: id, passwd: sessionPassword(id), readOnly: standing === 'READ_ONLY' }));
    if (this.#held.length > 0) this.#host.later(this);
  }

  /** The session is gone, or the password is not its own: the client is told so. */
  refuse(): void {
    if (this.#phase === 'closed') return;
    this.#traffic.sent();
    this.#link.send(connectResponse({ timeOut: 0, sessionId: 0n, passwd: new Uint8Array(SESSION_PASSWORD_BYTES), readOnly: false }));
    this.close();
  }

  /** Begins again with the handshake, which has not led to a session yet. */
  rejoin(connect: ConnectRequest): void {
    assert(this.#phase === 'joining', 'only a handshake under way begins again');
    this.#host.join(this, connect);
  }

  /** A watch has fired. */
  sendEvent(event: EventMessage): void {
    if (this.#phase === 'closed') return;
    this.#traffic.sent();
    this.#link.send(event);
  }

  /** The txn of a write is applied: it is answered, and so are the reads behind it. */
  finish(pending: PendingRequest, zxid: Zxid, err: number, response: Response | undefined): void {
    if (this.#phase === 'closed') return;
    const first = this.#shiftPending();
    assert(first === pending && pending.waiting, 'a txn answers the oldest request that waits');
    pending.waiting = false;
    this.#reply(pending, zxid, err, response);
    this.#answerReady();
    if (this.#held.length > 0) this.#host.later(this);
  }

  /** A sync is done. Its turn comes when the writes before it are answered, which a sync that was quick has overtaken. */
  synced(pending: PendingRequest): void {
    if (this.#phase === 'closed') return;
    assert(pending.waiting, 'a sync is done once');
    pending.waiting = false;
    this.#answerReady();
    if (this.#held.length > 0) this.#host.later(this);
  }

  /** Ends the connection; what was not answered has an outcome that the client does not know. */
  close(): void {
    if (this.#phase === 'closed') return;
    this.#end();
    this.#link.close();
  }

  // Taking messages

  #canTake(): boolean {
    if (!this.#host.serving) return false;
    if (this.#phase === 'fresh') return true;
    if (this.#phase !== 'open' || this.#synchronizing) return false;
    return this.#pending.length === 0 || (this.#pendingBytes < PENDING_BYTES_MAX && this.#host.load.hasRoom);
  }

  /** Takes one message; a bug that shows in it stops the server, and is no affair of the link's. */
  #takeGuarded(message: ClientMessage, sinceMs: number | undefined): void {
    this.#taking = true;
    this.#takenSinceMs = sinceMs;
    try {
      this.#take(message);
    } catch (error) {
      this.#host.fail(error as Error);
    } finally {
      this.#taking = false;
    }
  }

  #take(message: ClientMessage): void {
    if (this.#phase === 'fresh') {
      // Whoever does not begin with a handshake is not a client.
      if (message.kind !== 'connect' || !this.#host.admits(message)) return this.close();
      this.#phase = 'joining';
      this.#host.join(this, message);
      return;
    }
    assert(this.#phase === 'open', 'a request is taken on an open connection');
    switch (message.kind) {
      case 'connect':
        this.close();
        return;
      case 'malformed':
        // After an unknown opcode the client is one that this server does not understand; a body that cannot be read harms only itself. But
        // whoever has tried to prove something and failed must not go on as somebody else than it believes to be.
        if (message.error.code === 'UNKNOWN_OPCODE') this.#leave(message.xid, ErrorCode.UNIMPLEMENTED);
        else if (message.type === OpCode.auth) this.#leaveUnproved(message.xid);
        else this.#enqueue(this.#pendingError(message.xid, ErrorCode.MARSHALLING_ERROR));
        return;
      default:
        if (this.#waitedMs > this.#host.load.waitMsMax && mayBeThrottled(message.request)) this.#throttle(message.xid);
        else this.#takeRequest(message.xid, message.request);
    }
  }

  #takeRequest(xid: number, request: Request): void {
    if (this.#openSession.standing !== 'ENSEMBLE' && this.#takeApart(xid, request)) return;
    if (isWrite(request)) {
      const pending = this.#pendingRequest(xid, request, true);
      if (!this.#mayPush(pending)) return this.close();
      if (request.type === OpCode.closeSession) this.#phase = 'leaving';
      this.#host.forward(this.#openSession, pending);
      return;
    }
    switch (request.type) {
      case OpCode.sync:
        this.#takeSync(xid, request);
        return;
      case OpCode.auth: {
        const ids = this.#host.authenticate(this.#authIds, request.scheme, request.auth);
        if (ids === undefined) return this.#leaveUnproved(xid);
        // It holds for what comes after it, also for a write that overtakes its reply on the way to the leader.
        this.#authIds = ids;
        this.#enqueue(this.#pendingError(xid, ErrorCode.OK));
        return;
      }
      case OpCode.check:
        // Legal within a multi only (ZOOKEEPER-2623).
        this.#enqueue(this.#pendingError(xid, ErrorCode.UNIMPLEMENTED));
        return;
      default:
        this.#enqueue(this.#pendingRequest(xid, request, false));
    }
  }

  /** What this server alone answers to a session that is not simply the ensemble's: its end, and what cannot be done without the ensemble. False where that is not so. */
  #takeApart(xid: number, request: Request): boolean {
    const session = this.#openSession;
    const ends = request.type === OpCode.closeSession;
    if (ends && this.#host.endSession(session)) {
      this.#leave(xid, ErrorCode.OK);
      return true;
    }
    if (session.standing !== 'READ_ONLY' || !needsEnsemble(request)) return false;
    if (ends) this.#leave(xid, ErrorCode.NOT_READ_ONLY);
    else this.#enqueue(this.#pendingError(xid, ErrorCode.NOT_READ_ONLY));
    return true;
  }

  #takeSync(xid: number, request: SyncRequest): void {
    const pending = this.#pendingRequest(xid, request, true);
    this.#push(pending, bytesOf(pending));
    this.#synchronizing = true;
    this.#host.sync(pending);
  }

  /** Answers `err` when its turn has come and ends the connection then; nothing more is taken. */
  #leave(xid: number, err: number): void {
    this.#phase = 'leaving';
    this.#enqueue(this.#pendingError(xid, err));
  }

  #leaveUnproved(xid: number): void {
    this.#host.counts.authFailures++;
    this.#leave(xid, ErrorCode.AUTH_FAILED);
  }

  #throttle(xid: number): void {
    this.#host.counts.requestsThrottled++;
    this.#enqueue(this.#pendingError(xid, ErrorCode.THROTTLED_OP));
  }

  #enqueue(pending: PendingRequest): void {
    if (this.#pending.length === 0) this.#answer(pending);
    else if (!this.#mayPush(pending)) return this.close();
    this.#closeWhenDone();
  }

  /** Answers everything up to the next request that waits. */
  #answerReady(): void {
    for (let next = this.#pending.peek(); next !== undefined && !next.waiting; next = this.#pending.peek()) {
      this.#shiftPending();
      this.#answer(next);
    }
    this.#closeWhenDone();
  }

  #answer(pending: PendingRequest): void {
    if (pending.request === undefined) {
      this.#reply(pending, this.#host.lastZxid, pending.err, undefined);
      return;
    }
    if (pending.request.type === OpCode.sync) this.#synchronizing = false;
    const { err, response } = this.#host.answer(pending, pending.request);
    this.#reply(pending, this.#host.lastZxid, err, response);
  }

  #reply(pending: PendingRequest, zxid: Zxid, err: number, response: Response | undefined): void {
    if (this.#phase === 'closed') return;
    const { xid, sinceMs, request } = pending;
    const latencyMs = sinceMs === undefined ? 0 : this.#host.nowMs() - sinceMs;
    this.#traffic.replied(pending, zxid, latencyMs);
    if (request !== undefined) this.#host.counts[isWrite(request) ? 'updates' : 'reads'].add(latencyMs);
    this.#link.send({ kind: 'reply', xid, zxid, err, response: err === ErrorCode.OK ? response : undefined });
  }

  #closeWhenDone(): void {
    if (this.#phase === 'leaving' && this.#pending.length === 0) this.close();
  }

  #pendingRequest(xid: number, request: Request, waiting: boolean): PendingRequest {
    return { port: this, xid, request, bytes: 0, sinceMs: this.#takenSinceMs, authIds: this.#authIds, err: ErrorCode.OK, waiting };
  }

  #pendingError(xid: number, err: number): PendingRequest {
    return { port: this, xid, request: undefined, bytes: 0, sinceMs: this.#takenSinceMs, authIds: this.#authIds, err, waiting: false };
  }

  /** Keeps a request until its turn comes; false where that would be too much of large ones. */
  #mayPush(pending: PendingRequest): boolean {
    const bytes = bytesOf(pending);
    if (!this.#host.load.bears(bytes)) {
      this.#host.counts.largeRequestsRejected++;
      return false;
    }
    this.#push(pending, bytes);
    return true;
  }

  #push(pending: PendingRequest, bytes: number): void {
    pending.bytes = bytes;
    pending.sinceMs ??= this.#host.nowMs();
    this.#pending.push(pending);
    this.#pendingBytes += bytes;
    this.#host.load.begin(bytes);
  }

  #shiftPending(): PendingRequest | undefined {
    const pending = this.#pending.shift();
    if (pending === undefined) return undefined;
    this.#pendingBytes -= pending.bytes;
    this.#host.load.end(pending.bytes);
    return pending;
  }

  /** How long the message that is being taken has waited here. */
  get #waitedMs(): number {
    return this.#takenSinceMs === undefined ? 0 : this.#host.nowMs() - this.#takenSinceMs;
  }

  get #openSession(): ConnectedSession {
    assert(this.#session !== undefined, 'an open connection has a session');
    return this.#session;
  }

  #hold(message: ClientMessage): void {
    const bytes = clientMessageBytes(message);
    if (this.#heldBytes + bytes > HELD_BYTES_MAX) return this.close();
    if (!this.#host.load.hasRoom) this.#host.counts.requestsHeldBack++;
    this.#held.push({ message, bytes, sinceMs: this.#host.nowMs() });
    this.#heldBytes += bytes;
    if (this.#paused || (this.#heldBytes < HELD_BYTES_BEFORE_PAUSE && !this.#host.load.isFull)) return;
    this.#paused = true;
    this.#host.onPaused(this, true);
    this.#link.pause?.();
  }

  #dropHeld(): void {
    this.#held.clear();
    this.#heldBytes = 0;
  }
}

function bytesOf({ request }: PendingRequest): number {
  return request === undefined ? MESSAGE_BYTES_MIN : requestBytes(request);
}

/** Not what ends or keeps a session or a connection, and not what a client cannot send once more. */
function mayBeThrottled({ type }: Request): boolean {
  switch (type) {
    case OpCode.ping:
    case OpCode.auth:
    case OpCode.setWatches:
    case OpCode.setWatches2:
    case OpCode.closeSession:
      return false;
    default:
      return true;
  }
}

/** What a server does not answer that has lost the ensemble (`ReadOnlyRequestProcessor`). */
function needsEnsemble(request: Request): boolean {
  return isWrite(request) || request.type === OpCode.sync || request.type === OpCode.check;
}

function connectResponse(answer: Omit<ConnectResponse, 'kind' | 'protocolVersion'>): ConnectResponse {
  return { kind: 'connected', protocolVersion: 0, ...answer };
}

function ipId(address: string): Id {
  return { scheme: 'ip', id: address };
}
