/**
 * The password of a session is a function of its id (`ZooKeeperServer.generatePasswd`), so that any server can check it after a failover without
 * having been told: 16 bytes of `new java.util.Random(id ^ 0xB3415C00L)`. It keeps a client from taking over a session by mistake. It keeps nobody off who
 * can compute it, which anybody can.
 */

/** The length of a password. */
export const SESSION_PASSWORD_BYTES = 16;

const SUPER_SECRET = 0xb341_5c00n;

// The linear congruential generator of java.util.Random: 48 bits of state, of which a draw gives the upper 32.
const MULTIPLIER = 0x5_deec_e66dn;
const INCREMENT = 0xbn;
const STATE_MASK = (1n << 48n) - 1n;

/** The password of the session, a new array. */
export function sessionPassword(sessionId: bigint): Uint8Array {
  const password = new Uint8Array(SESSION_PASSWORD_BYTES);
  let state = (sessionId ^ SUPER_SECRET ^ MULTIPLIER) & STATE_MASK;
  for (let at = 0; at < SESSION_PASSWORD_BYTES; at += 4) {
    state = (state * MULTIPLIER + INCREMENT) & STATE_MASK;
    const draw = Number(state >> 16n);
    // nextBytes gives the lowest byte of a draw first.
    for (let byte = 0; byte < 4; byte++) password[at + byte] = draw >>> (8 * byte);
  }
  return password;
}

/** True where `password` is the session's. The time that it takes does not tell where they differ. */
export function passwordMatches(sessionId: bigint, password: Uint8Array): boolean {
  if (password.length !== SESSION_PASSWORD_BYTES) return false;
  const expected = sessionPassword(sessionId);
  let difference = 0;
  for (let at = 0; at < SESSION_PASSWORD_BYTES; at++) difference |= (expected[at] as number) ^ (password[at] as number);
  return difference === 0;
}
