/** What both servers are started with, so that they can be compared. */
import { createHash } from 'node:crypto';

export const TICK_TIME_MS = 50;

/** No session may end by itself while a history runs; what a client asks for is nevertheless negotiated. */
export const SESSION_TIMEOUT_MIN_MS = 20_000;
export const SESSION_TIMEOUT_MAX_MS = 60_000;

/** Whoever proves this may do everything. */
export const SUPER_PROOF = 'super:secret';
export const SUPER_DIGEST = digestOf(SUPER_PROOF);

/** The id that "user:password" proves under the scheme `digest`. */
export function digestOf(proof: string): string {
  return `${proof.split(':')[0]}:${createHash('sha1').update(proof).digest('base64')}`;
}
