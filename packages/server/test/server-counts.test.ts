/** What a server counts from its start on, and how latencies are told from counts. */
import { OpCode } from '@quorate/protocol';
import { sessionPassword } from '@quorate/session';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantileMs, type Server } from '../src/index.ts';
import { LatencyCounts } from '../src/latency-counts.ts';
import { TestEnsemble } from './support/test-ensemble.ts';

const latency = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3_000, noNaN: true }), fc.integer({ min: 0, max: 2_000_000 }));
const latencies = fc.array(latency, { maxLength: 200 });
const share = fc.double({ min: 0, max: 1, noNaN: true });

/** By sorting: the least value that this share of all has at most. */
function quantileOf(values: readonly number[], wanted: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(wanted * sorted.length) - 1)] ?? Number.NaN;
}

describe('latencies', () => {
  it('have the quantiles of a sorted list, or up to an eighth more, of what came since an earlier reading', () => {
    fc.assert(
      fc.property(latencies, latencies, share, (before, values, wanted) => {
        const counts = new LatencyCounts();
        for (const ms of before) counts.add(ms);
        const since = counts.read();
        for (const ms of values) counts.add(ms);
        const until = counts.read();
        const [told, exact] = [quantileMs(wanted, { until, since }), quantileOf(values, wanted)];
        if (values.length === 0) expect(told).toBeNaN();
        else {
          // Whole microseconds are counted.
          expect(told).toBeGreaterThan(exact - 0.002);
          expect(told).toBeLessThanOrEqual(exact * 1.125);
        }
        expect(until.count - since.count).toBe(values.length);
        expect(until.sumMs).toBeCloseTo(
          [...before, ...values].reduce((sum, ms) => sum + ms, 0),
          3,
        );
      }),
    );
  });

  it('that are longer than any bucket stand in the last one', () => {
    const counts = new LatencyCounts();
    counts.add(1e9);
    expect(quantileMs(0.5, { until: counts.read() })).toBeCloseTo(2_147_483.647, 3);
  });

  it('are counted apart for what changes something, with what it has failed to change, and for all else', () => {
    const ensemble = new TestEnsemble(3).ready();
    const [follower] = ensemble.followers as [Server];
    const client = ensemble.client(follower);
    client.create('/a');
    client.create('/a');
    client.exists('/a');
    client.getData('/none');
    client.send({ type: OpCode.sync, path: '/' });
    ensemble.settle();
    expect([follower.counts.updates.read().count, follower.counts.reads.read().count]).toEqual([2, 3]);
    // Those of another server's clients are that one's.
    expect(ensemble.leader.counts.updates.read().count).toBe(0);
    follower.resetTraffic();
    expect(follower.counts.updates.read().count).toBe(2);
  });

  it('of a request that waits go from its coming to its reply', () => {
    const ensemble = new TestEnsemble(3).ready();
    const [follower] = ensemble.followers as [Server];
    const client = ensemble.client(follower);
    ensemble.crash(ensemble.leader.sid);
    ensemble.settle();
    client.exists('/');
    ensemble.ready();
    const waitedMs = follower.connections[0]?.last?.latencyMs;
    expect(waitedMs).toBeGreaterThan(0);
    expect(follower.counts.reads.read()).toMatchObject({ count: 1, sumMs: waitedMs });
  });
});

describe('a server counts', () => {
  it('handshakes, those that come with a session, and connections that it did not end', () => {
    const ensemble = new TestEnsemble(1).ready();
    const server = ensemble.leader;
    const [stays, drops, leaves] = [0, 1, 2].map(() => ensemble.client(server)) as [
      ReturnType<typeof ensemble.client>,
      ReturnType<typeof ensemble.client>,
      ReturnType<typeof ensemble.client>,
    ];
    drops.drop();
    leaves.send({ type: OpCode.closeSession });
    ensemble.settle();
    const { sessionId } = stays;
    ensemble.client(server, { sessionId, passwd: sessionPassword(sessionId) });
    expect(server.counts).toMatchObject({
      connectionRequests: 4,
      connectionRevalidations: 1,
      connectionsDropped: 1,
      connectionsRejected: 0,
    });
    server.stop();
    expect(server.counts.connectionsDropped).toBe(1);
  });

  it('connections that get no session in time', () => {
    const ensemble = new TestEnsemble(3).ready();
    for (const { sid } of ensemble.followers) ensemble.crash(sid);
    const [server] = [...ensemble.servers.values()] as [Server];
    ensemble.run(1_000);
    const client = ensemble.client(server, { timeOut: 200 });
    ensemble.run(300);
    expect([client.isClosed, server.counts.handshakesExpired, server.counts.connectionsDropped]).toEqual([true, 1, 0]);
  });

  it.each([[false], [true]])('sessions that were silent for too long, local ones: %j', (localSessions) => {
    const ensemble = new TestEnsemble(1, { localSessions }).ready();
    const server = ensemble.leader;
    ensemble.client(server, { timeOut: 200 });
    ensemble.client(server, { timeOut: 10_000 });
    ensemble.run(1_000);
    expect(server.counts.sessionsExpired).toBe(1);
    expect(server.connectionCount).toBe(1);
  });

  it('clients that fail to prove something', () => {
    const ensemble = new TestEnsemble(1).ready();
    const client = ensemble.client(ensemble.leader);
    client.send({ type: OpCode.auth, authType: 0, scheme: 'nosuch', auth: new Uint8Array(0) });
    ensemble.settle();
    expect([client.isClosed, ensemble.leader.counts.authFailures]).toEqual([true, 1]);
  });

  it('events by their type, and the connections that were told', () => {
    const ensemble = new TestEnsemble(1).ready();
    const server = ensemble.leader;
    const [one, two] = [ensemble.client(server), ensemble.client(server)];
    for (const client of [one, two]) client.exists('/a', true);
    one.create('/a');
    ensemble.settle();
    for (const client of [one, two]) client.getData('/a', true);
    one.setData('/a', 'x');
    ensemble.settle();
    one.exists('/a', true);
    one.send({ type: OpCode.getChildren, path: '/', watch: true });
    one.delete('/a');
    ensemble.settle();
    expect(server.counts).toMatchObject({
      nodeCreatedWatches: { count: 1, sum: 2 },
      nodeChangedWatches: { count: 1, sum: 2 },
      nodeDeletedWatches: { count: 1, sum: 1 },
      nodeChildrenWatches: { count: 1, sum: 1 },
    });
  });

  it('how long the txns are that it proposes', () => {
    const ensemble = new TestEnsemble(1).ready();
    const { counts } = ensemble.leader;
    expect(counts).toMatchObject({ proposalBytesLast: -1, proposalBytesMin: -1, proposalBytesMax: -1 });
    const client = ensemble.client(ensemble.leader);
    client.create('/a');
    client.setData('/a', 'x'.repeat(1_000));
    client.delete('/a');
    ensemble.settle();
    expect(counts.proposalBytesMax).toBeGreaterThan(1_000);
    expect(counts.proposalBytesMin).toBeLessThan(counts.proposalBytesLast + 1);
    expect(counts.proposalBytesLast).toBeLessThan(100);
    expect(counts.proposalBytesMin).toBeGreaterThan(0);
  });
});
