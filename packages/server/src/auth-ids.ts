import type { Id } from '@quorate/protocol';

/** What a connection has proved about its client. Never changed: an addauth makes a new list. */
export type AuthIds = readonly Id[];

/** The scheme of the id that may do everything (`superDigest`). */
export const SUPER_SCHEME = 'super';
