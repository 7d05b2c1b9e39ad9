/** The state of a server as a snapshot of Apache ZooKeeper's (`FileSnap.serialize`, `DataTree.serialize`), in pieces. */
import { type Acl, JuteWriter, OPEN_ACL_UNSAFE, type TxnDigest, writeAclList } from '@quorate/protocol';
import type { Database } from '@quorate/server';
import type { DataTree, NodeHandle } from '@quorate/tree';
import { Adler32 } from './adler32.js';

const MAGIC = 0x5a4b_534e;
const VERSION = 2;
const NO_DATABASE = -1n;
/** The number of the list that nearly every znode has; the others are numbered from 1. */
const OPEN_ACL = -1n;
const PIECE_BYTES = 64 * 1024;

/** @param onZnodes told how many znodes have been written. */
export function* apacheSnapshot({ tree, sessions, lastZxid }: Database, onZnodes: (count: number) => void): Generator<Uint8Array> {
  const writer = new JuteWriter(PIECE_BYTES * 2);
  const checksum = new Adler32();
  function* flush(bytesMin: number): Generator<Uint8Array> {
    if (writer.length < bytesMin) return;
    const piece = writer.finish();
    checksum.add(piece);
    yield piece;
  }
  function* seal(): Generator<Uint8Array> {
    yield* flush(1);
    writer.long(BigInt(checksum.value));
    writer.string('/');
    yield* flush(1);
  }

  writer.int(MAGIC);
  writer.int(VERSION);
  writer.long(NO_DATABASE);
  writer.int(sessions.size);
  for (const [id, timeoutMs] of sessions.entries()) {
    writer.long(id);
    writer.int(timeoutMs);
    yield* flush(PIECE_BYTES);
  }
  const lists = numberedLists(tree);
  writer.int(lists.size);
  for (const [acl, number] of lists) {
    writer.long(number);
    writeAclList(writer, acl);
    yield* flush(PIECE_BYTES);
  }
  let count = 0;
  for (const path of paths(tree)) {
    writeZnode(writer, tree, path, lists);
    onZnodes(++count);
    yield* flush(PIECE_BYTES);
  }
  writer.string('/');
  yield* seal();
  const digest = tree.digest as TxnDigest;
  writer.zxid(lastZxid);
  writer.int(digest.version);
  writer.int(digest.high);
  writer.int(digest.low);
  yield* seal();
}

/** The lists in use but the open one. The tree has each once, so they are told apart by what they are. */
function numberedLists(tree: DataTree): Map<readonly Acl[], bigint> {
  const lists = new Map<readonly Acl[], bigint>();
  for (const path of paths(tree)) {
    const acl = tree.acl(tree.find(path) as NodeHandle);
    if (acl !== OPEN_ACL_UNSAFE && !lists.has(acl)) lists.set(acl, BigInt(lists.size + 1));
  }
  return lists;
}

/** Each behind its parent, children in order of creation. */
function* paths(tree: DataTree): Generator<string> {
  const rest = ['/'];
  for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
    yield path;
    const base = path === '/' ? '' : path;
    const names = tree.children(tree.find(path) as NodeHandle);
    for (let i = names.length - 1; i >= 0; i--) rest.push(`${base}/${names[i]}`);
  }
}

function writeZnode(writer: JuteWriter, tree: DataTree, path: string, lists: ReadonlyMap<readonly Acl[], bigint>): void {
  const node = tree.find(path) as NodeHandle;
  const stat = tree.persistedStat(node);
  writer.string(path === '/' ? '' : path);
  writer.buffer(tree.data(node));
  writer.long(lists.get(tree.acl(node)) ?? OPEN_ACL);
  writer.longNumber(stat.czxid);
  writer.longNumber(stat.mzxid);
  writer.longNumber(stat.ctime);
  writer.longNumber(stat.mtime);
  writer.int(stat.version);
  writer.int(stat.cversion);
  writer.int(stat.aversion);
  writer.long(stat.ephemeralOwner);
  writer.longNumber(stat.pzxid);
}
