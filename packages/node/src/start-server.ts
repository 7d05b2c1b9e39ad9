/** One server in this process: its store, its ports and what it tells of itself (ZooKeeper: `ZooKeeperServerMain`, `QuorumPeerMain`). */
import { type Clock, realClock, realRandom } from '@quorate/ports';
import { chosenOptions, Server, type ServerOptions, type Sid, type Transport } from '@quorate/server';
import { Registry } from 'prom-client';
import { answerAdmin } from './admin-port.js';
import { type AuditEntry, auditSessionEnd, auditWrite } from './audit-log.js';
import { answerWord } from './four-letter-words.js';
import { type OpenHttpPort, openHttpPort } from './http-port.js';
import { GOODBYE_MS, HAND_OVER_TICKS_MAX } from './limits.js';
import { type Listener, listen } from './listen.js';
import { listenWebSocket } from './listen-websocket.js';
import { Metrics } from './metrics.js';
import { checkServerConfig, type ServerConfig } from './server-config.js';
import { channels, type Logger, silent } from './server-log.js';
import { ensembleConfigOf, type ServerStore, sizesOf, storeOf, transportOf } from './server-parts.js';
import { ServerTimings } from './server-timings.js';
import { FULL_VERSION } from './server-version.js';
import { type Mode, modeOf, type ServerView } from './server-view.js';

/** Where a server stands. */
export interface RunningStatus {
  readonly sid: Sid;
  /** Undefined while it serves nobody. */
  readonly mode: Mode | undefined;
  /** The leader that it knows; undefined for none. */
  readonly leader: Sid | undefined;
  readonly epoch: number;
  /** Whether it takes requests. */
  readonly serving: boolean;
}

const TICK_TIME_MS = 2_000;

/**
 * Starts a server. Resolves when its ports are open; whether it serves by then is for the ensemble to say: `ready` waits for that.
 *
 * @throws TypeError for an option that breaks its rule. ListenError where a port cannot be opened.
 *
 * @example
 * const server = await startServer({ memory: true, client: { port: 0 } });
 * await server.ready();
 * console.log(`zkCli.sh -server ${server.clientAddress}`);
 */
export async function startServer(config: ServerConfig): Promise<RunningServer> {
  checkServerConfig(config);
  const transport = await transportOf(config, config.log ?? silent);
  let running: RunningServer | undefined;
  try {
    running = new RunningServer(config, transport);
    await running.open();
    return running;
  } catch (error) {
    await running?.close();
    // It has bound its ports already, and only a server that was started gives them back.
    transport.stop();
    throw error;
  }
}

/** A server, from its start to its end. */
export class RunningServer {
  readonly sid: Sid;
  readonly #config: ServerConfig;
  readonly #clock: Clock = realClock;
  readonly #log: Logger;
  readonly #registry = new Registry();
  /** Undefined where nobody asks for metrics. */
  readonly #timings: ServerTimings | undefined;
  readonly #store: ServerStore;
  readonly #server: Server;
  readonly #view: ServerView;
  readonly #waiting = new Set<() => void>();
  #client: Listener | undefined;
  #secureClient: Listener | undefined;
  #webSocket: Listener | undefined;
  #admin: OpenHttpPort | undefined;
  #metrics: OpenHttpPort | undefined;
  #closed: Promise<void> | undefined;
  #failure: Error | undefined;
  /** Resolves when the server has ended, with the error that has ended it where `close` has not. */
  readonly ended: Promise<Error | undefined>;
  #end!: (error: Error | undefined) => void;

  /** Made by `startServer`. */
  constructor(config: ServerConfig, transport: Transport) {
    const { sid = 1, log = silent } = config;
    this.sid = sid;
    this.#config = config;
    this.#log = log;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    if (config.metrics !== undefined) this.#timings = new ServerTimings(this.#registry, this.#clock);
    this.#store = storeOf(config, log, (disk) => this.#timings?.disk(disk) ?? disk);
    this.#server = new Server(this.#serverOptions(transport));
    const running = this;
    this.#view = {
      server: this.#server,
      config,
      startedMs: performance.now(),
      ports: {
        get client() {
          return running.#client?.port;
        },
        get secureClient() {
          return running.#secureClient?.port;
        },
      },
      sizes: () => sizesOf(config),
    };
  }

  /** By `startServer`, once. */
  async open(): Promise<void> {
    const { client = {}, secureClient, webSocket } = this.#config;
    const words = (word: string): string | undefined => answerWord(word, this.#view);
    if (client !== false) this.#client = await listen(this.#server, { ...client, words });
    if (secureClient !== undefined) this.#secureClient = await listen(this.#server, { ...secureClient, words });
    if (webSocket !== undefined) this.#webSocket = await listenWebSocket(this.#server, webSocket);
    const { admin, metrics } = this.#config;
    if (admin !== undefined) this.#admin = await openHttpPort(admin, (method, path) => answerAdmin(this.#view, method, path));
    if (metrics !== undefined) {
      const source = new Metrics(this.#view, this.#registry);
      this.#metrics = await openHttpPort(metrics, (method, path) => source.answer(method, path));
    }
    const { sid, clientAddress, secureClientAddress, webSocketAddress, adminAddress, metricsAddress } = this;
    this.#log.info(
      { sid, version: FULL_VERSION, clientAddress, secureClientAddress, webSocketAddress, adminAddress, metricsAddress },
      'listening',
    );
    this.#audit([{ operation: 'serverStart', result: 'success' }]);
    this.#server.start();
  }

  get status(): RunningStatus {
    const { leader, epoch, serving } = this.#server.status;
    return { sid: this.sid, mode: modeOf(this.#view), leader, epoch, serving };
  }

  /** As a connect string has it; undefined where there is no such port. */
  get clientAddress(): string | undefined {
    return this.#client?.address;
  }

  get secureClientAddress(): string | undefined {
    return this.#secureClient?.address;
  }

  get webSocketAddress(): string | undefined {
    return this.#webSocket?.address;
  }

  get adminAddress(): string | undefined {
    return this.#admin?.address;
  }

  get metricsAddress(): string | undefined {
    return this.#metrics?.address;
  }

  /**
   * Waits until the server takes requests.
   *
   * @throws the signal's reason; what has ended the server.
   */
  async ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#until(() => this.#server.status.serving, options.signal);
  }

  /** Ends it with a goodbye: the leadership is handed over where there is somebody to take it, and clients are told by the end of their connections. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#failure === undefined) await this.#handOver();
    const listeners = [this.#client, this.#secureClient, this.#webSocket].filter((listener) => listener !== undefined);
    const gone = Promise.all(listeners.map((listener) => listener.stopListening()));
    // What was answered still arrives, and then each connection ends.
    this.#server.stop();
    const linger = this.#clock.setTimer(GOODBYE_MS, () => {
      for (const listener of listeners) void listener.close();
    });
    await gone;
    linger.cancel();
    await this.#store.released;
    await Promise.all([this.#admin?.close(), this.#metrics?.close()]);
    this.#audit([{ operation: 'serverStop', result: 'success' }]);
    this.#log.info({ sid: this.sid }, 'closed');
    this.#look();
    this.#end(this.#failure);
  }

  /** Gives up where it takes too long: the others elect one of themselves then. */
  async #handOver(): Promise<void> {
    const { epoch } = this.#server.status;
    if (!this.#server.handOver()) return;
    this.#log.info({ sid: this.sid }, 'handing over the leadership');
    const timeout = new AbortController();
    const { tickTimeMs = TICK_TIME_MS } = this.#config;
    const timer = this.#clock.setTimer(HAND_OVER_TICKS_MAX * tickTimeMs, () => timeout.abort());
    await this.#until(() => this.#server.status.epoch > epoch && this.#server.status.serving, timeout.signal).catch(() => {
      this.#log.warn({ sid: this.sid }, 'the leadership was not handed over in time');
    });
    timer.cancel();
  }

  #serverOptions(transport: Transport): ServerOptions {
    return {
      sid: this.sid,
      config: ensembleConfigOf(this.#config),
      transport,
      storage: this.#store.storage,
      clock: this.#clock,
      // Clients choose the names of znodes, and must not know how they are hashed.
      hashSeed: realRandom.uint32(),
      ...chosenOptions(this.#config, realRandom),
      onStatus: () => this.#onStatus(),
      onReadOnly: () => this.#onStatus(),
      onFailure: (error) => this.#onFailure(error),
      ...(this.#timings !== undefined && { onInput: this.#timings.onInput, onEffect: this.#timings.onEffect }),
      ...(this.#isAudited && {
        onWrite: (outcome) => this.#audit(auditWrite(outcome)),
        onSessionEnd: (end) => this.#audit(auditSessionEnd(end)),
      }),
    };
  }

  /** Whoever subscribes to the channel later hears nothing of a server that was started before without an audit log. */
  get #isAudited(): boolean {
    return this.#config.audit === true || channels.audit.hasSubscribers;
  }

  #audit(entries: readonly AuditEntry[]): void {
    for (const entry of entries) {
      if (this.#config.audit === true) this.#log.info({ sid: this.sid, audit: entry }, 'audit');
      if (channels.audit.hasSubscribers) channels.audit.publish({ sid: this.sid, entry });
    }
  }

  #onStatus(): void {
    const { status } = this;
    this.#log.info(status, 'status');
    if (channels.status.hasSubscribers) channels.status.publish({ sid: this.sid, status });
    this.#look();
    this.#checkVote();
  }

  /** Alone without a vote it would wait for ever for an ensemble that gives it one. */
  #checkVote(): void {
    if (this.#server.status.votes || ensembleConfigOf(this.#config).voters.length > 1) return;
    const { dataDir = 'the store' } = this.#config;
    this.#onFailure(
      new Error(
        `${dataDir} is not founded, or was lost: found a new ensemble there by formatStore, or quorate format --data ${dataDir} --name NAME`,
      ),
    );
  }

  #onFailure(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#log.error({ sid: this.sid, err: error }, 'the server has failed');
    if (channels.failure.hasSubscribers) channels.failure.publish({ sid: this.sid, error });
    this.#look();
    void this.close();
  }

  #until(condition: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const settle = (end: () => void): void => {
        this.#waiting.delete(look);
        signal?.removeEventListener('abort', abort);
        end();
      };
      const abort = (): void => settle(() => reject(signal?.reason));
      const look = (): void => {
        if (this.#failure !== undefined) settle(() => reject(this.#failure));
        else if (condition()) settle(resolve);
      };
      this.#waiting.add(look);
      signal?.addEventListener('abort', abort);
      look();
    });
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }
}
