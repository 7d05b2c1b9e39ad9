/** What waits for the core of one server, in the order in which it gets it: what has come, then what its own turn has gathered. */

import { empty } from './empty.js';
import type { Input } from './io.js';
import { RUN_TXNS_MAX } from './log.js';

export class Inbox {
  #arrived: Input[] = [];
  /** What is being taken: the two arrays take turns, so that neither is made anew. */
  #taken: Input[] = [];
  /** How many of them were. */
  #takenCount = 0;
  /** Orders of the log lane that have completed and were not told yet. */
  #completed = 0;
  /** Payloads that take the next zxids. */
  #proposals: Uint8Array[] = [];
  /** The application has been told to stop proposing; the core waits for what it has proposed until then. */
  #pausing = false;

  put(input: Input): void {
    this.#arrived.push(input);
  }

  /** An order of the log lane has completed. */
  complete(): void {
    this.#completed++;
  }

  propose(payload: Uint8Array): void {
    this.#proposals.push(payload);
  }

  /** Payloads that have no zxid yet. */
  get proposalCount(): number {
    return this.#proposals.length;
  }

  /** Tells the core when all that was proposed is with it. */
  pause(): void {
    this.#pausing = true;
  }

  /** What was gathered for a term that has ended has no place in the next. */
  dropProposals(): void {
    this.#proposals = [];
    this.#pausing = false;
  }

  clear(): void {
    this.#arrived = [];
    this.#taken = [];
    this.#takenCount = 0;
  }

  /** The next input; undefined where there is none. */
  take(): Input | undefined {
    if (this.#takenCount === this.#taken.length) {
      empty(this.#taken);
      this.#takenCount = 0;
      this.#gather();
      const arrived = this.#arrived;
      this.#arrived = this.#taken;
      this.#taken = arrived;
    }
    if (this.#takenCount === this.#taken.length) return undefined;
    return this.#taken[this.#takenCount++];
  }

  #gather(): void {
    if (this.#completed > 0) {
      this.put({ type: 'completed', count: this.#completed });
      this.#completed = 0;
    }
    if (this.#arrived.length > 0) return;
    if (this.#proposals.length > 0) this.put({ type: 'propose', payloads: this.#takeProposals() });
    else if (this.#pausing) {
      this.#pausing = false;
      this.put({ type: 'paused' });
    }
  }

  #takeProposals(): Uint8Array[] {
    const proposals = this.#proposals;
    this.#proposals = proposals.length > RUN_TXNS_MAX ? proposals.splice(RUN_TXNS_MAX) : [];
    return proposals;
  }
}
