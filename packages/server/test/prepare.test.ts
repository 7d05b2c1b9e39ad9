import { type Acl, CONTAINER_OWNER, ErrorCode, type Id, makeZxid, OPEN_ACL_UNSAFE, OpCode, ttlOwner } from '@quorate/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareDeleteContainer, sequenceSuffix, type TreeWrite } from '../src/prepare.ts';
import { DumbModel } from './support/dumb-model.ts';
import { Pipeline } from './support/pipeline.ts';

const ALICE: Id = { scheme: 'digest', id: 'alice:aaaa' };
const BOB: Id = { scheme: 'digest', id: 'bob:bbbb' };
const NO_DATA = new Uint8Array(0);

const create = (path: string, flags = 0, acl: readonly Acl[] = OPEN_ACL_UNSAFE): TreeWrite => ({
  type: OpCode.create,
  path,
  data: NO_DATA,
  acl,
  flags,
});
const container = (path: string, flags = 4): TreeWrite => ({
  type: OpCode.createContainer,
  path,
  data: NO_DATA,
  acl: OPEN_ACL_UNSAFE,
  flags,
});
const withTtl = (path: string, ttl: number, flags = 5, acl: readonly Acl[] = OPEN_ACL_UNSAFE): TreeWrite => ({
  type: OpCode.createTTL,
  path,
  data: NO_DATA,
  acl,
  flags,
  ttl,
});
const remove = (path: string, version = -1): TreeWrite => ({ type: OpCode.delete, path, version });
const setData = (path: string, version = -1): TreeWrite => ({ type: OpCode.setData, path, data: NO_DATA, version });
const setAcl = (path: string, acl: readonly Acl[], version = -1): TreeWrite => ({ type: OpCode.setACL, path, acl, version });
const only = (id: Id, perms = 31): readonly Acl[] => [{ perms, id }];

function errOf(p: Pipeline, request: TreeWrite, options: { session?: bigint; ids?: readonly Id[] } = {}): string {
  const txn = p.write(request, options);
  p.apply();
  const err = txn.type === OpCode.error ? txn.err : 0;
  return (Object.keys(ErrorCode) as (keyof typeof ErrorCode)[]).find((name) => ErrorCode[name] === err) ?? 'unknown';
}

describe('the order of checks, where more than one thing is wrong', () => {
  function prepared(): Pipeline {
    const p = new Pipeline();
    p.write(create('/open'));
    p.write(create('/open/child'));
    p.write(create('/closed', 0, only(ALICE)));
    p.write(create('/closed/child', 0), { ids: [ALICE] });
    p.write(create('/ephemeral', 1));
    p.apply();
    return p;
  }

  it.each<[string, TreeWrite]>([
    // create: mode, slash and NUL, ACL, parent, CREATE on it, path, existence, ephemeral parent
    ['BAD_ARGUMENTS', create('/x', 7, [])],
    ['BAD_ARGUMENTS', create('/x', -1)],
    ['BAD_ARGUMENTS', create('/x', 5)],
    ['BAD_ARGUMENTS', create('/x', 6)],
    ['OK', create('/x', 4)],
    ['OK', container('/x')],
    ['BAD_ARGUMENTS', container('/x', 0)],
    ['BAD_ARGUMENTS', container('/x', 2)],
    ['BAD_ARGUMENTS', container('/x', 5)],
    ['OK', withTtl('/x', 1)],
    ['OK', withTtl('/x', 2 ** 40 - 1, 6)],
    ['BAD_ARGUMENTS', withTtl('/x', 2 ** 40)],
    ['BAD_ARGUMENTS', withTtl('/none/x', 0, 5, [])],
    ['BAD_ARGUMENTS', withTtl('/x', -1)],
    ['BAD_ARGUMENTS', withTtl('/x', 5, 0)],
    ['BAD_ARGUMENTS', withTtl('/x', 5, 4)],
    ['INVALID_ACL', withTtl('/none/x', 5, 5, [])],
    ['NO_CHILDREN_FOR_EPHEMERALS', withTtl('/ephemeral/x', 5)],
    ['NO_CHILDREN_FOR_EPHEMERALS', container('/ephemeral/x')],
    ['BAD_ARGUMENTS', create('x', 0, [])],
    ['BAD_ARGUMENTS', create('', 0)],
    ['BAD_ARGUMENTS', create('/none/x\0', 0, [])],
    ['INVALID_ACL', create('/none/x', 0, [])],
    ['NO_NODE', create('/none//x')],
    ['NO_NODE', create('none/x')],
    ['NO_AUTH', create('/closed/.')],
    ['NO_AUTH', create('/closed/child')],
    ['BAD_ARGUMENTS', create('/open/')],
    ['BAD_ARGUMENTS', create('//')],
    ['BAD_ARGUMENTS', create('/open/..')],
    ['BAD_ARGUMENTS', create('/ephemeral/.')],
    ['NODE_EXISTS', create('/open')],
    ['NODE_EXISTS', create('/')],
    ['NODE_EXISTS', create('/zookeeper')],
    ['NO_CHILDREN_FOR_EPHEMERALS', create('/ephemeral/x')],
    ['OK', create('/open/', 2)],
    // delete: special, parent, DELETE on it, existence, version, children
    ['BAD_ARGUMENTS', remove('/')],
    ['BAD_ARGUMENTS', remove('/zookeeper/config', 9)],
    ['BAD_ARGUMENTS', remove('x')],
    ['NO_NODE', remove('/none/x')],
    ['NO_AUTH', remove('/closed/none')],
    ['NO_AUTH', remove('/closed/child', 9)],
    ['NO_NODE', remove('/none', 9)],
    ['BAD_VERSION', remove('/open', 9)],
    ['NOT_EMPTY', remove('/open', 0)],
    ['OK', remove('/open/child', 0)],
    // setData: path, existence, WRITE, version
    ['BAD_ARGUMENTS', setData('/closed/')],
    ['NO_NODE', setData('/none', 9)],
    ['NO_AUTH', setData('/closed', 9)],
    ['BAD_VERSION', setData('/open', 9)],
    ['OK', setData('/open', 0)],
    ['OK', setData('/')],
    // setACL: path, ACL, existence, ADMIN, aversion
    ['BAD_ARGUMENTS', setAcl('/closed/', [])],
    ['INVALID_ACL', setAcl('/none', [])],
    ['NO_NODE', setAcl('/none', OPEN_ACL_UNSAFE, 9)],
    ['NO_AUTH', setAcl('/closed', OPEN_ACL_UNSAFE, 9)],
    ['BAD_VERSION', setAcl('/open', OPEN_ACL_UNSAFE, 9)],
    ['OK', setAcl('/open', OPEN_ACL_UNSAFE, 0)],
  ])('%s: %j', (expected, request) => {
    expect(errOf(prepared(), request)).toBe(expected);
  });
});

describe('sequential names', () => {
  it.each([
    [0, '0000000000'],
    [42, '0000000042'],
    [2_147_483_647, '2147483647'],
    [-2_147_483_648, '-2147483648'],
    [-5, '-000000005'],
  ])('%d → %s, as %%010d in Java', (cversion, suffix) => {
    expect(sequenceSuffix(cversion)).toBe(suffix);
  });

  it('start at 0 below the root, count every child and never repeat', () => {
    const p = new Pipeline();
    const names = [create('/s', 2), create('/plain'), create('/s', 3), remove('/s0000000000'), create('/s', 2)]
      .map((request) => p.write(request))
      .map((txn) => (txn.type === OpCode.create ? txn.path : ''));
    expect(names).toEqual(['/s0000000000', '/plain', '/s0000000002', '', '/s0000000003']);
    p.apply();
  });
});

describe('containers and znodes with a TTL', () => {
  it('may have children, and a plain create makes one where its flag asks for it, also in a multi', () => {
    const p = new Pipeline();
    const ops = [create('/a', 4), create('/a/b'), container('/c'), withTtl('/c/t', 9), create('/c/t/x', 1)];
    const txn = p.write({ type: OpCode.multi, ops: ops as never });
    expect(txn).toMatchObject({ txns: [19, 1, 19, 21, 1].map((type) => ({ type })) });
    p.apply();
    // As ZooKeeper 3.8.0 answers them: whatever they are, with a Stat.
    expect(p.results[0]?.results?.map(({ type }) => type)).toEqual([15, 1, 15, 15, 1]);
    expect(errOf(p, create('/c/t/x/y'))).toBe('NO_CHILDREN_FOR_EPHEMERALS');
  });

  it('are numbered where they are sequential', () => {
    const p = new Pipeline();
    expect([withTtl('/s', 9, 6), withTtl('/s', 9, 6)].map((request) => p.write(request))).toMatchObject([
      { path: '/s0000000000', ttl: 9 },
      { path: '/s0000000001', ttl: 9 },
    ]);
    p.apply();
  });

  it('go by a deleteContainer, unless something that is only proposed stands against it', () => {
    const p = new Pipeline();
    for (const request of [container('/c'), withTtl('/t', 9), create('/plain'), create('/e', 1)]) p.write(request);
    p.apply();
    const outcome = (path: string) => prepareDeleteContainer(p.changes, path, makeZxid(1, p.counter + 1));
    expect(outcome('/plain')).toBe(ErrorCode.BAD_VERSION);
    expect(outcome('/e')).toBe(ErrorCode.BAD_VERSION);
    expect(outcome('/none')).toBe(ErrorCode.NO_NODE);
    p.write(create('/c/child'));
    expect(outcome('/c')).toBe(ErrorCode.NOT_EMPTY);
    p.deleteContainer('/t');
    expect(outcome('/t')).toBe(ErrorCode.NO_NODE);
    // What comes behind it finds the znode gone.
    expect(p.write(setData('/t'))).toMatchObject({ err: ErrorCode.NO_NODE });
    p.write(create('/t'));
    expect(outcome('/t')).toBe(ErrorCode.BAD_VERSION);
    p.apply();
    expect(p.tree.persistedOwner(p.tree.find('/t')!)).toBe(0n);
  });
});

describe('what is proposed and not applied', () => {
  it('is what the next request meets', () => {
    const p = new Pipeline();
    p.write(create('/a'));
    expect(p.write(create('/a')).type).toBe(OpCode.error);
    expect(p.write(create('/a/b')).type).toBe(OpCode.create);
    expect(p.write(remove('/a'))).toMatchObject({ err: ErrorCode.NOT_EMPTY });
    expect(p.write(setData('/a', 0))).toMatchObject({ version: 1 });
    expect(p.write(setData('/a', 0))).toMatchObject({ err: ErrorCode.BAD_VERSION });
    p.write(remove('/a/b'));
    expect(p.write(remove('/a', 1)).type).toBe(OpCode.delete);
    expect(p.write(setData('/a'))).toMatchObject({ err: ErrorCode.NO_NODE });
    expect(p.changes.isPending('/a')).toBe(true);
    p.apply();
    expect(p.changes.isPending('/a')).toBe(false);
    expect(p.tree.find('/a')).toBe(undefined);
  });

  it('is as the tree has it once it is applied, also where so much has changed that most of it is forgotten', () => {
    const p = new Pipeline();
    p.write(create('/a'));
    for (let i = 0; i < 10_000; i++) {
      p.write(create(`/a/${i}`));
      if (i % 10 === 9) p.apply(8);
    }
    expect(p.changes.find('/a')).toMatchObject({ cversion: 10_000, childCount: 10_000 });
    expect(p.write(create('/a/9'))).toMatchObject({ err: ErrorCode.NODE_EXISTS });
    expect(p.write(create('/a/9999'))).toMatchObject({ err: ErrorCode.NODE_EXISTS });
    p.apply();
    p.expectNothingPending();
  });

  it('goes with a multi that fails, its parents included (ZOOKEEPER-1624)', () => {
    const p = new Pipeline();
    p.write(create('/s', 2));
    const txn = p.write({ type: OpCode.multi, ops: [create('/s', 2), create('/t'), remove('/none'), setData('/t')] as never });
    expect(txn).toEqual({
      type: OpCode.multi,
      txns: [0, 0, ErrorCode.NO_NODE, ErrorCode.RUNTIME_INCONSISTENCY].map((err) => ({ type: OpCode.error, err })),
    });
    expect(p.write(create('/s', 2))).toMatchObject({ path: '/s0000000001' });
    expect(p.write(setData('/t'))).toMatchObject({ err: ErrorCode.NO_NODE });
    p.apply();
  });

  it('numbers the sequential znodes of one multi one after the other, and lets its later operations see the earlier', () => {
    const p = new Pipeline();
    const txn = p.write({
      type: OpCode.multi,
      ops: [create('/s', 2), create('/s', 2), setData('/s0000000001', 0), remove('/s0000000000')] as never,
    });
    expect(txn).toMatchObject({ txns: [{ path: '/s0000000000' }, { path: '/s0000000001' }, { version: 1 }, { path: '/s0000000000' }] });
    p.apply();
  });

  it('a closed session takes with it what it has proposed to create, and not what it has proposed to delete', () => {
    const p = new Pipeline();
    p.write(create('/parent'));
    p.write(create('/applied', 1));
    p.write(create('/gone', 1));
    p.apply();
    p.write(remove('/gone'));
    p.write(create('/gone', 1), { session: 2n });
    p.write(create('/parent/proposed', 1));
    p.closeSession(1n);
    expect(p.write(remove('/parent')).type).toBe(OpCode.delete);
    expect(p.write(create('/applied')).type).toBe(OpCode.create);
    p.apply();
    expect(p.tree.ephemeralsOf(1n)).toEqual([]);
    expect(p.tree.ephemeralsOf(2n)).toEqual(['/gone']);
  });
});

// Few paths and few names, so that requests meet.
const path = fc.constantFrom('/', '/a', '/b', '/a/a', '/a/b', '/b/a', '/a/a/a', '/zookeeper', '/a/', 'a', '/b//a');
const sequentialPath = fc.constantFrom('/a', '/a/', '/a/a', '/b/');
const version = fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, fc.integer({ min: 0, max: 2 }));
const acl = fc.oneof(
  { weight: 8, arbitrary: fc.constant(OPEN_ACL_UNSAFE) },
  fc.constantFrom<readonly Acl[]>(
    only(ALICE),
    only(BOB, 7),
    [...only({ scheme: 'world', id: 'anyone' }, 1), ...only(ALICE)],
    only({ scheme: 'auth', id: '' }),
    [],
    only({ scheme: 'odd', id: 'x' }),
  ),
);
const data = fc.constantFrom('', 'x', 'yy').map((content) => new TextEncoder().encode(content));
const createOp = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constantFrom(OpCode.create, OpCode.create2), path, data, acl, flags: fc.constantFrom(0, 1) }),
  },
  fc.record({ type: fc.constantFrom(OpCode.create, OpCode.create2), path: sequentialPath, data, acl, flags: fc.constantFrom(2, 3) }),
  fc.record({ type: fc.constant(OpCode.create), path, data, acl, flags: fc.constantFrom(4, 6, 99) }),
  { weight: 2, arbitrary: fc.record({ type: fc.constant(OpCode.createContainer), path, data, acl, flags: fc.constantFrom(4, 4, 4, 0) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant(OpCode.createTTL),
      path: fc.oneof(path, sequentialPath),
      data,
      acl,
      flags: fc.constantFrom(5, 6, 6, 4),
      ttl: fc.constantFrom(1, 77, 2 ** 40 - 1, 2 ** 40, 0, -1),
    }),
  },
);
const deleteOp = fc.record({ type: fc.constant(OpCode.delete), path, version });
const setDataOp = fc.record({ type: fc.constant(OpCode.setData), path, data, version });
const checkOp = fc.record({ type: fc.constant(OpCode.check), path, version });
const setAclOp = fc.record({ type: fc.constant(OpCode.setACL), path, acl, version });
const multi = fc.record({
  type: fc.constant(OpCode.multi),
  ops: fc.array(fc.oneof(createOp, createOp, deleteOp, setDataOp, checkOp), { maxLength: 4 }),
});
const request = fc.oneof({ weight: 5, arbitrary: createOp }, { weight: 2, arbitrary: deleteOp }, setDataOp, setAclOp, {
  weight: 2,
  arbitrary: multi,
});
const session = fc.constantFrom(1n, 2n, 3n);
const ids = fc.oneof(
  { weight: 3, arbitrary: fc.constant<readonly Id[]>([]) },
  fc.constantFrom<readonly Id[]>([ALICE], [BOB], [ALICE, BOB]),
);
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('write' as const), request, session, ids }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), session }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('apply' as const), count: fc.integer({ min: 1, max: 5 }) }) },
);

describe('prepare and apply', () => {
  it('do what the dumb model does, however late txns are applied', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const p = new Pipeline();
        const model = new DumbModel();
        const expected: unknown[] = [];
        for (const s of steps) {
          if (s.do === 'apply') {
            p.apply(s.count);
          } else if (s.do === 'close') {
            p.closeSession(s.session);
            model.closeSession(s.session, makeZxid(1, p.counter));
            expected.push({ err: 0 });
          } else {
            p.write(s.request as TreeWrite, s);
            const zxid = makeZxid(1, p.counter);
            const { err, response } = model.write(s.request as TreeWrite, { zxid, time: p.counter * 10, session: s.session, ids: s.ids });
            expected.push({ err, results: response !== undefined && 'results' in response ? response.results : undefined });
          }
        }
        p.apply();
        p.expectNothingPending();
        expect(p.results.map(({ err, results }) => ({ err, results }))).toEqual(expected);
        for (const [at, node] of model.nodes) {
          const found = p.tree.find(at);
          expect(found, at).not.toBe(undefined);
          if (!at.startsWith('/zookeeper') && at !== '/') expect(p.tree.stat(found!), at).toEqual(model.stat(at));
          expect(p.tree.acl(found!), at).toEqual(node.acl);
          expect(p.tree.persistedOwner(found!), at).toBe(
            node.lasts === 'container' ? CONTAINER_OWNER : node.lasts === undefined ? node.owner : ttlOwner(node.lasts),
          );
          expect(p.tree.data(found!) ?? NO_DATA, at).toEqual(node.data ?? NO_DATA);
        }
        expect(p.tree.nodeCount).toBe(model.nodes.size);
      }),
      { numRuns: 500 },
    );
  });
});
