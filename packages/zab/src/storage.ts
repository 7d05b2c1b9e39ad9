import type { Zxid } from '@quorate/protocol';
import type { Run } from './log.js';

/**
 * Where a server keeps what it must not forget. Implement this to keep an ensemble's state in a store of your own.
 *
 * `append`, `truncate`, `saveAcceptedEpoch`, `saveCurrentEpoch` and `installSnapshot` form the *log lane*: they are performed
 * in the order of the calls, each completes once it would survive the loss of power, and a completion covers every call before it.
 * `saveSnapshot` is the *background lane*: it is not ordered against the log lane and must never delay it.
 *
 * A callback is never called before the method has returned. One that is given an error means that the store can no longer
 * promise anything: the server stops, and nothing is tried again.
 */
export interface Storage {
  /** Reads what has survived; called once, before anything else. An empty store gives `emptyImage`. */
  recover(done: (result: StoredImage | Error) => void): void;
  append(run: Run, done: Completion): void;
  /** Removes every entry above `zxid`, which is in the log or is the zxid of the snapshot below it. */
  truncate(zxid: Zxid, done: Completion): void;
  saveAcceptedEpoch(epoch: number, done: Completion): void;
  saveCurrentEpoch(epoch: number, done: Completion): void;
  /**
   * Replaces snapshot and log, all of both, by a snapshot that came from the leader and the runs above it. After a crash either all of the old
   * is there or all of the new: the old log may hold committed txns that are above the snapshot and only in the runs.
   */
  installSnapshot(snapshot: Snapshot, runs: readonly Run[], done: Completion): void;
  /**
   * Saves a snapshot of this server's own; entries that it covers may be dropped once it is safe. An `installSnapshot` that is ordered before it
   * has completed supersedes it.
   */
  saveSnapshot(snapshot: Snapshot, done: Completion): void;
  /** Ends: nothing is called back after this. What was not completed may or may not survive. */
  close(): void;
}

export type Completion = (error?: Error) => void;

/** The state of an application, exact after the txn `zxid` and before the next. */
export interface Snapshot {
  readonly zxid: Zxid;
  readonly bytes: Uint8Array;
}

/** What a store holds. Entries are the ones above the snapshot, in order. */
export interface StoredImage {
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  readonly snapshot: Snapshot | undefined;
  readonly runs: readonly Run[];
}
