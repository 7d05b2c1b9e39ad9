/** What a client asks for: one record per operation, told apart by `type`. The wire codecs are in `request-codec.ts`. */
import type { Acl } from './acl.js';
import type { OpCode } from './opcode.js';
import type { Zxid } from './zxid.js';

/** Creates a znode; `create2` and `createContainer` are answered with its Stat as well. */
export interface CreateRequest {
  readonly type: typeof OpCode.create | typeof OpCode.create2 | typeof OpCode.createContainer;
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  /** A `CreateMode`, but any int32 can come over the wire. */
  readonly flags: number;
}

/** Creates a znode that goes when it has not been changed for a time and has no children. */
export interface CreateTtlRequest {
  readonly type: typeof OpCode.createTTL;
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  /** A `CreateMode` with a TTL, but any int32 can come over the wire. */
  readonly flags: number;
  /** In milliseconds, 1 to `TTL_MS_MAX`, but any whole number can come over the wire. */
  readonly ttl: number;
}

/** Deletes a znode without children. */
export interface DeleteRequest {
  readonly type: typeof OpCode.delete;
  readonly path: string;
  /** The version that the znode must have; −1 for any. */
  readonly version: number;
}

/** Reads about a znode, and leaves a watch where `watch` is set. */
export interface ReadRequest {
  readonly type: typeof OpCode.exists | typeof OpCode.getData | typeof OpCode.getChildren | typeof OpCode.getChildren2;
  readonly path: string;
  readonly watch: boolean;
}

/** Replaces the data of a znode. */
export interface SetDataRequest {
  readonly type: typeof OpCode.setData;
  readonly path: string;
  readonly data: Uint8Array | null;
  /** The version that the znode must have; −1 for any. */
  readonly version: number;
}

/** Reads the ACL of a znode. */
export interface GetAclRequest {
  readonly type: typeof OpCode.getACL;
  readonly path: string;
}

/** Replaces the ACL of a znode. */
export interface SetAclRequest {
  readonly type: typeof OpCode.setACL;
  readonly path: string;
  readonly acl: readonly Acl[];
  /** The aversion that the znode must have; −1 for any. */
  readonly version: number;
}

/** Brings the server up to what the leader has committed. The path is only echoed. */
export interface SyncRequest {
  readonly type: typeof OpCode.sync;
  readonly path: string;
}

/** Asks that a znode have a version. Legal within a multi only. */
export interface CheckRequest {
  readonly type: typeof OpCode.check;
  readonly path: string;
  /** The version that the znode must have; −1 asks only that it exist. */
  readonly version: number;
}

/** What a multi may hold. */
export type MultiOp = CreateRequest | CreateTtlRequest | DeleteRequest | SetDataRequest | CheckRequest;

/** Several writes as one txn: all of them, or none. */
export interface MultiRequest {
  readonly type: typeof OpCode.multi;
  readonly ops: readonly MultiOp[];
}

/** What a multiRead may hold. A watch that is asked for is not set. */
export interface MultiReadOp {
  readonly type: typeof OpCode.getData | typeof OpCode.getChildren;
  readonly path: string;
  readonly watch: boolean;
}

/** Several reads of one state, each with a result of its own. */
export interface MultiReadRequest {
  readonly type: typeof OpCode.multiRead;
  readonly ops: readonly MultiReadOp[];
}

/** Asks for the session's own ephemerals. */
export interface GetEphemeralsRequest {
  readonly type: typeof OpCode.getEphemerals;
  /** Those whose paths begin with this, be it in the middle of a name; all for `/` and for nothing. */
  readonly prefixPath: string;
}

/** Asks how many znodes there are below a path, at any depth. */
export interface GetAllChildrenNumberRequest {
  readonly type: typeof OpCode.getAllChildrenNumber;
  readonly path: string;
}

/** Asks as whom the server takes the client. */
export interface WhoAmIRequest {
  readonly type: typeof OpCode.whoAmI;
}

/** Keeps the session alive. */
export interface PingRequest {
  readonly type: typeof OpCode.ping;
}

/** Proves who the client is, for the rest of the connection (record `AuthPacket`). */
export interface AuthRequest {
  readonly type: typeof OpCode.auth;
  /** The record's own field `type`, which ZooKeeper ignores; clients send 0. */
  readonly authType: number;
  readonly scheme: string;
  readonly auth: Uint8Array;
}

/** Leaves the watches again that the client had on its last connection; what has happened since fires at once. */
export interface SetWatchesRequest {
  readonly type: typeof OpCode.setWatches;
  /** The last zxid that the client has seen. */
  readonly relativeZxid: Zxid;
  readonly dataWatches: readonly string[];
  readonly existWatches: readonly string[];
  readonly childWatches: readonly string[];
}

/**
 * As `SetWatchesRequest`, with the watches that stay as well. Of what has happened since, those are told nothing: they begin again.
 */
export interface SetWatches2Request {
  readonly type: typeof OpCode.setWatches2;
  /** The last zxid that the client has seen. */
  readonly relativeZxid: Zxid;
  readonly dataWatches: readonly string[];
  readonly existWatches: readonly string[];
  readonly childWatches: readonly string[];
  readonly persistentWatches: readonly string[];
  readonly persistentRecursiveWatches: readonly string[];
}

/** Which watch addWatch leaves, one that stays when it fires (`ZooDefs.AddWatchModes`): of the path alone, or of everything below it too. */
export const AddWatchMode = { persistent: 0, persistentRecursive: 1 } as const;

/** One of the modes. */
export type AddWatchMode = (typeof AddWatchMode)[keyof typeof AddWatchMode];

/** Leaves a watch that stays, whether there is a znode or not. */
export interface AddWatchRequest {
  readonly type: typeof OpCode.addWatch;
  readonly path: string;
  /** An `AddWatchMode`, but any int32 can come over the wire. */
  readonly mode: number;
}

/** Which watches are meant (`Watcher.WatcherType`): those of getChildren, those of exists and getData, all, and those of addWatch by mode. */
export const WatcherType = { children: 1, data: 2, any: 3, persistent: 4, persistentRecursive: 5 } as const;

/** One of the types. */
export type WatcherType = (typeof WatcherType)[keyof typeof WatcherType];

/** Asks whether the client has such a watch at the path, or takes it back. Answered NO_WATCHER where it has none. */
export interface WatcherRequest {
  readonly type: typeof OpCode.checkWatches | typeof OpCode.removeWatches;
  readonly path: string;
  /** The record's own field `type`: a `WatcherType`, but any int32 can come over the wire. */
  readonly watcherType: number;
}

/** Changes the members of the ensemble (zookeeper.md 1.13): some join and leave, or all are named anew. What does not apply is null or empty. */
export interface ReconfigRequest {
  readonly type: typeof OpCode.reconfig;
  readonly joiningServers: string | null;
  readonly leavingServers: string | null;
  readonly newMembers: string | null;
  /** The version that the config must have; −1 for any. */
  readonly curConfigId: bigint;
}

/** Ends the session. */
export interface CloseSessionRequest {
  readonly type: typeof OpCode.closeSession;
}

/** Everything that a client can ask for, once it is connected. */
export type Request =
  | CreateRequest
  | CreateTtlRequest
  | DeleteRequest
  | ReadRequest
  | SetDataRequest
  | GetAclRequest
  | SetAclRequest
  | SyncRequest
  | CheckRequest
  | MultiRequest
  | MultiReadRequest
  | GetEphemeralsRequest
  | GetAllChildrenNumberRequest
  | WhoAmIRequest
  | PingRequest
  | AuthRequest
  | SetWatchesRequest
  | SetWatches2Request
  | AddWatchRequest
  | WatcherRequest
  | ReconfigRequest
  | CloseSessionRequest;
