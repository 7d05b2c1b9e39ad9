/**
 * Where znodes lie in memory: pages of 1,024 rows, the fields of a row packed into two typed arrays, so that a znode is no object and a million
 * of them are a thousand things to the garbage collector's eye. A page never moves, so growth copies nothing and makes no pause.
 *
 * A row costs 40 B of longs, 48 B of ints and two references. Free rows form a list through `nextSibling`.
 */
import { assert } from '@quorate/protocol';

declare const handleBrand: unique symbol;

/** A znode inside one `DataTree`. Valid until that znode is deleted; afterwards the number may come back for another one. */
export type NodeHandle = number & { readonly [handleBrand]: true };

/** The root's handle in every tree: it is made first and is never deleted. */
export const ROOT = 0 as NodeHandle;

/** Stands for "no znode" in a field that holds a handle. */
export const NO_NODE = -1 as NodeHandle;

/** Fields kept as float64, which holds every zxid and every time in milliseconds exactly. */
export const Long = { czxid: 0, mzxid: 1, pzxid: 2, ctime: 3, mtime: 4 } as const;
export type LongField = (typeof Long)[keyof typeof Long];

/** Fields kept as int32. Storing wraps, as Java's int does. */
export const Int = {
  version: 0,
  /** ZooKeeper's internal cversion: the number of children ever created. The one on the wire is computed from it. */
  cversion: 1,
  aversion: 2,
  /** What `AclCache` calls the access control list. */
  acl: 3,
  /** What `EphemeralIndex` calls the owner: a session, being a container, or a TTL; 0 for a znode that stays until it is deleted. */
  owner: 4,
  childCount: 5,
  /** What `contentRemainder` makes of path and data; 0 in a tree without a digest. */
  content: 6,
  parent: 7,
  firstChild: 8,
  lastChild: 9,
  previousSibling: 10,
  nextSibling: 11,
} as const;
export type IntField = (typeof Int)[keyof typeof Int];

const ROW_BITS = 10;
const ROWS = 1 << ROW_BITS;
const ROW_MASK = ROWS - 1;
const LONGS = 5;
const INTS = 12;

/** More rows than this cannot be told apart in an int32. */
const ROWS_MAX = 2 ** 31 - ROWS;

class Page {
  readonly longs = new Float64Array(ROWS * LONGS);
  readonly ints = new Int32Array(ROWS * INTS);
  /** The whole path; empty in a free row. Its string is the key in `PathIndex` too, so it is held once. */
  readonly paths: string[] = new Array<string>(ROWS).fill('');
  readonly data: (Uint8Array | null)[] = new Array<Uint8Array | null>(ROWS).fill(null);
}

/** The rows of one tree. */
export class ZnodePages {
  /** Rows in use. */
  count = 0;
  private readonly pages: Page[] = [];
  /** Rows that were ever in use; the next fresh one. Invariant: count <= used. */
  private used = 0;
  private firstFree: NodeHandle = NO_NODE;

  /** A row with every number zero, no data and no relatives. */
  take(path: string): NodeHandle {
    assert(path !== '', 'an empty path marks a free row');
    let handle = this.firstFree;
    if (handle === NO_NODE) {
      assert(this.used < ROWS_MAX, 'a tree holds less than 2^31 znodes');
      handle = this.used++ as NodeHandle;
      if (handle >>> ROW_BITS === this.pages.length) this.pages.push(new Page());
    } else {
      this.firstFree = this.int(handle, Int.nextSibling) as NodeHandle;
    }
    this.count++;
    const page = this.page(handle);
    const row = handle & ROW_MASK;
    page.longs.fill(0, row * LONGS, (row + 1) * LONGS);
    page.ints.fill(0, row * INTS, row * INTS + Int.parent);
    page.ints.fill(NO_NODE, row * INTS + Int.parent, (row + 1) * INTS);
    page.paths[row] = path;
    return handle;
  }

  /** Gives a row back. */
  release(handle: NodeHandle): void {
    assert(this.isLive(handle), 'a row is released once');
    const page = this.page(handle);
    page.paths[handle & ROW_MASK] = '';
    page.data[handle & ROW_MASK] = null;
    this.setInt(handle, Int.nextSibling, this.firstFree);
    this.firstFree = handle;
    this.count--;
  }

  isLive(handle: NodeHandle): boolean {
    return handle >= 0 && handle < this.used && this.path(handle) !== '';
  }

  long(handle: NodeHandle, field: LongField): number {
    return this.page(handle).longs[(handle & ROW_MASK) * LONGS + field] as number;
  }

  setLong(handle: NodeHandle, field: LongField, value: number): void {
    this.page(handle).longs[(handle & ROW_MASK) * LONGS + field] = value;
  }

  int(handle: NodeHandle, field: IntField): number {
    return this.page(handle).ints[(handle & ROW_MASK) * INTS + field] as number;
  }

  setInt(handle: NodeHandle, field: IntField, value: number): void {
    this.page(handle).ints[(handle & ROW_MASK) * INTS + field] = value;
  }

  path(handle: NodeHandle): string {
    return this.page(handle).paths[handle & ROW_MASK] as string;
  }

  data(handle: NodeHandle): Uint8Array | null {
    return this.page(handle).data[handle & ROW_MASK] as Uint8Array | null;
  }

  setData(handle: NodeHandle, data: Uint8Array | null): void {
    this.page(handle).data[handle & ROW_MASK] = data;
  }

  private page(handle: NodeHandle): Page {
    return this.pages[handle >>> ROW_BITS] as Page;
  }
}
