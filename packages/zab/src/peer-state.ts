/** What a server knows in every role, and what it must not forget: one plain record. */
import { epochOf, type Zxid } from '@quorate/protocol';
import type { Question } from './answering.js';
import type { Sid } from './config.js';
import type { ChannelId } from './io.js';
import { Log } from './log.js';
import { beginMending, type MendingState } from './mending-state.js';
import type { Mark, Snapshot, StoredImage } from './storage.js';

export interface PeerState {
  /** The highest epoch that this server has promised to. Invariant: currentEpoch <= acceptedEpoch. */
  acceptedEpoch: number;
  /** The epoch of the leader whose history this server has taken over. */
  currentEpoch: number;
  /** The round of the election (`logicalclock`). */
  electionEpoch: number;
  /** The history, the part that is still on its way to the storage included. */
  readonly log: Log;
  /** The highest zxid known to be committed. Invariant: lastDelivered <= lastCommitted. */
  lastCommitted: Zxid;
  /** The last txn that the application has. Invariant: lastDelivered <= durable.lastZxid while serving. */
  lastDelivered: Zxid;
  /** The ensemble that this server belongs to: from its mark, or from the leader that it follows; empty where neither has told. */
  ensembleId: string;
  /** Whether the storage has something that cannot be read. It is left as it is until a leader's history takes its place. */
  damaged: boolean;
  /** How the store is made whole again, where that is possible; until a leader's history is to take its place. */
  mending: MendingState | undefined;
  /** Questions for which the storage is being read, by the channel that they came on. */
  readonly questions: Map<ChannelId, Question>;
  /** What would survive the loss of power now; it trails the fields above. `marked`: whether the store has a mark. */
  readonly durable: { acceptedEpoch: number; currentEpoch: number; lastZxid: Zxid; marked: boolean };
  /** Orders of the log lane that have not completed, oldest first. */
  readonly lane: LaneOrder[];
  /** The highest acceptedEpoch that a learner has told this server, in any of its terms; a new epoch goes above it. */
  highestEpochSeen: number;
  /**
   * Servers that were elected and did not say a word to this one: until it serves, or has said its vote so often more, it votes for none of them. Others than the
   * best may be the only ones that hear.
   */
  readonly suspects: Map<Sid, number>;
  /** How often this server has left LOOKING and come back without having served; it paces the next try. */
  failedTries: number;
  /** Numbers the learner channels that this server opens. */
  channelsOpened: number;
}

/** An order of the log lane, with what is durable once it has completed. */
export type LaneOrder =
  | { readonly type: 'append' | 'truncate' | 'mend'; readonly lastZxid: Zxid }
  | { readonly type: 'saveAcceptedEpoch' | 'saveCurrentEpoch'; readonly epoch: number }
  | { readonly type: 'installSnapshot'; readonly snapshot: Snapshot; readonly lastZxid: Zxid }
  | { readonly type: 'saveMark'; readonly mark: Mark | undefined };

/**
 * The state of a server that starts from what its storage holds.
 *
 * @throws RangeError where the image contradicts itself: it was not written by this protocol.
 */
export function recoverState(image: StoredImage): PeerState {
  const base = image.snapshot?.zxid ?? (0 as Zxid);
  const log = new Log(base);
  for (const run of image.runs) {
    if (run.payloads.length === 0 || !log.continues(run.zxid))
      throw new RangeError('stored log has a hole: its runs must follow one another');
    log.append(run);
  }
  const damaged = image.damage !== undefined;
  // A damaged store may have lost its promise. Its server makes none before a leader has given it a new one to keep.
  const acceptedEpoch = damaged ? Math.max(image.acceptedEpoch, image.currentEpoch, epochOf(log.lastZxid)) : image.acceptedEpoch;
  if (image.currentEpoch > acceptedEpoch) throw new RangeError('stored currentEpoch is above acceptedEpoch');
  // A history may run ahead of currentEpoch (a crash between the two is legal) but never ahead of the promise under which it came.
  if (epochOf(log.lastZxid) > acceptedEpoch) throw new RangeError('stored log is above acceptedEpoch');
  return {
    acceptedEpoch,
    currentEpoch: image.currentEpoch,
    electionEpoch: 0,
    log,
    lastCommitted: base,
    lastDelivered: base,
    ensembleId: image.mark?.ensembleId ?? '',
    damaged,
    mending: image.salvage !== undefined && image.mark !== undefined ? beginMending(image.salvage) : undefined,
    questions: new Map(),
    durable: {
      acceptedEpoch,
      currentEpoch: image.currentEpoch,
      lastZxid: log.lastZxid,
      marked: image.mark !== undefined,
    },
    lane: [],
    highestEpochSeen: 0,
    suspects: new Map(),
    failedTries: 0,
    channelsOpened: 0,
  };
}
