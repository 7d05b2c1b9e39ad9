/** Servers that say what a test tells them to, and a trace of everything that a client does with them. */
import type { Clock } from '@quorate/ports';
import {
  type ClientMessage,
  ErrorCode,
  type EventMessage,
  EventType,
  KeeperState,
  OpCode,
  opCodeName,
  type RequestMessage,
  type Response,
  type Stat,
  Xid,
  type Zxid,
} from '@quorate/protocol';
import type { Connection, ConnectionHandler, Connector } from '../src/index.js';

export const zxid = (number: number): Zxid => number as Zxid;

export const someStat: Stat = {
  czxid: zxid(1),
  mzxid: zxid(1),
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0,
  pzxid: zxid(1),
};

export class FakeEnsemble implements Connector {
  readonly servers: number;
  readonly #clock: Clock;
  readonly connections: FakeConnection[] = [];
  /** What happened, a line each, with the virtual time. */
  readonly trace: string[] = [];

  constructor(clock: Clock, servers = 3) {
    this.#clock = clock;
    this.servers = servers;
  }

  connect(index: number, handler: ConnectionHandler): Connection {
    const connection = new FakeConnection(index, handler, (line) => this.log(line));
    this.connections.push(connection);
    this.log(`connect ${index}`);
    return connection;
  }

  log(line: string): void {
    this.trace.push(`${this.#clock.now()} ${line}`);
  }

  /** The lines since the last call. */
  take(): string[] {
    return this.trace.splice(0);
  }

  /** The newest connection. */
  get last(): FakeConnection {
    return this.connections.at(-1) as FakeConnection;
  }

  /** Lets the newest connection finish the handshake. */
  handshake(options: Parameters<FakeConnection['connected']>[0] = {}): FakeConnection {
    this.last.handler.onOpen();
    this.last.connected(options);
    return this.last;
  }
}

export class FakeConnection implements Connection {
  readonly index: number;
  readonly handler: ConnectionHandler;
  readonly sent: ClientMessage[] = [];
  readonly #log: (line: string) => void;
  closed = false;
  /** How many of the sent requests were answered. */
  #answered = 0;

  constructor(index: number, handler: ConnectionHandler, log: (line: string) => void) {
    this.index = index;
    this.handler = handler;
    this.#log = log;
  }

  send(message: ClientMessage): void {
    this.sent.push(message);
    this.#log(`send ${describe(message)}`);
  }

  close(): void {
    this.closed = true;
    this.#log('close');
  }

  connected({
    timeOut = 3000,
    sessionId = 0x77n,
    readOnly = false,
  }: {
    timeOut?: number;
    sessionId?: bigint;
    readOnly?: boolean;
  } = {}): void {
    this.handler.onMessage({
      kind: 'connected',
      protocolVersion: 0,
      timeOut,
      sessionId,
      passwd: new Uint8Array(16).fill(7),
      readOnly,
    });
  }

  /** Requests with an xid that counts, in order. */
  get requests(): RequestMessage[] {
    return this.sent.filter((message): message is RequestMessage => message.kind === 'request' && message.xid > 0);
  }

  get unanswered(): number {
    return this.requests.length - this.#answered;
  }

  /** Answers the oldest request that has no answer. */
  reply(at: number, response?: Response, err: number = ErrorCode.OK): void {
    const request = this.requests[this.#answered++] as RequestMessage;
    this.replyTo(request.xid, at, response, err);
  }

  replyTo(xid: number, at: number, response?: Response, err: number = ErrorCode.OK): void {
    this.handler.onMessage({ kind: 'reply', xid, zxid: zxid(at), err, response });
  }

  event(type: keyof typeof EventType, path: string, at: number): void {
    const message: EventMessage = { kind: 'event', type: EventType[type], state: KeeperState.syncConnected, path, zxid: zxid(at) };
    this.handler.onMessage(message);
  }

  /** The server ends the connection. */
  cut(): void {
    this.handler.onClose(new Error('cut'));
  }
}

const xidNames: Record<number, string> = { [Xid.ping]: 'ping', [Xid.auth]: 'auth', [Xid.setWatches]: 'setWatches' };

function describe(message: ClientMessage): string {
  switch (message.kind) {
    case 'connect':
      return `connect session=${message.sessionId} seen=${message.lastZxidSeen} timeout=${message.timeOut} password=${message.passwd[0]}${
        message.readOnly ? ' readOnly' : ''
      }`;
    case 'malformed':
      return 'malformed';
    default: {
      const { xid, request } = message;
      if (request.type === OpCode.setWatches || request.type === OpCode.setWatches2) {
        const { relativeZxid, dataWatches, existWatches, childWatches } = request;
        const line = `${opCodeName(request.type)} since=${relativeZxid} data=${dataWatches} exist=${existWatches} child=${childWatches}`;
        if (request.type === OpCode.setWatches) return line;
        return `${line} persistent=${request.persistentWatches} recursive=${request.persistentRecursiveWatches}`;
      }
      if (request.type === OpCode.addWatch) return `${xid} addWatch ${request.path} mode=${request.mode}`;
      if (request.type === OpCode.removeWatches) return `${xid} removeWatches ${request.path} type=${request.watcherType}`;
      const name = xidNames[xid] ?? `${xid} ${opCodeName(request.type)}`;
      return 'path' in request ? `${name} ${request.path}` : name;
    }
  }
}
