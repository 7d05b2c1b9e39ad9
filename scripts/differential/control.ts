/** A client of a run's own that may do everything: it makes the folder of the run and looks at what its sessions may not. */
import {
  AddWatchMode,
  EventType,
  encodeClientMessage,
  encodeConnectRequest,
  NO_ZXID,
  OPEN_ACL_UNSAFE,
  OpCode,
  type ReplyMessage,
  type Request,
  Xid,
  type Zxid,
} from '@quorate/protocol';
import { RawConnection, type Received } from './raw-connection.ts';
import { SESSION_TIMEOUT_MAX_MS, SUPER_PROOF } from './settings.ts';
import type { Way } from './way.ts';

/** Long enough for a machine that is busy with much else. */
const TIMEOUT_MS = 30_000;
const NO_DATA = new Uint8Array(0);

export class Control {
  readonly #connection: RawConnection;
  #xid = 0;
  #lastZxid = NO_ZXID;

  private constructor(connection: RawConnection) {
    this.#connection = connection;
  }

  static async open(way: Way): Promise<Control> {
    const connection = await connected(way);
    connection.take();
    const control = new Control(connection);
    await control.#call({ type: OpCode.auth, authType: 0, scheme: 'digest', auth: new TextEncoder().encode(SUPER_PROOF) });
    return control;
  }

  /** Of the last reply. */
  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  /** Creates the folder, within one of its own as well, a few znodes that every history begins with, and where their quotas would be; gives the zxid of that. */
  async create(folder: string): Promise<Zxid> {
    const parent = folder.slice(0, folder.lastIndexOf('/'));
    const paths = [parent, folder, `${folder}/a`, `${folder}/b`, `${folder}/a/x`];
    const ops = [...paths, ...paths.map((path) => `/zookeeper/quota${path}`)].map(
      (path) => ({ type: OpCode.create, path, data: NO_DATA, acl: OPEN_ACL_UNSAFE, flags: 0 }) as const,
    );
    const { response, zxid } = await this.#call({ type: OpCode.multi, ops });
    if (response?.type !== OpCode.multi || response.results.some(({ type }) => type === OpCode.error))
      throw new Error(`the folder ${folder} cannot be made`);
    return zxid;
  }

  /** A txn that changes nothing which a history looks at: a znode beside its folder comes and goes. */
  async write(folder: string): Promise<void> {
    const path = '/zookeeper/quorate-differential-none';
    await this.#call({ type: OpCode.delete, path: `${path}${folder}`, version: 0 });
  }

  async acls(paths: readonly string[], placed: (path: string) => string): Promise<ReadonlyMap<string, readonly string[]>> {
    const replies = await Promise.all(paths.map((path) => this.#call({ type: OpCode.getACL, path: placed(path) })));
    const found = new Map<string, readonly string[]>();
    for (const [index, { response }] of replies.entries()) {
      if (response?.type !== OpCode.getACL) continue;
      found.set(
        paths[index] as string,
        response.acl.map(({ perms, id }) => `${perms} ${id.scheme}:${id.id}`),
      );
    }
    return found;
  }

  /** Brings the server up to what was committed before. */
  async sync(): Promise<void> {
    await this.#call({ type: OpCode.sync, path: '/' });
  }

  /** Looks at a path from now on, for `gone`. */
  async watch(path: string): Promise<void> {
    await this.#call({ type: OpCode.addWatch, path, mode: AddWatchMode.persistent });
  }

  /** Waits until the znode of a path that is looked at was deleted; false where it was not. */
  async gone(path: string, timeoutMs: number): Promise<boolean> {
    const connection = this.#connection;
    const isGone = (message: Received): boolean =>
      message.kind === 'event' && message.path === path && message.type !== EventType.nodeCreated;
    if (!(await connection.until(() => connection.received.some(isGone), timeoutMs))) return false;
    connection.take();
    return true;
  }

  async close(): Promise<void> {
    await this.#call({ type: OpCode.closeSession });
    this.#connection.destroy();
  }

  async #call(request: Request): Promise<ReplyMessage> {
    const xid = request.type === OpCode.auth ? Xid.auth : ++this.#xid;
    const connection = this.#connection;
    connection.send(encodeClientMessage({ kind: 'request', xid, request }), xid, request.type);
    await connection.until(() => connection.has(xid), TIMEOUT_MS);
    const reply = connection.pick(xid);
    if (reply === undefined) throw new Error('a server does not answer the control connection');
    if (reply.zxid > this.#lastZxid) this.#lastZxid = reply.zxid;
    return reply;
  }
}

/** A connection whose handshake is answered. A server that has just been elected may end the first ones. */
export async function connected(way: Way): Promise<RawConnection> {
  const session = { sessionId: 0n, passwd: new Uint8Array(16), timeOut: SESSION_TIMEOUT_MAX_MS };
  const request = { kind: 'connect', protocolVersion: 0, lastZxidSeen: NO_ZXID, readOnly: false, ...session } as const;
  const giveUpAt = way.clock.now() + TIMEOUT_MS;
  do {
    const connection = new RawConnection(way);
    connection.send(encodeConnectRequest(request), 0, 0);
    if (await connection.until(() => connection.received.length > 0, TIMEOUT_MS)) return connection;
    connection.destroy();
  } while (way.clock.now() < giveUpAt);
  throw new Error('a server gives no session');
}
