import { OPEN_ACL_UNSAFE, OpCode, READ_ACL_UNSAFE, type Txn, type Zxid } from '@quorate/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DataTree } from '../src/index.js';
import { TIGHT } from './layout.js';
import { TreeModel } from './tree-model.js';
import { type At, attempt, SESSIONS, type Step, steps } from './txn-generator.js';

/** A tree that takes the single steps of the generator. */
class Machine {
  readonly tree = new DataTree(TIGHT);
  private readonly model = new TreeModel();
  private count = 0;

  take(step: Step): void {
    if (step.kind !== 'one') return;
    const zxid = ++this.count;
    const at: At = { zxid, time: zxid, session: SESSIONS[step.attempt.session] as bigint };
    const expected = attempt(this.model, step.attempt, at);
    if (expected === undefined) return;
    const { txn } = expected;
    this.tree.apply({ clientId: at.session, cxid: 1, zxid: zxid as Zxid, time: zxid, type: txn.type }, txn, () => {});
  }
}

test('pieces that are taken while txns are applied are the snapshot of the tree as it was at the beginning', () => {
  const pace = fc.array(fc.nat(3), { minLength: 1, maxLength: 8 });
  const pieceBytes = fc.integer({ min: 1, max: 300 });
  fc.assert(
    fc.property(steps, steps, fc.array(fc.record({ pace, pieceBytes }), { minLength: 1, maxLength: 3 }), (before, during, snapshots) => {
      const machine = new Machine();
      for (const step of before) machine.take(step);
      // Each begins a third of the way later than the one before it, so that several run at once.
      const begun: { expected: Uint8Array; pieces: Generator<Uint8Array>; got: number[]; pace: number[]; max: number }[] = [];
      during.forEach((step, index) => {
        const next = snapshots[begun.length];
        if (next !== undefined && index % Math.ceil(during.length / 3) === 0) {
          const { tree } = machine;
          begun.push({
            expected: tree.serialize(),
            pieces: tree.snapshot(next.pieceBytes),
            got: [],
            pace: next.pace,
            max: next.pieceBytes,
          });
        }
        for (const one of begun) for (let taken = one.pace[index % one.pace.length] as number; taken > 0; taken--) takePiece(one);
        machine.take(step);
      });
      for (const one of begun) {
        while (takePiece(one)) continue;
        expect(Uint8Array.from(one.got)).toEqual(one.expected);
      }
    }),
    { numRuns: 100 },
  );
}, 30_000);

function takePiece({ pieces, got, max }: { pieces: Generator<Uint8Array>; got: number[]; max: number }): boolean {
  const { done, value } = pieces.next();
  if (done === true) return false;
  if (value.length === 0 || value.length > max) throw new Error(`a piece of ${value.length} bytes, where ${max} are allowed`);
  got.push(...value);
  return true;
}

test('data that were handed out stay what they are when the znode gets others, goes, and its chunk is emptied', () => {
  const tree = new DataTree(TIGHT);
  const apply = applier(tree);
  const create = (path: string, cversion: number, data: Uint8Array): void =>
    apply({ type: OpCode.create, path, data, acl: READ_ACL_UNSAFE, ephemeral: false, parentCVersion: cversion });
  const views: { readonly view: Uint8Array; readonly copy: Uint8Array }[] = [];
  for (let round = 1; round <= 100; round++) {
    const path = `/n${round}`;
    create(path, round, Uint8Array.of(round, 1, 2, 3));
    if (round > 5) apply({ type: OpCode.setData, path: `/n${round - 5}`, data: new Uint8Array(round).fill(round), version: 1 });
    if (round > 9) apply({ type: OpCode.delete, path: `/n${round - 9}` });
    for (const back of [0, 5]) {
      const node = tree.find(`/n${round - back}`);
      const view = node === undefined ? null : tree.data(node);
      if (view !== null) views.push({ view, copy: view.slice() });
    }
  }
  for (const { view, copy } of views) expect(view).toEqual(copy);
});

test('one owner of many, and many lists, are as they were when they change while they are written', () => {
  const tree = new DataTree();
  const apply = applier(tree);
  const ephemerals = Array.from({ length: 50 }, (_, index) => `/e${index}`);
  ephemerals.forEach((path, index) => {
    const acl = [{ perms: 31, id: { scheme: 'digest', id: `user${index}:x` } }];
    apply({ type: OpCode.create, path, data: null, acl, ephemeral: true, parentCVersion: index + 1 });
  });
  const expected = tree.serialize();
  const pieces = tree.snapshot(100);
  const got = [...(pieces.next().value as Uint8Array)];
  apply({ type: OpCode.closeSession, paths: ephemerals });
  apply({ type: OpCode.create, path: '/e7', data: null, acl: OPEN_ACL_UNSAFE, ephemeral: true, parentCVersion: 51 });
  for (const piece of pieces) got.push(...piece);
  expect(Uint8Array.from(got)).toEqual(expected);
});

function applier(tree: DataTree): (txn: Txn) => void {
  return (txn) => {
    tree.apply({ clientId: 9n, cxid: 1, zxid: (tree.lastZxid + 1) as Zxid, time: 1, type: txn.type }, txn, () => {});
  };
}
