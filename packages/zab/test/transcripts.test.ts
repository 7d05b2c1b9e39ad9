/** The paths of the protocol as readable message sequences. A change of the protocol shows as a diff; `vitest -u` rewrites them. */
import { makeZxid } from '@quorate/protocol';
import { expect, test } from 'vitest';
import { BLANK, TestEnsemble } from './ensemble.js';
import { damaged, image, run, snapshotAt } from './scenes.js';

async function expectTranscript(ensemble: TestEnsemble, name: string): Promise<void> {
  await expect(`${ensemble.lines.join('\n')}\n`).toMatchFileSnapshot(`transcripts/${name}.txt`);
}

test('election of 3, all alive: decided as soon as every vote is in', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  ensemble.run();
  expect(ensemble.leader()).toBe(3);
  await expectTranscript(ensemble, 'election-of-3');
});

test('election of 3, one dead: decided after finalizeWait', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  ensemble.start(1);
  ensemble.start(2);
  ensemble.run();
  expect(ensemble.leader()).toBeUndefined();
  ensemble.note('nothing better comes');
  ensemble.fire(1, 'finalize');
  ensemble.fire(2, 'finalize');
  ensemble.run();
  expect(ensemble.leader()).toBe(2);
  await expectTranscript(ensemble, 'election-of-3-one-dead');
});

test('election of 5: the longest history wins, not the greatest sid', async () => {
  const ensemble = new TestEnsemble([1, 2, 3, 4, 5]);
  ensemble.start(1, image(1, run(1, 1, 'a')));
  ensemble.start(2, image(1, run(1, 1, 'a', 'b', 'c')));
  ensemble.start(3, image(1, run(1, 1, 'a', 'b')));
  ensemble.start(4, image(1));
  ensemble.start(5, image(1));
  expect(ensemble.elect()).toBe(2);
  ensemble.run();
  for (const sid of [1, 2, 3, 4, 5]) expect(ensemble.delivered(sid)).toHaveLength(3);
  await expectTranscript(ensemble, 'election-of-5');
});

test('broadcast: a run is appended, acknowledged, committed and delivered', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  ensemble.elect();
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.propose(3, 'a', 'b');
  ensemble.run();
  await expectTranscript(ensemble, 'broadcast');
});

test('DIFF: a learner that was away gets what it missed', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  ensemble.elect();
  ensemble.propose(3, 'a');
  ensemble.run();
  ensemble.crash(1);
  ensemble.run();
  ensemble.propose(3, 'b', 'c');
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.restart(1);
  ensemble.run();
  expect(ensemble.delivered(1)).toEqual(ensemble.delivered(3));
  await expectTranscript(ensemble, 'sync-diff');
});

test('TRUNC: a learner that is ahead in its own epoch is cut', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  ensemble.start(1, image(1, run(1, 1, 'a')));
  ensemble.start(2, image(1, run(1, 1, 'a')));
  ensemble.elect();
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.start(3, image(1, run(1, 1, 'a', 'never committed')));
  ensemble.run();
  expect(ensemble.delivered(3)).toEqual([makeZxid(1, 1)]);
  await expectTranscript(ensemble, 'sync-trunc');
});

test('SNAP: a learner whose history parts in an epoch that the leader never saw gets a snapshot', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  ensemble.start(1, image(2, run(1, 1, 'a')));
  ensemble.start(2, image(2, run(1, 1, 'a')));
  ensemble.elect();
  ensemble.propose(2, 'b');
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.start(3, image(2, run(2, 1, 'never committed')));
  ensemble.run();
  expect(ensemble.delivered(3)).toEqual(ensemble.delivered(2));
  await expectTranscript(ensemble, 'sync-snap');
});

test('join during broadcast: what is proposed meanwhile comes after the history, COMMIT before UPTODATE is kept', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  ensemble.start(1);
  ensemble.start(2);
  ensemble.elect();
  ensemble.run();
  ensemble.propose(2, 'a');
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.start(3);
  ensemble.hold(3);
  // The learner has promised the epoch and waits for nothing but its history.
  while (ensemble.heldOrders(3).length === 0) ensemble.run(() => ensemble.heldOrders(3).length > 0);
  ensemble.flush(3);
  ensemble.run(() => ensemble.lines.some((line) => line.endsWith('NEWLEADER epoch 1')));
  ensemble.propose(2, 'b');
  ensemble.run();
  ensemble.note('b is committed by 1 and 2; 3 has not yet flushed its history');
  while (ensemble.heldOrders(3).length > 0) {
    ensemble.flush(3, 1);
    ensemble.run();
  }
  expect(ensemble.delivered(3)).toEqual(ensemble.delivered(2));
  await expectTranscript(ensemble, 'join-during-broadcast');
});

test('step-down: a leader that loses its quorum stops serving at once and its proposal is lost or kept by the next', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  ensemble.elect();
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.crash(1);
  ensemble.crash(2);
  ensemble.run();
  expect(ensemble.peer(3).status).toEqual({ state: 'LOOKING', leader: undefined, epoch: 1, serving: false, votes: true });
  await expectTranscript(ensemble, 'step-down');
});

test('counter: what was the last zxid of an epoch is followed by the first of the next', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  // A snapshot at the last counter but one stands for four billion txns.
  const spent = { acceptedEpoch: 1, currentEpoch: 1, snapshot: { zxid: makeZxid(1, 2 ** 32 - 2), pieces: [] } };
  for (const sid of [1, 2, 3]) ensemble.start(sid, { ...spent, runs: [run(1, 2 ** 32 - 1, 'last of epoch 1')] });
  ensemble.elect();
  ensemble.run();
  ensemble.propose(3, 'first of epoch 2');
  ensemble.run();
  expect(ensemble.delivered(1)).toEqual([makeZxid(1, 2 ** 32 - 1), makeZxid(2, 1)]);
  await expectTranscript(ensemble, 'counter');
});

test('rollover: an epoch that has had its txns ends, and the leader begins the next over the same channels', async () => {
  const ensemble = new TestEnsemble([1, 2, 3], { observers: [4] }, { epochTxnsMax: 3 });
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  ensemble.elect();
  ensemble.run();
  ensemble.start(4, BLANK);
  ensemble.run();
  ensemble.propose(3, 'a', 'b');
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.propose(3, 'c', 'd');
  ensemble.run();
  for (const sid of [1, 2, 3, 4]) expect(ensemble.peer(sid).status).toMatchObject({ leader: 3, epoch: 2, serving: true });
  ensemble.propose(3, 'e');
  ensemble.run();
  for (const sid of [1, 2, 4]) expect(ensemble.delivered(sid)).toEqual(ensemble.delivered(3));
  expect(ensemble.delivered(1)).toEqual([makeZxid(1, 1), makeZxid(1, 2), makeZxid(1, 3), makeZxid(1, 4), makeZxid(2, 1)]);
  expect(ensemble.lines.some((line) => line.includes('LOOKING') || line.includes('close'))).toBe(false);
  await expectTranscript(ensemble, 'rollover');
});

test('a voter whose disk was lost follows without a vote, and has it back with the next epoch', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  ensemble.elect();
  ensemble.propose(3, 'a');
  ensemble.run();
  ensemble.crash(1);
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.note('the disk of 1 is lost');
  ensemble.restart(1, BLANK);
  ensemble.run();
  expect(ensemble.peer(1).status).toEqual({ state: 'OBSERVING', leader: 3, epoch: 1, serving: true, votes: false });
  ensemble.propose(3, 'b');
  ensemble.run();
  ensemble.fire(3, 'tick');
  ensemble.run();
  expect(ensemble.peer(1).status).toEqual({ state: 'FOLLOWING', leader: 3, epoch: 2, serving: true, votes: true });
  ensemble.propose(3, 'c');
  ensemble.run();
  expect(ensemble.delivered(1)).toEqual(ensemble.delivered(3));
  expect(ensemble.image(1).mark).toEqual({ ensembleId: 'test' });
  await expectTranscript(ensemble, 'lost-disk');
});

test('a damaged store: what can be read is kept, what cannot is cut off when the leader has it at hand', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  const whole = image(1, run(1, 1, 'a', 'b', 'c'));
  ensemble.start(2, whole);
  ensemble.start(3, whole);
  ensemble.elect();
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.start(1, { ...image(1, run(1, 1, 'a')), damage: 'the entry 1.2 has another checksum' });
  ensemble.run();
  ensemble.fire(3, 'tick');
  ensemble.run();
  expect(ensemble.peer(1).status).toEqual({ state: 'FOLLOWING', leader: 3, epoch: 3, serving: true, votes: true });
  expect(ensemble.delivered(1)).toEqual(ensemble.delivered(3));
  await expectTranscript(ensemble, 'damaged-store');
});

test('mending: two servers with damage and none that is whole put their stores together again, and elect', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  const whole = { ...run(1, 1, 'a', 'b', 'c', 'd'), epoch: 1 };
  ensemble.start(1, damaged(whole, 'b', 'd'));
  ensemble.run();
  ensemble.start(2, damaged({ ...whole, endIsKnown: false }, 'a'));
  ensemble.run();
  ensemble.fire(1, 'mend');
  ensemble.run();
  // Server 2 does not know whether it has had more, and server 3 is the only one who may know that.
  ensemble.start(3, image(1, run(1, 1, 'a', 'b')));
  ensemble.fire(2, 'mend');
  ensemble.elect();
  ensemble.run();
  for (const sid of [1, 2, 3]) expect(ensemble.peer(sid).status).toMatchObject({ serving: true, votes: true });
  await expectTranscript(ensemble, 'mending');
});

test('a voter that has promised a later epoch waits, and the leader goes on to one above it', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  for (const sid of [2, 3]) ensemble.start(sid, image(1));
  ensemble.elect();
  ensemble.propose(3, 'a');
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.start(1, { ...image(1), acceptedEpoch: 7 });
  ensemble.run();
  expect(ensemble.peer(1).status.serving).toBe(false);
  ensemble.fire(3, 'tick');
  ensemble.run();
  for (const sid of [1, 2, 3]) expect(ensemble.peer(sid).status).toMatchObject({ leader: 3, epoch: 8, serving: true });
  await expectTranscript(ensemble, 'later-promise');
});

test('hand-over: everything is committed, the successor has it, and leads without an election', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  ensemble.elect();
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.propose(3, 'a');
  ensemble.step(3, { type: 'handOver', to: 1 });
  ensemble.run();
  for (const sid of [1, 2, 3]) expect(ensemble.peer(sid).status).toMatchObject({ leader: 1, epoch: 2, serving: true });
  ensemble.propose(1, 'b');
  ensemble.run();
  for (const sid of [1, 2, 3]) expect(ensemble.delivered(sid)).toEqual([makeZxid(1, 1), makeZxid(2, 1)]);
  expect(ensemble.lines.some((line) => line.includes('LOOKING'))).toBe(false);
  await expectTranscript(ensemble, 'hand-over');
});

test('hand-over: a successor that is gone leaves an ordinary election', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  ensemble.elect();
  ensemble.propose(3, 'a');
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.step(3, { type: 'handOver', to: undefined });
  ensemble.run((): boolean => ensemble.lines.some((line) => line.includes('HANDOVER to 1')));
  ensemble.crash(1);
  ensemble.elect();
  ensemble.run();
  expect(ensemble.leader()).toBe(3);
  expect(ensemble.delivered(2)).toEqual(ensemble.delivered(3));
  await expectTranscript(ensemble, 'hand-over-to-the-dead');
});

test('DIFF from the log on the storage, where the one in memory does not reach back', async () => {
  const ensemble = new TestEnsemble([1, 2, 3], {}, { committedLogTxns: 1 });
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  ensemble.elect();
  ensemble.propose(3, 'a');
  ensemble.run();
  ensemble.crash(1);
  ensemble.run();
  for (const txn of ['b', 'c', 'd']) ensemble.propose(3, txn);
  ensemble.run();
  ensemble.step(3, { type: 'snapshotSaved', zxid: makeZxid(1, 4) });
  ensemble.lines.length = 0;
  ensemble.restart(1);
  ensemble.run();
  expect(ensemble.delivered(1)).toEqual(ensemble.delivered(3));
  await expectTranscript(ensemble, 'sync-diff-from-storage');
});

test('SNAP in pieces: what is proposed meanwhile follows the snapshot', async () => {
  const ensemble = new TestEnsemble([1, 2, 3], {}, { committedLogTxns: 0 });
  for (const sid of [2, 3]) ensemble.start(sid, { ...image(1, run(1, 4, 'd')), snapshot: snapshotAt(1, 2, 3) });
  ensemble.elect();
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.start(1);
  ensemble.run((): boolean => ensemble.lines.some((line) => line.includes('PIECE')));
  ensemble.propose(3, 'e');
  ensemble.run();
  expect(ensemble.delivered(1)).toEqual(ensemble.delivered(3));
  expect(ensemble.delivered(1)).toHaveLength(5);
  await expectTranscript(ensemble, 'sync-snap-in-pieces');
});

test('sync: answered after a round of heartbeats that began after it came', async () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  ensemble.elect();
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.propose(3, 'a');
  ensemble.step(1, { type: 'sync', tag: 7 });
  ensemble.run();
  expect(ensemble.lines.indexOf('  1 synced 7')).toBeGreaterThan(ensemble.lines.findIndex((line) => line.startsWith('  1 delivers')));
  await expectTranscript(ensemble, 'sync');
});

test('observer: it finds the leader, takes over the history, and hears of txns once they are committed', async () => {
  const ensemble = new TestEnsemble([1, 2, 3], { observers: [4] });
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  ensemble.elect();
  ensemble.propose(3, 'a');
  ensemble.run();
  ensemble.lines.length = 0;
  ensemble.start(4);
  ensemble.run();
  expect(ensemble.peer(4).status).toEqual({ state: 'OBSERVING', leader: 3, epoch: 1, serving: true, votes: false });
  ensemble.propose(3, 'b', 'c');
  ensemble.run();
  expect(ensemble.delivered(4)).toEqual(ensemble.delivered(3));
  await expectTranscript(ensemble, 'observer');
});
