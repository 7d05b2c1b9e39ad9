/** A client goes back in time at no server (zookeeper.md 1.10): whoever has seen more than a server has applied is not taken there, and nothing is harmed by that. */
import { epochOf, makeZxid, NO_ZXID, type Zxid } from '@quorate/protocol';
import { sessionPassword } from '@quorate/session';
import { describe, expect, it } from 'vitest';
import type { Server } from '../src/index.ts';
import { RecordedClient } from './support/recorded-client.ts';
import { TestEnsemble } from './support/test-ensemble.ts';

/** What a client may have seen, beside the last zxid of the server that it asks, and whether it is taken. */
const CASES: readonly (readonly [name: string, seen: (last: Zxid) => Zxid, taken: boolean])[] = [
  ['nothing', () => NO_ZXID, true],
  ['−1, of clients that have seen events of servers before 3.9', () => -1 as Zxid, true],
  ['−2⁶³, of a server that was wiped', () => -(2 ** 63) as Zxid, true],
  ['less', (last) => (last - 1) as Zxid, true],
  ['the same', (last) => last, true],
  ['one more', (last) => (last + 1) as Zxid, false],
  ['a later epoch, with a smaller counter', (last) => makeZxid(epochOf(last) + 1, 0), false],
  ['an earlier epoch, with a greater counter', (last) => makeZxid(epochOf(last) - 1, 0xffff_ffff), true],
];

describe.each([
  ['a session of the ensemble', {}],
  ['a local session', { localSessions: true }],
])('%s', (_kind, options) => {
  function scene() {
    const ensemble = new TestEnsemble(3, options).ready();
    const [server] = ensemble.followers as [Server];
    const owner = ensemble.client(server);
    owner.create('/a');
    owner.create('/b');
    ensemble.settle();
    return { ensemble, server, owner };
  }

  it.each(CASES)('new, of a client that has seen %s', (_name, seen, taken) => {
    const { ensemble, server, owner } = scene();
    const sessions = [...ensemble.leader.sessions].length + server.localSessionCount;
    const client = ensemble.client(server, { lastZxidSeen: seen(server.lastZxid) });
    expect([client.connected !== undefined, client.isClosed]).toEqual([taken, !taken]);
    expect([...ensemble.leader.sessions].length + server.localSessionCount).toBe(sessions + (taken ? 1 : 0));
    expect(owner.isClosed).toBe(false);
  });

  it.each(CASES)('taken up again, by a client that has seen %s', (_name, seen, taken) => {
    const { ensemble, server, owner } = scene();
    const again = { sessionId: owner.sessionId, passwd: sessionPassword(owner.sessionId) };
    const client = ensemble.client(server, { ...again, lastZxidSeen: seen(server.lastZxid) });
    expect([client.connected?.sessionId, client.isClosed]).toEqual([taken ? owner.sessionId : undefined, !taken]);
    // Where it is not taken, nothing has happened to the connection that the session has.
    expect(owner.isClosed).toBe(taken);
    const read = owner.exists('/a');
    ensemble.settle();
    expect(owner.err(read)).toBe(taken ? undefined : 'OK');
  });
});

it('is compared when a handshake that has waited is taken, with what the server has by then', () => {
  const ensemble = new TestEnsemble().ready();
  const [server] = ensemble.followers as [Server];
  const writer = ensemble.client(ensemble.leader);
  ensemble.network.partition([[...ensemble.servers.keys()].filter((sid) => sid !== server.sid), [server.sid]]);
  const xid = writer.create('/meanwhile');
  while (writer.reply(xid) === undefined) ensemble.clock.step();
  const lastZxidSeen = writer.reply(xid)!.zxid;
  while (server.status.serving) ensemble.clock.step();
  const waiting = new RecordedClient(server).connect({ lastZxidSeen });
  expect([waiting.connected, waiting.isClosed]).toEqual([undefined, false]);
  ensemble.network.heal();
  ensemble.ready();
  ensemble.settle();
  expect(waiting.connected?.timeOut).toBe(2_000);
});
