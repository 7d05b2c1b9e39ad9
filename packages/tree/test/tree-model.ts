/**
 * The tree as simply as it can be said: a map from path to a plain record, every counter counted on its own. It applies what it is asked to and checks nothing.
 */
import { type Acl, OPEN_ACL_UNSAFE, READ_ACL_UNSAFE, type Stat, type Zxid } from '@quorate/protocol';

export interface ModelZnode {
  data: number[] | null;
  acl: readonly Acl[];
  czxid: number;
  mzxid: number;
  pzxid: number;
  ctime: number;
  mtime: number;
  version: number;
  /** Creations and deletions of children. */
  changes: number;
  /** Creations of children. */
  creations: number;
  aversion: number;
  /** The session of an ephemeral. */
  owner: bigint;
  /** A container, or the TTL in milliseconds. */
  lasts: 'container' | number | undefined;
  children: string[];
}

export class TreeModel {
  znodes = new Map<string, ModelZnode>();
  /** Ephemerals in order of creation. */
  ephemerals: { session: bigint; path: string }[] = [];
  lastZxid = 0;

  constructor() {
    const blank = { czxid: 0, mzxid: 0, pzxid: 0, ctime: 0, mtime: 0, version: 0, creations: 0, aversion: 0, owner: 0n, lasts: undefined };
    const open = OPEN_ACL_UNSAFE;
    this.znodes.set('/', { ...blank, data: [], acl: open, changes: -1, children: ['zookeeper'] });
    this.znodes.set('/zookeeper', { ...blank, data: [], acl: open, changes: -2, children: ['quota', 'config'] });
    this.znodes.set('/zookeeper/quota', { ...blank, data: [], acl: open, changes: 0, children: [] });
    this.znodes.set('/zookeeper/config', { ...blank, data: [], acl: READ_ACL_UNSAFE, aversion: -1, changes: 0, children: [] });
  }

  clone(): TreeModel {
    const copy = new TreeModel();
    copy.znodes = new Map([...this.znodes].map(([path, znode]) => [path, { ...znode, children: [...znode.children] }]));
    copy.ephemerals = [...this.ephemerals];
    copy.lastZxid = this.lastZxid;
    return copy;
  }

  get(path: string): ModelZnode {
    const znode = this.znodes.get(path);
    if (znode === undefined) throw new Error(`the model has no ${path}`);
    return znode;
  }

  create(
    path: string,
    data: number[] | null,
    acl: readonly Acl[],
    owner: bigint,
    at: { zxid: number; time: number },
    lasts?: 'container' | number,
  ): void {
    const { zxid, time } = at;
    const { parent, name } = split(path);
    const above = this.get(parent);
    above.children.push(name);
    above.changes++;
    above.creations++;
    above.pzxid = zxid;
    const times = { czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: time, mtime: time };
    this.znodes.set(path, { data, acl, ...times, version: 0, changes: 0, creations: 0, aversion: 0, owner, lasts, children: [] });
    if (owner !== 0n) this.ephemerals.push({ session: owner, path });
  }

  delete(path: string, zxid: number): void {
    const { parent, name } = split(path);
    const above = this.get(parent);
    above.children = above.children.filter((child) => child !== name);
    above.changes++;
    above.pzxid = zxid;
    this.znodes.delete(path);
    this.ephemerals = this.ephemerals.filter((ephemeral) => ephemeral.path !== path);
  }

  setData(path: string, data: number[] | null, at: { zxid: number; time: number }): void {
    const znode = this.get(path);
    znode.data = data;
    znode.version++;
    znode.mzxid = at.zxid;
    znode.mtime = at.time;
  }

  setAcl(path: string, acl: readonly Acl[]): void {
    const znode = this.get(path);
    znode.acl = acl;
    znode.aversion++;
  }

  ephemeralsOf(session: bigint): string[] {
    return this.ephemerals.filter((ephemeral) => ephemeral.session === session).map((ephemeral) => ephemeral.path);
  }

  /** Below a path, at any depth. */
  countBelow(path: string): number {
    return [...this.znodes.keys()].filter((other) => other !== '/' && other.startsWith(path === '/' ? '/' : `${path}/`)).length;
  }

  stat(path: string): Stat {
    const znode = this.get(path);
    return {
      czxid: znode.czxid as Zxid,
      mzxid: znode.mzxid as Zxid,
      ctime: znode.ctime,
      mtime: znode.mtime,
      version: znode.version,
      cversion: znode.changes,
      aversion: znode.aversion,
      ephemeralOwner: znode.owner,
      dataLength: znode.data === null ? 0 : znode.data.length,
      numChildren: znode.children.length,
      pzxid: znode.pzxid as Zxid,
    };
  }
}

function split(path: string): { parent: string; name: string } {
  const parts = path.split('/');
  const name = parts.pop() as string;
  return { parent: parts.join('/') || '/', name };
}
