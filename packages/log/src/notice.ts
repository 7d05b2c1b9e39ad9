import type { Zxid } from '@quorate/protocol';
import type { Damage } from './recovery.js';

/** What an operator should know and the server does not stop for. */
export type Notice =
  /** No room is left for the next segment of the log. The server stops when this one is full. */
  | { readonly type: 'nearlyFull' }
  /** There was no room for a snapshot: the log grows on. It goes first, so that what is left is for the log. */
  | { readonly type: 'snapshotSkipped'; readonly zxid: Zxid }
  /** Something that cannot be read is not needed, because something else tells the same; it is put away. */
  | { readonly type: 'spared'; readonly damage: Damage };
