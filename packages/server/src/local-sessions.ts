/**
 * Sessions that this server alone knows and ends (`UpgradeableSessionTracker`): no txn tells of them, no other server takes their clients, and they end with
 * this server. What they may not have is ephemerals, which all servers have to remove when a session ends.
 *
 * With its first ephemeral such a session becomes the ensemble's, where that is allowed. From the moment at which the leader is asked for it (`beginUpgrade`)
 * it is the leader's to end, and when its createSession is applied here it is forgotten (`onUpgraded`). Where the leader is lost before that, it is local
 * again (`revertUpgrades`).
 */
import { SessionTracker } from '@quorate/session';

export class LocalSessions {
  readonly #tracker: SessionTracker<never>;
  /** Sessions that the leader was asked to take, with their timeouts in milliseconds. Invariant: none of them is in the tracker. */
  readonly #upgrading = new Map<bigint, number>();

  constructor({ tickTimeMs, nowMs }: { readonly tickTimeMs: number; readonly nowMs: number }) {
    this.#tracker = new SessionTracker(tickTimeMs);
    this.#tracker.look(nowMs);
  }

  get size(): number {
    return this.#tracker.size;
  }

  /** A session begins, or its client is back and has its full time again. */
  open(id: bigint, timeoutMs: number, nowMs: number): void {
    this.#tracker.open(id, timeoutMs, nowMs);
  }

  has(id: bigint): boolean {
    return this.#tracker.has(id);
  }

  touch(id: bigint, nowMs: number): void {
    this.#tracker.touch(id, nowMs);
  }

  /** Ends a session. False where it is none of these. */
  end(id: bigint): boolean {
    return this.#tracker.close(id) || this.#upgrading.delete(id);
  }

  /** Those that were silent for too long: they have ended. Asked once in a tick. */
  expired(nowMs: number): readonly bigint[] {
    this.#tracker.look(nowMs);
    const ids = this.#tracker.expired(nowMs);
    for (const id of ids) this.#tracker.close(id);
    return ids;
  }

  beginUpgrade(id: bigint, timeoutMs: number): void {
    this.#tracker.close(id);
    this.#upgrading.set(id, timeoutMs);
  }

  /** Its createSession is applied. False where it is not one that was upgrading. */
  onUpgraded(id: bigint): boolean {
    return this.#upgrading.delete(id);
  }

  /** What an earlier leader was asked and has not done will not be done. */
  revertUpgrades(nowMs: number): void {
    for (const [id, timeoutMs] of this.#upgrading) this.#tracker.open(id, timeoutMs, nowMs);
    this.#upgrading.clear();
  }
}
