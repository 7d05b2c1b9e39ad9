/** Steps that seldom come together by chance: each scene gives all of them in their order, or some. */
import {
  type Acl,
  AddWatchMode,
  CreateMode,
  NO_ZXID,
  OPEN_ACL_UNSAFE,
  OpCode,
  type ReadRequest,
  type Request,
  WatcherType,
} from '@quorate/protocol';
import fc, { type Arbitrary } from 'fast-check';
import { SLOTS, type Step } from './history.ts';
import { digestOf } from './settings.ts';

const NO_DATA = new Uint8Array(0);

/** Whether the first slot of a scene does it, or the next one. */
type Line = readonly [who: 0 | 1, request: Request | 'drop' | 'expire'];

const create = (path: string, flags: CreateMode, acl: readonly Acl[] = OPEN_ACL_UNSAFE): Request => ({
  type: OpCode.create,
  path,
  data: NO_DATA,
  acl,
  flags,
});
const prove = (proof: string): Request => ({ type: OpCode.auth, authType: 0, scheme: 'digest', auth: new TextEncoder().encode(proof) });
const watch = (type: ReadRequest['type'], path: string): Request => ({
  type,
  path,
  watch: true,
});
const addWatch = (path: string, mode: number): Request => ({ type: OpCode.addWatch, path, mode });
const setData = (path: string): Request => ({ type: OpCode.setData, path, data: NO_DATA, version: -1 });
const remove = (path: string): Request => ({ type: OpCode.delete, path, version: -1 });
const mine: readonly Acl[] = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
const alices: readonly Acl[] = [{ perms: 31, id: { scheme: 'digest', id: digestOf('alice:1') } }];

const SCENES: readonly (readonly Line[])[] = [
  // A session goes, and with it what others watch.
  [
    [0, create('~/b/x', CreateMode.EPHEMERAL)],
    [0, create('~/a/y', CreateMode.EPHEMERAL)],
    [0, create('~/c', CreateMode.EPHEMERAL)],
    [1, watch(OpCode.getData, '~/b/x')],
    [1, watch(OpCode.exists, '~/a/y')],
    [1, watch(OpCode.getChildren, '~')],
    [1, watch(OpCode.getChildren, '~/c')],
    [0, create('~/c/kid', CreateMode.PERSISTENT)],
    [0, { type: OpCode.create2, path: '~/c/kid', data: NO_DATA, acl: OPEN_ACL_UNSAFE, flags: CreateMode.PERSISTENT_SEQUENTIAL }],
    [0, { type: OpCode.closeSession }],
  ],
  // A znode of somebody who has proved more than one thing.
  [
    [0, prove('alice:1')],
    [0, prove('bob:2')],
    [0, prove('carol:3:4')],
    [0, create('~/c', CreateMode.PERSISTENT, mine)],
    [0, { type: OpCode.getACL, path: '~/c' }],
    [1, { type: OpCode.getACL, path: '~/c' }],
    [1, prove('bob:2')],
    [1, { type: OpCode.getACL, path: '~/c' }],
    [1, create('~/c/kid', CreateMode.PERSISTENT)],
  ],
  // A watch on what may not be read any more.
  [
    [1, watch(OpCode.getData, '~/b')],
    [1, watch(OpCode.getChildren, '~/b')],
    [1, watch(OpCode.exists, '~/b/x')],
    [0, prove('alice:1')],
    [0, { type: OpCode.setACL, path: '~/b', acl: alices, version: -1 }],
    [1, watch(OpCode.exists, '~/b')],
    [0, setData('~/b')],
    [1, create('~/b/x', CreateMode.PERSISTENT)],
    [0, create('~/b/x', CreateMode.PERSISTENT, alices)],
    [1, remove('~/b/x')],
    [1, { type: OpCode.getChildren2, path: '~/b', watch: true }],
    [0, remove('~/b/x')],
  ],
  // Watches that a client brings along, and what they meet.
  [
    [0, remove('~/c')],
    [
      1,
      {
        ...{ type: OpCode.setWatches, relativeZxid: NO_ZXID },
        ...{ dataWatches: ['~/a/x', '~/a'], existWatches: ['~/c'], childWatches: ['~/a/x', '~/b'] },
      },
    ],
    [0, create('~/c', CreateMode.PERSISTENT)],
    [0, remove('~/a/x')],
    [0, setData('~/a')],
    [0, create('~/b/x', CreateMode.PERSISTENT)],
    [1, watch(OpCode.getChildren2, '~/b/x')],
    [0, remove('~/b/x')],
  ],
  // A session expires, and with it what others watch in every way.
  [
    [0, create('~/b/x', CreateMode.EPHEMERAL)],
    [0, create('~/c', CreateMode.EPHEMERAL)],
    [1, watch(OpCode.exists, '~/b/x')],
    [1, watch(OpCode.getChildren, '~/b')],
    [1, addWatch('~', AddWatchMode.persistentRecursive)],
    [0, 'expire'],
    [0, { type: OpCode.getEphemerals, prefixPath: '~' }],
  ],
  // Watches that stay, through whatever may become of a znode.
  [
    [1, addWatch('~/c', AddWatchMode.persistent)],
    [0, create('~/c', CreateMode.PERSISTENT)],
    [0, setData('~/c')],
    [0, create('~/c/kid', CreateMode.PERSISTENT)],
    [0, remove('~/c/kid')],
    [0, remove('~/c')],
    [1, { type: OpCode.checkWatches, path: '~/c', watcherType: WatcherType.any }],
    [1, { type: OpCode.removeWatches, path: '~/c', watcherType: WatcherType.any }],
    [0, create('~/c', CreateMode.PERSISTENT)],
  ],
  [
    [1, addWatch('~', AddWatchMode.persistentRecursive)],
    [0, create('~/c', CreateMode.PERSISTENT)],
    [0, create('~/c/kid', CreateMode.PERSISTENT)],
    [0, setData('~/c/kid')],
    [0, prove('alice:1')],
    [0, { type: OpCode.setACL, path: '~/c/kid', acl: alices, version: -1 }],
    [0, setData('~/c/kid')],
    [0, remove('~/c/kid')],
    [0, remove('~/c')],
  ],
  // The same, left again by a client that was away.
  ...[AddWatchMode.persistent, AddWatchMode.persistentRecursive].map((mode): readonly Line[] => [
    [1, addWatch('~/c', mode)],
    [1, 'drop'],
    [0, create('~/c', CreateMode.PERSISTENT)],
    [
      1,
      {
        ...{ type: OpCode.setWatches2, relativeZxid: NO_ZXID, dataWatches: ['~/a'], existWatches: ['~/b/x'], childWatches: ['~/b'] },
        persistentWatches: mode === AddWatchMode.persistent ? ['~/c'] : [],
        persistentRecursiveWatches: mode === AddWatchMode.persistent ? [] : ['~/c'],
      },
    ],
    [0, setData('~/c')],
    [0, create('~/c/kid', CreateMode.PERSISTENT)],
    [0, create('~/b/x', CreateMode.PERSISTENT)],
    [0, remove('~/b/x')],
    [0, remove('~/c/kid')],
    [0, remove('~/c')],
  ]),
];

export const scene: Arbitrary<Step[]> = fc.oneof(
  ...SCENES.map((lines) =>
    fc
      .tuple(fc.nat({ max: SLOTS - 1 }), fc.subarray([...lines]))
      .map(([slot, some]) => some.map(([who, what]) => stepOf((slot + who) % SLOTS, what))),
  ),
);

function stepOf(slot: number, what: Line[1]): Step {
  if (what === 'drop') return { kind: 'drop', slot };
  if (what === 'expire') return { kind: 'expire', slot, timeOut: 0 };
  return { kind: 'request', slot, request: what, ...('relativeZxid' in what && { since: 'now' }) };
}
