/** What is specified for every opcode: requests that can be read and the answers to them, in a tree with /a, data "x", and /a/b. */
import { ErrorCode, OPEN_ACL_UNSAFE, OpCode, type Request, type Zxid } from '@quorate/protocol';

export interface Row {
  readonly request: Request;
  readonly err: number;
  /** The tree is another one afterwards. */
  readonly changes?: boolean;
  /** The connection ends behind the answer. */
  readonly closes?: boolean;
}

const data = new TextEncoder().encode('new');
const acl = OPEN_ACL_UNSAFE;
const NO_WATCHES = { relativeZxid: 0 as Zxid, dataWatches: [], existWatches: ['/none'], childWatches: [] };

/** The paths of the tree, parents first. */
export const PATHS = ['/a', '/a/b'];

export const TABLE: readonly Row[] = [
  ...([OpCode.create, OpCode.create2] as const).flatMap((type): Row[] => [
    { request: { type, path: '/n', data, acl, flags: 0 }, err: ErrorCode.OK, changes: true },
    { request: { type, path: '/a/s-', data: null, acl, flags: 3 }, err: ErrorCode.OK, changes: true },
    { request: { type, path: '/a', data, acl, flags: 0 }, err: ErrorCode.NODE_EXISTS },
    { request: { type, path: '/none/n', data, acl, flags: 0 }, err: ErrorCode.NO_NODE },
    { request: { type, path: '/n', data, acl: [], flags: 0 }, err: ErrorCode.INVALID_ACL },
    { request: { type, path: '/n', data, acl, flags: 99 }, err: ErrorCode.BAD_ARGUMENTS },
    { request: { type, path: 'n', data, acl, flags: 0 }, err: ErrorCode.BAD_ARGUMENTS },
  ]),
  { request: { type: OpCode.createContainer, path: '/n', data, acl, flags: 4 }, err: ErrorCode.OK, changes: true },
  { request: { type: OpCode.createContainer, path: '/n', data, acl, flags: 0 }, err: ErrorCode.BAD_ARGUMENTS },
  { request: { type: OpCode.createTTL, path: '/n', data, acl, flags: 5, ttl: 1_000 }, err: ErrorCode.OK, changes: true },
  { request: { type: OpCode.createTTL, path: '/n', data, acl, flags: 5, ttl: 0 }, err: ErrorCode.BAD_ARGUMENTS },
  { request: { type: OpCode.delete, path: '/a/b', version: 0 }, err: ErrorCode.OK, changes: true },
  { request: { type: OpCode.delete, path: '/a', version: -1 }, err: ErrorCode.NOT_EMPTY },
  { request: { type: OpCode.delete, path: '/', version: -1 }, err: ErrorCode.BAD_ARGUMENTS },
  ...([OpCode.exists, OpCode.getData, OpCode.getChildren, OpCode.getChildren2] as const).flatMap((type): Row[] => [
    { request: { type, path: '/a', watch: true }, err: ErrorCode.OK },
    { request: { type, path: '/none', watch: true }, err: ErrorCode.NO_NODE },
  ]),
  { request: { type: OpCode.exists, path: '/\u0000', watch: false }, err: ErrorCode.BAD_ARGUMENTS },
  { request: { type: OpCode.setData, path: '/a', data, version: 0 }, err: ErrorCode.OK, changes: true },
  { request: { type: OpCode.setData, path: '/a', data, version: 7 }, err: ErrorCode.BAD_VERSION },
  { request: { type: OpCode.getACL, path: '/a' }, err: ErrorCode.OK },
  { request: { type: OpCode.getACL, path: '/none' }, err: ErrorCode.NO_NODE },
  { request: { type: OpCode.setACL, path: '/a', acl, version: 0 }, err: ErrorCode.OK, changes: true },
  {
    request: { type: OpCode.setACL, path: '/a', acl: [{ perms: 31, id: { scheme: 'auth', id: '' } }], version: 0 },
    err: ErrorCode.INVALID_ACL,
  },
  { request: { type: OpCode.sync, path: '/none' }, err: ErrorCode.OK },
  { request: { type: OpCode.ping }, err: ErrorCode.OK },
  { request: { type: OpCode.check, path: '/a', version: 0 }, err: ErrorCode.UNIMPLEMENTED },
  { request: { type: OpCode.multi, ops: [{ type: OpCode.setData, path: '/a', data, version: 0 }] }, err: ErrorCode.OK, changes: true },
  // A multi that fails says so in its results.
  {
    request: {
      type: OpCode.multi,
      ops: [
        { type: OpCode.setData, path: '/a', data, version: 0 },
        { type: OpCode.check, path: '/a', version: 7 },
      ],
    },
    err: ErrorCode.OK,
  },
  { request: { type: OpCode.multi, ops: [] }, err: ErrorCode.OK },
  { request: { type: OpCode.multiRead, ops: [{ type: OpCode.getData, path: '/a', watch: true }] }, err: ErrorCode.OK },
  { request: { type: OpCode.multiRead, ops: [{ type: OpCode.getChildren, path: '/none', watch: false }] }, err: ErrorCode.OK },
  { request: { type: OpCode.checkWatches, path: '/a', watcherType: 3 }, err: ErrorCode.NO_WATCHER },
  { request: { type: OpCode.removeWatches, path: '/a', watcherType: 3 }, err: ErrorCode.NO_WATCHER },
  { request: { type: OpCode.removeWatches, path: '/a', watcherType: 9 }, err: ErrorCode.MARSHALLING_ERROR },
  { request: { type: OpCode.addWatch, path: '/a', mode: 1 }, err: ErrorCode.OK },
  { request: { type: OpCode.addWatch, path: '/a', mode: 9 }, err: ErrorCode.MARSHALLING_ERROR },
  { request: { type: OpCode.setWatches, ...NO_WATCHES }, err: ErrorCode.OK },
  { request: { type: OpCode.setWatches2, ...NO_WATCHES, persistentWatches: ['/a'], persistentRecursiveWatches: ['/'] }, err: ErrorCode.OK },
  { request: { type: OpCode.getEphemerals, prefixPath: '/' }, err: ErrorCode.OK },
  { request: { type: OpCode.getAllChildrenNumber, path: '/a' }, err: ErrorCode.OK },
  { request: { type: OpCode.getAllChildrenNumber, path: '/none' }, err: ErrorCode.NO_NODE },
  { request: { type: OpCode.whoAmI }, err: ErrorCode.OK },
  {
    request: { type: OpCode.reconfig, joiningServers: 'server.2=a:1:2;3', leavingServers: null, newMembers: null, curConfigId: -1n },
    err: ErrorCode.RECONFIG_DISABLED,
  },
  { request: { type: OpCode.auth, authType: 0, scheme: 'digest', auth: new TextEncoder().encode('u:p') }, err: ErrorCode.OK },
  { request: { type: OpCode.auth, authType: 0, scheme: 'none', auth: data }, err: ErrorCode.AUTH_FAILED, closes: true },
  { request: { type: OpCode.closeSession }, err: ErrorCode.OK, closes: true },
];

/** The types that a request can have. */
export const KNOWN: ReadonlySet<number> = new Set(TABLE.map(({ request }) => request.type));

/** Every number around those that ZooKeeper uses, and some far from them: known to nobody, not known here, or for servers only. */
export const UNKNOWN: readonly number[] = [
  ...Array.from({ length: 300 }, (_, index) => index - 130).filter((type) => !KNOWN.has(type)),
  ...[998, 999, 0x7f, 0xff, 0x100, 0xffff, 0x1_0000, 0x7fff_ffff, -0x8000_0000, -0x7fff_ffff],
];
