/**
 * Which znodes go by themselves, and when (`ContainerManager`): containers that had children and have none any more, or never had any for too long, and znodes
 * without children whose TTL has passed since their data were changed last.
 *
 * The leader looks for them at an interval and lets them go at a limited rate. Whether one is still to go is asked again when its turn comes.
 * What time it is by a TTL is what the wall clock of the leader says, and so is mtime; a leader whose clock is ahead lets znodes go early.
 */
import { CONTAINER_OWNER, sessionOf, ttlOf } from '@quorate/protocol';
import type { DataTree } from '@quorate/tree';

/** How often the leader looks, in milliseconds (`znode.container.checkIntervalMs`). */
export const CONTAINER_CHECK_INTERVAL_MS = 60_000;
/** How many go in a minute (`znode.container.maxPerMinute`); also how many are found in one look. */
export const CONTAINERS_PER_MINUTE_MAX = 10_000;

/** How long a container may wait for its first child, in milliseconds (`znode.container.maxNeverUsedIntervalMs`): for ever. */
export const CONTAINER_NEVER_USED_MAX_MS = 0;

const MINUTE_MS = 60_000;

export interface ContainerSweepOptions {
  readonly checkIntervalMs: number;
  readonly perMinuteMax: number;
  readonly neverUsedMaxMs: number;
  readonly nowMs: number;
}

export interface SweepTime {
  /** By the monotonic clock. */
  readonly nowMs: number;
  /** By the wall clock. */
  readonly wallMs: number;
}

export interface Age {
  /** What time it is by the wall clock. */
  readonly wallMs: number;
  /** How long a container may wait for its first child; 0 for ever. */
  readonly neverUsedMaxMs: number;
}

/** Whether the znode is there and is to go, by what is applied. */
export function isOver(tree: DataTree, path: string, { wallMs, neverUsedMaxMs }: Age): boolean {
  const node = tree.find(path);
  if (node === undefined || tree.childCount(node) > 0) return false;
  const owner = tree.persistedOwner(node);
  if (owner === CONTAINER_OWNER && tree.cversion(node) > 0) return true;
  const ageMsMax = owner === CONTAINER_OWNER ? neverUsedMaxMs || undefined : ttlOf(owner);
  return ageMsMax !== undefined && wallMs - tree.stat(node).mtime > ageMsMax;
}

/** Whether an owner is one that lets its znodes go by themselves. */
export function isContainerOrTtl(owner: bigint): boolean {
  return owner !== 0n && sessionOf(owner) === 0n;
}

export class ContainerSweep {
  readonly #checkIntervalMs: number;
  readonly #perMinuteMax: number;
  readonly #neverUsedMaxMs: number;
  #nextCheckMs: number;
  /** Found and not taken, the next one last. */
  #found: string[] = [];
  /** Up to when the rate is used up. */
  #spentMs: number;

  constructor({ checkIntervalMs, perMinuteMax, neverUsedMaxMs, nowMs }: ContainerSweepOptions) {
    this.#checkIntervalMs = checkIntervalMs;
    this.#perMinuteMax = perMinuteMax;
    this.#neverUsedMaxMs = neverUsedMaxMs;
    this.#nextCheckMs = nowMs + checkIntervalMs;
    this.#spentMs = nowMs;
  }

  /** Those whose turn it is. Asked once in a tick. */
  take(tree: DataTree, { nowMs, wallMs }: SweepTime): readonly string[] {
    if (this.#found.length === 0 && nowMs >= this.#nextCheckMs) {
      this.#nextCheckMs = nowMs + this.#checkIntervalMs;
      this.#found = this.#look(tree, wallMs);
    }
    if (this.#found.length === 0) {
      this.#spentMs = nowMs;
      return [];
    }
    const count = Math.min(Math.floor(((nowMs - this.#spentMs) * this.#perMinuteMax) / MINUTE_MS), this.#perMinuteMax);
    this.#spentMs += (count * MINUTE_MS) / this.#perMinuteMax;
    const taken: string[] = [];
    while (taken.length < count && this.#found.length > 0) taken.push(this.#found.pop() as string);
    return taken;
  }

  #look(tree: DataTree, wallMs: number): string[] {
    const found: string[] = [];
    for (const path of tree.containersAndTtls()) {
      if (isOver(tree, path, { wallMs, neverUsedMaxMs: this.#neverUsedMaxMs })) found.push(path);
      if (found.length === this.#perMinuteMax) break;
    }
    return found.reverse();
  }
}
