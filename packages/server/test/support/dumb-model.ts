/**
 * ZooKeeper's tree as simply as it can be said: one map, changed at once, copied whole for a multi. What is right about it can be seen.
 *
 * It is the twin of `prepare` and of the tree, and the tree of the model that stands in Apache ZooKeeper's place (scripts/differential/model.ts).
 */
import {
  type Acl,
  ErrorCode,
  type Id,
  type MultiOp,
  OpCode,
  type OpResult,
  pathFault,
  type Response,
  type Stat,
  type Zxid,
} from '@quorate/protocol';
import type { TreeWrite } from '../../src/prepare.ts';
import { beginStats, countInQuota, isOverQuota } from './dumb-quotas.ts';

interface ModelNode {
  data: Uint8Array | null;
  acl: readonly Acl[];
  /** The session whose ephemeral it is; 0 for none. */
  owner: bigint;
  lasts?: 'container' | number | undefined;
  czxid: number;
  mzxid: number;
  pzxid: number;
  ctime: number;
  mtime: number;
  version: number;
  created: number;
  aversion: number;
}

export interface Caller {
  readonly zxid: number;
  readonly time: number;
  readonly session: bigint;
  readonly ids: readonly Id[];
}

/** What one znode has become, with its ACL and its parent's then: who may not read hears of nothing. */
export interface ModelChange {
  readonly change: 'created' | 'deleted' | 'dataChanged';
  readonly path: string;
  readonly acl: readonly Acl[];
  readonly parentAcl: readonly Acl[];
}

export interface ModelResult {
  readonly err: number;
  readonly response?: Response | OpResult | undefined;
}

const OPEN: readonly Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const READ_ONLY: readonly Acl[] = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }];
const BUILT_IN = ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'];

export class DumbModel {
  nodes = new Map<string, ModelNode>();
  /** By the last write, or by the last end of a session, in its order. */
  changes: ModelChange[] = [];

  readonly #enforcesQuotas: boolean;

  constructor({ enforcesQuotas = false }: { readonly enforcesQuotas?: boolean } = {}) {
    this.#enforcesQuotas = enforcesQuotas;
    for (const path of BUILT_IN) {
      const isConfig = path === '/zookeeper/config';
      const never = { czxid: 0, mzxid: 0, pzxid: 0, ctime: 0, mtime: 0 };
      const counts = { version: 0, created: 0, aversion: isConfig ? -1 : 0 };
      this.nodes.set(path, { data: new Uint8Array(0), acl: isConfig ? READ_ONLY : OPEN, owner: 0n, ...never, ...counts });
    }
  }

  write(request: TreeWrite, caller: Caller): ModelResult {
    this.changes = [];
    if (request.type !== OpCode.multi) return this.#one(request, caller);
    const before = new Map([...this.nodes].map(([path, node]) => [path, { ...node }]));
    const results: OpResult[] = [];
    for (const op of request.ops) {
      const { err, response } = this.#one(op, caller);
      if (err !== 0) {
        this.nodes = before;
        this.changes = [];
        const codes = request.ops.map((_, i) => (i < results.length ? 0 : i === results.length ? err : ErrorCode.RUNTIME_INCONSISTENCY));
        return { err: 0, response: { type: OpCode.multi, results: codes.map((code) => ({ type: OpCode.error, err: code })) } };
      }
      results.push(this.#resultOf(op, response));
    }
    return { err: 0, response: { type: OpCode.multi, results } };
  }

  closeSession(session: bigint, zxid: number): void {
    this.changes = [];
    for (const [path, node] of [...this.nodes]) if (node.owner === session) this.#delete(path, zxid);
  }

  children(path: string): string[] {
    return this.below(path).filter((other) => !other.slice(path === '/' ? 1 : path.length + 1).includes('/'));
  }

  below(path: string): string[] {
    return [...this.nodes.keys()].filter((other) => other !== path && other.startsWith(path === '/' ? '/' : `${path}/`));
  }

  stat(path: string): Stat {
    const node = this.nodes.get(path)!;
    const numChildren = this.children(path).length;
    return {
      czxid: node.czxid as Zxid,
      mzxid: node.mzxid as Zxid,
      pzxid: node.pzxid as Zxid,
      ctime: node.ctime,
      mtime: node.mtime,
      version: node.version,
      cversion: node.created * 2 - numChildren,
      aversion: node.aversion,
      ephemeralOwner: node.owner,
      dataLength: node.data?.length ?? 0,
      numChildren,
    };
  }

  #one(op: MultiOp | TreeWrite, { zxid, time, session, ids }: Caller): ModelResult {
    switch (op.type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL: {
        const legal = op.type === OpCode.createTTL ? [5, 6] : op.type === OpCode.createContainer ? [4] : [0, 1, 2, 3, 4];
        if (!legal.includes(op.flags)) return { err: ErrorCode.BAD_ARGUMENTS };
        const ttl = op.type === OpCode.createTTL ? op.ttl : undefined;
        if (ttl !== undefined && !(ttl >= 1 && ttl < 2 ** 40)) return { err: ErrorCode.BAD_ARGUMENTS };
        if (!op.path.includes('/') || op.path.includes('\0')) return { err: ErrorCode.BAD_ARGUMENTS };
        const acl = expand(op.acl, ids);
        if (acl === undefined) return { err: ErrorCode.INVALID_ACL };
        const parent = this.#parent(op.path);
        if (parent === undefined) return { err: ErrorCode.NO_NODE };
        if (!may(parent.acl, 4, ids)) return { err: ErrorCode.NO_AUTH };
        const path = [2, 3, 6].includes(op.flags) ? op.path + String(parent.created).padStart(10, '0') : op.path;
        if (pathFault(path) !== undefined) return { err: ErrorCode.BAD_ARGUMENTS };
        if (this.nodes.has(path)) return { err: ErrorCode.NODE_EXISTS };
        if (parent.owner !== 0n) return { err: ErrorCode.NO_CHILDREN_FOR_EPHEMERALS };
        const change = { count: 1, bytes: op.data?.length ?? 0 };
        if (this.#enforcesQuotas && isOverQuota(this.nodes, path, change)) return { err: ErrorCode.QUOTA_EXCEEDED };
        this.nodes.set(path, {
          data: op.data,
          acl,
          owner: [1, 3].includes(op.flags) ? session : 0n,
          lasts: op.flags === 4 ? ('container' as const) : ttl,
          ...{ czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: time, mtime: time, version: 0, created: 0, aversion: 0 },
        });
        parent.created++;
        parent.pzxid = zxid;
        this.#note('created', path, acl);
        const stat = this.stat(path);
        beginStats(this.nodes, path);
        countInQuota(this.nodes, path, change);
        return { err: 0, response: op.type === OpCode.create ? { type: op.type, path } : { type: op.type, path, stat } };
      }
      case OpCode.delete: {
        if (!op.path.includes('/') || op.path.includes('\0') || BUILT_IN.includes(op.path)) return { err: ErrorCode.BAD_ARGUMENTS };
        const parent = this.#parent(op.path);
        if (parent === undefined) return { err: ErrorCode.NO_NODE };
        if (!may(parent.acl, 8, ids)) return { err: ErrorCode.NO_AUTH };
        const node = this.nodes.get(op.path);
        if (node === undefined) return { err: ErrorCode.NO_NODE };
        if (op.version !== -1 && op.version !== node.version) return { err: ErrorCode.BAD_VERSION };
        if (this.children(op.path).length > 0) return { err: ErrorCode.NOT_EMPTY };
        this.#delete(op.path, zxid);
        return { err: 0 };
      }
      case OpCode.setData:
      case OpCode.check: {
        if (pathFault(op.path) !== undefined) return { err: ErrorCode.BAD_ARGUMENTS };
        const node = this.nodes.get(op.path);
        if (node === undefined) return { err: ErrorCode.NO_NODE };
        if (!may(node.acl, op.type === OpCode.check ? 1 : 2, ids)) return { err: ErrorCode.NO_AUTH };
        const bytes = op.type === OpCode.check ? 0 : (op.data?.length ?? 0) - (node.data?.length ?? 0);
        if (this.#enforcesQuotas && isOverQuota(this.nodes, op.path, { count: 0, bytes })) return { err: ErrorCode.QUOTA_EXCEEDED };
        if (op.version !== -1 && op.version !== node.version) return { err: ErrorCode.BAD_VERSION };
        if (op.type === OpCode.check) return { err: 0 };
        countInQuota(this.nodes, op.path, { count: 0, bytes });
        node.data = op.data;
        node.version++;
        node.mzxid = zxid;
        node.mtime = time;
        this.#note('dataChanged', op.path, node.acl);
        return { err: 0, response: { type: op.type, stat: this.stat(op.path) } };
      }
      case OpCode.setACL: {
        if (pathFault(op.path) !== undefined) return { err: ErrorCode.BAD_ARGUMENTS };
        const acl = expand(op.acl, ids);
        if (acl === undefined) return { err: ErrorCode.INVALID_ACL };
        const node = this.nodes.get(op.path);
        if (node === undefined) return { err: ErrorCode.NO_NODE };
        if (!may(node.acl, 16, ids)) return { err: ErrorCode.NO_AUTH };
        if (op.version !== -1 && op.version !== node.aversion) return { err: ErrorCode.BAD_VERSION };
        node.acl = acl;
        node.aversion++;
        return { err: 0, response: { type: op.type, stat: this.stat(op.path) } };
      }
      case OpCode.reconfig:
        return { err: ErrorCode.RECONFIG_DISABLED };
      default:
        throw new Error('multis do not nest');
    }
  }

  /** What an operation of a multi is answered by. As in ZooKeeper 3.9, every create but the plain one is answered as create2. */
  #resultOf(op: MultiOp, response: ModelResult['response']): OpResult {
    if (response === undefined) return { type: op.type } as OpResult;
    if (!('path' in response) || (op.type === OpCode.create && op.flags !== 4)) return response as OpResult;
    return { type: OpCode.create2, path: response.path, stat: 'stat' in response ? response.stat : this.stat(response.path) };
  }

  #delete(path: string, zxid: number): void {
    const { acl, data } = this.nodes.get(path)!;
    this.nodes.delete(path);
    countInQuota(this.nodes, path, { count: -1, bytes: -(data?.length ?? 0) });
    this.#parent(path)!.pzxid = zxid;
    this.#note('deleted', path, acl);
  }

  #note(change: ModelChange['change'], path: string, acl: readonly Acl[]): void {
    this.changes.push({ change, path, acl, parentAcl: this.#parent(path)!.acl });
  }

  #parent(path: string): ModelNode | undefined {
    return this.nodes.get(path.slice(0, path.lastIndexOf('/')) || '/');
  }
}

/** Whether these ids have one of the permissions. */
export function may(acl: readonly Acl[], perms: number, ids: readonly Id[]): boolean {
  if (ids.some(({ scheme }) => scheme === 'super')) return true;
  return acl.some(
    (entry) =>
      (entry.perms & perms) !== 0 &&
      (entry.id.scheme === 'world' || ids.some((own) => own.scheme === entry.id.scheme && (own.id === entry.id.id || isIn(own, entry.id)))),
  );
}

function expand(acl: readonly Acl[], ids: readonly Id[]): readonly Acl[] | undefined {
  const result: Acl[] = [];
  const once = acl.filter((entry, i) => acl.findIndex((other) => JSON.stringify(other) === JSON.stringify(entry)) === i);
  for (const { perms, id } of once) {
    const proved = ids.filter(({ scheme }) => scheme === 'digest');
    if (id.scheme === 'auth' && proved.length > 0) for (const own of proved) result.push({ perms, id: own });
    else if (id.scheme === 'world' && id.id === 'anyone') result.push({ perms, id });
    else if (id.scheme === 'digest' && /^[^:]*:[^:]+:*$/.test(id.id)) result.push({ perms, id });
    else if (id.scheme === 'ip' && networkOf(id.id) !== undefined) result.push({ perms, id });
    else return undefined;
  }
  return result.length > 0 ? result : undefined;
}

/** Whether a client's address lies in the IPv4 network that an entry names. */
function isIn(own: Id, entry: Id): boolean {
  const [address, network] = [networkOf(own.id), networkOf(entry.id)];
  return own.scheme === 'ip' && network !== undefined && address?.bits.startsWith(network.bits.slice(0, network.length)) === true;
}

/** The 32 bits of an IPv4 address, and how many of them count. */
function networkOf(id: string): { readonly bits: string; readonly length: number } | undefined {
  const found = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(id);
  if (found === null) return undefined;
  const [bytes, length] = [found.slice(1, 5).map(Number), Number(found[5] ?? 32)];
  if (length > 32 || bytes.some((byte) => byte > 255)) return undefined;
  return { bits: bytes.map((byte) => byte.toString(2).padStart(8, '0')).join(''), length };
}
