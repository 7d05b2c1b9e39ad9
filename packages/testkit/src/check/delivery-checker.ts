/**
 * What a server may deliver: the next entry of G, or, where it is the first to deliver, an entry that may become the next one. These are
 * Integrity, Total order and Agreement of the Zab paper, on every server, at O(1) per txn, and the durability that makes a commit one.
 *
 * Each entry is chained to the one before it in its proposer's history, so that a hole inside an epoch cannot be delivered without a hole in
 * the chain; that a primary leaves none itself is the primary checker's affair.
 */
import { epochOf, formatZxid, type Zxid } from '@quorate/protocol';
import { hasQuorum, lastZxidOf, type Run, type Sid, type Snapshot } from '@quorate/zab';
import { at, type Entry, holds, type ServerView, sameBytes, type Witness } from './witness.js';

export class DeliveryChecker {
  readonly #witness: Witness;
  readonly #onCommitted: ((entry: Entry) => void) | undefined;

  /** @param onCommitted is told of each txn when it is delivered for the first time anywhere. */
  constructor(witness: Witness, onCommitted?: (entry: Entry) => void) {
    this.#witness = witness;
    this.#onCommitted = onCommitted;
  }

  onDeliver(sid: Sid, run: Run): void {
    const view = this.#witness.server(sid);
    const { committed } = this.#witness;
    const before = committed.length;
    for (let i = 0; i < run.payloads.length; i++) {
      const entry = this.#next(view, (run.zxid + i) as Zxid, run.payloads[i] as Uint8Array);
      if (entry === undefined) return;
      const index = view.delivered.committedIndex + 1;
      if (index < committed.length) {
        if (committed[index] !== entry) {
          const instead = formatZxid((committed[index] as Entry).zxid);
          this.#fail('Agreement', `${at(sid, entry.zxid)} delivers it where others have delivered ${instead}`);
          return;
        }
      } else if (!this.#mayFollow(sid, entry)) {
        return;
      } else {
        this.#witness.commit(entry);
      }
      view.delivered = entry;
    }
    this.#checkAppliedDurable(view, lastZxidOf(run));
    if (committed.length === before) return;
    this.#checkQuorumDurable(view.delivered);
    for (let i = before; i < committed.length; i++) this.#onCommitted?.(committed[i] as Entry);
  }

  /** The whole state is replaced by that of a snapshot. */
  onRestore(sid: Sid, snapshot: Snapshot): void {
    const view = this.#witness.server(sid);
    const entry = this.#witness.find(snapshot.zxid);
    if (entry === undefined || entry.committedIndex < 0) {
      this.#fail('CommitConsistency', `${at(sid, snapshot.zxid)} restores a state that was never committed`);
      return;
    }
    if (view.serving && entry.committedIndex < view.delivered.committedIndex)
      this.#fail('Integrity', `${at(sid, snapshot.zxid)} goes back from ${formatZxid(view.delivered.zxid)} while it serves`);
    view.delivered = entry;
    this.#checkAppliedDurable(view, snapshot.zxid);
  }

  #next(view: ServerView, zxid: Zxid, payload: Uint8Array): Entry | undefined {
    const entry = this.#witness.find(zxid);
    if (entry === undefined || !sameBytes(entry.payload, payload)) {
      this.#fail('Integrity', `${at(view.sid, zxid)} delivers what nobody has proposed`);
      return undefined;
    }
    if (zxid <= view.delivered.zxid) {
      const again = entry.committedIndex >= 0 && entry.committedIndex <= view.delivered.committedIndex;
      const property = again ? 'Integrity' : 'GlobalPrimaryOrder';
      this.#fail(property, `${at(view.sid, zxid)} delivers it after ${formatZxid(view.delivered.zxid)}`);
      return undefined;
    }
    if (entry.prev !== view.delivered) {
      this.#fail('PrefixConsistency', `${at(view.sid, zxid)} delivers it with a hole behind ${formatZxid(view.delivered.zxid)}`);
      return undefined;
    }
    return entry;
  }

  /** Whether an entry may be the next of G. */
  #mayFollow(sid: Sid, entry: Entry): boolean {
    const epoch = epochOf(entry.zxid);
    // Whatever is committed of an earlier epoch was in the history with which each later leader began.
    for (let later = this.#witness.newestEpoch; later > epoch; later--) {
      const establishment = this.#witness.established.get(later);
      if (establishment === undefined || holds(establishment.initial, entry)) continue;
      this.#fail(
        'InitialHistoryIntegrity',
        `${at(sid, entry.zxid)} is committed, but the leader of epoch ${later}, server ${establishment.leader}, began without it`,
      );
      return false;
    }
    return true;
  }

  #checkAppliedDurable(view: ServerView, zxid: Zxid): void {
    if (holds(view.flushed, view.delivered)) return;
    this.#fail('AppliedDurable', `${at(view.sid, zxid)} applies it while its disk has only ${formatZxid(view.flushed.zxid)}`);
  }

  #checkQuorumDurable(entry: Entry): void {
    const { config, servers } = this.#witness;
    const holders = new Set<Sid>();
    // What was on a disk when it was acknowledged, and was lost afterwards, does not make the commit wrong: such a server has no vote.
    for (const view of servers.values()) if ([view.flushed, ...view.lost].some((tip) => holds(tip, entry))) holders.add(view.sid);
    if (hasQuorum(config, (sid) => holders.has(sid))) return;
    this.#fail('QuorumDurability', `${formatZxid(entry.zxid)} is delivered while only servers [${[...holders].join(' ')}] hold it on disk`);
  }

  #fail(property: string, message: string): void {
    this.#witness.verdict.fail(property, message);
  }
}
