import { makeZxid, type Zxid } from '@quorate/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run, snapshot, ZabScript } from './support/zab-script.ts';

/** Each property of the Zab checkers is broken once by hand, and has to be called by its name. */
describe('the checkers of Zab', () => {
  let script: ZabScript;
  beforeEach(() => {
    script = new ZabScript();
  });

  it('say nothing where nothing is wrong', () => {
    const [channel = 0] = script.establish(1, 1, 2);
    const first = script.commit(1, 2, run(1, 1, 3));
    script.toLeader(2, channel, { type: 'ACK', zxid: makeZxid(1, 3) });
    script.synchronize(3, 1, 1);
    expect(script.property).toBe('AckHonesty'); // It had nothing of the history that came before NEWLEADER.
    script = new ZabScript();
    script.establish(1, 1, 2);
    script.commit(1, 2, first);
    script.checker.onDown(1);
    script.flushAccepted(3, 1);
    script.store(3, first);
    script.establish(2, 2, 3);
    script.deliver(3, first);
    script.commit(2, 3, run(2, 1));
    script.restart(1, { runs: [first] });
    script.flushAccepted(1, 2);
    script.store(1, run(2, 1));
    script.deliver(1, first, run(2, 1));
    expect(script.property).toBeUndefined();
  });

  it('a leader that hands over and cannot know that its successor is gone, with its store, does nothing wrong', () => {
    const [channel = 0] = script.establish(1, 1, 2, 3);
    script.checker.onDown(2);
    script.checker.onStoreLost(2, { acceptedEpoch: 0, currentEpoch: 0, snapshot: undefined, runs: [], mark: undefined });
    script.toLearner(1, channel, { type: 'HANDOVER', leader: 2 });
    expect(script.property).toBeUndefined();
  });

  describe('Integrity', () => {
    it('only what was proposed is stored', () => {
      script.establish(1, 1, 2);
      script.append(2, run(1, 1));
    });
    it('it is stored as it was proposed', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      script.append(2, { ...run(1, 1), payloads: [Uint8Array.of(9)] });
    });
    it('only what was proposed is delivered', () => {
      script.deliver(2, run(1, 1));
    });
    it('nothing is delivered twice', () => {
      script.establish(1, 1, 2);
      script.deliver(1, script.commit(1, 2, run(1, 1)));
    });
    it('no zxid is proposed twice', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      script.checker.onDown(1);
      script.propose(1, run(1, 1));
    });
    afterEachExpect(() => script, 'Integrity');
  });

  describe('HistoryConsistency', () => {
    it('a txn stands behind the history that its proposer had', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1, 2));
      script.append(2, run(1, 2));
    });
    it('a history is cut at a place that is in it', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      script.truncate(1, makeZxid(0, 7));
    });
    afterEachExpect(() => script, 'HistoryConsistency');
  });

  describe('DurableHistory', () => {
    it('what was flushed is read again', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      script.flush(1, run(1, 1));
      script.restart(1);
    });
    afterEachExpect(() => script, 'DurableHistory');
  });

  describe('CommitConsistency', () => {
    it('a snapshot that is read shows a committed state', () => {
      script.restart(1, { snapshot: snapshot(1, 1) });
    });
    it('a snapshot that is restored shows a committed state', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      script.effect(2, { type: 'restore', snapshot: snapshot(1, 1) });
    });
    afterEachExpect(() => script, 'CommitConsistency');
  });

  describe('Agreement', () => {
    it('no two servers deliver different txns at one place', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      script.flush(1, run(1, 1));
      script.establish(2, 2, 3);
      script.commit(2, 3, run(2, 1));
      script.deliver(1, run(1, 1));
    });
    afterEachExpect(() => script, 'Agreement');
  });

  describe('PrefixConsistency', () => {
    it('nothing is left out', () => {
      script.establish(1, 1, 2);
      const whole = script.propose(1, run(1, 1, 2));
      script.flush(1, whole);
      script.store(2, whole);
      script.deliver(2, run(1, 2));
    });
    afterEachExpect(() => script, 'PrefixConsistency');
  });

  describe('GlobalPrimaryOrder', () => {
    it('a txn of an earlier epoch is not delivered after one of a later', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      script.establish(2, 2, 3);
      script.commit(2, 3, run(2, 1));
      script.deliver(3, run(1, 1));
    });
    it('a primary proposes above its history', () => {
      script.establish(1, 1, 2);
      script.establish(2, 2, 3);
      script.propose(2, run(2, 1));
      script.append(1, run(2, 1));
      script.propose(1, run(1, 1));
    });
    afterEachExpect(() => script, 'GlobalPrimaryOrder');
  });

  describe('LocalPrimaryOrder', () => {
    it('a primary leaves no hole', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      script.propose(1, run(1, 3));
    });
    afterEachExpect(() => script, 'LocalPrimaryOrder');
  });

  describe('InitialHistoryIntegrity', () => {
    it('nothing of an earlier epoch is committed that a later leader began without', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      script.flush(1, run(1, 1));
      script.establish(2, 2, 3);
      script.deliver(1, run(1, 1));
    });
    afterEachExpect(() => script, 'InitialHistoryIntegrity');
  });

  describe('AppliedDurable', () => {
    it('a server delivers only what is on its disk', () => {
      script.establish(1, 1, 2);
      const proposed = script.propose(1, run(1, 1));
      script.flush(1, proposed);
      script.flushAccepted(3, 1);
      script.store(3, proposed);
      script.append(2, proposed);
      script.deliver(2, proposed);
    });
    it('a server saves no snapshot that is ahead of its log', () => {
      script.establish(1, 1, 2);
      script.commit(1, 2, run(1, 1));
      script.checker.onSnapshotSaved(3, snapshot(1, 1));
    });
    afterEachExpect(() => script, 'AppliedDurable');
  });

  describe('QuorumDurability', () => {
    it('what is delivered first is on the disks of a quorum', () => {
      script.establish(1, 1, 2);
      const proposed = script.propose(1, run(1, 1));
      script.flush(1, proposed);
      script.append(2, proposed);
      script.deliver(1, proposed);
    });
    afterEachExpect(() => script, 'QuorumDurability');
  });

  describe('PrimaryUniqueness', () => {
    it('an epoch has one leader', () => {
      script.establish(1, 1, 2);
      script.serve(3, 1);
    });
    it('only the leader of an epoch proposes in it', () => {
      script.establish(1, 1, 2);
      script.propose(2, run(1, 1));
    });
    it('a server acknowledges one leader in an epoch', () => {
      script.synchronize(3, 1, 1);
      const channel = script.connect(3, 2);
      script.toLearner(2, channel, { type: 'NEWLEADER', epoch: 1 });
      script.toLeader(3, channel, { type: 'ACK', zxid: makeZxid(1, 0) });
    });
    afterEachExpect(() => script, 'PrimaryUniqueness');
  });

  describe('LeaderCompleteness', () => {
    it('a leader has all that was committed before it', () => {
      script.establish(1, 1, 2);
      script.commit(1, 2, run(1, 1));
      script.establish(3, 2, 1);
    });
    afterEachExpect(() => script, 'LeaderCompleteness');
  });

  describe('QuorumPromise', () => {
    it('a leader sends its history when a quorum has promised its epoch', () => {
      script.flushAccepted(1, 1);
      const channel = script.connect(2, 1);
      script.toLearner(1, channel, { type: 'LEADERINFO', epoch: 1, ensembleId: 'test' });
      script.toLearner(1, channel, { type: 'DIFF' });
    });
    afterEachExpect(() => script, 'QuorumPromise');
  });

  describe('QuorumSynchronization', () => {
    it('a leader is established by a quorum', () => {
      script.flushAccepted(1, 1);
      script.flushCurrent(1, 1);
      script.serve(1, 1);
    });
    afterEachExpect(() => script, 'QuorumSynchronization');
  });

  describe('PrimaryIntegrity', () => {
    it('a primary has delivered what others have before it proposes', () => {
      script.establish(1, 1, 2);
      const first = script.propose(1, run(1, 1));
      script.flush(1, first);
      script.store(2, first);
      script.flushAccepted(3, 1);
      script.store(3, first);
      script.deliver(1, first);
      script.establish(2, 2, 3);
      script.propose(2, run(2, 1));
    });
    afterEachExpect(() => script, 'PrimaryIntegrity');
  });

  describe('MendedWhole', () => {
    /** Server 2 has two txns, which are committed, and of its disk only the first can be read. */
    const loseTheSecond = (): void => {
      script.establish(1, 1, 2, 3);
      const runs = [run(1, 1), run(1, 2)];
      for (const one of runs) script.propose(1, one);
      for (const sid of [2, 3]) for (const one of runs) script.store(sid, one);
      for (const one of runs) script.checker.onFlushed(1, { type: 'append', run: one });
      script.deliver(1, ...runs);
      const image = { acceptedEpoch: 1, currentEpoch: 1, snapshot: undefined, runs: [run(1, 1)], mark: { ensembleId: 'test' } };
      script.checker.onStoreLost(2, { ...image, damage: 'an entry cannot be read' });
    };
    it('what is mended has all that it had', () => {
      loseTheSecond();
      script.checker.onFlushed(2, { type: 'mend', runs: [] });
    });
    afterEachExpect(() => script, 'MendedWhole');
  });

  describe('AckHonesty', () => {
    it('a txn is on the disk before it is acknowledged', () => {
      const [channel = 0] = script.establish(1, 1, 2);
      script.append(2, script.propose(1, run(1, 1)));
      script.toLeader(2, channel, { type: 'ACK', zxid: makeZxid(1, 1) });
    });
    it('and the store is marked', () => {
      const [channel = 0] = script.establish(1, 1, 2);
      script.checker.onFlushed(2, { type: 'saveMark', mark: undefined });
      script.store(2, script.propose(1, run(1, 1)));
      script.toLeader(2, channel, { type: 'ACK', zxid: makeZxid(1, 1) });
    });
    it('a promise is on the disk before it is given', () => {
      const channel = script.connect(2, 1);
      script.invite(2, channel, 1);
      script.toLeader(2, channel, { type: 'ACKEPOCH', currentEpoch: 0, lastZxid: 0 as Zxid });
    });
    it('currentEpoch is on the disk before NEWLEADER is acknowledged', () => {
      const channel = script.promise(2, 1, 1);
      script.toLearner(1, channel, { type: 'NEWLEADER', epoch: 1 });
      script.toLeader(2, channel, { type: 'ACK', zxid: makeZxid(1, 0) });
    });
    it('the history is on the disk before NEWLEADER is acknowledged', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      const channel = script.promise(3, 1, 1);
      script.toLearner(1, channel, { type: 'NEWLEADER', epoch: 1 });
      script.append(3, run(1, 1));
      script.flushCurrent(3, 1);
      script.toLeader(3, channel, { type: 'ACK', zxid: makeZxid(1, 0) });
    });
    it('one that comes as an observer is sent what is committed, also where its mark is on its disk by then', () => {
      const observe = (epoch: number): void => {
        const channel = script.connect(3, 1);
        script.introduce(1, channel, 'OBSERVERINFO');
        script.invite(3, channel, epoch);
        script.toLearner(1, channel, { type: 'NEWLEADER', epoch });
        script.flushCurrent(3, epoch);
        script.toLeader(3, channel, { type: 'ACK', zxid: makeZxid(epoch, 0) });
      };
      script.establish(1, 1, 2);
      script.commit(1, 2, run(1, 1));
      script.flushAccepted(3, 1);
      script.store(3, run(1, 1));
      // What is proposed and not committed it is told of later.
      script.propose(1, run(1, 2));
      observe(1);
      expect(script.property).toBeUndefined();
      script.flush(1, run(1, 2));
      script.store(2, run(1, 2));
      for (const sid of [1, 2]) script.deliver(sid, run(1, 2));
      script.establish(1, 2, 2);
      script.flushAccepted(3, 2);
      observe(2);
    });
    afterEachExpect(() => script, 'AckHonesty');
  });

  describe('HistoryBeforeEpoch', () => {
    it('a server does not save currentEpoch before it has been sent the history of that epoch', () => {
      script.promise(2, 1, 1);
      script.effect(2, { type: 'saveCurrentEpoch', epoch: 1 });
    });
    it('currentEpoch is not on the disk before that history is', () => {
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      const channel = script.promise(3, 1, 1);
      script.toLearner(1, channel, { type: 'NEWLEADER', epoch: 1 });
      script.append(3, run(1, 1));
      script.effect(3, { type: 'saveCurrentEpoch', epoch: 1 });
      script.flushCurrent(3, 1);
    });
    afterEachExpect(() => script, 'HistoryBeforeEpoch');
  });

  describe('EpochEnds', () => {
    it('a leader proposes no more than an epoch may have, but for what was under way', () => {
      script = new ZabScript({ epochTxnsMax: 20 });
      script.establish(1, 1, 2);
      script.propose(1, run(1, 1, 120));
      expect(script.property).toBeUndefined();
      script.propose(1, run(1, 121));
    });
    it('the next epoch of a leader begins when all of the last one is delivered', () => {
      const [channel = 0] = script.establish(1, 1, 2);
      script.propose(1, run(1, 1));
      script.toLearner(1, channel, { type: 'LEADERINFO', epoch: 2, ensembleId: 'test' });
    });
    afterEachExpect(() => script, 'EpochEnds');
  });

  describe('ElectionQuorum', () => {
    it('a server that follows has heard a quorum of its round', () => {
      script.looks(1);
      script.says(1, 'LOOKING', 3, 2);
      script.hears(1, 2, 'LOOKING', 3, 1);
      script.follows(1, 3);
    });
    it('and one that leads too', () => {
      script.looks(1);
      script.says(1, 'LOOKING', 1, 2);
      script.hears(1, 2, 'LOOKING', 3, 2);
      script.follows(1, 1);
    });
    it('the leader of others has said that it leads', () => {
      script.looks(1);
      script.says(1, 'LOOKING', 1, 2);
      for (const from of [2, 3]) script.hears(1, from, 'FOLLOWING', 3, 7);
      script.follows(1, 3);
    });
    it('and a quorum follows it', () => {
      script.looks(1);
      script.says(1, 'LOOKING', 1, 2);
      script.hears(1, 3, 'LEADING', 3, 7);
      script.follows(1, 3);
    });
    it('a better vote begins the wait again', () => {
      script.looks(1);
      script.says(1, 'LOOKING', 2, 1);
      script.hears(1, 2, 'LOOKING', 2, 1);
      script.effect(1, { type: 'setTimer', name: 'finalize', ms: 10 });
      script.says(1, 'LOOKING', 3, 1);
      script.checker.onInput(1, { type: 'timer', name: 'finalize' });
    });
    it('who has joined a leader tells of the round of those whom it has joined', () => {
      script.looks(1);
      script.says(1, 'LOOKING', 1, 2);
      script.hears(1, 2, 'FOLLOWING', 3, 7);
      script.hears(1, 3, 'LEADING', 3, 7);
      script.follows(1, 3);
      script.says(1, 'FOLLOWING', 3, 7);
      expect(script.property).toBeUndefined();
      script.says(1, 'FOLLOWING', 3, 2);
    });
    it('either is enough', () => {
      script.looks(1);
      script.says(1, 'LOOKING', 3, 2);
      script.hears(1, 2, 'LOOKING', 3, 2);
      script.follows(1, 3);
      script.looks(2);
      script.says(2, 'LOOKING', 2, 1);
      script.hears(2, 1, 'FOLLOWING', 3, 2);
      script.hears(2, 3, 'LEADING', 3, 2);
      script.follows(2, 3);
      expect(script.property).toBeUndefined();
      script.looks(1);
      script.follows(1, 3);
    });
    afterEachExpect(() => script, 'ElectionQuorum');
  });

  describe('VoteHonesty', () => {
    it('a server has no vote before its store is mended', () => {
      script.checker.onStoreLost(1, {
        ...{ acceptedEpoch: 0, currentEpoch: 0, snapshot: undefined, runs: [], mark: { ensembleId: 'test' } },
        damage: 'an entry of the log cannot be read',
      });
      script.looks(1);
      script.says(1, 'LOOKING', 1, 1);
    });
    it('nor before its mark is on its disk', () => {
      script.checker.onFlushed(1, { type: 'saveMark', mark: undefined });
      script.looks(1);
      script.says(1, 'LOOKING', 1, 1);
    });
    afterEachExpect(() => script, 'VoteHonesty');
  });

  describe('LeaderEligibility', () => {
    it('a voter without weight does not lead', () => {
      script = new ZabScript({ groups: [{ weights: new Map([1, 2, 3].map((sid) => [sid, sid === 1 ? 0 : 1])) }] });
      script.establish(1, 1, 2, 3);
    });
    afterEachExpect(() => script, 'LeaderEligibility');
  });

  describe('HandOverComplete', () => {
    it('the successor has everything on its disk', () => {
      const [channel = 0] = script.establish(1, 1, 2, 3);
      script.commit(1, 3, run(1, 1));
      script.append(2, run(1, 1));
      script.toLearner(1, channel, { type: 'HANDOVER', leader: 2 });
    });
    it('the leader has delivered everything', () => {
      const [channel = 0] = script.establish(1, 1, 2);
      script.store(2, script.propose(1, run(1, 1)));
      script.toLearner(1, channel, { type: 'HANDOVER', leader: 2 });
    });
    it('the successor has a vote', () => {
      const [channel = 0] = script.establish(1, 1, 2, 3);
      script.checker.onFlushed(2, { type: 'saveMark', mark: undefined });
      script.toLearner(1, channel, { type: 'HANDOVER', leader: 2 });
    });
    afterEachExpect(() => script, 'HandOverComplete');
  });

  describe('PromiseUniqueness', () => {
    it('a server promises an epoch to one leader', () => {
      script.promise(3, 1, 1);
      const channel = script.connect(3, 2);
      script.invite(3, channel, 1);
      script.toLeader(3, channel, { type: 'ACKEPOCH', currentEpoch: 0, lastZxid: 0 as Zxid });
    });
    afterEachExpect(() => script, 'PromiseUniqueness');
  });

  describe('PersistMonotonicity', () => {
    it('acceptedEpoch does not descend', () => {
      script.flushAccepted(1, 2);
      script.flushAccepted(1, 1);
    });
    it('currentEpoch does not descend', () => {
      script.flushAccepted(1, 2);
      script.flushCurrent(1, 2);
      script.flushCurrent(1, 1);
    });
    it('currentEpoch is not above acceptedEpoch', () => {
      script.flushCurrent(1, 1);
    });
    it('no txn is stored above acceptedEpoch', () => {
      script.establish(1, 1, 2);
      script.flush(3, script.propose(1, run(1, 1)));
    });
    it('nothing is acknowledged below acceptedEpoch', () => {
      const [channel = 0] = script.establish(1, 1, 2);
      script.store(2, script.propose(1, run(1, 1)));
      script.flushAccepted(2, 2);
      script.toLeader(2, channel, { type: 'ACK', zxid: makeZxid(1, 1) });
    });
    afterEachExpect(() => script, 'PersistMonotonicity');
  });

  describe('CommittedLogDurability', () => {
    it('TRUNC takes off no disk what is committed', () => {
      script.establish(1, 1, 2);
      script.commit(1, 2, run(1, 1, 2));
      script.truncate(2, makeZxid(1, 1));
    });
    it('SNAP takes off no disk what is committed', () => {
      script.establish(1, 1, 2);
      script.commit(1, 2, run(1, 1, 2));
      script.install(2, snapshot(1, 1));
    });
    it('but it may be in the runs that come with the snapshot', () => {
      script.establish(1, 1, 2);
      script.commit(1, 2, run(1, 1, 2));
      script.install(2, snapshot(1, 1), run(1, 2));
      expect(script.property).toBeUndefined();
      script.truncate(2, makeZxid(1, 1));
    });
    afterEachExpect(() => script, 'CommittedLogDurability');
  });

  describe('ReplicaDigest', () => {
    it('two servers have the same state at the same zxid', () => {
      script.establish(1, 1, 2);
      script.commit(1, 2, run(1, 1));
      script.checker.onSnapshotSaved(1, snapshot(1, 1));
      script.checker.onSnapshotSaved(2, snapshot(1, 1, 99));
    });
    afterEachExpect(() => script, 'ReplicaDigest');
  });
});

function afterEachExpect(script: () => ZabScript, property: string): void {
  afterEach(() => expect(script().property).toBe(property));
}
