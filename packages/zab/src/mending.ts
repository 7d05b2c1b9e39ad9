/**
 * A server with a damaged store asks the others for what it lacks, one after the other, while it looks for a leader (docs/decisions/0025). It has its vote back when all of it is
 * there, proven by the chains that its store has kept, and durable; a leader that is found before ends this.
 *
 * Nobody is believed: an answer counts where it is what stood in the gap, and whether something stood behind the end of the log is asked of so many that no quorum can have had it
 * with this server and without one of them.
 */
import type { Zxid } from '@quorate/protocol';
import { hasQuorum, type Sid } from './config.js';
import type { ChannelId, TimerName } from './io.js';
import { endOf, isProven, type MendingState, mended } from './mending-state.js';
import type { Message } from './messages.js';
import type { Peer } from './peer.js';
import { backOffMs } from './timing.js';

export class Mending {
  readonly #peer: Peer;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** Undefined where there is nothing to mend, or nothing more to ask. */
  get #state(): MendingState | undefined {
    const { mending } = this.#peer.state;
    return mending?.ordered === false ? mending : undefined;
  }

  get #others(): readonly Sid[] {
    const { voters, observers = [] } = this.#peer.config;
    return [...voters, ...observers].filter((sid) => sid !== this.#peer.sid);
  }

  begin(): void {
    const state = this.#state;
    if (state === undefined) return;
    this.#mendWhereComplete(state);
    if (!state.ordered) this.#ask(state);
  }

  end(): void {
    const { mending } = this.#peer.state;
    if (mending === undefined) return;
    this.#peer.cancelTimer('mend');
    this.#close(mending);
  }

  onTimer(name: TimerName): void {
    const state = this.#state;
    if (name !== 'mend' || state === undefined) return;
    // The pause is over, or whoever was asked does not answer.
    if (state.channel === undefined) this.#ask(state);
    else this.#goOn(state);
  }

  onClosed(channel: ChannelId): void {
    const state = this.#state;
    if (state?.channel === channel) this.#goOn(state);
  }

  onMessage(channel: ChannelId, message: Message): void {
    const state = this.#state;
    if (state === undefined || state.channel !== channel) return;
    if (message.type !== 'FOUND' || !this.#take(state, message)) return this.#goOn(state);
    this.#mendWhereComplete(state);
    if (state.ordered) return;
    if (state.gap < state.salvage.gaps.length) this.#send(state);
    else this.#goOn(state);
  }

  /** False for an answer to another question. */
  #take(state: MendingState, { runs, more, end }: Message & { readonly type: 'FOUND' }): boolean {
    const { gaps } = state.salvage;
    const gap = gaps[state.gap];
    // What it has got since cannot have this server's acknowledgement.
    const before = state.ends.get(this.#asked(state)) ?? end;
    if (end >= 0) state.ends.set(this.#asked(state), end < before ? end : before);
    for (const { zxid, payloads } of runs) {
      if (gap === undefined || zxid <= state.after || zxid + payloads.length > gap.before) return false;
      for (let i = 0; i < payloads.length; i++) state.found[state.gap]?.set((zxid + i) as Zxid, payloads[i] as Uint8Array);
      state.after = (zxid + payloads.length - 1) as Zxid;
    }
    if (more && runs.length > 0) return true;
    if (gap !== undefined) state.closed[state.gap] = isProven(gap, state.found[state.gap] as ReadonlyMap<Zxid, Uint8Array>);
    this.#toGap(state, state.gap + 1);
    return true;
  }

  #mendWhereComplete(state: MendingState): void {
    if (state.closed.includes(false) || !this.#endIsKnown(state)) return;
    const runs = mended(state, this.#peer.state.log.lastZxid);
    // What the store has contradicts itself: it stays as it is.
    if (runs === undefined) return;
    state.ordered = true;
    this.end();
    this.#peer.mend(runs);
  }

  /** Nobody has anything behind the end of this store's history, of so many that without them this server is in no quorum. */
  #endIsKnown({ salvage, ends }: MendingState): boolean {
    const { config, sid, state } = this.#peer;
    const own = endOf(salvage, state.log.lastZxid);
    const mayHaveMore = (other: Sid): boolean => other === sid || (ends.get(other) ?? Number.POSITIVE_INFINITY) > own;
    return salvage.endIsKnown || !hasQuorum(config, mayHaveMore);
  }

  // Whom to ask, and when

  #asked({ asked }: MendingState): Sid {
    const others = this.#others;
    return others[asked % others.length] as Sid;
  }

  /** Opens a channel to the next one. */
  #ask(state: MendingState): void {
    if (this.#others.length === 0) return;
    state.channel = ++this.#peer.state.channelsOpened;
    this.#peer.effects.push({ type: 'openToLeader', to: this.#asked(state), channel: state.channel });
    this.#toGap(state, 0);
    this.#send(state);
  }

  #toGap(state: MendingState, from: number): void {
    state.gap = from;
    while (state.closed[state.gap] === true) state.gap++;
    state.after = state.salvage.gaps[state.gap]?.after ?? endOf(state.salvage, this.#peer.state.log.lastZxid);
  }

  /** Asks for what is left of a gap; where none is open, for nothing but the end. */
  #send({ salvage, after, gap, channel }: MendingState): void {
    const { ensembleId } = this.#peer.state;
    if (channel === undefined) return;
    const before = salvage.gaps[gap]?.before ?? ((after + 1) as Zxid);
    this.#peer.effects.push({ type: 'sendToLeader', channel, message: { type: 'MEND', ensembleId, after, before } });
    this.#peer.setTimer('mend', this.#peer.timing.tickTimeMs);
  }

  /** Turns to the next one; after each round with a pause. */
  #goOn(state: MendingState): void {
    const { length } = this.#others;
    this.#close(state);
    state.asked++;
    const round = Math.floor(state.asked / length);
    // Somebody may have had what others have cut off: in every second round the answers of each are taken alone.
    if (round % 2 === 1 || state.asked % length === 0) for (const [i, found] of state.found.entries()) if (!state.closed[i]) found.clear();
    if (state.asked % length === 0) this.#peer.setTimer('mend', backOffMs(this.#peer.timing, round));
    else this.#ask(state);
  }

  #close(state: MendingState): void {
    if (state.channel === undefined) return;
    this.#peer.effects.push({ type: 'closeToLeader', channel: state.channel });
    state.channel = undefined;
  }
}
