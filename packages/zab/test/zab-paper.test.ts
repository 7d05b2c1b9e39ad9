/**
 * The properties of the Zab paper (DSN 2011, sections III and V) and of Zab 1.0, each on the smallest history that would break it.
 * The simulator of the testkit looks for the same on random ones.
 */
import { makeZxid } from '@quorate/protocol';
import { type Effect, hasQuorum, type Input, type Message, type Run } from '@quorate/zab';
import { describe, expect, test } from 'vitest';
import { TestEnsemble } from './ensemble.js';

const text = (...texts: string[]): Uint8Array[] => texts.map((t) => Uint8Array.from(t, (c) => c.charCodeAt(0)));
const run = (epoch: number, counter: number, ...texts: string[]): Run => ({ zxid: makeZxid(epoch, counter), payloads: text(...texts) });
const image = (epoch: number, ...runs: Run[]) => ({ acceptedEpoch: epoch, currentEpoch: epoch, runs });

function serving(voters: number[]): TestEnsemble {
  const ensemble = new TestEnsemble(voters);
  for (const sid of voters) ensemble.start(sid);
  ensemble.elect();
  ensemble.run();
  ensemble.lines.length = 0;
  return ensemble;
}

const leaderInfo = (epoch: number): Message => ({ type: 'LEADERINFO', epoch, ensembleId: 'test' });

const ordered = (effects: readonly Effect[]) => effects.map(({ type }) => type);

describe('Phase 0, election (FastLeaderElection)', () => {
  test('a vote is ordered by epoch before zxid before sid', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    // Server 1 is of the later epoch with the shorter log, server 2 of the earlier with the longer.
    ensemble.start(1, image(2, run(2, 1, 'x')));
    ensemble.start(2, image(1, run(1, 1, 'a', 'b', 'c')));
    ensemble.start(3, image(1));
    expect(ensemble.elect()).toBe(1);
  });

  test('a vote of an earlier round does not count, its sender is told of the present one', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1);
    ensemble.drop(() => true);
    const late = { state: 'LOOKING', electionEpoch: 0, vote: { leader: 3, zxid: makeZxid(9, 9), peerEpoch: 9 } } as const;
    ensemble.step(1, { type: 'notification', from: 3, notification: late });
    ensemble.run();
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    expect(ensemble.peer(1).role.vote.leader).toBe(1);
    expect(ensemble.lines.length).toBeGreaterThan(0);
  });

  test('a later round starts the counting anew', () => {
    const ensemble = new TestEnsemble([1, 2, 3, 4, 5]);
    ensemble.start(1);
    const vote = { leader: 5, zxid: makeZxid(0, 0), peerEpoch: 0 };
    const say = (from: number, electionEpoch: number) =>
      ensemble.step(1, { type: 'notification', from, notification: { state: 'LOOKING', electionEpoch, vote } });
    say(5, 1);
    say(4, 2);
    // Only 4 and 1 itself have spoken in round 2, so there is no quorum to wait for.
    expect(ensemble.hasTimer(1, 'finalize')).toBe(false);
    say(5, 2);
    expect(ensemble.hasTimer(1, 'finalize')).toBe(true);
  });

  test('a better vote that comes within finalizeWait is taken', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1);
    ensemble.start(2);
    ensemble.run();
    expect(ensemble.hasTimer(1, 'finalize')).toBe(true);
    ensemble.start(3);
    ensemble.run();
    expect(ensemble.leader()).toBe(3);
  });

  test('nobody is followed on hearsay: the leader itself has to say that it leads (checkLeader)', () => {
    const ensemble = new TestEnsemble([1, 2, 3, 4, 5]);
    ensemble.start(1);
    const vote = { leader: 5, zxid: makeZxid(1, 1), peerEpoch: 1 };
    for (const from of [2, 3, 4]) {
      ensemble.step(1, { type: 'notification', from, notification: { state: 'FOLLOWING', electionEpoch: 7, vote } });
    }
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    ensemble.step(1, { type: 'notification', from: 5, notification: { state: 'LEADING', electionEpoch: 7, vote } });
    expect(ensemble.peer(1).status).toMatchObject({ state: 'FOLLOWING', leader: 5 });
  });

  test('servers that elected the same leader by different votes tell the same of it once its epoch is known (ZOOKEEPER-1732)', () => {
    const told = [9, 4].map((peerEpoch) => {
      const ensemble = new TestEnsemble([1, 2]);
      ensemble.start(1);
      followBy(ensemble, 1, 2, peerEpoch);
      ensemble.step(1, { type: 'leaderMessage', channel: 1, message: leaderInfo(12) });
      return ensemble.peer(1).role.vote.peerEpoch;
    });
    expect(told).toEqual([12, 12]);
    const leader = serving([1, 2, 3]);
    expect(leader.peer(3).role.vote.peerEpoch).toBe(1);
  });

  test('a vote from outside the configuration, or for one outside it, does not count', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1);
    const vote = { leader: 9, zxid: makeZxid(9, 9), peerEpoch: 9 };
    for (const from of [9, 2]) ensemble.step(1, { type: 'notification', from, notification: { state: 'LOOKING', electionEpoch: 1, vote } });
    expect(ensemble.peer(1).role.vote.leader).toBe(1);
  });
});

describe('Phase 1, discovery', () => {
  test('ACKEPOCH follows the durable acceptedEpoch', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [1, 2, 3]) ensemble.start(sid);
    ensemble.hold(1);
    ensemble.hold(2);
    ensemble.run();
    expect(ordered(ensemble.heldOrders(1))).toEqual(['saveAcceptedEpoch']);
    expect(ensemble.lines.some((line) => line.includes('ACKEPOCH'))).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    expect(ensemble.lines.filter((line) => line.includes('ACKEPOCH'))).toHaveLength(1);
  });

  test('LEADERINFO follows the leader’s own durable promise', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [1, 2, 3]) ensemble.start(sid);
    ensemble.hold(3);
    ensemble.run();
    expect(ordered(ensemble.heldOrders(3))).toEqual(['saveAcceptedEpoch']);
    expect(ensemble.lines.some((line) => line.includes('LEADERINFO'))).toBe(false);
    ensemble.flush(3);
    ensemble.run();
    expect(ensemble.lines.some((line) => line.includes('LEADERINFO'))).toBe(true);
  });

  test('the new epoch is above every promise of the quorum', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1, { ...image(2), acceptedEpoch: 7 });
    ensemble.start(2, image(3));
    ensemble.start(3, image(3));
    ensemble.elect();
    ensemble.run();
    expect(ensemble.peer(3).status.epoch).toBeGreaterThan(7);
    expect(ensemble.peer(1).status).toMatchObject({ serving: true });
  });

  test('a leader of an epoch below the promise is not followed', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, { ...image(1), acceptedEpoch: 5 });
    followBy(ensemble, 1, 2);
    ensemble.step(1, { type: 'leaderMessage', channel: 1, message: leaderInfo(4) });
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    expect(ensemble.peer(1).state.acceptedEpoch).toBe(5);
  });

  test('an epoch that was promised before is acknowledged with −1, which does not count', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, { ...image(1), acceptedEpoch: 5 });
    followBy(ensemble, 1, 2);
    ensemble.step(1, { type: 'leaderMessage', channel: 1, message: leaderInfo(5) });
    expect(ensemble.heldOrders(1)).toEqual([]);
    expect(ensemble.peer(1).status.state).toBe('FOLLOWING');
    expect(ensemble.sentToLeader(1)).toContainEqual({ type: 'ACKEPOCH', currentEpoch: -1, lastZxid: 0 });
  });

  test('a leader whose quorum knows more than it does steps down', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(3, image(1));
    leadBy(ensemble, 3, [1, 2]);
    ensemble.step(3, { type: 'learnerOpened', from: 1, channel: 50 });
    ensemble.step(3, { type: 'learnerMessage', channel: 50, message: { type: 'FOLLOWERINFO', acceptedEpoch: 1, ensembleId: 'test' } });
    ensemble.run();
    ensemble.step(3, { type: 'learnerMessage', channel: 50, message: { type: 'ACKEPOCH', currentEpoch: 1, lastZxid: makeZxid(1, 1) } });
    expect(ensemble.peer(3).status.state).toBe('LOOKING');
  });
});

describe('Phase 2, synchronization', () => {
  test('history is durable before currentEpoch is saved, currentEpoch before ACK(NEWLEADER) (ZOOKEEPER-4643, 4646, 3911)', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(2, image(1, run(1, 1, 'a')));
    ensemble.start(3, image(1, run(1, 1, 'a')));
    ensemble.elect();
    ensemble.run();
    ensemble.start(1);
    ensemble.hold(1);
    ensemble.run();
    ensemble.flush(1);
    ensemble.run();
    ensemble.lines.length = 0;
    expect(ordered(ensemble.heldOrders(1))).toEqual(['append']);
    ensemble.flush(1);
    ensemble.run();
    expect(ordered(ensemble.heldOrders(1))).toEqual(['saveCurrentEpoch']);
    expect(ensemble.lines.some((line) => line.includes('ACK'))).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    expect(ensemble.lines.some((line) => line.includes('1 → 3 ACK 2.0'))).toBe(true);
    expect(ensemble.peer(1).status.serving).toBe(true);
  });

  test('a history that is replaced is replaced at once: the snapshot may be older than what is committed here (ZOOKEEPER-3642)', () => {
    const ensemble = new TestEnsemble([1, 2]);
    const before = image(2, run(1, 1, 'a', 'committed'), run(2, 1, 'never committed'));
    ensemble.start(1, before);
    ensemble.hold(1);
    followBy(ensemble, 1, 2);
    const receive = (message: Message) => ensemble.step(1, { type: 'leaderMessage', channel: 1, message });
    receive(leaderInfo(3));
    ensemble.flush(1);
    receive({ type: 'SNAP', zxid: makeZxid(1, 1) });
    receive({ type: 'PIECE', bytes: new Uint8Array(), last: true });
    receive({ type: 'PROPOSAL', run: run(1, 2, 'committed') });
    receive({ type: 'COMMIT', zxid: makeZxid(1, 2) });
    // Whatever happens up to here, the store has what it had.
    expect(ensemble.heldOrders(1)).toEqual([]);
    expect(ensemble.image(1).runs).toEqual(before.runs);
    receive({ type: 'NEWLEADER', epoch: 3 });
    expect(ensemble.heldOrders(1)).toMatchObject([{ type: 'installSnapshot', runs: [run(1, 2, 'committed')] }]);
    expect(ensemble.lines.some((line) => line.includes('1 restores'))).toBe(false);
    ensemble.flush(1);
    expect(ensemble.lines.some((line) => line.includes('1 restores'))).toBe(true);
    expect(ordered(ensemble.heldOrders(1))).toEqual(['saveCurrentEpoch']);
  });

  test('a replacement that is broken off leaves the history as it was', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, image(2, run(1, 1, 'a'), run(2, 1, 'b')));
    followBy(ensemble, 1, 2);
    const receive = (message: Message) => ensemble.step(1, { type: 'leaderMessage', channel: 1, message });
    receive(leaderInfo(3));
    ensemble.run();
    receive({ type: 'SNAP', zxid: makeZxid(1, 1) });
    receive({ type: 'PIECE', bytes: new Uint8Array(), last: true });
    ensemble.step(1, { type: 'leaderClosed', channel: 1 });
    expect(ensemble.peer(1).role.vote).toEqual({ leader: 1, zxid: makeZxid(2, 1), peerEpoch: 2 });
  });

  test('nothing is proposed before a quorum, the leader included, has acknowledged NEWLEADER', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    for (const sid of [1, 2, 3]) ensemble.start(sid);
    ensemble.hold(3);
    ensemble.run();
    ensemble.flush(3);
    ensemble.run();
    // Both followers have acknowledged, the leader's own epoch is not yet durable.
    ensemble.propose(3, 'too early');
    ensemble.run();
    expect(ensemble.leader()).toBeUndefined();
    expect(ensemble.lines.some((line) => line.includes('PROPOSAL'))).toBe(false);
    ensemble.flush(3);
    ensemble.run();
    expect(ensemble.leader()).toBe(3);
  });

  test('an established leader has committed its whole history, and only then', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1, image(1, run(1, 1, 'a')));
    ensemble.start(2, image(1, run(1, 1, 'a', 'b')));
    expect(ensemble.elect()).toBe(2);
    ensemble.run();
    expect(ensemble.delivered(1)).toEqual([makeZxid(1, 1), makeZxid(1, 2)]);
  });

  test('a cut at a place that the learner does not have is refused (ZOOKEEPER-1154)', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, image(1, run(1, 1, 'a')));
    followBy(ensemble, 1, 2);
    ensemble.step(1, { type: 'leaderMessage', channel: 1, message: leaderInfo(2) });
    ensemble.run();
    ensemble.step(1, { type: 'leaderMessage', channel: 1, message: { type: 'TRUNC', zxid: makeZxid(1, 0) } });
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    expect(ensemble.peer(1).state.log.lastZxid).toBe(makeZxid(1, 1));
  });

  test('a proposal that leaves a hole is refused', () => {
    const ensemble = new TestEnsemble([1, 2]);
    ensemble.start(1, image(1, run(1, 1, 'a')));
    followBy(ensemble, 1, 2);
    for (const message of [leaderInfo(2)] as const) ensemble.step(1, { type: 'leaderMessage', channel: 1, message });
    ensemble.run();
    ensemble.step(1, { type: 'leaderMessage', channel: 1, message: { type: 'DIFF' } });
    ensemble.step(1, { type: 'leaderMessage', channel: 1, message: { type: 'PROPOSAL', run: run(1, 3, 'c') } });
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
  });
});

describe('Phase 3, broadcast', () => {
  test('a proposal is acknowledged once it is durable, and committed by a quorum', () => {
    const ensemble = serving([1, 2, 3]);
    for (const sid of [1, 2, 3]) ensemble.hold(sid);
    ensemble.propose(3, 'a');
    ensemble.run();
    expect(ensemble.lines.some((line) => line.includes('ACK'))).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    expect(ensemble.lines.some((line) => line.includes('COMMIT'))).toBe(false);
    ensemble.flush(2);
    ensemble.run();
    expect(ensemble.lines.some((line) => line.includes('3 → 1 COMMIT 1.1'))).toBe(true);
    // 1 and 2 are a quorum; the leader, which has not flushed, knows that it is committed and still does not apply it.
    expect(ensemble.delivered(1)).toEqual([makeZxid(1, 1)]);
    expect(ensemble.delivered(3)).toEqual([]);
    ensemble.flush(3);
    expect(ensemble.delivered(3)).toEqual([makeZxid(1, 1)]);
  });

  test('an acknowledgement counts once, however often it is sent, and never for what was not proposed', () => {
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
    const other = ensemble.channelOf(2);
    ensemble.step(5, { type: 'learnerMessage', channel: other, message: { type: 'ACK', zxid: makeZxid(1, 9) } });
    expect(ensemble.delivered(5)).toEqual([]);
  });

  test('a proposal that is acknowledged before NEWLEADER is not counted, and its sender is sent away (ZOOKEEPER-4685)', () => {
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

  test('Agreement over a crash: what a quorum has survives the leader', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.propose(3, 'a');
    ensemble.run((): boolean => ensemble.delivered(3).length > 0);
    expect(ensemble.delivered(3)).toEqual([makeZxid(1, 1)]);
    ensemble.crash(3);
    ensemble.elect();
    ensemble.run();
    expect(ensemble.delivered(1)).toEqual([makeZxid(1, 1)]);
    expect(ensemble.delivered(2)).toEqual([makeZxid(1, 1)]);
  });

  test('Primary order: what a deposed leader proposed alone is not delivered after the next epoch has begun', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.propose(3, 'lost');
    ensemble.drop((line) => line.includes('PROPOSAL'));
    ensemble.crash(3);
    const next = ensemble.elect();
    ensemble.propose(next, 'kept');
    ensemble.run();
    ensemble.restart(3);
    ensemble.run();
    for (const sid of [1, 2, 3]) expect(ensemble.delivered(sid)).toEqual([makeZxid(2, 1)]);
  });

  test('a server votes with its log, also with what it had not committed (ZOOKEEPER-2845)', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.propose(3, 'a');
    ensemble.run((): boolean => ensemble.lines.some((line) => line.includes('3 → 1 PROPOSAL')));
    ensemble.drop((line) => line.includes('3 → 2 PROPOSAL'));
    ensemble.crash(3);
    ensemble.elect();
    ensemble.run();
    expect(ensemble.leader()).toBe(1);
    for (const sid of [1, 2]) expect(ensemble.delivered(sid)).toEqual([makeZxid(1, 1)]);
  });

  test('a silent leader is left after syncLimit ticks, a silent quorum makes the leader step down', () => {
    const ensemble = serving([1, 2, 3]);
    for (let halfTick = 0; halfTick <= 10; halfTick++) ensemble.fire(1, 'tick');
    expect(ensemble.peer(1).status.state).toBe('LOOKING');
    for (let halfTick = 0; halfTick <= 10; halfTick++) {
      ensemble.fire(3, 'tick');
      ensemble.drop(() => true);
    }
    expect(ensemble.peer(3).status.state).toBe('LOOKING');
  });

  test('a sync that comes while a round of heartbeats is under way waits for the next (ZOOKEEPER-1675)', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.fire(3, 'tick');
    ensemble.step(3, { type: 'sync', tag: 1 });
    ensemble.run((): boolean => ensemble.lines.some((line) => line.includes('→ 3 PING 1')));
    expect(ensemble.lines.some((line) => line.includes('synced'))).toBe(false);
    ensemble.run();
    expect(ensemble.lines.some((line) => line.includes('→ 3 PING 2'))).toBe(true);
    expect(ensemble.lines.filter((line) => line.includes('3 synced 1'))).toHaveLength(1);
  });
});

describe('Observers (class `Observer`)', () => {
  test('they are no part of any quorum, and are never elected (ZOOKEEPER-764, 2959)', () => {
    const ensemble = new TestEnsemble([1, 2, 3], { observers: [4, 5] });
    ensemble.start(1);
    ensemble.start(4, image(9, run(9, 1, 'ahead of everybody')));
    ensemble.start(5, image(9, run(9, 1, 'ahead of everybody')));
    for (let round = 0; round < 5; round++) {
      ensemble.run();
      for (const sid of [1, 4, 5]) if (ensemble.hasTimer(sid, 'election')) ensemble.fire(sid, 'election');
    }
    expect([1, 4, 5].map((sid) => ensemble.peer(sid).status.state)).toEqual(['LOOKING', 'LOOKING', 'LOOKING']);
    ensemble.start(2);
    expect(ensemble.elect()).toBe(2);
    expect(ensemble.peer(2).status.epoch).toBeLessThan(11);
  });

  test('an observer’s acknowledgements commit nothing', () => {
    const ensemble = new TestEnsemble([1, 2, 3], { observers: [4] });
    for (const sid of [1, 2, 3, 4]) ensemble.start(sid);
    ensemble.elect();
    ensemble.run();
    for (const sid of [1, 2, 3]) ensemble.hold(sid);
    ensemble.propose(3, 'a');
    ensemble.flush(3);
    ensemble.run();
    expect(ensemble.delivered(3)).toEqual([]);
    expect(ensemble.lines.some((line) => line.includes('4 PROPOSAL') || line.includes('4 INFORM'))).toBe(false);
    ensemble.flush(1);
    ensemble.run();
    expect(ensemble.delivered(4)).toEqual([makeZxid(1, 1)]);
  });

  test('an observer applies nothing that it has not flushed', () => {
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

  test('two that look for a leader do not answer each other for ever', () => {
    const ensemble = new TestEnsemble([1, 2, 3], { observers: [4, 5] });
    ensemble.start(4);
    ensemble.start(5);
    const vote = { leader: 3, zxid: makeZxid(1, 1), peerEpoch: 1 };
    for (const sid of [4, 5]) {
      ensemble.step(sid, { type: 'notification', from: 9 - sid, notification: { state: 'LOOKING', electionEpoch: 1, vote } });
    }
    expect(ensemble.run()).toBeLessThan(10);
  });

  test('whoever is in a later round than a voter, and has no vote that counts, is answered and does not answer back', () => {
    const groups = [
      {
        weights: new Map([
          [1, 1],
          [2, 1],
          [3, 0],
        ]),
      },
    ];
    const ensemble = new TestEnsemble([1, 2, 3], { observers: [4], groups });
    for (const sid of [3, 4]) ensemble.start(sid);
    // Both have looked for a while, in rounds of their own.
    for (const sid of [3, 4]) ensemble.peer(sid).state.electionEpoch = 7;
    ensemble.start(1);
    for (const sid of [3, 4]) ensemble.fire(sid, 'election');
    expect(ensemble.run()).toBeLessThan(40);
    expect([3, 4].map((sid) => ensemble.peer(sid).role.vote.leader)).toEqual([1, 1]);
  });
});

describe('Weights and groups (class `QuorumHierarchical`)', () => {
  const groups = [
    {
      weights: new Map([
        [1, 1],
        [2, 1],
        [3, 1],
      ]),
    },
    {
      weights: new Map([
        [4, 1],
        [5, 1],
        [6, 1],
      ]),
    },
    {
      weights: new Map([
        [7, 0],
        [8, 0],
        [9, 0],
      ]),
    },
  ];

  test('more than half of the weight in more than half of the groups that have any', () => {
    const config = { version: 0, voters: [1, 2, 3, 4, 5, 6, 7, 8, 9], groups };
    const quorum = (...sids: number[]) => hasQuorum(config, (sid) => sids.includes(sid));
    expect(quorum(1, 2, 4, 5)).toBe(true);
    expect(quorum(1, 2, 3, 4, 7, 8, 9)).toBe(false);
    expect(quorum(1, 2, 3)).toBe(false);
    expect(quorum(1, 4, 7, 8, 9)).toBe(false);
  });

  test('a server without weight is never elected, and follows', () => {
    const ensemble = new TestEnsemble([1, 2, 3], {
      groups: [
        {
          weights: new Map([
            [1, 1],
            [2, 1],
            [3, 0],
          ]),
        },
      ],
    });
    ensemble.start(3, image(1, run(1, 1, 'a', 'b')));
    ensemble.start(1, image(1, run(1, 1, 'a')));
    ensemble.start(2, image(1, run(1, 1, 'a')));
    expect(ensemble.elect()).toBe(2);
    ensemble.run();
    expect(ensemble.peer(3).status).toMatchObject({ state: 'FOLLOWING', leader: 2, serving: true });
  });

  test('a config that contradicts itself is refused by name', () => {
    const start = (voters: number[], rest: object) => () => new TestEnsemble(voters, rest).start(1);
    expect(start([], {})).toThrow('at least one voter');
    expect(start([1, 300], {})).toThrow('not 300');
    expect(start([1, 2], { observers: [2] })).toThrow('server 2 is named twice');
    expect(start([1, 2], { groups: [{ weights: new Map([[1, 1]]) }] })).toThrow('server 2 votes and is in no group');
    expect(
      start([1], {
        groups: [
          {
            weights: new Map([
              [1, 1],
              [2, 1],
            ]),
          },
        ],
      }),
    ).toThrow('server 2 is in a group and is no voter');
    expect(start([1], { groups: [{ weights: new Map([[1, 1]]) }, { weights: new Map([[1, 1]]) }] })).toThrow('server 1 is in two groups');
    expect(start([1], { groups: [{ weights: new Map([[1, 0]]) }] })).toThrow('nobody could be elected');
    expect(start([1], { groups: [{ weights: new Map([[1, 0.5]]) }] })).toThrow('whole number from 0');
  });
});

/** Brings a lone server to follow `leader`, whose side the test plays. */
function followBy(ensemble: TestEnsemble, sid: number, leader: number, peerEpoch = 9): void {
  const vote = { leader, zxid: makeZxid(peerEpoch, 9), peerEpoch };
  ensemble.step(sid, { type: 'notification', from: leader, notification: { state: 'LOOKING', electionEpoch: 1, vote } });
  ensemble.drop(() => true);
  expect(ensemble.peer(sid).status).toMatchObject({ state: 'FOLLOWING', leader });
}

/** Brings a lone server to lead by the votes of others, whose side the test plays. */
function leadBy(ensemble: TestEnsemble, sid: number, voters: number[]): void {
  const vote = ensemble.peer(sid).role.vote;
  for (const from of voters) {
    const input: Input = { type: 'notification', from, notification: { state: 'LOOKING', electionEpoch: 1, vote } };
    ensemble.step(sid, input);
  }
  ensemble.drop(() => true);
  expect(ensemble.peer(sid).status.state).toBe('LEADING');
}
