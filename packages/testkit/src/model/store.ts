/** What the storage of a server in the model holds: plain values, so that worlds share what they have in common. */
import { epochOf, type Zxid } from '@quorate/protocol';
import type { Effect, Run, Snapshot, StoredImage } from '@quorate/zab';
import { fail } from './violation.js';

/** One txn. Its content is one number, which no other proposal of a world has. */
export interface Entry {
  readonly zxid: Zxid;
  readonly content: number;
}

/** An order of the log lane. */
export type LaneOrder = Extract<
  Effect,
  { readonly type: 'append' | 'truncate' | 'saveAcceptedEpoch' | 'saveCurrentEpoch' | 'installSnapshot' | 'mend' | 'saveMark' }
>;

/** What would survive the loss of power. */
export interface Store {
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  readonly snapshot: Snapshot | undefined;
  /** The whole history; the snapshot covers its first `covered` entries. */
  readonly entries: readonly Entry[];
  readonly covered: number;
  /** Whether its server counts. */
  readonly marked: boolean;
}

/** The store of a founder. */
export const EMPTY_STORE: Store = { acceptedEpoch: 0, currentEpoch: 0, snapshot: undefined, entries: [], covered: 0, marked: true };

/** The end of a history; 0 of an empty one. */
export function lastZxidOfEntries(entries: readonly Entry[]): Zxid {
  return entries[entries.length - 1]?.zxid ?? (0 as Zxid);
}

/** Whether `zxid` is in a history, the empty one's end included. */
export function containsZxid(entries: readonly Entry[], zxid: Zxid): boolean {
  return zxid === 0 || entries.some((entry) => entry.zxid === zxid);
}

export function sameEntry(a: Entry, b: Entry): boolean {
  return a.zxid === b.zxid && a.content === b.content;
}

/** Whether `entries` begins with `prefix`. */
export function beginsWith(entries: readonly Entry[], prefix: readonly Entry[]): boolean {
  return prefix.length <= entries.length && prefix.every((entry, index) => sameEntry(entry, entries[index] as Entry));
}

export function entriesOf(runs: readonly Run[]): Entry[] {
  const entries: Entry[] = [];
  for (const { zxid, payloads } of runs)
    for (let i = 0; i < payloads.length; i++) entries.push({ zxid: (zxid + i) as Zxid, content: (payloads[i] as Uint8Array)[0] as number });
  return entries;
}

/**
 * The store after one more order has been flushed.
 *
 * @param committed the global log: an application's snapshot is the number of its first entries that it has.
 */
export function flushed(store: Store, order: LaneOrder, committed: readonly Entry[]): Store {
  switch (order.type) {
    case 'append':
      if (order.run.zxid <= lastZxidOfEntries(store.entries)) fail('HistoryConsistency', 'a run is stored behind a later txn');
      return { ...store, entries: [...store.entries, ...entriesOf([order.run])] };
    case 'truncate':
      if (!containsZxid(store.entries, order.zxid)) fail('HistoryConsistency', 'a log is cut at a place that is not in it');
      if (order.zxid < (store.snapshot?.zxid ?? 0)) fail('HistoryConsistency', 'a log is cut below its snapshot');
      return { ...store, entries: store.entries.filter(({ zxid }) => zxid <= order.zxid) };
    case 'saveAcceptedEpoch':
      if (order.epoch < store.acceptedEpoch) fail('PersistMonotonicity', 'acceptedEpoch descends');
      return { ...store, acceptedEpoch: order.epoch };
    case 'saveCurrentEpoch':
      if (order.epoch < store.currentEpoch) fail('PersistMonotonicity', 'currentEpoch descends');
      if (order.epoch > store.acceptedEpoch) fail('PersistMonotonicity', 'currentEpoch is above acceptedEpoch');
      return { ...store, currentEpoch: order.epoch };
    case 'installSnapshot': {
      const covered = coveredBy(order.snapshot);
      const entries = [...committed.slice(0, covered), ...entriesOf(order.runs)];
      return { ...store, snapshot: order.snapshot, entries, covered };
    }
    case 'mend':
      return { ...store, entries: [...store.entries, ...entriesOf(order.runs)] };
    case 'saveMark':
      return { ...store, marked: order.mark !== undefined };
  }
}

/** How many entries of the global log an application had when it gave this snapshot. */
export function coveredBy({ pieces }: Snapshot): number {
  return (pieces[0] as Uint8Array)[0] as number;
}

/** What a new life of the server reads. */
export function imageOf({ acceptedEpoch, currentEpoch, snapshot, entries, covered, marked }: Store): StoredImage {
  const runs: { zxid: Zxid; payloads: Uint8Array[] }[] = [];
  for (const { zxid, content } of entries.slice(covered)) {
    const last = runs[runs.length - 1];
    const payload = Uint8Array.of(content);
    if (last !== undefined && epochOf(last.zxid) === epochOf(zxid)) last.payloads.push(payload);
    else runs.push({ zxid, payloads: [payload] });
  }
  return { acceptedEpoch, currentEpoch, snapshot, runs, mark: marked ? { ensembleId: 'model' } : undefined };
}
