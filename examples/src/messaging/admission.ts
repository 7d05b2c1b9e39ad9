/**
 * Who comes into a group of consumers is voted on, because everybody gives up partitions for him: a rebalance. Who leaves is not asked: his partitions have to go to somebody at once.
 *
 * A candidate opens a voting of all present members and comes in with the votes of more than half. A member that does not vote in time does not count.
 */
import { pause, persevere, Voting } from '@quorate/recipes';
import { type Client, isRecipeError, isZooKeeperError, joinPath } from 'quorate';
import { Bell } from './bell.ts';

/** How long members have to vote where nothing else is said, in milliseconds. */
export const VOTE_MS = 5_000;
/** The pause before a member looks again whether a voting is open, in milliseconds. */
const LOOK_AGAIN_MS = 20;

/** What a member says to a candidate. */
export type Vote = 'yes' | 'no';

export interface Ballot {
  /** Yes, or nobody has voted. */
  readonly admitted: boolean;
  readonly votes: ReadonlyMap<string, string>;
}

/** Of those who have voted on somebody, not more than half want him in the group. */
export class NotAdmittedError extends Error {
  override readonly name = 'NotAdmittedError';
  readonly votes: Ballot['votes'];

  constructor(candidate: string, votes: Ballot['votes']) {
    super(`${candidate} may not come in: ${[...votes].map(([voter, choice]) => `${voter} says ${choice}`).join(', ')}`);
    this.votes = votes;
  }
}

/** Asks the members, once; the voting is gone then. Nobody is asked whether he himself may come back. */
export async function askMembers(
  client: Client,
  votings: string,
  { members, candidate, voteMs }: { readonly members: readonly string[]; readonly candidate: string; readonly voteMs: number },
): Promise<Ballot> {
  const others = members.filter((name) => name !== candidate);
  await removeVotings(client, votings, candidate);
  if (others.length === 0) return { admitted: true, votes: new Map() };
  // Of this session and this moment: nobody else's, and none of before.
  const path = joinPath(votings, `${candidate}-${client.sessionId.toString(16)}-${Math.round(client.clock.now())}`);
  const voting = new Voting(client, path);
  await voting.open(others);
  const { choice, votes } = await voting.outcome({ closeAfterMs: voteMs });
  await removeVoting(client, path);
  return { admitted: votes.size === 0 || choice === ('yes' satisfies Vote), votes };
}

/** Removes what a candidate has left that has died while he was voted on. */
async function removeVotings(client: Client, votings: string, candidate: string): Promise<void> {
  const { children } = await persevere(client, () => client.getChildren(votings));
  for (const name of children) if (candidateOf(name) === candidate) await removeVoting(client, joinPath(votings, name));
}

async function removeVoting(client: Client, path: string): Promise<void> {
  try {
    const { children } = await persevere(client, () => client.getChildren(path));
    for (const name of children) await removeVoting(client, joinPath(path, name));
    await persevere(client, () => client.delete(path));
  } catch (error) {
    // The attempt before was performed, or the ensemble has removed what was empty.
    if (!isZooKeeperError(error, 'NO_NODE')) throw error;
  }
}

function candidateOf(voting: string): string {
  return voting.split('-').slice(0, -2).join('-');
}

/** Votes in every voting that is opened, until the signal aborts or the session ends. */
export async function voteAlways(
  client: Client,
  votings: string,
  member: string,
  decide: (candidate: string) => Vote,
  signal: AbortSignal,
): Promise<void> {
  const bell = new Bell();
  const seen = new Set<string>();
  const stopListening = client.onState(() => bell.ring());
  try {
    while (!signal.aborted) {
      const { children } = await persevere(client, () => client.getChildren(votings, { watch: () => bell.ring() }), { signal });
      for (const name of seen) if (!children.includes(name)) seen.delete(name);
      for (const name of children) {
        if (seen.has(name)) continue;
        seen.add(name);
        await vote(client, joinPath(votings, name), member, decide(candidateOf(name)), signal);
      }
      await bell.heard(signal);
    }
  } finally {
    stopListening();
  }
}

async function vote(client: Client, path: string, member: string, choice: Vote, signal: AbortSignal): Promise<void> {
  const giveUpAt = client.clock.now() + VOTE_MS;
  while (client.clock.now() < giveUpAt) {
    try {
      return await new Voting(client, path).vote(member, choice, { signal });
    } catch (error) {
      // It was opened for others, or is over: it goes on without this member.
      if (isRecipeError(error, 'CONFLICT')) return;
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
    }
    if ((await persevere(client, () => client.exists(path), { signal })) === undefined) return;
    // Its directory is there, and the voting is not yet.
    await pause(client.clock, LOOK_AGAIN_MS, { signal });
  }
}
