/**
 * The history of a server: the txns that it holds, in zxid order, above a base that a snapshot covers.
 *
 * Within an epoch zxids are consecutive and start at counter 1, so only the first entry of each epoch is kept beside the
 * payloads, a zxid finds its place without a search, and a hole cannot even be written down.
 */
import { assert, COUNTER_MAX, counterOf, epochOf, type Zxid } from '@quorate/protocol';

/** Consecutive txns of one epoch: the i-th payload has the zxid `zxid + i`. Never empty. */
export interface Run {
  readonly zxid: Zxid;
  readonly payloads: readonly Uint8Array[];
}

/** The zxid of the last txn of a run. */
export function lastZxidOf(run: Run): Zxid {
  return (run.zxid + run.payloads.length - 1) as Zxid;
}

/** So many txns a run has at most where it is proposed and delivered: what one run brings is done without a pause. */
export const RUN_TXNS_MAX = 512;

/** The part of a run that begins at an index, of at most so many txns. */
export function partOf(run: Run, from: number): Run {
  const { zxid, payloads } = run;
  if (from === 0 && payloads.length <= RUN_TXNS_MAX) return run;
  return { zxid: (zxid + from) as Zxid, payloads: payloads.slice(from, from + RUN_TXNS_MAX) };
}

/** Whether a txn may come next: the next counter of the same epoch, or the first of a later one. */
export function follows(last: Zxid, zxid: Zxid): boolean {
  // The next number has the same epoch unless the counter is at its end.
  return zxid === last + 1 ? counterOf(last) !== COUNTER_MAX : epochOf(zxid) > epochOf(last) && counterOf(zxid) === 1;
}

/** Where the entries of one epoch begin. */
interface Segment {
  readonly zxid: Zxid;
  readonly index: number;
}

export class Log {
  /** All at and below it are covered by a snapshot. Invariant: base <= lastZxid. */
  #base: Zxid;
  readonly #payloads: Uint8Array[] = [];
  #segments: Segment[] = [];
  /** Kept beside the segments, from which it follows, because every message asks for it. */
  #lastZxid: Zxid;
  /** The run that was appended last, as long as it is the end: what is committed at once is delivered as it came. */
  #lastRun: Run | undefined;

  constructor(base: Zxid) {
    this.#base = base;
    this.#lastZxid = base;
  }

  get base(): Zxid {
    return this.#base;
  }

  get length(): number {
    return this.#payloads.length;
  }

  /** The zxid of the last entry, or the base of an empty log. */
  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  /** Whether a run of this zxid may come next: the next counter of the same epoch, or the first of a later one. */
  continues(zxid: Zxid): boolean {
    return follows(this.lastZxid, zxid);
  }

  append(run: Run): void {
    assert(run.payloads.length > 0, 'a run is never empty');
    assert(this.continues(run.zxid), 'the log has no holes');
    // The first of an epoch begins a segment; so does the first above a base within one.
    if (this.#segments.length === 0 || counterOf(run.zxid) === 1) this.#segments.push({ zxid: run.zxid, index: this.#payloads.length });
    for (const payload of run.payloads) this.#payloads.push(payload);
    this.#lastZxid = lastZxidOf(run);
    this.#lastRun = run;
    assert(this.#endAt(this.#lastZxid) === this.#payloads.length, 'the last entry is the last of the run');
  }

  /** Whether `zxid` is an entry, or the base itself. */
  contains(zxid: Zxid): boolean {
    return this.#endAt(zxid) !== -1;
  }

  /** The last zxid of an epoch that is still known here, base included; undefined where there is none. */
  lastOfEpoch(epoch: number): Zxid | undefined {
    for (let i = this.#segments.length - 1; i >= 0; i--) {
      const segment = this.#segments[i] as Segment;
      if (epochOf(segment.zxid) === epoch) return (segment.zxid + (this.#endOf(i) - segment.index) - 1) as Zxid;
    }
    return epochOf(this.#base) === epoch ? this.#base : undefined;
  }

  /** The entries above `after` and up to `through`, both contained here, as one run per epoch. */
  runs(after: Zxid, through: Zxid): Run[] {
    const run = this.#lastRun;
    if (run !== undefined && through === this.#lastZxid && after === run.zxid - 1 && counterOf(run.zxid) !== 1 && after >= this.#base)
      return [run];
    const from = this.#endAt(after);
    const to = this.#endAt(through);
    assert(from !== -1, 'entries are asked for from a known place');
    assert(to !== -1, 'entries are asked for up to a known place');
    const last = this.#segments[this.#segments.length - 1];
    // Nearly always the last few of the present epoch.
    if (last !== undefined && from >= last.index && from < to)
      return [{ zxid: (last.zxid + (from - last.index)) as Zxid, payloads: this.#payloads.slice(from, to) }];
    const runs: Run[] = [];
    for (let i = 0; i < this.#segments.length; i++) {
      const segment = this.#segments[i] as Segment;
      const first = Math.max(from, segment.index);
      const end = Math.min(to, this.#endOf(i));
      if (first < end) runs.push({ zxid: (segment.zxid + (first - segment.index)) as Zxid, payloads: this.#payloads.slice(first, end) });
    }
    return runs;
  }

  /** The last of the entries above `after` that are together not larger than `bytesMax`, or the first of them alone; at most `through`. */
  reach(after: Zxid, through: Zxid, bytesMax: number): Zxid {
    const from = this.#endAt(after);
    const to = this.#endAt(through);
    assert(from !== -1 && to !== -1, 'entries are asked for between known places');
    let bytes = 0;
    let end = from;
    while (end < to) {
      bytes += (this.#payloads[end] as Uint8Array).length;
      if (bytes > bytesMax && end > from) break;
      end++;
    }
    return end >= to ? through : this.#zxidAt(end - 1);
  }

  /** Drops every entry above `zxid`, which is contained here. */
  truncate(zxid: Zxid): void {
    const end = this.#endAt(zxid);
    assert(end !== -1, 'a log is cut at a known place');
    this.#payloads.length = end;
    while (this.#segments.length > 0 && (this.#segments[this.#segments.length - 1] as Segment).index >= end) this.#segments.pop();
    this.#lastZxid = zxid;
    this.#lastRun = undefined;
    assert(this.#endAt(zxid) === end, 'the cut is where it was asked for');
  }

  /** Forgets the oldest entries, those up to `zxid` included, but keeps the newest `keep`. */
  compact(zxid: Zxid, keep: number): void {
    const covered = this.#indexOf(zxid) + 1;
    const count = Math.min(covered, this.#payloads.length - keep);
    if (count <= 0) return;
    let base = this.#base;
    const segments: Segment[] = [];
    for (let i = 0; i < this.#segments.length; i++) {
      const segment = this.#segments[i] as Segment;
      const end = this.#endOf(i);
      if (segment.index < count) base = (segment.zxid + (Math.min(count, end) - segment.index) - 1) as Zxid;
      if (end > count) {
        const index = Math.max(segment.index, count);
        segments.push({ zxid: (segment.zxid + (index - segment.index)) as Zxid, index: index - count });
      }
    }
    this.#payloads.splice(0, count);
    this.#segments = segments;
    this.#base = base;
    if (segments.length === 0) this.#lastZxid = base;
    this.#lastRun = undefined;
  }

  /** A copy; the payloads, which nobody changes, are shared. */
  clone(): Log {
    const log = new Log(this.#base);
    for (const run of this.runs(this.#base, this.lastZxid)) log.append(run);
    return log;
  }

  /** Forgets everything: a snapshot has taken its place. */
  reset(base: Zxid): void {
    this.#payloads.length = 0;
    this.#segments = [];
    this.#base = base;
    this.#lastZxid = base;
    this.#lastRun = undefined;
  }

  #endOf(segmentIndex: number): number {
    // No look beyond the end of the array, which is slow.
    if (segmentIndex === this.#segments.length - 1) return this.#payloads.length;
    return (this.#segments[segmentIndex + 1] as Segment).index;
  }

  /** How many payloads there are up to an entry, itself included, or to the base; −1 where `zxid` is neither. */
  #endAt(zxid: Zxid): number {
    if (zxid === this.#base) return 0;
    const index = this.#indexOf(zxid);
    return index === -1 ? -1 : index + 1;
  }

  #zxidAt(index: number): Zxid {
    let i = this.#segments.length - 1;
    while ((this.#segments[i] as Segment).index > index) i--;
    const segment = this.#segments[i] as Segment;
    return (segment.zxid + (index - segment.index)) as Zxid;
  }

  /** The place of an entry among the payloads, −1 where it is none. There are as many segments as epochs: few. */
  #indexOf(zxid: Zxid): number {
    for (let i = this.#segments.length - 1; i >= 0; i--) {
      const segment = this.#segments[i] as Segment;
      if (zxid < segment.zxid) continue;
      const index = segment.index + (zxid - segment.zxid);
      return index < this.#endOf(i) ? index : -1;
    }
    return -1;
  }
}
