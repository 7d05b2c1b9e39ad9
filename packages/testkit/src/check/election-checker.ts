/**
 * What an election may come to (class `FastLeaderElection`; docs/zab.md, rules 1 and 3): who stops looking has heard a quorum. It costs no safety where one has
 * not, because discovery brings it out; it costs a discovery that fails.
 *
 * VoteHonesty: who votes has a store that is whole and marked, on its disk.
 */
import { hasQuorum, type Notification, type Sid, type Status } from '@quorate/zab';
import type { Witness } from './witness.js';

/** What a server that is looking has said and heard. */
class Election {
  /** By round: the last word of each server in it. */
  readonly heard = new Map<number, Map<Sid, Notification>>();
  /** The last word of each server that follows or leads. */
  readonly decided = new Map<Sid, Notification>();
  /** What it has said last. */
  said: Notification | undefined;
  /** It waits for something better, and has changed its mind since it began to. */
  waitsInVain = false;
}

export class ElectionChecker {
  readonly #witness: Witness;
  readonly #elections = new Map<Sid, Election>();
  /** By server that has decided: the rounds in which it can have done so. */
  readonly #rounds = new Map<Sid, ReadonlySet<number>>();

  constructor(witness: Witness) {
    this.#witness = witness;
  }

  onNotification(sid: Sid, from: Sid, word: Notification): void {
    const election = this.#elections.get(sid);
    const { leader, peerEpoch } = word.vote;
    if (election === undefined || !this.#witness.config.voters.includes(from) || peerEpoch < 0 || word.state === 'OBSERVING') return;
    // Of one that has lost its store nobody can say that it leads.
    if (leader === sid && !this.#witness.votes(sid)) return;
    const round = election.heard.get(word.electionEpoch) ?? new Map<Sid, Notification>();
    election.heard.set(word.electionEpoch, round.set(from, word));
    if (word.state === 'LOOKING') election.decided.delete(from);
    else election.decided.set(from, word);
  }

  onSaid(sid: Sid, word: Notification): void {
    const election = this.#elections.get(sid);
    if (word.state === 'FOLLOWING' || word.state === 'LEADING') this.#checkRound(sid, word.electionEpoch);
    if (election === undefined || word.state !== 'LOOKING') return;
    const { said } = election;
    const counts = word.vote.peerEpoch >= 0;
    if (counts && !this.#witness.votes(sid))
      this.#witness.verdict.fail('VoteHonesty', `server ${sid} votes, and what is on its disk has no vote`);
    if (counts && said !== undefined && (said.electionEpoch !== word.electionEpoch || said.vote.leader !== word.vote.leader))
      election.waitsInVain = true;
    election.said = word;
  }

  /** A quorum agrees, and something better is waited for. */
  onWaits(sid: Sid): void {
    const election = this.#elections.get(sid);
    if (election !== undefined) election.waitsInVain = false;
  }

  /** The wait is over. */
  onWaited(sid: Sid): void {
    if (this.#elections.get(sid)?.waitsInVain === true)
      this.#fail(`server ${sid} has changed its vote within finalizeWait, and does not wait again`);
  }

  onStatus(sid: Sid, { state, leader, votes }: Status): void {
    const election = this.#elections.get(sid);
    if (state === 'LOOKING') {
      this.#elections.set(sid, new Election());
      this.#rounds.delete(sid);
    } else if (election !== undefined) {
      this.#elections.delete(sid);
      const elected = this.#isElected(election, sid, leader as Sid, votes);
      const joined = this.#isJoined(election, sid, leader as Sid, votes);
      if (votes)
        this.#rounds.set(sid, new Set([...(elected ? saidRound(election) : []), ...(joined ? roundsWith(election, leader as Sid) : [])]));
      if (!elected && !joined) this.#fail(`server ${sid} takes server ${leader} for the leader, and no quorum has told it so`);
    }
  }

  onDown(sid: Sid): void {
    this.#elections.delete(sid);
    this.#rounds.delete(sid);
  }

  /** Who has decided tells of the round in which it did, or others cannot count it with those of that round. */
  #checkRound(sid: Sid, round: number): void {
    const rounds = this.#rounds.get(sid);
    if (rounds?.has(round) === false)
      this.#fail(`server ${sid} says that it has decided in round ${round}; it did in ${[...rounds].join(' or ')}`);
  }

  /** Whether a quorum of one round wants this leader; a voter is in the round that it has said. */
  #isElected({ heard, said }: Election, sid: Sid, leader: Sid, votes: boolean): boolean {
    for (const [round, words] of heard) {
      if (votes && said?.electionEpoch !== round) continue;
      const supports = (voter: Sid): boolean =>
        voter === sid ? votes && said?.vote.leader === leader : words.get(voter)?.vote.leader === leader;
      if (hasQuorum(this.#witness.config, supports)) return true;
    }
    return false;
  }

  /** Whether a quorum follows this leader, and the leader itself says that it leads. */
  #isJoined({ decided, said }: Election, sid: Sid, leader: Sid, votes: boolean): boolean {
    if (leader !== sid && decided.get(leader)?.state !== 'LEADING') return false;
    for (const { vote, electionEpoch } of decided.values()) {
      if (vote.leader !== leader) continue;
      const isInRound = votes && said?.electionEpoch === electionEpoch;
      if (leader === sid && !isInRound) continue;
      const supports = (voter: Sid): boolean => {
        if (voter === sid) return isInRound && said?.vote.leader === leader;
        const word = decided.get(voter);
        return word?.vote.leader === leader && word.vote.peerEpoch === vote.peerEpoch;
      };
      if (hasQuorum(this.#witness.config, supports)) return true;
    }
    return false;
  }

  #fail(message: string): void {
    this.#witness.verdict.fail('ElectionQuorum', message);
  }
}

/** The round that a server has said last. */
function saidRound({ said }: Election): number[] {
  return said === undefined ? [] : [said.electionEpoch];
}

/** The rounds of those of whom it has heard that they are with this leader. */
function roundsWith({ decided }: Election, leader: Sid): number[] {
  return [...decided.values()].filter(({ vote }) => vote.leader === leader).map(({ electionEpoch }) => electionEpoch);
}
