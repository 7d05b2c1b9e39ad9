/**
 * The session of a client, as the application sees it: its states, its lease, and its end.
 *
 * What is asked of the servers is in `Client`, which is one of these.
 */
import { type Clock, type Random, realClock, realRandom } from '@quorate/ports';
import { encodeUtf8, FRAME_BYTES_MAX, ZooKeeperError } from '@quorate/protocol';
import { type CallOptions, checkFunction, ownBytes, signalGiven, signalOf } from './arguments.js';
import { chrootConnector } from './chroot.js';
import { ClientMachine } from './client-machine.js';
import { type ClientOptions, checkClientOptions, SESSION_TIMEOUT_MS } from './client-options.js';
import type { SessionIdentity } from './client-session.js';
import { type ClientState, isConnected, isFinal } from './client-state.js';
import { checkChroot } from './connect-string.js';
import { Dispatch } from './dispatch.js';
import { EventStream } from './event-stream.js';
import { LeaseSignal } from './lease-signal.js';
import { PersistentWatches } from './persistent-watches.js';
import { retryRule } from './retries.js';
import { surface } from './surface.js';

/** Holds one session, over one connection at a time. */
export abstract class SessionHolder {
  readonly #machine: ClientMachine;
  /** Its own, for whatever is built on it: everything that waits or draws lots does it by these. */
  readonly clock: Clock;
  readonly random: Random;
  /** What the client sees as its root, as a path of the servers; `/` where that is theirs. */
  readonly chroot: string;
  readonly #lease: LeaseSignal;
  readonly #states = new EventStream<ClientState>();
  readonly #listeners = new Set<(state: ClientState) => void>();
  /** @internal */
  protected readonly dispatch: Dispatch;
  /** @internal */
  protected readonly watches: PersistentWatches;
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
    const chroot = chrootOf(options);
    this.clock = options.clock ?? realClock;
    this.random = options.random ?? realRandom;
    this.chroot = chroot ?? '/';
    this.#lease = new LeaseSignal(() => this.#machine.keepLease());
    this.#machine = new ClientMachine({
      connector: chroot === undefined ? connector : chrootConnector(connector, chroot),
      clock: this.clock,
      random: this.random,
      sessionTimeoutMs,
      firstServer,
      session: session && { id: session.id, password: ownBytes(session.password) },
      canBeReadOnly,
      callsMax,
      callBytesMax,
      pathPrefixBytes: encodeUtf8(chroot ?? '').length,
      onState: (state) => this.#onState(state),
      onLeaseOver: (code) => this.#lease.abort(code),
    });
    const rule = retryRule(options.retry);
    this.dispatch = new Dispatch({ machine: this.#machine, clock: this.clock, random: this.random, requestBytesMax, chroot, rule });
    this.watches = new PersistentWatches(this.dispatch);
    this.#machine.start();
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

  /** Why no server is connected: how the last connection or attempt has ended. Undefined while one is, and before the first attempt has ended. For people to read. */
  get disconnectReason(): Error | undefined {
    return this.#machine.disconnectReason;
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
    checkFunction('listener', listener);
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
      const signal = signalOf(options);
      const settle = (state: ClientState): void => {
        if (state === 'CONNECTING') return;
        stop();
        if (isConnected(state)) resolve();
        else reject(endedError(state));
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
   * Ends the session, with its ephemeral znodes, after all calls that were made before. Where no server is connected the client
   * ends at once and the session expires after its timeout. An abort ends the client at once, too.
   */
  async close(options?: CallOptions): Promise<void> {
    const signal = signalGiven(options);
    this.#closed ??= new Promise((resolve) => this.#machine.close(resolve));
    if (signal === undefined) return this.#closed;
    const abort = (): void => this.#machine.abandon();
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    await this.#closed;
    signal.removeEventListener('abort', abort);
    signal.throwIfAborted();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onState(state: ClientState): void {
    this.#states.push(state);
    if (isFinal(state)) {
      this.#states.end();
      this.watches.end();
    }
    for (const listener of [...this.#listeners]) surface(this.clock, listener, state);
  }
}

function endedError(state: ClientState): ZooKeeperError {
  if (state === 'AUTH_FAILED')
    return new ZooKeeperError('AUTH_FAILED', 'the client has ended: a server has refused what addAuth was given');
  const how = state === 'CLOSED' ? 'the client was closed' : 'the session is gone';
  return new ZooKeeperError('SESSION_EXPIRED', `${how}, for good: go on with a new client`);
}

/** The connector's, and below it the client's own; undefined for the servers' root. */
function chrootOf({ connector, chroot }: ClientOptions): string | undefined {
  const outer = connector.chroot === undefined ? undefined : checkChroot(connector.chroot);
  const inner = chroot === undefined ? undefined : checkChroot(chroot);
  return outer === undefined || inner === undefined ? (outer ?? inner) : outer + inner;
}
