/** A vote by majority. */
import type { CallOptions, Client } from '@quorate/client';
import { Ballot, type BallotRule, type DecisionOptions } from './ballot.js';
import type { ZnodeOptions } from './parents.js';

/** How a voting has ended. The same for everybody who asks. */
export interface VotingOutcome {
  /** The choice of more than half; undefined where there is none. */
  readonly choice: string | undefined;
  /** Who has said what; exactly these were counted. */
  readonly votes: ReadonlyMap<string, string>;
  /** Whether time was up before the votes had decided: then more than half of those who have voted are enough. */
  readonly atDeadline: boolean;
}

/**
 * A vote of a known set of voters. It is decided, once and for all, as soon as more than half of all voters have made the same choice, or none can be that of more than half any
 * more; or by whoever waits no longer, from the votes that there are. Nobody votes twice, and who votes after the decision is told so.
 *
 * It leaves its znodes, so that everybody can read the outcome: remove them when nobody needs it. Votes change one znode one after the other, so this is for some hundreds
 * of voters at most.
 *
 * @example
 * const voting = new Voting(client, '/votings/rebalance-7');
 * await voting.open(['a', 'b', 'c']);
 * await voting.vote('a', 'yes');
 * const { choice } = await voting.outcome({ closeAfterMs: 5_000 });
 */
export class Voting {
  readonly path: string;
  readonly #ballot: Ballot;

  /** @throws ZooKeeperError BAD_ARGUMENTS for what is no path. */
  constructor(client: Client, path: string, options: ZnodeOptions = {}) {
    this.path = path;
    this.#ballot = new Ballot(client, path, majority, options);
  }

  /** Opens it. Who opens it again for the same voters changes nothing. @throws RecipeError CONFLICT where it is open for others; TypeError. */
  open(voters: readonly string[], options?: CallOptions): Promise<void> {
    return this.#ballot.open(voters, '', options);
  }

  /**
   * Votes, once. Saying the same again changes nothing.
   *
   * @throws RecipeError CONFLICT for who has no vote, has voted otherwise, or comes too late: the vote does not count then; ZooKeeperError NO_NODE where it is not open.
   */
  vote(voter: string, choice: string, options?: CallOptions): Promise<void> {
    return this.#ballot.cast(voter, choice, options);
  }

  /** Waits for the decision; after `closeAfterMs` it takes it. @throws the signal's reason; ZooKeeperError NO_NODE where it has to take it and it is not open. */
  async outcome(options?: DecisionOptions): Promise<VotingOutcome> {
    const { votes, decision } = await this.#ballot.decision(options);
    return { choice: decision.choice, votes: new Map(votes), atDeadline: decision.atDeadline };
  }
}

const majority: BallotRule = {
  decide(votes, voters) {
    const [first, count] = mostOf(votes);
    if (count * 2 > voters) return { choice: first };
    // All that may still come would not be enough.
    return (count + voters - votes.length) * 2 > voters ? undefined : {};
  },
  decideAtDeadline(votes) {
    const [first, count] = mostOf(votes);
    return count * 2 > votes.length ? { choice: first } : {};
  },
};

/** The choice that most have made, and how many. */
function mostOf(votes: readonly string[]): [choice: string, count: number] {
  const counts = new Map<string, number>();
  for (const choice of votes) counts.set(choice, (counts.get(choice) ?? 0) + 1);
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best), ['', 0]);
}
