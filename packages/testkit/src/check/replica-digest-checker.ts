/** ReplicaDigest: at one zxid every server has the same state, byte for byte, whether it came there by txns or by a snapshot. */
import { formatZxid, type Zxid } from '@quorate/protocol';
import type { Sid, Snapshot } from '@quorate/zab';
import type { Verdict } from './verdict.js';
import { joined, sameBytes } from './witness.js';

interface Seen {
  readonly sid: Sid;
  readonly bytes: Uint8Array;
}

export class ReplicaDigestChecker {
  readonly #verdict: Verdict;
  readonly #seen = new Map<Zxid, Seen>();

  constructor(verdict: Verdict) {
    this.#verdict = verdict;
  }

  /** A server shows its whole state. */
  onState(sid: Sid, { zxid, pieces }: Snapshot): void {
    const bytes = joined(pieces);
    const first = this.#seen.get(zxid);
    if (first === undefined) this.#seen.set(zxid, { sid, bytes });
    else if (!sameBytes(first.bytes, bytes))
      this.#verdict.fail('ReplicaDigest', `servers ${first.sid} and ${sid} differ in their states at ${formatZxid(zxid)}`);
  }
}
