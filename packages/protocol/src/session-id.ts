/**
 * A session id as ZooKeeper prints it: the 64 bits in hexadecimal, `0x100000123456789`.
 *
 * Everywhere a session id is the signed i64 of the wire, as Java holds it: sids above 127 make it negative. `0n` is no session.
 */
export function formatSessionId(sessionId: bigint): string {
  return `0x${BigInt.asUintN(64, sessionId).toString(16)}`;
}
