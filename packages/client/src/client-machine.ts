/**
 * The client of one session as a state machine (ZooKeeper: class `ClientCnxn`): callbacks only, no promise, no platform.
 *
 * Everything that it learns comes through a `Connector`, a `Clock` and a `Random`, so a run with virtual twins of these is the same
 * every time. Invariants:
 * - requests are sent and answered in the order in which they were submitted;
 * - a call that was sent and not answered fails with CONNECTION_LOSS when its connection ends, once; the machine does not send it again;
 * - a call that was not sent waits for the next connection;
 * - on a new connection the order is: authentication, watches, waiting calls (ZooKeeper: `SendThread.primeConnection`).
 *
 * Callbacks may call the machine again. None is called from inside `submit`, `addAuth` or `close`.
 */

import type { Clock, Timer } from '@quorate/ports';
import {
  type AddWatchMode,
  assert,
  type ConnectResponse,
  ErrorCode,
  type ErrorName,
  type EventMessage,
  OpCode,
  type ReplyMessage,
  type ServerMessage,
  unreachable,
  type WatcherRequest,
  Xid,
  type Zxid,
} from '@quorate/protocol';
import { type AuthCall, type AuthEntry, AuthList } from './auth-list.js';
import { type Call, CallQueue } from './call.js';
import { CALL_BYTES_MAX, CALLS_MAX, type ClientMachineOptions } from './client-machine-options.js';
import { ClientSession } from './client-session.js';
import type { ClientState, FinalState } from './client-state.js';
import { CloseCall } from './close-call.js';
import type { Connection, ConnectionHandler, Connector } from './connection.js';
import { Heartbeat } from './heartbeat.js';
import { Lease } from './lease.js';
import { LeaseCall } from './lease-call.js';
import { type Found, ReadWriteSearch } from './read-write-search.js';
import { ServerRotation } from './server-rotation.js';
import { surface } from './surface.js';
import type { Watcher } from './watch-registry.js';
import { WatchUpkeep } from './watch-upkeep.js';
import { nextXid } from './xid.js';

/** Where the machine stands with its one connection; `READY` is after the handshake. */
type Phase = 'NEW' | 'PAUSING' | 'OPENING' | 'READY' | 'ENDED';

export class ClientMachine {
  readonly #connector: Connector;
  readonly #clock: Clock;
  readonly #callsMax: number;
  readonly #callBytesMax: number;
  readonly #onState: ((state: ClientState) => void) | undefined;
  readonly #rotation: ServerRotation;
  readonly #heartbeat: Heartbeat;
  readonly #lease: Lease;
  readonly #search: ReadWriteSearch;
  readonly #canBeReadOnly: boolean;
  readonly #watches: WatchUpkeep;
  readonly #session: ClientSession;
  readonly #auths = new AuthList();

  #phase: Phase = 'NEW';
  #finalState: FinalState | undefined;
  #connection: Connection | undefined;
  /** Of the present connection; whatever an earlier one still reports is ignored. */
  #handler: ConnectionHandler | undefined;
  /** Ends the pause, or the attempt. */
  #timer: Timer | undefined;
  /** Ends the session on this side while no server is connected. */
  #expiryTimer: Timer | undefined;
  #readyAt = 0;
  /** When the handshake of the present connection was sent. */
  #handshakeAt = 0;

  /** How the last connection or attempt has ended; undefined while one serves. */
  #disconnectReason: Error | undefined;
  /** The server that is connected can only read. */
  #readOnly = false;
  #xid = 0;
  /** Submitted, not sent. */
  readonly #waiting = new CallQueue();
  /** Sent, not answered, in the order of sending. */
  #sent = new CallQueue();
  #closeCall: CloseCall | undefined;

  constructor(options: ClientMachineOptions) {
    this.#connector = options.connector;
    this.#clock = options.clock;
    this.#session = new ClientSession(options.sessionTimeoutMs, options.session);
    this.#callsMax = options.callsMax ?? CALLS_MAX;
    this.#callBytesMax = options.callBytesMax ?? CALL_BYTES_MAX;
    this.#onState = options.onState;
    this.#rotation = new ServerRotation(options.connector.servers, options.random, options.firstServer);
    this.#heartbeat = new Heartbeat(
      options.clock,
      (now) => this.#onIdle(now),
      () => this.#onLost(new Error('nothing was heard from the server for two thirds of the session timeout')),
    );
    this.#lease = new Lease({
      clock: options.clock,
      onDue: () => this.#askLeader(),
      onOver: () =>
        options.onLeaseOver?.(this.#finalState !== undefined || this.#closeCall !== undefined ? 'SESSION_EXPIRED' : 'CONNECTION_LOSS'),
    });
    this.#watches = new WatchUpkeep(options.clock, options.pathPrefixBytes);
    this.#canBeReadOnly = options.canBeReadOnly ?? false;
    this.#search = new ReadWriteSearch({
      connector: options.connector,
      clock: options.clock,
      random: options.random,
      rotation: this.#rotation,
      handshake: () => this.#session.handshake(false),
      onFound: (found) => this.#onFound(found),
    });
  }

  get state(): ClientState {
    if (this.#finalState !== undefined) return this.#finalState;
    if (this.#phase !== 'READY') return 'CONNECTING';
    return this.#readOnly ? 'CONNECTED_READ_ONLY' : 'CONNECTED';
  }

  /** `0n` before the first connection. One that has begun at a server that can only read gives way to another one at the first server that takes writes. */
  get sessionId(): bigint {
    return this.#session.id;
  }

  /** Of the session, 16 bytes; zeros before the first connection. Not to be written to. */
  get password(): Uint8Array {
    return this.#session.password;
  }

  /** As negotiated with the server; as asked for before the first connection. */
  get sessionTimeoutMs(): number {
    return this.#session.timeoutMs;
  }

  /** How the last connection or attempt has ended; undefined while a server is connected, and before. */
  get disconnectReason(): Error | undefined {
    return this.#disconnectReason;
  }

  /** The highest zxid that this client has seen. */
  get lastZxidSeen(): Zxid {
    return this.#session.lastZxidSeen;
  }

  /** How many calls wait or are unanswered. */
  get pending(): number {
    return this.#waiting.length + this.#sent.length;
  }

  /** Begins to connect. Called once. */
  start(): void {
    assert(this.#phase === 'NEW', 'a client starts once');
    this.#startExpiry();
    this.#connect();
  }

  /** From now on `onLeaseOver` tells when the lease of the session is over. Returns whether it is good. */
  keepLease(): boolean {
    return this.#lease.keep();
  }

  /** Sends the request now, or as soon as a server is connected. */
  submit(call: Call): void {
    assert(call.queue === undefined && call.xid === 0, 'a call is submitted once');
    if (this.#finalState !== undefined || this.#closeCall !== undefined) return this.#refuse(call, this.#refusal());
    if (!this.#hasRoomFor(call)) return this.#refuse(call, 'THROTTLED_OP');
    if (this.#phase === 'READY') this.#send(call);
    else this.#waiting.push(call);
  }

  #hasRoomFor({ bytes }: Call): boolean {
    if (this.pending >= this.#callsMax) return false;
    return this.pending === 0 || this.#waiting.bytes + this.#sent.bytes + bytes <= this.#callBytesMax;
  }

  /**
   * Authenticates this connection and every later one. The call is answered when a server has taken the credentials; where one
   * refuses them, the client ends in AUTH_FAILED.
   */
  addAuth(call: AuthCall): void {
    if (this.#finalState !== undefined || this.#closeCall !== undefined) return this.#refuse(call, this.#refusal());
    const entry = this.#auths.add(call);
    if (this.#phase === 'READY') this.#sendAuth(entry);
  }

  /**
   * The caller has lost interest: the call is not sent if it still can be held back, its watch is not registered, and it hears
   * nothing more where it was held back.
   *
   * @returns whether it was held back; otherwise its outcome is still to come.
   */
  withdraw(call: Call): boolean {
    call.watcher = undefined;
    if (call.request.type === OpCode.auth) return this.#auths.withdraw(call as AuthCall);
    if (call.queue !== this.#waiting) return false;
    this.#waiting.remove(call);
    return true;
  }

  /** Tells a watcher nothing more of a watch that stays. The server's watch is not its affair. */
  forget(path: string, mode: AddWatchMode, watcher: Watcher): void {
    this.#watches.forget(path, mode, watcher);
  }

  /** Takes back watches on this side alone, so that no other connection has them. Returns whether there were any. */
  drop(request: WatcherRequest): boolean {
    return this.#watches.drop(request, this.#session.lastZxidSeen);
  }

  /**
   * Ends the session on the server, after everything that was submitted before, and then the connection. Where no server is
   * connected the client ends at once, and the session is left to expire.
   *
   * @param done called when the client has ended, in whatever state.
   */
  close(done: () => void): void {
    if (this.#finalState !== undefined) return this.#clock.defer(done);
    if (this.#closeCall !== undefined) return void this.#closeCall.done.push(done);
    this.#closeCall = new CloseCall(() => this.#end('CLOSED'));
    this.#closeCall.done.push(done);
    this.#search.stop();
    // The ephemerals are gone before the answer is here.
    this.#lease.end();
    if (this.#phase === 'READY') this.#send(this.#closeCall);
    else this.#clock.defer(() => this.#end('CLOSED'));
  }

  /** Ends without a goodbye, as a crash would: the session is left to expire. */
  abandon(): void {
    this.#end('CLOSED');
  }

  // Connecting

  #connect(): void {
    this.#phase = 'OPENING';
    const handler = this.#newHandler();
    this.#handler = handler;
    this.#timer = this.#clock.setTimer(this.#attemptMs, () =>
      this.#onLost(new Error(`no session within ${Math.ceil(this.#attemptMs)} ms`)),
    );
    try {
      this.#connection = this.#connector.connect(this.#rotation.next(), handler);
    } catch (error) {
      // It is used wrongly, and would say so each time.
      this.#end('CLOSED');
      throw error;
    }
  }

  /** Of a connection that is the machine's for as long as this is its handler. */
  #newHandler(): ConnectionHandler {
    const handler: ConnectionHandler = {
      onOpen: () => {
        if (this.#handler !== handler) return;
        this.#handshakeAt = this.#clock.now();
        this.#connection?.send(this.#session.handshake(this.#canBeReadOnly));
      },
      onMessage: (message) => {
        this.#lease.look();
        if (this.#handler === handler) this.#onMessage(message);
      },
      onClose: (reason) => {
        this.#lease.look();
        if (this.#handler === handler) this.#onLost(reason ?? new Error('the server has ended the connection'));
      },
    };
    return handler;
  }

  /** All servers get their chance within one session timeout (ZooKeeper: connectTimeout). */
  get #attemptMs(): number {
    return this.#session.timeoutMs / this.#connector.servers;
  }

  #onConnected(message: ConnectResponse): void {
    if (message.timeOut <= 0) return this.#end('EXPIRED');
    assert(this.#phase === 'OPENING', 'a handshake ends once');
    // Such a server does not keep to what it was told.
    if (message.readOnly && !this.#canBeReadOnly) return this.#onLost(new Error('the server can only read'));
    this.#timer?.cancel();
    this.#expiryTimer?.cancel();
    this.#expiryTimer = undefined;
    this.#session.onConnected(message);
    this.#readOnly = message.readOnly;
    this.#disconnectReason = undefined;
    this.#phase = 'READY';
    this.#readyAt = this.#clock.now();
    this.#heartbeat.start(message.timeOut);
    if (!message.readOnly) this.#lease.connected(message.timeOut, this.#handshakeAt);
    for (const entry of this.#auths.restart()) this.#sendAuth(entry);
    for (const request of this.#watches.rearm()) this.#connection?.send({ kind: 'request', xid: Xid.setWatches, request });
    for (let call = this.#waiting.shift(); call !== undefined; call = this.#waiting.shift()) this.#send(call);
    if (message.readOnly) this.#search.start(this.#attemptMs);
    this.#report();
  }

  /** While a server is connected that can only read, another one has answered. */
  #onFound({ connection, response, lastZxidSeen, sentAt, handTo }: Found): void {
    // The server that only reads has shown more since then: the other one may be behind that, and has to be asked again.
    if (response.timeOut > 0 && this.#session.lastZxidSeen > lastZxidSeen) {
      connection.close();
      return this.#onLost(new Error('another server that takes writes may be behind what was read'));
    }
    const lost = this.#sent;
    this.#sent = new CallQueue();
    this.#disconnect();
    this.#connection = connection;
    this.#handler = this.#newHandler();
    handTo(this.#handler);
    this.#phase = 'OPENING';
    this.#handshakeAt = sentAt;
    this.#onConnected(response);
    fail(lost, 'CONNECTION_LOSS', new Error('the client has gone on to a server that takes writes'));
  }

  /** The connection is over, whoever ended it; another one is due. */
  #onLost(reason: Error): void {
    this.#disconnectReason = reason;
    const wasReady = this.#phase === 'READY';
    if (wasReady && this.#closeCall !== undefined) return this.#end('CLOSED');
    this.#disconnect();
    this.#rotation.ended(wasReady ? this.#clock.now() - this.#readyAt : 0);
    if (wasReady) this.#startExpiry();
    const pauseMs = this.#rotation.pauseMs();
    if (pauseMs === 0) {
      this.#connect();
    } else {
      this.#phase = 'PAUSING';
      this.#timer = this.#clock.setTimer(pauseMs, () => this.#connect());
    }
    if (!wasReady) return;
    const lost = this.#sent;
    this.#sent = new CallQueue();
    this.#report();
    fail(lost, 'CONNECTION_LOSS', reason);
  }

  #disconnect(): void {
    const connection = this.#connection;
    this.#handler = undefined;
    this.#connection = undefined;
    this.#timer?.cancel();
    this.#search.stop();
    this.#heartbeat.stop();
    this.#lease.disconnected();
    connection?.close();
  }

  /**
   * A third more than the timeout: by then an ensemble that serves has expired the session (ZOOKEEPER-4508). Counted from the loss and not
   * from the last word of a server, so that a process which stood still asks a server before it gives up.
   */
  #startExpiry(): void {
    if (!this.#session.isShared) return;
    this.#expiryTimer = this.#clock.setTimer((this.#session.timeoutMs * 4) / 3, () => this.#end('EXPIRED'));
  }

  // Talking

  #send(call: Call): void {
    this.#xid = call.xid = nextXid(this.#xid);
    this.#sent.push(call);
    this.#lease.sent(call.xid, this.#heartbeat.sent());
    this.#connection?.send({ kind: 'request', xid: call.xid, request: call.request });
  }

  #onIdle(now: number): void {
    if (this.#lease.idle()) return;
    this.#lease.sent(Xid.ping, now);
    this.#connection?.send(pingMessage);
  }

  #askLeader(): void {
    const now = this.#clock.now();
    this.#send(new LeaseCall());
    this.#lease.mark(this.#xid, now);
  }

  #sendAuth(entry: AuthEntry): void {
    this.#auths.sent(entry);
    this.#heartbeat.sent();
    this.#connection?.send({ kind: 'request', xid: Xid.auth, request: entry.request });
  }

  #onMessage(message: ServerMessage): void {
    this.#heartbeat.heard();
    if (message.kind === 'connected') return this.#phase === 'OPENING' ? this.#onConnected(message) : this.#onLost(notTheProtocol());
    // Before the handshake a server has nothing else to say: it does not speak the protocol.
    if (this.#phase !== 'READY') return this.#onLost(notTheProtocol());
    switch (message.kind) {
      case 'reply':
        return this.#onReply(message);
      case 'event':
        return this.#onEvent(message);
      default:
        return unreachable(message);
    }
  }

  #onReply(reply: ReplyMessage): void {
    switch (reply.xid) {
      case Xid.ping:
        return this.#lease.answered(Xid.ping, reply.err);
      case Xid.auth:
        return this.#onAuthReply(reply);
      case Xid.setWatches:
        // The next connection tries again.
        if (!this.#watches.onRearmed(reply)) this.#onLost(new Error('the server has not set the watches again'));
        return;
      default:
        break;
    }
    const call = this.#sent.first;
    // Whose answer this is cannot be told, so none of the unanswered calls can be believed to have one.
    if (call === undefined || call.xid !== reply.xid) return this.#onLost(notTheProtocol());
    this.#sent.remove(call);
    this.#lease.answered(call.xid, reply.err);
    this.#session.onSeen(reply.zxid);
    this.#watches.onReply(call, reply);
    call.onReply(reply);
  }

  #onAuthReply(reply: ReplyMessage): void {
    if (reply.err !== ErrorCode.OK) return this.#end('AUTH_FAILED');
    for (const call of this.#auths.answered()) call.onReply(reply);
  }

  #onEvent(message: EventMessage): void {
    this.#session.onSeen(message.zxid);
    this.#watches.onEvent(message);
  }

  // Ending

  #end(state: FinalState): void {
    if (this.#finalState !== undefined) return;
    this.#phase = 'ENDED';
    this.#finalState = state;
    this.#disconnect();
    this.#expiryTimer?.cancel();
    this.#lease.end();
    this.#watches.clear();
    const closeCall = this.#closeCall;
    if (closeCall?.queue !== undefined) closeCall.queue.remove(closeCall);
    this.#report();
    fail(this.#sent, 'CONNECTION_LOSS');
    fail(this.#waiting, this.#refusal());
    for (const call of this.#auths.clear()) call.onFailure(this.#refusal());
    for (const done of closeCall?.done ?? []) done();
  }

  #refusal(): ErrorName {
    // A closed client has no session any more, which is what ZooKeeper answers too (`ClientCnxn.conLossPacket`).
    return this.#finalState === 'AUTH_FAILED' ? 'AUTH_FAILED' : 'SESSION_EXPIRED';
  }

  #refuse(call: Call, code: ErrorName): void {
    this.#clock.defer(() => call.onFailure(code));
  }

  #report(): void {
    if (this.#onState !== undefined) surface(this.#clock, this.#onState, this.state);
  }
}

const pingMessage = { kind: 'request', xid: Xid.ping, request: { type: OpCode.ping } } as const;

function fail(calls: CallQueue, code: ErrorName, reason?: Error): void {
  for (let call = calls.shift(); call !== undefined; call = calls.shift()) call.onFailure(code, reason);
}

function notTheProtocol(): Error {
  return new Error('the server does not keep to the protocol');
}
