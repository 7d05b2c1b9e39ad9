/**
 * The tree in a snapshot of Apache ZooKeeper's (`DataTree.serialize`):
 *
 *     int     count of access control lists, then per list: long number, ACL[]
 *     per znode, in pre-order: string path, buffer data, long list, StatPersisted
 *     string  "/", which is no znode's: the root's path is empty
 *
 * Its znodes are not of one moment: it is written while txns are applied. `replay.ts` brings such a tree to one.
 */
import { type Acl, type JuteReader, OPEN_ACL_UNSAFE, ProtocolError, readAclList } from '@quorate/protocol';
import { isBuiltIn } from './built-in-znodes.js';
import { Int, Long, type NodeHandle } from './znode-pages.js';
import type { ZnodeStore } from './znode-store.js';

const END = '/';
const LIST_BYTES_MIN = 12;
/** No request names a longer path, because no frame is longer. */
const PATH_LENGTH_MAX = 0xfffff;

/** Adds the tree to a store that has the built-in znodes alone; the reader then stands behind it. @throws ProtocolError where there is none. */
export function readApacheTree(reader: JuteReader, store: ZnodeStore): void {
  const lists = new Map(reader.vector((from): [bigint, readonly Acl[]] => [from.long(), readAclList(from)], LIST_BYTES_MIN));
  for (let path = reader.string(); path !== END; path = reader.string()) readZnode(reader, store, path, lists);
}

function readZnode(reader: JuteReader, store: ZnodeStore, path: string, lists: ReadonlyMap<bigint, readonly Acl[]>): void {
  const data = reader.buffer();
  // −1 is the open list; a number that is not there belongs to a txn that follows, and comes with it.
  const acl = lists.get(reader.long()) ?? OPEN_ACL_UNSAFE;
  const { rows } = store;
  const node = placeOf(store, path, data, acl);
  rows.setLong(node, Long.czxid, reader.zxid());
  rows.setLong(node, Long.mzxid, reader.zxid());
  rows.setLong(node, Long.ctime, reader.longNumber());
  rows.setLong(node, Long.mtime, reader.longNumber());
  rows.setInt(node, Int.version, reader.int());
  rows.setInt(node, Int.cversion, reader.int());
  rows.setInt(node, Int.aversion, reader.int());
  const owner = reader.long();
  rows.setLong(node, Long.pzxid, reader.zxid());
  if (owner !== 0n && !isBuiltIn(path)) store.own(node, owner);
}

function placeOf(store: ZnodeStore, path: string, data: Uint8Array | null, acl: readonly Acl[]): NodeHandle {
  const builtIn = path === '' ? '/' : path;
  if (isBuiltIn(builtIn)) {
    const node = store.find(builtIn) as NodeHandle;
    store.setData(node, data);
    store.setAcl(node, acl);
    return node;
  }
  if (!path.startsWith('/') || path.endsWith('/') || path.length > PATH_LENGTH_MAX || store.find(path) !== undefined)
    throw new ProtocolError('BAD_VALUE', 'a snapshot has a path that is none, or one twice');
  const parent = store.findParent(path);
  if (parent === undefined) throw new ProtocolError('BAD_VALUE', 'a snapshot has a znode without its parent');
  return store.insert(parent, path, data, acl);
}
