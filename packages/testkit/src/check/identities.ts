/**
 * Who the clients of a simulation can be: what they send to prove it, and the id that comes of it by the scheme `digest`, worked out elsewhere, so that the
 * server's own SHA-1 is held against something.
 */
import { encodeUtf8 } from '@quorate/protocol';

export interface Identity {
  readonly auth: Uint8Array;
  /** As an ACL names it: the user, and the digest of user and password. */
  readonly id: string;
}

export const ANN: Identity = { auth: encodeUtf8('ann:apple'), id: 'ann:6q+u+bEVJTdGGyG40XXuyaDlxCA=' };
export const BOB: Identity = { auth: encodeUtf8('bob:banana'), id: 'bob:cBHW8xFZgaomwGzSgkNnXKZzh3A=' };

/** The ids that a connection has proved, in the order of their proofs. */
export type ProvedIds = readonly string[];

export const NOBODY: ProvedIds = [];
