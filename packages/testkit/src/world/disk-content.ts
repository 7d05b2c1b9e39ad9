/**
 * What is on a disk: a snapshot, a log with one entry per txn, two epochs and a mark; dumber than the store and the log that it checks.
 *
 * A part may be rotten. Whoever reads the disk is told, as by a storage with checksums: never is a rotten part taken for what it was.
 */
import { epochOf, type Zxid } from '@quorate/protocol';
import { extendChain, type Gap, type Mark, type Run, type Salvage, type Snapshot, type StoredImage } from '@quorate/zab';

/** An order of the log lane. */
export type DiskOrder =
  | { readonly type: 'append'; readonly run: Run }
  | { readonly type: 'truncate'; readonly zxid: Zxid }
  | { readonly type: 'saveAcceptedEpoch'; readonly epoch: number }
  | { readonly type: 'saveCurrentEpoch'; readonly epoch: number }
  | { readonly type: 'installSnapshot'; readonly snapshot: Snapshot; readonly runs: readonly Run[] }
  | { readonly type: 'mend'; readonly runs: readonly Run[] }
  | { readonly type: 'saveMark'; readonly mark: Mark | undefined };

/** What can rot. */
export type Part = 'entry' | 'snapshot' | 'acceptedEpoch' | 'currentEpoch' | 'mark';

export class DiskContent {
  #acceptedEpoch = 0;
  #currentEpoch = 0;
  #mark: Mark | undefined;
  #snapshot: Snapshot | undefined;
  /** Where the log begins: the last entry that was dropped, 0 where none was. */
  #base = 0 as Zxid;
  #zxids: Zxid[] = [];
  #payloads: Uint8Array[] = [];
  /** The zxids of entries that cannot be read. */
  #rottenEntries = new Set<Zxid>();
  /** Whether what was lost at the end behind other damage is not known of, as where what told of it was lost too. */
  #forgetsEnd = false;
  readonly #rotten = new Set<Part>();

  constructor(mark: Mark | undefined) {
    this.#mark = mark;
  }

  /** The same as it is now, for a disk that goes back to this moment later on. */
  copy(): DiskContent {
    const copy = new DiskContent(this.#mark);
    copy.#acceptedEpoch = this.#acceptedEpoch;
    copy.#currentEpoch = this.#currentEpoch;
    copy.#snapshot = this.#snapshot;
    copy.#base = this.#base;
    copy.#zxids = this.#zxids.slice();
    copy.#payloads = this.#payloads.slice();
    return copy;
  }

  get isRotten(): boolean {
    return this.#rottenEntries.size > 0 || this.#rotten.size > 0;
  }

  /** Whether a reader finds the mark of a founder, or of one who has been given its vote. */
  get isMarked(): boolean {
    return this.#mark !== undefined && !this.#rotten.has('mark');
  }

  /** How many entries the log has. */
  get entries(): number {
    return this.#zxids.length;
  }

  get hasSnapshot(): boolean {
    return this.#snapshot !== undefined;
  }

  perform(order: DiskOrder): void {
    switch (order.type) {
      case 'append':
        this.#append(order.run);
        return;
      case 'truncate':
        this.#cut(order.zxid);
        // A store whose snapshot cannot be read is cut to nothing, and begins anew.
        if (order.zxid < this.#base) {
          this.#base = 0 as Zxid;
          this.#snapshot = undefined;
          this.#rotten.delete('snapshot');
        }
        return;
      case 'saveAcceptedEpoch':
        this.#acceptedEpoch = order.epoch;
        this.#rotten.delete('acceptedEpoch');
        return;
      case 'saveCurrentEpoch':
        this.#currentEpoch = order.epoch;
        this.#rotten.delete('currentEpoch');
        return;
      case 'installSnapshot':
        this.#snapshot = order.snapshot;
        this.#base = order.snapshot.zxid;
        this.#zxids = [];
        this.#payloads = [];
        this.#rottenEntries.clear();
        this.#rotten.delete('snapshot');
        for (const run of order.runs) this.#append(run);
        return;
      case 'mend':
        this.#cut(this.#lastBelowDamage);
        for (const run of order.runs) this.#append(run);
        return;
      case 'saveMark':
        this.#mark = order.mark;
        this.#rotten.delete('mark');
        return;
    }
  }

  #cut(zxid: Zxid): void {
    for (const rotten of this.#rottenEntries) if (rotten > zxid) this.#rottenEntries.delete(rotten);
    while (this.#zxids.length > 0 && (this.#zxids[this.#zxids.length - 1] as Zxid) > zxid) {
      this.#zxids.pop();
      this.#payloads.pop();
    }
  }

  #append(run: Run): void {
    for (let i = 0; i < run.payloads.length; i++) {
      this.#zxids.push((run.zxid + i) as Zxid);
      this.#payloads.push(run.payloads[i] as Uint8Array);
    }
  }

  /** An own snapshot is safe. Entries that it covers are dropped, or stay: both are met by a reader. */
  keepSnapshot(snapshot: Snapshot, drop: boolean): void {
    this.#snapshot = snapshot;
    this.#rotten.delete('snapshot');
    if (!drop) return;
    const kept = this.#zxids.findIndex((zxid) => zxid > snapshot.zxid);
    const count = kept === -1 ? this.#zxids.length : kept;
    if (count === 0) return;
    this.#base = this.#zxids[count - 1] as Zxid;
    this.#zxids.splice(0, count);
    this.#payloads.splice(0, count);
    for (const rotten of this.#rottenEntries) if (rotten <= this.#base) this.#rottenEntries.delete(rotten);
  }

  /** Something becomes unreadable; `at` names an entry by its place. */
  rot(part: Part, at: number, forgetsEnd: boolean): void {
    this.#forgetsEnd = forgetsEnd;
    if (part === 'entry') this.#rottenEntries.add(this.#zxids[at] as Zxid);
    else this.#rotten.add(part);
  }

  /**
   * What a reader finds.
   *
   * @param runLength how many entries the next run that is read gets at most.
   */
  image(runLength: () => number): StoredImage {
    const damage: string[] = [];
    for (const part of ['acceptedEpoch', 'currentEpoch'] as const) if (this.#rotten.has(part)) damage.push(`${part} cannot be read`);
    let snapshot = this.#snapshot;
    let end = this.#zxids.length;
    if (this.#rotten.has('snapshot')) {
      // A whole log tells as much as a snapshot.
      if (this.#base !== 0) {
        damage.push('the snapshot cannot be read');
        end = 0;
      }
      snapshot = undefined;
    }
    const rotten = this.#firstRotten(snapshot?.zxid ?? (0 as Zxid));
    const salvage = rotten !== -1 && damage.length === 0 ? this.#salvage(snapshot?.zxid ?? (0 as Zxid), runLength) : undefined;
    if (rotten !== -1) {
      damage.push('an entry of the log cannot be read');
      end = Math.min(end, rotten);
    }
    return {
      acceptedEpoch: this.#rotten.has('acceptedEpoch') ? 0 : this.#acceptedEpoch,
      currentEpoch: this.#rotten.has('currentEpoch') ? 0 : this.#currentEpoch,
      snapshot,
      runs: this.#runs({ above: snapshot?.zxid ?? (0 as Zxid), end }, runLength),
      mark: this.#rotten.has('mark') ? undefined : this.#mark,
      ...(damage.length > 0 && { damage: damage.join('; ') }),
      ...(salvage !== undefined && { salvage }),
    };
  }

  /** The place of the first entry above a place that cannot be read; −1 where all can. */
  #firstRotten(above: Zxid): number {
    return this.#zxids.findIndex((zxid) => zxid > above && this.#rottenEntries.has(zxid));
  }

  get #lastBelowDamage(): Zxid {
    const at = this.#firstRotten(this.#snapshot?.zxid ?? (0 as Zxid));
    return this.#zxids[at - 1] ?? this.#base;
  }

  /** What is known of the entries that cannot be read, and those behind the first of them that can. */
  #salvage(above: Zxid, runLength: () => number): Salvage {
    const gaps: Gap[] = [];
    const runs: Run[] = [];
    let chain = 0;
    let open: { readonly after: Zxid; readonly chain: number } | undefined;
    let from = 0;
    for (let i = 0; i <= this.#zxids.length; i++) {
      const zxid = this.#zxids[i];
      const isRotten = zxid !== undefined && zxid > above && this.#rottenEntries.has(zxid);
      const last = this.#zxids[i - 1] ?? this.#base;
      if (open !== undefined && !isRotten) {
        gaps.push({ ...open, before: zxid ?? ((last + 1) as Zxid), proof: chain });
        open = undefined;
        from = i;
      } else if (open === undefined && (isRotten || zxid === undefined)) {
        if (gaps.length > 0) runs.push(...this.#runs({ above, from, end: i }, runLength));
        if (isRotten) open = { after: last, chain };
      }
      if (zxid !== undefined) chain = extendChain(chain, zxid, this.#payloads[i] as Uint8Array);
    }
    const endIsKnown = !this.#rottenEntries.has(this.#zxids[this.#zxids.length - 1] as Zxid);
    if (!endIsKnown && gaps.length > 1 && this.#forgetsEnd) gaps.pop();
    return { gaps, runs, endIsKnown };
  }

  /** The entries above a place, cut where an epoch ends and at the given lengths. */
  #runs({ above, from = 0, end }: { readonly above: Zxid; readonly from?: number; readonly end: number }, runLength: () => number): Run[] {
    const runs: { zxid: Zxid; payloads: Uint8Array[] }[] = [];
    let room = 0;
    for (let i = from; i < end; i++) {
      const zxid = this.#zxids[i] as Zxid;
      if (zxid <= above) continue;
      const last = runs[runs.length - 1];
      if (last === undefined || room === 0 || epochOf(last.zxid) !== epochOf(zxid)) {
        runs.push({ zxid, payloads: [this.#payloads[i] as Uint8Array] });
        room = runLength();
      } else {
        last.payloads.push(this.#payloads[i] as Uint8Array);
        room--;
      }
    }
    return runs;
  }

  /** The next entries above a place, few at a time; undefined where the log does not have the place, or cannot be read from there on. */
  read(after: Zxid, count: number): Run[] | undefined {
    const at = this.#zxids.indexOf(after);
    if (at === -1 && after !== this.#base) return undefined;
    const from = at + 1;
    const rotten = this.#zxids.findIndex((zxid, i) => i >= from && this.#rottenEntries.has(zxid));
    const end = Math.min(this.#zxids.length, from + count, rotten === -1 ? Number.POSITIVE_INFINITY : rotten);
    if (end <= from && this.#zxids.length > from) return undefined;
    return this.#runs({ above: after, end }, () => count);
  }
}
