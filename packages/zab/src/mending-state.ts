/** What a server with a damaged store knows of what it lacks: a plain record, and what follows from it. */
import type { Zxid } from '@quorate/protocol';
import type { Sid } from './config.js';
import { extendChain } from './content-chain.js';
import type { ChannelId } from './io.js';
import { follows, type Run } from './log.js';
import type { Gap, Salvage } from './storage.js';

export interface MendingState {
  readonly salvage: Salvage;
  /** Of each gap, what others have told of it. */
  readonly found: Map<Zxid, Uint8Array>[];
  /** Of each gap, whether all of it is there, proven. */
  readonly closed: boolean[];
  /** The ends of the histories of others, of those that can tell. */
  readonly ends: Map<Sid, Zxid>;
  /** How many servers have been asked, one after the other, and again. */
  asked: number;
  /** The channel to the one that is being asked; undefined between two of them. */
  channel: ChannelId | undefined;
  /** What it is being asked for: the first gap from this on that is not closed, above this txn. */
  gap: number;
  after: Zxid;
  /** All is there, and on its way to the storage. */
  ordered: boolean;
}

export function beginMending(salvage: Salvage): MendingState {
  return {
    salvage,
    found: salvage.gaps.map(() => new Map()),
    closed: salvage.gaps.map(() => false),
    ends: new Map(),
    asked: 0,
    channel: undefined,
    gap: 0,
    after: 0 as Zxid,
    ordered: false,
  };
}

/** The last txn that the store has, or had where it cannot be read. */
export function endOf({ gaps, runs }: Salvage, below: Zxid): Zxid {
  let end: number = below;
  for (const { before } of gaps) end = Math.max(end, before - 1);
  for (const { zxid, payloads } of runs) end = Math.max(end, zxid + payloads.length - 1);
  return end as Zxid;
}

/** Whether what was found is all that stood in the gap, and nothing else: txns that follow one another, with the chain that the store has kept. */
export function isProven({ after, chain, proof }: Gap, found: ReadonlyMap<Zxid, Uint8Array>): boolean {
  let last = after;
  let reached = chain;
  for (const zxid of inOrder(found)) {
    if (!follows(last, zxid)) return false;
    reached = extendChain(reached, zxid, found.get(zxid) as Uint8Array);
    last = zxid;
  }
  return found.size > 0 && reached === proof;
}

/** The history above `after`, with what was found; undefined where that is not one without holes. */
export function mended({ salvage, found }: MendingState, after: Zxid): Run[] | undefined {
  const parts: Run[] = [...salvage.runs];
  for (const txns of found) for (const zxid of inOrder(txns)) parts.push({ zxid, payloads: [txns.get(zxid) as Uint8Array] });
  parts.sort((a, b) => a.zxid - b.zxid);
  const runs: { readonly zxid: Zxid; readonly payloads: Uint8Array[] }[] = [];
  let last = after;
  for (const { zxid, payloads } of parts) {
    // A gap may begin below the snapshot.
    if (zxid <= after) continue;
    if (!follows(last, zxid)) return undefined;
    const run = runs[runs.length - 1];
    if (run === undefined || zxid !== last + 1) runs.push({ zxid, payloads: [...payloads] });
    else for (const payload of payloads) run.payloads.push(payload);
    last = (zxid + payloads.length - 1) as Zxid;
  }
  return runs;
}

function inOrder(found: ReadonlyMap<Zxid, Uint8Array>): Zxid[] {
  return [...found.keys()].sort((a, b) => a - b);
}
