import { OPEN_ACL_UNSAFE, OpCode, type Txn, type Zxid } from '@quorate/protocol';
import { expect, test } from 'vitest';
import { DataTree, type NodeHandle, parseQuota, quotaOver, statsAfter } from '../src/index.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (data: Uint8Array | null | undefined): string | undefined => (data ? new TextDecoder().decode(data) : undefined);

test.each<[string, Record<string, bigint> | undefined]>([
  ['', {}],
  ['count=5,bytes=-1', { count: 5n, bytes: -1n }],
  ['count=-1,bytes=-1=;byteHardLimit=6;countHardLimit=3', { count: -1n, bytes: -1n, byteHardLimit: 6n, countHardLimit: 3n }],
  ['x=+5,,;y=-3;', { x: 5n, y: -3n }],
  ['bytes==7', { bytes: -1n }],
  ['=3', { '': 3n }],
  [',,', {}],
  ['count=5=6', { count: 5n }],
  ['count=1,count=2', { count: 2n }],
  ['count=9223372036854775807', { count: 9223372036854775807n }],
  ['count=9223372036854775808', undefined],
  ['count', undefined],
  ['count=', undefined],
  [',count=1', undefined],
  ['count=1 ', undefined],
  ['count=é', undefined],
  ['count=1,bytes', undefined],
])('%j is read as Apache ZooKeeper 3.8.0 reads it', (content, numbers) => {
  const parsed = parseQuota(bytes(content));
  expect(parsed && Object.fromEntries(parsed)).toEqual(numbers);
});

test('stats keep what else they say, in order of name', () => {
  const after = (content: string) => textOf(statsAfter(bytes(content), { count: 1, bytes: -4 }));
  expect(after('count=5,bytes=9')).toBe('count=6,bytes=5');
  expect(after('count=100,bytes=-1;x=+5,y=-3;byteHardLimit=7')).toBe('count=101,bytes=-5=;byteHardLimit=7;x=5;y=-3');
  expect(after('')).toBe('count=0,bytes=-5');
  expect(after('count=9223372036854775807')).toBe('count=-9223372036854775808,bytes=-5');
  expect(after('nonsense')).toBeUndefined();
});

test('a path counts in the deepest quota at or above it', () => {
  const limits = new Set(['/a', '/a/b/c'].map((path) => `/zookeeper/quota${path}/zookeeper_limits`));
  const znodes = new Set([...limits, '/zookeeper/quota/a', '/zookeeper/quota/a/b', '/zookeeper/quota/a/b/c', '/zookeeper/quota/x']);
  const over = (path: string) => quotaOver(path, (at) => znodes.has(at));
  expect(['/', '/x', '/x/y', '/ab'].map(over)).toEqual([undefined, undefined, undefined, undefined]);
  expect(['/a', '/a/x', '/a/b', '/a/b/x'].map(over)).toEqual(['/a', '/a', '/a', '/a']);
  expect(['/a/b/c', '/a/b/c/d/e'].map(over)).toEqual(['/a/b/c', '/a/b/c']);
});

/** A tree under one txn after the other; what is created has as many children before it as it says. */
class Bench {
  tree = new DataTree();
  #counts = new Map<string, number>();

  create(path: string, data: string | null, type: typeof OpCode.create | typeof OpCode.create2 = OpCode.create) {
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    const parentCVersion = (this.#counts.get(parent) ?? 0) + 1;
    this.#counts.set(parent, parentCVersion);
    return this.apply({ type, path, data: data === null ? null : bytes(data), acl: OPEN_ACL_UNSAFE, ephemeral: false, parentCVersion });
  }

  apply(txn: Txn) {
    const zxid = (this.tree.lastZxid + 1) as Zxid;
    return this.tree.apply({ clientId: 9n, cxid: 1, zxid, time: 1, type: txn.type }, txn, () => {});
  }

  data(path: string): string | undefined {
    return textOf(this.tree.data(this.tree.find(path) as NodeHandle));
  }
}

const STATS = '/zookeeper/quota/a/zookeeper_stats';
const LIMITS = '/zookeeper/quota/a/zookeeper_limits';

/** What Apache ZooKeeper 3.8.0 showed, step by step. */
test('stats are counted when they are created, and go along with what is below their quota', () => {
  const bench = new Bench();
  bench.create('/a', 'xx');
  bench.create('/a/b', 'yyy');
  bench.create('/zookeeper/quota/a', null);
  bench.create(LIMITS, 'count=3');
  bench.create('/a/unseen', 'u');
  expect(bench.create(STATS, 'anything', OpCode.create2).stat?.dataLength, 'as it was asked for').toBe(8);
  expect(bench.data(STATS)).toBe('count=3,bytes=6');
  bench.create('/a/c', '1');
  bench.apply({ type: OpCode.setData, path: '/a/c', data: bytes('123456'), version: 1 });
  bench.apply({ type: OpCode.setData, path: '/a', data: null, version: 1 });
  expect(bench.data(STATS)).toBe('count=4,bytes=10');
  expect(bench.tree.stat(bench.tree.find(STATS) as NodeHandle)).toMatchObject({ version: 0, mzxid: 6, dataLength: 16 });
  bench.tree = DataTree.deserialize(bench.tree.serialize());
  bench.apply({ type: OpCode.delete, path: '/a/c' });
  expect(bench.data(STATS)).toBe('count=3,bytes=4');
  bench.apply({ type: OpCode.delete, path: LIMITS });
  bench.create('/a/uncounted', 'u');
  expect(bench.data(STATS)).toBe('count=3,bytes=4');
  bench.apply({ type: OpCode.delete, path: STATS });
  bench.create(STATS, null);
  expect(bench.data(STATS)).toBe('count=4,bytes=5');
});

test('stats of what is not there yet, of a quota on /zookeeper, and directly below /zookeeper/quota', () => {
  const bench = new Bench();
  bench.create('/zookeeper/quota/z', null);
  bench.create('/zookeeper/quota/z/zookeeper_stats', 'x');
  expect(bench.data('/zookeeper/quota/z/zookeeper_stats')).toBe('count=0,bytes=0');
  const own = '/zookeeper/quota/zookeeper/zookeeper_stats';
  bench.create('/zookeeper/quota/zookeeper', null);
  bench.create('/zookeeper/quota/zookeeper/zookeeper_limits', null);
  bench.create(own, 'abc');
  // Eight znodes, itself among them, whose data were counted, and then it is created below the quota that it belongs to.
  expect(bench.data(own)).toBe('count=9,bytes=21');
  bench.create('/zookeeper/quota/zookeeper_limits', null);
  bench.create('/zookeeper/quota/zookeeper_stats', 'mine');
  expect(bench.data('/zookeeper/quota/zookeeper_stats')).toBe('mine');
});
