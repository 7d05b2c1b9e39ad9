import { ErrorCode, type MultiOp, OPEN_ACL_UNSAFE, OpCode } from '@quorate/protocol';
import type { DataTree } from '@quorate/tree';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TreeWrite } from '../src/prepare.ts';
import { Pipeline } from './support/pipeline.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const create = (path: string, content = '', flags = 0) =>
  ({ type: OpCode.create, path, data: bytes(content), acl: OPEN_ACL_UNSAFE, flags }) as const;
const setData = (path: string, content: string, version = -1) => ({ type: OpCode.setData, path, data: bytes(content), version }) as const;
const remove = (path: string) => ({ type: OpCode.delete, path, version: -1 }) as const;
const multi = (...ops: MultiOp[]): TreeWrite => ({ type: OpCode.multi, ops });
const limitsOf = (quota: string): string => `/zookeeper/quota${quota}/zookeeper_limits`;
const statsOf = (quota: string): string => `/zookeeper/quota${quota}/zookeeper_stats`;
/** As zkCli's setquota does it, and delquota. */
const setQuota = (quota: string, limits: string): TreeWrite => multi(create(limitsOf(quota), limits), create(statsOf(quota)));
const removeQuota = (quota: string): TreeWrite => multi(remove(limitsOf(quota)), remove(statsOf(quota)));

/** `/a` and `/b`, and where their quotas would be. */
function prepared(options: ConstructorParameters<typeof Pipeline>[0] = {}): Pipeline {
  const p = new Pipeline(options);
  for (const path of ['/a', '/b', '/zookeeper/quota/a', '/zookeeper/quota/b']) p.write(create(path));
  p.apply();
  return p;
}

const refused = { err: ErrorCode.QUOTA_EXCEEDED };

describe('a hard limit', () => {
  it('is kept with everything that is proposed', () => {
    const p = prepared({ enforce: true });
    p.write(setQuota('/a', 'countHardLimit=3;byteHardLimit=10'));
    expect(p.write(create('/a/1', 'xxx')).type).toBe(OpCode.create);
    expect(p.write(create('/a/2', 'xxxxxxxx'))).toMatchObject(refused);
    expect(p.write(create('/a/2', 'xxx')).type).toBe(OpCode.create);
    expect(p.write(create('/a/3'))).toMatchObject(refused);
    expect(p.write(setData('/a/1', 'xxxxxxxx'))).toMatchObject(refused);
    expect(p.write(setData('/a/1', 'xxxxxxx')).type).toBe(OpCode.setData);
    p.write(remove('/a/2'));
    expect(p.write(create('/a/s', '', 3)).type).toBe(OpCode.create);
    p.closeSession(1n);
    expect(p.write(create('/a/3')).type).toBe(OpCode.create);
    expect(p.write(create('/b/1', 'as much as one likes')).type).toBe(OpCode.create);
    p.apply();
    expect(textAt(p.tree, statsOf('/a'))).toBe('count=3,bytes=7');
  });

  it('is kept within a multi, of which nothing is done then', () => {
    const p = prepared({ enforce: true });
    p.write(setQuota('/a', 'countHardLimit=2'));
    expect(p.write(multi(create('/a/1'), create('/a/2')))).toMatchObject({ txns: [{ err: 0 }, refused] });
    expect(p.write(multi(create('/a/1'), remove('/a/1'), create('/a/2')))).toMatchObject({ txns: [{}, {}, { path: '/a/2' }] });
    p.apply();
    expect(textAt(p.tree, statsOf('/a'))).toBe('count=2,bytes=0');
  });

  it('comes behind existence and an ephemeral parent, and before the version', () => {
    const p = prepared({ enforce: true });
    p.write(create('/a/e', '', 1));
    p.write(setQuota('/a', 'countHardLimit=0;byteHardLimit=0'));
    expect(p.write(create('/a/e'))).toMatchObject({ err: ErrorCode.NODE_EXISTS });
    expect(p.write(create('/a/e/x'))).toMatchObject({ err: ErrorCode.NO_CHILDREN_FOR_EPHEMERALS });
    expect(p.write(setData('/a/e', 'x', 9))).toMatchObject(refused);
    expect(p.write(setData('/a/e', '', 9))).toMatchObject({ err: ErrorCode.BAD_VERSION });
  });

  it('is told and not kept where quotas are not enforced', () => {
    const p = prepared();
    p.write(setQuota('/a', 'countHardLimit=1'));
    expect(p.write(create('/a/1')).type).toBe(OpCode.create);
    expect(p.excesses).toEqual([{ quota: '/a', path: '/a/1', what: 'count', limit: 1n, usage: 2n, hard: true, refused: false }]);
  });
});

describe('a soft limit', () => {
  it('is told, for count and bytes, and a hard one takes its place', () => {
    const p = prepared({ enforce: true });
    p.write(setQuota('/a', 'count=1,bytes=2'));
    p.write(create('/a/1', 'xx'));
    p.write(create('/a/2', 'x'));
    expect(p.excesses.map(({ what, usage, hard }) => [what, usage, hard])).toEqual([
      ['count', 2n, false],
      ['count', 3n, false],
      ['bytes', 3n, false],
    ]);
    p.write(setData(limitsOf('/a'), 'count=1,bytes=2=;byteHardLimit=9;countHardLimit=9'));
    p.write(create('/a/3', 'x'));
    expect(p.excesses).toHaveLength(3);
  });

  it('without limits that can be read, without stats, or with none that can be read, is none', () => {
    const p = prepared({ enforce: true });
    p.write(create(limitsOf('/a'), 'countHardLimit=0'));
    expect(p.write(create('/a/1')).type).toBe(OpCode.create);
    p.write(create(statsOf('/a')));
    expect(p.write(create('/a/2'))).toMatchObject(refused);
    p.write(setData(limitsOf('/a'), 'countHardLimit=none'));
    expect(p.write(create('/a/2')).type).toBe(OpCode.create);
    p.write(setData(limitsOf('/a'), 'countHardLimit=0'));
    p.write(setData(statsOf('/a'), 'many'));
    expect(p.write(create('/a/3')).type).toBe(OpCode.create);
    p.apply();
    expect(textAt(p.tree, statsOf('/a'))).toBe('many');
  });
});

const path = fc.constantFrom('/a', '/b', '/a/x', '/a/y', '/a/x/z', '/b/x', '/c', '/c/x');
const content = fc.constantFrom('', 'x', 'yyyy');
const change = fc.oneof(
  fc.tuple(path, content, fc.constantFrom(0, 0, 1, 2)).map(([at, data, flags]) => create(at, data, flags)),
  fc.tuple(path, content).map(([at, data]) => setData(at, data)),
  path.map(remove),
);
const quota = fc.constantFrom('/a', '/b');
const step = fc.oneof(
  { weight: 10, arbitrary: change },
  { weight: 3, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }).map((ops) => multi(...ops)) },
  {
    weight: 2,
    arbitrary: fc.tuple(quota, fc.constantFrom('', 'countHardLimit=3', 'byteHardLimit=6')).map(([at, limits]) => setQuota(at, limits)),
  },
  { weight: 1, arbitrary: quota.map(removeQuota) },
  { weight: 1, arbitrary: fc.constant('close' as const) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }) },
);

describe('stats', () => {
  it('are what a count from scratch finds after every txn, and what the leader has foreseen', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const p = prepared({ enforce: true });
        const foreseen: (string | undefined)[] = [];
        let seen = 0;
        const apply = (count: number): void => {
          for (let i = 0; i < count && p.waiting.length > 0; i++) {
            p.apply(1);
            expect(['/a', '/b'].map((at) => textAt(p.tree, statsOf(at))).join()).toBe(foreseen[seen++]);
            for (const at of ['/a', '/b'])
              if (p.tree.find(statsOf(at)) !== undefined) expect(textAt(p.tree, statsOf(at))).toBe(fromScratch(p.tree, at));
          }
        };
        for (const s of steps) {
          if (typeof s === 'number') {
            apply(s);
            continue;
          }
          if (s === 'close') p.closeSession(1n);
          else p.write(s as TreeWrite);
          foreseen.push(['/a', '/b'].map((at) => textOf(p.changes.data(statsOf(at)))).join());
        }
        apply(Number.POSITIVE_INFINITY);
        p.expectNothingPending();
      }),
      { numRuns: 400 },
    );
  });
});

function fromScratch(tree: DataTree, top: string): string {
  const count = (path: string): [number, number] => {
    const node = tree.find(path);
    if (node === undefined) return [0, 0];
    let [znodes, length] = [1, tree.data(node)?.length ?? 0];
    for (const [n, l] of tree.children(node).map((name) => count(`${path}/${name}`))) [znodes, length] = [znodes + n, length + l];
    return [znodes, length];
  };
  const [znodes, length] = count(top);
  return `count=${znodes},bytes=${length}`;
}

function textAt(tree: DataTree, path: string): string | undefined {
  const node = tree.find(path);
  return node === undefined ? undefined : textOf(tree.data(node));
}

function textOf(data: Uint8Array | null | undefined): string | undefined {
  return data ? new TextDecoder().decode(data) : undefined;
}
