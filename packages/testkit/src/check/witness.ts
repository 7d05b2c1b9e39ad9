/**
 * The witness against which every server is held: all txns that were ever proposed, and the one global committed log G, which grows by the
 * first delivery of each txn anywhere (reliability.md 2.1).
 *
 * Every entry points to the one before it in its proposer's history. So a history is one pointer, equal pointers are equal histories,
 * and "is a prefix of" is a short walk: exact, where prefix hashes would only be probable.
 */
import { counterOf, epochOf, formatZxid, type Zxid } from '@quorate/protocol';
import { type Config, hasQuorum, type ServerState, type Sid } from '@quorate/zab';
import type { Verdict } from './verdict.js';

/** One proposed txn, with all that stands before it. */
export interface Entry {
  readonly zxid: Zxid;
  readonly payload: Uint8Array;
  readonly prev: Entry | undefined;
  /** How many entries stand before it. */
  readonly depth: number;
  readonly proposer: Sid;
  /** By the clock of its proposer. */
  readonly proposedAtMs: number;
  /** Its place in G; −1 while nobody has delivered it. */
  committedIndex: number;
}

/** An epoch whose leader has begun to serve. */
export interface Establishment {
  readonly epoch: number;
  readonly leader: Sid;
  /** The leader's history at that moment (I_e of the paper). */
  readonly initial: Entry;
  /** When this leader began to serve, in this epoch or in an earlier one that this one follows without an election; by its clock. */
  readonly termAtMs: number;
}

/** What is known of one server from its inputs, its effects and its disk. */
export class ServerView {
  readonly sid: Sid;
  /** The end of the history that it has ordered to be stored. */
  ordered: Entry;
  /** The end of the history that is on its disk. */
  flushed: Entry;
  /** Ends of histories that were on its disk and that it has lost by no fault of its own. */
  readonly lost: Entry[] = [];
  /** The end of the history that was on its disk before some of it became unreadable, as long as that is so. */
  beforeDamage: Entry | undefined;
  /** Whether its store, as it is on its disk, is one whose server counts. */
  marked: boolean;
  /** The last txn that its application has. */
  delivered: Entry;
  flushedAcceptedEpoch = 0;
  flushedCurrentEpoch = 0;
  serving = false;
  /** Whether it has served as the leader in its present role, and may be making a pause. */
  leads = false;
  state: ServerState = 'LOOKING';
  /** How often it has begun to look for a leader. */
  timesLooked = 0;
  /** Whom each channel that it opened leads to, and who opened each of those that it accepted; by life. */
  readonly leaders = new Map<number, Sid>();
  readonly learners = new Map<number, Sid>();
  /** Of these, channels whose far end has lost its store since: nothing that is sent on them arrives. */
  readonly dead = new Set<number>();

  constructor(sid: Sid, root: Entry, marked: boolean) {
    this.sid = sid;
    this.marked = marked;
    this.ordered = root;
    this.flushed = root;
    this.delivered = root;
  }
}

export class Witness {
  readonly config: Config;
  readonly verdict: Verdict;
  readonly root: Entry = {
    zxid: 0 as Zxid,
    payload: new Uint8Array(0),
    prev: undefined,
    depth: 0,
    proposer: 0,
    proposedAtMs: 0,
    committedIndex: 0,
  };
  /** G, with the empty history's end at index 0. */
  readonly committed: Entry[] = [this.root];
  readonly established = new Map<number, Establishment>();
  readonly servers = new Map<Sid, ServerView>();
  newestEpoch = 0;
  /** By epoch, then by counter − 1. */
  readonly #proposed: Entry[][] = [];

  constructor(config: Config, verdict: Verdict) {
    this.config = config;
    this.verdict = verdict;
    for (const sid of config.voters) this.servers.set(sid, new ServerView(sid, this.root, true));
    for (const sid of config.observers ?? []) this.servers.set(sid, new ServerView(sid, this.root, false));
  }

  server(sid: Sid): ServerView {
    return this.servers.get(sid) as ServerView;
  }

  /** Whether a server counts, as far as its disk says. */
  votes(sid: Sid): boolean {
    return this.server(sid).marked && this.config.voters.includes(sid);
  }

  /** What was proposed under this zxid; the root for 0. */
  find(zxid: Zxid): Entry | undefined {
    return zxid === 0 ? this.root : this.#proposed[epochOf(zxid)]?.[counterOf(zxid) - 1];
  }

  propose(proposal: {
    readonly proposer: Sid;
    readonly zxid: Zxid;
    readonly payload: Uint8Array;
    readonly prev: Entry;
    readonly nowMs: number;
  }): Entry {
    const { proposer, zxid, payload, prev, nowMs } = proposal;
    const depth = prev.depth + 1;
    const entry: Entry = { zxid, payload, prev, depth, proposer, proposedAtMs: nowMs, committedIndex: -1 };
    const epoch = epochOf(zxid);
    let entries = this.#proposed[epoch];
    if (entries === undefined) {
      entries = [];
      this.#proposed[epoch] = entries;
    }
    entries[counterOf(zxid) - 1] = entry;
    return entry;
  }

  commit(entry: Entry): void {
    entry.committedIndex = this.committed.length;
    this.committed.push(entry);
  }
}

/** Whether the history that ends with `tip` holds `entry`. */
export function holds(tip: Entry, entry: Entry): boolean {
  let at: Entry | undefined = tip;
  while (at !== undefined && at.depth > entry.depth) at = at.prev;
  return at === entry;
}

/** The last entry of a history that is not above `zxid`. */
export function cutAt(tip: Entry, zxid: Zxid): Entry {
  let at = tip;
  while (at.zxid > zxid && at.prev !== undefined) at = at.prev;
  return at;
}

/** The last entry of a history that is in G. */
export function lastCommittedOf(tip: Entry): Entry {
  let at = tip;
  while (at.committedIndex < 0 && at.prev !== undefined) at = at.prev;
  return at;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Whether a quorum without this server has all that is on its disk, and has promised all that it has: then it may forget everything and nothing is lost,
 * also where nobody knows that it has.
 */
export function isReplaceable({ config, servers, committed }: Witness, sid: Sid): boolean {
  const { flushed, flushedAcceptedEpoch } = servers.get(sid) as ServerView;
  const newest = committed[committed.length - 1] as Entry;
  return hasQuorum(config, (other) => {
    const view = servers.get(other) as ServerView;
    if (other === sid || !view.marked || view.flushedCurrentEpoch < flushedAcceptedEpoch) return false;
    return holds(view.flushed, flushed) && holds(view.flushed, newest);
  });
}

/** The pieces of a snapshot as one block. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** A server and a zxid in words. */
export function at(sid: Sid, zxid: Zxid): string {
  return `server ${sid} at ${formatZxid(zxid)}`;
}
