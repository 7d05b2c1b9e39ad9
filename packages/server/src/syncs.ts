/** Syncs under way: each is a request of a client, or confirms the leader to the handshake of a session. */
import type { Broadcast } from './broadcast.js';
import type { PendingRequest } from './pending-request.js';

export class Syncs {
  readonly #broadcast: Broadcast;
  readonly #waiting = new Map<number, PendingRequest | bigint>();
  #nextTag = 1;

  constructor(broadcast: Broadcast) {
    this.#broadcast = broadcast;
  }

  begin(waiting: PendingRequest | bigint): void {
    const tag = this.#nextTag++;
    this.#waiting.set(tag, waiting);
    this.#broadcast.sync(tag);
  }

  /** Who has waited for it; undefined where it is of an earlier term. */
  end(tag: number): PendingRequest | bigint | undefined {
    const waiting = this.#waiting.get(tag);
    this.#waiting.delete(tag);
    return waiting;
  }

  /** Those of an earlier term will not be answered. Handshakes begin again by themselves. */
  repeat(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const sync of waiting) if (typeof sync !== 'bigint' && !sync.port.isClosed) this.begin(sync);
  }
}
