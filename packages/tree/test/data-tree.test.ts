import { type Acl, InvariantError, OPEN_ACL_UNSAFE, OpCode, READ_ACL_UNSAFE, type Txn, type Zxid } from '@quorate/protocol';
import { describe, expect, test } from 'vitest';
import { DataTree, type NodeHandle, type TxnResult } from '../src/index.js';
import { BUILT_IN, writeSnapshot } from './snapshot-writer.js';

const SESSION = 0x1234n;

/** A tree and the zxid of its next txn. */
class Bench {
  tree = new DataTree();
  changes: string[] = [];
  zxid = 0;

  apply(txn: Txn, clientId = SESSION): TxnResult {
    const header = { clientId, cxid: 1, zxid: ++this.zxid as Zxid, time: 1000 + this.zxid, type: txn.type };
    return this.tree.apply(header, txn, (type, path) => this.changes.push(`${type} ${path}`));
  }

  create(path: string, options: { ephemeral?: boolean; acl?: readonly Acl[] } = {}): TxnResult {
    return this.apply(this.creation(path, options));
  }

  creation(path: string, { ephemeral = false, acl = OPEN_ACL_UNSAFE }: { ephemeral?: boolean; acl?: readonly Acl[] } = {}): Txn {
    const parent = this.node(path.slice(0, path.lastIndexOf('/')) || '/');
    return { type: OpCode.create, path, data: null, acl, ephemeral, parentCVersion: (this.tree.cversion(parent) + 1) | 0 };
  }

  node(path: string): NodeHandle {
    const node = this.tree.find(path);
    if (node === undefined) throw new Error(`no ${path}`);
    return node;
  }
}

describe('a fresh tree', () => {
  test('shows the cversions of a fresh ZooKeeper', () => {
    const { tree, node } = freshNodes();
    expect(tree.nodeCount).toBe(4);
    expect(tree.lastZxid).toBe(0);
    expect(tree.stat(node('/'))).toMatchObject({
      cversion: -1,
      numChildren: 1,
      version: 0,
      aversion: 0,
      czxid: 0,
      ctime: 0,
      dataLength: 0,
    });
    expect(tree.stat(node('/zookeeper'))).toMatchObject({ cversion: -2, numChildren: 2 });
    expect(tree.stat(node('/zookeeper/quota'))).toMatchObject({ cversion: 0, numChildren: 0 });
    expect(tree.stat(node('/zookeeper/config'))).toMatchObject({ cversion: 0, numChildren: 0, aversion: -1 });
    expect(tree.acl(node('/zookeeper/config'))).toEqual(READ_ACL_UNSAFE);
  });

  test('gives the first sequential child of the root number 0', () => {
    const { tree, node } = freshNodes();
    expect(tree.cversion(node('/'))).toBe(0);
  });
});

describe('a precondition that prepare should have seen is an InvariantError', () => {
  const bench = new Bench();
  bench.create('/a');
  bench.create('/a/e', { ephemeral: true });
  const create = bench.creation('/b');
  test.each<[string, Txn]>([
    ['creation without a parent', { ...bench.creation('/a/x'), path: '/none/x' } as Txn],
    ['creation of what exists', { ...create, path: '/a' } as Txn],
    ['creation of the root', { ...create, path: '/' } as Txn],
    ['creation below an ephemeral', { ...create, path: '/a/e/x', parentCVersion: 1 } as Txn],
    ['creation that skips a cversion', { ...create, parentCVersion: 5 } as Txn],
    ['deletion of nothing', { type: OpCode.delete, path: '/none' }],
    ['deletion of a parent', { type: OpCode.delete, path: '/a' }],
    ['deletion of the root', { type: OpCode.delete, path: '/' }],
    ['deletion of a built-in znode', { type: OpCode.delete, path: '/zookeeper/quota' }],
    ['data for nothing', { type: OpCode.setData, path: '/none', data: null, version: 1 }],
    ['data that skips a version', { type: OpCode.setData, path: '/a', data: null, version: 2 }],
    ['an ACL that skips an aversion', { type: OpCode.setACL, path: '/a', acl: OPEN_ACL_UNSAFE, version: 2 }],
    ['a check of nothing', { type: OpCode.check, path: '/none', version: 0 }],
    ['a session that leaves an ephemeral', { type: OpCode.closeSession, paths: [] }],
    ['a session that takes another znode', { type: OpCode.closeSession, paths: ['/a'] }],
    ['a multi in a multi', { type: OpCode.multi, txns: [{ type: OpCode.multi, txns: [] }] }],
  ])('%s', (_, txn) => {
    expect(() => bench.apply(txn)).toThrow(InvariantError);
  });

  test('a zxid that does not ascend', () => {
    const txn: Txn = { type: OpCode.createSession, timeOut: 1 };
    const header = { clientId: SESSION, cxid: 1, zxid: bench.tree.lastZxid, time: 1, type: txn.type };
    expect(() => bench.tree.apply(header, txn, () => {})).toThrow(InvariantError);
  });

  test('the handle of a deleted znode', () => {
    const other = new Bench();
    other.create('/gone');
    const node = other.node('/gone');
    other.apply({ type: OpCode.delete, path: '/gone' });
    expect(() => other.tree.stat(node)).toThrow(InvariantError);
  });
});

test('a listener sees the tree as it is directly after each change of a multi', () => {
  const bench = new Bench();
  const seen: number[] = [];
  const multi: Txn = {
    type: OpCode.multi,
    txns: [bench.creation('/a'), { ...bench.creation('/b'), parentCVersion: 2 } as Txn, { type: OpCode.delete, path: '/a' }],
  };
  const header = { clientId: SESSION, cxid: 1, zxid: 1 as Zxid, time: 1, type: multi.type };
  bench.tree.apply(header, multi, () => seen.push(bench.tree.nodeCount));
  expect(seen).toEqual([5, 6, 5]);
});

test('rows and lists are used again: creating and deleting for long does not grow the tree', () => {
  const bench = new Bench();
  for (let round = 0; round < 5000; round++) {
    bench.create(`/n${round}`, { ephemeral: round % 2 === 0, acl: [{ perms: 31, id: { scheme: 'digest', id: `u${round}:x` } }] });
    bench.apply(round % 2 === 0 ? { type: OpCode.closeSession, paths: [`/n${round}`] } : { type: OpCode.delete, path: `/n${round}` });
  }
  expect(bench.tree.nodeCount).toBe(4);
  expect(bench.tree.ephemeralSessionCount).toBe(0);
  expect(bench.node('/zookeeper')).toBeLessThan(8);
  bench.create('/last');
  expect(bench.node('/last')).toBeLessThan(8);
  expect(bench.tree.serialize().length).toBe(DataTree.deserialize(bench.tree.serialize()).serialize().length);
});

test('an operation after the failed one of a multi has −2, also where the leader left it as it was', () => {
  const bench = new Bench();
  const create = bench.creation('/a');
  const result = bench.apply({ type: OpCode.multi, txns: [create, { type: OpCode.error, err: -101 }, create] });
  const errors = [0, -101, -2].map((err) => ({ type: OpCode.error, err }));
  expect(result).toEqual({ err: 0, results: errors });
  expect(bench.changes).toEqual([]);
});

test('versions and cversions wrap as an int32 does', () => {
  const tree = DataTree.deserialize(
    writeSnapshot({ znodes: [{ depth: 0, name: '', version: 2 ** 31 - 1, cversion: 2 ** 31 - 1, aversion: -1 }, ...BUILT_IN.slice(1)] }),
  );
  const root = tree.find('/') as NodeHandle;
  const at = (zxid: number, txn: Txn) =>
    tree.apply({ clientId: SESSION, cxid: 1, zxid: zxid as Zxid, time: 5, type: txn.type }, txn, () => {});
  expect(tree.stat(root).cversion).toBe(-3);
  at(8, { type: OpCode.setData, path: '/', data: null, version: -(2 ** 31) });
  at(9, { type: OpCode.create, path: '/n', data: null, acl: OPEN_ACL_UNSAFE, ephemeral: false, parentCVersion: -(2 ** 31) });
  at(10, { type: OpCode.setACL, path: '/', acl: READ_ACL_UNSAFE, version: 0 });
  expect(tree.stat(root)).toMatchObject({ version: -(2 ** 31), cversion: -2, aversion: 0, pzxid: 9 });
});

function freshNodes(): { tree: DataTree; node: (path: string) => NodeHandle } {
  const bench = new Bench();
  return { tree: bench.tree, node: (path) => bench.node(path) };
}
