/** A commit of several participants: all of them, or none. */
import type { CallOptions, Client, Data } from '@quorate/client';
import { Ballot, type BallotRule, type DecisionOptions } from './ballot.js';
import type { ZnodeOptions } from './parents.js';

/** What a participant says, and what becomes of all. */
export type CommitChoice = 'COMMIT' | 'ABORT';

/**
 * One transaction of a coordinator and its participants. It commits once all participants have said COMMIT, and aborts once one has said ABORT, or somebody has waited long enough.
 *
 * Who has said COMMIT must be able to do either until he knows the outcome. The outcome stands in ZooKeeper from the vote on that decides it, so a coordinator that dies blocks
 * nobody: another process goes on with the same path, and a participant may wait with `closeAfterMs` too, which aborts what is not decided by then. A participant that
 * dies reads the outcome when it is back. The znodes stay until somebody removes them, which is right when all participants have acted on the outcome.
 *
 * @example
 * // The coordinator:
 * const transfer = new TwoPhaseCommit(client, '/transfers/17');
 * await transfer.propose(['bank-a', 'bank-b'], JSON.stringify({ amount: 5 }));
 * const outcome = await transfer.outcome({ closeAfterMs: 10_000 });
 * // Each participant:
 * const ready = await prepare(await transfer.proposal());
 * await transfer.vote('bank-a', ready ? 'COMMIT' : 'ABORT');
 * if ((await transfer.outcome()) === 'COMMIT') await commit(); else await rollBack();
 */
export class TwoPhaseCommit {
  readonly path: string;
  readonly #ballot: Ballot;

  /** @throws ZooKeeperError BAD_ARGUMENTS for what is no path. */
  constructor(client: Client, path: string, options: ZnodeOptions = {}) {
    this.path = path;
    this.#ballot = new Ballot(client, path, unanimity, options);
  }

  /** Begins it. The same proposal to the same participants again changes nothing. @throws RecipeError CONFLICT where another one stands there; TypeError. */
  propose(participants: readonly string[], proposal: Data, options?: CallOptions): Promise<void> {
    return this.#ballot.open(participants, proposal, options);
  }

  /** Waits for the proposal. */
  proposal(options?: CallOptions): Promise<Uint8Array> {
    return this.#ballot.subject(options);
  }

  /**
   * Says what a participant can do, once. Saying the same again changes nothing.
   *
   * @throws RecipeError CONFLICT for who is no participant, has said something else, or comes after the decision, which is ABORT then; ZooKeeperError NO_NODE before the proposal.
   */
  vote(participant: string, choice: CommitChoice, options?: CallOptions): Promise<void> {
    return this.#ballot.cast(participant, choice, options);
  }

  /** Waits for the decision; after `closeAfterMs` it aborts what is not decided. @throws the signal's reason. */
  async outcome(options?: DecisionOptions): Promise<CommitChoice> {
    const { decision } = await this.#ballot.decision(options);
    return decision.choice as CommitChoice;
  }
}

const unanimity: BallotRule = {
  decide(votes, participants) {
    if (votes.includes('ABORT')) return { choice: 'ABORT' };
    return votes.length === participants ? { choice: 'COMMIT' } : undefined;
  },
  decideAtDeadline: () => ({ choice: 'ABORT' }),
};
