/**
 * What the clients of one listener make it keep: answers and events that they do not read, and requests of which a part has come.
 *
 * Each of them alone is bounded, and ten thousand that do their worst at once would still be more than a server has. So there is a limit on all of it. Far below it clients get
 * less at a time, which costs those who read nothing; at the limit those are disconnected who have made the listener keep something for longest. Their sessions go on.
 */
import { OUTBOX_PAUSE_BYTES } from './limits.js';

/** Whoever makes a listener keep something. */
export interface Burden {
  destroy(): void;
}

/** Of the limit, how much may be kept before clients get less. */
const TIGHT_SHARE = 1 / 4;

export class LinkMemory {
  readonly #bytesMax: number;
  #bytes = 0;
  /** How much is kept for each; for longest for the first one. */
  readonly #kept = new Map<Burden, number>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** How much may wait for a client before nothing more is read from it, in bytes. */
  get pauseBytes(): number {
    return this.#bytes > this.#bytesMax * TIGHT_SHARE ? 0 : OUTBOX_PAUSE_BYTES;
  }

  /** So much is kept for this one now. */
  keep(burden: Burden, bytes: number): void {
    this.#bytes += bytes - (this.#kept.get(burden) ?? 0);
    // One that is in the map already stays in its place.
    if (bytes > 0) this.#kept.set(burden, bytes);
    else this.#kept.delete(burden);
    if (this.#bytes > this.#bytesMax) this.#shed();
  }

  #shed(): void {
    for (const [burden, bytes] of this.#kept) {
      this.#kept.delete(burden);
      this.#bytes -= bytes;
      burden.destroy();
      if (this.#bytes <= this.#bytesMax) return;
    }
  }
}
