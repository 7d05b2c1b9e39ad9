/**
 * Which calls are made again after what has passed, and when (docs/decisions/0024-what-is-repeated.md).
 *
 * After CONNECTION_LOSS, whose outcome is unknown: reads, `sync` and whatever the caller says may be done twice. After THROTTLED_OP of a server: every call,
 * because nothing was done. A call is made again a bounded number of times, within a bounded time, after pauses that grow and have jitter.
 */
import { type Clock, type Random, randomBelow } from '@quorate/ports';
import { OpCode, type Request } from '@quorate/protocol';
import { checkNames, checkWhole } from './arguments.js';

/** How often a call is made again, and when. */
export interface RetryPolicy {
  /** How often a call is made at most, the first time included; 5 when absent. */
  readonly attemptsMax?: number | undefined;
  /** How long after its first failure a call is made again at most, in milliseconds; 60,000 when absent. */
  readonly totalMs?: number | undefined;
  /** The first pause, in milliseconds; it doubles each time, and a random half of it is left out. 20 when absent. */
  readonly pauseMinMs?: number | undefined;
  /** The longest pause, in milliseconds; 1,000 when absent. */
  readonly pauseMaxMs?: number | undefined;
}

/** A policy with all its numbers. */
export type RetryRule = { readonly [Name in keyof RetryPolicy]-?: number };

/** How many calls of a client may be in a pause at a time. One more fails with what it would have been repeated for. */
export const REPEATS_WAITING_MAX = 10_000;

export const DEFAULT_RULE: RetryRule = { attemptsMax: 5, totalMs: 60_000, pauseMinMs: 20, pauseMaxMs: 1000 };

const RULE_NAMES = Object.keys(DEFAULT_RULE);

/** @throws TypeError */
export function retryRule(policy: RetryPolicy | false | undefined): RetryRule | undefined {
  if (policy === undefined) return DEFAULT_RULE;
  if (policy === false) return undefined;
  if (typeof policy !== 'object' || policy === null) throw new TypeError(`retry must be a RetryPolicy or false, not ${String(policy)}`);
  checkNames('retry', policy, RULE_NAMES);
  const { attemptsMax = 5, totalMs = 60_000, pauseMinMs = 20, pauseMaxMs = Math.max(1000, pauseMinMs) } = policy;
  checkWhole('retry.attemptsMax', attemptsMax, 1, Number.MAX_SAFE_INTEGER);
  checkWhole('retry.totalMs', totalMs, 0, Number.MAX_SAFE_INTEGER);
  checkWhole('retry.pauseMinMs', pauseMinMs, 1, 0x7fff_ffff);
  checkWhole('retry.pauseMaxMs', pauseMaxMs, pauseMinMs, 0x7fff_ffff);
  return { attemptsMax, totalMs, pauseMinMs, pauseMaxMs };
}

/** Whether a request changes nothing, so that it may be made any number of times. */
export function changesNothing({ type }: Request): boolean {
  switch (type) {
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.getACL:
    case OpCode.sync:
    case OpCode.multiRead:
    case OpCode.getEphemerals:
    case OpCode.getAllChildrenNumber:
    case OpCode.whoAmI:
    case OpCode.checkWatches:
    // A connection has each watch once, and the one that was lost has none any more.
    case OpCode.addWatch:
      return true;
    default:
      return false;
  }
}

/** What has become of a call so far. */
export interface Failures {
  count: number;
  /** When it has failed first. */
  firstAt: number;
  /** An attempt was lost whose outcome is unknown. */
  lost: boolean;
}

export class Retries<C> {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #again: (call: C) => void;
  /** Calls in a pause. */
  #waiting = 0;

  constructor(clock: Clock, random: Random, again: (call: C) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#again = again;
  }

  /** A call has failed. Returns whether it will be made again. */
  take(call: C, rule: RetryRule, failures: Failures): boolean {
    if (this.#waiting === REPEATS_WAITING_MAX) return false;
    const now = this.#clock.now();
    if (failures.count++ === 0) failures.firstAt = now;
    const longest = Math.min(rule.pauseMaxMs, rule.pauseMinMs * 2 ** Math.min(failures.count - 1, 31));
    const pauseMs = longest / 2 + (longest / 2) * (randomBelow(this.#random, 1024) / 1024);
    if (failures.count >= rule.attemptsMax || now + pauseMs - failures.firstAt > rule.totalMs) return false;
    this.#waiting++;
    this.#clock.setTimer(pauseMs, () => {
      this.#waiting--;
      this.#again(call);
    });
    return true;
  }
}
