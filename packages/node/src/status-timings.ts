/** How long a server looks for a leader, takes over its history, and serves nobody. Under the names of ZooKeeper's `ServerMetrics`, in milliseconds. */
import type { ServerState } from '@quorate/server';
import { Counter, type Registry, type Summary } from 'prom-client';
import { observedSummary } from './summaries.js';

export class StatusTimings {
  readonly #elections: Summary;
  readonly #followerSyncs: Summary;
  readonly #observerSyncs: Summary;
  readonly #unavailable: Summary;
  readonly #looks: Counter;
  #lookingSinceMs: number | undefined;
  #synchronizingSinceMs: number | undefined;
  #unavailableSinceMs: number | undefined;

  constructor(registry: Registry) {
    const help = 'from the first message of its history until this server serves, in milliseconds';
    this.#elections = observedSummary(registry, 'election_time', 'from the beginning of a look for a leader to its end, in milliseconds');
    this.#followerSyncs = observedSummary(registry, 'follower_sync_time', `follower: ${help}`);
    this.#observerSyncs = observedSummary(registry, 'observer_sync_time', `observer: ${help}`);
    this.#unavailable = observedSummary(registry, 'unavailable_time', 'how long this server took no requests, in milliseconds');
    this.#looks = new Counter({ name: 'looking_count', help: 'looks for a leader that have begun', registers: [registry] });
  }

  onStatus(state: ServerState, serving: boolean, nowMs: number): void {
    if (state === 'LOOKING') {
      this.#synchronizingSinceMs = undefined;
      if (this.#lookingSinceMs === undefined) this.#looks.inc();
      this.#lookingSinceMs ??= nowMs;
    } else {
      if (this.#lookingSinceMs !== undefined) this.#elections.observe(nowMs - this.#lookingSinceMs);
      this.#lookingSinceMs = undefined;
    }
    if (serving) this.#onServing(state, nowMs);
    else this.#unavailableSinceMs ??= nowMs;
  }

  /** The leader begins to give what is missing. */
  onSynchronizing(nowMs: number): void {
    this.#synchronizingSinceMs ??= nowMs;
  }

  #onServing(state: ServerState, nowMs: number): void {
    if (this.#synchronizingSinceMs !== undefined)
      (state === 'OBSERVING' ? this.#observerSyncs : this.#followerSyncs).observe(nowMs - this.#synchronizingSinceMs);
    if (this.#unavailableSinceMs !== undefined) this.#unavailable.observe(nowMs - this.#unavailableSinceMs);
    this.#synchronizingSinceMs = undefined;
    this.#unavailableSinceMs = undefined;
  }
}
