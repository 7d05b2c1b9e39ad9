/** What the storage of a server in the model holds: plain values, so that worlds share what they have in common. */
import type { Zxid } from '@quorate/protocol';
import { type Effect, extendChain, type Gap, type Run, type Salvage, type Snapshot, type StoredImage } from '@quorate/zab';
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
  /** What stands above these where some of it cannot be read, and which of it; nothing while all can be. */
  readonly behind: readonly Entry[];
  readonly unreadable: readonly Zxid[];
  /** Whether its server counts, unless there is damage. */
  readonly marked: boolean;
}

/** The store of a founder. */
export const EMPTY_STORE: Store = {
  ...{ acceptedEpoch: 0, currentEpoch: 0, snapshot: undefined, entries: [], covered: 0 },
  ...{ behind: [], unreadable: [], marked: true },
};

/** The same with some entries that cannot be read. */
export function damaged(store: Store, unreadable: readonly Zxid[]): Store {
  const from = store.entries.findIndex(({ zxid }) => unreadable.includes(zxid));
  return { ...store, entries: store.entries.slice(0, from), behind: store.entries.slice(from), unreadable };
}

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
      if (store.behind.length > 0) fail('HistoryConsistency', 'a run is stored behind what cannot be read');
      return { ...store, entries: [...store.entries, ...entriesOf([order.run])] };
    case 'truncate':
      if (!containsZxid(store.entries, order.zxid)) fail('HistoryConsistency', 'a log is cut at a place that is not in it');
      if (order.zxid < (store.snapshot?.zxid ?? 0)) fail('HistoryConsistency', 'a log is cut below its snapshot');
      return { ...store, entries: store.entries.filter(({ zxid }) => zxid <= order.zxid), behind: [], unreadable: [] };
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
      return { ...store, snapshot: order.snapshot, entries, covered, behind: [], unreadable: [] };
    }
    case 'mend': {
      const mended = entriesOf(order.runs);
      if (mended.length !== store.behind.length || !beginsWith(mended, store.behind))
        fail('MendedWhole', 'a store is mended with something else than stood there');
      return { ...store, entries: [...store.entries, ...mended], behind: [], unreadable: [] };
    }
    case 'saveMark':
      return { ...store, marked: order.mark !== undefined };
  }
}

/** How many entries of the global log an application had when it gave this snapshot. */
export function coveredBy({ pieces }: Snapshot): number {
  return (pieces[0] as Uint8Array)[0] as number;
}

/** What a new life of the server reads. */
export function imageOf(store: Store): StoredImage {
  const { acceptedEpoch, currentEpoch, snapshot, entries, covered, marked } = store;
  const mark = marked ? { ensembleId: 'model' } : undefined;
  const image = { acceptedEpoch, currentEpoch, snapshot, runs: runsOf(entries.slice(covered)), mark };
  return store.behind.length === 0 ? image : { ...image, damage: 'an entry cannot be read', salvage: salvageOf(store) };
}

/** Each entry that cannot be read, or several side by side, is a gap. */
function salvageOf({ entries, behind, unreadable }: Store): Salvage {
  const gaps: Gap[] = [];
  let chain = entries.reduce((before, { zxid, content }) => extendChain(before, zxid, Uint8Array.of(content)), 0);
  let after = lastZxidOfEntries(entries);
  let open: Pick<Gap, 'after' | 'chain'> | undefined;
  for (const { zxid, content } of behind) {
    const isLost = unreadable.includes(zxid);
    if (isLost) open ??= { after, chain };
    else if (open !== undefined) {
      gaps.push({ ...open, before: zxid, proof: chain });
      open = undefined;
    }
    chain = extendChain(chain, zxid, Uint8Array.of(content));
    after = zxid;
  }
  if (open !== undefined) gaps.push({ ...open, before: (after + 1) as Zxid, proof: chain });
  const runs = runsOf(behind.filter(({ zxid }) => !unreadable.includes(zxid)));
  return { gaps, runs, endIsKnown: open === undefined };
}

function runsOf(entries: readonly Entry[]): Run[] {
  const runs: { zxid: Zxid; payloads: Uint8Array[] }[] = [];
  for (const { zxid, content } of entries) {
    const last = runs[runs.length - 1];
    const payload = Uint8Array.of(content);
    if (last !== undefined && zxid === last.zxid + last.payloads.length) last.payloads.push(payload);
    else runs.push({ zxid, payloads: [payload] });
  }
  return runs;
}
