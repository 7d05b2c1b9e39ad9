/**
 * ZooKeeper's semantics as simply as they can be said: one map, changed at once, copied whole for a multi. What is right about it can be seen.
 */
import { type Acl, ErrorCode, type Id, type MultiOp, OpCode, pathFault, type Stat, type Zxid } from '@quorate/protocol';
import type { TreeWrite } from '../../src/prepare.ts';

interface ModelNode {
  data: string;
  acl: readonly Acl[];
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

export type ModelResult = { readonly err: number; readonly path?: string | undefined; readonly results?: readonly (number | string)[] };

const OPEN: readonly Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const READ_ONLY: readonly Acl[] = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }];
const text = (data: Uint8Array | null): string => new TextDecoder().decode(data ?? new Uint8Array(0));

export class DumbModel {
  nodes = new Map<string, ModelNode>();

  constructor() {
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      const acl = path === '/zookeeper/config' ? READ_ONLY : OPEN;
      const node = { data: '', acl, owner: 0n, czxid: 0, mzxid: 0, pzxid: 0, ctime: 0, mtime: 0, version: 0, created: 0, aversion: 0 };
      this.nodes.set(path, node);
    }
  }

  write(request: TreeWrite, caller: Caller): ModelResult {
    if (request.type !== OpCode.multi) return this.#one(request, caller);
    const before = new Map([...this.nodes].map(([path, node]) => [path, { ...node }]));
    const results: (number | string)[] = [];
    for (const op of request.ops) {
      const { err, path } = this.#one(op, caller);
      if (err !== 0) {
        this.nodes = before;
        return {
          err: 0,
          results: request.ops.map((_, i) => (i < results.length ? 0 : i === results.length ? err : ErrorCode.RUNTIME_INCONSISTENCY)),
        };
      }
      results.push(path ?? 'done');
    }
    return { err: 0, results };
  }

  closeSession(session: bigint, zxid: number): void {
    for (const [path, node] of [...this.nodes]) {
      if (node.owner !== session) continue;
      this.nodes.delete(path);
      this.#parent(path)!.pzxid = zxid;
    }
  }

  children(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.nodes.keys()].filter(
      (other) => other !== path && other.startsWith(prefix) && !other.slice(prefix.length).includes('/'),
    );
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
      dataLength: node.data.length,
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
        if (!op.path.includes('/')) return { err: ErrorCode.BAD_ARGUMENTS };
        const acl = expand(op.acl, ids);
        if (acl === undefined) return { err: ErrorCode.INVALID_ACL };
        const parent = this.#parent(op.path);
        if (parent === undefined) return { err: ErrorCode.NO_NODE };
        if (!may(parent, 4, ids)) return { err: ErrorCode.NO_AUTH };
        const path = [2, 3, 6].includes(op.flags) ? op.path + String(parent.created).padStart(10, '0') : op.path;
        if (pathFault(path) !== undefined) return { err: ErrorCode.BAD_ARGUMENTS };
        if (this.nodes.has(path)) return { err: ErrorCode.NODE_EXISTS };
        if (parent.owner !== 0n) return { err: ErrorCode.NO_CHILDREN_FOR_EPHEMERALS };
        const owner = [1, 3].includes(op.flags) ? session : 0n;
        const node = {
          data: text(op.data),
          acl,
          owner,
          lasts: op.flags === 4 ? ('container' as const) : ttl,
          czxid: zxid,
          mzxid: zxid,
          pzxid: zxid,
          ctime: time,
          mtime: time,
          version: 0,
          created: 0,
          aversion: 0,
        };
        this.nodes.set(path, node);
        parent.created++;
        parent.pzxid = zxid;
        return { err: 0, path };
      }
      case OpCode.delete: {
        if (!op.path.includes('/') || ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'].includes(op.path))
          return { err: ErrorCode.BAD_ARGUMENTS };
        const parent = this.#parent(op.path);
        if (parent === undefined) return { err: ErrorCode.NO_NODE };
        if (!may(parent, 8, ids)) return { err: ErrorCode.NO_AUTH };
        const node = this.nodes.get(op.path);
        if (node === undefined) return { err: ErrorCode.NO_NODE };
        if (op.version !== -1 && op.version !== node.version) return { err: ErrorCode.BAD_VERSION };
        if (this.children(op.path).length > 0) return { err: ErrorCode.NOT_EMPTY };
        this.nodes.delete(op.path);
        parent.pzxid = zxid;
        return { err: 0 };
      }
      case OpCode.setData:
      case OpCode.check: {
        if (pathFault(op.path) !== undefined) return { err: ErrorCode.BAD_ARGUMENTS };
        const node = this.nodes.get(op.path);
        if (node === undefined) return { err: ErrorCode.NO_NODE };
        if (!may(node, op.type === OpCode.check ? 1 : 2, ids)) return { err: ErrorCode.NO_AUTH };
        if (op.version !== -1 && op.version !== node.version) return { err: ErrorCode.BAD_VERSION };
        if (op.type === OpCode.check) return { err: 0 };
        node.data = text(op.data);
        node.version++;
        node.mzxid = zxid;
        node.mtime = time;
        return { err: 0 };
      }
      case OpCode.setACL: {
        if (pathFault(op.path) !== undefined) return { err: ErrorCode.BAD_ARGUMENTS };
        const acl = expand(op.acl, ids);
        if (acl === undefined) return { err: ErrorCode.INVALID_ACL };
        const node = this.nodes.get(op.path);
        if (node === undefined) return { err: ErrorCode.NO_NODE };
        if (!may(node, 16, ids)) return { err: ErrorCode.NO_AUTH };
        if (op.version !== -1 && op.version !== node.aversion) return { err: ErrorCode.BAD_VERSION };
        node.acl = acl;
        node.aversion++;
        return { err: 0 };
      }
      default:
        throw new Error('multis do not nest');
    }
  }

  #parent(path: string): ModelNode | undefined {
    return this.nodes.get(path.slice(0, path.lastIndexOf('/')) || '/');
  }
}

function expand(acl: readonly Acl[], ids: readonly Id[]): readonly Acl[] | undefined {
  const result: Acl[] = [];
  for (const entry of acl) {
    if (entry.id.scheme === 'world') result.push(entry);
    else if (entry.id.scheme === 'digest') result.push(entry);
    else if (entry.id.scheme === 'auth' && ids.length > 0) for (const id of ids) result.push({ perms: entry.perms, id });
    else return undefined;
  }
  return result.length > 0 ? result : undefined;
}

function may(node: ModelNode, perm: number, ids: readonly Id[]): boolean {
  return node.acl.some(
    ({ perms, id }) => (perms & perm) !== 0 && (id.scheme === 'world' || ids.some((own) => own.scheme === id.scheme && own.id === id.id)),
  );
}
