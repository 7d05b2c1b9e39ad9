/** Decisions of several: votings and two-phase commits. */
import { type CommitChoice, isRecipeError, TwoPhaseCommit, Voting, type VotingOutcome } from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { between, chance, millis, pick } from '../world/random-streams.js';

export const decisionScenarios: readonly Scenario[] = [
  { name: 'voting', play: playVoting },
  { name: 'two-phase-commit', play: playTwoPhaseCommit },
];

const ROUNDS = 3;

/** What is known of a round, over all lives of all processes. */
interface Round<Outcome> {
  readonly path: string;
  /** What each has said, once that was acknowledged. */
  readonly said: Map<string, string>;
  /** What each was about to say, acknowledged or not: `name choice`. */
  readonly tried: Set<string>;
  readonly outcomes: Outcome[];
}

function rounds<Outcome>(directory: string): Round<Outcome>[] {
  return Array.from({ length: ROUNDS }, (_, i) => ({ path: `${directory}/${i}`, said: new Map(), tried: new Set(), outcomes: [] }));
}

/** Says something; gives whether it counts. Who has said something else in an earlier life is told so, and so is who is late. */
async function say(stage: Stage, said: Map<string, string>, who: string, choice: string, cast: () => Promise<void>): Promise<void> {
  try {
    await cast();
    const before = said.get(who);
    if (before !== undefined && before !== choice) stage.fail('OneVote', `${who} has said ${before} and ${choice}`);
    said.set(who, choice);
  } catch (error) {
    if (!isRecipeError(error, 'CONFLICT')) throw error;
    stage.seen('vote refused');
  }
}

async function playVoting(stage: Stage): Promise<void> {
  const voters = ['a', 'b', 'c', 'd', 'e'].slice(0, between(stage.random, 3, 5));
  const all = rounds<VotingOutcome>('/votings');
  const part = async ({ name, client, random, pause }: Actor): Promise<void> => {
    for (const { path, said, outcomes } of all) {
      await pause(millis(random, 0, stage.sessionTimeoutMs / 2));
      const voting = new Voting(client, path);
      await voting.open(voters);
      const choice = pick(random, ['yes', 'yes', 'no']);
      if (chance(random, 900)) await say(stage, said, name, choice, () => voting.vote(name, choice));
      outcomes.push(await voting.outcome({ closeAfterMs: millis(random, 0, stage.sessionTimeoutMs * 3) }));
    }
  };
  await Promise.all(voters.map((name) => stage.cast(name, part)));
  for (const round of all) judgeVoting(stage, round, voters.length);
}

function judgeVoting(stage: Stage, { path, said, outcomes }: Round<VotingOutcome>, voters: number): void {
  const [first, ...others] = outcomes.map(({ choice, votes, atDeadline }) => JSON.stringify([choice, [...votes].sort(), atDeadline]));
  for (const other of others) if (other !== first) stage.fail('OneOutcome', `${path}: ${first} and ${other}`);
  const { choice, votes, atDeadline } = outcomes[0] as VotingOutcome;
  stage.seen(atDeadline ? 'decided at the deadline' : choice === undefined ? 'decided that nothing can win' : 'decided by the votes');
  for (const [who, what] of said)
    if (votes.get(who) !== what) stage.fail('VotesCount', `${path}: ${who} was told that ${what} counts, and ${votes.get(who)} did`);
  const base = atDeadline ? votes.size : voters;
  const winner = ['yes', 'no'].find((one) => [...votes.values()].filter((vote) => vote === one).length * 2 > base);
  if (winner !== choice) stage.fail('Majority', `${path}: ${choice} has won, and ${winner} should have: ${first}`);
}

async function playTwoPhaseCommit(stage: Stage): Promise<void> {
  const participants = ['a', 'b', 'c'].slice(0, between(stage.random, 2, 3));
  const all = rounds<CommitChoice>('/commits');
  const coordinator = async ({ client, random, pause }: Actor): Promise<void> => {
    for (const { path, outcomes } of all) {
      await pause(millis(random, 0, stage.sessionTimeoutMs / 2));
      const commit = new TwoPhaseCommit(client, path);
      await commit.propose(participants, `pay by ${path}`);
      if (chance(random, 800)) outcomes.push(await commit.outcome({ closeAfterMs: millis(random, 0, stage.sessionTimeoutMs * 4) }));
    }
  };
  const part = async ({ name, client, random, pause }: Actor): Promise<void> => {
    for (const { path, said, tried, outcomes } of all) {
      const commit = new TwoPhaseCommit(client, path);
      await commit.proposal();
      await pause(millis(random, 0, stage.sessionTimeoutMs / 2));
      const choice = chance(random, 900) ? 'COMMIT' : 'ABORT';
      tried.add(`${name} ${choice}`);
      await say(stage, said, name, choice, () => commit.vote(name, choice));
      outcomes.push(await commit.outcome({ closeAfterMs: stage.sessionTimeoutMs * 3 }));
    }
  };
  await Promise.all([stage.cast('coordinator', coordinator), ...participants.map((name) => stage.cast(name, part))]);
  for (const { path, said, tried, outcomes } of all) {
    const [first = 'ABORT'] = outcomes;
    stage.seen(first);
    if (outcomes.some((outcome) => outcome !== first)) stage.fail('AllOrNothing', `${path}: ${outcomes.join(', ')}`);
    if (first === 'COMMIT' && participants.some((name) => !tried.has(`${name} COMMIT`) || said.get(name) === 'ABORT'))
      stage.fail('Unanimity', `${path} commits, and not all have said so`);
    if (said.size === participants.length && [...said.values()].every((choice) => choice === 'COMMIT') && first !== 'COMMIT')
      stage.fail('VotesCount', `${path} aborts, and all were told that their COMMIT counts`);
  }
}
