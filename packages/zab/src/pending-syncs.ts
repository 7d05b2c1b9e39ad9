import type { Zxid } from '@quorate/protocol';
import type { ChannelId } from './io.js';

/** A sync that the leader has not answered. */
export interface PendingSync {
  /** The learner's channel; undefined where the leader's own application asks. */
  readonly channel: ChannelId | undefined;
  readonly tag: number;
  /** What was proposed when it came. */
  readonly zxid: Zxid;
  /** The first round of heartbeats that was begun after it came. */
  readonly round: number;
}

/** Syncs in the order of their coming; zxid and round ascend with it, so the first that has to wait holds back the rest. */
export class PendingSyncs {
  #queue: PendingSync[] = [];

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  add(sync: PendingSync): void {
    this.#queue.push(sync);
  }

  /** Removes and gives those that are done: delivered here, and the round confirmed. */
  take(delivered: Zxid, confirmedRound: number): readonly PendingSync[] {
    let count = 0;
    while (count < this.#queue.length) {
      const sync = this.#queue[count] as PendingSync;
      if (sync.zxid > delivered || sync.round > confirmedRound) break;
      count++;
    }
    return count === 0 ? [] : this.#queue.splice(0, count);
  }

  needsRoundAfter(round: number): boolean {
    const newest = this.#queue[this.#queue.length - 1];
    return newest !== undefined && newest.round > round;
  }
}
