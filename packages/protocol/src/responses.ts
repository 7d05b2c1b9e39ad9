/**
 * What a server answers: one record per operation that has a body, told apart by `type`. delete, check, ping, auth, setWatches,
 * setWatches2, checkWatches, removeWatches and closeSession are answered by the header alone. The wire codecs are in `response-codec.ts`.
 */
import type { Acl, Id } from './acl.js';
import type { OpCode } from './opcode.js';
import type { Stat } from './stat.js';

/** The path as it was created, with its number where it is sequential. */
export interface CreateResponse {
  readonly type: typeof OpCode.create;
  readonly path: string;
}

/** As `CreateResponse`, with the Stat of the new znode. Of type `create2` within a multi, whatever the operation was. */
export interface Create2Response {
  readonly type: typeof OpCode.create2 | typeof OpCode.createContainer | typeof OpCode.createTTL;
  readonly path: string;
  readonly stat: Stat;
}

/** The Stat after the operation. */
export interface StatResponse {
  readonly type: typeof OpCode.exists | typeof OpCode.setData | typeof OpCode.setACL;
  readonly stat: Stat;
}

/** Data of a znode and its Stat. */
export interface GetDataResponse {
  readonly type: typeof OpCode.getData;
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}

/** The ACL of a znode and its Stat. */
export interface GetAclResponse {
  readonly type: typeof OpCode.getACL;
  readonly acl: readonly Acl[];
  readonly stat: Stat;
}

/** The names of the children, in no order that is promised. */
export interface GetChildrenResponse {
  readonly type: typeof OpCode.getChildren;
  readonly children: readonly string[];
}

/** As `GetChildrenResponse`, with the Stat of the parent. */
export interface GetChildren2Response {
  readonly type: typeof OpCode.getChildren2;
  readonly children: readonly string[];
  readonly stat: Stat;
}

/** The path of the request. */
export interface SyncResponse {
  readonly type: typeof OpCode.sync;
  readonly path: string;
}

/** That the watch is set; on the wire a record `ErrorResponse`, whose err is 0. */
export interface AddWatchResponse {
  readonly type: typeof OpCode.addWatch;
}

/** What one operation of a multi gave. In a multi that failed all of them are errors; `err` is 0 before the one that failed. */
export type OpResult =
  | CreateResponse
  | (Create2Response & { readonly type: typeof OpCode.create2 })
  | { readonly type: typeof OpCode.delete }
  | { readonly type: typeof OpCode.setData; readonly stat: Stat }
  | { readonly type: typeof OpCode.check }
  | { readonly type: typeof OpCode.error; readonly err: number };

/** One result per operation of the multi, in its order. */
export interface MultiResponse {
  readonly type: typeof OpCode.multi;
  readonly results: readonly OpResult[];
}

/** What one operation of a multiRead gave; `err` is its own, whatever the others gave. */
export type ReadResult = GetDataResponse | GetChildrenResponse | { readonly type: typeof OpCode.error; readonly err: number };

/** One result per operation of the multiRead, in its order. */
export interface MultiReadResponse {
  readonly type: typeof OpCode.multiRead;
  readonly results: readonly ReadResult[];
}

/** Paths of ephemerals, in no order that is promised. */
export interface GetEphemeralsResponse {
  readonly type: typeof OpCode.getEphemerals;
  readonly ephemerals: readonly string[];
}

/** How many znodes there are below one. */
export interface GetAllChildrenNumberResponse {
  readonly type: typeof OpCode.getAllChildrenNumber;
  readonly totalNumber: number;
}

/** As whom the server takes the client (records `ClientInfo`): schemes, and what each of them says to people, which for `digest` is the user alone. */
export interface WhoAmIResponse {
  readonly type: typeof OpCode.whoAmI;
  readonly clientInfo: readonly Id[];
}

/** Every body that an answer can have. */
export type Response =
  | CreateResponse
  | Create2Response
  | StatResponse
  | GetDataResponse
  | GetAclResponse
  | GetChildrenResponse
  | GetChildren2Response
  | SyncResponse
  | AddWatchResponse
  | MultiResponse
  | MultiReadResponse
  | GetEphemeralsResponse
  | GetAllChildrenNumberResponse
  | WhoAmIResponse;
