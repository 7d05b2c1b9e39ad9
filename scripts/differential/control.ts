/** A client of a run's own that may do everything: it makes the folder of the run and looks at what its sessions may not. */
import {
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
import { RawConnection } from './raw-connection.ts';
import { SESSION_TIMEOUT_MAX_MS, SUPER_PROOF } from './settings.ts';

const TIMEOUT_MS = 10_000;
const NO_DATA = new Uint8Array(0);

export class Control {
  readonly #connection: RawConnection;
  #xid = 0;
  /** Replies that were taken; the auth's is one besides those under the xids. */
  #answered = 0;
  #lastZxid = NO_ZXID;

  private constructor(connection: RawConnection) {
    this.#connection = connection;
  }

  static async open(port: number): Promise<Control> {
    const connection = new RawConnection(port);
    const session = { sessionId: 0n, passwd: new Uint8Array(16), timeOut: SESSION_TIMEOUT_MAX_MS };
    connection.send(
      encodeConnectRequest({ kind: 'connect', protocolVersion: 0, lastZxidSeen: NO_ZXID, readOnly: false, ...session }),
      0,
      0,
    );
    if (!(await connection.until(() => connection.received.length > 0, TIMEOUT_MS))) throw new Error(`no session on port ${port}`);
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

  async close(): Promise<void> {
    await this.#call({ type: OpCode.closeSession });
    this.#connection.destroy();
  }

  async #call(request: Request): Promise<ReplyMessage> {
    const xid = request.type === OpCode.auth ? Xid.auth : ++this.#xid;
    const connection = this.#connection;
    connection.send(encodeClientMessage({ kind: 'request', xid, request }), xid, request.type);
    const find = (): ReplyMessage | undefined =>
      connection.received.find((message): message is ReplyMessage => message.kind === 'reply' && message.xid === xid);
    await connection.until(() => find() !== undefined, TIMEOUT_MS);
    const reply = find();
    if (reply === undefined) throw new Error('a server does not answer the control connection');
    if (reply.zxid > this.#lastZxid) this.#lastZxid = reply.zxid;
    this.#answered++;
    if (this.#answered === this.#xid + 1) connection.take();
    return reply;
  }
}
