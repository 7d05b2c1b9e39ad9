/** What the parts of a leader share: its record, its learners, and the way to them. */
import type { Sid } from './config.js';
import type { ChannelId } from './io.js';
import { type Learner, Learners } from './learners.js';
import type { Message, Vote } from './messages.js';
import type { Peer } from './peer.js';
import type { ReadBarrierState } from './read-barrier.js';

/**
 * DISCOVERY: a quorum's FOLLOWERINFO is awaited. PROMISING: the own acceptedEpoch is on its way to the storage. EPOCH: a quorum's ACKEPOCH is
 * awaited. SYNCHRONIZATION: a quorum's ACK(NEWLEADER) is. BROADCAST: txns are proposed. DRAINING: no more are, the last are being committed; then
 * PROMISING of another epoch follows, or HANDOVER: the successor has been told, and has not left yet.
 */
export type LeaderStage = 'DISCOVERY' | 'PROMISING' | 'EPOCH' | 'SYNCHRONIZATION' | 'BROADCAST' | 'DRAINING' | 'HANDOVER';

export interface TermState extends ReadBarrierState {
  /** The vote that was elected here. */
  readonly elected: Vote;
  stage: LeaderStage;
  /** The new epoch, from PROMISING on. */
  epoch: number;
  /** The epoch of the history with which it is begun. */
  historyEpoch: number;
  /** From the first BROADCAST on. */
  established: boolean;
  /** The application has been told to stop proposing; `paused` follows. */
  pausing: boolean;
  /** Whom the leadership is to go to: `to`, or anybody where that is undefined. */
  handOver: { readonly to: Sid | undefined } | undefined;
  /** In HANDOVER: who leads next. */
  successor: Sid;
  /** In SYNCHRONIZATION: orders of the lane that stand before the own currentEpoch; −1 once that is ordered. */
  historyOrders: number;
  readonly learners: Map<ChannelId, Learner>;
}

export function newTermState(elected: Vote): TermState {
  return {
    elected,
    stage: 'DISCOVERY',
    epoch: 0,
    historyEpoch: 0,
    established: false,
    pausing: false,
    handOver: undefined,
    successor: 0,
    historyOrders: 0,
    learners: new Map(),
    round: 0,
    syncs: [],
  };
}

export class Term {
  readonly peer: Peer;
  readonly state: TermState;
  readonly learners: Learners;

  constructor(peer: Peer, state: TermState) {
    this.peer = peer;
    this.state = state;
    this.learners = new Learners(peer.sid, peer.config, state.learners);
  }

  send({ channel }: Learner, message: Message): void {
    this.peer.effects.push({ type: 'sendToLearner', channel, message });
  }

  /** Takes a learner's channel; it will look and come back. */
  dismiss({ channel }: Learner): void {
    this.learners.remove(channel);
    this.peer.effects.push({ type: 'closeToLearner', channel });
  }

  /** Whether the config lets a learner vote, whether it came as one that does or not. */
  isVoter({ sid }: Learner): boolean {
    return this.peer.config.voters.includes(sid);
  }
}
