/**
 * The credentials of a client. A server knows them only for the length of a connection, so that each new one is given all of
 * them again, before anything else.
 */
import type { AuthRequest } from '@quorate/protocol';
import type { Call } from './call.js';

/** A call whose request is an auth packet. */
export type AuthCall = Call & { readonly request: AuthRequest };

/** Credentials, and the calls that wait for a server to take them. */
export interface AuthEntry {
  readonly request: AuthRequest;
  readonly calls: Set<AuthCall>;
  everSent: boolean;
}

export class AuthList {
  /** In the order in which they were added; the same credentials once. */
  readonly #entries: AuthEntry[] = [];
  /** Sent on the present connection and not answered: servers answer in order. */
  #unanswered: AuthEntry[] = [];

  add(call: AuthCall): AuthEntry {
    let entry = this.#entries.find((known) => same(known.request, call.request));
    if (entry === undefined) {
      entry = { request: call.request, calls: new Set(), everSent: false };
      this.#entries.push(entry);
    }
    entry.calls.add(call);
    return entry;
  }

  sent(entry: AuthEntry): void {
    entry.everSent = true;
    this.#unanswered.push(entry);
  }

  /** A server has taken the oldest unanswered credentials. Returns the calls that waited for that. */
  answered(): readonly AuthCall[] {
    const entry = this.#unanswered.shift();
    if (entry === undefined) return [];
    const calls = [...entry.calls];
    entry.calls.clear();
    return calls;
  }

  /** A new connection: returns all that it has to be told. */
  restart(): readonly AuthEntry[] {
    this.#unanswered = [];
    return this.#entries;
  }

  /** Returns whether the credentials are forgotten because no server has seen them and nobody else asked for them. */
  withdraw(call: AuthCall): boolean {
    const index = this.#entries.findIndex((entry) => entry.calls.has(call));
    const entry = this.#entries[index];
    if (entry === undefined) return false;
    entry.calls.delete(call);
    if (entry.everSent || entry.calls.size > 0) return false;
    this.#entries.splice(index, 1);
    return true;
  }

  /** Forgets everything. Returns the calls that still waited. */
  clear(): readonly AuthCall[] {
    const calls = this.#entries.flatMap((entry) => [...entry.calls]);
    this.#entries.length = 0;
    this.#unanswered = [];
    return calls;
  }
}

function same(a: AuthRequest, b: AuthRequest): boolean {
  return a.scheme === b.scheme && a.auth.length === b.auth.length && a.auth.every((byte, index) => byte === b.auth[index]);
}
