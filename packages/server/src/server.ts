/**
 * One server of an ensemble: a Zab replica, the state machine above it, and time. Sans-io: everything that it needs is passed in.
 */
import type { Clock, Timer } from '@quorate/ports';
import type { Zxid } from '@quorate/protocol';
import { SessionIds } from '@quorate/session';
import type { DataTree } from '@quorate/tree';
import {
  type Config,
  type Effect,
  type Input,
  type Limits,
  Replica,
  type Sid,
  type Status,
  type Storage,
  type Transport,
} from '@quorate/zab';
import type { SessionEnd, WriteOutcome } from './audit.js';
import type { ClientLink, ClientPort } from './client-port.js';
import type { ConnectionThrottle, ConnectionThrottling } from './connection-throttle.js';
import { CONTAINER_CHECK_INTERVAL_MS, CONTAINER_NEVER_USED_MAX_MS, CONTAINERS_PER_MINUTE_MAX } from './container-sweep.js';
import type { RequestThrottle } from './load.js';
import { Member } from './member.js';
import type { QuotaExcess } from './quota.js';
import type { ServerCounts } from './server-counts.js';
import type { ConnectionInfo, TrafficCounts } from './traffic.js';
import { TurnClock } from './turn-clock.js';
import type { WatchEntry, WatchSummary } from './watch-events.js';

export interface ServerOptions {
  readonly sid: Sid;
  readonly config: Config;
  readonly transport: Transport;
  readonly storage: Storage;
  readonly clock: Clock;
  /** The unit of all times, in milliseconds; 2,000 when absent. */
  readonly tickTimeMs?: number;
  /** Ticks that discovery and synchronization may take; 10 when absent. */
  readonly initLimit?: number;
  /** Ticks of silence after which a peer counts as gone; 5 when absent. */
  readonly syncLimit?: number;
  /** A snapshot is saved after this many txns; 100,000 when absent. */
  readonly snapshotEvery?: number;
  /** Others than the usual ones. For tests. */
  readonly limits?: Partial<Limits>;
  /** The shortest session timeout that a client gets, in milliseconds; 2 ticks when absent. */
  readonly minSessionTimeoutMs?: number;
  /** The longest session timeout that a client gets, in milliseconds; 20 ticks when absent. */
  readonly maxSessionTimeoutMs?: number;
  /** New sessions live on the server of their client alone, without a txn, until they want to own an ephemeral; false when absent (`localSessionsEnabled`). */
  readonly localSessions?: boolean;
  /** A local session that creates an ephemeral becomes one of the ensemble's; refused by EPHEMERAL_ON_LOCAL_SESSION when absent or false (`localSessionsUpgradingEnabled`). */
  readonly localSessionsUpgrading?: boolean;
  /** Without a leader the server answers reads of clients that put up with it; false when absent (`readonlymode.enabled`). */
  readonly readOnlyMode?: boolean;
  /** The digest id, "super:" and base64, of the client that may do everything; nobody when absent. */
  readonly superDigest?: string;
  /** How often a leader looks for containers and znodes with a TTL whose time has come, in milliseconds; 60,000 when absent. */
  readonly containerCheckIntervalMs?: number;
  /** How many of these are removed in a minute at most; 10,000 when absent. */
  readonly containersPerMinuteMax?: number;
  /** Limits on what all clients together have under way; 64 MiB and nothing else when absent. */
  readonly requestThrottle?: RequestThrottle;
  /** How fast clients may come; as fast as they like when absent. */
  readonly connectionThrottle?: ConnectionThrottle;
  /**
   * Whether the tree's digest is computed (`zookeeper.digest.enabled`): a leader writes it behind each txn, and a server whose tree comes to another one
   * stops. True when absent.
   */
  readonly digest?: boolean;
  /**
   * The key under which the tree hashes names, a whole number from 0 to 2^53 − 1; 0 when absent. A client that knows it can choose names that are slow to
   * find, so a server for strangers takes a random one. It changes nothing that can be seen.
   */
  readonly hashSeed?: number;
  /** Whether hard limits of quotas are enforced (`zookeeper.enforceQuota`); false when absent. */
  readonly enforceQuota?: boolean;
  /** Leader: a request goes above a limit of a quota, a soft one or a hard one. It is called before the request is proposed or refused. */
  readonly onQuotaExcess?: (excess: QuotaExcess) => void;
  /** How long a container may wait for its first child before it is removed, in milliseconds; 0, for ever, when absent. */
  readonly containerNeverUsedMaxMs?: number;
  /** Called on every change of where this server stands. */
  readonly onStatus?: (status: Status) => void;
  /** Called when this server begins to answer reads without an ensemble; that it ends follows from the status. */
  readonly onReadOnly?: () => void;
  /** A write of a client that is connected here was answered, or will not be. For audit logs; it must not fail. */
  readonly onWrite?: (outcome: WriteOutcome) => void;
  /** Leader: a session has ended. For audit logs; it must not fail. */
  readonly onSessionEnd?: (end: SessionEnd) => void;
  /** Sees every input of the replica. For checkers and traces. */
  readonly onInput?: (input: Input) => void;
  /** Sees every effect of the replica. For checkers and traces. */
  readonly onEffect?: (effect: Effect) => void;
  /** The server has stopped for good: its storage failed, or an invariant did. Thrown where absent. */
  readonly onFailure?: (error: Error) => void;
}

const DEFAULT_TICK_TIME_MS = 2_000;

/** A server. It takes clients from `accept` at any time, and answers them while it serves. */
export class Server {
  readonly sid: Sid;
  readonly #options: ServerOptions;
  readonly #tickTimeMs: number;
  readonly #replica: Replica;
  readonly #member: Member;
  #timer: Timer | undefined;
  #stopped = false;

  /** @throws TypeError where the session timeouts make no range. */
  constructor(options: ServerOptions) {
    this.sid = options.sid;
    this.#options = options;
    this.#tickTimeMs = options.tickTimeMs ?? DEFAULT_TICK_TIME_MS;
    const minSessionTimeoutMs = options.minSessionTimeoutMs ?? 2 * this.#tickTimeMs;
    const maxSessionTimeoutMs = options.maxSessionTimeoutMs ?? 20 * this.#tickTimeMs;
    if (!(minSessionTimeoutMs > 0 && minSessionTimeoutMs <= maxSessionTimeoutMs)) {
      throw new TypeError('minSessionTimeoutMs must be above 0 and not above maxSessionTimeoutMs');
    }
    const { sid, clock, superDigest } = options;
    const onFailure = (error: Error): void => this.#fail(error);
    const server = this;
    const turnClock = new TurnClock(clock);
    this.#member = new Member({
      sid,
      // The replica needs its application and the application its replica: one of them looks the other up.
      broadcast: {
        get nextZxid() {
          return server.#replica.nextZxid;
        },
        propose: (payload) => this.#replica.propose(payload),
        request: (payload) => this.#replica.request(payload),
        revalidate: (payload) => this.#replica.revalidate(payload),
        answerRevalidate: (to, payload) => this.#replica.answerRevalidate(to, payload),
        sync: (tag) => this.#replica.sync(tag),
      },
      clock: turnClock,
      ids: new SessionIds({ sid, wallMs: clock.wallNow() }),
      tickTimeMs: this.#tickTimeMs,
      minSessionTimeoutMs,
      maxSessionTimeoutMs,
      localSessions: options.localSessions ?? false,
      localSessionsUpgrading: options.localSessionsUpgrading ?? false,
      readOnlyMode: options.readOnlyMode ?? false,
      superDigest,
      containerCheckIntervalMs: options.containerCheckIntervalMs ?? CONTAINER_CHECK_INTERVAL_MS,
      containersPerMinuteMax: options.containersPerMinuteMax ?? CONTAINERS_PER_MINUTE_MAX,
      requestThrottle: options.requestThrottle,
      connectionThrottle: options.connectionThrottle,
      tree: { digest: options.digest ?? true, hashSeed: options.hashSeed ?? 0 },
      quotas: { enforce: options.enforceQuota ?? false, onExcess: (excess) => options.onQuotaExcess?.(excess) },
      containerNeverUsedMaxMs: options.containerNeverUsedMaxMs ?? CONTAINER_NEVER_USED_MAX_MS,
      onStatus: (status) => options.onStatus?.(status),
      onReadOnly: () => options.onReadOnly?.(),
      onWrite: options.onWrite,
      onSessionEnd: options.onSessionEnd,
      onFailure,
    });
    const { config, transport, storage, initLimit, syncLimit, snapshotEvery, limits, onInput, onEffect } = options;
    this.#replica = new Replica({
      sid,
      config,
      transport,
      storage,
      clock,
      application: this.#member,
      tickTimeMs: this.#tickTimeMs,
      ...(initLimit !== undefined && { initLimit }),
      ...(syncLimit !== undefined && { syncLimit }),
      ...(snapshotEvery !== undefined && { snapshotEvery }),
      ...(limits !== undefined && { limits }),
      ...(onInput !== undefined && { onInput }),
      ...(onEffect !== undefined && { onEffect }),
      onFailure,
    });
  }

  get status(): Status {
    return this.#member.status;
  }

  /** The last txn that is applied here. */
  get lastZxid(): Zxid {
    return this.#member.database.lastZxid;
  }

  /** The tree, for reading. It is another object after a snapshot of the leader's has been restored. */
  get tree(): DataTree {
    return this.#member.database.tree;
  }

  /**
   * The whole state, exact at `lastZxid` of this moment, in pieces of 64 KiB at most, which are made as they are taken, while the server goes on. What is changed
   * meanwhile is kept twice, so take them soon, or not at all. A `Storage` that is given them by `installSnapshot` is that of a server with this state.
   */
  snapshot(): Iterable<Uint8Array> {
    return this.#member.database.snapshot();
  }

  /** The sessions that exist, and their timeouts in milliseconds. */
  get sessions(): Iterable<[id: bigint, timeoutMs: number]> {
    return this.#member.database.sessions.entries();
  }

  /** Sessions that this server alone knows. */
  get localSessionCount(): number {
    return this.#member.front.localSessionCount;
  }

  /** Serving leader: how many learners have the history of its epoch; undefined for any other server. */
  get synchronizedLearners(): { readonly followers: number; readonly observers: number } | undefined {
    return this.#replica.synchronizedLearners;
  }

  /** True while this server answers reads without an ensemble. */
  get isReadOnly(): boolean {
    return this.#member.front.isReadOnly;
  }

  /** Clients that are connected, those without a session included. */
  get connectionCount(): number {
    return this.#member.front.portCount;
  }

  /** Requests of clients that are not answered and wait for nothing but the ensemble. */
  get outstandingCount(): number {
    return this.#member.front.load.requests;
  }

  /** What these take in memory, in bytes. */
  get outstandingBytes(): number {
    return this.#member.front.load.bytes;
  }

  /** Watches of the clients that are connected. */
  get watchCount(): number {
    return this.#member.watches.watchCount;
  }

  get watchSummary(): WatchSummary {
    return this.#member.watches.summary;
  }

  /** Every watch, in no order that means anything. It can be a million: take what is needed, in one turn. */
  watches(): Iterable<WatchEntry> {
    return this.#member.watches.entries();
  }

  /** What has passed between this server and its clients. */
  get traffic(): TrafficCounts {
    return this.#member.front.traffic.counts;
  }

  /** What has happened here since the start. */
  get counts(): Readonly<ServerCounts> {
    return this.#member.counts;
  }

  /** How often clients come faster than `connectionThrottle` lets them in; undefined without one. */
  get connectionThrottling(): ConnectionThrottling | undefined {
    return this.#member.front.gate;
  }

  /** The clients that are connected, those without a session included. */
  get connections(): readonly ConnectionInfo[] {
    return this.#member.front.connections;
  }

  /** `traffic` begins anew. */
  resetTraffic(): void {
    this.#member.front.traffic.reset();
  }

  /** What is counted for each connection begins anew. */
  resetConnections(): void {
    this.#member.front.resetConnections();
  }

  /** Reads the storage and joins the ensemble. */
  start(): void {
    this.#replica.start();
    this.#setTimer();
  }

  /** Ends at once, as a crash would: no goodbye to anybody, every link is closed. A new `Server` may be made over the same storage. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    this.#replica.stop();
    this.#member.stop();
  }

  /** A client has connected. */
  accept(link: ClientLink): ClientPort {
    return this.#member.accept(link);
  }

  /**
   * Serving leader: hands the leadership over to a voter that has everything, to `to` where that is given. Clients keep their connections and what they have asked
   * for is done; where something stands in the way, an election follows.
   *
   * @returns false where this server is not the serving leader, or there is nobody to hand over to.
   */
  handOver(to?: Sid): boolean {
    return this.#replica.handOver(to);
  }

  /** Ends a session as if its client had been silent for too long. False where there is none, or where this server is not the serving leader. */
  expireSession(session: bigint): boolean {
    return this.#member.expireSession(session);
  }

  /** Ends a local session of this server's as if its client had been silent for too long. False where there is none. */
  expireLocalSession(session: bigint): boolean {
    return this.#member.front.expireLocal(session);
  }

  #setTimer(): void {
    this.#timer = this.#options.clock.setTimer(this.#tickTimeMs, () => {
      if (this.#stopped) return;
      this.#setTimer();
      try {
        this.#member.tick();
      } catch (error) {
        this.#fail(error as Error);
      }
    });
  }

  /** A part that goes on alone would be a liar: everything ends. */
  #fail(error: Error): void {
    if (this.#stopped) return;
    this.stop();
    if (this.#options.onFailure === undefined) throw error;
    this.#options.onFailure(error);
  }
}
