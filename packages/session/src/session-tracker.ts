/**
 * When sessions expire: the leader's alone to say (`SessionTrackerImpl` over `ExpiryQueue`).
 *
 * Times are rounded up to a bucket, ((now + timeout) / tick + 1) * tick, so that a touch is O(1) and sessions expire a bucket at a time: never before
 * their timeout has passed, and at most one tick after it, plus whatever passes until `expired` is asked.
 *
 * It reads no clock. All times are monotonic milliseconds of one clock, which the caller passes in. The caller looks
 * (`look`) once in a tick, before `expired`, so that a stall of its own process is noticed: the time in which it could not listen is not the clients' fault
 * (reliability.md, P6). After an election it opens every session of the table anew.
 */
import { assert } from '@quorate/protocol';

/** This many ticks without a look, and it was the caller's process that stood still, not the clients. */
const TICKS_OF_A_STALL = 2;

/** A session as the tracker has it, for its own use but for the owner. */
export interface TrackedSession<Owner> {
  readonly id: bigint;
  timeoutMs: number;
  /** The bucket that holds the session; it is in none once it is closing. */
  expiresAt: number;
  /** True from the decision to close it until `close`: no touch saves it any more. */
  closing: boolean;
  owner: Owner | undefined;
}

/** The sessions that a leader watches over. `Owner` is whatever names the connection that a session lives on. */
export class SessionTracker<Owner = number> {
  private readonly tickMs: number;
  private readonly sessions = new Map<bigint, TrackedSession<Owner>>();
  /** Sessions by the time at which they expire, a multiple of the tick. Invariant: no set is empty. */
  private readonly buckets = new Map<number, Set<bigint>>();
  private lastLookMs: number | undefined;

  /** @param tickMs the width of a bucket, ZooKeeper's tickTime. */
  constructor(tickMs: number) {
    assert(Number.isFinite(tickMs) && tickMs > 0, 'a tick is longer than nothing');
    this.tickMs = tickMs;
  }

  get size(): number {
    return this.sessions.size;
  }

  /** Begins to watch over a session, or gives one that is watched over a new timeout, counted from now. */
  open(id: bigint, timeoutMs: number, nowMs: number): void {
    assert(Number.isFinite(timeoutMs) && timeoutMs >= 0, 'a session timeout is not negative');
    const known = this.sessions.get(id);
    if (known === undefined) {
      const session: TrackedSession<Owner> = {
        id,
        timeoutMs,
        expiresAt: this.bucketOf(timeoutMs, nowMs),
        closing: false,
        owner: undefined,
      };
      this.sessions.set(id, session);
      this.enter(id, session.expiresAt);
    } else if (!known.closing) {
      known.timeoutMs = timeoutMs;
      this.move(known, nowMs);
    }
  }

  has(id: bigint): boolean {
    return this.sessions.has(id);
  }

  /** A session that is not closing, for whoever asks more than one thing about it: a search by a bigint is not cheap. Good until the session ends. */
  find(id: bigint): TrackedSession<Owner> | undefined {
    const session = this.sessions.get(id);
    return session?.closing === false ? session : undefined;
  }

  /** Something came from the client of a session that `find` has found. */
  touchFound(session: TrackedSession<Owner>, nowMs: number): void {
    if (!session.closing) this.move(session, nowMs);
  }

  /** Something came from the client. False where that is too late: the session is closing or is not known. */
  touch(id: bigint, nowMs: number): boolean {
    const session = this.sessions.get(id);
    if (session === undefined || session.closing) return false;
    this.move(session, nowMs);
    return true;
  }

  /** A closeSession is about to be proposed: the session takes no more touches. False for a session that is closing already or is not known. */
  beginClosing(id: bigint): boolean {
    const session = this.sessions.get(id);
    if (session === undefined || session.closing) return false;
    this.leave(id, session.expiresAt);
    session.closing = true;
    return true;
  }

  isClosing(id: bigint): boolean {
    return this.sessions.get(id)?.closing ?? false;
  }

  /** The session's end: its closeSession is committed. False for a session that is not known. */
  close(id: bigint): boolean {
    const session = this.sessions.get(id);
    if (session === undefined) return false;
    if (!session.closing) this.leave(id, session.expiresAt);
    return this.sessions.delete(id);
  }

  /** The sessions whose time is over, those of the earliest bucket first. Each is given once and is closing from then on. */
  expired(nowMs: number): bigint[] {
    const due = [...this.buckets.keys()].filter((expiresAt) => expiresAt <= nowMs).sort((a, b) => a - b);
    const ids: bigint[] = [];
    for (const expiresAt of due) ids.push(...(this.buckets.get(expiresAt) as Set<bigint>));
    for (const id of ids) this.beginClosing(id);
    return ids;
  }

  /** When `expired` can next give anything; undefined where no session is left that could expire. */
  get nextExpiryMs(): number | undefined {
    let next: number | undefined;
    for (const expiresAt of this.buckets.keys()) if (next === undefined || expiresAt < next) next = expiresAt;
    return next;
  }

  /** The caller is at work now. Where it was not for more than two ticks, every session begins anew. */
  look(nowMs: number): void {
    if (this.lastLookMs !== undefined && nowMs - this.lastLookMs > TICKS_OF_A_STALL * this.tickMs) this.restart(nowMs);
    this.lastLookMs = nowMs;
  }

  /** Every session that is not closing has its full timeout again, counted from now. */
  restart(nowMs: number): void {
    for (const session of this.sessions.values()) if (!session.closing) this.move(session, nowMs);
  }

  /** The connection that the session lives on from now. False for a session that is closing or is not known. */
  setOwner(id: bigint, owner: Owner): boolean {
    const session = this.sessions.get(id);
    if (session === undefined || session.closing) return false;
    session.owner = owner;
    return true;
  }

  /** The connection that the session lives on; undefined where nobody has said. */
  ownerOf(id: bigint): Owner | undefined {
    return this.sessions.get(id)?.owner;
  }

  private bucketOf(timeoutMs: number, nowMs: number): number {
    return (Math.floor((nowMs + timeoutMs) / this.tickMs) + 1) * this.tickMs;
  }

  private move(session: TrackedSession<Owner>, nowMs: number): void {
    const expiresAt = this.bucketOf(session.timeoutMs, nowMs);
    if (expiresAt === session.expiresAt) return;
    this.leave(session.id, session.expiresAt);
    session.expiresAt = expiresAt;
    this.enter(session.id, expiresAt);
  }

  private enter(id: bigint, expiresAt: number): void {
    const bucket = this.buckets.get(expiresAt);
    if (bucket === undefined) this.buckets.set(expiresAt, new Set([id]));
    else bucket.add(id);
  }

  private leave(id: bigint, expiresAt: number): void {
    const bucket = this.buckets.get(expiresAt);
    assert(bucket?.delete(id) === true, 'a session is in the bucket of its expiry');
    if (bucket.size === 0) this.buckets.delete(expiresAt);
  }
}
