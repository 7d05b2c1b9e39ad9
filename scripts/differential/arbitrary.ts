/**
 * The generator of histories. A new operation is one more line in `REQUESTS` (or in `OPS` where a multi may hold it) with its weight; one that this
 * repository has no record for can be tried as bytes.
 */
import {
  AddWatchMode,
  CreateMode,
  type MultiOp,
  NO_ZXID,
  OPEN_ACL_UNSAFE,
  OpCode,
  type ReadRequest,
  type Request,
  TTL_MS_MAX,
  WatcherType,
} from '@quorate/protocol';
import fc, { type Arbitrary } from 'fast-check';
import {
  type BytesStep,
  type ConnectStep,
  type ExpireStep,
  type PipelineStep,
  type RequestStep,
  type Since,
  SLOTS,
  type Step,
} from './history.ts';
import { scene } from './scenes.ts';
import { digestOf, SUPER_PROOF } from './settings.ts';

interface Weighted<T> {
  readonly weight: number;
  readonly arbitrary: Arbitrary<T>;
}

function weighted<T>(weight: number, arbitrary: Arbitrary<T>): Weighted<T> {
  return { weight, arbitrary };
}

const PROOFS = ['alice:1', 'bob:2', 'carol:3:4'] as const;

/** Few, so that requests of different sessions meet; the first ones are what a counter-example is shrunk to. */
const znode = fc.oneof(
  weighted(3, fc.constantFrom('~/a', '~/b', '~/a/x')),
  weighted(2, fc.constantFrom('~/a/y', '~/b/x', '~/c', '~/a/x/deep', '~/a/s0000000000', '~/b/e0000000001', '~')),
);

const BAD_PATHS = [
  ...[
    '',
    'a',
    'noslash/x',
    '/',
    '//',
    '~/',
    '~/a/',
    '~//a',
    '~/./a',
    '~/../a',
    '~/a/..',
    '~/.',
    '~/a/.b',
    '~/...',
    '/zookeeper',
    '/zookeeper/config',
  ],
  ...[
    '/zookeeper/quota',
    '/zookeeper/none',
    '~/a\u0000',
    '~/\u0001',
    '~/\u001f',
    '~/\u007f',
    '~/\u009f',
    '~/\u00a0',
    '~/\uf8ff',
    '~/\uf900',
    '~/\uffef',
  ],
  ...['~/\ufff0', '~/a b', '~/é', '~/漢', '~/__proto__', '~/constructor', '~/-', '~/:', `~/${'long'.repeat(60)}`],
] as const;

const path = fc.oneof(weighted(14, znode), weighted(1, fc.constantFrom(...BAD_PATHS)));

const version = fc.oneof(
  weighted(4, fc.constant(-1)),
  weighted(5, fc.nat({ max: 3 })),
  weighted(1, fc.constantFrom(-2, 7, 0x7fff_ffff, -0x8000_0000)),
);

const data: Arbitrary<Uint8Array | null> = fc.oneof(
  weighted(8, fc.uint8Array({ maxLength: 4 })),
  weighted(1, fc.constant(null)),
  weighted(1, fc.constant(new Uint8Array(3000).fill(7))),
);

const world = { scheme: 'world', id: 'anyone' } as const;
const perms = fc.constantFrom(31, 1, 2, 4, 8, 16, 3, 30, 15, 0, 32, -1);
const id = fc.oneof(
  weighted(4, fc.constant(world)),
  weighted(6, fc.constantFrom(...PROOFS.map((proof) => ({ scheme: 'digest', id: digestOf(proof) })))),
  weighted(2, fc.constant({ scheme: 'auth', id: '' })),
  weighted(
    1,
    fc.constantFrom(
      ...['127.0.0.1', '127.0.0.0/8', '10.0.0.0/8', '10.0.0.1', 'x', '127.0.0.1/33'].map((address) => ({ scheme: 'ip', id: address })),
    ),
  ),
  weighted(
    1,
    fc.constantFrom(
      ...[
        { scheme: 'world', id: 'someone' },
        { scheme: 'digest', id: 'x' },
        { scheme: 'digest', id: 'x:' },
        { scheme: 'digest', id: 'x:y:z' },
      ],
      ...[
        { scheme: 'auth', id: 'who' },
        { scheme: 'nobody', id: '1' },
        { scheme: '', id: '' },
        { scheme: 'super', id: '' },
        { scheme: 'digest', id: '' },
      ],
    ),
  ),
);
const acl = fc.oneof(
  weighted(20, fc.constant(OPEN_ACL_UNSAFE)),
  weighted(15, fc.array(fc.record({ perms, id }), { minLength: 1, maxLength: 3 })),
  weighted(1, fc.constant([])),
);

const flags = fc.oneof(
  weighted(
    20,
    fc.constantFrom(CreateMode.PERSISTENT, CreateMode.EPHEMERAL, CreateMode.PERSISTENT_SEQUENTIAL, CreateMode.EPHEMERAL_SEQUENTIAL),
  ),
  weighted(
    1,
    fc.constantFrom(CreateMode.CONTAINER, CreateMode.PERSISTENT_WITH_TTL, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, 7, -1, 0x7fff_ffff),
  ),
);

/** Sequential znodes get names that other requests know. */
const createPath = fc.oneof(weighted(4, path), weighted(1, fc.constantFrom('~/a/s', '~/b/e', '~/s', '~/a/', '~/b//')));

const create = fc.record({ type: fc.constantFrom(OpCode.create, OpCode.create2), path: createPath, data, acl, flags });
const createContainer = fc.record({
  type: fc.constant(OpCode.createContainer),
  ...{ path: createPath, data, acl, flags: fc.constant(CreateMode.CONTAINER) },
});
/** No time ends within a history. */
const createTtl = fc.record({
  type: fc.constant(OpCode.createTTL),
  ...{ path: createPath, data, acl },
  flags: fc.constantFrom(CreateMode.PERSISTENT_WITH_TTL, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL),
  ttl: fc.oneof(weighted(6, fc.constantFrom(3_600_000, TTL_MS_MAX)), weighted(1, fc.constantFrom(0, -1, TTL_MS_MAX + 1))),
});
const remove = fc.record({ type: fc.constant(OpCode.delete), path, version });
const setData = fc.record({ type: fc.constant(OpCode.setData), path, data, version });
/** Not of a znode that all histories share. */
const setAcl = fc
  .record({ type: fc.constant(OpCode.setACL), path, acl, version })
  .map((request) => (request.path.startsWith('/') ? { ...request, path: '~' } : request));
const check = fc.record({ type: fc.constant(OpCode.check), path, version });
const read = (type: ReadRequest['type'], watch: Arbitrary<boolean> = fc.boolean()) => fc.record({ type: fc.constant(type), path, watch });

/** What a multi may hold. */
const OPS: readonly Weighted<MultiOp>[] = [
  weighted(5, create),
  weighted(1, createContainer),
  weighted(1, createTtl),
  weighted(3, remove),
  weighted(3, setData),
  weighted(3, check),
];

const multi = fc.record({ type: fc.constant(OpCode.multi), ops: fc.array(fc.oneof(...OPS), { maxLength: 4 }) });

const multiRead = fc.record({
  type: fc.constant(OpCode.multiRead),
  ops: fc.array(fc.record({ type: fc.constantFrom(OpCode.getData, OpCode.getChildren), path: znode, watch: fc.constant(false) }), {
    maxLength: 4,
  }),
});

const proof = fc.oneof(
  weighted(12, fc.constantFrom(...PROOFS)),
  weighted(1, fc.constant(SUPER_PROOF)),
  weighted(1, fc.constantFrom('', ':', 'alone', 'alice:', ':1', 'super:wrong')),
);
const auth = fc.record({
  type: fc.constant(OpCode.auth),
  authType: fc.constantFrom(0, 1),
  scheme: fc.oneof(weighted(30, fc.constant('digest')), weighted(1, fc.constantFrom('nobody', '', 'world', 'auth', 'super', 'ip'))),
  auth: proof.map((text) => new TextEncoder().encode(text)),
});

/** Some that are none, too. */
const watcherRequest = fc.record({
  type: fc.constantFrom(OpCode.checkWatches, OpCode.removeWatches),
  path,
  watcherType: fc.oneof(
    weighted(6, fc.constantFrom(WatcherType.children, WatcherType.data, WatcherType.any)),
    weighted(1, fc.constantFrom(WatcherType.persistent, WatcherType.persistentRecursive, 0, 6, -1)),
  ),
});

const REQUESTS: readonly Weighted<Request>[] = [
  weighted(16, create),
  weighted(8, remove),
  weighted(10, setData),
  weighted(8, read(OpCode.exists)),
  weighted(8, read(OpCode.getData)),
  weighted(6, read(OpCode.getChildren)),
  weighted(6, read(OpCode.getChildren2)),
  weighted(4, fc.record({ type: fc.constant(OpCode.getACL), path })),
  weighted(6, setAcl),
  weighted(8, multi),
  weighted(2, fc.record({ type: fc.constant(OpCode.sync), path })),
  weighted(1, fc.constant({ type: OpCode.ping })),
  weighted(5, auth),
  weighted(2, fc.constant({ type: OpCode.closeSession })),
  weighted(1, check),
  weighted(3, createContainer),
  weighted(3, createTtl),
  weighted(3, multiRead),
  weighted(2, fc.record({ type: fc.constant(OpCode.getEphemerals), prefixPath: fc.constantFrom('~', '~/a', '~/a/', '~/none') })),
  weighted(2, fc.record({ type: fc.constant(OpCode.getAllChildrenNumber), path: znode })),
  weighted(2, fc.constant({ type: OpCode.whoAmI })),
  weighted(8, watcherRequest),
  weighted(1, fc.constant({ type: OpCode.reconfig, joiningServers: null, leavingServers: '9', newMembers: null, curConfigId: -1n })),
];

const since: Arbitrary<Since> = fc.constantFrom('now', 'start', 'nothing', 'future');
const paths = fc.array(path, { maxLength: 3 });
const lists = { since, dataWatches: paths, existWatches: paths, childWatches: paths };
const setWatches = fc.record({ slot: slotArbitrary(), ...lists }).map(({ slot, since: from, ...watches }): RequestStep => {
  return { kind: 'request', slot, since: from, request: { type: OpCode.setWatches, relativeZxid: NO_ZXID, ...watches } };
});

/**
 * Most of the watches that stay are of one mode for each slot, because 3.8 has one for each path: the first has none, the second persistent ones, the third recursive ones.
 */
const addWatch = fc
  .tuple(fc.oneof(weighted(6, fc.constantFrom(1, 2)), weighted(1, fc.constant(0))), path, fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 2, -1))
  .map(([slot, at, other]): RequestStep => {
    const mode = slot === 2 && other === 0 ? AddWatchMode.persistentRecursive : other;
    return { kind: 'request', slot, request: { type: OpCode.addWatch, path: at, mode } };
  });

const setWatches2 = fc
  .record({ slot: slotArbitrary(), ...lists, stay: paths, other: fc.oneof(weighted(9, fc.constant([])), weighted(1, paths)) })
  .map(({ slot, since: from, stay, other, ...watches }): RequestStep => {
    const stays =
      slot === 2
        ? { persistentWatches: other, persistentRecursiveWatches: stay }
        : { persistentWatches: slot === 1 ? stay : other, persistentRecursiveWatches: [] };
    return { kind: 'request', slot, since: from, request: { type: OpCode.setWatches2, relativeZxid: NO_ZXID, ...watches, ...stays } };
  });

function slotArbitrary(): Arbitrary<number> {
  return fc.nat({ max: SLOTS - 1 });
}

const requestStep = (request: Arbitrary<Request>): Arbitrary<RequestStep> =>
  fc.record({ kind: fc.constant('request'), slot: slotArbitrary(), request });

/** What both answer in its order. It leaves no watches: where they meet others of the same path, rows of docs/compatibility.md are about what comes next. */
const together = fc.oneof(
  weighted(4, create),
  weighted(3, remove),
  weighted(3, setData),
  weighted(2, read(OpCode.getData, fc.constant(false))),
  weighted(2, read(OpCode.getChildren, fc.constant(false))),
  weighted(1, read(OpCode.getChildren2, fc.constant(false))),
  weighted(2, multi),
  weighted(1, fc.record({ type: fc.constant(OpCode.getACL), path })),
  weighted(1, fc.record({ type: fc.constant(OpCode.sync), path })),
  weighted(1, fc.record({ type: fc.constant(OpCode.getAllChildrenNumber), path: znode })),
);

const pipelineStep: Arbitrary<PipelineStep> = fc
  .record({
    slot: slotArbitrary(),
    requests: fc.array(together, { minLength: 2, maxLength: 12 }),
    last: fc.oneof(weighted(9, fc.constant([])), weighted(1, fc.constant([{ type: OpCode.closeSession }]))),
  })
  .map(({ slot, requests, last }) => ({ kind: 'pipeline', slot, requests: [...requests.filter(isOfOneMind), ...last] }));

/** Whether no row of docs/compatibility.md is about it that takes its whole answer out. */
function isOfOneMind(request: Request): boolean {
  const ops = request.type === OpCode.multi ? request.ops : [request];
  return ops.every((op) => !('path' in op && op.path === '') && !('flags' in op && (op.flags === 5 || op.flags === 6)));
}

const READ_BYTES = Uint8Array.of(0, 0, 0, 1, 0x2f);

/** Opcodes that nobody knows, or that no client may send; bodies that end too early. */
const bytesStep: Arbitrary<BytesStep> = fc.record({
  kind: fc.constant('bytes'),
  slot: slotArbitrary(),
  type: fc.oneof(
    weighted(3, fc.constantFrom(10, 99, 108, 1000, -12, 0x7fff_ffff)),
    weighted(1, fc.constantFrom(OpCode.deleteContainer, OpCode.sasl)),
    weighted(
      8,
      fc.constantFrom(
        ...[OpCode.create, OpCode.create2, OpCode.delete, OpCode.exists, OpCode.getData, OpCode.setData, OpCode.getACL, OpCode.setACL],
        ...[OpCode.getChildren, OpCode.getChildren2, OpCode.sync, OpCode.multi, OpCode.setWatches, OpCode.auth, OpCode.reconfig],
      ),
    ),
  ),
  body: fc.oneof(fc.constant(new Uint8Array(0)), fc.constant(READ_BYTES), fc.uint8Array({ maxLength: 3 })),
});

/** A ping under an xid of its own; a createSession that cannot be read, because theirs takes one that can be for a handshake and changes the session. */
const strangeStep: Arbitrary<BytesStep> = fc
  .tuple(slotArbitrary(), fc.constantFrom({ type: OpCode.ping, xid: 77 }, { type: OpCode.createSession }))
  .map(([slot, request]) => ({ kind: 'bytes', slot, body: new Uint8Array(0), ...request }));

const expireStep: Arbitrary<ExpireStep> = fc.record({
  kind: fc.constant('expire'),
  slot: slotArbitrary(),
  timeOut: fc.constantFrom(0, -1, 1),
});

const connectStep: Arbitrary<ConnectStep> = fc.record({
  kind: fc.constant('connect'),
  slot: slotArbitrary(),
  server: slotArbitrary(),
  session: fc.oneof(
    weighted(6, fc.constant('own' as const)),
    weighted(2, fc.constantFrom('new' as const, 'other' as const)),
    weighted(1, fc.constantFrom('stranger' as const, 'closed' as const, 'unknown' as const)),
  ),
  timeOut: fc.constantFrom(60_000, 30_000, 60_001, 0x7fff_ffff),
  seen: fc.oneof(weighted(9, fc.constantFrom<Since>('now', 'nothing')), weighted(1, fc.constant<Since>('future'))),
  withReadOnly: fc.boolean(),
});

const step: Arbitrary<Step> = fc.oneof(
  weighted(1000, requestStep(fc.oneof(...REQUESTS))),
  weighted(40, setWatches),
  weighted(40, setWatches2),
  weighted(70, addWatch),
  weighted(60, pipelineStep),
  weighted(12, expireStep),
  weighted(70, connectStep),
  weighted(
    30,
    slotArbitrary().map((slot): Step => ({ kind: 'drop', slot })),
  ),
  weighted(40, bytesStep),
  weighted(6, strangeStep),
);

/** Histories of up to so many steps; a scene counts as one. */
export function histories(stepsMax: number): Arbitrary<Step[]> {
  const some = fc.oneof(
    weighted(
      15,
      step.map((one) => [one]),
    ),
    weighted(1, scene),
  );
  return fc.array(some, { minLength: 1, maxLength: stepsMax, size: 'max' }).map((steps) => steps.flat());
}
