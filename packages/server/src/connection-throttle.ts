/**
 * How fast clients may come, so that a crowd which returns all at once does not bury the server (`BlueThrottle`, reliability.md C1).
 *
 * A bucket of tokens fills with time, and a handshake takes some out: most for a new session, which costs the ensemble a txn, fewer for one that comes back,
 * so that those who have a session keep it, and fewest for a local one, of which nobody else hears. A bucket that is often empty means that clients come faster than they are let in: then some are turned away by
 * chance before they try, more and more of them while that lasts, so that they do not all come again at the same moment. Whoever is turned away sees its
 * connection end, and comes again after a pause.
 */
import type { Clock, Random } from '@quorate/ports';

/** How fast clients may come. */
export interface ConnectionThrottle {
  /** What the bucket holds, in tokens (`connection_throttle_tokens`). */
  readonly tokensMax: number;
  /** What it gains in a second, in tokens (`connection_throttle_fill_count` in each `connection_throttle_fill_time`). */
  readonly tokensPerSecond: number;
  /** What a new session takes, in tokens; 3 when absent (`connection_throttle_global_session_weight`). */
  readonly newSessionTokens?: number | undefined;
  /** What a new session takes that is a local one, in tokens; 1 when absent (`connection_throttle_local_session_weight`). */
  readonly localSessionTokens?: number | undefined;
  /** What a session takes that comes back, in tokens; 2 when absent (`connection_throttle_renew_session_weight`). */
  readonly renewTokens?: number | undefined;
  /** Chooses who is turned away. */
  readonly random: Random;
}

/** How often the share of those turned away changes at most, in milliseconds (`connection_throttle_freeze_time`). */
const FREEZE_MS = 100;
/** What the share gains where the bucket was empty, and loses where it was full. */
const SHARE_GAIN = 0.02;
const SHARE_LOSS = 0.002;

const NEW_SESSION_TOKENS = 3;
const LOCAL_SESSION_TOKENS = 1;
const RENEW_TOKENS = 2;

/** What a client comes with: no session, of which `new` becomes one of the ensemble's and `local` one of its server alone, or one that it has. */
export type Arrival = 'new' | 'local' | 'renewed';

/** Where a throttle stands. */
export interface ConnectionThrottling {
  /** What the bucket lacks, in tokens. */
  readonly deficit: number;
  /** Of those who come, how many are turned away by chance: 0 to 1. */
  readonly share: number;
}

export class ConnectionGate implements ConnectionThrottling {
  readonly #throttle: ConnectionThrottle;
  readonly #clock: Clock;
  #tokens: number;
  #filledAtMs: number;
  #sharedAtMs: number;
  /** Of those who come, how many are turned away by chance: 0 to 1. */
  #share = 0;

  constructor(throttle: ConnectionThrottle, clock: Clock) {
    this.#throttle = throttle;
    this.#clock = clock;
    this.#tokens = throttle.tokensMax;
    this.#filledAtMs = clock.now();
    this.#sharedAtMs = this.#filledAtMs;
  }

  get deficit(): number {
    this.#fill();
    return this.#throttle.tokensMax - this.#tokens;
  }

  get share(): number {
    return this.#share;
  }

  /** Whether a client may come now. */
  admits(arrival: Arrival): boolean {
    const { random } = this.#throttle;
    const needed = this.#tokensFor(arrival);
    this.#fill();
    this.#setShare(needed);
    if (this.#share > 0 && random.uint32() < this.#share * 0x1_0000_0000) return false;
    if (this.#tokens < needed) return false;
    this.#tokens -= needed;
    return true;
  }

  #tokensFor(arrival: Arrival): number {
    const { newSessionTokens = NEW_SESSION_TOKENS, localSessionTokens = LOCAL_SESSION_TOKENS, renewTokens = RENEW_TOKENS } = this.#throttle;
    if (arrival === 'renewed') return renewTokens;
    return arrival === 'local' ? localSessionTokens : newSessionTokens;
  }

  #fill(): void {
    const { tokensMax, tokensPerSecond } = this.#throttle;
    const now = this.#clock.now();
    this.#tokens = Math.min(tokensMax, this.#tokens + ((now - this.#filledAtMs) / 1000) * tokensPerSecond);
    this.#filledAtMs = now;
  }

  #setShare(needed: number): void {
    if (this.#filledAtMs - this.#sharedAtMs < FREEZE_MS) return;
    if (this.#tokens < needed) this.#share = Math.min(1, this.#share + SHARE_GAIN);
    else if (this.#tokens >= this.#throttle.tokensMax) this.#share = Math.max(0, this.#share - SHARE_LOSS);
    else return;
    this.#sharedAtMs = this.#filledAtMs;
  }
}
