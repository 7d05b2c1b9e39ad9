import {
  type Acl,
  type ClientMessage,
  type ConnectResponse,
  CreateMode,
  type CreateRequest,
  ErrorCode,
  type EventMessage,
  encodeTxn,
  makeZxid,
  OPEN_ACL_UNSAFE,
  OpCode,
  type Request,
  type Response,
  type Stat,
  type Txn,
  type WatcherRequest,
  Xid,
  type Zxid,
} from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import { ClientChecker } from '../../src/check/client-checker.ts';
import type { Rules, WireConnection } from '../../src/check/client-history.ts';
import type { Identity } from '../../src/check/identities.ts';
import { Verdict } from '../../src/check/verdict.ts';
import { Witness } from '../../src/check/witness.ts';
import { Sometimes } from '../../src/simulation/sometimes.ts';

const SESSION = 0x1234n;
const LEADER = 1;

/** Plays clients and the log by hand: what is committed, sent and received, told to the checker as the simulator would. */
export class ClientScript {
  readonly verdict = new Verdict();
  readonly witness = new Witness({ version: 0, voters: [1, 2, 3] }, this.verdict);
  readonly checker: ClientChecker;
  nowMs = 0;
  #counter = 0;
  #xid = 0;

  constructor(rules: Rules = { localSessions: false, enforcesQuotas: false }) {
    this.checker = new ClientChecker({
      witness: this.witness,
      sometimes: new Sometimes(),
      rules,
      clockOf: () => this.nowMs,
    });
  }

  get property(): string | undefined {
    return this.verdict.violation?.property;
  }

  /** Of the newest entry of G. */
  get last(): Zxid {
    return makeZxid(1, this.#counter);
  }

  /** The next entry of G. */
  commit(txn: Txn, cxid = 0, session = SESSION, time = 1000): Zxid {
    const zxid = makeZxid(1, ++this.#counter);
    const header = { clientId: session, cxid, zxid, time, type: txn.type };
    const prev = this.witness.committed[this.witness.committed.length - 1];
    if (prev === undefined) throw new Error('G begins with the empty history');
    const entry = this.witness.propose({ proposer: LEADER, zxid, payload: encodeTxn(header, txn), prev, nowMs: this.nowMs });
    this.witness.commit(entry);
    this.checker.onCommitted(entry);
    return zxid;
  }

  /** A request that is sent and committed as `txn`. */
  ask(connection: WireConnection, request: Request, txn: Txn): Zxid {
    return this.commit(txn, this.send(connection, request));
  }

  /** The leader ends the session, because its client was silent for too long. */
  expire(): void {
    this.checker.onExpiring(SESSION, LEADER, 1);
  }

  /** A client with a session. */
  join(options: { readonly server?: Sid; readonly again?: boolean } = {}): WireConnection {
    if (options.again !== true) this.commit({ type: OpCode.createSession, timeOut: 400 });
    const connection = this.dial(options.server ?? 1, options.again === true ? SESSION : 0n);
    this.connected(connection);
    return connection;
  }

  dial(
    server: Sid,
    sessionId: bigint,
    { lastZxidSeen = 0 as Zxid, passwd = new Uint8Array(16), isForeign = false, readOnly = false } = {},
  ): WireConnection {
    const connection = this.checker.onDialled(1, server, isForeign);
    connection.serverEnd = { isOpen: true };
    const connect: ClientMessage = {
      ...{ kind: 'connect', protocolVersion: 0, lastZxidSeen, timeOut: 400, readOnly },
      sessionId,
      passwd,
    };
    this.checker.onSent(connection, connect);
    return connection;
  }

  /** A server that has applied all up to `lastZxid` answers; the client does not hear it yet. */
  answerHandshake(connection: WireConnection, timeOut: number, lastZxid: Zxid, readOnly = false): void {
    this.checker.onHandshakeAnswered(connection, connectResponse(timeOut, readOnly), lastZxid);
  }

  connected(connection: WireConnection, readOnly = false): void {
    this.checker.onReceived(connection, connectResponse(400, readOnly));
  }

  send(connection: WireConnection, request: Request, xid = ++this.#xid): number {
    this.checker.onSent(connection, { kind: 'request', xid, request });
    return xid;
  }

  reply(connection: WireConnection, xid: number, zxid: Zxid, answer: { readonly err?: number; readonly response?: Response } = {}): void {
    this.checker.onReceived(connection, { kind: 'reply', xid, zxid, err: answer.err ?? ErrorCode.OK, response: answer.response });
  }

  event(connection: WireConnection, type: number, path: string, zxid: Zxid): void {
    const event: EventMessage = { kind: 'event', type, state: 3, path, zxid };
    this.checker.onReceived(connection, event);
  }

  /** A create that is sent, committed and answered. */
  create(connection: WireConnection, path: string, ephemeral = false): Zxid {
    const xid = this.send(connection, createRequest(path, ephemeral ? CreateMode.EPHEMERAL : CreateMode.PERSISTENT));
    const zxid = this.commit(createTxn(path, 1, ephemeral), xid);
    this.reply(connection, xid, zxid, { response: { type: OpCode.create, path } });
    return zxid;
  }

  /** A read that leaves a watch, answered at `zxid`. */
  watch(connection: WireConnection, path: string, zxid: Zxid, stat: Stat): void {
    const xid = this.send(connection, { type: OpCode.exists, path, watch: true });
    this.reply(connection, xid, zxid, { response: { type: OpCode.exists, stat } });
  }

  /** A watch that stays, set at `zxid`. */
  addWatch(connection: WireConnection, path: string, mode: number, zxid: Zxid): void {
    this.reply(connection, this.send(connection, { type: OpCode.addWatch, path, mode }), zxid, { response: { type: OpCode.addWatch } });
  }

  /** A proof of who the client is, and its answer. */
  prove(connection: WireConnection, { auth }: Identity): void {
    this.claim(connection, auth);
    this.reply(connection, Xid.auth, this.last);
  }

  /** A proof whose answer has not come. */
  claim(connection: WireConnection, auth: Uint8Array, scheme = 'digest'): void {
    this.send(connection, { type: OpCode.auth, authType: 0, scheme, auth }, Xid.auth);
  }

  /** Watches that are asked for or taken back, answered at `zxid`. */
  watcher(
    connection: WireConnection,
    type: WatcherRequest['type'],
    path: string,
    watcherType: number,
    zxid: Zxid,
    err: number = ErrorCode.OK,
  ): void {
    this.reply(connection, this.send(connection, { type, path, watcherType }), zxid, { err });
  }

  /** An answer that shows all up to `zxid`, and nothing else. */
  show(connection: WireConnection, zxid: Zxid): void {
    this.reply(connection, this.send(connection, { type: OpCode.sync, path: '/' }), zxid);
  }
}

function connectResponse(timeOut: number, readOnly: boolean): ConnectResponse {
  return { kind: 'connected', protocolVersion: 0, timeOut, sessionId: SESSION, passwd: new Uint8Array(16), readOnly };
}

export function createRequest(path: string, flags: number = CreateMode.PERSISTENT, acl: readonly Acl[] = OPEN_ACL_UNSAFE): CreateRequest {
  return { type: OpCode.create, path, data: null, acl, flags };
}

export function createTxn(path: string, parentCVersion: number, ephemeral = false): Txn {
  return { type: OpCode.create, path, data: null, acl: OPEN_ACL_UNSAFE, ephemeral, parentCVersion };
}

/** The Stat of a znode that was created and left alone. */
export function freshStat(zxid: Zxid): Stat {
  return {
    ...{ czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: 1000, mtime: 1000, version: 0, cversion: 0, aversion: 0 },
    ...{ ephemeralOwner: 0n, dataLength: 0, numChildren: 0 },
  };
}
