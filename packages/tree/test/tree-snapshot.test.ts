import { isProtocolError, OPEN_ACL_UNSAFE, OpCode, READ_ACL_UNSAFE, type Txn, type Zxid } from '@quorate/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DataTree, type NodeHandle } from '../src/index.js';
import { BUILT_IN, type Snapshot, writeSnapshot } from './snapshot-writer.js';

const DEPTH = 1000;

test('a tree of 1,000 levels is written and read without recursion', () => {
  const tree = new DataTree();
  let path = '';
  for (let level = 1; level <= DEPTH; level++) {
    path += '/d';
    apply(tree, {
      type: OpCode.create,
      path,
      data: Uint8Array.of(level),
      acl: OPEN_ACL_UNSAFE,
      ephemeral: level === DEPTH,
      parentCVersion: 1,
    });
  }
  const copy = DataTree.deserialize(tree.serialize());
  expect(copy.nodeCount).toBe(DEPTH + 4);
  expect(copy.stat(copy.find(path) as NodeHandle)).toEqual(tree.stat(tree.find(path) as NodeHandle));
  expect(copy.ephemeralsOf(9n)).toEqual([path]);
});

test('ephemerals come back in order of creation, which is not the order of the tree', () => {
  const tree = new DataTree();
  for (const [index, path] of ['/a', '/b'].entries()) apply(tree, creation(path, { parentCVersion: index + 1 }));
  apply(tree, creation('/b/1', { ephemeral: true, parentCVersion: 1 }));
  apply(tree, creation('/a/2', { ephemeral: true, parentCVersion: 1 }));
  expect(DataTree.deserialize(tree.serialize()).ephemeralsOf(9n)).toEqual(['/b/1', '/a/2']);
});

test('a snapshot is what the tree was, whatever the tree becomes', () => {
  const tree = new DataTree();
  apply(tree, creation('/a', { parentCVersion: 1 }));
  const bytes = tree.serialize();
  const before = bytes.slice();
  apply(tree, { type: OpCode.setData, path: '/a', data: Uint8Array.of(9), version: 1 });
  expect(bytes).toEqual(before);
  expect(DataTree.deserialize(bytes).lastZxid).toBe(1);
});

test('a snapshot cut short or made longer is a ProtocolError', () => {
  const bytes = example();
  for (let length = 0; length < bytes.length; length++) expectProtocolError(bytes.subarray(0, length));
  expectProtocolError(Uint8Array.of(...bytes, 0));
});

test('a snapshot that is well written is read', () => {
  const znodes = [...BUILT_IN, { depth: 1, name: 'e' }, { depth: 1, name: 'f' }];
  const tree = read(writeSnapshot({ znodes, ephemerals: [{ session: 5n, positions: [5, 4] }] }));
  expect(tree?.ephemeralsOf(5n)).toEqual(['/f', '/e']);
});

const withZnode = (...znodes: Snapshot['znodes'] & object): Snapshot => ({ znodes: [...BUILT_IN, ...znodes] });
const withEphemerals = (...ephemerals: Snapshot['ephemerals'] & object): Snapshot => ({
  ...withZnode({ depth: 1, name: 'p' }, { depth: 2, name: 'e' }),
  ephemerals,
});

test.each<[string, Snapshot]>([
  ['an unknown version', { formatVersion: 2 }],
  ['a negative zxid', { lastZxid: -1 }],
  ['no znodes', { znodes: [] }],
  ['no config znode', { znodes: BUILT_IN.slice(0, 3) }],
  ['a root with a name', { znodes: [{ depth: 0, name: 'x' }, ...BUILT_IN.slice(1)] }],
  ['two roots', withZnode({ depth: 0, name: '' })],
  ['a znode without a parent', withZnode({ depth: 4, name: 'x' })],
  ['a negative depth', withZnode({ depth: -1, name: 'x' })],
  ['an empty name', withZnode({ depth: 1, name: '' })],
  ['a name with a slash', withZnode({ depth: 1, name: 'a/b' })],
  ['a path twice', withZnode({ depth: 1, name: 'zookeeper' })],
  ['an unknown list', withZnode({ depth: 1, name: 'x', list: 1 })],
  ['a path longer than a frame', withZnode({ depth: 1, name: 'x'.repeat(0xfffff) })],
  ['an ephemeral that is no znode', withEphemerals({ session: 5n, positions: [6] })],
  ['an ephemeral before all znodes', withEphemerals({ session: 5n, positions: [-1] })],
  ['an ephemeral with a child', withEphemerals({ session: 5n, positions: [4] })],
  ['a built-in ephemeral', withEphemerals({ session: 5n, positions: [2] })],
  ['an ephemeral twice', withEphemerals({ session: 5n, positions: [5, 5] })],
  ['an ephemeral of two sessions', withEphemerals({ session: 5n, positions: [5] }, { session: 6n, positions: [5] })],
  ['a session without ephemerals', withEphemerals({ session: 5n, positions: [] })],
  ['ephemerals of no session', withEphemerals({ session: 0n, positions: [5] })],
])('a snapshot with %s is a ProtocolError', (_, snapshot) => {
  expectProtocolError(writeSnapshot(snapshot));
});

test('any bytes give a tree or a ProtocolError, and a tree that was read can be written and read again', () => {
  const bytes = example();
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(damage, (writes) => {
      const damaged = bytes.slice();
      for (const [at, value] of writes) damaged[at] = value;
      const tree = read(damaged);
      if (tree !== undefined) expect(read(tree.serialize())?.nodeCount).toBe(tree.nodeCount);
    }),
    { numRuns: 5000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => void read(noise)));
});

function example(): Uint8Array {
  const tree = new DataTree();
  apply(tree, creation('/a', { parentCVersion: 1 }));
  apply(tree, { ...creation('/a/b', { parentCVersion: 1 }), acl: READ_ACL_UNSAFE, data: Uint8Array.of(1, 2, 3) } as Txn);
  apply(tree, creation('/a/e', { ephemeral: true, parentCVersion: 2 }));
  apply(tree, creation('/f', { ephemeral: true, parentCVersion: 2 }));
  return tree.serialize();
}

function creation(path: string, { ephemeral = false, parentCVersion }: { ephemeral?: boolean; parentCVersion: number }): Txn {
  return { type: OpCode.create, path, data: null, acl: OPEN_ACL_UNSAFE, ephemeral, parentCVersion };
}

function apply(tree: DataTree, txn: Txn): void {
  tree.apply({ clientId: 9n, cxid: 1, zxid: (tree.lastZxid + 1) as Zxid, time: 1, type: txn.type }, txn, () => {});
}

/** The tree of the bytes; undefined where they are answered by a ProtocolError. */
function read(bytes: Uint8Array): DataTree | undefined {
  try {
    return DataTree.deserialize(bytes);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return undefined;
  }
}

function expectProtocolError(bytes: Uint8Array): void {
  expect(read(bytes)).toBeUndefined();
}
