/** The digest of a tree from scratch: every znode's bytes in one array, the checksum of zlib, and a bigint for the sum. */
import { crc32 } from 'node:zlib';
import type { TxnDigest } from '@quorate/protocol';

export interface TwinZnode {
  readonly path: string;
  readonly data: Uint8Array;
  /** czxid, mzxid, pzxid, ctime, mtime. */
  readonly longs: readonly number[];
  /** version, internal cversion, aversion. */
  readonly ints: readonly number[];
  readonly owner: bigint;
}

export function digestFromScratch(znodes: Iterable<TwinZnode>): TxnDigest {
  let sum = 0n;
  for (const znode of znodes) if (!znode.path.startsWith('/zookeeper/')) sum += BigInt(crc32(bytesOf(znode)));
  return { version: 2, high: Number(BigInt.asUintN(32, sum >> 32n)), low: Number(BigInt.asUintN(32, sum)) };
}

function bytesOf({ path, data, longs, ints, owner }: TwinZnode): Buffer {
  const stat = new DataView(new ArrayBuffer(60));
  for (const [index, value] of longs.entries()) stat.setBigInt64(index * 8, BigInt(value));
  for (const [index, value] of ints.entries()) stat.setInt32(40 + index * 4, value);
  stat.setBigInt64(52, owner);
  return Buffer.concat([Buffer.from(path === '/' ? '' : path), data, new Uint8Array(stat.buffer)]);
}
