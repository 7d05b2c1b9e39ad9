/** What is measured of a server, on a clock that goes when the test says so. */
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { type DiskFile, VirtualClock } from '@quorate/ports';
import { makeZxid, type Zxid } from '@quorate/protocol';
import { MemoryNetwork, MemoryStorage, Server, type ServerOptions, type Storage } from '@quorate/server';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { listen } from '../src/index.js';
import { meteredDisk } from '../src/metered-disk.js';
import { meteredStorage } from '../src/metered-storage.js';
import { QuorumTimings, type ReplicaEffect, type ReplicaInput } from '../src/quorum-timings.js';
import { ServerTimings } from '../src/server-timings.js';
import { StatusTimings } from '../src/status-timings.js';
import { CountedSummary } from '../src/summaries.js';

/** `name{labels}` and values, of what has one. */
async function valuesOf(registry: Registry): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]));
}

const run = (counter: number, count = 1) => ({
  zxid: makeZxid(1, counter),
  payloads: Array.from({ length: count }, () => new Uint8Array(1)),
});

describe('of where a server stands', () => {
  test('elections take from the first look to the end of it, and each is one look', async () => {
    const registry = new Registry();
    const timings = new StatusTimings(registry);
    timings.onStatus('LOOKING', false, 100);
    timings.onStatus('LOOKING', false, 150);
    timings.onStatus('FOLLOWING', false, 300);
    timings.onStatus('FOLLOWING', true, 350);
    timings.onStatus('LOOKING', false, 1_000);
    timings.onStatus('LEADING', false, 1_040);
    timings.onStatus('LEADING', true, 1_050);
    expect(await valuesOf(registry)).toMatchObject({
      election_time_count: 2,
      election_time_sum: 200 + 40,
      looking_count: 2,
      // From the start, and from the loss of the leader.
      unavailable_time_count: 2,
      unavailable_time_sum: 250 + 50,
    });
  });

  test('a history is taken over from its first message until the server serves, by followers and by observers', async () => {
    const registry = new Registry();
    const timings = new StatusTimings(registry);
    timings.onStatus('FOLLOWING', false, 0);
    timings.onSynchronizing(10);
    timings.onSynchronizing(15);
    timings.onStatus('FOLLOWING', true, 30);
    // One that was begun and came to nothing.
    timings.onSynchronizing(40);
    timings.onStatus('LOOKING', false, 50);
    timings.onStatus('OBSERVING', false, 60);
    timings.onSynchronizing(65);
    timings.onStatus('OBSERVING', true, 70);
    expect(await valuesOf(registry)).toMatchObject({
      follower_sync_time_count: 1,
      follower_sync_time_sum: 20,
      observer_sync_time_count: 1,
      observer_sync_time_sum: 5,
    });
  });
});

describe('of a leader and its learners', () => {
  function scene() {
    const registry = new Registry();
    const timings = new QuorumTimings(registry);
    let nowMs = 0;
    const at = (ms: number) => {
      nowMs = ms;
      return {
        input: (input: ReplicaInput) => timings.onInput(input, () => nowMs),
        effect: (effect: ReplicaEffect) => timings.onEffect(effect, () => nowMs),
      };
    };
    return { registry, timings, at };
  }

  const ack = (channel: number, counter: number) =>
    ({ type: 'learnerMessage', channel, message: { type: 'ACK', zxid: makeZxid(1, counter) } }) as const;

  test('proposals and commits are counted by txns, and timed by runs', async () => {
    const { registry, timings, at } = scene();
    timings.isLeading = true;
    at(0).input({ type: 'propose', payloads: run(1, 3).payloads });
    at(0).effect({ type: 'append', run: run(1, 3) });
    at(5).effect({ type: 'append', run: run(4) });
    // A part of the first run is no answer to it.
    at(10).effect({ type: 'deliver', run: run(1, 2) });
    at(20).effect({ type: 'deliver', run: run(3, 2) });
    expect(await valuesOf(registry)).toMatchObject({
      proposal_count: 3,
      commit_count: 4,
      learner_commit_received_count: 0,
      quorum_ack_latency_count: 2,
      quorum_ack_latency_sum: 20 + 15,
      'quorum_ack_latency{quantile="0.5"}': 17.5,
    });
  });

  test('what waited for a quorum is forgotten with the leadership', async () => {
    const { registry, timings, at } = scene();
    timings.isLeading = true;
    at(0).effect({ type: 'append', run: run(1) });
    timings.isLeading = false;
    at(5).effect({ type: 'append', run: run(2) });
    timings.isLeading = true;
    at(10).effect({ type: 'deliver', run: run(1, 2) });
    expect(await valuesOf(registry)).toMatchObject({ quorum_ack_latency_count: 0, commit_count: 2 });
  });

  test('the ACK of each learner is timed by itself, one run at a time', async () => {
    const { registry, timings, at } = scene();
    timings.isLeading = true;
    for (const sid of [2, 3]) at(0).input({ type: 'learnerOpened', from: sid, channel: sid * 10 });
    at(0).effect({ type: 'append', run: run(1, 2) });
    at(1).effect({ type: 'append', run: run(3) });
    // Not all of the run.
    at(5).input(ack(20, 1));
    at(7).input(ack(20, 3));
    at(40).input(ack(30, 2));
    at(50).effect({ type: 'append', run: run(4) });
    at(53).input(ack(20, 4));
    at(60).input({ type: 'learnerClosed', channel: 30 });
    at(70).input(ack(30, 4));
    expect(await valuesOf(registry)).toMatchObject({
      'ack_latency_count{key="2"}': 2,
      'ack_latency_sum{key="2"}': 7 + 3,
      'ack_latency_count{key="3"}': 1,
      'ack_latency_sum{key="3"}': 40,
    });
  });

  test('learners are counted by what they are given, and their questions', async () => {
    const { registry, timings, at } = scene();
    const send = (message: (ReplicaEffect & { type: 'sendToLearner' })['message']) =>
      at(0).effect({ type: 'sendToLearner', channel: 1, message });
    const question = { type: 'revalidate', from: 2, payload: new Uint8Array(0) } as const;
    timings.isLeading = true;
    send({ type: 'DIFF' });
    send({ type: 'TRUNC', zxid: makeZxid(1, 1) });
    send({ type: 'SNAP', zxid: makeZxid(1, 1) });
    send({ type: 'COMMIT', zxid: makeZxid(1, 1) });
    at(0).effect(question);
    timings.isLeading = false;
    // The leader's answer.
    at(0).effect(question);
    expect(await valuesOf(registry)).toMatchObject({ diff_count: 2, snap_count: 1, revalidate_count: 1 });
  });

  test('a learner counts what it is told by txns', async () => {
    const { registry, at } = scene();
    at(0).input({ type: 'leaderMessage', channel: 1, message: { type: 'PROPOSAL', run: run(1, 3) } });
    at(0).effect({ type: 'append', run: run(1, 3) });
    at(0).effect({ type: 'deliver', run: run(1, 2) });
    expect(await valuesOf(registry)).toMatchObject({
      learner_proposal_received_count: 3,
      learner_commit_received_count: 2,
      proposal_count: 0,
      commit_count: 0,
      quorum_ack_latency_count: 0,
    });
  });
});

describe('of a store', () => {
  function scene() {
    const clock = new VirtualClock();
    clock.advance(1_000);
    const pending: (() => void)[] = [];
    const storage = {
      recover: (done) =>
        pending.push(() => done({ acceptedEpoch: 0, currentEpoch: 0, snapshot: undefined, runs: [run(1, 2), run(3)], mark: undefined })),
      saveSnapshot: (_zxid, _pieces, done) => pending.push(() => done()),
      installSnapshot: (_snapshot, _runs, done) => pending.push(() => done()),
    } as Partial<Storage> as Storage;
    const told: unknown[] = [];
    const metered = meteredStorage(storage, clock, {
      onRecovered: (image, ms) => told.push(['recovered', image.runs.length, ms]),
      onSaved: (zxid, ms) => told.push(['saved', zxid, ms]),
      onInstalled: (zxid) => told.push(['installed', zxid]),
    });
    const done = (afterMs: number): void => {
      clock.advance(afterMs);
      pending.shift()?.();
    };
    return { metered, told, done };
  }

  const snapshot = (zxid: number) => ({ zxid: zxid as Zxid, pieces: [] });
  const ignore = (): void => {};

  test('reading and saving take until they are done', () => {
    const { metered, told, done } = scene();
    metered.recover(ignore);
    done(30);
    metered.saveSnapshot(5 as Zxid, [], ignore);
    done(40);
    metered.installSnapshot(snapshot(9), [], ignore);
    done(1);
    expect(told).toEqual([
      ['recovered', 2, 30],
      ['saved', 5, 40],
      ['installed', 9],
    ]);
  });

  test('a snapshot that one of the leader’s has superseded does not count', () => {
    const { metered, told, done } = scene();
    metered.saveSnapshot(5 as Zxid, [], ignore);
    metered.installSnapshot(snapshot(3), [], ignore);
    done(1);
    done(1);
    expect(told).toEqual([['installed', 3]]);
  });

  test('what is measured of it has ZooKeeper’s names', async () => {
    const [registry, clock] = [new Registry(), new VirtualClock()];
    clock.advance(1_000);
    const timings = new ServerTimings(registry, clock);
    let flushed = (): void => {};
    const file = { flush: (done: () => void) => (flushed = done) };
    const disk = timings.disk({ create: (_name: string, done: (made: unknown) => void) => done(file) } as never);
    disk.create('log', (made) => (made as DiskFile).flush(ignore));
    clock.advance(12);
    flushed();
    timings.onRecovered({ acceptedEpoch: 0, currentEpoch: 0, snapshot: undefined, runs: [run(1, 2), run(3)], mark: undefined }, 30);
    timings.onSaved(40);
    expect(await valuesOf(registry)).toMatchObject({
      fsynctime_count: 1,
      fsynctime_sum: 12,
      dbinittime_sum: 30,
      startup_txns_loaded_sum: 3,
      snapshottime_count: 1,
      snapshottime_sum: 40,
    });
  });

  test('a disk that nobody measures is left alone', () => {
    const flushes: unknown[] = [];
    const file = { flush: (done: () => void) => flushes.push(done) };
    const disk = meteredDisk({ open: (_name: string, done: (opened: unknown) => void) => done(file) } as never, {});
    disk.open('log', (opened) => (opened as DiskFile).flush(ignore));
    expect(flushes).toHaveLength(1);
  });
});

describe('latencies that the server has counted', () => {
  test('are told as quantiles of the last ten minutes, and as sum and count since the start', async () => {
    const [registry, clock] = [new Registry(), new VirtualClock()];
    const server = newServer(clock);
    const { reads } = server.counts;
    new CountedSummary(registry, { name: 'readlatency', help: 'x', clock, read: () => reads.read() });
    const scrape = async (): Promise<readonly (number | undefined)[]> => {
      const values = await valuesOf(registry);
      return ['{quantile="0.5"}', '{quantile="0.99"}', '_sum', '_count'].map((suffix) => values[`readlatency${suffix}`]);
    };
    expect(await scrape()).toEqual([NaN, NaN, 0, 0]);
    for (let i = 0; i < 98; i++) reads.add(0);
    for (const ms of [5, 7]) reads.add(ms);
    expect(await scrape()).toEqual([0, 5.119, 12, 100]);
    clock.advance(300_000);
    for (let i = 0; i < 100; i++) reads.add(2);
    // The slow ones are still among them, and are not in the next window.
    expect(await scrape()).toEqual(
      [2.047, 5.119, 212, 200].map((value, i) => (i === 0 ? expect.closeTo(2.047, 3) : i === 1 ? expect.anything() : value)),
    );
    clock.advance(300_001);
    expect((await scrape())[1]).toBeGreaterThan(2);
    clock.advance(300_000);
    reads.add(0);
    expect(await scrape()).toEqual([0, 0, 212, 201]);
  });

  test('are there for reads and for updates', async () => {
    const [registry, clock] = [new Registry(), new VirtualClock()];
    const server = newServer(clock);
    new ServerTimings(registry, clock).countsOf(server);
    server.counts.reads.add(1);
    for (let i = 0; i < 2; i++) server.counts.updates.add(10);
    expect(await valuesOf(registry)).toMatchObject({
      readlatency_sum: 1,
      readlatency_count: 1,
      updatelatency_sum: 20,
      updatelatency_count: 2,
    });
  });

  function newServer(clock: VirtualClock): Server {
    const options: ServerOptions = {
      sid: 1,
      config: { version: 0, voters: [1] },
      transport: new MemoryNetwork({ clock }).transport(1),
      storage: new MemoryStorage({ clock }),
      clock,
    };
    return new Server(options);
  }
});

test('a listener counts what it receives, connections that are one too many, and those that do not introduce themselves', async () => {
  const server = { accept: () => ({ receive: () => {}, heard: () => {}, closed: () => {} }) };
  const listener = await listen(server, { port: 0, connectionsPerAddressMax: 1, handshakeTimeoutMs: 500 });
  const open = async () => {
    const socket = connectSocket(listener.port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  const mute = (await open()).resume();
  mute.write(new Uint8Array(3));
  const muteEnds = once(mute, 'close');
  (await open()).resume();
  await expect.poll(() => listener.counts.rejected).toBe(1);
  await muteEnds;
  expect(listener.counts).toEqual({ bytesReceived: 3, rejected: 1, handshakesExpired: 1, handshakesFailed: 0 });
  await listener.close();
});
