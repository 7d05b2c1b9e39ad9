/**
 * SYNCHRONIZATION, the leader's side: one learner is sent the leader's history (class `LearnerHandler`). It goes in pieces, each when the channel has
 * room for it, so that no heartbeat stands behind a whole snapshot or a long log. The last piece and what makes the learner one that is told of
 * everything are one step: nothing can be proposed or committed in between.
 */
import type { Zxid } from '@quorate/protocol';
import type { Input } from './io.js';
import type { Learner } from './learners.js';
import { lastZxidOf, type Run } from './log.js';
import type { Message } from './messages.js';
import type { Peer } from './peer.js';
import { planSync } from './sync-plan.js';
import type { Term } from './term.js';

/** How much of the log in memory goes at a time, in bytes of payload; one txn may be larger. */
const PIECE_BYTES_MAX = 64 * 1024;

export class HistorySender {
  readonly #term: Term;
  readonly #peer: Peer;

  constructor(term: Term) {
    this.#term = term;
    this.#peer = term.peer;
  }

  /** The learner has told what it has. */
  begin(learner: Learner): void {
    learner.planned = false;
    const plan = planSync(this.#peer.state.log, learner.lastZxid);
    if (plan.mode === 'SNAP') return this.#beginSnapshot(learner);
    learner.stage = 'LOG';
    learner.sent = plan.from;
    if (plan.mode !== 'LOG') this.#plan(learner, plan.mode === 'DIFF' ? { type: 'DIFF' } : { type: 'TRUNC', zxid: plan.from });
    this.#sendNext(learner);
  }

  /** The channel has room for the next piece. */
  onRoom(learner: Learner): void {
    if (learner.stage === 'SNAPSHOT') this.#peer.effects.push({ type: 'readSnapshot', channel: learner.channel });
    else if (learner.stage === 'LOG') this.#sendNext(learner);
  }

  // A snapshot

  #beginSnapshot(learner: Learner): void {
    learner.stage = 'SNAPSHOT';
    this.#peer.effects.push({ type: 'readSnapshot', channel: learner.channel });
  }

  onSnapshotRead(learner: Learner, { zxid, bytes, last }: Input & { readonly type: 'snapshotRead' }): void {
    if (learner.stage !== 'SNAPSHOT') return;
    if (!learner.planned) this.#plan(learner, { type: 'SNAP', zxid });
    this.#term.send(learner, { type: 'PIECE', bytes, last });
    if (last) {
      learner.stage = 'LOG';
      learner.sent = zxid;
    }
    this.#awaitRoom(learner);
  }

  // The log: on the storage up to where it begins in memory, then from there

  onLogRead(learner: Learner, runs: readonly Run[] | undefined): void {
    if (learner.stage !== 'LOG') return;
    if (runs === undefined || runs.length === 0) {
      // Nothing of it has been sent yet, or the storage has dropped the rest meanwhile.
      if (learner.planned) this.#term.dismiss(learner);
      else this.#beginSnapshot(learner);
      return;
    }
    if (!learner.planned) this.#plan(learner, { type: 'DIFF' });
    for (const run of runs) {
      // From its base on the log in memory is asked: there it is known what is committed.
      const part = upTo(run, this.#peer.state.log.base);
      if (part === undefined) break;
      this.#term.send(learner, { type: 'PROPOSAL', run: part });
      learner.sent = lastZxidOf(part);
    }
    this.#awaitRoom(learner);
  }

  #sendNext(learner: Learner): void {
    const { log, lastCommitted } = this.#peer.state;
    if (!log.contains(learner.sent)) {
      this.#peer.effects.push({ type: 'readLog', channel: learner.channel, after: learner.sent });
      return;
    }
    // An observer of an established leader gets what is committed, everybody else all that there is.
    const toCommitted = learner.observes && this.#term.state.established;
    const through = toCommitted ? (Math.max(lastCommitted, learner.sent) as Zxid) : log.lastZxid;
    const next = log.reach(learner.sent, through, PIECE_BYTES_MAX);
    for (const run of log.runs(learner.sent, next)) this.#term.send(learner, { type: 'PROPOSAL', run });
    learner.sent = next;
    if (next === through) this.#finish(learner);
    else this.#awaitRoom(learner);
  }

  /** From now on the learner is told of everything that is proposed, an observer of everything that is committed (ZooKeeper: startForwarding). */
  #finish(learner: Learner): void {
    this.#term.send(learner, { type: 'COMMIT', zxid: this.#peer.state.lastCommitted });
    this.#term.send(learner, { type: 'NEWLEADER', epoch: this.#term.state.epoch });
    learner.stage = 'SYNCHRONIZING';
  }

  #plan(learner: Learner, message: Message): void {
    learner.planned = true;
    this.#term.send(learner, message);
  }

  #awaitRoom(learner: Learner): void {
    this.#peer.effects.push({ type: 'awaitRoom', channel: learner.channel });
  }
}

/** The part of a run that is not above `zxid`; undefined where there is none. */
function upTo(run: Run, zxid: Zxid): Run | undefined {
  if (lastZxidOf(run) <= zxid) return run;
  return run.zxid > zxid ? undefined : { zxid: run.zxid, payloads: run.payloads.slice(0, zxid - run.zxid + 1) };
}
