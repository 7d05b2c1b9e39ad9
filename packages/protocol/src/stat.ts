import type { Codec } from './codec.js';
import type { Zxid } from './zxid.js';

/** What ZooKeeper tells about a znode (record `Stat`). */
export interface Stat {
  /** The txn that created the znode. */
  readonly czxid: Zxid;
  /** The txn that changed the data last. */
  readonly mzxid: Zxid;
  /** When the znode was created, in milliseconds since the Unix epoch by the leader's wall clock. */
  readonly ctime: number;
  /** When the data was changed last, likewise. */
  readonly mtime: number;
  /** How often the data was changed. An int32 that wraps, as are the two others. */
  readonly version: number;
  /** How often children were created or deleted. */
  readonly cversion: number;
  /** How often the ACL was changed. */
  readonly aversion: number;
  /** The session with which the znode goes; `0n` for any other znode. */
  readonly ephemeralOwner: bigint;
  /** Length of the data in bytes. */
  readonly dataLength: number;
  readonly numChildren: number;
  /** The txn that created or deleted a child last, or created the znode. */
  readonly pzxid: Zxid;
}

/** The length of every encoded `Stat`. */
export const STAT_BYTES = 68;

/** Record `Stat`, 68 bytes; the fields of one after the other, pzxid last. */
export const statCodec: Codec<Stat> = {
  read(reader) {
    return {
      czxid: reader.zxid(),
      mzxid: reader.zxid(),
      ctime: reader.longNumber(),
      mtime: reader.longNumber(),
      version: reader.int(),
      cversion: reader.int(),
      aversion: reader.int(),
      ephemeralOwner: reader.long(),
      dataLength: reader.int(),
      numChildren: reader.int(),
      pzxid: reader.zxid(),
    };
  },
  write(writer, stat) {
    writer.zxid(stat.czxid);
    writer.zxid(stat.mzxid);
    writer.longNumber(stat.ctime);
    writer.longNumber(stat.mtime);
    writer.int(stat.version);
    writer.int(stat.cversion);
    writer.int(stat.aversion);
    writer.long(stat.ephemeralOwner);
    writer.int(stat.dataLength);
    writer.int(stat.numChildren);
    writer.zxid(stat.pzxid);
  },
};
