/**
 * ZooKeeper in one object, in the place of Apache's: what a client sends goes in, what it must get comes out at once. It follows the column "Quorate" of
 * docs/compatibility.md, so nothing that differs from it is explained by a row there.
 *
 * It shares with the servers the records and their bytes alone. There is one tree, an array of watches that is searched from end to end, and no replication, so that what is
 * right about it can be seen; and no speed.
 */

import {
  type Acl,
  type ClientMessage,
  type ConnectRequest,
  ErrorCode,
  EventType,
  type Id,
  KeeperState,
  OpCode,
  type ReadRequest,
  type Request,
  type Response,
  type ServerMessage,
  type SetWatches2Request,
  type SetWatchesRequest,
  type WatcherRequest,
  type Zxid,
} from '@quorate/protocol';
import type { Clock, Timer, VirtualClock } from 'quorate';
import { DumbModel, type ModelChange, may } from '../../packages/server/test/support/dumb-model.ts';
import type { Started } from './ours.ts';
import { digestOf, SESSION_TIMEOUT_MAX_MS, SESSION_TIMEOUT_MIN_MS, SUPER_DIGEST } from './settings.ts';
import { type Accept, inProcessWay, type Way } from './way.ts';

const READ = 1;
const ADMIN = 16;

type Kind = 'data' | 'child' | 'persistent' | 'recursive';

interface Port {
  send(message: ServerMessage): void;
  close(): void;
  open: boolean;
  session: Session | undefined;
  /** What it has proved. */
  ids: Id[];
}

interface Session {
  readonly id: bigint;
  readonly password: Uint8Array;
  timeOut: number;
  port: Port | undefined;
  /** Ends the session, while it has no connection. */
  timer: Timer | undefined;
}

interface Watch {
  readonly kind: Kind;
  readonly path: string;
  readonly port: Port;
}

class Model {
  readonly #clock: Clock;
  readonly #tree = new DumbModel({ enforcesQuotas: true });
  readonly #sessions = new Map<bigint, Session>();
  #watches: Watch[] = [];
  #zxid = 0;
  #nextSession = 1n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly accept: Accept = (link) => {
    const address = link.address === undefined ? [] : [{ scheme: 'ip', id: link.address }];
    const port: Port = { send: (message) => link.send(message), close: () => link.close(), open: true, session: undefined, ids: address };
    return { receive: (message) => this.#receive(port, message), heard() {}, closed: () => this.#gone(port) };
  };

  #receive(port: Port, message: ClientMessage): void {
    if (!port.open) return;
    if (port.session === undefined) {
      if (message.kind === 'connect') this.#connect(port, message);
      else this.#end(port);
    } else if (message.kind === 'request') {
      this.#answer(port, port.session, message.xid, message.request);
    } else if (message.kind === 'connect') {
      this.#end(port);
    } else if (message.error.code === 'UNKNOWN_OPCODE' || message.type === OpCode.auth) {
      this.#reply(port, message.xid, message.type === OpCode.auth ? ErrorCode.AUTH_FAILED : ErrorCode.UNIMPLEMENTED);
      this.#end(port);
    } else {
      this.#reply(port, message.xid, ErrorCode.MARSHALLING_ERROR);
    }
  }

  // Sessions

  #connect(port: Port, { lastZxidSeen, sessionId, passwd, timeOut }: ConnectRequest): void {
    if (lastZxidSeen > this.#zxid) return this.#end(port);
    const session = sessionId === 0n ? this.#newSession() : this.#sessions.get(sessionId);
    if (session === undefined || (sessionId !== 0n && passwd.some((byte, i) => byte !== session.password[i]))) {
      port.send({ kind: 'connected', protocolVersion: 0, timeOut: 0, sessionId: 0n, passwd: new Uint8Array(16), readOnly: false });
      return this.#end(port);
    }
    if (session.port !== undefined) this.#end(session.port);
    session.timer?.cancel();
    session.port = port;
    session.timeOut = Math.min(Math.max(timeOut, SESSION_TIMEOUT_MIN_MS), SESSION_TIMEOUT_MAX_MS);
    port.session = session;
    const { id, password } = session;
    port.send({ kind: 'connected', protocolVersion: 0, timeOut: session.timeOut, sessionId: id, passwd: password, readOnly: false });
  }

  #newSession(): Session {
    this.#zxid++;
    const id = this.#nextSession++;
    const session: Session = { id, password: new Uint8Array(16).fill(Number(id & 0xffn)), timeOut: 0, port: undefined, timer: undefined };
    this.#sessions.set(id, session);
    return session;
  }

  #endSession(session: Session): void {
    this.#sessions.delete(session.id);
    this.#tree.closeSession(session.id, ++this.#zxid);
    this.#fireAll();
  }

  #end(port: Port): void {
    port.close();
    this.#gone(port);
  }

  #gone(port: Port): void {
    port.open = false;
    this.#watches = this.#watches.filter((watch) => watch.port !== port);
    const { session } = port;
    if (session?.port !== port) return;
    session.port = undefined;
    if (this.#sessions.has(session.id)) session.timer = this.#clock.setTimer(session.timeOut, () => this.#endSession(session));
  }

  // Requests

  #answer(port: Port, session: Session, xid: number, request: Request): void {
    const reply = (err: number, response?: Response): void => this.#reply(port, xid, err, response);
    switch (request.type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
      case OpCode.delete:
      case OpCode.setData:
      case OpCode.setACL:
      case OpCode.multi:
      case OpCode.reconfig: {
        const caller = { zxid: ++this.#zxid, time: this.#clock.wallNow(), session: session.id, ids: port.ids };
        const { err, response } = this.#tree.write(request, caller);
        this.#fireAll();
        return reply(err, response as Response | undefined);
      }
      case OpCode.closeSession:
        this.#endSession(session);
        reply(ErrorCode.OK);
        return this.#end(port);
      case OpCode.auth: {
        const isProved = this.#prove(port, request.scheme, new TextDecoder().decode(request.auth));
        reply(isProved ? ErrorCode.OK : ErrorCode.AUTH_FAILED);
        return isProved ? undefined : this.#end(port);
      }
      case OpCode.check:
        return reply(ErrorCode.UNIMPLEMENTED);
      case OpCode.exists:
      case OpCode.getData:
      case OpCode.getChildren:
      case OpCode.getChildren2: {
        const read = this.#read(port, request);
        if (request.watch && (read.err === ErrorCode.OK || (request.type === OpCode.exists && read.err === ErrorCode.NO_NODE)))
          this.#watch(port, request.type === OpCode.exists || request.type === OpCode.getData ? 'data' : 'child', request.path);
        return reply(read.err, read.response);
      }
      case OpCode.multiRead: {
        const results = request.ops.map((op) => {
          const { err, response } = this.#read(port, op);
          return response ?? { type: OpCode.error, err };
        });
        return reply(ErrorCode.OK, { type: request.type, results } as Response);
      }
      case OpCode.getACL: {
        const acl = this.#tree.nodes.get(request.path)?.acl;
        if (acl === undefined) return reply(ErrorCode.NO_NODE);
        if (!may(acl, READ | ADMIN, port.ids)) return reply(ErrorCode.NO_AUTH);
        const shown = may(acl, ADMIN, port.ids) ? acl : acl.map((entry) => ({ ...entry, id: withoutSecret(entry.id, ':x') }));
        return reply(ErrorCode.OK, { type: request.type, acl: shown, stat: this.#tree.stat(request.path) });
      }
      case OpCode.getAllChildrenNumber: {
        const acl = this.#tree.nodes.get(request.path)?.acl;
        if (acl === undefined) return reply(ErrorCode.NO_NODE);
        if (!may(acl, READ, port.ids)) return reply(ErrorCode.NO_AUTH);
        return reply(ErrorCode.OK, { type: request.type, totalNumber: this.#tree.below(request.path).length });
      }
      case OpCode.getEphemerals: {
        const own = [...this.#tree.nodes].filter(([path, { owner }]) => owner === session.id && path.startsWith(request.prefixPath));
        return reply(ErrorCode.OK, { type: request.type, ephemerals: own.map(([path]) => path) });
      }
      case OpCode.whoAmI:
        return reply(ErrorCode.OK, { type: request.type, clientInfo: port.ids.map((id) => withoutSecret(id, '')) });
      case OpCode.setWatches:
      case OpCode.setWatches2:
        this.#setWatches(port, request);
        return reply(ErrorCode.OK);
      case OpCode.addWatch:
        if (request.mode !== 0 && request.mode !== 1) return reply(ErrorCode.MARSHALLING_ERROR);
        this.#watch(port, request.mode === 0 ? 'persistent' : 'recursive', request.path);
        return reply(ErrorCode.OK, { type: request.type });
      case OpCode.checkWatches:
      case OpCode.removeWatches:
        return reply(this.#watcherAnswer(port, request));
      case OpCode.sync:
        return reply(ErrorCode.OK, { type: request.type, path: request.path });
      case OpCode.ping:
        return reply(ErrorCode.OK);
    }
  }

  #reply(port: Port, xid: number, err: number, response?: Response): void {
    port.send({ kind: 'reply', xid, zxid: this.#zxid as Zxid, err, response });
  }

  #read(port: Port, { type, path }: Pick<ReadRequest, 'type' | 'path'>): { readonly err: number; readonly response?: Response } {
    if (type === OpCode.exists && path.includes('\0')) return { err: ErrorCode.BAD_ARGUMENTS };
    const node = this.#tree.nodes.get(path);
    if (node === undefined) return { err: ErrorCode.NO_NODE };
    if (!may(node.acl, READ, port.ids)) return { err: ErrorCode.NO_AUTH };
    const stat = this.#tree.stat(path);
    if (type === OpCode.exists) return { err: 0, response: { type, stat } };
    if (type === OpCode.getData) return { err: 0, response: { type, data: node.data, stat } };
    const children = this.#tree.children(path).map((child) => child.slice(child.lastIndexOf('/') + 1));
    return { err: 0, response: type === OpCode.getChildren ? { type, children } : { type, children, stat } };
  }

  #prove(port: Port, scheme: string, proof: string): boolean {
    if (scheme === 'ip') return port.ids.some((own) => own.scheme === 'ip');
    if (scheme !== 'digest') return false;
    const id = digestOf(proof);
    const added = id === SUPER_DIGEST ? [{ scheme: 'super', id: '' }] : [];
    for (const one of [...added, { scheme, id }])
      if (!port.ids.some((own) => own.scheme === one.scheme && own.id === one.id)) port.ids = [...port.ids, one];
    return true;
  }

  // Watches

  #watch(port: Port, kind: Kind, path: string): void {
    if (!this.#watches.some((watch) => watch.port === port && watch.kind === kind && watch.path === path))
      this.#watches.push({ kind, path, port });
  }

  #watcherAnswer(port: Port, { type, path, watcherType }: WatcherRequest): number {
    const meant: Readonly<Record<number, readonly Kind[]>> = {
      1: ['child'],
      2: ['data'],
      3: ['data', 'child', 'persistent', 'recursive'],
      4: ['persistent'],
      5: ['recursive'],
    };
    const kinds = meant[watcherType];
    if (kinds === undefined) return ErrorCode.MARSHALLING_ERROR;
    const found = this.#watches.filter((watch) => watch.port === port && watch.path === path && kinds.includes(watch.kind));
    if (type === OpCode.removeWatches) this.#watches = this.#watches.filter((watch) => !found.includes(watch));
    return found.length > 0 ? ErrorCode.OK : ErrorCode.NO_WATCHER;
  }

  #setWatches(port: Port, request: SetWatchesRequest | SetWatches2Request): void {
    const { relativeZxid: seen } = request;
    const find = (path: string) => this.#tree.nodes.get(path);
    for (const path of request.dataWatches) {
      const node = find(path);
      if (node === undefined) this.#tell(port, EventType.nodeDeleted, path, this.#zxid);
      else if (node.mzxid <= seen) this.#watch(port, 'data', path);
      else if (may(node.acl, READ, port.ids)) this.#tell(port, EventType.nodeDataChanged, path, node.mzxid);
    }
    for (const path of request.existWatches) {
      const node = find(path);
      if (node === undefined) this.#watch(port, 'data', path);
      else if (may(node.acl, READ, port.ids)) this.#tell(port, EventType.nodeCreated, path, node.czxid);
    }
    for (const path of request.childWatches) {
      const node = find(path);
      if (node === undefined) this.#tell(port, EventType.nodeDeleted, path, this.#zxid);
      else if (node.pzxid <= seen) this.#watch(port, 'child', path);
      else if (may(node.acl, READ, port.ids)) this.#tell(port, EventType.nodeChildrenChanged, path, node.pzxid);
    }
    if (request.type === OpCode.setWatches) return;
    for (const path of request.persistentWatches) this.#watch(port, 'persistent', path);
    for (const path of request.persistentRecursiveWatches) this.#watch(port, 'recursive', path);
  }

  /** Everything that the last write has changed. */
  #fireAll(): void {
    for (const change of this.#tree.changes) this.#fireOne(change);
  }

  #fireOne({ change, path, acl, parentAcl }: ModelChange): void {
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    switch (change) {
      case 'dataChanged':
        this.#fire(EventType.nodeDataChanged, path, acl, ['data', 'persistent', 'recursive']);
        return;
      case 'created':
        this.#fire(EventType.nodeCreated, path, acl, ['data', 'persistent', 'recursive']);
        this.#fire(EventType.nodeChildrenChanged, parent, parentAcl, ['child', 'persistent']);
        return;
      case 'deleted':
        this.#fire(EventType.nodeDeleted, path, acl, ['data', 'child', 'persistent', 'recursive']);
        this.#fire(EventType.nodeChildrenChanged, parent, parentAcl, ['child', 'persistent']);
    }
  }

  /** Each client is told once, and one-shot watches go, whether their client may hear of it or not. */
  #fire(type: EventType, path: string, acl: readonly Acl[], kinds: readonly Kind[]): void {
    const met = this.#watches.filter(
      (watch) => kinds.includes(watch.kind) && (watch.path === path || (watch.kind === 'recursive' && isBelow(path, watch.path))),
    );
    this.#watches = this.#watches.filter((watch) => !met.includes(watch) || watch.kind === 'persistent' || watch.kind === 'recursive');
    for (const port of new Set(met.map((watch) => watch.port))) if (may(acl, READ, port.ids)) this.#tell(port, type, path, this.#zxid);
  }

  #tell(port: Port, type: EventType, path: string, zxid: number): void {
    port.send({ kind: 'event', type, state: KeeperState.syncConnected, path, zxid: zxid as Zxid });
  }
}

/** The model as a side of so many servers, which are all one. */
export function startModel(servers: number, clock: VirtualClock, tamper = (accept: Accept): Accept => accept): Started {
  const way = inProcessWay(tamper(new Model(clock).accept), clock);
  return { ways: new Array<Way>(servers).fill(way), close: () => Promise.resolve() };
}

function isBelow(path: string, above: string): boolean {
  return above !== '' && path.startsWith(above === '/' ? '/' : `${above}/`);
}

/** Of a digest the user, and instead of the rest what hides it. */
function withoutSecret(id: Id, instead: string): Id {
  return id.scheme === 'digest' ? { ...id, id: `${id.id.split(':')[0]}${instead}` } : id;
}
