/**
 * What must become of a request: the txn that the leader has to make of it, told from the request, its session and the tree just before it (zookeeper.md
 * 1.4, 1.8). A second opinion, which shares no code with the server: that an answer is what its txn says does not make the txn right.
 *
 * It is as wide as the workload: the only bad paths there are those that end with a slash, and permissions are those of `acl-model.ts`. What the end of a
 * session deletes is held against the tree by `ZnodeHistory`, and so is what goes by itself.
 */
import {
  CreateMode,
  type CreateRequest,
  type CreateTtlRequest,
  type DeleteRequest,
  ErrorCode,
  errorName,
  type MultiOp,
  type MultiRequest,
  OpCode,
  opCodeName,
  Permission,
  type Request,
  type SetAclRequest,
  type SetDataRequest,
  type Txn,
} from '@quorate/protocol';
import { aclOf, isSameAcl, mayDo } from './acl-model.js';
import type { ProvedIds } from './identities.js';
import { isRefused, limitsPathOf, quotaOver, statsPathOf, type Usage } from './quota-model.js';
import { sameBytes } from './witness.js';
import { parentOf, type Znode, type ZnodeHistory } from './znode-history.js';

/** Who asks, and when. */
export interface Moment {
  readonly znodes: ZnodeHistory;
  /** The index in G of the last txn before. */
  readonly before: number;
  readonly session: bigint;
  /** What its connection had proved when it asked. */
  readonly proved: ProvedIds;
  /** Whether the end of the session stands before. */
  readonly isClosed: boolean;
  /** Whether its server alone knows the session, so that it may own nothing. */
  readonly isLocal: boolean;
  /** Whether hard limits of quotas are kept. */
  readonly enforcesQuotas: boolean;
}

type Outcome = Txn | number;
type Draft = Pick<Znode, 'data' | 'acl' | 'version' | 'cversion' | 'aversion' | 'childCount' | 'ephemeralOwner'>;

const BUILT_IN: ReadonlySet<string> = new Set(['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']);
const NOTHING = new Uint8Array(0);

/** The txn that must stand in G. */
export function txnOf(request: Request, moment: Moment): Txn {
  // What comes behind the end of its session is refused whatever it is (ZOOKEEPER-1208).
  if (moment.isClosed) return refusal(ErrorCode.SESSION_EXPIRED);
  const tree = new DraftTree(moment);
  switch (request.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
    case OpCode.delete:
    case OpCode.setData:
      return txnOrRefusal(opOutcome(request, tree));
    case OpCode.setACL:
      return txnOrRefusal(setAclOutcome(request, tree));
    case OpCode.multi:
      return multiTxn(request, tree);
    case OpCode.closeSession:
      return { type: OpCode.closeSession, paths: [] };
    default:
      return refusal(ErrorCode.UNIMPLEMENTED);
  }
}

/** Whether the txn in G is the one that must stand there. */
export function isSameTxn(txn: Txn, expected: Txn): boolean {
  switch (expected.type) {
    case OpCode.create:
    case OpCode.create2:
      return (
        txn.type === expected.type &&
        txn.path === expected.path &&
        txn.ephemeral === expected.ephemeral &&
        txn.parentCVersion === expected.parentCVersion &&
        isSameData(txn.data, expected.data) &&
        isSameAcl(txn.acl, expected.acl)
      );
    case OpCode.createContainer:
    case OpCode.createTTL:
      return (
        txn.type === expected.type &&
        txn.path === expected.path &&
        txn.parentCVersion === expected.parentCVersion &&
        ('ttl' in txn ? txn.ttl : 0) === ('ttl' in expected ? expected.ttl : 0) &&
        isSameData(txn.data, expected.data) &&
        isSameAcl(txn.acl, expected.acl)
      );
    case OpCode.delete:
      return txn.type === OpCode.delete && txn.path === expected.path;
    case OpCode.setData:
      return (
        txn.type === OpCode.setData && txn.path === expected.path && txn.version === expected.version && isSameData(txn.data, expected.data)
      );
    case OpCode.setACL:
      return (
        txn.type === OpCode.setACL && txn.path === expected.path && txn.version === expected.version && isSameAcl(txn.acl, expected.acl)
      );
    case OpCode.check:
      return txn.type === OpCode.check && txn.path === expected.path && txn.version === expected.version;
    case OpCode.error:
      return txn.type === OpCode.error && txn.err === expected.err;
    case OpCode.multi:
      return (
        txn.type === OpCode.multi &&
        txn.txns.length === expected.txns.length &&
        expected.txns.every((op, i) => isSameTxn(txn.txns[i] as Txn, op))
      );
    default:
      return txn.type === expected.type;
  }
}

/** A request in words. */
export function describeRequest(request: Request): string {
  if (request.type === OpCode.multi) return `multi [${request.ops.map(describeRequest).join(', ')}]`;
  const path = 'path' in request ? ` ${request.path}` : '';
  const version = 'version' in request ? ` if version ${request.version}` : '';
  const flags = 'flags' in request ? ` with flags ${request.flags}` : '';
  return `${opCodeName(request.type) ?? request.type}${path}${version}${flags}`;
}

/** A txn in words. */
export function describeTxn(txn: Txn): string {
  switch (txn.type) {
    case OpCode.error:
      return txn.err === ErrorCode.OK ? 'no error of its own' : (errorName(txn.err) ?? `error ${txn.err}`);
    case OpCode.multi:
      return `multi [${txn.txns.map(describeTxn).join(', ')}]`;
    case OpCode.create:
    case OpCode.create2:
      return `${opCodeName(txn.type)} ${txn.path}${txn.ephemeral ? ' ephemeral' : ''} as child ${txn.parentCVersion}`;
    default: {
      const path = 'path' in txn ? ` ${txn.path}` : '';
      const version = 'version' in txn ? ` to version ${txn.version}` : '';
      return `${opCodeName(txn.type) ?? txn.type}${path}${version}`;
    }
  }
}

/** All or nothing: where one fails, those before it have no error of their own, and those behind it were not tried. */
function multiTxn({ ops }: MultiRequest, tree: DraftTree): Txn {
  const outcomes: Txn[] = [];
  for (const op of ops) {
    const outcome = opOutcome(op, tree);
    if (typeof outcome === 'number') {
      const failed = outcomes.length;
      const codes = ops.map((_, i) => (i < failed ? ErrorCode.OK : i === failed ? outcome : ErrorCode.RUNTIME_INCONSISTENCY));
      return { type: OpCode.multi, txns: codes.map(refusal) };
    }
    outcomes.push(outcome);
  }
  return { type: OpCode.multi, txns: outcomes };
}

function opOutcome(op: MultiOp, tree: DraftTree): Outcome {
  switch (op.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return createOutcome(op, tree);
    case OpCode.delete:
      return deleteOutcome(op, tree);
    case OpCode.setData:
      return setDataOutcome(op, tree);
    case OpCode.check: {
      const znode = tree.find(op.path);
      if (znode === undefined) return ErrorCode.NO_NODE;
      if (!tree.permits(znode, Permission.READ)) return ErrorCode.NO_AUTH;
      if (op.version !== -1 && op.version !== znode.version) return ErrorCode.BAD_VERSION;
      return { type: OpCode.check, path: op.path, version: next(znode.version) };
    }
  }
}

function createOutcome(request: CreateRequest | CreateTtlRequest, tree: DraftTree): Outcome {
  const { path: asked, data, flags } = request;
  if (!isModeOf(request)) return ErrorCode.BAD_ARGUMENTS;
  const ephemeral = flags === CreateMode.EPHEMERAL || flags === CreateMode.EPHEMERAL_SEQUENTIAL;
  if (ephemeral && tree.isLocal) return ErrorCode.EPHEMERAL_ON_LOCAL_SESSION;
  const acl = aclOf(request.acl, tree.proved);
  if (acl === undefined) return ErrorCode.INVALID_ACL;
  const parent = tree.find(parentOf(asked));
  if (parent === undefined) return ErrorCode.NO_NODE;
  if (!tree.permits(parent, Permission.CREATE)) return ErrorCode.NO_AUTH;
  // The number is how many children were ever created, and never how many there are (ZOOKEEPER-3249).
  const path = NUMBERED.has(flags) ? asked + tenDigits(parent.cversion) : asked;
  if (path !== '/' && path.endsWith('/')) return ErrorCode.BAD_ARGUMENTS;
  if (tree.find(path) !== undefined) return ErrorCode.NODE_EXISTS;
  if (parent.ephemeralOwner !== 0n) return ErrorCode.NO_CHILDREN_FOR_EPHEMERALS;
  if (!tree.take(path, { count: 1, bytes: lengthOf(data) })) return ErrorCode.QUOTA_EXCEEDED;
  const parentCVersion = next(parent.cversion);
  tree.set(parentOf(path), { ...parent, cversion: parentCVersion, childCount: parent.childCount + 1 });
  tree.set(path, { data, acl, version: 0, cversion: 0, aversion: 0, childCount: 0, ephemeralOwner: ephemeral ? tree.session : 0n });
  if (request.type === OpCode.createTTL) return { type: OpCode.createTTL, path, data, acl, parentCVersion, ttl: request.ttl };
  // Whichever operation asks for it.
  if (request.type === OpCode.createContainer || flags === CreateMode.CONTAINER)
    return { type: OpCode.createContainer, path, data, acl, parentCVersion };
  return { type: request.type, path, data, acl, ephemeral, parentCVersion };
}

/** A TTL comes with createTTL alone, and that with a TTL; createContainer makes containers. */
function isModeOf(request: CreateRequest | CreateTtlRequest): boolean {
  const hasTtl = request.flags === CreateMode.PERSISTENT_WITH_TTL || request.flags === CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL;
  if (request.type === OpCode.createTTL) return hasTtl && request.ttl > 0;
  if (request.type === OpCode.createContainer) return request.flags === CreateMode.CONTAINER;
  return !hasTtl;
}

const NUMBERED: ReadonlySet<number> = new Set([
  CreateMode.PERSISTENT_SEQUENTIAL,
  CreateMode.EPHEMERAL_SEQUENTIAL,
  CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL,
]);

/** The sign of a number that has passed 2^31 − 1 takes the place of a zero; the lowest of all has eleven characters. */
function tenDigits(number: number): string {
  const digits = String(Math.abs(number));
  return number < 0 ? `-${'0'.repeat(Math.max(0, 9 - digits.length))}${digits}` : `${'0'.repeat(10 - digits.length)}${digits}`;
}

function deleteOutcome({ path, version }: DeleteRequest, tree: DraftTree): Outcome {
  if (BUILT_IN.has(path)) return ErrorCode.BAD_ARGUMENTS;
  const parent = tree.find(parentOf(path));
  if (parent === undefined) return ErrorCode.NO_NODE;
  if (!tree.permits(parent, Permission.DELETE)) return ErrorCode.NO_AUTH;
  const znode = tree.find(path);
  if (znode === undefined) return ErrorCode.NO_NODE;
  if (version !== -1 && version !== znode.version) return ErrorCode.BAD_VERSION;
  if (znode.childCount > 0) return ErrorCode.NOT_EMPTY;
  tree.note(path, { count: -1, bytes: -lengthOf(znode.data) });
  tree.set(parentOf(path), { ...parent, childCount: parent.childCount - 1 });
  tree.set(path, undefined);
  return { type: OpCode.delete, path };
}

function setDataOutcome({ path, data, version }: SetDataRequest, tree: DraftTree): Outcome {
  const znode = tree.find(path);
  if (znode === undefined) return ErrorCode.NO_NODE;
  if (!tree.permits(znode, Permission.WRITE)) return ErrorCode.NO_AUTH;
  const change = { count: 0, bytes: lengthOf(data) - lengthOf(znode.data) };
  if (tree.isRefused(path, change)) return ErrorCode.QUOTA_EXCEEDED;
  if (version !== -1 && version !== znode.version) return ErrorCode.BAD_VERSION;
  tree.note(path, change);
  tree.set(path, { ...znode, data, version: next(znode.version) });
  return { type: OpCode.setData, path, data, version: next(znode.version) };
}

function setAclOutcome({ path, acl: asked, version }: SetAclRequest, tree: DraftTree): Outcome {
  const acl = aclOf(asked, tree.proved);
  if (acl === undefined) return ErrorCode.INVALID_ACL;
  const znode = tree.find(path);
  if (znode === undefined) return ErrorCode.NO_NODE;
  if (!tree.permits(znode, Permission.ADMIN)) return ErrorCode.NO_AUTH;
  if (version !== -1 && version !== znode.aversion) return ErrorCode.BAD_VERSION;
  return { type: OpCode.setACL, path, acl, version: next(znode.aversion) };
}

/** The tree at one moment, with what the earlier operations of a multi have made of it. */
class DraftTree {
  readonly #moment: Moment;
  readonly #drafts = new Map<string, Draft | undefined>();
  /** By quota, what the earlier operations have changed. */
  readonly #changes = new Map<string, Usage>();

  constructor(moment: Moment) {
    this.#moment = moment;
  }

  get session(): bigint {
    return this.#moment.session;
  }

  get proved(): ProvedIds {
    return this.#moment.proved;
  }

  get isLocal(): boolean {
    return this.#moment.isLocal;
  }

  /** Whether a quota does not bear a change at a path. */
  isRefused(path: string, change: Usage): boolean {
    const { enforcesQuotas, znodes, before } = this.#moment;
    const quota = quotaOver(path);
    const limits = enforcesQuotas ? this.find(limitsPathOf(quota)) : undefined;
    if (limits === undefined || this.find(statsPathOf(quota)) === undefined) return false;
    return isRefused(limits.data, sum(znodes.usageAt(quota, before), this.#changes.get(quota)), change);
  }

  /** The next operation finds this changed. */
  note(path: string, change: Usage): void {
    const quota = quotaOver(path);
    this.#changes.set(quota, sum(change, this.#changes.get(quota)));
  }

  /** Notes a change, unless a quota refuses it. */
  take(path: string, change: Usage): boolean {
    if (this.isRefused(path, change)) return false;
    this.note(path, change);
    return true;
  }

  permits(znode: Draft, permission: number): boolean {
    return mayDo(znode.acl, permission, this.proved);
  }

  find(path: string): Draft | undefined {
    return this.#drafts.has(path) ? this.#drafts.get(path) : this.#moment.znodes.at(path, this.#moment.before);
  }

  set(path: string, draft: Draft | undefined): void {
    this.#drafts.set(path, draft);
  }
}

function sum(a: Usage, b: Usage | undefined): Usage {
  return b === undefined ? a : { count: a.count + b.count, bytes: a.bytes + b.bytes };
}

function lengthOf(data: Uint8Array | null): number {
  return data?.length ?? 0;
}

function txnOrRefusal(outcome: Outcome): Txn {
  return typeof outcome === 'number' ? refusal(outcome) : outcome;
}

function refusal(err: number): Txn {
  return { type: OpCode.error, err };
}

/** Versions are of 32 bits. */
function next(version: number): number {
  return (version + 1) | 0;
}

function isSameData(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return (a === null) === (b === null) && sameBytes(a ?? NOTHING, b ?? NOTHING);
}
