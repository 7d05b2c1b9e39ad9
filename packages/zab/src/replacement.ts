/** After SNAP and until NEWLEADER: the history that will take the place of a learner's own one, all at once. */
import type { Zxid } from '@quorate/protocol';
import { Log } from './log.js';

export interface Replacement {
  readonly zxid: Zxid;
  /** What has come of the snapshot. */
  readonly pieces: Uint8Array[];
  /** Whether all of it has. */
  complete: boolean;
  /** What has come above the snapshot. */
  readonly log: Log;
  /** What is committed of it. */
  lastCommitted: Zxid;
}

export function beginReplacement(zxid: Zxid): Replacement {
  return { zxid, pieces: [], complete: false, log: new Log(zxid), lastCommitted: zxid };
}
