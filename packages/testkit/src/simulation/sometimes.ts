/** What ought to happen somewhere among many seeds. A condition that never occurs is one that no checker has looked at. */

import type { WireRule } from '@quorate/zab';
import type { SpoilFault } from '../world/spoil.js';

const ENSEMBLE_CONDITIONS = [
  'leader established',
  'epoch begun without an election',
  'leadership handed over',
  'leader lost with proposals that were not delivered',
  'DIFF sent',
  'TRUNC sent',
  'SNAP sent',
  'history cut on disk',
  'snapshot of the leader installed on disk',
  'own snapshot saved',
  'server stopped by its disk',
  'commit between NEWLEADER and UPTODATE',
  'crash',
  'crash of a serving leader',
  'crash in ambush',
  'crash between two effects',
  'crash with unflushed orders',
  'crash that tears a run',
  'crash while a snapshot is saved',
  'power lost on all servers at once',
  'partition',
  'partition with the leader in the minority',
  'leader cut off with a slow clock',
  'follower left behind for a moment',
  'follower back when the leader is gone',
  'one-way cut',
  'partial partition with a bridge',
  'links stop and come back one by one',
  'slow links',
  'channels reset',
  'server paused',
  'serving leader paused',
  'all servers paused at once',
  'clock drifts',
  'wall clock jumps',
  'slow disk',
  'disk full',
  'disk wiped',
  'disk rots',
  'disk of earlier days',
  'vote given back',
  'store mended',
  'server broken for ever',
  'servers lost in good weather',
  'stays down, for too many disks are lost',
] as const;

/** What byte channels must not do, and what `framed` says of it. */
const WIRE_CONDITIONS: readonly (`bytes ${SpoilFault}` | `found: ${WireRule}`)[] = [
  'bytes lost',
  'bytes doubled',
  'bytes swapped',
  'bytes flipped',
  'bytes cross-wired',
  'bytes split wrongly',
  'bytes silenced',
  'bytes late',
  'found: CORRUPT_FRAME',
  'found: FOREIGN_FRAME',
  'found: FRAME_LOST',
  'found: FRAME_REPEATED',
  'found: BYTES_AFTER_CLOSE',
];

const LEDGER_CONDITIONS = ['sync answered'] as const;

const CLIENT_CONDITIONS = [
  'session opened',
  'session closed by its client',
  'session expired',
  'session moved to another server',
  'session moved while a write was under way',
  'session moved before its requests were heard',
  'session taken over by who knows its password',
  'session kept from who does not',
  'client connection cut',
  'client connection cut at an event',
  'client paused',
  'client crashed',
  'write acknowledged',
  'write with an unknown outcome that took effect',
  'write with an unknown outcome that had none',
  'write refused',
  'refused: NO_NODE',
  'refused: NODE_EXISTS',
  'refused: NO_CHILDREN_FOR_EPHEMERALS',
  'refused: NOT_EMPTY',
  'refused: BAD_VERSION',
  'refused: BAD_ARGUMENTS',
  'refused: INVALID_ACL',
  'refused: SESSION_EXPIRED',
  'refused: NO_AUTH',
  'refused: EPHEMERAL_ON_LOCAL_SESSION',
  'refused: QUOTA_EXCEEDED',
  'refused: NOT_READ_ONLY',
  'taken by a server that only reads',
  'read answered without a leader',
  'local session begun',
  'local session taken up again',
  'local session upgraded',
  'stats of a quota read',
  'multi refused',
  'multi refused behind its first operation',
  'sequential znode created',
  'ephemeral znode gone with its session',
  'container gone by itself',
  'znode gone after its TTL',
  'read checked',
  'read refused: NO_AUTH',
  'digests masked',
  'identity proved',
  'proof refused',
  'sync and read checked',
  'watch fired',
  'event withheld from who may not read',
  'watch armed again on another connection',
  'watch fired by setWatches',
  'watch that stays told',
  'watch that stays armed again on another connection',
  'one event for several watches',
  'watch taken back',
  'client that has seen more than its server',
  'answered while all is well',
  'watches counted',
  'expired while all is well',
  'over while all is well',
  'taken over while all is well',
] as const;

/** Something that ought to happen somewhere. */
export type Condition =
  | (typeof ENSEMBLE_CONDITIONS)[number]
  | (typeof WIRE_CONDITIONS)[number]
  | (typeof LEDGER_CONDITIONS)[number]
  | (typeof CLIENT_CONDITIONS)[number];

/** Every condition that a level of the simulator can bring about. */
export function conditionsOf(level: 'zab' | 'server'): readonly Condition[] {
  return [...ENSEMBLE_CONDITIONS, ...WIRE_CONDITIONS, ...(level === 'zab' ? LEDGER_CONDITIONS : CLIENT_CONDITIONS)];
}

/** How often each condition held. */
export class Sometimes {
  readonly #counts = new Map<string, number>();

  note(condition: Condition, times = 1): void {
    this.#counts.set(condition, (this.#counts.get(condition) ?? 0) + times);
  }

  count(condition: Condition): number {
    return this.#counts.get(condition) ?? 0;
  }

  /** Plain data, for another thread. */
  entries(): [condition: string, count: number][] {
    return [...this.#counts];
  }
}
