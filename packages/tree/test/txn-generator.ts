/**
 * Random txns, as a prepare would let them pass: fast-check draws what to attempt, and the model decides what that comes to.
 */
import { type Acl, ErrorCode, OPEN_ACL_UNSAFE, OpCode, type OpResult, READ_ACL_UNSAFE, type Txn } from '@quorate/protocol';
import fc from 'fast-check';
import type { TreeModel } from './tree-model.js';

export const SESSIONS = [0x1000_0000_0000_0001n, 2n, -3n] as const;

/** Names that trip maps made of objects, names whose UTF-8 is another name read byte by byte, one that is longer than a chunk of a test, and others. */
const NAMES = ['a', 'b', '__proto__', 'constructor', 'zookeeper', 'été', 'Ã©tÃ©', '漢', '\u{1f600}', 'x'.repeat(150), 'n0000000000'];
const ACLS: readonly (readonly Acl[])[] = [
  OPEN_ACL_UNSAFE,
  READ_ACL_UNSAFE,
  [
    { perms: 31, id: { scheme: 'digest', id: 'a:b' } },
    { perms: 1, id: { scheme: 'world', id: 'anyone' } },
  ],
  [{ perms: 31, id: { scheme: 'digest', id: 'a:' } }],
];

/** What to attempt; numbers choose among what there is. */
export interface Attempt {
  readonly kind:
    | 'create'
    | 'create2'
    | 'ephemeral'
    | 'container'
    | 'ttl'
    | 'delete'
    | 'deleteContainer'
    | 'setData'
    | 'setACL'
    | 'check'
    | 'createSession'
    | 'closeSession'
    | 'error';
  readonly node: number;
  readonly name: number;
  readonly data: number[] | null;
  readonly acl: number;
  readonly session: number;
}

export type Step =
  | { readonly kind: 'one'; readonly attempt: Attempt }
  | { readonly kind: 'multi'; readonly attempts: readonly Attempt[]; readonly failure: 'none' | 'ours' | 'apache' }
  | { readonly kind: 'reload' };

/** Long enough for lengths of two bytes, and for a chunk of its own in a test. */
const LONG_DATA = fc.nat({ max: 400 }).map((length) => Array.from({ length }, (_, index) => index & 0xff));

const attemptOf = (...kinds: Attempt['kind'][]): fc.Arbitrary<Attempt> =>
  fc.record({
    kind: fc.constantFrom(...kinds),
    node: fc.nat(1000),
    name: fc.nat(NAMES.length - 1),
    data: fc.option(fc.oneof({ weight: 9, arbitrary: fc.array(fc.nat(255), { maxLength: 5 }) }, { weight: 1, arbitrary: LONG_DATA })),
    acl: fc.nat(ACLS.length - 1),
    session: fc.nat(SESSIONS.length - 1),
  });

const single = attemptOf(
  'create',
  'create',
  'create2',
  'ephemeral',
  'container',
  'ttl',
  'delete',
  'deleteContainer',
  'setData',
  'setACL',
  'check',
  'createSession',
  'closeSession',
  'error',
);
const inMulti = attemptOf('create', 'create2', 'ephemeral', 'container', 'ttl', 'delete', 'setData', 'check');

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('one' as const), attempt: single }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('multi' as const),
        attempts: fc.array(inMulti, { maxLength: 6 }),
        failure: fc.constantFrom('none' as const, 'none' as const, 'ours' as const, 'apache' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const) }) },
  ),
  { maxLength: 60, size: 'max' },
);

/** When and for whom a txn is. */
export interface At {
  readonly zxid: number;
  readonly time: number;
  readonly session: bigint;
}

/** A txn, what the model says comes of it, and what the model says changes. The model has applied it. */
export interface Expected {
  readonly txn: Txn;
  readonly result: OpResult | { readonly err: number };
  readonly path?: string;
  readonly changes: readonly (readonly [string, string])[];
}

/** Applies the attempt to the model; undefined where a prepare would refuse it. */
export function attempt(model: TreeModel, { kind, node, name, data, acl: aclIndex, session }: Attempt, at: At): Expected | undefined {
  const paths = [...model.znodes.keys()];
  const path = paths[node % paths.length] as string;
  const acl = ACLS[aclIndex] as readonly Acl[];
  const bytes = data === null ? null : Uint8Array.from(data);
  switch (kind) {
    case 'create':
    case 'create2':
    case 'ephemeral': {
      const child = `${path === '/' ? '' : path}/${NAMES[name]}`;
      if (model.znodes.has(child) || model.get(path).owner !== 0n) return undefined;
      const ephemeral = kind === 'ephemeral';
      model.create(child, data, acl, ephemeral ? at.session : 0n, at);
      const type = kind === 'create' ? OpCode.create : OpCode.create2;
      const txn: Txn = { type, path: child, data: bytes, acl, ephemeral, parentCVersion: model.get(path).creations };
      const changes = [['created', child]] as const;
      if (type === OpCode.create) return { txn, result: { type, path: child }, path: child, changes };
      return { txn, result: { type, path: child, stat: model.stat(child) }, path: child, changes };
    }
    case 'container':
    case 'ttl': {
      const child = `${path === '/' ? '' : path}/${NAMES[name]}`;
      if (model.znodes.has(child) || model.get(path).owner !== 0n) return undefined;
      // Few TTLs, so that znodes share them, the longest among them.
      const ttl = session === 0 ? 2 ** 40 - 1 : session;
      model.create(child, data, acl, 0n, at, kind === 'ttl' ? ttl : 'container');
      const made = { path: child, data: bytes, acl, parentCVersion: model.get(path).creations };
      const txn: Txn = kind === 'ttl' ? { type: OpCode.createTTL, ...made, ttl } : { type: OpCode.createContainer, ...made };
      return { txn, result: { type: OpCode.create2, path: child, stat: model.stat(child) }, path: child, changes: [['created', child]] };
    }
    case 'deleteContainer':
      if (model.get(path).lasts === undefined || model.get(path).children.length > 0) return undefined;
      model.delete(path, at.zxid);
      return { txn: { type: OpCode.deleteContainer, path }, result: { type: OpCode.delete }, path, changes: [['deleted', path]] };
    case 'delete':
      if (path === '/' || path.startsWith('/zookeeper') || model.get(path).children.length > 0) return undefined;
      model.delete(path, at.zxid);
      return { txn: { type: OpCode.delete, path }, result: { type: OpCode.delete }, path, changes: [['deleted', path]] };
    case 'setData': {
      model.setData(path, data, at);
      const txn: Txn = { type: OpCode.setData, path, data: bytes, version: model.get(path).version };
      return { txn, result: { type: OpCode.setData, stat: model.stat(path) }, path, changes: [['dataChanged', path]] };
    }
    case 'setACL':
      model.setAcl(path, acl);
      return { txn: { type: OpCode.setACL, path, acl, version: model.get(path).aversion }, result: { err: 0 }, path, changes: [] };
    case 'check':
      return { txn: { type: OpCode.check, path, version: 0 }, result: { type: OpCode.check }, path, changes: [] };
    case 'createSession':
      return { txn: { type: OpCode.createSession, timeOut: 4000 }, result: { err: 0 }, changes: [] };
    case 'closeSession': {
      // Any order will do, so it is not always the order of creation.
      const owned = model.ephemeralsOf(at.session);
      const gone = session === 0 ? owned : owned.toReversed();
      for (const ephemeral of gone) model.delete(ephemeral, at.zxid);
      return { txn: { type: OpCode.closeSession, paths: gone }, result: { err: 0 }, changes: gone.map((one) => ['deleted', one] as const) };
    }
    case 'error':
      return { txn: { type: OpCode.error, err: ErrorCode.NO_NODE }, result: { err: ErrorCode.NO_NODE }, changes: [] };
  }
}
