/** The promise shell around the client machine: what most programs use. */
import { type Acl, type CreateRequest, type CreateTtlRequest, type Id, OpCode, type Stat } from '@quorate/protocol';
import {
  type AddWatchOptions,
  type CallOptions,
  type CreateCallOptions,
  checkBoolean,
  checkPath,
  checkString,
  checkWatch,
  type Data,
  givenBytes,
  isProtected,
  type RemoveWatchesOptions,
  signalOf,
  type VersionOptions,
  type WatcherTypeOptions,
  type WatchOptions,
} from './arguments.js';
import { CatchUp } from './catch-up.js';
import type { ClientOptions } from './client-options.js';
import { follow, followedChildren, followedData, followedStat } from './follow.js';
import { type MultiResults, multiRequest, type Operation } from './multi.js';
import { type MultiReadResults, multiReadRequest, type ReadOperation } from './multi-read.js';
import type { PersistentWatch } from './persistent-watch.js';
import { ExistsCall, PromiseCall, type Select } from './promise-call.js';
import { type Created, ProtectedCreate } from './protected-create.js';
import {
  createRequest,
  deleteRequest,
  getAllChildrenNumberRequest,
  getEphemeralsRequest,
  setAclRequest,
  setDataRequest,
} from './requests.js';
import * as select from './results.js';
import { SessionHolder } from './session-holder.js';
import type { StandardSchema } from './standard-schema.js';
import { Transaction } from './transaction.js';
import { type Codec, jsonCodec, TypedValue } from './typed-value.js';

/**
 * A client of a ZooKeeper ensemble: one session, over one connection at a time.
 *
 * Calls may be made at any time and are sent in the order in which they were made; while no server is connected they wait. Every call
 * may reject with a `ZooKeeperError`, besides what its own description names:
 * - `CONNECTION_LOSS`: the connection ended before the answer came; the `cause` says how. The outcome is unknown, the session lives on. Reads are made again first, as `retry` says.
 * - `SESSION_EXPIRED`: the session has ended or the client was closed, for good: go on with a new client. Nothing was done, unless the message says that it was sent before.
 * - `AUTH_FAILED`: a server has refused what `addAuth` was given. Nothing was done.
 * - `BAD_ARGUMENTS`: the path, version or size breaks a rule that the message names. Nothing was sent.
 * - `NO_AUTH`: the ACL does not permit it.
 * - `THROTTLED_OP`: more calls wait than `callsMax`, or more bytes of them than `callBytesMax`, or the server has throttled the call. Nothing was done.
 *
 * @example
 * const { path } = await client.create('/jobs/job-', 'payload', { mode: CreateMode.PERSISTENT_SEQUENTIAL });
 * const { data, stat } = await client.getData(path, { watch: (event) => console.log(event.type, event.path) });
 * await client.setData(path, 'other', { version: stat.version });
 */
export class Client extends SessionHolder {
  /**
   * A client that is connected. It tries as long as it takes; `signal` ends that, and the client.
   *
   * @throws what the constructor throws; the signal's reason; ZooKeeperError SESSION_EXPIRED where `session` is gone.
   */
  static async connect(options: ClientOptions & CallOptions): Promise<Client> {
    signalOf(options);
    const client = new Client(options);
    try {
      await client.connected(options);
      return client;
    } catch (error) {
      client.dispatch.machine.abandon();
      throw error;
    }
  }

  /**
   * Creates a znode. The path that is returned has the number of a sequential znode.
   *
   * A container (`mode: CreateMode.CONTAINER`) goes by itself once it has had children and has none any more; a znode with `ttlMs` when it has no children and was
   * not changed for that time.
   *
   * With `protected` it is repeated after a lost connection and never rejects with CONNECTION_LOSS, unless the parent's children may not be read. With SESSION_EXPIRED a
   * znode that is no ephemeral may then have been created all the same.
   *
   * @throws ZooKeeperError NODE_EXISTS, NO_NODE (there is no parent), NO_CHILDREN_FOR_EPHEMERALS, INVALID_ACL.
   */
  create(path: string, data?: Data, options?: CreateCallOptions): Promise<Created> {
    return attempt(() => {
      const request = createRequest(path, data, options);
      return isProtected(options) ? this.#createProtected(request, options) : this.dispatch.call(request, select.created, options);
    });
  }

  /**
   * Deletes a znode that has no children.
   *
   * @throws ZooKeeperError NO_NODE, BAD_VERSION, NOT_EMPTY.
   */
  delete(path: string, options?: VersionOptions): Promise<void> {
    return attempt(() => this.dispatch.call(deleteRequest(path, options?.version), select.nothing, options));
  }

  /** The Stat of a znode; undefined where there is none, which `watch` then waits for. */
  exists(path: string, options?: WatchOptions): Promise<Stat | undefined> {
    return attempt(() => {
      const request = this.#read(OpCode.exists, path, options);
      return this.dispatch.submit(new ExistsCall(request, options?.watch, select.stat), options);
    });
  }

  /**
   * Data and Stat of a znode. The data are the caller's own; without data they are empty.
   *
   * @throws ZooKeeperError NO_NODE; `watch` is not registered then.
   */
  getData(path: string, options?: WatchOptions): Promise<{ data: Uint8Array; stat: Stat }> {
    return attempt(() => this.dispatch.call(this.#read(OpCode.getData, path, options), select.data, options, options?.watch));
  }

  /**
   * Replaces the data of a znode.
   *
   * @throws ZooKeeperError NO_NODE, BAD_VERSION.
   */
  setData(path: string, data: Data, options?: VersionOptions): Promise<Stat> {
    return attempt(() => this.dispatch.call(setDataRequest(path, data, options?.version), select.stat, options));
  }

  /**
   * Names of the children, in no particular order, and Stat of a znode.
   *
   * @throws ZooKeeperError NO_NODE; `watch` is not registered then.
   */
  getChildren(path: string, options?: WatchOptions): Promise<{ children: string[]; stat: Stat }> {
    return attempt(() => this.dispatch.call(this.#read(OpCode.getChildren2, path, options), select.children, options, options?.watch));
  }

  /**
   * ACL and Stat of a znode.
   *
   * @throws ZooKeeperError NO_NODE.
   */
  getACL(path: string, options?: CallOptions): Promise<{ acl: Acl[]; stat: Stat }> {
    return attempt(() => {
      checkPath(path);
      return this.dispatch.call({ type: OpCode.getACL, path }, select.acl, options);
    });
  }

  /**
   * Replaces the ACL of a znode. `version` is compared with its aversion.
   *
   * @throws ZooKeeperError NO_NODE, BAD_VERSION, INVALID_ACL.
   */
  setACL(path: string, acl: readonly Acl[], options?: VersionOptions): Promise<Stat> {
    return attempt(() => this.dispatch.call(setAclRequest(path, acl, options?.version), select.stat, options));
  }

  /**
   * Leaves a watch that stays: it tells of every change at the path, and with `recursive` of everything below it, whether there is a znode
   * or not. It is set again on every new connection and ends with the session. Servers before 3.6 do not know it.
   *
   * @example
   * await using watch = await client.addWatch('/config', { recursive: true });
   * for await (const event of watch) console.log(event.type, event.path);
   */
  addWatch(path: string, options?: AddWatchOptions): Promise<PersistentWatch> {
    return attempt(() => {
      const catchUp = options?.catchUp !== undefined && checkBoolean('catchUp', options.catchUp);
      return catchUp ? this.#addWatchWithCatchUp(path, options) : this.watches.add(path, options);
    });
  }

  /**
   * Takes back the watches of a path that calls before this one have left, of one type or all. Their watchers are told so: DATA_WATCH_REMOVED,
   * CHILD_WATCH_REMOVED, PERSISTENT_WATCH_REMOVED. Apache ZooKeeper before 3.9 refuses the types of `addWatch` with MARSHALLING_ERROR.
   *
   * @throws ZooKeeperError NO_WATCHER.
   */
  removeWatches(path: string, options?: RemoveWatchesOptions): Promise<void> {
    return attempt(() => this.watches.removeAll(path, options));
  }

  /**
   * Whether the server that is connected has watches of this client at a path, of one type or any. Apache ZooKeeper 3.8 also says yes where it is another client
   * that has them.
   */
  checkWatches(path: string, options?: WatcherTypeOptions): Promise<boolean> {
    return attempt(() => this.watches.check(path, options));
  }

  /**
   * Performs all operations as one txn, or none of them.
   *
   * @throws MultiError with the code and path of the operation that failed, its index, and a code per operation.
   *
   * @example
   * await client.multi([
   *   { op: 'check', path: '/config', version: 3 },
   *   { op: 'create', path: '/config/next', data: 'x' },
   * ]);
   */
  multi<const Operations extends readonly Operation[]>(operations: Operations, options?: CallOptions): Promise<MultiResults<Operations>> {
    return attempt(() => this.dispatch.call(multiRequest(operations), select.multi as Select<MultiResults<Operations>>, options));
  }

  /** A multi that is put together step by step. */
  transaction(): Transaction {
    return new Transaction([], (operations, options) => this.multi(operations, options));
  }

  /**
   * Data and Stat of a znode, and then the newest after each change; undefined while there is none. A loop that lags is given the newest alone. Goes on over
   * reconnections and ends with the session.
   *
   * @throws ZooKeeperError BAD_ARGUMENTS for what is no path, at the call; from the loop the signal's reason, ZooKeeperError NO_AUTH.
   *
   * @example
   * for await (const config of client.watchData('/config')) apply(config?.data);
   */
  watchData(path: string, options?: CallOptions): AsyncIterable<{ data: Uint8Array; stat: Stat } | undefined> {
    return follow(this, path, followedData(this, path), options);
  }

  /** The names of the children and the Stat, and then the newest each time that a child has come or gone; otherwise as `watchData`. */
  watchChildren(path: string, options?: CallOptions): AsyncIterable<{ children: string[]; stat: Stat } | undefined> {
    return follow(this, path, followedChildren(this, path), options);
  }

  /** The Stat of a znode, and then the newest each time that it is created, deleted or given data; otherwise as `watchData`. */
  watchExists(path: string, options?: CallOptions): AsyncIterable<Stat | undefined> {
    return follow(this, path, followedStat(this, path), options);
  }

  /**
   * The data of a znode as values of a schema of any library that keeps to Standard Schema; as JSON, unless there is another codec.
   *
   * @throws TypeError for what is no schema or codec; ZooKeeperError BAD_ARGUMENTS for what is no path.
   */
  value<Input, Output>(path: string, schema: StandardSchema<Input, Output>, codec: Codec = jsonCodec): TypedValue<Input, Output> {
    checkPath(path);
    return new TypedValue(this, path, schema, codec);
  }

  /**
   * Reads several znodes of one state. What cannot be read is among the results, as an `error`; the others are there all the same.
   *
   * @example
   * const [config, members] = await client.multiRead([
   *   { op: 'getData', path: '/config' },
   *   { op: 'getChildren', path: '/members' },
   * ]);
   */
  multiRead<const Operations extends readonly ReadOperation[]>(
    operations: Operations,
    options?: CallOptions,
  ): Promise<MultiReadResults<Operations>> {
    return attempt(() =>
      this.dispatch.call(multiReadRequest(operations), select.multiRead as Select<MultiReadResults<Operations>>, options),
    );
  }

  /** The ephemerals of this session whose paths begin with `prefix`, which may end in the middle of a name; in no particular order. */
  getEphemerals(prefix = '/', options?: CallOptions): Promise<string[]> {
    return attempt(() => this.dispatch.call(getEphemeralsRequest(prefix), select.ephemerals, options));
  }

  /**
   * How many znodes there are below a path, at any depth.
   *
   * @throws ZooKeeperError NO_NODE.
   */
  getAllChildrenNumber(path: string, options?: CallOptions): Promise<number> {
    return attempt(() => this.dispatch.call(getAllChildrenNumberRequest(path), select.totalNumber, options));
  }

  /** As whom the server takes this client: what it has proved by `addAuth`, of a digest the user alone, and its address under the scheme `ip`. */
  whoAmI(options?: CallOptions): Promise<Id[]> {
    return attempt(() => this.dispatch.call({ type: OpCode.whoAmI }, select.clientInfo, options));
  }

  /** Waits until the server that is connected has everything that was committed anywhere before this call. A read after it is up to date. */
  sync(path = '/', options?: CallOptions): Promise<void> {
    return attempt(() => {
      checkPath(path);
      return this.dispatch.call({ type: OpCode.sync, path }, select.nothing, options);
    });
  }

  /**
   * Authenticates the client, on this connection and every later one: `addAuth('digest', 'user:password')`. Waits for a server to take
   * it, over reconnections too.
   *
   * @throws ZooKeeperError AUTH_FAILED where a server refuses; the client has then ended.
   */
  addAuth(scheme: string, auth: Data, options?: CallOptions): Promise<void> {
    return attempt(() => {
      checkString('scheme', scheme);
      return this.dispatch.authenticate({ type: OpCode.auth, authType: 0, scheme, auth: givenBytes('auth', auth) }, options);
    });
  }

  #createProtected(request: CreateRequest | CreateTtlRequest, options: CallOptions | undefined): Promise<Created> {
    this.dispatch.check(request, options);
    const create = new ProtectedCreate({
      client: this,
      request,
      submit: (one) => {
        const call = new PromiseCall(one, undefined, select.created);
        void this.dispatch.submit(call, { retry: options?.retry });
        return call;
      },
      withdraw: (call) => this.dispatch.machine.withdraw(call),
    });
    return create.run(options?.signal);
  }

  async #addWatchWithCatchUp(path: string, options: AddWatchOptions): Promise<PersistentWatch> {
    const catchUp = new CatchUp(this, path, options.recursive === true);
    const watch = await this.watches.add(path, options, catchUp);
    try {
      await catchUp.learn(options);
      return watch;
    } catch (error) {
      await watch.remove();
      throw error;
    }
  }

  #read<Type extends typeof OpCode.exists | typeof OpCode.getData | typeof OpCode.getChildren2>(
    type: Type,
    path: string,
    options: WatchOptions | undefined,
  ): { type: Type; path: string; watch: boolean } {
    checkPath(path);
    checkWatch(options?.watch);
    return { type, path, watch: options?.watch !== undefined };
  }
}

/** What is wrong with the arguments is told by the promise too. */
function attempt<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}
