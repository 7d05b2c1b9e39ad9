/** The promise shell around the client machine: what most programs use. */
import { type Clock, type Random, realClock, realRandom } from '@quorate/ports';
import {
  type Acl,
  type CreateRequest,
  type CreateTtlRequest,
  FRAME_BYTES_MAX,
  type Id,
  OpCode,
  type Request,
  type Stat,
  ZooKeeperError,
} from '@quorate/protocol';
import {
  type AddWatchOptions,
  type CallOptions,
  type CreateCallOptions,
  checkPath,
  checkSignal,
  checkWatch,
  type Data,
  isProtected,
  ownBytes,
  type RemoveWatchesOptions,
  type VersionOptions,
  type WatcherTypeOptions,
  type WatchOptions,
} from './arguments.js';
import type { AuthCall } from './auth-list.js';
import type { Call } from './call.js';
import { ClientMachine } from './client-machine.js';
import { type ClientOptions, checkClientOptions, SESSION_TIMEOUT_MS } from './client-options.js';
import type { SessionIdentity } from './client-session.js';
import { type ClientState, isConnected, isFinal } from './client-state.js';
import { EventStream } from './event-stream.js';
import { LeaseSignal } from './lease-signal.js';
import { type MultiResults, multiRequest, type Operation } from './multi.js';
import { type MultiReadResults, multiReadRequest, type ReadOperation } from './multi-read.js';
import type { PersistentWatch } from './persistent-watch.js';
import { PersistentWatches } from './persistent-watches.js';
import { ExistsCall, PromiseCall, type Select } from './promise-call.js';
import { type Created, ProtectedCreate } from './protected-create.js';
import {
  checkSize,
  createRequest,
  deleteRequest,
  getAllChildrenNumberRequest,
  getEphemeralsRequest,
  setAclRequest,
  setDataRequest,
} from './requests.js';
import * as select from './results.js';
import { surface } from './surface.js';
import type { Watcher } from './watch-registry.js';

/**
 * A client of a ZooKeeper ensemble: one session, over one connection at a time.
 *
 * Calls may be made at any time and are sent in the order in which they were made; while no server is connected they wait. Every call
 * may reject with a `ZooKeeperError`, besides what its own description names:
 * - `CONNECTION_LOSS`: the connection ended before the answer came. The outcome is unknown, the session lives on.
 * - `SESSION_EXPIRED`: the session has ended or the client was closed. Nothing was done.
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
export class Client {
  readonly #machine: ClientMachine;
  /** Its own, for whatever is built on it: everything that waits or draws lots does it by these. */
  readonly clock: Clock;
  readonly random: Random;
  readonly #lease: LeaseSignal;
  readonly #requestBytesMax: number;
  readonly #states = new EventStream<ClientState>();
  readonly #listeners = new Set<(state: ClientState) => void>();
  readonly #watches: PersistentWatches;
  #closed: Promise<void> | undefined;

  /**
   * Begins to connect at once. `Client.connect` waits for that as well.
   *
   * @throws TypeError for an option that is not what its description asks for.
   */
  constructor(options: ClientOptions) {
    checkClientOptions(options);
    const { connector, sessionTimeoutMs = SESSION_TIMEOUT_MS, session, requestBytesMax = FRAME_BYTES_MAX } = options;
    const { firstServer, canBeReadOnly, callsMax, callBytesMax } = options;
    this.clock = options.clock ?? realClock;
    this.random = options.random ?? realRandom;
    this.#lease = new LeaseSignal(() => this.#machine.keepLease());
    this.#requestBytesMax = requestBytesMax;
    this.#machine = new ClientMachine({
      connector,
      clock: this.clock,
      random: this.random,
      sessionTimeoutMs,
      firstServer,
      session: session && { id: session.id, password: ownBytes(session.password) },
      canBeReadOnly,
      callsMax,
      callBytesMax,
      onState: (state) => this.#onState(state),
      onLeaseOver: (code) => this.#lease.abort(code),
    });
    this.#watches = new PersistentWatches(this.#machine, requestBytesMax);
    this.#machine.start();
  }

  /**
   * A client that is connected. It tries as long as it takes; `signal` ends that, and the client.
   *
   * @throws what the constructor throws; the signal's reason; ZooKeeperError SESSION_EXPIRED where `session` is gone.
   */
  static async connect(options: ClientOptions & CallOptions): Promise<Client> {
    checkSignal(options.signal);
    const client = new Client(options);
    try {
      await client.connected(options);
      return client;
    } catch (error) {
      client.#machine.abandon();
      throw error;
    }
  }

  get state(): ClientState {
    return this.#machine.state;
  }

  /** The session's number; `0n` before the first connection. */
  get sessionId(): bigint {
    return this.#machine.sessionId;
  }

  /** What another client needs to take up this session. Only one of them at a time: a server drops the former owner. */
  get session(): SessionIdentity {
    return { id: this.#machine.sessionId, password: this.#machine.password.slice() };
  }

  /** In milliseconds, as negotiated with the server; as asked for before the first connection. */
  get sessionTimeoutMs(): number {
    return this.#machine.sessionTimeoutMs;
  }

  /**
   * Aborts before an ephemeral of this session may be gone: two thirds of the session timeout after the sending of what a leader has answered last, on the monotonic
   * clock, and when the session ends or `close` is called. Its reason is a ZooKeeperError, CONNECTION_LOSS or SESSION_EXPIRED. A process that stood still finds it
   * aborted before any call resolves. One that has aborted stays so; read this again for the next one, which is aborted too until a leader has answered.
   *
   * From the first time that it is read the client asks the leader three times per session timeout, by a `sync`.
   */
  get leaseSignal(): AbortSignal {
    return this.#lease.current;
  }

  /** The present state and then every change of it, until a final state. A loop that lags by more than 1,024 loses the oldest. */
  get states(): AsyncIterable<ClientState> {
    return this.#states.from(() => this.state);
  }

  /** Calls `listener` after every change of state, until the function that is returned is called. What it throws is thrown from a task of its own. */
  onState(listener: (state: ClientState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits until a server is connected, with `canBeReadOnly` any server.
   *
   * @throws ZooKeeperError SESSION_EXPIRED or AUTH_FAILED where the client has ended or ends.
   */
  connected(options?: CallOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const signal = options?.signal;
      checkSignal(signal);
      const settle = (state: ClientState): void => {
        if (state === 'CONNECTING') return;
        stop();
        if (isConnected(state)) resolve();
        else reject(new ZooKeeperError(state === 'AUTH_FAILED' ? 'AUTH_FAILED' : 'SESSION_EXPIRED', `the client is ${state}`));
      };
      const abort = (): void => {
        stop();
        reject(signal?.reason);
      };
      const stop = (): void => {
        this.#listeners.delete(settle);
        signal?.removeEventListener('abort', abort);
      };
      this.#listeners.add(settle);
      signal?.addEventListener('abort', abort);
      settle(this.state);
    });
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
      return isProtected(options) ? this.#createProtected(request, options?.signal) : this.#call(request, select.created, options);
    });
  }

  /**
   * Deletes a znode that has no children.
   *
   * @throws ZooKeeperError NO_NODE, BAD_VERSION, NOT_EMPTY.
   */
  delete(path: string, options?: VersionOptions): Promise<void> {
    return attempt(() => this.#call(deleteRequest(path, options?.version), select.nothing, options));
  }

  /** The Stat of a znode; undefined where there is none, which `watch` then waits for. */
  exists(path: string, options?: WatchOptions): Promise<Stat | undefined> {
    return attempt(() => {
      const request = this.#read(OpCode.exists, path, options);
      return this.#submit(new ExistsCall(request, options?.watch, select.stat), options?.signal);
    });
  }

  /**
   * Data and Stat of a znode. The data are the caller's own; without data they are empty.
   *
   * @throws ZooKeeperError NO_NODE; `watch` is not registered then.
   */
  getData(path: string, options?: WatchOptions): Promise<{ data: Uint8Array; stat: Stat }> {
    return attempt(() => this.#call(this.#read(OpCode.getData, path, options), select.data, options, options?.watch));
  }

  /**
   * Replaces the data of a znode.
   *
   * @throws ZooKeeperError NO_NODE, BAD_VERSION.
   */
  setData(path: string, data: Data, options?: VersionOptions): Promise<Stat> {
    return attempt(() => this.#call(setDataRequest(path, data, options?.version), select.stat, options));
  }

  /**
   * Names of the children, in no particular order, and Stat of a znode.
   *
   * @throws ZooKeeperError NO_NODE; `watch` is not registered then.
   */
  getChildren(path: string, options?: WatchOptions): Promise<{ children: string[]; stat: Stat }> {
    return attempt(() => this.#call(this.#read(OpCode.getChildren2, path, options), select.children, options, options?.watch));
  }

  /**
   * ACL and Stat of a znode.
   *
   * @throws ZooKeeperError NO_NODE.
   */
  getACL(path: string, options?: CallOptions): Promise<{ acl: Acl[]; stat: Stat }> {
    return attempt(() => {
      checkPath(path);
      return this.#call({ type: OpCode.getACL, path }, select.acl, options);
    });
  }

  /**
   * Replaces the ACL of a znode. `version` is compared with its aversion.
   *
   * @throws ZooKeeperError NO_NODE, BAD_VERSION, INVALID_ACL.
   */
  setACL(path: string, acl: readonly Acl[], options?: VersionOptions): Promise<Stat> {
    return attempt(() => this.#call(setAclRequest(path, acl, options?.version), select.stat, options));
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
    return attempt(() => this.#watches.add(path, options));
  }

  /**
   * Takes back the watches of a path that calls before this one have left, of one type or all. Their watchers are told so: DATA_WATCH_REMOVED,
   * CHILD_WATCH_REMOVED, PERSISTENT_WATCH_REMOVED. Apache ZooKeeper before 3.9 refuses the types of `addWatch` with MARSHALLING_ERROR.
   *
   * @throws ZooKeeperError NO_WATCHER.
   */
  removeWatches(path: string, options?: RemoveWatchesOptions): Promise<void> {
    return attempt(() => this.#watches.removeAll(path, options));
  }

  /**
   * Whether the server that is connected has watches of this client at a path, of one type or any. Apache ZooKeeper 3.8 also says yes where it is another client
   * that has them.
   */
  checkWatches(path: string, options?: WatcherTypeOptions): Promise<boolean> {
    return attempt(() => this.#watches.check(path, options));
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
    return attempt(() => this.#call(multiRequest(operations), select.multi as Select<MultiResults<Operations>>, options));
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
    return attempt(() => this.#call(multiReadRequest(operations), select.multiRead as Select<MultiReadResults<Operations>>, options));
  }

  /** The ephemerals of this session whose paths begin with `prefix`, which may end in the middle of a name; in no particular order. */
  getEphemerals(prefix = '/', options?: CallOptions): Promise<string[]> {
    return attempt(() => this.#call(getEphemeralsRequest(prefix), select.ephemerals, options));
  }

  /**
   * How many znodes there are below a path, at any depth.
   *
   * @throws ZooKeeperError NO_NODE.
   */
  getAllChildrenNumber(path: string, options?: CallOptions): Promise<number> {
    return attempt(() => this.#call(getAllChildrenNumberRequest(path), select.totalNumber, options));
  }

  /** As whom the server takes this client: what it has proved by `addAuth`, of a digest the user alone, and its address under the scheme `ip`. */
  whoAmI(options?: CallOptions): Promise<Id[]> {
    return attempt(() => this.#call({ type: OpCode.whoAmI }, select.clientInfo, options));
  }

  /** Waits until the server that is connected has everything that was committed anywhere before this call. A read after it is up to date. */
  sync(path = '/', options?: CallOptions): Promise<void> {
    return attempt(() => {
      checkPath(path);
      return this.#call({ type: OpCode.sync, path }, select.nothing, options);
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
      if (typeof scheme !== 'string') throw new TypeError('scheme must be a string');
      checkSignal(options?.signal);
      const request = { type: OpCode.auth, authType: 0, scheme, auth: ownBytes(auth) } as const;
      checkSize(request, this.#requestBytesMax);
      const call = new PromiseCall(request, undefined, select.nothing);
      this.#abortOn(call, options?.signal);
      this.#machine.addAuth(call as Call as AuthCall);
      return call.promise;
    });
  }

  /**
   * Ends the session, with its ephemeral znodes, after all calls that were made before. Where no server is connected the client
   * ends at once and the session expires after its timeout. An abort ends the client at once, too.
   */
  close(options?: CallOptions): Promise<void> {
    const signal = options?.signal;
    this.#closed ??= new Promise((resolve) => this.#machine.close(resolve));
    if (signal === undefined) return this.#closed;
    const abort = (): void => this.#machine.abandon();
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    return this.#closed.then(() => {
      signal.removeEventListener('abort', abort);
      signal.throwIfAborted();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #createProtected(request: CreateRequest | CreateTtlRequest, signal: AbortSignal | undefined): Promise<Created> {
    checkSignal(signal);
    const create = new ProtectedCreate({
      client: this,
      request,
      submit: (one) => {
        checkSize(one, this.#requestBytesMax);
        const call = new PromiseCall(one, undefined, select.created);
        this.#machine.submit(call);
        return call;
      },
      withdraw: (call) => this.#machine.withdraw(call),
    });
    return create.run(signal);
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

  #call<T>(request: Request, select: Select<T>, options: CallOptions | undefined, watcher?: Watcher): Promise<T> {
    return this.#submit(new PromiseCall(request, watcher, select), options?.signal);
  }

  #submit<T>(call: PromiseCall<T>, signal: AbortSignal | undefined): Promise<T> {
    checkSignal(signal);
    checkSize(call.request, this.#requestBytesMax);
    this.#abortOn(call, signal);
    this.#machine.submit(call);
    return call.promise;
  }

  #abortOn<T>(call: PromiseCall<T>, signal: AbortSignal | undefined): void {
    if (signal !== undefined) call.abortOn(signal, (aborted) => this.#machine.withdraw(aborted));
  }

  #onState(state: ClientState): void {
    this.#states.push(state);
    if (isFinal(state)) {
      this.#states.end();
      this.#watches.end();
    }
    for (const listener of [...this.#listeners]) surface(this.clock, listener, state);
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
