/** What clients ask for: small trees, few paths, so that requests of different clients meet. */
import type { Random } from '@quorate/ports';
import {
  type Acl,
  AddWatchMode,
  CREATOR_ALL_ACL,
  CreateMode,
  type CreateRequest,
  type CreateTtlRequest,
  encodeUtf8,
  type MultiOp,
  type MultiReadOp,
  OPEN_ACL_UNSAFE,
  OpCode,
  Permission,
  type Request,
  WatcherType,
} from '@quorate/protocol';
import { ANN, BOB } from '../check/identities.js';
import { limitsPathOf, quotaPathOf, statsPathOf } from '../check/quota-model.js';
import { between, chance, pick } from '../world/random-streams.js';
import type { TreeSketch } from './tree-sketch.js';

const DIRECTORIES = 4;
const CHILDREN = 4;

const CHILD_MODES = [
  ...[CreateMode.PERSISTENT, CreateMode.PERSISTENT, CreateMode.PERSISTENT, CreateMode.EPHEMERAL, CreateMode.EPHEMERAL],
  ...[CreateMode.PERSISTENT_SEQUENTIAL, CreateMode.EPHEMERAL_SEQUENTIAL, CreateMode.CONTAINER],
  ...[CreateMode.PERSISTENT_WITH_TTL, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL],
] as const;

const DIRECTORY_MODES = [CreateMode.PERSISTENT, CreateMode.PERSISTENT, CreateMode.CONTAINER] as const;

const { READ, WRITE, CREATE, DELETE, ADMIN, ALL } = Permission;

/** What is not open to everybody: somebody can always take it away again, and it is read by some, or changed by some, or by nobody. */
const ACLS: readonly (readonly Acl[])[] = [
  CREATOR_ALL_ACL,
  [by(ANN.id, ALL), anybody(READ)],
  [by(BOB.id, ALL), anybody(WRITE | CREATE | DELETE)],
  [by(ANN.id, READ | ADMIN), by(BOB.id, ALL)],
  [anybody(WRITE | CREATE | DELETE | ADMIN)],
  [by(ANN.id, ALL), by(ANN.id, ALL), anybody(READ | CREATE | ADMIN)],
  [by(BOB.id, READ), anybody(ALL)],
];

/** Quotas as zkCli writes them: soft ones, hard ones, and both. */
const LIMITS: readonly string[] = [
  'count=3,bytes=10',
  'count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2',
  'count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=4',
  'count=2,bytes=-1=;byteHardLimit=20;countHardLimit=-1',
  'count=-1,bytes=-1=;byteHardLimit=11;countHardLimit=5',
  'count=-1,bytes=-1',
];

/** Nobody can have these. */
const WRONG_ACLS: readonly (readonly Acl[])[] = [[], [{ perms: ALL, id: { scheme: 'nobody', id: 'knows' } }]];

export class Operations {
  readonly #random: Random;
  readonly #sketch: TreeSketch;
  /** The shortest TTL of those that are asked for. */
  readonly #ttlMs: number;
  readonly #quotas: boolean;
  #count = 0;

  constructor(options: { readonly random: Random; readonly sketch: TreeSketch; readonly ttlMs: number; readonly quotas: boolean }) {
    this.#random = options.random;
    this.#sketch = options.sketch;
    this.#ttlMs = options.ttlMs;
    this.#quotas = options.quotas;
  }

  next(): Request {
    if (this.#quotas && chance(this.#random, 60)) return this.#quota();
    const draw = between(this.#random, 0, 99);
    if (draw < 20) return this.#create();
    if (draw < 32) return { type: OpCode.setData, path: this.#path(), data: this.#data(), version: this.#version() };
    if (draw < 43) return { type: OpCode.delete, path: this.#deletable(), version: this.#version() };
    if (draw < 67) return this.#read();
    if (draw < 70) return { type: OpCode.addWatch, path: this.#watched(), mode: pick(this.#random, Object.values(AddWatchMode)) };
    if (draw < 74) return this.#watcher();
    if (draw < 78) return { type: OpCode.getACL, path: this.#path() };
    if (draw < 82) return { type: OpCode.setACL, path: this.#path(), acl: this.#acl(600), version: this.#version() };
    if (draw < 90) return chance(this.#random, 200) ? this.#chain() : this.#multi();
    if (draw < 94) return { type: OpCode.sync, path: this.#path() };
    if (draw < 98) return this.#question();
    return this.#wrong();
  }

  /** What may depend on the order in which it is judged: a change of what is permitted, and what that may not permit any more. */
  restriction(): readonly Request[] {
    const path = this.#path();
    return [
      { type: OpCode.setACL, path, acl: pick(this.#random, ACLS), version: -1 },
      { type: OpCode.setData, path, data: this.#data(), version: -1 },
      { type: OpCode.getData, path, watch: false },
    ];
  }

  /** Reads that wait behind a write. */
  beforeProof(): readonly Request[] {
    const write: Request = { type: OpCode.setData, path: this.#path(), data: this.#data(), version: -1 };
    return [write, ...[1, 2, 3].map((): Request => ({ type: OpCode.getData, path: this.#path(), watch: false }))];
  }

  /** A znode that belongs to the client's session. */
  ephemeral(): Request {
    const sequential = chance(this.#random, 500);
    const path = sequential ? `${this.#directory()}/s-` : this.#child();
    const flags = sequential ? CreateMode.EPHEMERAL_SEQUENTIAL : CreateMode.EPHEMERAL;
    return { type: OpCode.create, path, data: this.#data(), acl: OPEN_ACL_UNSAFE, flags };
  }

  /** Sets the quota of a directory, changes it, or looks at what is used. */
  #quota(): Request {
    const directory = `/d${between(this.#random, 0, 1)}`;
    const draw = between(this.#random, 0, 9);
    if (draw < 5) return { type: OpCode.getData, path: statsPathOf(directory), watch: chance(this.#random, 200) };
    const limits = encodeUtf8(pick(this.#random, LIMITS));
    if (draw < 7) return { type: OpCode.setData, path: limitsPathOf(directory), data: limits, version: -1 };
    const made = { acl: OPEN_ACL_UNSAFE, flags: CreateMode.PERSISTENT };
    const paths = [quotaPathOf(directory), limitsPathOf(directory), statsPathOf(directory)];
    return { type: OpCode.multi, ops: paths.map((path) => ({ type: OpCode.create, path, data: limits, ...made })) };
  }

  #create(): CreateRequest | CreateTtlRequest {
    const directory = this.#directory();
    if (!this.#sketch.has(directory) || chance(this.#random, 80)) {
      const flags = pick(this.#random, DIRECTORY_MODES);
      return { type: this.#creation(flags), path: directory, data: this.#data(), acl: this.#acl(100), flags };
    }
    const flags = pick(this.#random, CHILD_MODES);
    const sequential =
      flags === CreateMode.PERSISTENT_SEQUENTIAL ||
      flags === CreateMode.EPHEMERAL_SEQUENTIAL ||
      flags === CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL;
    const parent = chance(this.#random, 100) ? this.#child() : directory;
    const path = sequential ? `${parent}/s-` : chance(this.#random, 200) ? this.#grandchild() : this.#missingChild();
    const made = { path, data: this.#data(), acl: this.#acl(300), flags };
    if (flags !== CreateMode.PERSISTENT_WITH_TTL && flags !== CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL)
      return { type: this.#creation(flags), ...made };
    return { type: OpCode.createTTL, ...made, ttl: between(this.#random, this.#ttlMs, this.#ttlMs * 8) };
  }

  /** The operations that can make a znode of this mode. */
  #creation(flags: CreateMode): CreateRequest['type'] {
    const types = [OpCode.create, OpCode.create2] as const;
    return flags === CreateMode.CONTAINER ? pick(this.#random, [...types, OpCode.createContainer]) : pick(this.#random, types);
  }

  #read(): Request {
    const draw = between(this.#random, 0, 99);
    if (draw < 8) return { type: OpCode.getAllChildrenNumber, path: this.#readable() };
    const type =
      draw < 42 ? OpCode.getData : draw < 68 ? OpCode.exists : pick(this.#random, [OpCode.getChildren, OpCode.getChildren2] as const);
    return { type, path: this.#readable(), watch: chance(this.#random, 350) };
  }

  /** Several reads at once, or what is no znode's affair. */
  #question(): Request {
    const draw = between(this.#random, 0, 3);
    if (draw === 0) return { type: OpCode.whoAmI };
    if (draw === 1) return { type: OpCode.getEphemerals, prefixPath: chance(this.#random, 300) ? '/' : this.#directory() };
    const ops = Array.from({ length: between(this.#random, 0, 4) }, (): MultiReadOp => {
      const type = pick(this.#random, [OpCode.getData, OpCode.getChildren] as const);
      return { type, path: this.#readable(), watch: chance(this.#random, 100) };
    });
    return { type: OpCode.multiRead, ops };
  }

  /** Asks for watches, or takes them back, where there are some or not. */
  #watcher(): Request {
    const type = chance(this.#random, 300) ? OpCode.checkWatches : OpCode.removeWatches;
    return { type, path: this.#watched(), watcherType: pick(this.#random, Object.values(WatcherType)) };
  }

  /** Few, so that what was set is taken back. */
  #watched(): string {
    return chance(this.#random, 150) ? '/' : this.#directory();
  }

  #multi(): Request {
    const ops: MultiOp[] = [];
    const count = between(this.#random, 0, 4);
    for (let i = 0; i < count; i++) {
      const draw = between(this.#random, 0, 3);
      if (draw === 0) ops.push(this.#create());
      else if (draw === 1) ops.push({ type: OpCode.setData, path: this.#path(), data: this.#data(), version: -1 });
      else if (draw === 2) ops.push({ type: OpCode.delete, path: this.#deletable(), version: -1 });
      else ops.push({ type: OpCode.check, path: this.#path(), version: this.#version() });
    }
    return { type: OpCode.multi, ops };
  }

  /** A multi in which each operation needs those before it. */
  #chain(): Request {
    const path = this.#missingChild();
    const { data, acl } = { data: this.#data(), acl: OPEN_ACL_UNSAFE };
    const numbered = { type: OpCode.create, path: `${path}/s-`, data, acl, flags: CreateMode.PERSISTENT_SEQUENTIAL } as const;
    const ops: MultiOp[] = [
      { type: OpCode.create2, path, data, acl, flags: CreateMode.PERSISTENT },
      numbered,
      { type: OpCode.setData, path, data: this.#data(), version: 0 },
      { type: OpCode.delete, path: `${path}/s-0000000000`, version: 0 },
      numbered,
      { type: OpCode.check, path, version: 1 },
      { type: OpCode.delete, path: `${path}/s-0000000001`, version: -1 },
      { type: OpCode.delete, path, version: 1 },
    ];
    return { type: OpCode.multi, ops: ops.slice(0, between(this.#random, 2, ops.length)) };
  }

  /** What nobody should ask for. */
  #wrong(): Request {
    const draw = between(this.#random, 0, 5);
    const path = this.#child();
    const { data, acl } = { data: this.#data(), acl: OPEN_ACL_UNSAFE };
    if (draw === 0)
      return { type: OpCode.delete, path: pick(this.#random, ['/', '/zookeeper', '/zookeeper/quota']), version: this.#version() };
    if (draw === 1) return { type: OpCode.create, path: `${this.#path()}/`, data, acl, flags: CreateMode.PERSISTENT };
    if (draw === 2) return { type: OpCode.create, path, data, acl: pick(this.#random, WRONG_ACLS), flags: CreateMode.EPHEMERAL };
    if (draw === 3) return { type: OpCode.setACL, path: this.#path(), acl: pick(this.#random, WRONG_ACLS), version: this.#version() };
    if (draw === 4) return { type: OpCode.createTTL, path, data, acl, flags: CreateMode.PERSISTENT_WITH_TTL, ttl: 0 };
    return { type: OpCode.createContainer, path, data, acl, flags: pick(this.#random, [CreateMode.PERSISTENT, CreateMode.EPHEMERAL]) };
  }

  #deletable(): string {
    const leaf = chance(this.#random, 700) ? this.#sketch.pick(this.#random, (path) => this.#sketch.isLeaf(path)) : undefined;
    return leaf ?? this.#path();
  }

  #directory(): string {
    return `/d${between(this.#random, 0, DIRECTORIES - 1)}`;
  }

  #child(): string {
    return `${this.#directory()}/c${between(this.#random, 0, CHILDREN - 1)}`;
  }

  /** Below a directory that is there, as far as is known, where it is not, as far as is known. */
  #missingChild(): string {
    for (let tries = 0; tries < CHILDREN; tries++) {
      const child = this.#child();
      if (!this.#sketch.has(child) && this.#sketch.has(child.slice(0, child.lastIndexOf('/')))) return child;
    }
    return this.#child();
  }

  /** Where its parent is an ephemeral, or is not there, it cannot be. */
  #grandchild(): string {
    return `${this.#sketch.pick(this.#random, (path) => path.includes('/c') && !path.endsWith('/g')) ?? this.#child()}/g`;
  }

  /** Most often one that is there, as far as is known. */
  #path(): string {
    const known = chance(this.#random, 650) ? this.#sketch.pick(this.#random, () => true) : undefined;
    if (known !== undefined) return known;
    const draw = between(this.#random, 0, 99);
    if (draw < 35) return this.#directory();
    return draw < 90 ? this.#child() : `${this.#child()}/g`;
  }

  #readable(): string {
    return chance(this.#random, 30) ? '/' : this.#path();
  }

  /** Restricted in so many of a thousand. */
  #acl(permille: number): readonly Acl[] {
    return chance(this.#random, permille) ? pick(this.#random, ACLS) : OPEN_ACL_UNSAFE;
  }

  /** Any, or one that may be right. */
  #version(): number {
    return chance(this.#random, 600) ? -1 : between(this.#random, 0, 4);
  }

  #data(): Uint8Array | null {
    if (chance(this.#random, 40)) return null;
    this.#count++;
    const draw = this.#random.uint32();
    return Uint8Array.of(this.#count >>> 8, this.#count, draw >>> 24, draw >>> 16, draw >>> 8, draw);
  }
}

function by(id: string, perms: number): Acl {
  return { perms, id: { scheme: 'digest', id } };
}

function anybody(perms: number): Acl {
  return { perms, id: { scheme: 'world', id: 'anyone' } };
}
