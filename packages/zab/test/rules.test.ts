/** The rules of docs/zab.md, each by its number, on the smallest history that would show it broken. `npm run check:rules` breaks them in the source. */
import { COUNTER_MAX, makeZxid } from '@quorate/protocol';
import { type Effect, extendChain, hasQuorum, Log, type Message, type ServerState } from '@quorate/zab';
import { describe, expect, test } from 'vitest';
import { BLANK, TestEnsemble } from './ensemble.js';
import { damaged, followBy, image, joinAs, kinds, leadBy, leaderInfo, run, serving, snapshotAt } from './scenes.js';

const EMPTY = new Uint8Array();

/** A line of the transcript that contains all of these. */
const said = (ensemble: TestEnsemble, ...parts: string[]): boolean =>
  ensemble.lines.some((line) => parts.every((part) => line.includes(part)));

/** Server 1, which looks for a leader, hears what another one wants. */
const say = (ensemble: TestEnsemble, from: number, leader: number, state: ServerState = 'LOOKING'): void =>
  ensemble.step(1, {
    type: 'notification',
    from,
    notification: { state, electionEpoch: 1, vote: { leader, zxid: makeZxid(0, 0), peerEpoch: 0 } },
  });

describe('Rule 1', () => {
  test('Rule 1: a vote is ordered by epoch before zxid before sid', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    // Server 1 is of the later epoch with the shorter log, server 2 of the earlier with the longer.
    ensemble.start(1, image(2, run(2, 1, 'x')));
    ensemble.start(2, image(1, run(1, 1, 'a', 'b', 'c')));
    ensemble.start(3, image(1));
    expect(ensemble.elect()).toBe(1);
  });

  test('Rule 1: with equal epochs the later zxid wins, and not the greater sid', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1, image(1, run(1, 1, 'a', 'b')));
    ensemble.start(2, image(1));
    ensemble.start(3, image(1, run(1, 1, 'a')));
    expect(ensemble.elect()).toBe(1);
  });

  test('Rule 1: a log that ends in a later epoch counts less than currentEpoch', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    // Server 3 lost its power between a history of epoch 2 and its currentEpoch.
    ensemble.start(3, { acceptedEpoch: 2, currentEpoch: 1, runs: [run(2, 1, 'x')] });
    ensemble.start(2, { ...image(2), runs: [run(1, 1, 'a')] });
    ensemble.drop((line) => line.startsWith('3'));
    expect(ensemble.peer(2).role.vote).toMatchObject({ leader: 2, peerEpoch: 2 });
    ensemble.run();
    expect(ensemble.peer(3).role.vote.leader).toBe(2);
  });

  test('Rule 1: a vote of an earlier round does not count, and its sender is told of the present one', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1);
    ensemble.start(3);
    ensemble.drop(() => true);
    ensemble.lines.length = 0;
    const late = { state: 'LOOKING', electionEpoch: 0, vote: { leader: 3, zxid: makeZxid(9, 9), peerEpoch: 9 } } as const;
    ensemble.step(1, { type: 'notification', from: 3, notification: late });
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    expect(ensemble.peer(1).role.vote.leader).toBe(1);
    ensemble.run();
    expect(said(ensemble, '1 → 3 LOOKING round 1')).toBe(true);
  });

  test('Rule 1: a later round starts the counting anew', () => {
    const ensemble = new TestEnsemble([1, 2, 3, 4, 5]);
    ensemble.start(1);
    const vote = { leader: 5, zxid: makeZxid(0, 0), peerEpoch: 0 };
    const speak = (from: number, electionEpoch: number) =>
      ensemble.step(1, { type: 'notification', from, notification: { state: 'LOOKING', electionEpoch, vote } });
    speak(5, 1);
    speak(4, 2);
    // Only 4 and 1 itself have spoken in round 2, so there is no quorum to wait for.
    expect(ensemble.hasTimer(1, 'finalize')).toBe(false);
    speak(5, 2);
    expect(ensemble.hasTimer(1, 'finalize')).toBe(true);
  });

  test('Rule 1: a better vote that comes within finalizeWait is taken, and the wait begins again', () => {
    const ensemble = new TestEnsemble([1, 2, 3, 4, 5]);
    ensemble.start(1);
    say(ensemble, 2, 3);
    say(ensemble, 3, 3);
    expect(ensemble.hasTimer(1, 'finalize')).toBe(true);
    say(ensemble, 4, 4);
    expect(ensemble.hasTimer(1, 'finalize')).toBe(false);
    expect(ensemble.peer(1).role.vote.leader).toBe(4);
  });

  test('Rule 1: the wait begins again also where a quorum is for the better vote at once', () => {
    const weights = new Map([2, 2, 2, 4, 1].map((weight, i) => [i + 1, weight]));
    const ensemble = new TestEnsemble([1, 2, 3, 4, 5], { groups: [{ weights }] });
    ensemble.start(1);
    say(ensemble, 2, 3);
    say(ensemble, 3, 3);
    expect(ensemble.timesSet(1, 'finalize')).toBe(1);
    say(ensemble, 4, 4);
    expect([ensemble.peer(1).status.state, ensemble.timesSet(1, 'finalize')]).toEqual(['LOOKING', 2]);
  });

  test.each(['LOOKING', 'FOLLOWING'] as const)('Rule 1: the wait ends where one of the quorum is %s for another one', (state) => {
    const ensemble = new TestEnsemble([1, 2, 3, 4, 5]);
    ensemble.start(1);
    for (const from of [2, 3]) say(ensemble, from, 4);
    expect(ensemble.hasTimer(1, 'finalize')).toBe(true);
    // An older vote that was overtaken, or the decision for a better one of which this server has not heard.
    say(ensemble, 3, 3, state);
    expect(ensemble.hasTimer(1, 'finalize')).toBe(false);
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
  });

  test('Rule 1: a vote from outside the configuration, or for one outside it, does not count', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1);
    const vote = { leader: 9, zxid: makeZxid(9, 9), peerEpoch: 9 };
    for (const from of [9, 2]) ensemble.step(1, { type: 'notification', from, notification: { state: 'LOOKING', electionEpoch: 1, vote } });
    expect(ensemble.peer(1).role.vote.leader).toBe(1);
  });
});

describe('Rule 2', () => {
  test('Rule 2: a server votes with its log, also with what it had not committed (ZOOKEEPER-2845)', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.propose(3, 'a');
    ensemble.run((): boolean => said(ensemble, '3 → 1 PROPOSAL'));
    ensemble.drop((line) => line.includes('3 → 2 PROPOSAL'));
    ensemble.crash(3);
    ensemble.elect();
    ensemble.run();
    expect(ensemble.leader()).toBe(1);
    for (const sid of [1, 2]) expect(ensemble.delivered(sid)).toEqual([makeZxid(1, 1)]);
  });

  test('Rule 2: the application is not given what is in the log and not committed', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, image(1, run(1, 1, 'a')));
    const receive = followBy(ensemble, 1, 2);
    receive(leaderInfo(2));
    ensemble.run();
    for (const message of [{ type: 'DIFF' }, { type: 'COMMIT', zxid: makeZxid(0, 0) }, { type: 'NEWLEADER', epoch: 2 }] as const)
      receive(message);
    ensemble.run();
    receive({ type: 'UPTODATE' });
    expect(ensemble.peer(1).status.serving).toBe(true);
    expect(ensemble.delivered(1)).toEqual([]);
  });
});

describe('Rule 3', () => {
  const vote = { leader: 5, zxid: makeZxid(1, 1), peerEpoch: 1 };
  const tell = (ensemble: TestEnsemble, from: number, state: 'FOLLOWING' | 'LEADING') =>
    ensemble.step(1, { type: 'notification', from, notification: { state, electionEpoch: 7, vote } });

  test('Rule 3: the leader itself has to say that it leads (checkLeader)', () => {
    const ensemble = new TestEnsemble([1, 2, 3, 4, 5]);
    ensemble.start(1);
    for (const from of [2, 3, 4]) tell(ensemble, from, 'FOLLOWING');
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    tell(ensemble, 5, 'LEADING');
    expect(ensemble.peer(1).status).toMatchObject({ state: 'FOLLOWING', leader: 5 });
  });

  test('Rule 3: a quorum has to follow it (ZOOKEEPER-1419)', () => {
    const ensemble = new TestEnsemble([1, 2, 3, 4, 5]);
    ensemble.start(1);
    tell(ensemble, 5, 'LEADING');
    tell(ensemble, 4, 'FOLLOWING');
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    tell(ensemble, 3, 'FOLLOWING');
    expect(ensemble.peer(1).status).toMatchObject({ state: 'FOLLOWING', leader: 5 });
  });

  test('Rule 3: who joins an established leader is in its round from then on', () => {
    const ensemble = new TestEnsemble([1, 2, 3, 4, 5]);
    ensemble.start(1);
    for (const from of [3, 4]) tell(ensemble, from, 'FOLLOWING');
    tell(ensemble, 5, 'LEADING');
    expect(ensemble.peer(1).state.electionEpoch).toBe(7);
  });

  test('Rule 3: a server is not told that it leads by those who elected it in another round', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1);
    for (const from of [2, 3])
      ensemble.step(1, {
        type: 'notification',
        from,
        notification: { state: 'FOLLOWING', electionEpoch: 7, vote: { leader: 1, zxid: makeZxid(0, 0), peerEpoch: 0 } },
      });
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
  });

  test('Rule 3: a vote is repeated as long as nothing is decided, for it may have been lost', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1);
    ensemble.drop(() => true);
    ensemble.start(2);
    ensemble.drop(() => true);
    ensemble.fire(2, 'election');
    ensemble.run();
    expect([1, 2].map((sid) => ensemble.peer(sid).role.vote.leader)).toEqual([2, 2]);
    expect(ensemble.hasTimer(1, 'election')).toBe(true);
  });

  test('Rule 3: those who follow and those who lead answer one that is looking', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.crash(1);
    ensemble.run();
    ensemble.restart(1);
    ensemble.lines.length = 0;
    ensemble.run();
    expect(said(ensemble, '2 → 1 FOLLOWING')).toBe(true);
    expect(said(ensemble, '3 → 1 LEADING')).toBe(true);
  });
});

describe('Rule 4', () => {
  test('Rule 4: servers that elected the same leader by different votes tell the same of it once its epoch is known (ZOOKEEPER-1732)', () => {
    const told = [9, 4].map((peerEpoch) => {
      const ensemble = new TestEnsemble([1, 2]);
      ensemble.start(1);
      followBy(ensemble, 1, 2, peerEpoch)(leaderInfo(12));
      return ensemble.peer(1).role.vote.peerEpoch;
    });
    expect(told).toEqual([12, 12]);
    expect(serving([1, 2, 3]).peer(3).role.vote.peerEpoch).toBe(1);
  });

  test('Rule 4: they agree though their zxids differ (ZOOKEEPER-1805)', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1);
    const tell = (from: number, state: 'FOLLOWING' | 'LEADING', counter: number) =>
      ensemble.step(1, {
        type: 'notification',
        from,
        notification: { state, electionEpoch: 7, vote: { leader: 3, zxid: makeZxid(1, counter), peerEpoch: 2 } },
      });
    tell(2, 'FOLLOWING', 4);
    tell(3, 'LEADING', 9);
    expect(ensemble.peer(1).status).toMatchObject({ state: 'FOLLOWING', leader: 3 });
  });
});

describe('Rule 5', () => {
  test('Rule 5: after initLimit without a word of it a server votes for another', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [1, 2]) ensemble.start(sid);
    // Server 3 is heard and does not hear.
    const deaf = { state: 'LOOKING', electionEpoch: 1, vote: { leader: 3, zxid: makeZxid(9, 9), peerEpoch: 9 } } as const;
    for (const sid of [1, 2]) ensemble.step(sid, { type: 'notification', from: 3, notification: deaf });
    const follows = (sid: number): boolean => ensemble.peer(sid).status.leader === 3;
    ensemble.run((): boolean => {
      ensemble.drop((line) => line.includes('refused'));
      return follows(1) && follows(2);
    });
    ensemble.drop((line) => line.includes('refused'));
    expect([1, 2].map(follows)).toEqual([true, true]);
    for (const sid of [1, 2]) ensemble.fire(sid, 'init');
    for (const sid of [1, 2])
      ensemble.step(sid, {
        type: 'notification',
        from: 3,
        notification: { ...deaf, electionEpoch: ensemble.peer(sid).state.electionEpoch },
      });
    expect(ensemble.elect()).toBe(2);
  });

  test('Rule 5: the suspicion passes, because it may be the only one left', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1);
    followBy(ensemble, 1, 2);
    ensemble.fire(1, 'init');
    const again = () =>
      ensemble.step(1, {
        type: 'notification',
        from: 2,
        notification: {
          state: 'LOOKING',
          electionEpoch: ensemble.peer(1).state.electionEpoch,
          vote: { leader: 2, zxid: makeZxid(9, 9), peerEpoch: 9 },
        },
      });
    again();
    expect(ensemble.peer(1).role.vote.leader).toBe(1);
    for (let i = 0; i < 20; i++) ensemble.fire(1, 'election');
    again();
    expect(ensemble.peer(1).status).toMatchObject({ state: 'FOLLOWING', leader: 2 });
  });
});

describe('Rule 6', () => {
  test('Rule 6: ACKEPOCH follows the durable acceptedEpoch', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [1, 2, 3]) ensemble.start(sid);
    for (const sid of [1, 2]) ensemble.hold(sid);
    ensemble.run();
    expect(kinds(ensemble.heldOrders(1))).toEqual(['saveAcceptedEpoch']);
    expect(said(ensemble, 'ACKEPOCH')).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    expect(ensemble.lines.filter((line) => line.includes('ACKEPOCH'))).toHaveLength(1);
  });

  test('Rule 6: LEADERINFO follows the leader’s own durable promise', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [1, 2, 3]) ensemble.start(sid);
    ensemble.hold(3);
    ensemble.run();
    expect(kinds(ensemble.heldOrders(3))).toEqual(['saveAcceptedEpoch']);
    expect(said(ensemble, 'LEADERINFO')).toBe(false);
    ensemble.flush(3);
    ensemble.run();
    expect(said(ensemble, 'LEADERINFO')).toBe(true);
  });
});

describe('Rule 7', () => {
  test('Rule 7: the new epoch is above every promise of the quorum', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1, { ...image(2), acceptedEpoch: 7 });
    ensemble.start(2, image(3));
    ensemble.start(3, image(3));
    ensemble.elect();
    ensemble.run();
    expect(ensemble.peer(3).status.epoch).toBe(8);
    expect(ensemble.peer(1).status).toMatchObject({ serving: true });
  });

  test('Rule 7: one that has opened a channel and said nothing does not count for it', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(3, image(1));
    leadBy(ensemble, 3, [1, 2]);
    const say = joinAs(ensemble, 3, { from: 1, channel: 50 });
    expect(ensemble.peer(3).state.acceptedEpoch).toBe(1);
    say({ type: 'FOLLOWERINFO', acceptedEpoch: 4, ensembleId: 'test' });
    expect(ensemble.peer(3).state.acceptedEpoch).toBe(5);
  });

  test('Rule 7: a leader of an epoch below the promise is not followed', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, { ...image(1), acceptedEpoch: 5 });
    followBy(ensemble, 1, 2)(leaderInfo(4));
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    expect(ensemble.peer(1).state.acceptedEpoch).toBe(5);
  });

  test('Rule 7: an epoch that was promised before is acknowledged with −1', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, { ...image(1), acceptedEpoch: 5 });
    followBy(ensemble, 1, 2)(leaderInfo(5));
    expect(ensemble.heldOrders(1)).toEqual([]);
    expect(ensemble.sentToLeader(1)).toContainEqual({ type: 'ACKEPOCH', currentEpoch: -1, lastZxid: 0 });
  });

  test('Rule 7: and that does not count for the quorum of promises', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(3, image(1));
    leadBy(ensemble, 3, [1, 2]);
    const say = joinAs(ensemble, 3, { from: 1, channel: 50 });
    say({ type: 'FOLLOWERINFO', acceptedEpoch: 1, ensembleId: 'test' });
    ensemble.run();
    say({ type: 'ACKEPOCH', currentEpoch: -1, lastZxid: makeZxid(0, 0) });
    ensemble.run();
    expect(kinds(ensemble.heldOrders(3))).toEqual([]);
    expect(said(ensemble, 'orders currentEpoch')).toBe(false);
    const other = joinAs(ensemble, 3, { from: 2, channel: 51 });
    other({ type: 'FOLLOWERINFO', acceptedEpoch: 1, ensembleId: 'test' });
    other({ type: 'ACKEPOCH', currentEpoch: 1, lastZxid: makeZxid(0, 0) });
    expect(said(ensemble, 'orders currentEpoch 2')).toBe(true);
  });

  test('Rule 7: nobody is sent the history before a quorum has promised', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.crash(3);
    for (const sid of [1, 2]) ensemble.hold(sid);
    ensemble.run();
    for (const sid of [1, 2]) if (ensemble.hasTimer(sid, 'finalize')) ensemble.fire(sid, 'finalize');
    ensemble.run();
    ensemble.flush(2);
    ensemble.run();
    expect(said(ensemble, 'LEADERINFO')).toBe(true);
    expect(said(ensemble, 'DIFF')).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    expect(said(ensemble, '2 → 1 DIFF')).toBe(true);
  });
});

describe('Rule 8', () => {
  const ahead = (stage: 'discovery' | 'synchronization') => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(3, image(1));
    leadBy(ensemble, 3, [1, 2]);
    const [one, two] = [50, 51].map((channel, i) => joinAs(ensemble, 3, { from: i + 1, channel }));
    for (const say of [one, two]) say?.({ type: 'FOLLOWERINFO', acceptedEpoch: 1, ensembleId: 'test' });
    ensemble.run();
    if (stage === 'synchronization') one?.({ type: 'ACKEPOCH', currentEpoch: 1, lastZxid: makeZxid(0, 0) });
    two?.({ type: 'ACKEPOCH', currentEpoch: 1, lastZxid: makeZxid(1, 1) });
    return ensemble;
  };

  test('Rule 8: a leader steps down for a history that is ahead of its own (ZOOKEEPER-1191)', () => {
    expect(ahead('discovery').peer(3).status.state).toBe('LOOKING');
  });

  test('Rule 8: also when a quorum has promised already', () => {
    expect(ahead('synchronization').peer(3).status.state).toBe('LOOKING');
  });
});

describe('Rule 9', () => {
  const groups = [
    {
      weights: new Map([
        [1, 1],
        [2, 1],
        [3, 0],
      ] as const),
    },
  ];

  test('Rule 9: observers are no part of any quorum, and are never elected (ZOOKEEPER-764)', () => {
    const ensemble = new TestEnsemble([1, 2, 3], { observers: [4, 5] });
    ensemble.start(1);
    for (const sid of [4, 5]) ensemble.start(sid, image(9, run(9, 1, 'ahead of everybody')));
    for (let round = 0; round < 5; round++) {
      ensemble.run();
      for (const sid of [1, 4, 5]) if (ensemble.hasTimer(sid, 'election')) ensemble.fire(sid, 'election');
    }
    expect([1, 4, 5].map((sid) => ensemble.peer(sid).status.state)).toEqual(['LOOKING', 'LOOKING', 'LOOKING']);
    ensemble.start(2);
    expect(ensemble.elect()).toBe(2);
  });

  test('Rule 9: observers do not count in discovery (ZOOKEEPER-2959)', () => {
    const ensemble = new TestEnsemble([1, 2, 3], { observers: [4] });
    ensemble.start(3, image(1));
    leadBy(ensemble, 3, [1, 2]);
    joinAs(ensemble, 3, { from: 4, channel: 50 })({ type: 'OBSERVERINFO', acceptedEpoch: 4, ensembleId: 'test' });
    expect(ensemble.peer(3).state.acceptedEpoch).toBe(1);
  });

  test('Rule 9: an observer’s acknowledgements commit nothing, and it hears of what is committed', () => {
    const ensemble = new TestEnsemble([1, 2, 3], { observers: [4] });
    for (const sid of [1, 2, 3, 4]) ensemble.start(sid);
    ensemble.elect();
    ensemble.run();
    for (const sid of [1, 2, 3]) ensemble.hold(sid);
    ensemble.propose(3, 'a');
    ensemble.flush(3);
    ensemble.run();
    expect(ensemble.delivered(3)).toEqual([]);
    expect(said(ensemble, '→ 4 PROPOSAL')).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    expect(ensemble.delivered(4)).toEqual([makeZxid(1, 1)]);
  });

  test('Rule 9: more than half of the weight in more than half of the groups that have any', () => {
    const weights = (sids: number[], weight: number) => ({ weights: new Map(sids.map((sid) => [sid, weight])) });
    const config = {
      version: 0,
      voters: [1, 2, 3, 4, 5, 6, 7, 8, 9],
      groups: [weights([1, 2, 3], 1), weights([4, 5, 6], 1), weights([7, 8, 9], 0)],
    };
    const quorum = (...sids: number[]) => hasQuorum(config, (sid) => sids.includes(sid));
    expect(quorum(1, 2, 4, 5)).toBe(true);
    expect(quorum(1, 2, 3, 4, 7, 8, 9)).toBe(false);
    expect(quorum(1, 2, 3)).toBe(false);
    expect(quorum(1, 4, 7, 8, 9)).toBe(false);
  });

  test('Rule 9: a server without weight is never elected, and follows', () => {
    const ensemble = new TestEnsemble([1, 2, 3], { groups });
    ensemble.start(3, image(1, run(1, 1, 'a', 'b')));
    for (const sid of [1, 2]) ensemble.start(sid, image(1, run(1, 1, 'a')));
    expect(ensemble.elect()).toBe(2);
    ensemble.run();
    expect(ensemble.peer(3).status).toMatchObject({ state: 'FOLLOWING', leader: 2, serving: true });
  });

  test('Rule 9: whoever has no vote that counts is answered, and does not answer back', () => {
    const ensemble = new TestEnsemble([1, 2, 3], { observers: [4, 5], groups });
    for (const sid of [3, 4, 5]) ensemble.start(sid);
    // They have looked for a while, in rounds of their own.
    for (const sid of [3, 4, 5]) ensemble.peer(sid).state.electionEpoch = 7;
    ensemble.start(1);
    for (const sid of [3, 4, 5]) ensemble.fire(sid, 'election');
    expect(ensemble.run()).toBeLessThan(60);
    expect([3, 4, 5].map((sid) => ensemble.peer(sid).role.vote.leader)).toEqual([1, 1, 1]);
  });
});

describe('Rule 10', () => {
  const joining = () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [2, 3]) ensemble.start(sid, image(1, run(1, 1, 'a')));
    ensemble.elect();
    ensemble.run();
    ensemble.start(1);
    ensemble.hold(1);
    ensemble.run();
    ensemble.flush(1);
    ensemble.run();
    ensemble.lines.length = 0;
    return ensemble;
  };

  test('Rule 10: currentEpoch waits for the durable history (ZOOKEEPER-4643)', () => {
    const ensemble = joining();
    expect(kinds(ensemble.heldOrders(1))).toEqual(['append']);
    ensemble.flush(1);
    ensemble.run();
    expect(kinds(ensemble.heldOrders(1))).toEqual(['saveCurrentEpoch']);
  });

  test('Rule 10: ACK(NEWLEADER) waits for the durable currentEpoch (ZOOKEEPER-4646, 3911)', () => {
    const ensemble = joining();
    ensemble.flush(1);
    ensemble.run();
    expect(said(ensemble, 'ACK')).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    expect(said(ensemble, '1 → 3 ACK 2.0')).toBe(true);
    expect(ensemble.peer(1).status.serving).toBe(true);
  });

  test('Rule 10: ACK(NEWLEADER) does not follow what became durable between the history and currentEpoch', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1);
    const receive = followBy(ensemble, 1, 2);
    receive(leaderInfo(2));
    ensemble.run();
    ensemble.hold(1);
    receive({ type: 'DIFF' });
    receive({ type: 'PROPOSAL', run: run(1, 1, 'history') });
    receive({ type: 'NEWLEADER', epoch: 2 });
    receive({ type: 'PROPOSAL', run: run(2, 1, 'proposed') });
    ensemble.flush(1, 1);
    ensemble.flush(1, 1);
    expect(kinds(ensemble.heldOrders(1))).toEqual(['saveCurrentEpoch']);
    expect(ensemble.sentToLeader(1).filter(({ type }) => type === 'ACK')).toEqual([]);
  });

  test('Rule 10: a leader counts itself when its own history and currentEpoch are durable', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [1, 2, 3]) ensemble.start(sid);
    ensemble.hold(3);
    ensemble.run();
    ensemble.flush(3);
    ensemble.run();
    // Both followers have acknowledged, the leader's own epoch is not yet durable.
    expect(kinds(ensemble.heldOrders(3))).toEqual(['saveCurrentEpoch']);
    ensemble.propose(3, 'too early');
    ensemble.run();
    expect(ensemble.leader()).toBeUndefined();
    expect(said(ensemble, 'PROPOSAL')).toBe(false);
    ensemble.flush(3);
    ensemble.run();
    expect(ensemble.leader()).toBe(3);
  });
});

describe('Rule 11', () => {
  test('Rule 11: a proposal that is acknowledged before NEWLEADER is not counted, and its sender is sent away (ZOOKEEPER-4685)', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.crash(1);
    ensemble.run();
    ensemble.propose(3, 'a');
    ensemble.run();
    ensemble.restart(1);
    ensemble.hold(1);
    ensemble.run();
    ensemble.lines.length = 0;
    ensemble.step(3, { type: 'learnerMessage', channel: ensemble.channelOf(1), message: { type: 'ACK', zxid: makeZxid(1, 1) } });
    ensemble.run();
    expect(ensemble.lines).toContain('  3 → 1 close');
  });

  test('Rule 11: a learner acknowledges NEWLEADER first, and once', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1);
    const receive = followBy(ensemble, 1, 2);
    receive(leaderInfo(2));
    ensemble.run();
    ensemble.hold(1);
    receive({ type: 'DIFF' });
    for (const text of ['a', 'b']) receive({ type: 'PROPOSAL', run: run(1, text === 'a' ? 1 : 2, text) });
    receive({ type: 'NEWLEADER', epoch: 2 });
    // A part of the history, and a proposal, are durable before currentEpoch is.
    receive({ type: 'PROPOSAL', run: run(2, 1, 'c') });
    while (ensemble.heldOrders(1).length > 0) ensemble.flush(1, 1);
    const acks = ensemble.sentToLeader(1).filter(({ type }) => type === 'ACK');
    expect(acks).toEqual([
      { type: 'ACK', zxid: makeZxid(2, 0) },
      { type: 'ACK', zxid: makeZxid(2, 1) },
    ]);
  });
});

describe('Rule 12', () => {
  test('Rule 12: what an earlier term ordered and was not flushed counts for nothing in the next (ZOOKEEPER-4712)', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.hold(1);
    ensemble.propose(3, 'a');
    ensemble.run();
    ensemble.crash(3);
    ensemble.run();
    for (const sid of [1, 2]) if (ensemble.hasTimer(sid, 'finalize')) ensemble.fire(sid, 'finalize');
    ensemble.run();
    // Server 1 is in the next term, and the append of the last one is still on its way to its disk.
    expect(kinds(ensemble.heldOrders(1))).toEqual(['append', 'saveAcceptedEpoch']);
    expect(ensemble.peer(1).state.durable.lastZxid).toBe(makeZxid(0, 0));
    ensemble.flush(1, 1);
    ensemble.run();
    // It has the txn now, and has promised nothing.
    expect(ensemble.peer(1).state.durable).toMatchObject({ lastZxid: makeZxid(1, 1), acceptedEpoch: 1 });
    expect(said(ensemble, 'ACKEPOCH')).toBe(false);
    while (ensemble.heldOrders(1).length > 0) {
      ensemble.flush(1, 1);
      ensemble.run();
    }
    expect(ensemble.delivered(1)).toEqual([makeZxid(1, 1)]);
  });
});

describe('Rule 13', () => {
  test('Rule 13: a COMMIT between NEWLEADER and UPTODATE is delivered at UPTODATE, before the server serves (ZOOKEEPER-3023, 4394)', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1);
    const receive = followBy(ensemble, 1, 2);
    receive(leaderInfo(2));
    ensemble.run();
    for (const message of [{ type: 'DIFF' }, { type: 'NEWLEADER', epoch: 2 }] as const) receive(message);
    receive({ type: 'PROPOSAL', run: run(2, 1, 'a') });
    receive({ type: 'COMMIT', zxid: makeZxid(2, 1) });
    ensemble.run();
    expect(ensemble.delivered(1)).toEqual([]);
    receive({ type: 'UPTODATE' });
    expect(ensemble.delivered(1)).toEqual([makeZxid(2, 1)]);
    const delivers = ensemble.lines.findIndex((line) => line.includes('1 delivers'));
    expect(ensemble.lines.findIndex((line) => line.includes('serving'))).toBeGreaterThan(delivers);
  });
});

describe('Rule 14', () => {
  const joins = () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.crash(1);
    ensemble.run();
    ensemble.restart(1);
    ensemble.hold(1);
    ensemble.run();
    expect(kinds(ensemble.heldOrders(1))).toEqual(['saveCurrentEpoch']);
    return ensemble;
  };

  test('Rule 14: what is proposed behind NEWLEADER goes to a learner that has not acknowledged it', () => {
    const ensemble = joins();
    ensemble.lines.length = 0;
    ensemble.propose(3, 'b');
    ensemble.run();
    expect(said(ensemble, '3 → 1 PROPOSAL 1.1[b]')).toBe(true);
    expect(said(ensemble, '3 → 1 COMMIT 1.1')).toBe(true);
  });

  test('Rule 14: what is proposed and not committed when a learner comes is in its history', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.crash(1);
    ensemble.run();
    ensemble.hold(2);
    ensemble.propose(3, 'a');
    ensemble.run();
    ensemble.restart(1);
    ensemble.lines.length = 0;
    ensemble.run();
    expect(said(ensemble, '3 → 1 PROPOSAL 1.1[a]')).toBe(true);
    // And it is not called committed.
    const told = ensemble.lines.findIndex((line) => line.includes('3 → 1 COMMIT 0.0'));
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThan(ensemble.lines.findIndex((line) => line.includes('NEWLEADER')));
  });
});

describe('Rule 15', () => {
  const replaced = () => {
    const ensemble = new TestEnsemble([1, 2]);
    const before = image(2, run(1, 1, 'a', 'committed'), run(2, 1, 'never committed'));
    ensemble.start(1, before);
    ensemble.hold(1);
    const receive = followBy(ensemble, 1, 2);
    receive(leaderInfo(3));
    ensemble.flush(1);
    receive({ type: 'SNAP', zxid: makeZxid(1, 1) });
    receive({ type: 'PIECE', bytes: EMPTY, last: false });
    receive({ type: 'PIECE', bytes: EMPTY, last: true });
    receive({ type: 'PROPOSAL', run: run(1, 2, 'committed') });
    receive({ type: 'COMMIT', zxid: makeZxid(1, 2) });
    return { ensemble, before, receive };
  };

  test('Rule 15: a history is replaced in one order: the snapshot may be older than what is committed here (ZOOKEEPER-3642)', () => {
    const { ensemble, before, receive } = replaced();
    // Whatever happens up to here, the store has what it had.
    expect(ensemble.heldOrders(1)).toEqual([]);
    expect(ensemble.image(1).runs).toEqual(before.runs);
    receive({ type: 'NEWLEADER', epoch: 3 });
    expect(ensemble.heldOrders(1)).toMatchObject([{ type: 'installSnapshot', runs: [run(1, 2, 'committed')] }]);
  });

  test('Rule 15: the application gets a snapshot when it is durable', () => {
    const { ensemble, receive } = replaced();
    receive({ type: 'NEWLEADER', epoch: 3 });
    expect(said(ensemble, '1 restores')).toBe(false);
    ensemble.flush(1);
    expect(said(ensemble, '1 restores')).toBe(true);
    expect(kinds(ensemble.heldOrders(1))).toEqual(['saveCurrentEpoch']);
  });

  test('Rule 15: also when its server has left the leader meanwhile', () => {
    const { ensemble, receive } = replaced();
    receive({ type: 'NEWLEADER', epoch: 3 });
    ensemble.step(1, { type: 'leaderClosed', channel: 1 });
    ensemble.flush(1);
    expect(said(ensemble, '1 restores')).toBe(true);
  });

  test('Rule 15: a replacement that is broken off leaves the history as it was', () => {
    const { ensemble } = replaced();
    ensemble.step(1, { type: 'leaderClosed', channel: 1 });
    expect(ensemble.peer(1).role.vote).toEqual({ leader: 1, zxid: makeZxid(2, 1), peerEpoch: 2 });
  });

  test('Rule 15: a snapshot of which pieces are missing is no history', () => {
    for (const early of [
      { type: 'NEWLEADER', epoch: 3 },
      { type: 'PROPOSAL', run: run(1, 2, 'b') },
    ] as const) {
      const ensemble = new TestEnsemble([1, 2]);
      ensemble.start(1);
      const receive = followBy(ensemble, 1, 2);
      receive(leaderInfo(3));
      ensemble.run();
      receive({ type: 'SNAP', zxid: makeZxid(1, 1) });
      receive({ type: 'PIECE', bytes: EMPTY, last: false });
      receive(early);
      expect(ensemble.peer(1).status.state).toBe('LOOKING');
    }
  });
});

describe('Rule 16', () => {
  test('Rule 16: a learner that is ahead within an epoch of the leader is cut, one that is elsewhere gets a snapshot', () => {
    const sync = (...runs: Parameters<typeof image>[1][]) => {
      const ensemble = new TestEnsemble([1, 2, 3]);
      for (const sid of [1, 2]) ensemble.start(sid, image(2, run(1, 1, 'a')));
      ensemble.elect();
      ensemble.run();
      ensemble.start(3, image(2, ...runs));
      ensemble.run();
      expect(ensemble.delivered(3)).toEqual(ensemble.delivered(2));
      return ['DIFF', 'TRUNC 1.1', 'SNAP'].filter((mode) => said(ensemble, `2 → 3 ${mode}`));
    };
    expect(sync(run(1, 1, 'a'))).toEqual(['DIFF']);
    expect(sync(run(1, 1, 'a', 'never committed'))).toEqual(['TRUNC 1.1']);
    expect(sync(run(1, 1, 'a'), run(2, 1, 'never committed'))).toEqual(['SNAP']);
  });

  test('Rule 16: a cut at a place that the learner does not have, or below what it has applied, is refused (ZOOKEEPER-1154)', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, { ...image(1, run(1, 4, 'd')), snapshot: snapshotAt(1, 2, 3) });
    const cut = (counter: number) => {
      const receive = followBy(ensemble, 1, 2);
      receive(leaderInfo(2));
      ensemble.run();
      receive({ type: 'TRUNC', zxid: makeZxid(1, counter) });
    };
    cut(7);
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    expect(ensemble.peer(1).state.log.lastZxid).toBe(makeZxid(1, 4));
  });

  test('Rule 16: what is cut is cut on the storage too (ZOOKEEPER-3701, 2846)', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, image(1, run(1, 1, 'a', 'b')));
    const receive = followBy(ensemble, 1, 2);
    receive(leaderInfo(2));
    ensemble.run();
    ensemble.hold(1);
    receive({ type: 'TRUNC', zxid: makeZxid(1, 1) });
    expect(ensemble.heldOrders(1)).toEqual([{ type: 'truncate', zxid: makeZxid(1, 1) }]);
    expect(ensemble.peer(1).state.log.lastZxid).toBe(makeZxid(1, 1));
  });

  test('Rule 16: DIFF from the storage only where it has the place; else a snapshot', () => {
    const joins = (counter: number) => {
      const ensemble = new TestEnsemble([1, 2, 3], {}, { committedLogTxns: 0 });
      // The logs of 2 and 3 begin at 1.3: what is below went with their snapshot.
      for (const sid of [2, 3]) ensemble.start(sid, { ...image(1, run(1, 4, 'd')), snapshot: snapshotAt(1, 2, 3) });
      ensemble.elect();
      ensemble.run();
      ensemble.step(3, { type: 'snapshotSaved', zxid: makeZxid(1, 4) });
      ensemble.lines.length = 0;
      ensemble.start(1, counter === 3 ? { ...image(1), snapshot: snapshotAt(1, 2, 3) } : image(1, run(1, 1, 'a')));
      ensemble.run();
      expect(ensemble.delivered(1)).toEqual(ensemble.delivered(3));
      return ['DIFF', 'SNAP 1.4'].filter((mode) => said(ensemble, `3 → 1 ${mode}`));
    };
    expect(joins(3)).toEqual(['DIFF']);
    expect(joins(1)).toEqual(['SNAP 1.4']);
  });
});

describe('Rule 17', () => {
  test('Rule 17: a log takes nothing that leaves a hole', () => {
    const log = new Log(makeZxid(1, 3));
    expect(log.continues(makeZxid(1, 5))).toBe(false);
    expect(log.continues(makeZxid(2, 2))).toBe(false);
    expect(() => log.append(run(1, 5, 'x'))).toThrow('the log has no holes');
  });

  test('Rule 17: a proposal that leaves a hole is refused', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, image(1, run(1, 1, 'a')));
    const receive = followBy(ensemble, 1, 2);
    receive(leaderInfo(2));
    ensemble.run();
    receive({ type: 'DIFF' });
    receive({ type: 'PROPOSAL', run: run(1, 3, 'c') });
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
  });

  test('Rule 17: and so is one that was sent before', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, image(1, run(1, 1, 'a')));
    const receive = followBy(ensemble, 1, 2);
    receive(leaderInfo(2));
    ensemble.run();
    receive({ type: 'DIFF' });
    receive({ type: 'PROPOSAL', run: run(1, 1, 'a') });
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
  });
});

describe('Rule 18', () => {
  test('Rule 18: a learner acknowledges what it has flushed, and not all that it has', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.hold(1);
    for (const text of ['a', 'b']) ensemble.propose(3, text);
    ensemble.run();
    ensemble.flush(1, 1);
    ensemble.run();
    expect([said(ensemble, '1 → 3 ACK 1.1'), said(ensemble, '1 → 3 ACK 1.2')]).toEqual([true, false]);
  });

  test('Rule 18: a proposal is acknowledged once it is durable, and committed by a quorum that has flushed it', () => {
    const ensemble = serving([1, 2, 3]);
    for (const sid of [1, 2, 3]) ensemble.hold(sid);
    ensemble.propose(3, 'a');
    ensemble.run();
    expect(said(ensemble, 'ACK')).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    // The leader has not flushed it, so one of three has it.
    expect(said(ensemble, 'COMMIT')).toBe(false);
    ensemble.flush(2);
    ensemble.run();
    expect(said(ensemble, '3 → 1 COMMIT 1.1')).toBe(true);
  });

  test('Rule 18: of four servers two are no quorum', () => {
    const ensemble = serving([1, 2, 3, 4]);
    for (const sid of [1, 2, 3, 4]) ensemble.hold(sid);
    ensemble.propose(4, 'a');
    ensemble.run();
    ensemble.flush(4);
    ensemble.flush(1);
    ensemble.run();
    expect(said(ensemble, 'COMMIT')).toBe(false);
    ensemble.flush(2);
    ensemble.run();
    expect(said(ensemble, 'COMMIT 1.1')).toBe(true);
  });

  test('Rule 18: an acknowledgement counts once, however often it is sent, and never for what was not proposed', () => {
    const ensemble = serving([1, 2, 3, 4, 5]);
    for (const sid of [1, 2, 3, 4, 5]) ensemble.hold(sid);
    ensemble.propose(5, 'a');
    ensemble.run();
    const channel = ensemble.channelOf(1);
    ensemble.flush(5);
    ensemble.flush(1);
    ensemble.run();
    ensemble.step(5, { type: 'learnerMessage', channel, message: { type: 'ACK', zxid: makeZxid(1, 1) } });
    expect(ensemble.delivered(5)).toEqual([]);
    ensemble.step(5, { type: 'learnerMessage', channel: ensemble.channelOf(2), message: { type: 'ACK', zxid: makeZxid(1, 9) } });
    expect(ensemble.delivered(5)).toEqual([]);
  });
});

describe('Rule 19', () => {
  test('Rule 19: what is committed and not flushed here is not applied here (ZOOKEEPER-4882)', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.hold(3);
    ensemble.propose(3, 'a');
    ensemble.run();
    // 1 and 2 are a quorum; the leader, which has not flushed, knows that it is committed.
    expect(ensemble.delivered(1)).toEqual([makeZxid(1, 1)]);
    expect(ensemble.delivered(3)).toEqual([]);
    ensemble.flush(3);
    expect(ensemble.delivered(3)).toEqual([makeZxid(1, 1)]);
  });

  test('Rule 19: nor on an observer', () => {
    const ensemble = new TestEnsemble([1], { observers: [4] });
    for (const sid of [1, 4]) ensemble.start(sid);
    ensemble.elect();
    while (ensemble.peer(4).status.serving === false) {
      if (ensemble.hasTimer(4, 'election')) ensemble.fire(4, 'election');
      ensemble.run();
    }
    ensemble.hold(4);
    ensemble.propose(1, 'a');
    ensemble.run();
    expect(ensemble.delivered(4)).toEqual([]);
    ensemble.flush(4);
    expect(ensemble.delivered(4)).toEqual([makeZxid(1, 1)]);
  });
});

describe('Rule 20', () => {
  test('Rule 20: a leader serves once its whole history is committed and applied', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1, image(1, run(1, 1, 'a')));
    ensemble.start(2, image(1, run(1, 1, 'a', 'b')));
    expect(ensemble.elect()).toBe(2);
    const delivers = ensemble.lines.findIndex((line) => line.includes('2 delivers'));
    expect(delivers).toBeGreaterThan(0);
    expect(ensemble.lines.findIndex((line) => line.includes('2 is LEADING, serving'))).toBeGreaterThan(delivers);
    ensemble.run();
    for (const sid of [1, 2]) expect(ensemble.delivered(sid)).toEqual([makeZxid(1, 1), makeZxid(1, 2)]);
  });

  test('Rule 20: nothing is proposed before a quorum has acknowledged NEWLEADER', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [1, 2, 3]) ensemble.start(sid);
    for (const sid of [1, 2]) ensemble.hold(sid);
    ensemble.run();
    for (const sid of [1, 2]) ensemble.flush(sid);
    ensemble.run();
    ensemble.propose(3, 'too early');
    ensemble.run();
    expect(said(ensemble, 'NEWLEADER')).toBe(true);
    expect(ensemble.leader()).toBeUndefined();
    expect(said(ensemble, 'PROPOSAL')).toBe(false);
  });
});

describe('Rule 21', () => {
  test('Rule 21: a sync that comes while a round of heartbeats is under way waits for the next (ZOOKEEPER-1675)', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.fire(3, 'tick');
    ensemble.step(3, { type: 'sync', tag: 1 });
    ensemble.run((): boolean => said(ensemble, '→ 3 PING 1'));
    expect(said(ensemble, 'synced')).toBe(false);
    ensemble.run();
    expect(said(ensemble, '→ 3 PING 2')).toBe(true);
    expect(ensemble.lines.filter((line) => line.includes('3 synced 1'))).toHaveLength(1);
  });

  test('Rule 21: a quorum has to answer that round', () => {
    const ensemble = serving([1, 2, 3, 4, 5]);
    ensemble.step(5, { type: 'sync', tag: 1 });
    ensemble.drop((line) => line.includes('5 → 2 PING') || line.includes('5 → 3 PING') || line.includes('5 → 4 PING'));
    ensemble.run();
    expect(said(ensemble, '1 → 5 PING 1')).toBe(true);
    expect(said(ensemble, 'synced')).toBe(false);
  });

  test('Rule 21: what was proposed when it came is applied first, where it was asked', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.hold(1);
    ensemble.propose(3, 'a');
    ensemble.step(1, { type: 'sync', tag: 7 });
    ensemble.run();
    expect(said(ensemble, '3 → 1 SYNC')).toBe(true);
    expect(said(ensemble, '1 synced')).toBe(false);
    ensemble.flush(1);
    expect(ensemble.lines.indexOf('  1 synced 7')).toBeGreaterThan(ensemble.lines.findIndex((line) => line.startsWith('  1 delivers')));
  });

  test('Rule 21: an answer that comes while the leader goes on to another epoch waits for the history of that epoch', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1);
    const receive = followBy(ensemble, 1, 2);
    const begin = (epoch: number, ...history: Message[]) => {
      receive(leaderInfo(epoch));
      ensemble.run();
      for (const message of [{ type: 'DIFF' } as const, ...history, { type: 'NEWLEADER', epoch } as const]) receive(message);
      ensemble.run();
    };
    begin(2);
    receive({ type: 'UPTODATE' });
    ensemble.step(1, { type: 'sync', tag: 7 });
    receive(leaderInfo(3));
    receive({ type: 'SYNC', tag: 7 });
    ensemble.run();
    // What was committed in epoch 3 before the sync was asked for is still to come.
    expect(said(ensemble, '1 synced')).toBe(false);
    receive({ type: 'DIFF' });
    receive({ type: 'PROPOSAL', run: run(3, 1, 'a') });
    receive({ type: 'COMMIT', zxid: makeZxid(3, 1) });
    receive({ type: 'NEWLEADER', epoch: 3 });
    ensemble.run();
    receive({ type: 'UPTODATE' });
    expect(ensemble.lines.indexOf('  1 synced 7')).toBeGreaterThan(ensemble.lines.findIndex((line) => line.startsWith('  1 delivers 3.1')));
  });
});

describe('Rule 22', () => {
  test('Rule 22: a leader that loses its quorum steps down in the same turn', () => {
    const ensemble = serving([1, 2, 3]);
    for (const learner of [1, 2]) ensemble.step(3, { type: 'learnerClosed', channel: ensemble.channelOf(learner) });
    expect(ensemble.peer(3).status.state).toBe('LOOKING');
  });

  test('Rule 22: a silent leader is left after syncLimit ticks', () => {
    const ensemble = serving([1, 2, 3]);
    for (let halfTick = 0; halfTick <= 10; halfTick++) ensemble.fire(1, 'tick');
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
  });

  test('Rule 22: a silent quorum makes the leader step down after syncLimit ticks', () => {
    const ensemble = serving([1, 2, 3]);
    for (let halfTick = 0; halfTick <= 10; halfTick++) {
      ensemble.fire(3, 'tick');
      ensemble.drop(() => true);
    }
    expect(ensemble.peer(3).status.state).toBe('LOOKING');
  });

  test('Rule 22: discovery and synchronization end with initLimit, on both sides', () => {
    const follows = new TestEnsemble([1, 2]);
    follows.start(1);
    followBy(follows, 1, 2);
    follows.fire(1, 'init');
    expect(follows.peer(1).status.state).toBe('LOOKING');
    const leads = new TestEnsemble([1, 2, 3]);
    leads.start(3);
    leadBy(leads, 3, [1, 2]);
    leads.fire(3, 'init');
    expect(leads.peer(3).status.state).toBe('LOOKING');
  });
});

describe('Rule 23', () => {
  test('Rule 23: an epoch that has had its txns is followed by another of the same leader', () => {
    const ensemble = serving([1, 2, 3], {}, { epochTxnsMax: 2 });
    ensemble.propose(3, 'a', 'b');
    ensemble.run();
    ensemble.propose(3, 'c');
    ensemble.run();
    expect(ensemble.delivered(1)).toEqual([makeZxid(1, 1), makeZxid(1, 2), makeZxid(2, 1)]);
    expect(said(ensemble, 'LOOKING')).toBe(false);
  });

  test('Rule 23: the counter never runs into the epoch, whatever is proposed (ZOOKEEPER-1277)', () => {
    const ensemble = serving([1, 2, 3]);
    // Four billion txns later.
    const { log } = ensemble.peer(3).state;
    log.reset(makeZxid(1, COUNTER_MAX));
    ensemble.step(3, { type: 'propose', payloads: [EMPTY] });
    expect(said(ensemble, 'PROPOSAL')).toBe(false);
    expect(log.lastZxid).toBe(makeZxid(1, COUNTER_MAX));
  });

  test('Rule 23: a voter that has promised a later epoch waits, and the leader goes on to one above it', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [2, 3]) ensemble.start(sid, image(1));
    ensemble.elect();
    ensemble.run();
    ensemble.lines.length = 0;
    ensemble.start(1, { ...image(1), acceptedEpoch: 7 });
    ensemble.run();
    expect(said(ensemble, '3 → 1 LEADERINFO')).toBe(false);
    ensemble.fire(3, 'tick');
    ensemble.run();
    for (const sid of [1, 2, 3]) expect(ensemble.peer(sid).status).toMatchObject({ leader: 3, epoch: 8, serving: true });
    expect([2, 3].some((sid) => said(ensemble, `${sid} is LOOKING`))).toBe(false);
  });

  test('Rule 23: a leader that is not established makes room for it by an election', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(3, image(1));
    leadBy(ensemble, 3, [1, 2]);
    joinAs(ensemble, 3, { from: 1, channel: 50 })({ type: 'FOLLOWERINFO', acceptedEpoch: 1, ensembleId: 'test' });
    ensemble.run();
    joinAs(ensemble, 3, { from: 2, channel: 51 })({ type: 'FOLLOWERINFO', acceptedEpoch: 7, ensembleId: 'test' });
    expect(ensemble.peer(3).status.state).toBe('LOOKING');
    expect(ensemble.peer(3).state.highestEpochSeen).toBe(7);
  });
});

describe('Rule 24', () => {
  test('Rule 24: the next epoch begins when everything that was proposed is committed and applied here', () => {
    const ensemble = serving([1, 2, 3], {}, { epochTxnsMax: 2 });
    for (const sid of [1, 2]) ensemble.hold(sid);
    ensemble.propose(3, 'a', 'b');
    ensemble.run();
    expect(said(ensemble, '3 has paused')).toBe(true);
    expect(said(ensemble, 'acceptedEpoch')).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    expect(said(ensemble, '3 orders acceptedEpoch 2')).toBe(true);
  });

  test('Rule 24: what the application has proposed before it stopped belongs to the old epoch, and nothing is taken afterwards', () => {
    const ensemble = serving([1, 2, 3], {}, { epochTxnsMax: 1 });
    ensemble.propose(3, 'a');
    ensemble.propose(3, 'b');
    ensemble.run((): boolean => said(ensemble, '3 has paused'));
    ensemble.propose(3, 'too late');
    ensemble.run();
    expect(ensemble.delivered(1)).toEqual([makeZxid(1, 1), makeZxid(1, 2)]);
    expect(ensemble.peer(1).status.epoch).toBe(2);
  });
});

/** Server 1 has lost its store, and its leader has begun another epoch; the mark that gives it back its vote is ordered. */
function markOnItsWay(): TestEnsemble {
  const ensemble = serving([1, 2, 3]);
  ensemble.crash(1);
  ensemble.run();
  ensemble.restart(1, BLANK);
  ensemble.run();
  ensemble.fire(3, 'tick');
  ensemble.run((): boolean => said(ensemble, '1 → 3 ACK 2.0'));
  ensemble.hold(1);
  ensemble.run();
  expect(kinds(ensemble.heldOrders(1))).toEqual(['saveMark']);
  return ensemble;
}

describe('Rule 25', () => {
  test('Rule 25: servers without a mark elect nobody', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [1, 2, 3]) ensemble.start(sid, BLANK);
    for (let round = 0; round < 5; round++) {
      ensemble.run();
      for (const sid of [1, 2, 3]) if (ensemble.hasTimer(sid, 'election')) ensemble.fire(sid, 'election');
    }
    for (const sid of [1, 2, 3]) expect(ensemble.peer(sid).status).toMatchObject({ state: 'LOOKING', votes: false });
  });

  test('Rule 25: one of them makes no quorum, and is not elected by those who do not know', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1);
    ensemble.start(3, BLANK);
    const vote = { leader: 3, zxid: makeZxid(1, 1), peerEpoch: 1 };
    for (const from of [1, 2]) ensemble.step(3, { type: 'notification', from, notification: { state: 'LOOKING', electionEpoch: 1, vote } });
    for (let round = 0; round < 5; round++) {
      ensemble.run();
      for (const sid of [1, 3]) {
        if (ensemble.hasTimer(sid, 'finalize')) ensemble.fire(sid, 'finalize');
        else if (ensemble.hasTimer(sid, 'election')) ensemble.fire(sid, 'election');
      }
    }
    for (const sid of [1, 3]) expect(ensemble.peer(sid).status.state).toBe('LOOKING');
  });

  test('Rule 25: what it acknowledges commits nothing before another epoch, and does then', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.crash(1);
    ensemble.run();
    ensemble.restart(1, BLANK);
    ensemble.run();
    ensemble.hold(2);
    ensemble.propose(3, 'a');
    ensemble.run();
    expect(ensemble.delivered(3)).toEqual([]);
    ensemble.flush(2);
    ensemble.run();
    ensemble.fire(3, 'tick');
    ensemble.run();
    while (ensemble.heldOrders(2).length > 0) {
      ensemble.flush(2);
      ensemble.run();
    }
    expect(ensemble.peer(1).status).toMatchObject({ state: 'FOLLOWING', epoch: 2, votes: true });
    ensemble.propose(3, 'b');
    ensemble.run();
    // Server 2 has not flushed it.
    expect(ensemble.delivered(3)).toEqual([makeZxid(1, 1), makeZxid(2, 1)]);
  });

  test('Rule 25: the epoch that gives it its vote is begun by a quorum of the others', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.crash(1);
    ensemble.run();
    ensemble.restart(1, BLANK);
    ensemble.run();
    ensemble.hold(2);
    ensemble.fire(3, 'tick');
    ensemble.run();
    ensemble.flush(2);
    ensemble.run();
    // Server 1 has acknowledged the new epoch, server 2 has not.
    expect(said(ensemble, '1 → 3 ACK 2.0')).toBe(true);
    expect(ensemble.leader()).toBeUndefined();
    expect(ensemble.peer(1).status.votes).toBe(false);
    ensemble.flush(2);
    ensemble.run();
    expect(ensemble.leader()).toBe(3);
  });

  test('Rule 25: it acknowledges and votes once its mark is durable', () => {
    const ensemble = markOnItsWay();
    ensemble.lines.length = 0;
    ensemble.propose(3, 'a');
    ensemble.run();
    expect(ensemble.peer(1).status.votes).toBe(false);
    ensemble.flush(1, 1);
    expect(ensemble.peer(1).status.votes).toBe(true);
    expect(said(ensemble, '1 → 3 ACK')).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    expect(said(ensemble, '1 → 3 ACK 2.1')).toBe(true);
  });

  test('Rule 25: one that gets its vote while it looks for a leader begins again', () => {
    const ensemble = markOnItsWay();
    ensemble.crash(3);
    ensemble.run((): boolean => ensemble.peer(1).status.state === 'LOOKING');
    expect(ensemble.peer(1).role.vote.peerEpoch).toBe(-1);
    ensemble.flush(1, 1);
    expect(ensemble.peer(1).status).toMatchObject({ state: 'LOOKING', votes: true });
    expect(ensemble.peer(1).role.vote).toEqual({ leader: 1, zxid: 0, peerEpoch: 2 });
  });

  test('Rule 25: what was durable before its mark is acknowledged with the mark', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1, BLANK);
    const vote = { leader: 2, zxid: makeZxid(1, 1), peerEpoch: 1 };
    for (const [from, state] of [
      [3, 'FOLLOWING'],
      [2, 'LEADING'],
    ] as const)
      ensemble.step(1, { type: 'notification', from, notification: { state, electionEpoch: 1, vote } });
    ensemble.drop(() => true);
    const receive = (message: Message) => ensemble.step(1, { type: 'leaderMessage', channel: 1, message });
    for (const epoch of [2, 3]) {
      receive(leaderInfo(epoch));
      ensemble.run();
      receive({ type: 'DIFF' });
      receive({ type: 'NEWLEADER', epoch });
      ensemble.run();
      if (epoch === 2) receive({ type: 'UPTODATE' });
      receive(epoch === 2 ? { type: 'INFORM', run: run(2, 1, 'informed') } : { type: 'PROPOSAL', run: run(3, 1, 'proposed') });
      ensemble.run();
    }
    const acks = () => ensemble.sentToLeader(1).flatMap((message) => (message.type === 'ACK' ? [message.zxid] : []));
    expect(acks()).toEqual([makeZxid(2, 0), makeZxid(3, 0)]);
    receive({ type: 'UPTODATE' });
    expect(acks()).toEqual([makeZxid(2, 0), makeZxid(3, 0)]);
    ensemble.run();
    expect(acks()).toEqual([makeZxid(2, 0), makeZxid(3, 0), makeZxid(3, 1)]);
  });

  test('Rule 25: a damaged store is one without a vote, mark or not', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1, { ...image(1, run(1, 1, 'a')), damage: 'an entry cannot be read' });
    expect(ensemble.peer(1).status.votes).toBe(false);
    expect(ensemble.peer(1).role.vote.peerEpoch).toBe(-1);
  });
});

describe('Rule 26', () => {
  test('Rule 26: a damaged store loses its mark, durably, before it asks for anything that repairs it', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [2, 3]) ensemble.start(sid, image(1, run(1, 1, 'a', 'b')));
    ensemble.elect();
    ensemble.run();
    ensemble.start(1, { ...image(1, run(1, 1, 'a')), damage: 'an entry cannot be read' });
    ensemble.hold(1);
    ensemble.run();
    expect(said(ensemble, '1 → 3 OBSERVERINFO')).toBe(true);
    // A promise may take the place of one that cannot be read.
    expect(kinds(ensemble.heldOrders(1))).toEqual(['saveMark']);
    ensemble.flush(1);
    expect(kinds(ensemble.heldOrders(1))).toEqual(['saveAcceptedEpoch']);
    ensemble.flush(1);
    ensemble.run();
    expect(said(ensemble, '1 → 3 ACKEPOCH')).toBe(true);
  });

  test('Rule 26: and keeps it until a leader has been found, for it may be mended yet', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1, { ...image(1, run(1, 1, 'a')), damage: 'an entry cannot be read' });
    ensemble.run();
    expect(ensemble.image(1).mark).toEqual({ ensembleId: 'test' });
  });

  test('Rule 26: also where the promise that it is asked for stands on its disk already', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [2, 3]) ensemble.start(sid, image(1, run(1, 1, 'a', 'b')));
    ensemble.elect();
    ensemble.run();
    ensemble.start(1, { ...image(1, run(1, 1, 'a')), acceptedEpoch: 2, damage: 'an entry cannot be read' });
    ensemble.hold(1);
    ensemble.run();
    expect(said(ensemble, '3 → 1 LEADERINFO epoch 2')).toBe(true);
    expect(kinds(ensemble.heldOrders(1))).toEqual(['saveMark']);
    expect(said(ensemble, '1 → 3 ACKEPOCH')).toBe(false);
  });

  test('Rule 26: what cannot be read stays until something takes its place', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [2, 3]) ensemble.start(sid, image(1, run(1, 1, 'a', 'b')));
    ensemble.elect();
    ensemble.run();
    ensemble.start(1, { ...image(1, run(1, 1, 'a')), damage: 'an entry cannot be read' });
    ensemble.run();
    const cut = ensemble.lines.findIndex((line) => line.includes('1 orders truncate to 1.1'));
    expect(cut).toBeGreaterThan(ensemble.lines.findIndex((line) => line.includes('3 → 1 PROPOSAL 1.2')));
    expect(cut).toBeLessThan(ensemble.lines.findIndex((line) => line.includes('1 orders append 1.2')));
  });
});

describe('Rule 27', () => {
  test('Rule 27: the successor has acknowledged everything, and everything is committed', () => {
    const ensemble = serving([1, 2, 3]);
    for (const sid of [1, 2]) ensemble.hold(sid);
    ensemble.propose(3, 'a');
    ensemble.step(3, { type: 'handOver', to: 1 });
    ensemble.run();
    expect(said(ensemble, 'HANDOVER')).toBe(false);
    ensemble.flush(2);
    ensemble.run();
    // It is committed, but server 1 has not acknowledged it.
    expect(ensemble.delivered(3)).toEqual([makeZxid(1, 1)]);
    expect(said(ensemble, 'HANDOVER')).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    expect(said(ensemble, '3 → 1 HANDOVER to 1')).toBe(true);
  });

  test('Rule 27: nobody is sent to the successor before it leads', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.step(3, { type: 'handOver', to: 1 });
    ensemble.run();
    const leads = ensemble.lines.findIndex((line) => line.includes('1 is LEADING'));
    expect(leads).toBeGreaterThan(0);
    expect(ensemble.lines.findIndex((line) => line.includes('3 → 2 HANDOVER to 1'))).toBeGreaterThan(leads);
  });

  test('Rule 27: it goes to a voter that may lead, or not at all', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.crash(1);
    ensemble.run();
    ensemble.restart(1, BLANK);
    ensemble.run();
    ensemble.lines.length = 0;
    for (const to of [1, 3, 9]) ensemble.step(3, { type: 'handOver', to });
    ensemble.run();
    expect(ensemble.leader()).toBe(3);
    expect(ensemble.lines).toEqual([]);
  });
});

describe('Rule 28', () => {
  const large = new Uint8Array(60_000);

  test('Rule 28: each piece of a snapshot waits for room', () => {
    const ensemble = new TestEnsemble([1, 2, 3], {}, { committedLogTxns: 0 });
    for (const sid of [2, 3]) ensemble.start(sid, { ...image(1), snapshot: snapshotAt(1, 2, 3, 4, 5) });
    ensemble.elect();
    ensemble.run();
    ensemble.start(1);
    ensemble.lines.length = 0;
    ensemble.run((): boolean => said(ensemble, 'PIECE'));
    ensemble.fire(3, 'tick');
    ensemble.run();
    const pieces = ensemble.lines.flatMap((line, i) => (line.includes('3 → 1 PIECE') ? [i] : []));
    expect(pieces).toHaveLength(3);
    const rooms = ensemble.lines.flatMap((line, i) => (line.includes('3 has room') ? [i] : []));
    expect(rooms[0]).toBeLessThan(pieces[1] as number);
    // A heartbeat does not wait for all of it.
    expect(ensemble.lines.findIndex((line) => line.includes('3 → 2 PING'))).toBeLessThan(pieces[2] as number);
  });

  test('Rule 28: so does each part of a long log', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    const runs = { zxid: makeZxid(1, 1), payloads: [large, large, large] };
    for (const sid of [2, 3]) ensemble.start(sid, image(1, runs));
    ensemble.elect();
    ensemble.run();
    ensemble.start(1);
    ensemble.lines.length = 0;
    ensemble.run();
    expect(ensemble.lines.filter((line) => line.includes('3 → 1 PROPOSAL'))).toHaveLength(3);
    expect(ensemble.lines.filter((line) => line.includes('3 has room'))).toHaveLength(2);
    expect(ensemble.delivered(1)).toHaveLength(3);
  });
});

describe('Rule 29', () => {
  test('Rule 29: a leader does not take a learner of another ensemble', () => {
    const ensemble = serving([1, 2, 3]);
    joinAs(ensemble, 3, { from: 1, channel: 50 })({ type: 'FOLLOWERINFO', acceptedEpoch: 1, ensembleId: 'another' });
    expect(ensemble.lines.some((line) => line.includes('LEADERINFO'))).toBe(false);
    const { state } = ensemble.peer(3).role as unknown as { readonly state: { readonly learners: Iterable<unknown> } };
    expect([...state.learners].some((learner) => JSON.stringify(learner).includes('50'))).toBe(false);
  });

  test('Rule 29: a server does not follow a leader of another ensemble', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, image(1));
    followBy(ensemble, 1, 2)({ type: 'LEADERINFO', epoch: 9, ensembleId: 'another' });
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    expect(ensemble.peer(1).state.acceptedEpoch).toBe(1);
  });
});

describe('Rule 31', () => {
  const whole = { ...run(1, 1, 'a', 'b', 'c', 'd'), epoch: 1 };

  /** What comes of a message of somebody who opens a channel. */
  const effectsOf = (ensemble: TestEnsemble, sid: number, message: Message): Effect[] => {
    const peer = ensemble.peer(sid);
    peer.step({ type: 'learnerOpened', from: 9, channel: 77 });
    peer.step({ type: 'learnerMessage', channel: 77, message });
    return peer.effects.splice(0);
  };

  /** What a server answers to a question. */
  const answerOf = (
    ensemble: TestEnsemble,
    sid: number,
    { after, before, ensembleId = 'test' }: { readonly after: number; readonly before: number; readonly ensembleId?: string },
  ): Message[] => {
    const question: Message = { type: 'MEND', ensembleId, after: makeZxid(1, after), before: makeZxid(1, before) };
    return effectsOf(ensemble, sid, question).flatMap((effect) => (effect.type === 'sendToLearner' ? [effect.message] : []));
  };

  test('Rule 31: damaged servers are made whole by one another, and then elect a leader', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1, damaged(whole, 'b', 'd'));
    ensemble.start(2, damaged(whole, 'a', 'c'));
    ensemble.run();
    // The first asked while nobody else was there.
    ensemble.fire(1, 'mend');
    ensemble.elect();
    ensemble.run();
    for (const sid of [1, 2]) expect(ensemble.delivered(sid)).toEqual([1, 2, 3, 4].map((counter) => makeZxid(1, counter)));
    expect(ensemble.image(1).damage).toBeUndefined();
    expect(ensemble.image(1).mark).toEqual({ ensembleId: 'test' });
  });

  test('Rule 31: a question that comes late does not take the place of the channel on which its server follows', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [1, 2, 3]) ensemble.start(sid);
    ensemble.elect();
    ensemble.run();
    const peer = ensemble.peer(3);
    peer.step({ type: 'learnerOpened', from: 1, channel: 77 });
    peer.step({
      type: 'learnerMessage',
      channel: 77,
      message: { type: 'MEND', ensembleId: 'test', after: makeZxid(1, 0), before: makeZxid(1, 1) },
    });
    peer.step({ type: 'learnerOpened', from: 2, channel: 78 });
    peer.step({ type: 'learnerClosed', channel: 78 });
    expect(peer.effects.splice(0).map(({ type }) => type)).toEqual(['sendToLearner']);
    expect(peer.status).toMatchObject({ state: 'LEADING', serving: true });
  });

  test('a server that follows anew has the older of its channels closed, before an election ends and after it', () => {
    const looking = new TestEnsemble([1, 2, 3]);
    looking.start(2, image(1));
    const info: Message = { type: 'FOLLOWERINFO', acceptedEpoch: 1, ensembleId: 'test' };
    const serving3 = serving([1, 2, 3]);
    for (const peer of [looking.peer(2), serving3.peer(3)]) {
      peer.effects.splice(0);
      for (const channel of [70, 71]) {
        peer.step({ type: 'learnerOpened', from: 1, channel });
        peer.step({ type: 'learnerMessage', channel, message: info });
      }
      const closed = peer.effects.splice(0).flatMap((effect) => (effect.type === 'closeToLearner' ? [effect.channel] : []));
      expect(closed).toContain(70);
      expect(closed).not.toContain(71);
    }
  });

  test('Rule 31: nothing is believed but what has the chain that the store has kept', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1, damaged(whole, 'b'));
    ensemble.start(2, image(1, run(1, 1, 'a', 'x', 'c', 'd')));
    ensemble.start(3, damaged(whole, 'b'));
    ensemble.run();
    ensemble.fire(1, 'mend');
    ensemble.run();
    expect(said(ensemble, '2 → 1 FOUND 1.2[x]')).toBe(true);
    expect(ensemble.peer(1).status.votes).toBe(false);
    expect(said(ensemble, '1 orders mend')).toBe(false);
  });

  test('Rule 31: what some have and others have cut off does not stand in the way', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    const twoEpochs = [...run(1, 1, 'a', 'b').payloads, ...run(2, 1, 'c').payloads];
    const [a, b, c] = twoEpochs as [Uint8Array, Uint8Array, Uint8Array];
    const chain = extendChain(0, makeZxid(1, 1), a);
    const proof = extendChain(extendChain(chain, makeZxid(1, 2), b), makeZxid(2, 1), c);
    const gap = { after: makeZxid(1, 1), before: makeZxid(2, 2), chain, proof };
    // Server 2 has what never was committed.
    ensemble.start(2, { ...image(1, run(1, 1, 'a', 'b', 'z')), mark: undefined });
    ensemble.start(3, { ...image(2, run(1, 1, 'a', 'b'), run(2, 1, 'c')), mark: undefined });
    ensemble.start(1, { ...image(2, run(1, 1, 'a')), damage: 'b and c', salvage: { gaps: [gap], runs: [], endIsKnown: true } });
    ensemble.run();
    expect(ensemble.peer(1).status.votes).toBe(false);
    ensemble.fire(1, 'mend');
    ensemble.run();
    expect(said(ensemble, '1 orders mend 1.2[b] 2.1[c]')).toBe(true);
  });

  test('Rule 31: every gap has to be closed', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(2, damaged(whole, 'd'));
    ensemble.start(1, damaged(whole, 'b', 'd'));
    ensemble.run();
    expect(said(ensemble, '2 → 1 FOUND 1.2[b]')).toBe(true);
    expect(said(ensemble, '1 orders mend')).toBe(false);
    // The one that has it comes later.
    ensemble.start(3, image(1, run(1, 1, 'a', 'b', 'c', 'd')));
    ensemble.fire(1, 'mend');
    ensemble.run();
    expect(said(ensemble, '1 orders mend 1.2[b,c,d]')).toBe(true);
  });

  test('Rule 31: a server has its vote back when what was mended is durable, and not before', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(2, damaged(whole, 'c'));
    ensemble.start(1, damaged(whole, 'b'));
    ensemble.hold(1);
    ensemble.run();
    expect(kinds(ensemble.heldOrders(1))).toEqual(['mend']);
    expect(ensemble.peer(1).votes).toBe(false);
    expect(ensemble.peer(1).role.vote.peerEpoch).toBe(-1);
    ensemble.flush(1);
    expect(ensemble.peer(1).status.votes).toBe(true);
    expect(ensemble.peer(1).role.vote).toMatchObject({ leader: 1, zxid: makeZxid(1, 4) });
  });

  test('Rule 31: it follows nobody in between', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [2, 3]) ensemble.start(sid, image(1, run(1, 1, 'a', 'b', 'c', 'd')));
    ensemble.elect();
    ensemble.run();
    ensemble.start(1, damaged(whole, 'b'));
    ensemble.hold(1);
    ensemble.step(1, { type: 'leaderMessage', channel: 1, message: found('b') });
    ensemble.run();
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    ensemble.flush(1);
    ensemble.run();
    expect(said(ensemble, '1 → 3 FOLLOWERINFO')).toBe(true);
  });

  const found = (text: string): Message => ({ type: 'FOUND', runs: [run(1, 2, text)], more: false, end: makeZxid(1, 4) });

  test('Rule 31: where a store does not know its end, so many have to say that they have no more that this server is in no quorum without them', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(2, damaged(whole, 'c'));
    ensemble.hold(2);
    ensemble.start(1, damaged({ ...whole, endIsKnown: false }, 'b'));
    ensemble.run();
    expect(said(ensemble, '2 → 1 FOUND 1.2[b], end 1.4')).toBe(true);
    // Server 3 and this one may have committed more.
    expect(said(ensemble, '1 orders mend')).toBe(false);
    ensemble.start(3, damaged(whole, 'a'));
    ensemble.hold(3);
    ensemble.fire(1, 'mend');
    ensemble.run();
    expect(said(ensemble, '3 → 1 FOUND nothing, end 1.4')).toBe(true);
    expect(said(ensemble, '1 orders mend')).toBe(true);
  });

  test('Rule 31: one that has more, and one that has forgotten what it had, do not say so', () => {
    const more = image(1, run(1, 1, 'a', 'b', 'c', 'd', 'e'));
    const forgotten = { ...image(1, run(1, 1, 'a', 'b', 'c', 'd')), mark: undefined };
    for (const other of [more, forgotten]) {
      const ensemble = new TestEnsemble([1, 2, 3]);
      ensemble.start(1, damaged({ ...whole, endIsKnown: false }, 'b'));
      ensemble.start(2, other);
      ensemble.start(3, damaged(whole, 'a', 'b', 'c'));
      ensemble.hold(3);
      ensemble.run();
      ensemble.fire(1, 'mend');
      ensemble.run();
      expect(said(ensemble, '→ 1 FOUND 1.2[b]')).toBe(true);
      expect(said(ensemble, '1 orders mend')).toBe(false);
    }
  });

  test('Rule 31: whoever is asked answers in every role, with what is behind its own damage too', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.propose(3, 'a', 'b', 'c');
    ensemble.run();
    for (const sid of [1, 3])
      expect(answerOf(ensemble, sid, { after: 1, before: 3 })).toEqual([
        { type: 'FOUND', runs: [run(1, 2, 'b')], more: false, end: makeZxid(1, 3) },
      ]);
    const alone = new TestEnsemble([1, 2, 3]);
    alone.start(1, damaged(whole, 'b'));
    expect(answerOf(alone, 1, { after: 0, before: 5 })).toEqual([
      { type: 'FOUND', runs: [run(1, 1, 'a'), run(1, 3, 'c'), run(1, 4, 'd')], more: false, end: makeZxid(1, 4) },
    ]);
  });

  test('Rule 31: and who does not ask is sent away by one that leads nobody', () => {
    const ensemble = serving([1, 2, 3]);
    const hello: Message = { type: 'FOLLOWERINFO', acceptedEpoch: 1, ensembleId: 'test' };
    expect(effectsOf(ensemble, 1, hello)).toEqual([{ type: 'closeToLearner', channel: 77 }]);
  });

  test('Rule 31: nobody of another ensemble is answered', () => {
    const ensemble = serving([1, 2, 3]);
    expect(answerOf(ensemble, 1, { after: 0, before: 5, ensembleId: 'other' })).toEqual([]);
  });

  test('Rule 31: a leader that is found before ends it', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [2, 3]) ensemble.start(sid, image(1, run(1, 1, 'a', 'x', 'c', 'd')));
    ensemble.elect();
    ensemble.run();
    ensemble.start(1, damaged(whole, 'b'));
    ensemble.run();
    expect(ensemble.image(1).mark).toBeUndefined();
    expect(ensemble.hasTimer(1, 'mend')).toBe(false);
    expect(ensemble.peer(1).status).toMatchObject({ state: 'OBSERVING', serving: true });
  });
});
