/** What one txn that is under way makes of a znode, and the room for it. */
import { type Acl, NO_ZXID, type Zxid } from '@quorate/protocol';
import type { PersistedStat } from '@quorate/tree';

/** All that later requests are checked against, and all that goes into the znode's digest. */
export interface ChangeRecord extends PersistedStat {
  /** The txn's; NO_ZXID in what stands for a znode as the tree has it. */
  readonly zxid: Zxid;
  readonly path: string;
  /** False for a znode that the txn deletes; the other fields are then those that it had. */
  readonly exists: boolean;
  readonly acl: readonly Acl[];
  /** Undefined for those that the tree has: most requests do not ask. */
  readonly data: Uint8Array | null | undefined;
  readonly dataLength: number;
  readonly childCount: number;
  /** What path and data bring to the digest. */
  readonly content: number;
  /** What the znode brings to the digest of the tree. */
  readonly digest: number;
}

/** A record that is being made: `PendingChanges.record` fills in what concerns its digest, which until then is that of the record before. */
export type ChangeDraft = { -readonly [Field in keyof ChangeRecord]: ChangeRecord[Field] };

/** Records that are kept to be used again; some 200 bytes each. */
const SPARE_RECORDS_MAX = 4_096;

const NO_ACL: readonly Acl[] = [];

/**
 * Records come and go with each write, and live for as long as its txn is under way. New ones each time would be most of what the collector has to copy, so
 * they are used again.
 */
export class RecordPool {
  readonly #spare: ChangeDraft[] = [];

  /** A record that stands for nothing yet: all of it is to be filled in. */
  take(): ChangeDraft {
    return this.#spare.pop() ?? newRecord();
  }

  /** A copy. */
  copy(record: ChangeRecord): ChangeDraft {
    const copy = this.take();
    copy.zxid = record.zxid;
    copy.path = record.path;
    copy.exists = record.exists;
    copy.acl = record.acl;
    copy.data = record.data;
    copy.dataLength = record.dataLength;
    copy.childCount = record.childCount;
    copy.content = record.content;
    copy.digest = record.digest;
    copy.czxid = record.czxid;
    copy.mzxid = record.mzxid;
    copy.pzxid = record.pzxid;
    copy.ctime = record.ctime;
    copy.mtime = record.mtime;
    copy.version = record.version;
    copy.cversion = record.cversion;
    copy.aversion = record.aversion;
    copy.ephemeralOwner = record.ephemeralOwner;
    return copy;
  }

  /** Takes back a record that nobody knows any more. */
  give(record: ChangeRecord): void {
    if (this.#spare.length === SPARE_RECORDS_MAX) return;
    const spare: ChangeDraft = record;
    spare.data = undefined;
    this.#spare.push(spare);
  }
}

function newRecord(): ChangeDraft {
  return {
    zxid: NO_ZXID,
    path: '',
    exists: false,
    acl: NO_ACL,
    data: undefined,
    dataLength: 0,
    childCount: 0,
    content: 0,
    digest: 0,
    czxid: 0,
    mzxid: 0,
    pzxid: 0,
    ctime: 0,
    mtime: 0,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: 0n,
  };
}
