/** The order of votes (class `FastLeaderElection.totalOrderPredicate`). */
import type { Vote } from './messages.js';

/** Negative where `a` is the lesser vote: by the epoch of its history, then the history's end, then the server's number. */
export function compareVotes(a: Vote, b: Vote): number {
  return a.peerEpoch - b.peerEpoch || a.zxid - b.zxid || a.leader - b.leader;
}

/** Whether two servers that are still looking want the same. */
export function sameVote(a: Vote, b: Vote): boolean {
  return a.leader === b.leader && a.zxid === b.zxid && a.peerEpoch === b.peerEpoch;
}

/**
 * What a server that has decided tells of its vote: with the leader's epoch as soon as that is known. Followers may have elected the same leader by
 * different votes, and must agree all the same when one that is looking asks them (ZOOKEEPER-1732, `QuorumPeer.updateElectionVote`).
 *
 * @param epoch 0 while it is not known.
 */
export function establishedVote(elected: Vote, epoch: number): Vote {
  return epoch === 0 ? elected : { ...elected, peerEpoch: epoch };
}

/**
 * Whether two servers that have decided follow the same leader. The zxid is left out, because a server that joined an
 * established leader learnt another one than those who elected it (ZOOKEEPER-1732, 1805).
 */
export function sameLeadership(a: Vote, b: Vote): boolean {
  return a.leader === b.leader && a.peerEpoch === b.peerEpoch;
}
