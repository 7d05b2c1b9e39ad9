/** A whole ensemble in one process: its servers, what joins them, and the ways in. */
import { type CallOptions, Client, type ClientOptions, type Connector, EventStream, isFinal } from '@quorate/client';
import { type Clock, type Random, realClock, realRandom } from '@quorate/ports';
import {
  type ClientLink,
  type ClientPort,
  type Config,
  checkOption,
  chosenOptions,
  type Mark,
  MemoryNetwork,
  MemoryStorage,
  Server,
  type ServerState,
  type Sid,
  type Status,
} from '@quorate/server';
import { EnsembleError } from './ensemble-error.js';
import {
  checkEnsembleOptions,
  type EnsembleOptions,
  INIT_LIMIT,
  SERVERS,
  SESSION_TIMEOUT_MAX_MS,
  SYNC_LIMIT,
  TICK_TIME_MS,
} from './ensemble-options.js';
import { InProcessConnection } from './in-process-connection.js';
import { newestLeader } from './newest-leader.js';

/** Where one server of an ensemble stands. */
export interface ServerInfo {
  readonly sid: Sid;
  /** As ZooKeeper names it; DOWN after a crash. */
  readonly state: ServerState | 'DOWN';
  /** The leader that this server knows, elected or established; undefined for none. */
  readonly leader: Sid | undefined;
  /** The epoch that this server is part of, or was last. */
  readonly epoch: number;
  /** True while the server takes requests. */
  readonly serving: boolean;
  /** Whether its vote counts: false for an observer, and for a server whose store was lost, until a leader has given it the data and its vote back. */
  readonly votes: boolean;
  /** True while the server finds no leader and answers reads alone. */
  readonly readOnly: boolean;
}

/** What `connect` takes. */
export interface ConnectOptions
  extends CallOptions,
    Pick<
      ClientOptions,
      'chroot' | 'retry' | 'sessionTimeoutMs' | 'session' | 'canBeReadOnly' | 'requestBytesMax' | 'callsMax' | 'callBytesMax'
    > {
  /** The server to begin with, which need not be up; any when absent. After a loss the client goes on to the others. */
  readonly server?: Sid | undefined;
}

/** What `ready` takes. */
export interface ReadyOptions extends CallOptions {
  /** The server that must serve; any leader when absent. */
  readonly server?: Sid | undefined;
}

/** What `handOver` takes. */
export interface HandOverOptions extends CallOptions {
  /** The server that shall lead; any that has everything when absent. */
  readonly to?: Sid | undefined;
}

const DOWN: Status = { state: 'LOOKING', leader: undefined, epoch: 0, serving: false, votes: false };

interface Place {
  readonly sid: Sid;
  /** Undefined while the server is down. */
  server: Server | undefined;
  status: Status;
  /** Whether it has told where it stands since it was started. */
  hasRecovered: boolean;
}

/**
 * An ensemble of ZooKeeper servers within this process. It opens no port and no file and has no globals; any number live side by side.
 *
 * @example
 * const ensemble = await Ensemble.start({ servers: 3 });
 * const client = await ensemble.connect();
 * await client.create('/greeting', 'hello');
 * ensemble.crash(ensemble.leader as number);
 * await ensemble.ready();
 * await ensemble.close();
 */
export class Ensemble {
  readonly #options: EnsembleOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Undefined where the transport is the caller's. */
  readonly #network: MemoryNetwork | undefined;
  readonly #storages = new Map<Sid, MemoryStorage>();
  readonly #config: Config;
  readonly #mark: Mark;
  readonly #hashSeed: number;
  readonly #places: Place[] = [];
  readonly #changes = new EventStream<ServerInfo>();
  /** Called after every change, and at the end. */
  readonly #watchers = new Set<() => void>();
  readonly #clients = new Set<Client>();
  #started = false;
  /** Of a server before the first leader served: `start` reports it. */
  #failure: EnsembleError | undefined;
  #closed = false;
  #turn = 0;

  private constructor(options: EnsembleOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#random = options.random ?? realRandom;
    this.#network = options.transport === undefined ? new MemoryNetwork({ clock: this.#clock }) : undefined;
    const { servers = SERVERS, observers = 0 } = options;
    for (let sid = 1; sid <= servers + observers; sid++) this.#places.push({ sid, server: undefined, status: DOWN, hasRecovered: false });
    const sids = this.#places.map(({ sid }) => sid);
    this.#config = { version: 0, voters: sids.slice(0, servers), observers: sids.slice(servers) };
    this.#mark = { ensembleId: this.#random.uint32().toString(16) };
    // Clients choose the names of znodes, and must not know how they are hashed.
    this.#hashSeed = this.#random.uint32();
  }

  /**
   * Starts the servers. Resolves when a leader serves.
   *
   * @throws TypeError for an option that breaks its rule. The signal's reason. EnsembleError SERVER_FAILED where a server fails before that
   * and there is no `onFailure`, NOT_FOUNDED where the stores of `storage` were not formatted.
   */
  static async start(options: EnsembleOptions & CallOptions = {}): Promise<Ensemble> {
    checkEnsembleOptions(options);
    options.signal?.throwIfAborted();
    const ensemble = new Ensemble(options);
    try {
      for (const { sid } of ensemble.#places) ensemble.#found(sid);
      for (const place of ensemble.#places) ensemble.#start(place);
      await ensemble.ready(options.signal === undefined ? {} : { signal: options.signal });
      ensemble.#started = true;
      return ensemble;
    } catch (error) {
      await ensemble.close();
      throw error;
    }
  }

  /** The sid of the leader that serves; undefined while there is none. In a partition a leader that has lost its quorum does not count once another serves. */
  get leader(): Sid | undefined {
    return this.#leaderPlace?.sid;
  }

  /** Every server, by sid. */
  get servers(): readonly ServerInfo[] {
    return this.#places.map(infoOf);
  }

  /** Every change of a server, from the beginning of the loop to `close`. A loop that lags by more than 1,024 changes loses the oldest. */
  get changes(): AsyncIterable<ServerInfo> {
    return this.#changes;
  }

  /**
   * Waits until a leader serves, and with `server` that server too.
   *
   * @returns the sid of the leader.
   * @throws the signal's reason; EnsembleError UNKNOWN_SERVER, CLOSED.
   */
  async ready(options: ReadyOptions = {}): Promise<Sid> {
    const { server: sid, signal } = options;
    const place = sid === undefined ? undefined : this.#place(sid);
    const isReady = (): boolean => this.leader !== undefined && (place === undefined || place.status.serving);
    for (;;) {
      await this.#until(isReady, signal);
      // It may have gone while this call waited for its turn.
      if (this.leader !== undefined) return this.leader;
    }
  }

  /** Resolves once the condition holds. */
  #until(condition: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const look = (): void => {
        if (this.#failure !== undefined) settle(() => reject(this.#failure));
        else if (this.#closed) settle(() => reject(closedError()));
        else if (condition()) settle(resolve);
      };
      const abort = (): void => settle(() => reject(signal?.reason));
      const settle = (end: () => void): void => {
        this.#watchers.delete(look);
        signal?.removeEventListener('abort', abort);
        end();
      };
      this.#watchers.add(look);
      signal?.addEventListener('abort', abort);
      look();
    });
  }

  /**
   * A client that is connected to a server of this ensemble, without a network. It ends with the ensemble.
   *
   * @throws the signal's reason; TypeError; EnsembleError UNKNOWN_SERVER, CLOSED.
   */
  async connect(options: ConnectOptions = {}): Promise<Client> {
    checkOption(typeof options === 'object' && options !== null, 'options', 'an object like { server: 1 }', options);
    const { server, ...rest } = options;
    if (this.#closed) throw closedError();
    const firstServer = server === undefined ? undefined : this.#places.indexOf(this.#place(server));
    const client = await Client.connect({ ...rest, connector: this.connector(), clock: this.#clock, random: this.#random, firstServer });
    if (this.#closed) {
      abandon(client);
      throw closedError();
    }
    this.#clients.add(client);
    client.onState((state) => {
      if (isFinal(state)) this.#clients.delete(client);
    });
    return client;
  }

  /** The way to the servers, for a client of one's own making: server `index` has the sid `index + 1`. What is sent over it must not be written to any more. */
  connector(): Connector {
    return {
      servers: this.#places.length,
      connect: (index, handler) => {
        const connection = new InProcessConnection(this.#clock, handler);
        const place = this.#places[index];
        if (place?.server === undefined) connection.refuse(new EnsembleError('SERVER_DOWN', `server ${index + 1} is down`));
        else connection.open(place.server.accept.bind(place.server));
        return connection;
      },
    };
  }

  /**
   * Takes a connection from outside, for whoever binds a port. It goes to the server `sid`, or without that to the servers that serve in turn, or else to one
   * that is up; the link is closed when that server crashes. Where no such server is up, the link is closed at once.
   *
   * @throws EnsembleError UNKNOWN_SERVER.
   */
  accept(link: ClientLink, sid?: Sid): Pick<ClientPort, 'receive' | 'heard' | 'closed'> {
    const places = sid === undefined ? this.#places : [this.#place(sid)];
    const up = places.flatMap(({ server }) => (server === undefined ? [] : [server]));
    const serving = up.filter((server) => server.status.serving);
    const choice = serving.length > 0 ? serving : up;
    const server = choice[this.#turn++ % choice.length];
    if (server !== undefined) return server.accept(link);
    this.#clock.defer(() => link.close());
    return { receive() {}, heard() {}, closed() {} };
  }

  /**
   * Ends a server as a crash would: without a goodbye, its connections cut, with what its storage has made durable and nothing else.
   *
   * @throws EnsembleError UNKNOWN_SERVER, SERVER_DOWN, CLOSED.
   */
  crash(sid: Sid): void {
    const place = this.#openPlace(sid);
    if (place.server === undefined) throw new EnsembleError('SERVER_DOWN', `server ${sid} is down already: restart it first`);
    this.#stop(place);
  }

  /**
   * Starts a server again, from what its storage has. `ready({ server })` waits until it serves.
   *
   * @throws EnsembleError UNKNOWN_SERVER, SERVER_UP, CLOSED.
   */
  restart(sid: Sid): void {
    const place = this.#openPlace(sid);
    if (place.server !== undefined) throw new EnsembleError('SERVER_UP', `server ${sid} is up: crash it first`);
    this.#start(place);
  }

  /**
   * Loses what a server has stored, as a broken disk would; the server is down for it. When it starts again it takes everything from the leader, and has its vote back
   * once a quorum of the others has promised the leader another epoch, half a tick later. More than a minority of the stores is data lost for good: such an
   * ensemble stays down.
   *
   * @throws EnsembleError UNKNOWN_SERVER, SERVER_UP, OWN_STORAGE, CLOSED.
   */
  wipe(sid: Sid): void {
    const place = this.#openPlace(sid);
    if (this.#options.storage !== undefined) throw new EnsembleError('OWN_STORAGE', 'the stores are your own: empty them there');
    if (place.server !== undefined) throw new EnsembleError('SERVER_UP', `server ${sid} is up: crash it first`);
    this.#storages.set(sid, new MemoryStorage({ clock: this.#clock }));
  }

  /**
   * Hands the leadership over to another server, without an election: what was proposed is committed, clients keep their connections, and what they have asked for meanwhile
   * is done by the new leader. Resolves when that serves.
   *
   * @returns the sid of the new leader, which is another than `to` where that has failed meanwhile.
   * @throws the signal's reason; EnsembleError UNKNOWN_SERVER, NO_LEADER, NO_SUCCESSOR, CLOSED.
   */
  async handOver(options: HandOverOptions = {}): Promise<Sid> {
    const { to, signal } = options;
    signal?.throwIfAborted();
    if (this.#closed) throw closedError();
    if (to !== undefined) this.#place(to);
    const place = this.#leaderPlace;
    if (place?.server === undefined) throw new EnsembleError('NO_LEADER', 'no leader serves at present: await ready() first');
    if (place.sid === to) return to;
    if (!place.server.handOver(to)) {
      const who = to === undefined ? 'another server' : `server ${to}`;
      throw new EnsembleError('NO_SUCCESSOR', `${who}, which must vote and follow the leader, does not at present`);
    }
    const { epoch } = place.status;
    await this.#until(() => place.status.epoch > epoch || !place.status.serving, signal);
    return this.ready(signal === undefined ? {} : { signal });
  }

  /**
   * Splits the network between the servers: each reaches those of its own group, and one that no group names reaches nobody. Clients still
   * reach every server. Lasts until `heal` or the next partition.
   *
   * @throws EnsembleError UNKNOWN_SERVER, OWN_TRANSPORT, CLOSED. TypeError for a server in two groups.
   *
   * @example
   * ensemble.partition([1, 2], [3]);
   */
  partition(...groups: readonly (readonly Sid[])[]): void {
    for (const group of groups) {
      if (!Array.isArray(group)) throw new TypeError('each group of a partition must be an array of sids');
      for (const sid of group) this.#openPlace(sid);
    }
    this.#memoryNetwork().partition(groups);
  }

  /**
   * Ends a partition.
   *
   * @throws EnsembleError OWN_TRANSPORT, CLOSED.
   */
  heal(): void {
    this.#memoryNetwork().heal();
  }

  /**
   * Ends a session as if its client had been silent for too long: a txn removes its ephemeral znodes, then the client hears of it.
   *
   * @returns false where there is no such session.
   * @throws EnsembleError CLOSED; NO_LEADER, unless the session is a local one of a server that is up.
   */
  expireSession(session: Pick<Client, 'sessionId'> | bigint): boolean {
    if (this.#closed) throw closedError();
    const id = typeof session === 'bigint' ? session : session?.sessionId;
    if (typeof id !== 'bigint') throw new TypeError('session must be a client or the bigint of its sessionId');
    if (this.#places.some(({ server }) => server?.expireLocalSession(id))) return true;
    const leader = this.#leaderPlace?.server;
    if (leader === undefined)
      throw new EnsembleError('NO_LEADER', 'sessions are ended by the leader, and none serves at present: await ready() first');
    return leader.expireSession(id);
  }

  /** Ends everything at once, the clients of `connect` included. Sessions end with the storage, or expire after a new start from it. */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    for (const client of this.#clients) abandon(client);
    this.#clients.clear();
    for (const place of this.#places) if (place.server !== undefined) this.#stop(place);
    this.#changes.end();
    this.#look();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #leaderPlace(): Place | undefined {
    return newestLeader(this.#places);
  }

  #start(place: Place): void {
    const { sid } = place;
    const { tickTimeMs = TICK_TIME_MS, transport, storage } = this.#options;
    const server: Server = new Server({
      sid,
      config: this.#config,
      transport: this.#network?.transport(sid) ?? (transport as NonNullable<typeof transport>)(sid),
      storage: storage?.(sid) ?? (this.#storages.get(sid) as MemoryStorage),
      clock: this.#clock,
      tickTimeMs,
      initLimit: INIT_LIMIT,
      syncLimit: SYNC_LIMIT,
      maxSessionTimeoutMs: Math.max(SESSION_TIMEOUT_MAX_MS, 20 * tickTimeMs),
      hashSeed: this.#hashSeed,
      ...chosenOptions(this.#options, this.#random),
      onStatus: (status) => {
        if (place.server !== server) return;
        place.hasRecovered = true;
        this.#setStatus(place, status);
        this.#noteUnfounded();
      },
      onReadOnly: () => {
        if (place.server === server) this.#setStatus(place, place.status);
      },
      onFailure: (error) => this.#onFailure(place, error),
    });
    place.server = server;
    this.#setStatus(place, server.status);
    server.start();
  }

  #stop(place: Place): void {
    const { server } = place;
    place.server = undefined;
    server?.stop();
    this.#setStatus(place, { ...DOWN, epoch: place.status.epoch });
  }

  #onFailure(place: Place, error: Error): void {
    // It has stopped by itself.
    place.server = undefined;
    this.#setStatus(place, { ...DOWN, epoch: place.status.epoch });
    if (this.#options.onFailure !== undefined) {
      this.#options.onFailure(place.sid, error);
    } else if (this.#started) {
      this.#clock.defer(() => {
        throw error;
      });
    } else {
      this.#failure ??= new EnsembleError('SERVER_FAILED', `server ${place.sid} has failed: ${error.message}`, { cause: error });
      this.#look();
    }
  }

  #setStatus(place: Place, status: Status): void {
    place.status = status;
    this.#changes.push(infoOf(place));
    this.#look();
  }

  #look(): void {
    for (const look of [...this.#watchers]) look();
  }

  /** Makes the first store of a server, where stores are not the caller's affair. */
  #found(sid: Sid): void {
    if (this.#options.storage !== undefined) return;
    const storage = new MemoryStorage({ clock: this.#clock });
    if (this.#config.voters.includes(sid)) storage.format(this.#mark);
    this.#storages.set(sid, storage);
  }

  /** Before the first leader serves: whether a quorum can never come together, because all servers are there and too few of them have a vote. */
  #noteUnfounded(): void {
    if (this.#started || this.#options.storage === undefined) return;
    const voters = this.#places.filter(({ sid }) => this.#config.voters.includes(sid));
    const blank = voters.filter(({ status }) => !status.votes);
    if (!voters.every(({ hasRecovered }) => hasRecovered) || blank.length * 2 < voters.length) return;
    const sids = blank.map(({ sid }) => sid).join(', ');
    this.#failure ??= new EnsembleError(
      'NOT_FOUNDED',
      `the stores of servers ${sids} are not marked, so no quorum can come together: format those of a new ensemble once`,
    );
    this.#look();
  }

  #memoryNetwork(): MemoryNetwork {
    if (this.#closed) throw closedError();
    if (this.#network === undefined)
      throw new EnsembleError('OWN_TRANSPORT', 'the servers speak over your own transport: partition it there');
    return this.#network;
  }

  #openPlace(sid: Sid): Place {
    if (this.#closed) throw closedError();
    return this.#place(sid);
  }

  #place(sid: Sid): Place {
    const place = this.#places[sid - 1];
    if (place === undefined) throw new EnsembleError('UNKNOWN_SERVER', `there is no server ${sid}: sids are 1 to ${this.#places.length}`);
    return place;
  }
}

function infoOf({ sid, server, status }: Place): ServerInfo {
  const { leader, epoch, serving, votes } = status;
  return { sid, state: server === undefined ? 'DOWN' : status.state, leader, epoch, serving, votes, readOnly: server?.isReadOnly ?? false };
}

function closedError(): EnsembleError {
  return new EnsembleError('CLOSED', 'the ensemble was closed');
}

/** Ends a client without the goodbye that nobody would hear. */
function abandon(client: Client): void {
  const controller = new AbortController();
  controller.abort();
  client.close({ signal: controller.signal }).catch(() => {});
}
