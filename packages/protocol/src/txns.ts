/**
 * What the leader makes of a request: the change itself, with everything decided, so that every server can only do the same.
 * The wire codecs are in `txn-codec.ts`.
 */
import type { Acl } from './acl.js';
import type { OpCode } from './opcode.js';
import type { Zxid } from './zxid.js';

/** What every txn has (record `TxnHeader`). */
export interface TxnHeader {
  /** The session of the request. */
  readonly clientId: bigint;
  /** The xid of the request. */
  readonly cxid: number;
  readonly zxid: Zxid;
  /** The leader's wall clock, in milliseconds since the Unix epoch. */
  readonly time: number;
  /** The type of the txn, `OpCode.error` for a request that failed. Equal to the body's. */
  readonly type: number;
}

/** What the tree comes to once the txn is applied (record `TxnDigest`); without it, nothing is said of that. */
export interface TxnDigest {
  /** How it is computed; ZooKeeper's since 3.6 is 2. Those of different versions are not to be compared. */
  readonly version: number;
  /** The upper half of its 64 bits, a uint32. */
  readonly high: number;
  /** The lower half, a uint32. */
  readonly low: number;
}

/** A znode comes into being (record `CreateTxn`); of type `create2` where the request was. */
export interface CreateTxn {
  readonly type: typeof OpCode.create | typeof OpCode.create2;
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  /** True where the znode belongs to the session `clientId`. */
  readonly ephemeral: boolean;
  /** What the parent's internal cversion becomes. */
  readonly parentCVersion: number;
}

/** A container comes into being (record `CreateContainerTxn`). */
export interface CreateContainerTxn {
  readonly type: typeof OpCode.createContainer;
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  /** What the parent's internal cversion becomes. */
  readonly parentCVersion: number;
}

/** A znode with a TTL comes into being (record `CreateTTLTxn`). */
export interface CreateTtlTxn {
  readonly type: typeof OpCode.createTTL;
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  /** What the parent's internal cversion becomes. */
  readonly parentCVersion: number;
  /** In milliseconds, 1 to `TTL_MS_MAX`. */
  readonly ttl: number;
}

/** A znode goes (record `DeleteTxn`); of type `deleteContainer` where it is a container or has a TTL, and its time has come. */
export interface DeleteTxn {
  readonly type: typeof OpCode.delete | typeof OpCode.deleteContainer;
  readonly path: string;
}

/** A znode gets new data (record `SetDataTxn`). */
export interface SetDataTxn {
  readonly type: typeof OpCode.setData;
  readonly path: string;
  readonly data: Uint8Array | null;
  /** What the version becomes. */
  readonly version: number;
}

/** A znode gets a new ACL (record `SetACLTxn`). */
export interface SetAclTxn {
  readonly type: typeof OpCode.setACL;
  readonly path: string;
  readonly acl: readonly Acl[];
  /** What the aversion becomes. */
  readonly version: number;
}

/** The session `clientId` begins (record `CreateSessionTxn`). */
export interface CreateSessionTxn {
  readonly type: typeof OpCode.createSession;
  /** The negotiated timeout in milliseconds. */
  readonly timeOut: number;
}

/** The session `clientId` ends, and its ephemerals with it (record `CloseSessionTxn`). */
export interface CloseSessionTxn {
  readonly type: typeof OpCode.closeSession;
  readonly paths: readonly string[];
}

/** A version was as it had to be; nothing changes (record `CheckVersionTxn`). */
export interface CheckTxn {
  readonly type: typeof OpCode.check;
  readonly path: string;
  readonly version: number;
}

/** The request failed; the tree does not change (record `ErrorTxn`). */
export interface ErrorTxn {
  readonly type: typeof OpCode.error;
  readonly err: number;
}

/** Several changes at one zxid (record `MultiTxn`): creations of any kind, delete, setData and check, or errors in the place of all. */
export interface MultiTxn {
  readonly type: typeof OpCode.multi;
  readonly txns: readonly Txn[];
}

/** Every kind of change. */
export type Txn =
  | CreateTxn
  | CreateContainerTxn
  | CreateTtlTxn
  | DeleteTxn
  | SetDataTxn
  | SetAclTxn
  | CreateSessionTxn
  | CloseSessionTxn
  | CheckTxn
  | ErrorTxn
  | MultiTxn;
