/**
 * What an `ephemeralOwner` holds inside a server, in snapshots and digests (`EphemeralType`): 0 for an ordinary znode, the session of an ephemeral, and for
 * containers and znodes with a TTL a value that no session has. On the wire to a client a Stat tells of sessions alone.
 */

/** The owner of every container. */
export const CONTAINER_OWNER = -(2n ** 63n);

/** The longest TTL, in milliseconds: 40 bits, 34.8 years. */
export const TTL_MS_MAX = 2 ** 40 - 1;

/** The bits above a TTL: 0xff, which no sid of a server is while there are TTLs, and 16 bits that say what kind of extended type it is: 0, a TTL. */
const TTL_TAG = 0xff_0000n;
const TTL_BITS = 40n;

/** Whether a TTL is one, in milliseconds. */
export function isTtl(ttlMs: number): boolean {
  return Number.isInteger(ttlMs) && ttlMs > 0 && ttlMs <= TTL_MS_MAX;
}

/** The owner of a znode with this TTL. */
export function ttlOwner(ttlMs: number): bigint {
  return BigInt.asIntN(64, (TTL_TAG << TTL_BITS) | BigInt(ttlMs));
}

/** The TTL of a znode with this owner, in milliseconds; undefined where it has none. */
export function ttlOf(owner: bigint): number | undefined {
  const bits = BigInt.asUintN(64, owner);
  if (bits >> TTL_BITS !== TTL_TAG) return undefined;
  const ttlMs = Number(BigInt.asUintN(Number(TTL_BITS), bits));
  return ttlMs > 0 ? ttlMs : undefined;
}

/** The session that an owner is; 0n for any other owner. */
export function sessionOf(owner: bigint): bigint {
  // Nearly every owner is 0n or the positive id of a session, and both are told without taking bits apart.
  return owner >= 0n || (owner !== CONTAINER_OWNER && ttlOf(owner) === undefined) ? owner : 0n;
}
