/** The learners of a leader, and what it knows of each (class `LearnerHandler`, as a record). */
import type { Zxid } from '@quorate/protocol';
import { type Config, hasQuorum, quorumValue, type Sid } from './config.js';
import type { ChannelId } from './io.js';

/**
 * How far a learner has come in the present epoch. OPENED: nothing has come. INFORMED: FOLLOWERINFO has. INVITED: LEADERINFO is sent. PROMISED: ACKEPOCH
 * has come. SNAPSHOT: it is being sent one. LOG: it is being sent what the storage has. SYNCHRONIZING: it has been sent the history and gets everything
 * that is proposed. SYNCHRONIZED: it has acknowledged NEWLEADER. Who follows into the next epoch is INFORMED again.
 */
export type LearnerStage = 'OPENED' | 'INFORMED' | 'INVITED' | 'PROMISED' | 'SNAPSHOT' | 'LOG' | 'SYNCHRONIZING' | 'SYNCHRONIZED';

export interface Learner {
  readonly sid: Sid;
  readonly channel: ChannelId;
  stage: LearnerStage;
  acceptedEpoch: number;
  /** Whether its ACKEPOCH counts for the quorum. */
  promised: boolean;
  /** The end of its history, from ACKEPOCH. */
  lastZxid: Zxid;
  /** The last zxid that it has acknowledged in this epoch; counter 0 is NEWLEADER. */
  acked: Zxid;
  /** The last round of heartbeats that it has answered. */
  round: number;
  /** Whether UPTODATE was sent to it, in this epoch or in an earlier one of this leader's: its requests are taken. */
  serves: boolean;
  /** Whether it came as one without a vote: it is told of what is committed, and of no more. */
  observes: boolean;
  /** Whether quorums count it. A voter that came without a vote is counted from the first epoch on that was begun after it came. */
  counts: boolean;
  /** Whether DIFF, TRUNC or SNAP was sent to it in this epoch. */
  planned: boolean;
  /** In LOG: the last txn that it was sent. An observer: the last one that it has or was told of. */
  sent: Zxid;
  /** Half ticks since it was last heard. */
  silentHalfTicks: number;
}

/** Whether a learner is told of what happens: from the moment at which its history was sent. */
export function isForwarded({ stage }: Learner): boolean {
  return stage === 'SYNCHRONIZING' || stage === 'SYNCHRONIZED';
}

export function isSynchronized({ stage }: Learner): boolean {
  return stage === 'SYNCHRONIZED';
}

/** Whether a learner has been invited to this epoch and is not through with its history. */
export function isJoining({ stage }: Learner): boolean {
  return stage === 'INVITED' || stage === 'PROMISED' || stage === 'SNAPSHOT' || stage === 'LOG' || stage === 'SYNCHRONIZING';
}

/** Questions about every open learner channel. Quorums count the leader itself, which has no channel. */
export class Learners {
  readonly #self: Sid;
  readonly #config: Config;
  readonly #byChannel: Map<ChannelId, Learner>;
  /** The same in an array, made anew when one comes or goes: it is gone through with every message. */
  #all: readonly Learner[];
  /** For `reachedByQuorum`: what each voter has reached. */
  readonly #values: Float64Array;

  constructor(self: Sid, config: Config, byChannel: Map<ChannelId, Learner>) {
    this.#self = self;
    this.#config = config;
    this.#byChannel = byChannel;
    this.#all = [...byChannel.values()];
    this.#values = new Float64Array(config.voters.length);
  }

  /** All of them, as they are now. */
  get all(): readonly Learner[] {
    return this.#all;
  }

  at(channel: ChannelId): Learner | undefined {
    return this.#byChannel.get(channel);
  }

  /** The learner of that number: of its channels the one, at most, on which it has said that it follows. */
  of(sid: Sid): Learner | undefined {
    for (const learner of this.#all) if (learner.sid === sid && learner.stage !== 'OPENED') return learner;
    return undefined;
  }

  add(sid: Sid, channel: ChannelId): Learner {
    const learner: Learner = {
      sid,
      channel,
      stage: 'OPENED',
      acceptedEpoch: 0,
      promised: false,
      lastZxid: 0 as Zxid,
      acked: -1 as Zxid,
      round: 0,
      serves: false,
      observes: false,
      counts: false,
      planned: false,
      sent: 0 as Zxid,
      silentHalfTicks: 0,
    };
    this.#byChannel.set(channel, learner);
    this.#all = [...this.#byChannel.values()];
    return learner;
  }

  remove(channel: ChannelId): boolean {
    const was = this.#byChannel.delete(channel);
    this.#all = [...this.#byChannel.values()];
    return was;
  }

  some(isMeant: (learner: Learner) => boolean): boolean {
    for (const learner of this.#all) if (isMeant(learner)) return true;
    return false;
  }

  /** Whether the leader and the learners of which this is true are a quorum. */
  quorumOf(isCounted: (learner: Learner) => boolean): boolean {
    const counted = new Set([this.#self]);
    for (const learner of this.#all) if (learner.counts && isCounted(learner)) counted.add(learner.sid);
    return hasQuorum(this.#config, (sid) => counted.has(sid));
  }

  /** The highest value that a quorum has reached: the leader by `own`, each learner by `valueOf`, a voter without a channel by nothing. */
  reachedByQuorum(own: number, valueOf: (learner: Learner) => number): number {
    const { voters } = this.#config;
    for (let i = 0; i < voters.length; i++) {
      const sid = voters[i] as Sid;
      const learner = this.of(sid);
      if (sid === this.#self) this.#values[i] = own;
      else this.#values[i] = learner?.counts === true ? valueOf(learner) : Number.NEGATIVE_INFINITY;
    }
    return quorumValue(this.#config, this.#values);
  }
}
