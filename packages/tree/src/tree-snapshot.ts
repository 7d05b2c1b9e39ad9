/**
 * A tree as bytes and back, exact at one zxid. The format is our own, in jute's encoding:
 *
 *     int     format version, 2
 *     long    lastZxid
 *     ACL[][] the access control lists in use, OPEN_ACL_UNSAFE first
 *     int     count of znodes, then per znode, in pre-order, the root first and children in order of creation:
 *               int depth, string name, buffer data, int access control list,
 *               long czxid, mzxid, pzxid, ctime, mtime, int version, cversion, aversion
 *     int     count of owners, then per owner:
 *               long owner, a session or, as ephemeralOwner has them, that of containers or a TTL; int[] what it owns in order of creation, as positions
 *               among the znodes
 *     int     version of the digest, 0 where there is none, and then
 *     int     high, low: its halves
 *
 * Format version 1 ends before the digest.
 *
 * Depth and name stand for the path, so writing and reading go from row to row without recursion, however deep the tree is.
 */
import {
  type Acl,
  JuteReader,
  JuteWriter,
  joinPath,
  OPEN_ACL_UNSAFE,
  ProtocolError,
  readAclList,
  sessionOf,
  type TxnDigest,
  writeAclList,
  type Zxid,
} from '@quorate/protocol';
import { BUILT_IN_PATHS, isBuiltIn } from './built-in-znodes.js';
import { NO_OWNER } from './ephemeral-index.js';
import { Int, Long, NO_NODE, type NodeHandle, ROOT, type ZnodePages } from './znode-pages.js';
import { ZnodeStore } from './znode-store.js';

const FORMAT_VERSION = 2;
const FORMAT_VERSION_WITHOUT_DIGEST = 1;
const NO_DIGEST: TxnDigest = { version: 0, high: 0, low: 0 };

/** No request names a longer path, because no frame is longer; so none is read back either. */
const PATH_LENGTH_MAX = 0xfffff;

/** What a znode takes beside its name and its data. */
const ZNODE_BYTES = 68;

const SLACK_BYTES = 4096;

/** Writes a tree. */
export function encodeTree(store: ZnodeStore, lastZxid: Zxid, digest = NO_DIGEST): Uint8Array {
  // Room for all at once, because growing copies: nothing but names beyond ASCII, many lists or many ephemerals take more than this.
  const writer = new JuteWriter(ZNODE_BYTES * store.rows.count + store.pathAndDataLength + SLACK_BYTES);
  writer.int(FORMAT_VERSION);
  writer.zxid(lastZxid);
  const lists = store.acls.liveNumbers();
  writer.vector(lists, (list, number) => writeAclList(list, store.acls.get(number)));
  const listPositions = new Map(lists.map((number, position) => [number, position]));
  const ephemeralPositions = writeZnodes(writer, store.rows, listPositions);
  writeEphemerals(writer, store, ephemeralPositions);
  writer.int(digest.version);
  writer.int(digest.high);
  writer.int(digest.low);
  return writer.finish();
}

/** Reads what `encodeTree` wrote. Every znode is checked against the shape of a tree; ProtocolError where the bytes are none. Its digest is not. */
export function decodeTree(bytes: Uint8Array): { store: ZnodeStore; lastZxid: Zxid; digest: TxnDigest | undefined } {
  const reader = new JuteReader(bytes);
  const format = reader.int();
  check(format === FORMAT_VERSION || format === FORMAT_VERSION_WITHOUT_DIGEST, 'the snapshot of a tree is of a version that is not known');
  const lastZxid = reader.zxid();
  check(lastZxid >= 0, 'the zxid of a snapshot is not negative');
  const lists = reader.vector(readAclList, 4);
  const nodes = readZnodes(reader, lists);
  readEphemerals(reader, nodes);
  const digest = format === FORMAT_VERSION ? { version: reader.int(), high: reader.int() >>> 0, low: reader.int() >>> 0 } : NO_DIGEST;
  reader.finish();
  return { store: nodes.store, lastZxid, digest: digest.version === NO_DIGEST.version ? undefined : digest };
}

/** Writes all znodes and gives the position of each ephemeral among them. */
function writeZnodes(writer: JuteWriter, rows: ZnodePages, listPositions: ReadonlyMap<number, number>): Map<NodeHandle, number> {
  const ephemeralPositions = new Map<NodeHandle, number>();
  writer.int(rows.count);
  let position = 0;
  let depth = 0;
  for (let node = ROOT; ; ) {
    writeZnode(writer, rows, node, depth, listPositions.get(rows.int(node, Int.acl)) as number);
    if (rows.int(node, Int.owner) !== NO_OWNER) ephemeralPositions.set(node, position);
    position++;
    const child = rows.int(node, Int.firstChild) as NodeHandle;
    if (child !== NO_NODE) {
      node = child;
      depth++;
      continue;
    }
    while (node !== ROOT && rows.int(node, Int.nextSibling) === NO_NODE) {
      node = rows.int(node, Int.parent) as NodeHandle;
      depth--;
    }
    if (node === ROOT) return ephemeralPositions;
    node = rows.int(node, Int.nextSibling) as NodeHandle;
  }
}

function writeZnode(writer: JuteWriter, rows: ZnodePages, node: NodeHandle, depth: number, list: number): void {
  const path = rows.path(node);
  writer.int(depth);
  writer.string(path.slice(path.lastIndexOf('/') + 1));
  writer.buffer(rows.data(node));
  writer.int(list);
  writer.zxid(rows.long(node, Long.czxid) as Zxid);
  writer.zxid(rows.long(node, Long.mzxid) as Zxid);
  writer.zxid(rows.long(node, Long.pzxid) as Zxid);
  writer.longNumber(rows.long(node, Long.ctime));
  writer.longNumber(rows.long(node, Long.mtime));
  writer.int(rows.int(node, Int.version));
  writer.int(rows.int(node, Int.cversion));
  writer.int(rows.int(node, Int.aversion));
}

function writeEphemerals(writer: JuteWriter, { ephemerals }: ZnodeStore, positions: ReadonlyMap<NodeHandle, number>): void {
  writer.int(ephemerals.ownerCount);
  for (const owner of ephemerals.owners()) {
    writer.long(owner);
    const nodes = [...(ephemerals.nodesOf(owner) ?? [])];
    writer.vector(nodes, (list, node) => list.int(positions.get(node) as number));
  }
}

/** The znodes read so far, by position. */
interface Znodes {
  readonly store: ZnodeStore;
  readonly count: number;
}

/** Rows of a new store are taken in order, so a znode's handle is its position. */
function readZnodes(reader: JuteReader, lists: readonly (readonly Acl[])[]): Znodes {
  const store = new ZnodeStore(OPEN_ACL_UNSAFE);
  const { rows } = store;
  const count = reader.int();
  let previous = ROOT;
  let previousDepth = 0;
  for (let position = 0; position < count; position++) {
    const depth = reader.int();
    const name = reader.string();
    const data = reader.buffer();
    const acl = lists[reader.int()];
    check(acl !== undefined, 'a znode names a list of the snapshot');
    let node = ROOT;
    if (position === 0) {
      check(depth === 0 && name === '', 'the root comes first');
      store.setData(ROOT, data);
      store.setAcl(ROOT, acl);
    } else {
      check(depth >= 1 && depth <= previousDepth + 1, 'a znode follows its parent');
      let parent = previous;
      for (let level = previousDepth; level >= depth; level--) parent = rows.int(parent, Int.parent) as NodeHandle;
      node = store.insert(parent, freePath(store, parent, name), data, acl);
    }
    readNumbers(reader, rows, node);
    previous = node;
    previousDepth = depth;
  }
  for (const path of BUILT_IN_PATHS) check(store.find(path) !== undefined, 'a tree has its built-in znodes');
  return { store, count };
}

/** The path of a new child. */
function freePath(store: ZnodeStore, parent: NodeHandle, name: string): string {
  const parentPath = store.rows.path(parent);
  check(name !== '' && !name.includes('/'), 'a name is not empty and has no slash');
  check(parentPath.length + name.length < PATH_LENGTH_MAX, 'a path is no longer than a frame');
  const path = joinPath(parentPath, name);
  check(store.find(path) === undefined, 'a path occurs once');
  return path;
}

function readNumbers(reader: JuteReader, rows: ZnodePages, node: NodeHandle): void {
  rows.setLong(node, Long.czxid, reader.zxid());
  rows.setLong(node, Long.mzxid, reader.zxid());
  rows.setLong(node, Long.pzxid, reader.zxid());
  rows.setLong(node, Long.ctime, reader.longNumber());
  rows.setLong(node, Long.mtime, reader.longNumber());
  rows.setInt(node, Int.version, reader.int());
  rows.setInt(node, Int.cversion, reader.int());
  rows.setInt(node, Int.aversion, reader.int());
}

function readEphemerals(reader: JuteReader, { store, count }: Znodes): void {
  const owners = reader.int();
  check(owners >= 0, 'a count is not negative');
  for (let index = 0; index < owners; index++) {
    const owner = reader.long();
    check(owner !== 0n && store.ephemerals.nodesOf(owner) === undefined, 'an owner occurs once');
    const positions = reader.vector((list) => list.int(), 4);
    check(positions.length > 0, 'an owner in the list has an ephemeral');
    for (const position of positions) {
      check(position >= 0 && position < count, 'an ephemeral is one of the znodes');
      const node = position as NodeHandle;
      check(!isBuiltIn(store.rows.path(node)), 'a built-in znode is not ephemeral');
      check(sessionOf(owner) === 0n || store.rows.int(node, Int.childCount) === 0, 'an ephemeral has no children');
      check(store.rows.int(node, Int.owner) === NO_OWNER, 'an ephemeral has one owner');
      store.own(node, owner);
    }
  }
}

function check(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new ProtocolError('BAD_VALUE', fact);
}
