import { InvariantError, OPEN_ACL_UNSAFE, OpCode, type Txn, type Zxid } from '@quorate/protocol';
import { expect, test } from 'vitest';
import { DataTree, type NodeHandle } from '../src/index.js';
import { nameHash } from '../src/name-hash.js';
import { ZnodeStore } from '../src/znode-store.js';
import { BUILT_IN, writeSnapshot } from './snapshot-writer.js';

const DEPTH = 500_000;

test('a path of a million characters in half a million components is found, extended, cut, counted, written and read', () => {
  const chain = Array.from({ length: DEPTH }, (_, index) => ({ depth: index + 1, name: 'd' }));
  const bytes = writeSnapshot({ znodes: [...BUILT_IN, ...chain] });
  const tree = DataTree.deserialize(bytes);
  // Versions and what follows the znodes apart.
  expect(Buffer.compare(tree.serialize().subarray(4, bytes.length), bytes.subarray(4))).toBe(0);
  const deepest = '/d'.repeat(DEPTH);
  const apply = applier(tree);
  apply(creation(`${deepest}/e`, 1, { ephemeral: true }));
  expect(tree.ephemeralsOf(9n)[0] === `${deepest}/e`).toBe(true);
  expect(tree.countBelow(tree.find('/d') as NodeHandle)).toBe(DEPTH);
  expect(tree.approximateDataSize).toBe(DEPTH * (DEPTH + 1) + deepest.length + 2 + '/zookeeper'.length * 3 + '/quota/config'.length);
  apply({ type: OpCode.delete, path: `${deepest}/e` });
  expect(tree.find(`${deepest}/e`)).toBeUndefined();
  expect(tree.childCount(tree.find(deepest) as NodeHandle)).toBe(0);
}, 180_000);

test('children of one parent by the hundred thousand keep their order while others come and go anywhere among them', () => {
  const count = 100_000;
  const tree = new DataTree();
  const apply = applier(tree);
  for (let index = 0; index < count; index++) apply(creation(`/n${index}`, index + 1));
  for (let index = 0; index < count; index += 2) apply({ type: OpCode.delete, path: `/n${(index * 7919) % count}` });
  for (let index = 0; index < 100; index++) apply(creation(`/m${index}`, count + index + 1));
  const rest = Array.from({ length: count / 2 }, (_, index) => `n${index * 2 + 1}`);
  const expected = ['zookeeper', ...rest, ...Array.from({ length: 100 }, (_, index) => `m${index}`)];
  expect(tree.children(tree.find('/') as NodeHandle).join()).toBe(expected.join());
}, 30_000);

test('a list of children that was read stays as it was when they change', () => {
  const tree = new DataTree();
  const apply = applier(tree);
  const root = tree.find('/') as NodeHandle;
  const read: (readonly string[])[] = [tree.children(root)];
  apply(creation('/a', 1));
  read.push(tree.children(root), tree.children(root));
  apply({ type: OpCode.delete, path: '/a' });
  read.push(tree.children(root));
  expect(read).toEqual([['zookeeper'], ['zookeeper', 'a'], ['zookeeper', 'a'], ['zookeeper']]);
});

test('a parent that is gone is not found any more, though another znode has its place', () => {
  const store = new ZnodeStore(OPEN_ACL_UNSAFE);
  const root = store.find('/') as NodeHandle;
  const insert = (parent: NodeHandle, path: string): NodeHandle => store.insert(parent, path, null, OPEN_ACL_UNSAFE);
  const gone = insert(root, '/a');
  expect(store.find('/a/x')).toBeUndefined();
  store.remove(gone);
  const other = insert(root, '/b');
  expect(other).toBe(gone);
  insert(other, '/b/x');
  expect(store.find('/a/x')).toBeUndefined();
});

test.each(['\ud83d', '\ude00', 'a\ude00\ud83d', '\ud83d\ud83d\ude00'])('a surrogate without its partner names no znode: %j', (name) => {
  const tree = new DataTree();
  // Prepare answers BAD_ARGUMENTS: ZooKeeper's rules for a path forbid every surrogate.
  expect(() => applier(tree)(creation(`/${name}`, 1))).toThrow(InvariantError);
  applier(tree)(creation('/?', 1));
  expect(tree.find(`/${name}`)).toBeUndefined();
});

test.each(['', 'a', 'a/b', '//', '/zookeeper/', '//zookeeper', '/zookeeper//quota', '/zookeeper/quota/'])(
  '%j is the path of no znode',
  (path) => {
    expect(new DataTree().find(path)).toBeUndefined();
  },
);

test('names in a row hash as if by chance, and under another key differently', () => {
  const count = 1 << 16;
  const [one, other] = [nameHash(1), nameHash(2 ** 40)];
  const seen = new Set<number>();
  const buckets = new Int32Array(64);
  let same = 0;
  for (let index = 0; index < count; index++) {
    const name = `node-${String(index).padStart(10, '0')}`;
    const hash = one(7, `/${name}/x`, 1, 1 + name.length);
    seen.add(hash);
    buckets[hash & 63] = (buckets[hash & 63] as number) + 1;
    if ((hash & 63) === (other(7, name, 0, name.length) & 63)) same++;
  }
  // By chance half a pair falls together; a bucket has 1,024 with a deviation of 32, and so have those that stay in theirs.
  expect(seen.size).toBeGreaterThan(count - 8);
  for (const found of [...buckets, same]) expect(Math.abs(found - 1024)).toBeLessThan(32 * 6);
  expect(one(7, 'ab', 0, 2)).not.toBe(one(8, 'ab', 0, 2));
  expect(one(7, 'a', 0, 1)).not.toBe(one(7, 'a\0', 0, 2));
});

function creation(path: string, parentCVersion: number, { ephemeral = false } = {}): Txn {
  return { type: OpCode.create, path, data: null, acl: OPEN_ACL_UNSAFE, ephemeral, parentCVersion };
}

function applier(tree: DataTree): (txn: Txn) => void {
  return (txn) => {
    tree.apply({ clientId: 9n, cxid: 1, zxid: (tree.lastZxid + 1) as Zxid, time: 1, type: txn.type }, txn, () => {});
  };
}
