/**
 * What is known of each znode, field by field, in rows (`RowPages`) and blobs (`BlobArena`).
 *
 * What only a znode with children needs, or one whose ACL was replaced, lies in a row of its own, which comes with the first child or replacement and goes with the
 * znode: until then those fields are what they are of a znode that never had either. So a leaf takes 32 B of longs, 48 B of ints and its blob.
 */
import { assert } from '@quorate/protocol';
import { BlobArena, NO_BLOB } from './blob-arena.js';
import { NO_ROW, RowPages } from './row-pages.js';
import type { StatSlot } from './tree-digest.js';

declare const handleBrand: unique symbol;

/** A znode inside one `DataTree`. Valid until that znode is deleted; afterwards the number may come back for another one. */
export type NodeHandle = number & { readonly [handleBrand]: true };

/** The root's handle in every tree: it is made first and is never deleted. */
export const ROOT = 0 as NodeHandle;

/** Stands for "no znode" in a field that holds a handle. */
export const NO_NODE = NO_ROW as NodeHandle;

/** Fields kept as float64, which holds every zxid and every time in milliseconds exactly. */
export const Long = {
  czxid: 0,
  mzxid: 1,
  ctime: 2,
  mtime: 3,
  // Of a directory.
  /** Until the first child comes it is the czxid. */
  pzxid: 4,
} as const;
export type LongField = (typeof Long)[keyof typeof Long];

/** Fields kept as int32. Storing wraps, as Java's int does. */
export const Int = {
  // What a search reads stands together, in one line of the processor's cache.
  /** What `ChildIndex` knows it by. */
  hash: 0,
  /** The next znode in the same bucket of `ChildIndex`. */
  bucketNext: 1,
  parent: 2,
  /** Where in the arena its name and data are. */
  blob: 3,
  /** Its row among the directories. */
  directory: 4,
  previousSibling: 5,
  nextSibling: 6,
  version: 7,
  /** What `AclCache` calls the access control list. */
  acl: 8,
  /** What `EphemeralIndex` calls the owner: a session, being a container, or a TTL; 0 for a znode that stays until it is deleted. */
  owner: 9,
  /** What `contentRemainder` makes of path and data; 0 in a tree without a digest. */
  content: 10,
  /** What the znode has brought to the digest of the tree (`znodeDigest`); 0 where it has no part in that. */
  digest: 11,
  // Of a directory, or where an ACL was replaced.
  /** ZooKeeper's internal cversion: the number of children ever created. The one on the wire is computed from it. */
  cversion: 12,
  childCount: 13,
  aversion: 14,
  firstChild: 15,
  lastChild: 16,
} as const;
export type IntField = (typeof Int)[keyof typeof Int];

const LONGS = 4;
const INTS = 12;
const DIRECTORY_LONGS = 1;
const DIRECTORY_INTS = 5;

/** The znodes of one tree. */
export class ZnodePages {
  private rows = new RowPages({ longs: LONGS, ints: INTS });
  private directories = new RowPages({ longs: DIRECTORY_LONGS, ints: DIRECTORY_INTS });
  private blobs: BlobArena;

  /** @param chunkBytes the size of a chunk of the arena, where it is not the usual one. */
  constructor(chunkBytes?: number) {
    this.blobs = new BlobArena(this, chunkBytes);
  }

  /** Rows in use. */
  get count(): number {
    return this.rows.count;
  }

  /** A znode with every number zero and no relatives, whose name is `text` from `start` on. */
  take(text: string, start: number, data: Uint8Array | null): NodeHandle {
    const { rows } = this;
    const handle = rows.take() as NodeHandle;
    rows.setInt(handle, Int.bucketNext, NO_NODE);
    rows.setInt(handle, Int.parent, NO_NODE);
    rows.setInt(handle, Int.directory, NO_ROW);
    rows.setInt(handle, Int.previousSibling, NO_NODE);
    rows.setInt(handle, Int.nextSibling, NO_NODE);
    // Adding a blob may move others, and asks each znode whether it has the one that it came upon.
    rows.setInt(handle, Int.blob, NO_BLOB);
    rows.setInt(handle, Int.blob, this.blobs.add(handle, text, start, data));
    return handle;
  }

  /** Gives a row back. */
  release(handle: NodeHandle): void {
    assert(this.isLive(handle), 'a row is released once');
    const { rows } = this;
    const directory = rows.int(handle, Int.directory);
    if (directory !== NO_ROW) this.directories.release(directory);
    const blob = rows.int(handle, Int.blob);
    rows.setInt(handle, Int.blob, NO_BLOB);
    this.blobs.free(blob);
    rows.release(handle);
  }

  isLive(handle: NodeHandle): boolean {
    return this.rows.has(handle) && this.rows.int(handle, Int.blob) !== NO_BLOB;
  }

  long(handle: NodeHandle, field: LongField): number {
    if (field < LONGS) return this.rows.long(handle, field);
    const directory = this.rows.int(handle, Int.directory);
    return directory === NO_ROW ? this.rows.long(handle, Long.czxid) : this.directories.long(directory, field - LONGS);
  }

  setLong(handle: NodeHandle, field: LongField, value: number): void {
    if (field < LONGS) this.rows.setLong(handle, field, value);
    else if (value !== this.long(handle, field)) this.directories.setLong(this.directoryOf(handle), field - LONGS, value);
  }

  int(handle: NodeHandle, field: IntField): number {
    if (field < INTS) return this.rows.int(handle, field);
    const directory = this.rows.int(handle, Int.directory);
    if (directory === NO_ROW) return field < Int.firstChild ? 0 : NO_NODE;
    return this.directories.int(directory, field - INTS);
  }

  setInt(handle: NodeHandle, field: IntField, value: number): void {
    if (field < INTS) this.rows.setInt(handle, field, value);
    else if (value !== this.int(handle, field)) this.directories.setInt(this.directoryOf(handle), field - INTS, value);
  }

  /** Fills in a Stat but for the owner, with one look for all of it: each digest asks. */
  readStat(handle: NodeHandle, slot: StatSlot): void {
    const { longs, ints } = this.rows.page(handle);
    const long = this.rows.inPage(handle) * LONGS;
    const int = this.rows.inPage(handle) * INTS;
    slot.czxid = longs[long + Long.czxid] as number;
    slot.mzxid = longs[long + Long.mzxid] as number;
    slot.ctime = longs[long + Long.ctime] as number;
    slot.mtime = longs[long + Long.mtime] as number;
    slot.version = ints[int + Int.version] as number;
    const isDirectory = (ints[int + Int.directory] as number) !== NO_ROW;
    slot.pzxid = isDirectory ? this.long(handle, Long.pzxid) : (longs[long + Long.czxid] as number);
    slot.cversion = isDirectory ? this.int(handle, Int.cversion) : 0;
    slot.aversion = isDirectory ? this.int(handle, Int.aversion) : 0;
  }

  /** The last component of the path; the root's is empty. */
  name(handle: NodeHandle): string {
    return this.blobs.name(this.rows.int(handle, Int.blob));
  }

  /** The name in UTF-8, a view. */
  nameBytes(handle: NodeHandle): Uint8Array {
    return this.blobs.nameBytes(this.rows.int(handle, Int.blob));
  }

  /** Whether the name is `text` from `start` to `end`. */
  hasName(handle: NodeHandle, text: string, start: number, end: number): boolean {
    return this.blobs.hasName(this.rows.int(handle, Int.blob), text, start, end);
  }

  /** The whole path, made anew. */
  path(handle: NodeHandle): string {
    if (handle === ROOT) return '/';
    const names: string[] = [];
    for (let node = handle; node !== ROOT; node = this.rows.int(node, Int.parent) as NodeHandle) names.push(this.name(node));
    return `/${names.reverse().join('/')}`;
  }

  /** The length of the path in characters. */
  pathLength(handle: NodeHandle): number {
    let length = handle === ROOT ? 1 : 0;
    for (let node = handle; node !== ROOT; node = this.rows.int(node, Int.parent) as NodeHandle) {
      length += this.blobs.nameLength(this.rows.int(node, Int.blob)) + 1;
    }
    return length;
  }

  /** A view, which stays what it is now. */
  data(handle: NodeHandle): Uint8Array | null {
    return this.blobs.data(this.rows.int(handle, Int.blob));
  }

  /** 0 for null. */
  dataLength(handle: NodeHandle): number {
    return this.blobs.dataLength(this.rows.int(handle, Int.blob));
  }

  setData(handle: NodeHandle, data: Uint8Array | null): void {
    this.blobs.replaceData(handle, data);
  }

  /** All as it is now, to be read only; it stays so whatever is changed here. */
  freeze(): ZnodePages {
    const frozen = new ZnodePages();
    frozen.rows = this.rows.freeze();
    frozen.directories = this.directories.freeze();
    frozen.blobs = this.blobs.freeze();
    return frozen;
  }

  // What the arena asks

  blobOf(owner: number): number {
    return this.rows.int(owner, Int.blob);
  }

  moveBlob(owner: number, to: number): void {
    this.rows.setInt(owner, Int.blob, to);
  }

  private directoryOf(handle: NodeHandle): number {
    const known = this.rows.int(handle, Int.directory);
    if (known !== NO_ROW) return known;
    const directory = this.directories.take();
    this.directories.setLong(directory, Long.pzxid - LONGS, this.rows.long(handle, Long.czxid));
    this.directories.setInt(directory, Int.firstChild - INTS, NO_NODE);
    this.directories.setInt(directory, Int.lastChild - INTS, NO_NODE);
    this.rows.setInt(handle, Int.directory, directory);
    return directory;
  }
}
