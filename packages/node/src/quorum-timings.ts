/** What a leader and its learners send one another, and how long it takes. Under the names of ZooKeeper's `ServerMetrics`, in milliseconds. */
import type { Zxid } from '@quorate/protocol';
import type { ServerOptions, Sid } from '@quorate/server';
import { Counter, type Registry, type Summary } from 'prom-client';
import { observedSummary } from './summaries.js';

export type ReplicaInput = Parameters<NonNullable<ServerOptions['onInput']>>[0];
export type ReplicaEffect = Parameters<NonNullable<ServerOptions['onEffect']>>[0];
type Run = (ReplicaEffect & { readonly type: 'append' })['run'];
type Message = (ReplicaEffect & { readonly type: 'sendToLearner' })['message'];

/** Runs that were proposed and wait for a quorum, at most; those beyond are not measured. */
const WAITING_MAX = 10_000;

interface Proposed {
  /** The last txn of the run. */
  readonly zxid: Zxid;
  readonly atMs: number;
}

interface Learner {
  readonly sid: Sid;
  /** The run whose ACK is measured: one at a time, so that a learner that answers nothing costs nothing. */
  awaited: Proposed | undefined;
}

export class QuorumTimings {
  readonly #quorums: Summary;
  readonly #acks: Summary<'key'>;
  readonly #proposals: Counter;
  readonly #commits: Counter;
  readonly #diffs: Counter;
  readonly #snaps: Counter;
  readonly #revalidations: Counter;
  readonly #proposalsReceived: Counter;
  readonly #commitsReceived: Counter;
  readonly #learners = new Map<number, Learner>();
  #isLeading = false;
  #waiting: Proposed[] = [];

  constructor(registry: Registry) {
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers: [registry] });
    const until = 'from the proposal of txns until';
    this.#quorums = observedSummary(registry, 'quorum_ack_latency', `leader: ${until} a quorum has them, in milliseconds`);
    this.#acks = observedSummary(
      registry,
      'ack_latency',
      `leader: ${until} the server of this sid says that it has them, in milliseconds`,
      ['key'],
    );
    this.#proposals = counter('proposal_count', 'leader: txns that were proposed');
    this.#commits = counter('commit_count', 'leader: txns that were committed');
    this.#diffs = counter('diff_count', 'leader: learners that were given what they lacked as txns, or told to drop some');
    this.#snaps = counter('snap_count', 'leader: learners that were given a snapshot');
    this.#revalidations = counter('revalidate_count', 'leader: questions of learners about sessions');
    this.#proposalsReceived = counter('learner_proposal_received_count', 'learner: txns that the leader has proposed');
    this.#commitsReceived = counter('learner_commit_received_count', 'learner: txns that the leader has committed');
  }

  set isLeading(isLeading: boolean) {
    this.#isLeading = isLeading;
    if (isLeading) return;
    this.#waiting = [];
    for (const learner of this.#learners.values()) learner.awaited = undefined;
  }

  onInput(input: ReplicaInput, nowMs: () => number): void {
    switch (input.type) {
      case 'propose':
        this.#proposals.inc(input.payloads.length);
        return;
      case 'learnerOpened':
        this.#learners.set(input.channel, { sid: input.from, awaited: undefined });
        return;
      case 'learnerClosed':
        this.#learners.delete(input.channel);
        return;
      case 'learnerMessage':
        if (input.message.type === 'ACK') this.#onAck(this.#learners.get(input.channel), input.message.zxid, nowMs);
        return;
      case 'leaderMessage':
        if (input.message.type === 'PROPOSAL') this.#proposalsReceived.inc(input.message.run.payloads.length);
        return;
      default:
    }
  }

  onEffect(effect: ReplicaEffect, nowMs: () => number): void {
    switch (effect.type) {
      case 'append':
        if (this.#isLeading) this.#onAppend({ zxid: lastOf(effect.run), atMs: nowMs() });
        return;
      case 'deliver':
        if (this.#isLeading) this.#onCommit(effect.run, nowMs());
        else this.#commitsReceived.inc(effect.run.payloads.length);
        return;
      case 'sendToLearner':
        this.#onSent(effect.message);
        return;
      case 'revalidate':
        if (this.#isLeading) this.#revalidations.inc();
        return;
      default:
    }
  }

  #onAppend(proposed: Proposed): void {
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(proposed);
    for (const learner of this.#learners.values()) learner.awaited ??= proposed;
  }

  #onAck(learner: Learner | undefined, zxid: Zxid, nowMs: () => number): void {
    if (learner?.awaited === undefined || zxid < learner.awaited.zxid) return;
    this.#acks.observe({ key: learner.sid }, nowMs() - learner.awaited.atMs);
    learner.awaited = undefined;
  }

  #onCommit(run: Run, nowMs: number): void {
    this.#commits.inc(run.payloads.length);
    const through = lastOf(run);
    let committed = 0;
    for (const { zxid, atMs } of this.#waiting) {
      if (zxid > through) break;
      this.#quorums.observe(nowMs - atMs);
      committed++;
    }
    if (committed > 0) this.#waiting.splice(0, committed);
  }

  #onSent({ type }: Message): void {
    if (type === 'DIFF' || type === 'TRUNC') this.#diffs.inc();
    else if (type === 'SNAP') this.#snaps.inc();
  }
}

function lastOf({ zxid, payloads }: Run): Zxid {
  return (zxid + payloads.length - 1) as Zxid;
}
