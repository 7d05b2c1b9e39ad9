import type { Zxid } from '@quorate/protocol';
import type { Run } from './log.js';

/**
 * Where a server keeps what it must not forget. Implement this to keep an ensemble's state in a store of your own.
 *
 * `append`, `truncate`, `saveAcceptedEpoch`, `saveCurrentEpoch`, `installSnapshot`, `mend` and `saveMark` form the *log lane*: each completes once it would
 * survive the loss of power, in the order of the calls, and a completion covers every call before it. What has not completed when power is lost
 * may survive or not; of the calls that concern the history a prefix does, the last of them perhaps in part, each epoch and the mark by themselves.
 * `saveSnapshot` is the *background lane*: it is not ordered against the log lane and must never delay it.
 *
 * A callback is never called before the method has returned. One that is given an error means that the store can no longer
 * promise anything: the server stops, and nothing is tried again.
 */
export interface Storage {
  /** Reads what has survived; called once, before anything else. */
  recover(done: (result: StoredImage | Error) => void): void;
  append(run: Run, done: Completion): void;
  /** Removes every entry above `zxid`, which is in the log or is the zxid of the snapshot below it, and whatever is damaged above it, a snapshot included. */
  truncate(zxid: Zxid, done: Completion): void;
  saveAcceptedEpoch(epoch: number, done: Completion): void;
  saveCurrentEpoch(epoch: number, done: Completion): void;
  /**
   * Replaces snapshot and log, all of both, by a snapshot that came from the leader and the runs above it. After a crash either all of the old
   * is there or all of the new: the old log may hold committed txns that are above the snapshot and only in the runs.
   */
  installSnapshot(snapshot: Snapshot, runs: readonly Run[], done: Completion): void;
  /**
   * Puts everything in the place of what is damaged, all of it at once: `runs` are what stood there, those of `Salvage.runs` included, and follow what `recover` gave.
   * Only for a store that has given a `salvage`.
   */
  mend(runs: readonly Run[], done: Completion): void;
  /** Marks the store as one whose server counts, from now on; or, by undefined, takes the mark of a damaged store away before anything is repaired. */
  saveMark(mark: Mark | undefined, done: Completion): void;
  /**
   * Saves a snapshot of this server's own; entries that it covers may be dropped once it is safe. The pieces are taken when the store gets to them, so
   * that a large state is not written in one turn. An `installSnapshot` that is ordered before it has completed supersedes it.
   */
  saveSnapshot(zxid: Zxid, pieces: Iterable<Uint8Array>, done: Completion): void;
  /**
   * Reads the entries above `after` as all calls before this one leave them: oldest first, one at least where there are any, about `bytesMax` bytes of
   * them. Gives undefined where `after` is no entry of the log any more and not the place where it begins, or where sending a snapshot is less work.
   */
  readLog(after: Zxid, bytesMax: number, done: (result: readonly Run[] | undefined | Error) => void): void;
  /** Ends: nothing is called back after this. What was not completed may or may not survive. */
  close(): void;
}

export type Completion = (error?: Error) => void;

/** The state of an application, exact after the txn `zxid` and before the next. */
export interface Snapshot {
  readonly zxid: Zxid;
  /** Its bytes, in order; where they are cut means nothing. */
  readonly pieces: readonly Uint8Array[];
}

/**
 * What makes a store that of a server which counts. An ensemble is founded by marking the empty stores of its voters, once; a store without a mark is new,
 * wiped or damaged, and its server follows without a vote until a leader has given it the history and its vote back.
 */
export interface Mark {
  /** The name of the ensemble, not empty: servers of different ensembles do not follow one another. */
  readonly ensembleId: string;
}

/** What a store holds. */
export interface StoredImage {
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  readonly snapshot: Snapshot | undefined;
  /** The entries above the snapshot, in order. */
  readonly runs: readonly Run[];
  /** Undefined for a store that was never marked. */
  readonly mark: Mark | undefined;
  /**
   * What could not be read, in words, where the store had more than is given here: an entry, a snapshot, an epoch. `snapshot` and `runs` are then
   * the part of the history below the damage. Nothing is repaired before a leader has the history at hand.
   */
  readonly damage?: string;
  /** Where there is damage and it is known what is missing: so that it can be brought from elsewhere. */
  readonly salvage?: Salvage;
}

/** What is known of a damaged history above what can be read as a whole. */
export interface Salvage {
  /** In order; none where nothing is needed of what cannot be read. */
  readonly gaps: readonly Gap[];
  /** The entries above the damage that can be read, in order. */
  readonly runs: readonly Run[];
  /** Whether nothing can have been safe behind all of these, by what the store itself tells. */
  readonly endIsKnown: boolean;
}

/** A part of a history that cannot be read: some txns at least. */
export interface Gap {
  /** The last txn before it, or where the log begins. */
  readonly after: Zxid;
  /** Every txn in it is below this. */
  readonly before: Zxid;
  /** The chain (`extendChain`) of what stood before it. */
  readonly chain: number;
  /** The chain with all that stood in it. */
  readonly proof: number;
}
