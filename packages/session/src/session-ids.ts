/**
 * Ids for new sessions (`SessionTrackerImpl.initializeNextSessionId`): the sid in the highest byte, then 40 bits of the wall clock's milliseconds, then
 * 16 bits of zeros to count up from. A server that restarts begins above what it gave before, as long as it gave fewer than 65,536 per millisecond and its
 * wall clock did not go back; what else can be is for the leader to check, before it proposes a createSession.
 */
import { assert, CONTAINER_OWNER } from '@quorate/protocol';

/** The ids of one server from its start to its end. */
export class SessionIds {
  private upcoming: bigint;

  /**
   * @param sid the server's, 0 to 254; it is all that keeps the ids of two servers apart. 255 is the first byte of a TTL (`EphemeralType`).
   * @param wallMs the wall clock, read once at the server's start.
   */
  constructor({ sid, wallMs }: { readonly sid: number; readonly wallMs: number }) {
    assert(Number.isInteger(sid) && sid >= 0 && sid <= 254, 'a sid fits into a byte, and is not that of a TTL');
    assert(Number.isSafeInteger(wallMs), 'wall time is a whole number of milliseconds');
    // Java's ((time << 24) >>> 8) | (sid << 56), on a signed long.
    const time = BigInt.asUintN(64, BigInt(wallMs) << 24n) >> 8n;
    this.upcoming = BigInt.asIntN(64, time | (BigInt(sid) << 56n));
  }

  /** An id that this object has not given before, a signed i64. Never 0n, which is no session on the wire. */
  next(): bigint {
    let id = this.upcoming;
    if (id === 0n || id === CONTAINER_OWNER) id++;
    this.upcoming = BigInt.asIntN(64, id + 1n);
    return id;
  }
}
