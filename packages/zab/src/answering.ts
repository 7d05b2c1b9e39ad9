/**
 * Any server, in any role, answers one that asks for what its store lacks: with what it has in memory and, below that, on its storage; where its own store is damaged, also with
 * what can be read behind that. Nothing of an answer is a promise: who asks proves it.
 */
import type { Zxid } from '@quorate/protocol';
import { isForeign } from './following.js';
import type { ChannelId } from './io.js';
import { lastZxidOf, type Run } from './log.js';
import { endOf } from './mending-state.js';
import type { Message } from './messages.js';
import type { Peer } from './peer.js';

/** How much an answer has at most, in bytes of payload; one txn may be larger. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** The txns that somebody asks for: those above `after` and below `before`. */
export interface Question {
  readonly after: Zxid;
  readonly before: Zxid;
}

export class Answering {
  readonly #peer: Peer;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  onQuestion(channel: ChannelId, { ensembleId, after, before }: Message & { readonly type: 'MEND' }): void {
    const { state, effects } = this.#peer;
    if (isForeign(state.ensembleId, ensembleId)) {
      effects.push({ type: 'closeToLearner', channel });
    } else if (after < state.log.base) {
      state.questions.set(channel, { after, before });
      effects.push({ type: 'readLog', channel, after });
    } else {
      this.#answer(channel, { after, before }, []);
    }
  }

  /** False where nobody has asked for it on that channel. */
  onLogRead(channel: ChannelId, runs: readonly Run[] | undefined): boolean {
    const question = this.#peer.state.questions.get(channel);
    if (question === undefined) return false;
    this.#peer.state.questions.delete(channel);
    this.#answer(channel, question, runs ?? []);
    return true;
  }

  onClosed(channel: ChannelId): void {
    this.#peer.state.questions.delete(channel);
  }

  /** @param stored what the storage has given, the last of it perhaps in memory too. */
  #answer(channel: ChannelId, { after, before }: Question, stored: readonly Run[]): void {
    const { log, mending } = this.#peer.state;
    const answer = new Answer(after, before);
    for (const run of stored) answer.add(run);
    const last = stored[stored.length - 1];
    // The storage may have more than it gives at a time.
    const isPart = last !== undefined && lastZxidOf(last) < log.base;
    if (!isPart) {
      for (const run of log.runs(log.contains(after) ? after : log.base, log.lastZxid)) answer.add(run);
      if (mending !== undefined) for (const run of mending.salvage.runs) answer.add(run);
    }
    const { runs, isFull } = answer;
    this.#peer.effects.push({ type: 'sendToLearner', channel, message: { type: 'FOUND', runs, more: isPart || isFull, end: this.#end } });
  }

  /** Of what this store has, or had where it cannot be read; −1 where that is not known, or something was forgotten. */
  get #end(): Zxid {
    const { log, mending, damaged, durable } = this.#peer.state;
    if (!durable.marked || (damaged && mending === undefined)) return -1 as Zxid;
    return mending === undefined ? log.lastZxid : endOf(mending.salvage, log.lastZxid);
  }
}

/** Gathers what is asked for, in order, as far as there is room. */
class Answer {
  #after: Zxid;
  readonly #before: Zxid;
  readonly runs: Run[] = [];
  #bytes = 0;
  isFull = false;

  constructor(after: Zxid, before: Zxid) {
    this.#after = after;
    this.#before = before;
  }

  add({ zxid, payloads }: Run): void {
    const from = Math.max(0, this.#after + 1 - zxid);
    const end = Math.min(payloads.length, this.#before - zxid);
    let to = from;
    while (to < end && !this.isFull) {
      const { length } = payloads[to] as Uint8Array;
      if (this.#bytes > 0 && this.#bytes + length > ANSWER_BYTES_MAX) this.isFull = true;
      else to++;
      this.#bytes += length;
    }
    if (to <= from) return;
    const run = { zxid: (zxid + from) as Zxid, payloads: payloads.slice(from, to) };
    this.runs.push(run);
    this.#after = lastZxidOf(run);
  }
}
