/** The learners of a leader, and what it knows of each (class `LearnerHandler`, as a record). */
import type { Zxid } from '@quorate/protocol';
import { type Config, hasQuorum, quorumValue, type Sid } from './config.js';
import type { ChannelId } from './io.js';

/**
 * How far a learner has come. OPENED: nothing has come. INFORMED: FOLLOWERINFO has. INVITED: LEADERINFO is sent. PROMISED: ACKEPOCH has come.
 * SNAPSHOT: one is being taken for it. SYNCHRONIZING: it has been sent the history and gets everything that is proposed. SYNCHRONIZED: it has
 * acknowledged NEWLEADER.
 */
export type LearnerStage = 'OPENED' | 'INFORMED' | 'INVITED' | 'PROMISED' | 'SNAPSHOT' | 'SYNCHRONIZING' | 'SYNCHRONIZED';

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
  /** Whether it came as an observer: it is told of what is committed, and of no more. */
  observes: boolean;
  /** An observer: the last txn that it was sent. */
  sent: Zxid;
  /** Half ticks since it was last heard. */
  silentHalfTicks: number;
}

/** Whether a learner is told of what happens: from the moment at which its history was sent. */
export function isForwarded({ stage }: Learner): boolean {
  return stage === 'SYNCHRONIZING' || stage === 'SYNCHRONIZED';
}

/** Questions about every open learner channel. Quorums count the leader itself, which has no channel. */
export class Learners {
  readonly #self: Sid;
  readonly #config: Config;
  readonly #byChannel: Map<ChannelId, Learner>;

  constructor(self: Sid, config: Config, byChannel: Map<ChannelId, Learner>) {
    this.#self = self;
    this.#config = config;
    this.#byChannel = byChannel;
  }

  [Symbol.iterator](): IterableIterator<Learner> {
    return this.#byChannel.values();
  }

  at(channel: ChannelId): Learner | undefined {
    return this.#byChannel.get(channel);
  }

  /** The learner of that number, which has one channel. */
  of(sid: Sid): Learner | undefined {
    for (const learner of this.#byChannel.values()) if (learner.sid === sid) return learner;
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
      observes: false,
      sent: 0 as Zxid,
      silentHalfTicks: 0,
    };
    this.#byChannel.set(channel, learner);
    return learner;
  }

  remove(channel: ChannelId): boolean {
    return this.#byChannel.delete(channel);
  }

  /** Whether the leader and the learners of which this is true are a quorum. */
  quorumOf(isCounted: (learner: Learner) => boolean): boolean {
    const counted = new Set([this.#self]);
    for (const learner of this.#byChannel.values()) if (!learner.observes && isCounted(learner)) counted.add(learner.sid);
    return hasQuorum(this.#config, (sid) => counted.has(sid));
  }

  /** The highest value that a quorum has reached: the leader by `own`, each learner by `valueOf`, a voter without a channel by nothing. */
  reachedByQuorum(own: number, valueOf: (learner: Learner) => number): number {
    return quorumValue(this.#config, (sid) => {
      if (sid === this.#self) return own;
      const learner = this.of(sid);
      return learner === undefined || learner.observes ? Number.NEGATIVE_INFINITY : valueOf(learner);
    });
  }
}
