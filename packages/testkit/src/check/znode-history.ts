/**
 * The dumb twin of the data tree: every version of every znode, by the index in G of the txn that made it. A read at any index is one binary search,
 * and what would have fired a watch is a list beside it. It shares no code with the tree that it checks.
 */
import {
  type Acl,
  type CreateContainerTxn,
  type CreateTtlTxn,
  type CreateTxn,
  OPEN_ACL_UNSAFE,
  OpCode,
  READ_ACL_UNSAFE,
  type Stat,
  type Txn,
  type TxnHeader,
  type Zxid,
} from '@quorate/protocol';
import { quotaOfStats, statsOf, type Usage } from './quota-model.js';

/** A znode between two changes. */
export interface Znode {
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly pzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  /** ZooKeeper's internal one: how many children were ever created. */
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: bigint;
  /** What ends it by itself, where that is no session: that it is an empty container, or a TTL in milliseconds. */
  readonly lifetime?: 'container' | number | undefined;
  readonly childCount: number;
}

export type TriggerType = 'created' | 'deleted' | 'dataChanged' | 'childrenChanged';

/** Something that fires watches. */
export interface Trigger {
  readonly index: number;
  readonly type: TriggerType;
  /** Of the znode that its event is about: whoever may not read it is not told (CVE-2024-23944). */
  readonly acl: readonly Acl[];
}

/** What a txn has done to one znode. */
export interface Change {
  readonly index: number;
  readonly type: Exclude<TriggerType, 'childrenChanged'>;
  readonly path: string;
  readonly acl: readonly Acl[];
  readonly parentAcl: readonly Acl[];
}

/** All that ever was at one path. */
class PathHistory {
  readonly indexes: number[] = [];
  readonly znodes: (Znode | undefined)[] = [];
  readonly dataTriggers: Trigger[] = [];
  readonly childTriggers: Trigger[] = [];
  /** The paths of all that ever were its children. */
  readonly children = new Set<string>();

  get current(): Znode | undefined {
    return this.znodes[this.znodes.length - 1];
  }

  set(index: number, znode: Znode | undefined): void {
    if (this.indexes[this.indexes.length - 1] === index) {
      this.znodes[this.znodes.length - 1] = znode;
    } else {
      this.indexes.push(index);
      this.znodes.push(znode);
    }
  }

  at(index: number): Znode | undefined {
    let place = this.indexes.length - 1;
    if (place < 0 || (this.indexes[place] as number) <= index) return this.znodes[place];
    place = lowerBound(this.indexes, index + 1) - 1;
    return this.znodes[place];
  }
}

export class ZnodeHistory {
  readonly #paths = new Map<string, PathHistory>();
  /** In the order of G, and within a txn of its operations. */
  readonly changes: Change[] = [];
  /** By owner, the ephemerals that exist after the last txn, and the paths of all that it ever had. */
  readonly #ephemerals = new Map<bigint, Set<string>>();
  readonly #everEphemeral = new Map<bigint, Set<string>>();
  /** The containers and the znodes with a TTL that exist after the last txn. */
  readonly #mortal = new Set<string>();

  constructor() {
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) this.#path(path).set(0, builtIn(path));
    this.#path('/').children.add('/zookeeper');
    this.#path('/zookeeper').children.add('/zookeeper/quota').add('/zookeeper/config');
  }

  /** The znode as it is after the txn at `index`. */
  at(path: string, index: number): Znode | undefined {
    const znode = this.#paths.get(path)?.at(index);
    const quota = quotaOfStats(path);
    return znode === undefined || quota === undefined ? znode : { ...znode, data: statsOf(this.usageAt(quota, index)) };
  }

  /** What there is at a path and below it after the txn at `index`. */
  usageAt(path: string, index: number): Usage {
    const znode = this.at(path, index);
    if (znode === undefined) return { count: 0, bytes: 0 };
    let [count, bytes] = [1, znode.data?.length ?? 0];
    for (const child of this.#paths.get(path)?.children ?? []) {
      const below = this.usageAt(child, index);
      count += below.count;
      bytes += below.bytes;
    }
    return { count, bytes };
  }

  /** The names of the children after the txn at `index`. */
  childrenAt(path: string, index: number): string[] {
    const names: string[] = [];
    for (const child of this.#paths.get(path)?.children ?? [])
      if (this.at(child, index) !== undefined) names.push(child.slice(child.lastIndexOf('/') + 1));
    return names;
  }

  /** How many znodes there are below it after the txn at `index`. */
  countBelow(path: string, index: number): number {
    const prefix = path === '/' ? '/' : `${path}/`;
    return this.childrenAt(path, index).reduce((count, name) => count + 1 + this.countBelow(prefix + name, index), 0);
  }

  ephemeralsOf(session: bigint): ReadonlySet<string> {
    return this.#ephemerals.get(session) ?? NO_PATHS;
  }

  /** The session's ephemerals after the txn at `index`. */
  ephemeralsAt(session: bigint, index: number): string[] {
    return [...(this.#everEphemeral.get(session) ?? NO_PATHS)].filter((path) => this.at(path, index)?.ephemeralOwner === session);
  }

  /** The containers and the znodes with a TTL whose time has come by `wallMs`, after the last txn. */
  overBy(wallMs: number): [path: string, znode: Znode][] {
    const over: [string, Znode][] = [];
    for (const path of this.#mortal) {
      const znode = this.#paths.get(path)?.current as Znode;
      if (znode.childCount === 0 && reasonToStay(znode, wallMs) === undefined) over.push([path, znode]);
    }
    return over;
  }

  /** The first change after `index` that fires a data watch, or an exist watch, at this path. */
  dataTriggerAfter(path: string, index: number): Trigger | undefined {
    return firstAfter(this.#paths.get(path)?.dataTriggers, index);
  }

  childTriggerAfter(path: string, index: number): Trigger | undefined {
    return firstAfter(this.#paths.get(path)?.childTriggers, index);
  }

  /** What the txn at `index` fires at this path. */
  triggersAt(path: string, index: number): Trigger[] {
    const { dataTriggers = [], childTriggers = [] } = this.#paths.get(path) ?? {};
    return [...dataTriggers, ...childTriggers].filter((trigger) => trigger.index === index);
  }

  /** How many of the changes are not later than `index`. */
  changesUpTo(index: number): number {
    let low = 0;
    let high = this.changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.changes[middle] as Change).index <= index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Applies the txn at `index`; gives what is wrong with it, in words. */
  apply(index: number, header: TxnHeader, txn: Txn): string | undefined {
    switch (txn.type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
        return this.#create(index, header, txn);
      case OpCode.deleteContainer:
        return this.#deleteContainer(index, header, txn.path);
      case OpCode.delete:
        return this.#delete(index, header.zxid, txn.path);
      case OpCode.setData: {
        const history = this.#paths.get(txn.path);
        const znode = history?.current;
        if (history === undefined || znode === undefined) return `setData of ${txn.path}, which is not there`;
        if (txn.version !== ((znode.version + 1) | 0)) return `setData of ${txn.path} from version ${znode.version} to ${txn.version}`;
        history.set(index, { ...znode, data: txn.data, version: txn.version, mzxid: header.zxid, mtime: header.time });
        const { acl } = znode;
        history.dataTriggers.push({ index, type: 'dataChanged', acl });
        this.changes.push({ index, type: 'dataChanged', path: txn.path, acl, parentAcl: acl });
        return undefined;
      }
      case OpCode.setACL: {
        const history = this.#paths.get(txn.path);
        const znode = history?.current;
        if (history === undefined || znode === undefined) return `setACL of ${txn.path}, which is not there`;
        if (txn.version !== ((znode.aversion + 1) | 0)) return `setACL of ${txn.path} from version ${znode.aversion} to ${txn.version}`;
        history.set(index, { ...znode, acl: txn.acl, aversion: txn.version });
        return undefined;
      }
      case OpCode.closeSession:
        return this.#closeSession(index, header, txn.paths);
      case OpCode.multi: {
        for (const op of txn.txns) {
          const fault = this.apply(index, header, op);
          if (fault !== undefined) return fault;
        }
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #create(index: number, { clientId, zxid, time }: TxnHeader, txn: CreateTxn | CreateContainerTxn | CreateTtlTxn): string | undefined {
    const { path, data, acl, parentCVersion } = txn;
    const ephemeral = 'ephemeral' in txn && txn.ephemeral;
    const parent = this.#paths.get(parentOf(path));
    const parentZnode = parent?.current;
    if (parent === undefined || parentZnode === undefined) return `create of ${path} without a parent`;
    if (parentZnode.ephemeralOwner !== 0n) return `create of ${path} below an ephemeral`;
    const history = this.#path(path);
    if (history.current !== undefined) return `create of ${path}, which is there`;
    if (parentCVersion !== ((parentZnode.cversion + 1) | 0))
      return `create of ${path} counts ${parentCVersion} after ${parentZnode.cversion}`;
    const ephemeralOwner = ephemeral ? clientId : 0n;
    history.set(index, {
      ...{ data, acl, czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: time, mtime: time, version: 0, cversion: 0, aversion: 0 },
      ephemeralOwner,
      lifetime: txn.type === OpCode.createContainer ? 'container' : txn.type === OpCode.createTTL ? txn.ttl : undefined,
      childCount: 0,
    });
    parent.set(index, { ...parentZnode, cversion: parentCVersion, pzxid: zxid, childCount: parentZnode.childCount + 1 });
    parent.children.add(path);
    history.dataTriggers.push({ index, type: 'created', acl });
    this.changes.push({ index, type: 'created', path, acl, parentAcl: parentZnode.acl });
    parent.childTriggers.push({ index, type: 'childrenChanged', acl: parentZnode.acl });
    if (txn.type === OpCode.createContainer || txn.type === OpCode.createTTL) this.#mortal.add(path);
    if (ephemeral) for (const table of [this.#ephemerals, this.#everEphemeral]) addTo(table, clientId, path);
    return undefined;
  }

  #delete(index: number, zxid: Zxid, path: string): string | undefined {
    const history = this.#paths.get(path);
    const znode = history?.current;
    if (history === undefined || znode === undefined) return `delete of ${path}, which is not there`;
    if (znode.childCount > 0) return `delete of ${path}, which has ${znode.childCount} children`;
    const parent = this.#path(parentOf(path));
    const parentZnode = parent.current as Znode;
    history.set(index, undefined);
    parent.set(index, { ...parentZnode, pzxid: zxid, childCount: parentZnode.childCount - 1 });
    const { acl } = znode;
    history.dataTriggers.push({ index, type: 'deleted', acl });
    this.changes.push({ index, type: 'deleted', path, acl, parentAcl: parentZnode.acl });
    history.childTriggers.push({ index, type: 'deleted', acl });
    parent.childTriggers.push({ index, type: 'childrenChanged', acl: parentZnode.acl });
    this.#mortal.delete(path);
    if (znode.ephemeralOwner !== 0n) this.#ephemerals.get(znode.ephemeralOwner)?.delete(path);
    return undefined;
  }

  /** What goes by itself was a container that has had children, or a znode whose TTL has passed since its data were changed last. */
  #deleteContainer(index: number, { zxid, time }: TxnHeader, path: string): string | undefined {
    const znode = this.#paths.get(path)?.current;
    if (znode?.lifetime === undefined) return `deleteContainer of ${path}, which is neither a container nor has a TTL`;
    const reason = reasonToStay(znode, time);
    return reason === undefined ? this.#delete(index, zxid, path) : `deleteContainer of ${path}, ${reason}`;
  }

  /** All ephemerals of the session go, and nothing else. */
  #closeSession(index: number, { clientId, zxid }: TxnHeader, paths: readonly string[]): string | undefined {
    const own = [...this.ephemeralsOf(clientId)].sort();
    const named = [...paths].sort();
    if (own.length !== named.length || own.some((path, i) => path !== named[i]))
      return `closeSession deletes [${named.join(' ')}]; the session's ephemerals are [${own.join(' ')}]`;
    for (const path of paths) {
      const fault = this.#delete(index, zxid, path);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #path(path: string): PathHistory {
    let history = this.#paths.get(path);
    if (history === undefined) {
      history = new PathHistory();
      this.#paths.set(path, history);
    }
    return history;
  }
}

const NO_PATHS: ReadonlySet<string> = new Set();

function addTo(table: Map<bigint, Set<string>>, session: bigint, path: string): void {
  const paths = table.get(session);
  if (paths === undefined) table.set(session, new Set([path]));
  else paths.add(path);
}

/** Why a container or a znode with a TTL must not go yet, children apart; undefined where its time has come. */
function reasonToStay({ lifetime, cversion, mtime }: Znode, wallMs: number): string | undefined {
  if (lifetime === 'container') return cversion === 0 ? 'which never had a child' : undefined;
  const aloneMs = wallMs - mtime;
  return typeof lifetime === 'number' && aloneMs <= lifetime ? `after ${aloneMs} ms of its TTL of ${lifetime} ms` : undefined;
}

/** The Stat that a client is shown (zookeeper.md 1.4); undefined where it is as it should be, else the name of the field that differs. */
export function statFault(stat: Stat, znode: Znode): string | undefined {
  if (stat.czxid !== znode.czxid) return 'czxid';
  if (stat.mzxid !== znode.mzxid) return 'mzxid';
  if (stat.pzxid !== znode.pzxid) return 'pzxid';
  if (stat.ctime !== znode.ctime) return 'ctime';
  if (stat.mtime !== znode.mtime) return 'mtime';
  if (stat.version !== znode.version) return 'version';
  // What is shown counts deletions as well as creations.
  if (stat.cversion !== ((znode.cversion * 2 - znode.childCount) | 0)) return 'cversion';
  if (stat.aversion !== znode.aversion) return 'aversion';
  if (stat.ephemeralOwner !== znode.ephemeralOwner) return 'ephemeralOwner';
  if (stat.dataLength !== (znode.data?.length ?? 0)) return 'dataLength';
  if (stat.numChildren !== znode.childCount) return 'numChildren';
  return undefined;
}

function builtIn(path: string): Znode {
  const childCount = path === '/' ? 1 : path === '/zookeeper' ? 2 : 0;
  const never = 0 as Zxid;
  return {
    ...{
      data: new Uint8Array(0),
      acl: path === '/zookeeper/config' ? READ_ACL_UNSAFE : OPEN_ACL_UNSAFE,
      czxid: never,
      mzxid: never,
      pzxid: never,
      ctime: 0,
      mtime: 0,
      version: 0,
      cversion: 0,
      aversion: 0,
    },
    ephemeralOwner: 0n,
    childCount,
  };
}

/** The path above. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === 0 ? '/' : path.slice(0, slash);
}

function firstAfter(triggers: readonly Trigger[] | undefined, index: number): Trigger | undefined {
  if (triggers === undefined || triggers.length === 0) return undefined;
  if ((triggers[triggers.length - 1] as Trigger).index <= index) return undefined;
  let low = 0;
  let high = triggers.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((triggers[middle] as Trigger).index > index) high = middle;
    else low = middle + 1;
  }
  return triggers[low];
}

/** The first place whose value is at least `value`. */
function lowerBound(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
