/**
 * What a server does that has lost the ensemble, where it may go on alone (`readonlymode.enabled`, `ReadOnlyZooKeeperServer`): it answers reads of those clients that
 * put up with it, from a state that does not change meanwhile.
 *
 * That state is a prefix of the history: what this server knew to be committed when it was cut off, or after a restart its last snapshot. A client sees none
 * that is older than what it has seen before, because the handshake asks for `lastZxidSeen`. No watch fires, for nothing changes; what has changed
 * elsewhere the client is told by setWatches at the server where it goes on.
 *
 * Whether a session lives cannot be said here, so whoever has its password is taken. A session that begins here is known here alone. When the mode begins and when it ends
 * all connections end, so that each client knows by its handshake what its server can do, and nobody holds a session that is none.
 */
import type { Clock } from '@quorate/ports';
import type { ConnectRequest } from '@quorate/protocol';
import { passwordMatches } from '@quorate/session';
import type { ServerState } from '@quorate/zab';
import type { ClientPort } from './client-port.js';
import type { Database } from './database.js';
import { LocalSessions } from './local-sessions.js';

/** For so many ticks a server looks for a leader before it goes on alone; most elections take less than one. */
export const READ_ONLY_AFTER_TICKS = 2;

/** What the mode asks of its server. */
export interface ReadOnlyHost {
  /** The timeout that a client gets who asks for `timeOut`. */
  negotiate(timeOut: number): number;
  database(): Database;
  newSessionId(): bigint;
  /** Ends a connection that the session has at this server. */
  closeHere(session: bigint): void;
  open(port: ClientPort, session: bigint, timeOut: number): void;
}

export interface ReadOnlyModeOptions {
  readonly host: ReadOnlyHost;
  readonly clock: Clock;
  readonly tickTimeMs: number;
  readonly enabled: boolean;
}

export class ReadOnlyMode {
  readonly #options: ReadOnlyModeOptions;
  /** Since when this server looks for a leader; undefined while it does not, and before its storage is read. */
  #lookingSinceMs: number | undefined;
  /** The sessions that are connected, defined while the mode is on. */
  #sessions: LocalSessions | undefined;
  /** Of these, those that have begun here. */
  readonly #own = new Set<bigint>();

  constructor(options: ReadOnlyModeOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#sessions !== undefined;
  }

  /** @returns true where this ends the mode. */
  onStatus(state: ServerState): boolean {
    if (state === 'LOOKING') {
      this.#lookingSinceMs ??= this.#options.clock.now();
      return false;
    }
    this.#lookingSinceMs = undefined;
    const ends = this.isOn;
    this.#sessions = undefined;
    this.#own.clear();
    return ends;
  }

  /** Once in a tick. @returns true where this begins the mode. */
  tick(): boolean {
    const { enabled, clock, tickTimeMs } = this.#options;
    const nowMs = clock.now();
    if (this.#sessions !== undefined) {
      for (const id of this.#sessions.expired(nowMs)) this.#options.host.closeHere(id);
      return false;
    }
    if (!enabled || this.#lookingSinceMs === undefined || nowMs - this.#lookingSinceMs < READ_ONLY_AFTER_TICKS * tickTimeMs) return false;
    this.#sessions = new LocalSessions({ tickTimeMs, nowMs });
    return true;
  }

  /** A handshake, while the mode is on. */
  join(port: ClientPort, { readOnly, lastZxidSeen, sessionId, passwd, timeOut }: ConnectRequest): void {
    const { host, clock } = this.#options;
    if (!readOnly || lastZxidSeen > host.database().lastZxid) return port.close();
    if (sessionId !== 0n && !passwordMatches(sessionId, passwd)) return port.refuse();
    const session = sessionId === 0n ? host.newSessionId() : sessionId;
    if (sessionId === 0n) this.#own.add(session);
    host.closeHere(session);
    const negotiated = host.negotiate(timeOut);
    this.#sessions?.open(session, negotiated, clock.now());
    host.open(port, session, negotiated);
  }

  touch(session: bigint): void {
    this.#sessions?.touch(session, this.#options.clock.now());
  }

  /** Ends a session that has begun here; false for any other. */
  end(session: bigint): boolean {
    this.#sessions?.end(session);
    return this.#own.delete(session);
  }
}
