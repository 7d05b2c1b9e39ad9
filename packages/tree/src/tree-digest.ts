/**
 * The digest of a tree, 64 bits: equal trees have equal ones, and trees that differ by accident have different ones but for one case in 2^32
 * (`DigestCalculator` version 2, `AdHash`; ZOOKEEPER-3114).
 *
 * It is the sum of the digests of all znodes, so a change costs no more than the znodes that it changes. A znode's is the CRC-32 of its path, its data and
 * its `StatPersisted`; ACLs have no part in it, and neither have the znodes below `/zookeeper`, where servers may differ.
 */
import { CRC32_START, crc32OfBytes, crc32OfInt, crc32OfInts, crc32OfText, type TxnDigest } from '@quorate/protocol';

/** Digests of other versions are computed in other ways. */
export const DIGEST_VERSION = 2;

/** What a znode's digest is made of besides its path and data (record `StatPersisted`). */
export interface PersistedStat {
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  /** The internal one. */
  readonly cversion: number;
  readonly aversion: number;
  /** As a server keeps it: a session, or what says that it is a container or has a TTL. */
  readonly ephemeralOwner: bigint;
}

/** A Stat that is to be filled in. */
export type StatSlot = { -readonly [Field in keyof PersistedStat]: PersistedStat[Field] };

/** One that is empty. */
export function statSlot(): StatSlot {
  return { czxid: 0, mzxid: 0, pzxid: 0, ctime: 0, mtime: 0, version: 0, cversion: 0, aversion: 0, ephemeralOwner: 0n };
}

/** Whether the znode at this path has a part in the digest. */
export function isDigested(path: string): boolean {
  return !path.startsWith('/zookeeper/');
}

/**
 * What path and data bring to a znode's digest: an int32, a remainder of the CRC-32. Whoever keeps it can tell the digest of the same data with
 * another Stat without looking at them again, as when a large znode gets a child.
 */
export function contentRemainder(path: string, data: Uint8Array | null): number {
  return dataRemainder(path === '/' ? ROOT_REMAINDER : crc32OfText(CRC32_START, path), data);
}

/** What the root's path brings to it. */
export const ROOT_REMAINDER = CRC32_START;

/** What the path of a child brings to it, by what its parent's does; the name in UTF-8. */
export function childRemainder(parent: number, name: Uint8Array): number {
  return crc32OfBytes(crc32OfText(parent, '/'), name);
}

/** `contentRemainder` by what the path brings to it. */
export function dataRemainder(path: number, data: Uint8Array | null): number {
  return data === null ? path : crc32OfBytes(path, data);
}

/** The digest of one znode, 32 bits as an int32. What is passed on here are int32s: a greater number would be an object each time. */
export function znodeDigest(content: number, stat: PersistedStat): number {
  let remainder = crc32OfInts(content, highOf(stat.czxid), stat.czxid | 0);
  remainder = crc32OfInts(remainder, highOf(stat.mzxid), stat.mzxid | 0);
  remainder = crc32OfInts(remainder, highOf(stat.pzxid), stat.pzxid | 0);
  remainder = crc32OfInts(remainder, highOf(stat.ctime), stat.ctime | 0);
  remainder = crc32OfInts(remainder, highOf(stat.mtime), stat.mtime | 0);
  remainder = crc32OfInts(remainder, stat.version, stat.cversion);
  remainder = crc32OfInt(remainder, stat.aversion);
  return ~crc32OfOwner(remainder, stat.ephemeralOwner);
}

function highOf(value: number): number {
  return Math.floor(value / 0x1_0000_0000) | 0;
}

/** Nearly every znode has no owner, and bigints are slow. */
function crc32OfOwner(remainder: number, owner: bigint): number {
  if (owner === 0n) return crc32OfInts(remainder, 0, 0);
  return crc32OfInts(remainder, Number(BigInt.asIntN(32, owner >> 32n)), Number(BigInt.asIntN(32, owner)));
}

/** A sum of digests, modulo 2^64, in two halves: exact without a bigint. */
export class TreeDigest implements TxnDigest {
  readonly version = DIGEST_VERSION;
  high = 0;
  low = 0;

  /** What it is now, as a value that stays. */
  copy(): TxnDigest {
    return { version: this.version, high: this.high, low: this.low };
  }

  /** One znode more, by its digest. */
  add(digest: number): void {
    this.low += digest >>> 0;
    if (this.low <= 0xffff_ffff) return;
    this.low -= 0x1_0000_0000;
    this.high = (this.high + 1) >>> 0;
  }

  /** One znode less, by its digest. */
  subtract(digest: number): void {
    this.low -= digest >>> 0;
    if (this.low >= 0) return;
    this.low += 0x1_0000_0000;
    this.high = (this.high - 1) >>> 0;
  }

  set({ high, low }: Pick<TxnDigest, 'high' | 'low'>): void {
    this.high = high;
    this.low = low;
  }
}

/** False where both are computed in the same way and differ; where the versions differ, nothing can be said. */
export function agree(one: TxnDigest, other: TxnDigest): boolean {
  return one.version !== other.version || (one.high === other.high && one.low === other.low);
}

/** As ZooKeeper prints it: 64 bits in hexadecimal, without leading zeros. */
export function formatDigest({ high, low }: TxnDigest): string {
  return ((BigInt(high) << 32n) | BigInt(low)).toString(16);
}
