/** A segment as a running store knows it: what its manifest says, and places in it from which to read on. */
import type { Zxid } from '@quorate/protocol';
import { INDEX_BYTES } from './limits.js';
import type { SegmentEnd, SegmentEntry } from './manifest.js';
import type { Place } from './record.js';
import { beginningOf } from './segment-header.js';

/** A place where a record begins, and the last txn before it. */
export interface Landmark extends Place {
  readonly zxid: Zxid;
}

export class Segment {
  readonly id: number;
  readonly base: Zxid;
  /** Where it ends, as far as it is flushed. */
  end: SegmentEnd;
  readonly #landmarks: Landmark[];

  constructor(id: number, base: Zxid, end: SegmentEnd = { ...beginningOf(id), zxid: base }) {
    this.id = id;
    this.base = base;
    this.end = end;
    this.#landmarks = [{ ...beginningOf(id), zxid: base }];
  }

  get isEmpty(): boolean {
    return this.end.zxid === this.base;
  }

  /** The same, ending at an earlier place. */
  cut(end: SegmentEnd): Segment {
    const segment = new Segment(this.id, this.base, end);
    for (const landmark of this.#landmarks) if (landmark.offset <= end.offset) segment.pass(landmark);
    return segment;
  }

  /** Remembers a place, if there is none near by. */
  pass(landmark: Landmark): void {
    if (landmark.offset - (this.#landmarks[this.#landmarks.length - 1] as Landmark).offset >= INDEX_BYTES) this.#landmarks.push(landmark);
  }

  /** The last known place from which everything above `zxid` can be read. */
  landmarkBefore(zxid: Zxid): Landmark {
    let low = 0;
    let high = this.#landmarks.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#landmarks[middle] as Landmark).zxid <= zxid) low = middle;
      else high = middle;
    }
    return this.#landmarks[low] as Landmark;
  }
}

/** How a closed segment stands in a manifest. */
export function closed({ id, base, end }: Segment): SegmentEntry {
  return { id, base, end };
}

/** The segment in which the txn after `zxid` is looked for: the last that begins at it or before. */
export function segmentAfter(segments: readonly Segment[], zxid: Zxid): number {
  let at = segments.length - 1;
  while (at >= 0 && (segments[at] as Segment).base > zxid) at--;
  return at;
}
