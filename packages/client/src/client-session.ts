/** What a client knows of its session, and brings along from server to server (ZooKeeper: the fields of `ClientCnxn` that `primeConnection` sends). */
import { type ConnectRequest, type ConnectResponse, NO_ZXID, type Zxid } from '@quorate/protocol';

/** What proves to a server that a session is one's own. */
export interface SessionIdentity {
  readonly id: bigint;
  readonly password: Uint8Array;
}

const NO_PASSWORD: Uint8Array = new Uint8Array(16);

export class ClientSession {
  readonly #requestedTimeoutMs: number;
  /** `0n` before the first connection. */
  id = 0n;
  password = NO_PASSWORD;
  /** As negotiated; as asked for before the first connection. */
  timeoutMs: number;
  /** Whether servers know it that take writes (ZooKeeper: `seenRwServerBefore`). One that has begun at a server that only reads is known there alone. */
  isShared = false;
  /** The highest zxid seen, events included: a server that is behind it must not answer this client. */
  lastZxidSeen: Zxid = NO_ZXID;

  constructor(timeoutMs: number, identity: SessionIdentity | undefined) {
    this.#requestedTimeoutMs = timeoutMs;
    this.timeoutMs = timeoutMs;
    if (identity === undefined) return;
    this.id = identity.id;
    this.password = identity.password;
    this.isShared = identity.id !== 0n;
  }

  /** What opens a connection: the session again, or a new one where no server that takes writes knows it. */
  handshake(readOnly: boolean): ConnectRequest {
    return {
      kind: 'connect',
      protocolVersion: 0,
      lastZxidSeen: this.lastZxidSeen,
      timeOut: this.#requestedTimeoutMs,
      sessionId: this.isShared ? this.id : 0n,
      passwd: this.isShared ? this.password : NO_PASSWORD,
      readOnly,
    };
  }

  onConnected({ sessionId, passwd, timeOut, readOnly }: ConnectResponse): void {
    this.id = sessionId;
    this.password = passwd;
    this.timeoutMs = timeOut;
    if (!readOnly) this.isShared = true;
  }

  onSeen(zxid: Zxid): void {
    if (zxid > this.lastZxidSeen) this.lastZxidSeen = zxid;
  }
}
