import { makeZxid, type Zxid } from '@quorate/protocol';
import type { Effect, Group, Message, Notification, Run, ServerState, Sid, Snapshot } from '@quorate/zab';
import { Verdict } from '../../src/check/verdict.ts';
import { ZabChecker } from '../../src/check/zab-checker.ts';

/** A run whose payloads say their zxids. */
export function run(epoch: number, counter: number, length = 1): Run {
  const payloads = Array.from({ length }, (_, i) => Uint8Array.of(epoch, counter + i));
  return { zxid: makeZxid(epoch, counter), payloads };
}

/** A snapshot whose bytes are made of its zxid and of what may differ. */
export function snapshot(epoch: number, counter: number, difference = 0): Snapshot {
  return { zxid: makeZxid(epoch, counter), pieces: [Uint8Array.of(epoch, counter), Uint8Array.of(difference)] };
}

function notification(state: ServerState, leader: Sid, electionEpoch: number): Notification {
  return { state, electionEpoch, vote: { leader, zxid: makeZxid(0, 0), peerEpoch: 0 } };
}

/** Plays an ensemble of three by hand: what servers do, told to the checker as the simulator would. */
export class ZabScript {
  readonly verdict = new Verdict();
  readonly checker: ZabChecker;
  #channels = 0;

  constructor({ epochTxnsMax, groups }: { readonly epochTxnsMax?: number; readonly groups?: readonly Group[] } = {}) {
    const config = { version: 0, voters: [1, 2, 3], ...(groups !== undefined && { groups }) };
    this.checker = new ZabChecker({ config, verdict: this.verdict, clockOf: () => 0, epochTxnsMax });
  }

  get property(): string | undefined {
    return this.verdict.violation?.property;
  }

  effect(sid: Sid, effect: Effect): void {
    this.checker.onEffect(sid, effect);
  }

  // The election

  looks(sid: Sid): void {
    this.effect(sid, { type: 'status', status: { state: 'LOOKING', leader: undefined, epoch: 0, serving: false, votes: true } });
  }

  says(sid: Sid, state: ServerState, leader: Sid, electionEpoch: number): void {
    this.effect(sid, { type: 'notify', to: 9, notification: notification(state, leader, electionEpoch) });
  }

  hears(sid: Sid, from: Sid, state: ServerState, leader: Sid, electionEpoch: number): void {
    this.checker.onInput(sid, { type: 'notification', from, notification: notification(state, leader, electionEpoch) });
  }

  follows(sid: Sid, leader: Sid): void {
    const state = sid === leader ? 'LEADING' : 'FOLLOWING';
    this.effect(sid, { type: 'status', status: { state, leader, epoch: 0, serving: false, votes: true } });
  }

  // The disk

  flushAccepted(sid: Sid, epoch: number): void {
    this.checker.onFlushed(sid, { type: 'saveAcceptedEpoch', epoch });
  }

  flushCurrent(sid: Sid, epoch: number): void {
    this.checker.onFlushed(sid, { type: 'saveCurrentEpoch', epoch });
  }

  flush(sid: Sid, ...runs: Run[]): void {
    for (const one of runs) this.checker.onFlushed(sid, { type: 'append', run: one });
  }

  // The history

  append(sid: Sid, ...runs: Run[]): void {
    for (const one of runs) this.effect(sid, { type: 'append', run: one });
  }

  /** Orders and flushes. */
  store(sid: Sid, ...runs: Run[]): void {
    this.append(sid, ...runs);
    this.flush(sid, ...runs);
  }

  propose(sid: Sid, proposed: Run): Run {
    this.checker.onInput(sid, { type: 'propose', payloads: proposed.payloads });
    this.append(sid, proposed);
    return proposed;
  }

  deliver(sid: Sid, ...runs: Run[]): void {
    for (const one of runs) this.effect(sid, { type: 'deliver', run: one });
  }

  truncate(sid: Sid, zxid: Zxid): void {
    this.effect(sid, { type: 'truncate', zxid });
    this.checker.onFlushed(sid, { type: 'truncate', zxid });
  }

  install(sid: Sid, installed: Snapshot, ...runs: Run[]): void {
    this.effect(sid, { type: 'installSnapshot', snapshot: installed, runs });
    this.checker.onFlushed(sid, { type: 'installSnapshot', snapshot: installed, runs });
  }

  // Discovery and synchronization

  /** Opens a channel from a learner to a leader; its number is the same on both sides. */
  connect(learner: Sid, leader: Sid): number {
    const channel = ++this.#channels;
    this.effect(learner, { type: 'openToLeader', to: leader, channel });
    this.checker.onInput(leader, { type: 'learnerOpened', from: learner, channel });
    return channel;
  }

  introduce(leader: Sid, channel: number, type: 'FOLLOWERINFO' | 'OBSERVERINFO'): void {
    this.checker.onInput(leader, { type: 'learnerMessage', channel, message: { type, acceptedEpoch: 0, ensembleId: 'test' } });
  }

  toLeader(sid: Sid, channel: number, message: Message): void {
    this.effect(sid, { type: 'sendToLeader', channel, message });
  }

  toLearner(sid: Sid, channel: number, message: Message): void {
    this.effect(sid, { type: 'sendToLearner', channel, message });
  }

  invite(learner: Sid, channel: number, epoch: number): void {
    this.checker.onInput(learner, { type: 'leaderMessage', channel, message: { type: 'LEADERINFO', epoch, ensembleId: 'test' } });
  }

  /** A learner's promise, its disk first. */
  promise(learner: Sid, leader: Sid, epoch: number): number {
    const channel = this.connect(learner, leader);
    this.invite(learner, channel, epoch);
    this.flushAccepted(learner, epoch);
    this.toLeader(learner, channel, { type: 'ACKEPOCH', currentEpoch: 0, lastZxid: 0 as Zxid });
    return channel;
  }

  /** A learner that takes over a history which it has already, and acknowledges it. */
  synchronize(learner: Sid, leader: Sid, epoch: number): number {
    const channel = this.promise(learner, leader, epoch);
    this.toLearner(leader, channel, { type: 'NEWLEADER', epoch });
    this.flushCurrent(learner, epoch);
    this.toLeader(learner, channel, { type: 'ACK', zxid: makeZxid(epoch, 0) });
    return channel;
  }

  serve(leader: Sid, epoch: number): void {
    this.effect(leader, { type: 'status', status: { state: 'LEADING', leader, epoch, serving: true, votes: true } });
  }

  /** A leader whose learners have its history already is established. */
  establish(leader: Sid, epoch: number, ...learners: Sid[]): number[] {
    this.flushAccepted(leader, epoch);
    const channels = learners.map((learner) => this.synchronize(learner, leader, epoch));
    this.flushCurrent(leader, epoch);
    this.serve(leader, epoch);
    return channels;
  }

  /** A leader that has a txn stored by itself and one learner, delivered by both. */
  commit(leader: Sid, learner: Sid, proposed: Run): Run {
    this.propose(leader, proposed);
    this.flush(leader, proposed);
    this.store(learner, proposed);
    this.deliver(leader, proposed);
    this.deliver(learner, proposed);
    return proposed;
  }

  /** A life ends, and the next one reads what was flushed. */
  restart(sid: Sid, image: Partial<Parameters<ZabChecker['onRecovered']>[1]> = {}): void {
    this.checker.onDown(sid);
    this.checker.onRecovered(sid, {
      ...{ acceptedEpoch: 0, currentEpoch: 0, snapshot: undefined, runs: [], mark: { ensembleId: 'test' } },
      ...image,
    });
  }
}
