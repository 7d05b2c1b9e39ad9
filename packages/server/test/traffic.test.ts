/** What a server counts of its clients, and what it tells an audit log. */
import { ErrorCode, OpCode } from '@quorate/protocol';
import { describe, expect, it } from 'vitest';
import type { Server, SessionEnd, WriteOutcome } from '../src/index.ts';
import { Traffic } from '../src/traffic.ts';
import { TestEnsemble } from './support/test-ensemble.ts';

describe('traffic', () => {
  it('has no latency before anything was answered, and then the least, the mean and the greatest', () => {
    const traffic = new Traffic();
    expect(traffic.counts).toEqual({ received: 0, sent: 0, latencyMinMs: 0, latencyAverageMs: 0, latencyMaxMs: 0 });
    for (const ms of [4, 1, 7]) traffic.answered(ms);
    expect(traffic.counts).toMatchObject({ latencyMinMs: 1, latencyAverageMs: 4, latencyMaxMs: 7 });
    traffic.reset();
    expect(traffic.counts).toMatchObject({ latencyMinMs: 0, latencyAverageMs: 0, latencyMaxMs: 0 });
  });

  it('counts what comes and goes, for each connection and for the server', () => {
    const ensemble = new TestEnsemble(1).ready();
    const server = ensemble.leader;
    const one = ensemble.client(server, { timeOut: 1_000 }, { address: '10.0.0.1', remotePort: 4_000 });
    const two = ensemble.client(server);
    one.getData('/none');
    two.exists('/e', true);
    const xid = one.create('/e');
    ensemble.settle();
    const [first, second] = server.connections;
    expect(first).toMatchObject({ address: '10.0.0.1', remotePort: 4_000, session: one.sessionId, timeoutMs: 1_000, outstanding: 0 });
    // A handshake, a read and a write, and the answers to them.
    expect(first).toMatchObject({ received: 3, sent: 3, last: { type: OpCode.create, xid } });
    // A handshake and a read, with their answers, and an event.
    expect(second).toMatchObject({ address: undefined, received: 2, sent: 3, last: { type: OpCode.exists } });
    expect(server.traffic).toMatchObject({ received: 5, sent: 6 });
    server.resetConnections();
    expect(server.connections[0]).toMatchObject({ received: 0, sent: 0, last: undefined, session: one.sessionId });
    expect(server.traffic).toMatchObject({ received: 5, sent: 6 });
    server.resetTraffic();
    expect(server.traffic).toMatchObject({ received: 0, sent: 0 });
  });

  it('takes the time from the coming of a request to its reply, also where it has waited for a leader', () => {
    const ensemble = new TestEnsemble(3).ready();
    const [follower] = ensemble.followers as [Server];
    const client = ensemble.client(follower);
    client.exists('/');
    expect(follower.traffic.latencyMaxMs).toBe(0);
    ensemble.crash(ensemble.leader.sid);
    ensemble.settle();
    const read = client.exists('/');
    ensemble.ready();
    expect(client.err(read)).toBe('OK');
    expect(follower.connections[0]?.last?.latencyMs).toBeGreaterThan(0);
    expect(follower.traffic.latencyMaxMs).toBe(follower.connections[0]?.last?.latencyMs);
  });
});

it('watches are counted, and told by path and session', () => {
  const ensemble = new TestEnsemble(1).ready();
  const server = ensemble.leader;
  const one = ensemble.client(server);
  const two = ensemble.client(server);
  one.create('/a');
  ensemble.settle();
  one.getData('/a', true);
  two.exists('/a', true);
  two.exists('/b', true);
  expect(server.watchSummary).toEqual({ connections: 2, paths: 2, watches: 3 });
  expect([...server.watches()]).toEqual([
    { path: '/a', session: one.sessionId },
    { path: '/a', session: two.sessionId },
    { path: '/b', session: two.sessionId },
  ]);
});

describe('an audit log', () => {
  function scene() {
    const writes: WriteOutcome[] = [];
    const ends: SessionEnd[] = [];
    const options = { onWrite: (outcome: WriteOutcome) => writes.push(outcome), onSessionEnd: (end: SessionEnd) => ends.push(end) };
    return { ensemble: new TestEnsemble(3, options).ready(), writes, ends };
  }

  it('hears of each write once, from the server of its client, whether or not it was done', () => {
    const { ensemble, writes, ends } = scene();
    const client = ensemble.client(ensemble.followers[0] as Server, {}, { address: '10.0.0.1' });
    client.create('/a', { flags: 1 });
    client.create('/a');
    client.exists('/a');
    client.send({ type: OpCode.closeSession });
    ensemble.settle();
    expect(writes.map(({ request, answer }) => [request.type, answer?.err])).toEqual([
      [OpCode.create, ErrorCode.OK],
      [OpCode.create, ErrorCode.NODE_EXISTS],
      [OpCode.closeSession, ErrorCode.OK],
    ]);
    expect(writes[0]).toMatchObject({ session: client.sessionId, authIds: [{ scheme: 'ip', id: '10.0.0.1' }] });
    expect(ends.map(({ session, ephemerals }) => [session, ephemerals])).toEqual([[client.sessionId, ['/a']]]);
  });

  it('hears of a write whose client has gone that nobody has seen its outcome', () => {
    const { ensemble, writes } = scene();
    const client = ensemble.client(ensemble.leader);
    client.create('/a');
    client.drop();
    ensemble.settle();
    expect(writes.map(({ request, answer }) => [request.type, answer])).toEqual([[OpCode.create, undefined]]);
    expect(ensemble.leader.tree.find('/a')).toBeDefined();
  });
});
