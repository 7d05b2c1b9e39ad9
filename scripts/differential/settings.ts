/** What both servers are started with, so that they can be compared. */
import { createHash } from 'node:crypto';

export const TICK_TIME_MS = 50;

/** Sessions get far longer ones, so that none ends by itself while a history runs, but for those that a step lets expire. */
export const SESSION_TIMEOUT_MIN_MS = 200;
export const SESSION_TIMEOUT_MAX_MS = 60_000;

/** No look for containers and TTLs falls into a history: both sides remove those of earlier ones, each in its own time, and the txn of that would count in the order of zxids. */
export const CONTAINER_CHECK_INTERVAL_MS = 24 * 60 * 60 * 1_000;

/** Whoever proves this may do everything. */
export const SUPER_PROOF = 'super:secret';
export const SUPER_DIGEST = digestOf(SUPER_PROOF);

/** The id that "user:password" proves under the scheme `digest`. */
export function digestOf(proof: string): string {
  return `${proof.split(':')[0]}:${createHash('sha1').update(proof).digest('base64')}`;
}
