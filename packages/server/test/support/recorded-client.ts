import {
  type ClientMessage,
  type ConnectResponse,
  ErrorCode,
  NO_ZXID,
  OPEN_ACL_UNSAFE,
  OpCode,
  type ReplyMessage,
  type Request,
  type ServerMessage,
  type Zxid,
} from '@quorate/protocol';
import type { ClientLink, ClientPort } from '../../src/index.ts';

const encoder = new TextEncoder();

/** A client by hand: sends what it is told to, and keeps everything that comes. */
export class RecordedClient {
  readonly messages: ServerMessage[] = [];
  isClosed = false;
  #port: ClientPort | undefined;
  #xid = 0;
  /** Called inside `send`, as a link within the process might. */
  onMessage: ((message: ServerMessage) => void) | undefined;

  constructor(server: { accept(link: ClientLink): ClientPort }, link: Partial<ClientLink> = {}) {
    this.#port = server.accept({
      send: (message) => {
        this.messages.push(message);
        this.onMessage?.(message);
      },
      close: () => {
        this.isClosed = true;
      },
      ...link,
    });
  }

  connect(options: { sessionId?: bigint; passwd?: Uint8Array; timeOut?: number; lastZxidSeen?: Zxid; readOnly?: boolean } = {}): this {
    const { sessionId = 0n, passwd = new Uint8Array(16), timeOut = 10_000, lastZxidSeen = NO_ZXID, readOnly = false } = options;
    this.deliver({ kind: 'connect', protocolVersion: 0, lastZxidSeen, timeOut, sessionId, passwd, readOnly });
    return this;
  }

  deliver(message: ClientMessage): void {
    this.#port?.receive(message);
  }

  /** Sends a request; returns its xid. */
  send(request: Request, xid = ++this.#xid): number {
    this.deliver({ kind: 'request', xid, request });
    return xid;
  }

  create(path: string, { flags = 0, data = '', acl = OPEN_ACL_UNSAFE } = {}): number {
    return this.send({ type: OpCode.create, path, data: encoder.encode(data), acl, flags });
  }

  setData(path: string, data: string, version = -1): number {
    return this.send({ type: OpCode.setData, path, data: encoder.encode(data), version });
  }

  delete(path: string, version = -1): number {
    return this.send({ type: OpCode.delete, path, version });
  }

  exists(path: string, watch = false): number {
    return this.send({ type: OpCode.exists, path, watch });
  }

  getData(path: string, watch = false): number {
    return this.send({ type: OpCode.getData, path, watch });
  }

  /** The client goes away without a word. */
  drop(): void {
    this.#port?.closed();
  }

  get connected(): ConnectResponse | undefined {
    const first = this.messages[0];
    return first?.kind === 'connected' ? first : undefined;
  }

  get sessionId(): bigint {
    const { connected } = this;
    if (connected === undefined) throw new Error('the client has no session');
    return connected.sessionId;
  }

  get replies(): ReplyMessage[] {
    return this.messages.filter((message) => message.kind === 'reply');
  }

  reply(xid: number): ReplyMessage | undefined {
    return this.replies.find((message) => message.xid === xid);
  }

  /** The error of the answer by name, or undefined where there is none yet. */
  err(xid: number): string | undefined {
    const reply = this.reply(xid);
    return reply === undefined
      ? undefined
      : (Object.keys(ErrorCode) as (keyof typeof ErrorCode)[]).find((name) => ErrorCode[name] === reply.err);
  }

  get events(): string[] {
    return this.messages.filter((message) => message.kind === 'event').map((event) => `${event.type} ${event.path}`);
  }
}
