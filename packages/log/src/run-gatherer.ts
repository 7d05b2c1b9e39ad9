import { counterOf, type Zxid } from '@quorate/protocol';
import type { Read } from './segment-reader.js';

/** Runs that were written one by one are given together up to this many txns. */
const RUN_TXNS_MAX = 1024;

/** Gathers what is above a place from records in their order. */
export class RunGatherer {
  readonly #above: Zxid;
  readonly runs: { readonly zxid: Zxid; readonly payloads: Uint8Array[] }[] = [];

  constructor(above: Zxid) {
    this.#above = above;
  }

  /** @param through the last txn of the record that counts. */
  take({ record, payloads: all }: Read, through: Zxid): void {
    const skipped = Math.max(0, this.#above + 1 - record.zxid);
    const count = Math.min(record.count, through - record.zxid + 1) - skipped;
    if (count <= 0) return;
    const payloads = all.slice(skipped, skipped + count);
    const zxid = (record.zxid + skipped) as Zxid;
    const last = this.runs[this.runs.length - 1];
    const continues = last !== undefined && zxid === last.zxid + last.payloads.length && counterOf(zxid) !== 1;
    if (!continues || last.payloads.length >= RUN_TXNS_MAX) this.runs.push({ zxid, payloads });
    else for (const payload of payloads) last.payloads.push(payload);
  }
}
