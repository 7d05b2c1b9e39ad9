/**
 * Prepare: from a request to the txn that all servers will apply, or to the error that it is refused with (`PrepRequestProcessor.pRequest2Txn`).
 *
 * It runs on the leader alone and in the order of zxids, against the tree with everything that is proposed (`PendingChanges`), so that nothing
 * can be wrong any more when the txn is applied (architecture.md, decision 11). Checks come in ZooKeeper's order (zookeeper.md 1.4), because
 * their order is what a client sees when two things are wrong at once.
 */
import {
  type Acl,
  assert,
  type CheckRequest,
  type CloseSessionTxn,
  CONTAINER_OWNER,
  CreateMode,
  type CreateRequest,
  type CreateTtlRequest,
  createModeFromFlag,
  type DeleteRequest,
  ErrorCode,
  hasTtl,
  isEphemeral,
  isSequential,
  isTtl,
  type MultiOp,
  type MultiRequest,
  OpCode,
  Permission,
  pathFault,
  type ReconfigRequest,
  type Request,
  type SetAclRequest,
  type SetDataRequest,
  sessionOf,
  type Txn,
  ttlOwner,
  unreachable,
  type Zxid,
} from '@quorate/protocol';
import { freed, type Usage, usageOf } from '@quorate/tree';
import { permits, resolveAcl } from './acl.js';
import type { AuthIds } from './auth-ids.js';
import { isContainerOrTtl } from './container-sweep.js';
import type { ChangeRecord, PendingChanges } from './pending-changes.js';
import { isRefused, type QuotaPolicy, recordStatsOfNew, recordUsage } from './quota.js';

/** The requests that become a txn in the tree. */
export type TreeWrite = CreateRequest | CreateTtlRequest | DeleteRequest | SetDataRequest | SetAclRequest | MultiRequest | ReconfigRequest;

/** On whose behalf a request is prepared, and for which zxid. */
export interface PrepareContext {
  readonly zxid: Zxid;
  /** The time in the header of its txn. */
  readonly time: number;
  readonly session: bigint;
  readonly authIds: AuthIds;
  readonly quotas: QuotaPolicy;
  /** The ensemble does not know the session, so it can own nothing. */
  readonly local?: boolean;
}

/** A txn, or the number of the error. Not an exception, because refused requests are ordinary and exceptions are slow. */
type Outcome = Txn | number;

const NO_OWNER = 0n;

/** Znodes that are there from the start and cannot be deleted (`ZKDatabase.isSpecialPath`). */
const SPECIAL_PATHS: ReadonlySet<string> = new Set(['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']);

/** The txn of a request; an error txn where the request is refused. What it changes is pending from then on. */
export function prepare(changes: PendingChanges, request: TreeWrite, context: PrepareContext): Txn {
  if (request.type === OpCode.multi) return prepareMulti(changes, request, context);
  // As where `reconfigEnabled` is not set: the members of an ensemble do not change.
  if (request.type === OpCode.reconfig) return errorTxn(ErrorCode.RECONFIG_DISABLED);
  const outcome = request.type === OpCode.setACL ? prepareSetAcl(changes, request, context) : prepareOp(changes, request, context);
  return typeof outcome === 'number' ? errorTxn(outcome) : outcome;
}

/** The txn that ends a session: all its ephemerals go, those included that are only proposed. */
export function prepareCloseSession(changes: PendingChanges, session: bigint, zxid: Zxid): CloseSessionTxn {
  const paths = changes.ephemeralsOf(session);
  for (const path of paths) {
    const node = changes.find(path);
    assert(node !== undefined && node.ephemeralOwner === session, 'a closed session names its own ephemerals');
    recordDeletion(changes, node, zxid);
  }
  return { type: OpCode.closeSession, paths };
}

/**
 * The txn that removes a container or a znode with a TTL because its time has come; the error where that is not so any more with everything that is
 * proposed. Nobody waits for that error, so no txn is made of it.
 */
export function prepareDeleteContainer(changes: PendingChanges, path: string, zxid: Zxid): Outcome {
  const node = changes.find(path);
  if (node === undefined) return ErrorCode.NO_NODE;
  if (node.childCount > 0) return ErrorCode.NOT_EMPTY;
  if (!isContainerOrTtl(node.ephemeralOwner)) return ErrorCode.BAD_VERSION;
  recordDeletion(changes, node, zxid);
  return { type: OpCode.deleteContainer, path };
}

export function errorTxn(err: number): Txn {
  return { type: OpCode.error, err };
}

/** All operations or none: the first that fails gives its code, those before it 0, those after it RUNTIME_INCONSISTENCY (zookeeper.md 1.8). */
function prepareMulti(changes: PendingChanges, { ops }: MultiRequest, context: PrepareContext): Txn {
  const txns: Txn[] = [];
  changes.begin();
  for (let i = 0; i < ops.length; i++) {
    const outcome = prepareOp(changes, ops[i] as MultiOp, context);
    if (typeof outcome === 'number') {
      changes.rollback();
      const failed = i;
      return {
        type: OpCode.multi,
        txns: ops.map((_, index) => errorTxn(index < failed ? ErrorCode.OK : index === failed ? outcome : ErrorCode.RUNTIME_INCONSISTENCY)),
      };
    }
    txns.push(outcome);
  }
  changes.commit();
  return { type: OpCode.multi, txns };
}

function prepareOp(changes: PendingChanges, op: MultiOp, context: PrepareContext): Outcome {
  switch (op.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return prepareCreate(changes, op, context);
    case OpCode.delete:
      return prepareDelete(changes, op, context);
    case OpCode.setData:
      return prepareSetData(changes, op, context);
    case OpCode.check:
      return prepareCheck(changes, op, context);
    default:
      return unreachable(op);
  }
}

function prepareCreate(changes: PendingChanges, request: CreateRequest | CreateTtlRequest, context: PrepareContext): Outcome {
  const { session, authIds, quotas } = context;
  const mode = createModeFromFlag(request.flags);
  if (mode === undefined || !isKindOf(request, mode)) return ErrorCode.BAD_ARGUMENTS;
  if (context.local === true && isEphemeral(mode)) return ErrorCode.EPHEMERAL_ON_LOCAL_SESSION;
  const parentPath = parentPathOf(request.path);
  if (parentPath === undefined) return ErrorCode.BAD_ARGUMENTS;
  const acl = resolveAcl(request.acl, authIds);
  if (acl === undefined) return ErrorCode.INVALID_ACL;
  const parent = changes.find(parentPath);
  if (parent === undefined) return ErrorCode.NO_NODE;
  if (!permits(parent.acl, Permission.CREATE, authIds)) return ErrorCode.NO_AUTH;
  const path = isSequential(mode) ? request.path + sequenceSuffix(parent.cversion) : request.path;
  if (pathFault(path) !== undefined) return ErrorCode.BAD_ARGUMENTS;
  if (changes.exists(path)) return ErrorCode.NODE_EXISTS;
  if (sessionOf(parent.ephemeralOwner) !== NO_OWNER) return ErrorCode.NO_CHILDREN_FOR_EPHEMERALS;
  const { data } = request;
  if (isRefused(changes, path, usageOf(data?.length ?? 0), quotas)) return ErrorCode.QUOTA_EXCEEDED;
  const ephemeral = isEphemeral(mode);
  const parentCVersion = (parent.cversion + 1) | 0;
  // Whichever operation it is, the znode is of the kind that the flags ask for, so that a plain create can make a container too.
  if (request.type === OpCode.createTTL) {
    recordCreation(changes, parent, { path, data, acl, owner: ttlOwner(request.ttl) }, context);
    return { type: OpCode.createTTL, path, data, acl, parentCVersion, ttl: request.ttl };
  }
  if (mode === CreateMode.CONTAINER || request.type === OpCode.createContainer) {
    recordCreation(changes, parent, { path, data, acl, owner: CONTAINER_OWNER }, context);
    return { type: OpCode.createContainer, path, data, acl, parentCVersion };
  }
  recordCreation(changes, parent, { path, data, acl, owner: ephemeral ? session : NO_OWNER }, context);
  return { type: request.type, path, data, acl, ephemeral, parentCVersion };
}

/** Whether a request may make an ephemeral, be it as one of many operations. */
export function mayCreateEphemeral(request: Request): boolean {
  switch (request.type) {
    case OpCode.create:
    case OpCode.create2:
      return isEphemeralFlag(request.flags);
    case OpCode.multi:
      return request.ops.some(mayCreateEphemeral);
    default:
      return false;
  }
}

function isEphemeralFlag(flags: number): boolean {
  const mode = createModeFromFlag(flags);
  return mode !== undefined && isEphemeral(mode);
}

/** Whether an operation can make a znode of this mode: a TTL has to be told, and createContainer makes containers. */
function isKindOf(request: CreateRequest | CreateTtlRequest, mode: CreateMode): boolean {
  if (request.type === OpCode.createTTL) return hasTtl(mode) && isTtl(request.ttl);
  if (request.type === OpCode.createContainer) return mode === CreateMode.CONTAINER;
  return !hasTtl(mode);
}

function prepareDelete(changes: PendingChanges, { path, version }: DeleteRequest, { zxid, authIds }: PrepareContext): Outcome {
  const parentPath = parentPathOf(path);
  if (parentPath === undefined || SPECIAL_PATHS.has(path)) return ErrorCode.BAD_ARGUMENTS;
  const parent = changes.find(parentPath);
  if (parent === undefined) return ErrorCode.NO_NODE;
  if (!permits(parent.acl, Permission.DELETE, authIds)) return ErrorCode.NO_AUTH;
  const node = changes.find(path);
  if (node === undefined) return ErrorCode.NO_NODE;
  if (!isExpected(version, node.version)) return ErrorCode.BAD_VERSION;
  if (node.childCount > 0) return ErrorCode.NOT_EMPTY;
  recordDeletion(changes, node, zxid);
  return { type: OpCode.delete, path };
}

function prepareSetData(changes: PendingChanges, { path, data, version }: SetDataRequest, context: PrepareContext): Outcome {
  const { zxid, time, authIds, quotas } = context;
  if (pathFault(path) !== undefined) return ErrorCode.BAD_ARGUMENTS;
  const node = changes.find(path);
  if (node === undefined) return ErrorCode.NO_NODE;
  if (!permits(node.acl, Permission.WRITE, authIds)) return ErrorCode.NO_AUTH;
  const usage: Usage = { count: 0, bytes: (data?.length ?? 0) - node.dataLength };
  if (isRefused(changes, path, usage, quotas)) return ErrorCode.QUOTA_EXCEEDED;
  if (!isExpected(version, node.version)) return ErrorCode.BAD_VERSION;
  const after = changes.draft(node, zxid);
  changes.setData(after, data);
  after.version = (node.version + 1) | 0;
  after.mzxid = zxid;
  after.mtime = time;
  changes.record(after);
  recordUsage(changes, path, usage, zxid);
  return { type: OpCode.setData, path, data, version: after.version };
}

function prepareSetAcl(changes: PendingChanges, request: SetAclRequest, { zxid, authIds }: PrepareContext): Outcome {
  const { path, version } = request;
  if (pathFault(path) !== undefined) return ErrorCode.BAD_ARGUMENTS;
  const acl = resolveAcl(request.acl, authIds);
  if (acl === undefined) return ErrorCode.INVALID_ACL;
  const node = changes.find(path);
  if (node === undefined) return ErrorCode.NO_NODE;
  if (!permits(node.acl, Permission.ADMIN, authIds)) return ErrorCode.NO_AUTH;
  if (!isExpected(version, node.aversion)) return ErrorCode.BAD_VERSION;
  const after = changes.draft(node, zxid);
  after.acl = acl;
  after.aversion = (node.aversion + 1) | 0;
  changes.record(after);
  return { type: OpCode.setACL, path, acl, version: after.aversion };
}

function prepareCheck(changes: PendingChanges, { path, version }: CheckRequest, { authIds }: PrepareContext): Outcome {
  if (pathFault(path) !== undefined) return ErrorCode.BAD_ARGUMENTS;
  const node = changes.find(path);
  if (node === undefined) return ErrorCode.NO_NODE;
  if (!permits(node.acl, Permission.READ, authIds)) return ErrorCode.NO_AUTH;
  if (!isExpected(version, node.version)) return ErrorCode.BAD_VERSION;
  return { type: OpCode.check, path, version: (node.version + 1) | 0 };
}

/** Version −1 in a request asks for nothing (`checkAndIncVersion`). */
function isExpected(expected: number, current: number): boolean {
  return expected === -1 || expected === current;
}

/** The path of the parent before any other check of the path; undefined where there is no slash, or a NUL (`validatePathForCreate`). */
function parentPathOf(path: string): string | undefined {
  const slash = path.lastIndexOf('/');
  if (slash === -1 || path.includes('\u0000')) return undefined;
  return slash === 0 ? '/' : path.slice(0, slash);
}

/** Java's `%010d`: the sign is one of the ten characters. */
export function sequenceSuffix(cversion: number): string {
  return cversion < 0 ? `-${String(-cversion).padStart(9, '0')}` : String(cversion).padStart(10, '0');
}

function recordCreation(
  changes: PendingChanges,
  parent: ChangeRecord,
  znode: { readonly path: string; readonly data: Uint8Array | null; readonly acl: readonly Acl[]; readonly owner: bigint },
  { zxid, time }: PrepareContext,
): void {
  const { path, data, acl, owner } = znode;
  const above = changes.draft(parent, zxid);
  above.pzxid = zxid;
  above.cversion = (parent.cversion + 1) | 0;
  above.childCount++;
  changes.record(above);
  const created = changes.draftOfNew(path, zxid, time);
  created.acl = acl;
  created.ephemeralOwner = owner;
  changes.setData(created, data);
  changes.record(created);
  recordStatsOfNew(changes, path, usageOf(data?.length ?? 0), zxid);
}

/** ZooKeeper leaves the parent's count alone when a session ends, and then may refuse to delete a parent that is about to be empty. */
function recordDeletion(changes: PendingChanges, node: ChangeRecord, zxid: Zxid): void {
  const slash = node.path.lastIndexOf('/');
  const parent = changes.find(slash === 0 ? '/' : node.path.slice(0, slash));
  assert(parent !== undefined, 'a znode has a parent');
  assert(parent.childCount > 0, 'a parent counts its children');
  const above = changes.draft(parent, zxid);
  above.pzxid = zxid;
  above.childCount--;
  changes.record(above);
  const gone = changes.draft(node, zxid);
  gone.exists = false;
  changes.record(gone);
  recordUsage(changes, node.path, freed(usageOf(node.dataLength)), zxid);
}
