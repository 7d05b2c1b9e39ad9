/** What clients ask for: small trees, few paths, so that requests of different clients meet. */
import type { Random } from '@quorate/ports';
import {
  type Acl,
  AddWatchMode,
  CreateMode,
  type CreateRequest,
  type MultiOp,
  OPEN_ACL_UNSAFE,
  OpCode,
  type Request,
  WatcherType,
} from '@quorate/protocol';
import { between, chance, pick } from '../world/random-streams.js';

const DIRECTORIES = 4;
const CHILDREN = 4;
/** Paths that a client remembers having created under a number. */
const REMEMBERED_MAX = 12;

const MODES = [
  ...[CreateMode.PERSISTENT, CreateMode.PERSISTENT, CreateMode.EPHEMERAL, CreateMode.EPHEMERAL],
  ...[CreateMode.PERSISTENT_SEQUENTIAL, CreateMode.EPHEMERAL_SEQUENTIAL],
] as const;

/** Anybody may do everything, said in two ways. */
const ACLS: readonly (readonly Acl[])[] = [
  OPEN_ACL_UNSAFE,
  [...OPEN_ACL_UNSAFE, { perms: 1, id: { scheme: 'digest', id: 'reader:x1nq8J5GOJVPY6zgzhtTtA9izLc=' } }],
];

export class Operations {
  readonly #random: Random;
  readonly #remembered: string[] = [];
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A path that was given a number, so that it can be deleted some day. */
  remember(path: string): void {
    if (this.#remembered.length === REMEMBERED_MAX) this.#remembered.shift();
    this.#remembered.push(path);
  }

  next(): Request {
    const draw = between(this.#random, 0, 99);
    if (draw < 18) return this.#create();
    if (draw < 32) return { type: OpCode.setData, path: this.#path(), data: this.#data(), version: this.#version() };
    if (draw < 44) return { type: OpCode.delete, path: this.#deletable(), version: this.#version() };
    if (draw < 55) return this.#read(OpCode.getData);
    if (draw < 64) return this.#read(OpCode.exists);
    if (draw < 71) return this.#read(OpCode.getChildren);
    if (draw < 77) return this.#read(OpCode.getChildren2);
    if (draw < 80) return { type: OpCode.addWatch, path: this.#watched(), mode: pick(this.#random, Object.values(AddWatchMode)) };
    if (draw < 83) return this.#watcher();
    if (draw < 85) return { type: OpCode.getACL, path: this.#path() };
    if (draw < 87) return { type: OpCode.setACL, path: this.#path(), acl: pick(this.#random, ACLS), version: this.#version() };
    if (draw < 94) return chance(this.#random, 200) ? this.#chain() : this.#multi();
    if (draw < 98) return { type: OpCode.sync, path: this.#path() };
    return this.#wrong();
  }

  /** A znode that belongs to the client's session. */
  ephemeral(): Request {
    const sequential = chance(this.#random, 500);
    const path = sequential ? `${this.#directory()}/s-` : this.#child();
    const flags = sequential ? CreateMode.EPHEMERAL_SEQUENTIAL : CreateMode.EPHEMERAL;
    return { type: OpCode.create, path, data: this.#data(), acl: OPEN_ACL_UNSAFE, flags };
  }

  #create(): CreateRequest {
    const type = chance(this.#random, 500) ? OpCode.create : OpCode.create2;
    if (chance(this.#random, 250))
      return { type, path: this.#directory(), data: this.#data(), acl: OPEN_ACL_UNSAFE, flags: CreateMode.PERSISTENT };
    const flags = pick(this.#random, MODES);
    const sequential = flags === CreateMode.PERSISTENT_SEQUENTIAL || flags === CreateMode.EPHEMERAL_SEQUENTIAL;
    const parent = chance(this.#random, 100) ? this.#child() : this.#directory();
    const path = sequential ? `${parent}/s-` : chance(this.#random, 150) ? this.#grandchild() : this.#child();
    return { type, path, data: this.#data(), acl: pick(this.#random, ACLS), flags };
  }

  #read(type: typeof OpCode.getData | typeof OpCode.exists | typeof OpCode.getChildren | typeof OpCode.getChildren2): Request {
    return { type, path: chance(this.#random, 30) ? '/' : this.#path(), watch: chance(this.#random, 350) };
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
    const path = this.#child();
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
    const draw = between(this.#random, 0, 3);
    const { data, acl } = { data: this.#data(), acl: OPEN_ACL_UNSAFE };
    if (draw === 0)
      return { type: OpCode.delete, path: pick(this.#random, ['/', '/zookeeper', '/zookeeper/quota']), version: this.#version() };
    if (draw === 1) return { type: OpCode.create, path: `${this.#path()}/`, data, acl, flags: CreateMode.PERSISTENT };
    if (draw === 2) return { type: OpCode.create, path: this.#child(), data, acl: [], flags: CreateMode.EPHEMERAL };
    return { type: OpCode.setACL, path: this.#path(), acl: [], version: this.#version() };
  }

  #deletable(): string {
    if (this.#remembered.length === 0 || chance(this.#random, 300)) return this.#path();
    return this.#remembered.shift() as string;
  }

  #directory(): string {
    return `/d${between(this.#random, 0, DIRECTORIES - 1)}`;
  }

  #child(): string {
    return `${this.#directory()}/c${between(this.#random, 0, CHILDREN - 1)}`;
  }

  /** Where its parent is an ephemeral, or is not there, it cannot be. */
  #grandchild(): string {
    return `${this.#child()}/g`;
  }

  #path(): string {
    const draw = between(this.#random, 0, 99);
    if (draw < 35) return this.#directory();
    return draw < 90 ? this.#child() : this.#grandchild();
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
