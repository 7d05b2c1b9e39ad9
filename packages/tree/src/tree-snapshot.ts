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
import { type StoreImage, type StoreLayout, ZnodeStore } from './znode-store.js';

const FORMAT_VERSION = 2;
const FORMAT_VERSION_WITHOUT_DIGEST = 1;
const NO_DIGEST: TxnDigest = { version: 0, high: 0, low: 0 };

/** No request names a longer path, because no frame is longer; so none is read back either. */
const PATH_LENGTH_MAX = 0xfffff;

/** The size of the pieces that `encodeTree` joins, in bytes. */
const PIECE_BYTES = 64 * 1024;

/** Writes a tree. */
export function encodeTree(store: ZnodeStore, lastZxid: Zxid, digest?: TxnDigest): Uint8Array {
  const pieces = [...encodePieces(store.freeze(), { lastZxid, digest }, PIECE_BYTES)];
  const bytes = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** What a snapshot says of the moment that it shows. */
export interface Moment {
  readonly lastZxid: Zxid;
  /** Not one that changes with the tree. */
  readonly digest: TxnDigest | undefined;
}

/**
 * Writes a tree that stood still, step by step: each piece has `pieceBytesMax` bytes or less, and each step does work in proportion to its piece and to the
 * largest znode in it.
 */
export function* encodePieces(image: StoreImage, moment: Moment, pieceBytesMax: number): Generator<Uint8Array> {
  // A step ends once a piece is half full, so that most znodes still fit; what is more than a piece is cut.
  const stepBytes = pieceBytesMax >> 1;
  const writer = new JuteWriter(pieceBytesMax);
  const steps = writeTree(writer, image, moment, stepBytes);
  while (steps.next().done !== true) {
    const written = writer.finish();
    for (let at = 0; at < written.length; at += pieceBytesMax) yield written.subarray(at, at + pieceBytesMax);
  }
}

/** Reads what `encodeTree` wrote. Every znode is checked against the shape of a tree; ProtocolError where the bytes are none. Its digest is not. */
export function decodeTree(bytes: Uint8Array, layout?: StoreLayout): { store: ZnodeStore; lastZxid: Zxid; digest: TxnDigest | undefined } {
  // A view of each buffer will do: the store copies the data that it is given.
  const reader = JuteReader.sharing(bytes);
  const format = reader.int();
  check(format === FORMAT_VERSION || format === FORMAT_VERSION_WITHOUT_DIGEST, 'the snapshot of a tree is of a version that is not known');
  const lastZxid = reader.zxid();
  check(lastZxid >= 0, 'the zxid of a snapshot is not negative');
  const lists = reader.vector(readAclList, 4);
  const nodes = readZnodes(reader, lists, layout);
  readEphemerals(reader, nodes);
  const digest = format === FORMAT_VERSION ? { version: reader.int(), high: reader.int() >>> 0, low: reader.int() >>> 0 } : NO_DIGEST;
  reader.finish();
  return { store: nodes.store, lastZxid, digest: digest.version === NO_DIGEST.version ? undefined : digest };
}

/** Yields whenever `stepBytes` are in the writer, and at the end. */
function* writeTree(writer: JuteWriter, image: StoreImage, { lastZxid, digest = NO_DIGEST }: Moment, stepBytes: number): Generator<void> {
  writer.int(FORMAT_VERSION);
  writer.zxid(lastZxid);
  const listPositions = yield* writeLists(writer, image, stepBytes);
  const ephemeralPositions = yield* writeZnodes(writer, image.rows, listPositions, stepBytes);
  yield* writeEphemerals(writer, image, ephemeralPositions, stepBytes);
  writer.int(digest.version);
  writer.int(digest.high);
  writer.int(digest.low);
  yield;
}

/** Gives the position of each list by its number. */
function* writeLists(writer: JuteWriter, { acls }: StoreImage, stepBytes: number): Generator<void, ReadonlyMap<number, number>> {
  const positions = new Map<number, number>();
  writer.int(acls.length);
  for (const { number, acl } of acls) {
    positions.set(number, positions.size);
    writeAclList(writer, acl);
    if (writer.length >= stepBytes) yield;
  }
  return positions;
}

/** Writes all znodes and gives the position of each ephemeral among them. */
function* writeZnodes(
  writer: JuteWriter,
  rows: ZnodePages,
  listPositions: ReadonlyMap<number, number>,
  stepBytes: number,
): Generator<void, Map<NodeHandle, number>> {
  const ephemeralPositions = new Map<NodeHandle, number>();
  writer.int(rows.count);
  let position = 0;
  let depth = 0;
  for (let node = ROOT; ; ) {
    writeZnode(writer, rows, node, depth, listPositions.get(rows.int(node, Int.acl)) as number);
    if (rows.int(node, Int.owner) !== NO_OWNER) ephemeralPositions.set(node, position);
    if (writer.length >= stepBytes) yield;
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
  writer.int(depth);
  // A string is written as its bytes behind their number, and the rows have the bytes.
  writer.buffer(rows.nameBytes(node));
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

function* writeEphemerals(
  writer: JuteWriter,
  { owners }: StoreImage,
  positions: ReadonlyMap<NodeHandle, number>,
  stepBytes: number,
): Generator<void> {
  writer.int(owners.length);
  for (const { owner, nodes } of owners) {
    writer.long(owner);
    writer.int(nodes.size);
    for (const node of nodes) {
      writer.int(positions.get(node) as number);
      if (writer.length >= stepBytes) yield;
    }
  }
}

/** The znodes read so far, by position. */
interface Znodes {
  readonly store: ZnodeStore;
  readonly count: number;
}

/** Rows of a new store are taken in order, so a znode's handle is its position. */
function readZnodes(reader: JuteReader, lists: readonly (readonly Acl[])[], layout: StoreLayout | undefined): Znodes {
  const store = new ZnodeStore(OPEN_ACL_UNSAFE, layout);
  const { rows } = store;
  const count = reader.int();
  let previous = ROOT;
  let previousDepth = 0;
  /** By depth, down to the last znode. The root's counts as none, as no child's path has a slash more for it. */
  const pathLengths = [0];
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
      const pathLength = (pathLengths[depth - 1] as number) + 1 + name.length;
      pathLengths[depth] = pathLength;
      check(name !== '' && !name.includes('/'), 'a name is not empty and has no slash');
      check(pathLength <= PATH_LENGTH_MAX, 'a path is no longer than a frame');
      check(store.findChild(parent, name) === undefined, 'a path occurs once');
      node = store.insertChild(parent, { path: name, nameAt: 0, pathLength, data, acl });
    }
    readNumbers(reader, rows, node);
    previous = node;
    previousDepth = depth;
  }
  for (const path of BUILT_IN_PATHS) check(store.find(path) !== undefined, 'a tree has its built-in znodes');
  return { store, count };
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
