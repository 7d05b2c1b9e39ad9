/**
 * Who comes into a group of consumers is voted on, because everybody gives up partitions for him: a rebalance. Who leaves is not asked: his partitions have to go to somebody at once.
 *
 * A candidate opens a voting of all present members and comes in with the votes of more than half. A member that does not vote in time does not count.
 */
import { pause, persevere, Voting } from '@quorate/recipes';
import { type Client, isRecipeError, isZooKeeperError, joinPath } from 'quorate';
import { Bell } from './bell.ts';

/** How long members have to vote, in milliseconds. */
const VOTE_MS = 5_000;
/** The pause before a member looks again whether a voting is open, in milliseconds. */
const LOOK_AGAIN_MS = 20;

/** What a member says to a candidate. */
export type Vote = 'yes' | 'no';

export interface Ballot {
  /** Yes, or nobody was there to ask. */
  readonly admitted: boolean;
  readonly votes: ReadonlyMap<string, string>;
}

/** Asks the members, once. Nobody is asked whether he himself may come back. */
export async function askMembers(client: Client, votings: string, members: readonly string[], candidate: string): Promise<Ballot> {
  const others = members.filter((name) => name !== candidate);
  if (others.length === 0) return { admitted: true, votes: new Map() };
  // Of this session and this moment: nobody else's, and none of before.
  const path = joinPath(votings, `${candidate}-${client.sessionId.toString(16)}-${Math.round(client.clock.now())}`);
  const voting = new Voting(client, path);
  await voting.open(others);
  const { choice, votes } = await voting.outcome({ closeAfterMs: VOTE_MS });
  return { admitted: choice === ('yes' satisfies Vote), votes };
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
      for (const name of children) {
        if (seen.has(name)) continue;
        seen.add(name);
        await vote(client, joinPath(votings, name), member, decide(name.split('-').slice(0, -2).join('-')), signal);
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
    // Its directory is there, and the voting is not yet.
    await pause(client.clock, LOOK_AGAIN_MS, { signal });
  }
}
