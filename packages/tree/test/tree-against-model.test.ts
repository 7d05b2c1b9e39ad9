import { ErrorCode, OpCode, type OpResult, type Txn, type TxnDigest, type Zxid } from '@quorate/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DataTree, type TxnResult } from '../src/index.js';
import type { StoreLayout } from '../src/znode-store.js';
import { digestFromScratch } from './digest-twin.js';
import { TIGHT } from './layout.js';
import { type ModelZnode, TreeModel } from './tree-model.js';
import { type At, attempt, type Expected, SESSIONS, type Step, steps } from './txn-generator.js';

test.each([
  ['as it is shipped', {}],
  ['where hashes fall together and chunks are small', TIGHT],
])(
  'a tree %s does what the model does, through any txns, multis, closed sessions and reloads',
  (_, layout) => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const run = { tree: new DataTree(layout), model: new TreeModel(), layout };
        sequence.forEach((step, index) => {
          take(run, step, index);
          expectEqual(run.tree, run.model);
        });
      }),
      { numRuns: 50 },
    );
  },
  30_000,
);

interface Run {
  tree: DataTree;
  model: TreeModel;
  readonly layout: StoreLayout;
}

function take(run: Run, step: Step, index: number): void {
  if (step.kind === 'reload') {
    run.tree = DataTree.deserialize(run.tree.serialize(), run.layout);
    return;
  }
  const sessionIndex = step.kind === 'one' ? step.attempt.session : index % SESSIONS.length;
  const at: At = {
    zxid: run.model.lastZxid + 1 + (index % 3),
    time: 1_700_000_000_000 + index * 7,
    session: SESSIONS[sessionIndex] as bigint,
  };
  const expected = step.kind === 'one' ? attempt(run.model, step.attempt, at) : multi(run, step.attempts, step.failure, at);
  if (expected === undefined) return;
  run.model.lastZxid = at.zxid;

  const changes: [string, string][] = [];
  const header = { clientId: at.session, cxid: index, zxid: at.zxid as Zxid, time: at.time, type: expected.txn.type };
  const result = run.tree.apply(header, expected.txn, (type, path) => changes.push([type, path]));
  expect(changes).toEqual(expected.changes);
  expect(result).toEqual(resultOf(run.model, expected));
}

function multi(run: Run, attempts: readonly Parameters<typeof attempt>[1][], failure: 'none' | 'ours' | 'apache', at: At): Expected {
  const before = run.model.clone();
  const done = attempts.map((one) => attempt(run.model, one, at)).filter((one) => one !== undefined);
  if (failure === 'none' || done.length === 0) {
    const results = done.map((one) => one.result as OpResult);
    return {
      txn: { type: OpCode.multi, txns: done.map((one) => one.txn) },
      result: { err: 0, results } as TxnResult,
      changes: done.flatMap((one) => one.changes),
    };
  }
  run.model = before;
  const failing = Math.floor(done.length / 2);
  const errors = done.map((_, index) => ({
    type: OpCode.error,
    err: index < failing ? ErrorCode.OK : index === failing ? ErrorCode.BAD_VERSION : ErrorCode.RUNTIME_INCONSISTENCY,
  }));
  const txns: Txn[] = failure === 'ours' ? errors : done.map((one, index) => (index < failing ? one.txn : (errors[index] as Txn)));
  return { txn: { type: OpCode.multi, txns }, result: { err: 0, results: errors } as TxnResult, changes: [] };
}

function resultOf(model: TreeModel, { txn, result, path }: Expected): unknown {
  if (txn.type === OpCode.multi || !('type' in result)) {
    return txn.type === OpCode.setACL ? { err: 0, path: txn.path, stat: model.stat(txn.path) } : result;
  }
  return 'stat' in result ? { err: 0, path, stat: result.stat } : { err: 0, path };
}

function expectEqual(tree: DataTree, model: TreeModel): void {
  expect(tree.lastZxid).toBe(model.lastZxid);
  expect({ ...tree.digest }).toEqual(digestOfModel(model));
  expect(tree.nodeCount).toBe(model.znodes.size);
  const lengths = [...model.znodes].map(([path, { data }]) => (path === '/' ? 0 : path.length) + (data?.length ?? 0));
  expect(tree.approximateDataSize).toBe(lengths.reduce((sum, length) => sum + length, 0));
  expect(tree.find('/no/such')).toBeUndefined();
  expect(tree.ephemeralSessionCount).toBe(new Set(model.ephemerals.map(({ session }) => session)).size);
  const ephemerals = SESSIONS.flatMap((session) => model.ephemeralsOf(session).map((path) => `${session} ${path}`));
  expect(tree.ephemeralCount).toBe(ephemerals.length);
  expect([...tree.ephemerals()].map(([session, path]) => `${session} ${path}`).sort()).toEqual(ephemerals.sort());
  const lasting = [...model.znodes].filter(([, { lasts }]) => lasts !== undefined).map(([path]) => path);
  expect([...tree.containersAndTtls()].sort()).toEqual(lasting.sort());
  expect(SESSIONS.map((session) => tree.ephemeralsOf(session))).toEqual(SESSIONS.map((session) => model.ephemeralsOf(session)));
  expect([...model.znodes.keys()].map((path) => seenInTree(tree, path))).toEqual(
    [...model.znodes.keys()].map((path) => seenInModel(model, path)),
  );
}

function persistedOwner({ owner, lasts }: ModelZnode): bigint {
  return lasts === undefined ? owner : lasts === 'container' ? -(2n ** 63n) : BigInt.asIntN(64, 0xff00n << 48n) + BigInt(lasts);
}

function digestOfModel({ znodes }: TreeModel): TxnDigest {
  return digestFromScratch(
    [...znodes].map(([path, znode]) => ({
      path,
      data: Uint8Array.from(znode.data ?? []),
      longs: [znode.czxid, znode.mzxid, znode.pzxid, znode.ctime, znode.mtime],
      ints: [znode.version, znode.creations, znode.aversion],
      owner: persistedOwner(znode),
    })),
  );
}

function seenInTree(tree: DataTree, path: string): unknown {
  const node = tree.find(path);
  if (node === undefined) return `the tree has no ${path}`;
  const counts = [
    tree.childCount(node),
    tree.cversion(node),
    tree.version(node),
    tree.aversion(node),
    tree.ephemeralOwner(node),
    tree.persistedOwner(node),
    tree.countBelow(node),
  ];
  return [path, tree.stat(node), tree.data(node), tree.acl(node), tree.children(node), counts];
}

function seenInModel(model: TreeModel, path: string): unknown {
  const { data, acl, children, creations, version, aversion, owner } = model.get(path);
  const counts = [children.length, creations, version, aversion, owner, persistedOwner(model.get(path)), model.countBelow(path)];
  return [path, model.stat(path), data === null ? null : Uint8Array.from(data), acl, children, counts];
}
