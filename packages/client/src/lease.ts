/**
 * How long a client may count on its session, and so on its ephemerals, without asking (docs/decisions/0023-leases.md).
 *
 * A server expires a session one timeout after it was told of it last. The lease is two thirds of that, counted from the *sending* of what was
 * answered last: nobody can have been told earlier than that. Every answer counts until somebody relies on the lease (`keep`); from
 * then on only syncs of its own do, one a third of the timeout after the other, because a server that was cut off from its leader still answers reads
 * and pings, and no one hears of them.
 *
 * One thing sent is marked at a time, so that the hot path pays a comparison. Invariant: `#renewedAt` is the time of sending of something that was answered.
 */
import type { Clock, Timer } from '@quorate/ports';
import { ErrorCode, Xid } from '@quorate/protocol';

export interface LeaseOptions {
  readonly clock: Clock;
  /** Ask the leader for something, and `mark` it. Called while a server is connected that takes writes. */
  readonly onDue: () => void;
  /** The lease is over; called once for each time that `keep` has found it good. */
  readonly onOver: () => void;
}

export class Lease {
  readonly #options: LeaseOptions;
  #timeoutMs = 0;
  #renewedAt = -Infinity;
  /** A server is connected that takes writes. */
  #connected = false;
  /** Somebody relies on the lease. */
  #kept = false;
  /** What relies on it has heard that it is over. */
  #told = false;
  #ended = false;
  /** What renews the lease when it is answered; 0 where nothing does. */
  #markXid = 0;
  #markedAt = -Infinity;
  #pingsUnanswered = 0;
  #timer: Timer | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** A server that takes writes has taken the session, by a handshake that was sent at `sentAt`. */
  connected(timeoutMs: number, sentAt: number): void {
    this.#timeoutMs = timeoutMs;
    this.#renewedAt = this.#markedAt = sentAt;
    this.#connected = true;
    this.#arm();
  }

  /** Nothing that was sent will be answered any more. */
  disconnected(): void {
    this.#connected = false;
    this.#markXid = 0;
    this.#pingsUnanswered = 0;
  }

  /** Something was sent whose answer says nothing of the leader. */
  sent(xid: number, now: number): void {
    if (xid === Xid.ping && this.#pingsUnanswered++ > 0) return;
    if (!this.#kept && this.#markXid === 0 && this.#connected) this.mark(xid, now);
  }

  /** The connection is idle. Returns whether the leader was asked, which does for a ping. */
  idle(): boolean {
    if (!this.#kept || !this.#mayAsk) return false;
    this.#options.onDue();
    this.#arm();
    return true;
  }

  /** The answer to this will renew the lease. */
  mark(xid: number, now: number): void {
    this.#markXid = xid;
    this.#markedAt = now;
  }

  /** Answers come in the order of sending; those to pings among themselves. */
  answered(xid: number, err: number): void {
    if (xid === Xid.ping) this.#pingsUnanswered--;
    if (xid !== this.#markXid) return;
    this.#markXid = 0;
    // An answer that the session is not the server's is no sign of its life.
    if (err !== ErrorCode.SESSION_EXPIRED && err !== ErrorCode.SESSION_MOVED) this.#renewedAt = this.#markedAt;
    this.#arm();
  }

  /** Tells that the lease is over if it is: before anything is handled that came in, because the timer of a process that stood still comes late. */
  look(): void {
    if (!this.#kept || this.#told || this.#holds) return;
    this.#told = true;
    this.#options.onOver();
  }

  /** From now on the lease is relied on. Returns whether it is good; `onOver` tells when it is not any more. */
  keep(): boolean {
    if (this.#ended) return false;
    const holds = this.#holds;
    if (!this.#kept) {
      this.#kept = true;
      // Whatever is marked may be answered by a server that is cut off, so the leader is asked at once.
      this.#markXid = 0;
      this.#markedAt = -Infinity;
      this.#onTimer();
    } else if (!holds) {
      this.look();
    } else if (this.#told) {
      this.#told = false;
      this.#arm();
    }
    return holds;
  }

  /** The session ends, or is told to. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    if (this.#told) return;
    this.#told = true;
    this.#options.onOver();
  }

  get #holds(): boolean {
    return !this.#ended && this.#options.clock.now() < this.#endsAt;
  }

  get #endsAt(): number {
    return this.#renewedAt + (this.#timeoutMs * 2) / 3;
  }

  get #dueAt(): number {
    return this.#markedAt + this.#timeoutMs / 3;
  }

  get #mayAsk(): boolean {
    return this.#connected && !this.#ended && this.#markXid === 0;
  }

  #arm(): void {
    if (!this.#kept || this.#ended) return;
    this.#timer?.cancel();
    const at = Math.min(this.#told ? Infinity : this.#endsAt, this.#mayAsk ? this.#dueAt : Infinity);
    if (at === Infinity) return;
    this.#timer = this.#options.clock.setTimer(Math.max(0, at - this.#options.clock.now()), () => this.#onTimer());
  }

  #onTimer(): void {
    this.look();
    if (this.#mayAsk && this.#options.clock.now() >= this.#dueAt) this.#options.onDue();
    this.#arm();
  }
}
