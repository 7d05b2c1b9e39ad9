import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { OPEN_ACL_UNSAFE, OpCode, type Txn, type Zxid } from '@quorate/protocol';
import { expect, test } from 'vitest';
import { DataTree } from '../src/index.js';

const COUNT = 50_000;
const PER_DIRECTORY = 1_000;
const DATA = new Uint8Array(100);

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

/** What lives, in bytes. */
function held(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function apply(tree: DataTree, txn: Txn): void {
  tree.apply({ clientId: 9n, cxid: 1, zxid: (tree.lastZxid + 1) as Zxid, time: 1, type: txn.type }, txn, () => {});
}

const pathOf = (index: number): string => `/directory-${Math.floor(index / PER_DIRECTORY)}/node-${index}`;

function filled(): DataTree {
  const tree = new DataTree();
  const create = (path: string, parentCVersion: number): void =>
    apply(tree, { type: OpCode.create, path, data: DATA, acl: OPEN_ACL_UNSAFE, ephemeral: false, parentCVersion });
  for (let directory = 0; directory < COUNT / PER_DIRECTORY; directory++) create(`/directory-${directory}`, directory + 1);
  for (let index = 0; index < COUNT; index++) create(pathOf(index), (index % PER_DIRECTORY) + 1);
  return tree;
}

function setAll(tree: DataTree, version: number): void {
  for (let index = 0; index < COUNT; index++) {
    apply(tree, { type: OpCode.setData, path: pathOf((index * 7919) % COUNT), data: DATA, version });
  }
}

test('a znode with 100 B of data takes half of what it takes in ZooKeeper, and not much more after many changes', () => {
  filled();
  const before = held();
  const tree = filled();
  expect((held() - before) / COUNT).toBeLessThan(422 / 2);
  for (let version = 1; version <= 3; version++) setAll(tree, version);
  expect((held() - before) / COUNT).toBeLessThan(300);
  for (let index = 0; index < COUNT; index++) apply(tree, { type: OpCode.delete, path: pathOf(index) });
  expect((held() - before) / COUNT).toBeLessThan(100);
}, 180_000);

test('a snapshot that nobody wants any more keeps nothing', () => {
  const tree = filled();
  setAll(tree, 1);
  const before = held();
  let pieces: Generator<Uint8Array> | undefined = tree.snapshot();
  pieces.next();
  setAll(tree, 2);
  expect(held() - before).toBeGreaterThan(COUNT * 100);
  pieces = undefined;
  expect(held() - before).toBeLessThan(COUNT * 40);
  expect(tree.nodeCount).toBe(COUNT + COUNT / PER_DIRECTORY + 4);
}, 180_000);
