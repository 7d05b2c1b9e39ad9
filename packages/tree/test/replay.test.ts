/** A snapshot as Apache writes it, while txns are applied: replay makes of it the tree that never stopped. */
import {
  type Acl,
  JuteReader,
  JuteWriter,
  joinPath,
  OPEN_ACL_UNSAFE,
  OpCode,
  type Txn,
  type TxnHeader,
  writeAclList,
  type Zxid,
} from '@quorate/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DataTree } from '../src/index.js';
import { TreeModel } from './tree-model.js';
import { type At, attempt, SESSIONS, type Step, steps } from './txn-generator.js';

interface Logged {
  readonly header: TxnHeader;
  readonly txn: Txn;
}

/** The txns that these steps come to, in order. */
function txnsOf(history: readonly Step[]): Logged[] {
  const model = new TreeModel();
  const log: Logged[] = [];
  for (const step of history) {
    if (step.kind !== 'one') continue;
    const zxid = (log.length + 1) as Zxid;
    const at: At = { zxid, time: zxid, session: SESSIONS[step.attempt.session] as bigint };
    const expected = attempt(model, step.attempt, at);
    if (expected === undefined) continue;
    const { txn } = expected;
    log.push({ header: { clientId: at.session, cxid: 1, zxid, time: zxid, type: txn.type }, txn });
  }
  return log;
}

/** Writes the tree as Apache does: each znode as it is when its turn comes, its children as they are then. `pass` lets time pass in between. */
function writeWhileChanging(tree: DataTree, pass: () => void): Uint8Array {
  const writer = new JuteWriter();
  const lists = new Map<readonly Acl[], bigint>();
  for (const path of pathsOf(tree)) {
    const acl = tree.acl(tree.find(path) as never);
    if (!lists.has(acl)) lists.set(acl, BigInt(lists.size + 1));
  }
  writer.vector([...lists], (to, [acl, number]) => {
    to.long(number);
    writeAclList(to, acl);
  });
  const write = (path: string): void => {
    const node = tree.find(path);
    if (node === undefined) return;
    const stat = tree.persistedStat(node);
    const names = [...tree.children(node)];
    writer.string(path === '/' ? '' : path);
    writer.buffer(tree.data(node));
    writer.long(lists.get(tree.acl(node)) ?? 99n);
    for (const zxid of [stat.czxid, stat.mzxid, stat.ctime, stat.mtime]) writer.longNumber(zxid);
    for (const version of [stat.version, stat.cversion, stat.aversion]) writer.int(version);
    writer.long(stat.ephemeralOwner);
    writer.longNumber(stat.pzxid);
    for (const name of names) {
      pass();
      write(joinPath(path, name));
    }
  };
  write('/');
  writer.string('/');
  return writer.finish();
}

function* pathsOf(tree: DataTree, path = '/'): Generator<string> {
  yield path;
  for (const name of tree.children(tree.find(path) as never)) yield* pathsOf(tree, joinPath(path, name));
}

/** All that can be seen of a tree. */
function look(tree: DataTree) {
  const znodes = [...pathsOf(tree)].sort().map((path) => {
    const node = tree.find(path) as never;
    return { path, data: tree.data(node), acl: tree.acl(node), stat: tree.persistedStat(node) };
  });
  return { znodes, digest: { ...tree.digest }, ephemerals: SESSIONS.map((session) => tree.ephemeralsOf(session).sort()) };
}

test('a tree that changed while it was written becomes the tree that it was written of', () => {
  const pace = fc.array(fc.nat(4), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(steps, steps, steps, pace, (before, during, after, paces) => {
      const log = txnsOf([...before, ...during, ...after]);
      const begin = txnsOf(before).length;
      const tree = new DataTree();
      let applied = 0;
      const applyNext = (): void => {
        const next = log[applied];
        if (next === undefined) return;
        applied++;
        tree.apply(next.header, next.txn, () => {});
      };
      while (applied < begin) applyNext();
      const zxid = tree.lastZxid;
      let turn = 0;
      const bytes = writeWhileChanging(tree, () => {
        for (let count = paces[turn++ % paces.length] as number; count > 0; count--) applyNext();
      });
      while (applied < log.length) applyNext();
      const read = DataTree.readApache(new JuteReader(bytes), zxid);
      for (const { header, txn } of log) if (header.zxid > zxid) read.replay(header, txn, () => {});
      expect(look(read)).toEqual(look(tree));
      expect(read.lastZxid).toBe(tree.lastZxid);
    }),
    { numRuns: 150 },
  );
}, 60_000);

const create = (path: string, parentCVersion: number): Txn => ({
  ...{ type: OpCode.create, path, data: null, acl: OPEN_ACL_UNSAFE, ephemeral: false, parentCVersion },
});

const headerOf = (zxid: number, type: number): TxnHeader => ({ clientId: 1n, cxid: 1, zxid: zxid as Zxid, time: zxid, type });

test('a txn is not about a znode that has come in the place of an earlier one', () => {
  const log: readonly Txn[] = [
    create('/a', 1),
    { type: OpCode.setACL, path: '/a', acl: [], version: 1 },
    { type: OpCode.delete, path: '/a' },
    create('/a', 2),
    create('/a/b', 1),
  ];
  const tree = new DataTree();
  let zxid = 0;
  const applyNext = (): void => {
    const txn = log[zxid];
    if (txn !== undefined) tree.apply(headerOf(++zxid, txn.type), txn, () => {});
  };
  applyNext();
  // The root is written as it was before all that, its child as it is after.
  const bytes = writeWhileChanging(tree, () => {
    while (zxid < log.length) applyNext();
  });
  const read = DataTree.readApache(new JuteReader(bytes), 1 as Zxid);
  log.forEach((txn, index) => {
    if (index > 0) read.replay(headerOf(index + 1, txn.type), txn, () => {});
  });
  expect(look(read)).toEqual(look(tree));
});

test('the parts of a multi are replayed one by one, and those of one that failed not at all', () => {
  const tree = new DataTree();
  tree.apply(headerOf(1, OpCode.create), create('/a', 1), () => {});
  const multi: Txn = {
    type: OpCode.multi,
    txns: [create('/a/b', 1), { type: OpCode.setData, path: '/a', data: Uint8Array.of(1), version: 1 }],
  };
  const failed: Txn = { type: OpCode.multi, txns: [create('/c', 3), { type: OpCode.error, err: -101 }] };
  tree.apply(headerOf(2, OpCode.multi), multi, () => {});
  const read = DataTree.readApache(new JuteReader(writeWhileChanging(tree, () => {})), 1 as Zxid);
  read.replay(headerOf(2, OpCode.multi), multi, () => {});
  read.replay(headerOf(3, OpCode.multi), failed, () => {});
  expect(look(read)).toEqual(look(tree));
});
