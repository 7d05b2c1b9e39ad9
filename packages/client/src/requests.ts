/** Requests made of what callers hand in, checked. */
import {
  type Acl,
  AddWatchMode,
  type AddWatchRequest,
  type CheckRequest,
  CreateMode,
  type CreateRequest,
  type CreateTtlRequest,
  type DeleteRequest,
  encodeClientMessage,
  type GetAllChildrenNumberRequest,
  type GetEphemeralsRequest,
  OPEN_ACL_UNSAFE,
  OpCode,
  type Request,
  type SetAclRequest,
  type SetDataRequest,
  type WatcherRequest,
  WatcherType,
  ZooKeeperError,
} from '@quorate/protocol';
import {
  type CreateOptions,
  checkAcl,
  checkMode,
  checkPath,
  checkString,
  checkVersion,
  checkWatcherType,
  type Data,
  givenBytes,
  ownBytes,
} from './arguments.js';

const ANY_VERSION = -1;

/** A UTF-16 code unit takes at most this many bytes of UTF-8. */
const BYTES_PER_UNIT_MAX = 3;

export function createRequest(path: string, data: Data | undefined, options: CreateOptions | undefined): CreateRequest | CreateTtlRequest {
  const { mode = CreateMode.PERSISTENT, acl = OPEN_ACL_UNSAFE, ttlMs } = options ?? {};
  checkMode(mode, ttlMs);
  checkPath(path, mode);
  if (acl !== OPEN_ACL_UNSAFE) checkAcl(acl);
  const made = { path, data: ownBytes(data), acl: acl === OPEN_ACL_UNSAFE ? acl : copyAcl(acl), flags: mode };
  if (ttlMs !== undefined) return { type: OpCode.createTTL, ...made, ttl: ttlMs };
  return { type: mode === CreateMode.CONTAINER ? OpCode.createContainer : OpCode.create2, ...made };
}

export function deleteRequest(path: string, version: number = ANY_VERSION): DeleteRequest {
  checkPath(path);
  checkVersion(version);
  return { type: OpCode.delete, path, version };
}

export function setDataRequest(path: string, data: Data, version: number = ANY_VERSION): SetDataRequest {
  checkPath(path);
  checkVersion(version);
  return { type: OpCode.setData, path, data: givenBytes('data', data), version };
}

export function setAclRequest(path: string, acl: readonly Acl[], version: number = ANY_VERSION): SetAclRequest {
  checkPath(path);
  checkVersion(version);
  checkAcl(acl);
  return { type: OpCode.setACL, path, acl: copyAcl(acl), version };
}

export function checkRequest(path: string, version: number = ANY_VERSION): CheckRequest {
  checkPath(path);
  checkVersion(version);
  return { type: OpCode.check, path, version };
}

export function getEphemeralsRequest(prefixPath: string): GetEphemeralsRequest {
  checkString('prefix', prefixPath);
  // Behind a chroot anything else would be a prefix of paths outside of it.
  if (!prefixPath.startsWith('/'))
    throw new ZooKeeperError('BAD_ARGUMENTS', `${JSON.stringify(prefixPath)}: a prefix must start with /`, { path: prefixPath });
  return { type: OpCode.getEphemerals, prefixPath };
}

export function getAllChildrenNumberRequest(path: string): GetAllChildrenNumberRequest {
  checkPath(path);
  return { type: OpCode.getAllChildrenNumber, path };
}

export function addWatchRequest(path: string, recursive: boolean): AddWatchRequest {
  checkPath(path);
  return { type: OpCode.addWatch, path, mode: recursive ? AddWatchMode.persistentRecursive : AddWatchMode.persistent };
}

export function removeWatchesRequest(path: string, watcherType: WatcherType = WatcherType.any): WatcherRequest {
  checkPath(path);
  checkWatcherType(watcherType);
  return { type: OpCode.removeWatches, path, watcherType };
}

export function checkWatchesRequest(path: string, watcherType?: WatcherType): WatcherRequest {
  return { ...removeWatchesRequest(path, watcherType), type: OpCode.checkWatches };
}

/** An ACL of one's own, whatever becomes of the other. */
export function copyAcl(acl: readonly Acl[]): Acl[] {
  return acl.map(({ perms, id }) => ({ perms, id: { scheme: id.scheme, id: id.id } }));
}

/**
 * Checks that a request fits into a frame: a server would end the connection over one that does not.
 *
 * @throws ZooKeeperError BAD_ARGUMENTS
 */
export function checkSize(request: Request, bytesMax: number): void {
  if (requestBytesAtMost(request) <= bytesMax) return;
  // The estimate is generous. Only what is near the limit or over it is worth the exact answer.
  const bytes = encodeClientMessage({ kind: 'request', xid: 1, request }).length - 4;
  if (bytes <= bytesMax) return;
  throw new ZooKeeperError(
    'BAD_ARGUMENTS',
    `a request must not be longer than ${bytesMax} bytes (jute.maxbuffer), and this one has ${bytes}`,
    {
      path: 'path' in request ? request.path : undefined,
    },
  );
}

/** Not less than the request has when it is encoded. */
export function requestBytesAtMost(request: Request): number {
  switch (request.type) {
    case OpCode.multi:
      return request.ops.reduce((sum, op) => sum + requestBytesAtMost(op), 32);
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return fixedBytes(request.path) + (request.data?.length ?? 0) + aclBytesAtMost(request.acl);
    case OpCode.multiRead:
      return request.ops.reduce((sum, op) => sum + fixedBytes(op.path), 32);
    case OpCode.getEphemerals:
      return fixedBytes(request.prefixPath);
    case OpCode.setData:
      return fixedBytes(request.path) + (request.data?.length ?? 0);
    case OpCode.setACL:
      return fixedBytes(request.path) + aclBytesAtMost(request.acl);
    case OpCode.auth:
      return fixedBytes(request.scheme) + request.auth.length;
    default:
      return 'path' in request ? fixedBytes(request.path) : 32;
  }
}

/** Headers, every number that a request can have, and one string. */
function fixedBytes(text: string): number {
  return 64 + text.length * BYTES_PER_UNIT_MAX;
}

function aclBytesAtMost(acl: readonly Acl[]): number {
  let bytes = 4;
  for (const { id } of acl) bytes += 12 + (id.scheme.length + id.id.length) * BYTES_PER_UNIT_MAX;
  return bytes;
}
