/**
 * The child of a parent by its name: linear hashing (Litwin 1980) with the buckets chained through the znodes themselves.
 *
 * With each znode that comes one bucket is split, so there are as many buckets as there ever were znodes at once, and no growth ever takes longer than
 * that. A path is looked up component by component. Measured with a million znodes in a thousand directories: see docs/decisions/0013-tree-layout.md.
 */
import { assert } from '@quorate/protocol';
import type { NameHash } from './name-hash.js';
import { Int, NO_NODE, type NodeHandle, type ZnodePages } from './znode-pages.js';

const PAGE_BITS = 10;
const PAGE = 1 << PAGE_BITS;
const PAGE_MASK = PAGE - 1;

export class ChildIndex {
  private readonly rows: ZnodePages;
  private readonly hash: NameHash;
  /** The first znode of each bucket, in pages of 1,024. */
  private readonly heads: Int32Array[] = [];
  private buckets = 0;
  /** A power of two, less one. Invariant: mask / 2 < buckets <= mask + 1 where there are any. */
  private mask = 0;
  private count = 0;

  constructor(rows: ZnodePages, hash: NameHash) {
    this.rows = rows;
    this.hash = hash;
    this.addBucket();
  }

  /** The child whose name is `text` from `start` to `end`. */
  find(parent: NodeHandle, text: string, start: number, end: number): NodeHandle | undefined {
    return this.findHashed(this.hash(parent, text, start, end), parent, text, start, end);
  }

  private findHashed(hash: number, parent: NodeHandle, text: string, start: number, end: number): NodeHandle | undefined {
    const { rows } = this;
    for (let node = this.head(this.bucketOf(hash)); node !== NO_NODE; node = rows.int(node, Int.bucketNext) as NodeHandle) {
      if (rows.int(node, Int.hash) !== hash || rows.int(node, Int.parent) !== parent) continue;
      if (rows.hasName(node, text, start, end)) return node;
    }
    return undefined;
  }

  /** What a child is to be added under, whose name is `text` from `start` on. */
  reserve(parent: NodeHandle, text: string, start: number): number {
    const hash = this.hash(parent, text, start, text.length);
    assert(this.findHashed(hash, parent, text, start, text.length) === undefined, 'a created path is free');
    return hash;
  }

  /** Adds a znode that knows its parent, under what `reserve` has given for its name. */
  add(node: NodeHandle, hash: number): void {
    const { rows } = this;
    rows.setInt(node, Int.hash, hash);
    this.push(this.bucketOf(hash), node);
    this.count++;
    if (this.count > this.buckets) this.split();
  }

  delete(node: NodeHandle): void {
    const { rows } = this;
    const bucket = this.bucketOf(rows.int(node, Int.hash));
    const next = rows.int(node, Int.bucketNext) as NodeHandle;
    this.count--;
    let before = this.head(bucket);
    if (before === node) {
      this.setHead(bucket, next);
      return;
    }
    while (rows.int(before, Int.bucketNext) !== node) before = rows.int(before, Int.bucketNext) as NodeHandle;
    rows.setInt(before, Int.bucketNext, next);
  }

  /** Adds a bucket, and gives it what is its own of the one bucket that had it so far. */
  private split(): void {
    const { rows } = this;
    const added = this.addBucket();
    const from = added & (this.mask >> 1);
    let node = this.head(from);
    this.setHead(from, NO_NODE);
    while (node !== NO_NODE) {
      const next = rows.int(node, Int.bucketNext) as NodeHandle;
      this.push(this.bucketOf(rows.int(node, Int.hash)), node);
      node = next;
    }
  }

  private addBucket(): number {
    const added = this.buckets++;
    if (added > this.mask) this.mask = this.mask * 2 + 1;
    if (added >>> PAGE_BITS === this.heads.length) this.heads.push(new Int32Array(PAGE).fill(NO_NODE));
    return added;
  }

  private bucketOf(hash: number): number {
    const bucket = hash & this.mask;
    return bucket < this.buckets ? bucket : bucket & (this.mask >> 1);
  }

  private push(bucket: number, node: NodeHandle): void {
    this.rows.setInt(node, Int.bucketNext, this.head(bucket));
    this.setHead(bucket, node);
  }

  private head(bucket: number): NodeHandle {
    return (this.heads[bucket >>> PAGE_BITS] as Int32Array)[bucket & PAGE_MASK] as NodeHandle;
  }

  private setHead(bucket: number, node: NodeHandle): void {
    (this.heads[bucket >>> PAGE_BITS] as Int32Array)[bucket & PAGE_MASK] = node;
  }
}
