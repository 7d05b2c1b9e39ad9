import { VirtualClock } from '@quorate/ports';
import { CreateMode, counterOf, EventType, NO_ZXID, OPEN_ACL_UNSAFE, OpCode } from '@quorate/protocol';
import { SessionIds, sessionPassword } from '@quorate/session';
import { describe, expect, it } from 'vitest';
import { Member } from '../src/member.ts';
import { encodeSessionMessage } from '../src/session-messages.ts';
import { RecordedClient } from './support/recorded-client.ts';
import { TestEnsemble, TICK_MS } from './support/test-ensemble.ts';

const NO_DATA = new Uint8Array(0);

function renewal(session: bigint, timeOut = 10_000) {
  return { sessionId: session, passwd: sessionPassword(session), timeOut };
}

function local(size = 3) {
  return new TestEnsemble(size, { localSessions: true }).ready();
}

function upgrading(size = 3) {
  return new TestEnsemble(size, { localSessions: true, localSessionsUpgrading: true }).ready();
}

/** The sessions that every server agrees on. */
function known(ensemble: TestEnsemble): bigint[] {
  return [...ensemble.leader.sessions].map(([id]) => id);
}

describe('a local session', () => {
  it('is there at once, on its server alone, without a txn', () => {
    const ensemble = local();
    const before = ensemble.leader.lastZxid;
    for (const server of ensemble.servers.values()) {
      const client = new RecordedClient(server).connect();
      expect(client.connected).toMatchObject({ timeOut: 2_000, readOnly: false, passwd: sessionPassword(client.sessionId) });
      expect(client.sessionId >> 56n).toBe(BigInt(server.sid));
      expect(server.localSessionCount).toBe(1);
    }
    ensemble.settle();
    expect(ensemble.leader.lastZxid).toBe(before);
    expect(known(ensemble)).toEqual([]);
  });

  it('reads, writes, watches and syncs as any other, at the leader and at a follower', () => {
    const ensemble = local();
    for (const server of ensemble.servers.values()) {
      const client = ensemble.client(server);
      const path = `/of${server.sid}`;
      const xids = [
        client.create(path),
        client.exists(path, true),
        client.send({ type: OpCode.sync, path }),
        client.setData(path, 'x'),
        client.send({ type: OpCode.multi, ops: [{ type: OpCode.check, path, version: 1 }] }),
        client.send({ type: OpCode.getEphemerals, prefixPath: '/' }),
      ];
      ensemble.settle();
      expect(xids.map((xid) => client.err(xid))).toEqual(['OK', 'OK', 'OK', 'OK', 'OK', 'OK']);
      expect(client.events).toEqual([`${EventType.nodeDataChanged} ${path}`]);
    }
    expect(known(ensemble)).toEqual([]);
  });

  it('may own no ephemeral where it may not be upgraded, within a multi neither', () => {
    const ensemble = local();
    for (const server of ensemble.servers.values()) {
      const client = ensemble.client(server);
      const alone = client.create('/e', { flags: CreateMode.EPHEMERAL });
      const among = client.send({
        type: OpCode.multi,
        ops: [
          { type: OpCode.create, path: `/p${server.sid}`, data: NO_DATA, acl: OPEN_ACL_UNSAFE, flags: CreateMode.PERSISTENT },
          { type: OpCode.create2, path: '/e', data: NO_DATA, acl: OPEN_ACL_UNSAFE, flags: CreateMode.EPHEMERAL_SEQUENTIAL },
        ],
      });
      const behind = client.create(`/q${server.sid}`);
      ensemble.settle();
      expect(client.err(alone)).toBe('EPHEMERAL_ON_LOCAL_SESSION');
      expect(client.reply(among)?.response).toEqual({
        type: OpCode.multi,
        results: [
          { type: OpCode.error, err: 0 },
          { type: OpCode.error, err: -120 },
        ],
      });
      expect(client.err(behind)).toBe('OK');
      expect(server.tree.find(`/p${server.sid}`)).toBe(undefined);
    }
    expect(known(ensemble)).toEqual([]);
  });

  it('expires on its server after its timeout, and never while it is heard', () => {
    const ensemble = local();
    const [follower] = ensemble.followers;
    const silent = ensemble.client(follower!, { timeOut: 500 });
    const spoken = ensemble.client(follower!, { timeOut: 500 });
    const start = ensemble.clock.now();
    let expiredAt: number | undefined;
    for (let i = 0; i < 30; i++) {
      spoken.send({ type: OpCode.ping }, -2);
      ensemble.run(50);
      if (expiredAt === undefined && silent.isClosed) expiredAt = ensemble.clock.now();
    }
    expect(expiredAt! - start).toBeGreaterThanOrEqual(500);
    expect(expiredAt! - start).toBeLessThanOrEqual(500 + 3 * TICK_MS);
    expect(spoken.isClosed).toBe(false);
    expect(follower!.localSessionCount).toBe(1);
    const again = ensemble.client(follower!, renewal(silent.sessionId));
    expect(again.connected).toMatchObject({ timeOut: 0, sessionId: 0n });
  });

  it('goes on at its own server, behind all that its earlier connection has sent, and is refused by every other', () => {
    const ensemble = local();
    const [a, b] = ensemble.followers;
    const old = ensemble.client(a!);
    old.create('/sent-before');
    const again = new RecordedClient(a!).connect(renewal(old.sessionId));
    expect(old.isClosed).toBe(true);
    while (again.connected === undefined) ensemble.clock.step();
    expect(a!.tree.find('/sent-before')).not.toBe(undefined);
    expect(again.connected.sessionId).toBe(old.sessionId);
    for (const server of [b!, ensemble.leader]) {
      const stranger = ensemble.client(server, renewal(old.sessionId));
      expect(stranger.connected).toMatchObject({ timeOut: 0, sessionId: 0n });
      expect(stranger.isClosed).toBe(true);
    }
    expect(again.isClosed).toBe(false);
    const thief = ensemble.client(a!, { sessionId: old.sessionId });
    expect(thief.connected?.timeOut).toBe(0);
    expect(again.isClosed).toBe(false);
  });

  it('ends at its wish, after the writes before it, without a txn', () => {
    const ensemble = local();
    for (const server of ensemble.servers.values()) {
      const client = ensemble.client(server);
      const write = client.create(`/last${server.sid}`);
      const close = client.send({ type: OpCode.closeSession });
      const behind = client.create('/behind');
      ensemble.settle();
      expect([client.err(write), client.err(close), client.err(behind), client.isClosed]).toEqual(['OK', 'OK', undefined, true]);
      expect(client.replies.map(({ xid }) => xid)).toEqual([write, close]);
      expect(server.localSessionCount).toBe(0);
      expect(server.lastZxid).toBe(client.reply(write)?.zxid);
      expect(ensemble.client(server, renewal(client.sessionId)).connected?.timeOut).toBe(0);
    }
  });

  it('ends with its server', () => {
    const ensemble = local();
    const { sid } = ensemble.followers[0]!;
    const client = ensemble.client(ensemble.server(sid));
    ensemble.crash(sid);
    ensemble.start(sid);
    ensemble.ready();
    expect(ensemble.client(ensemble.server(sid), renewal(client.sessionId)).connected?.timeOut).toBe(0);
  });

  it('outlives a change of leader: reads at once, and writes that the new leader does not know it by', () => {
    const ensemble = local();
    const [follower] = ensemble.followers;
    const client = ensemble.client(follower!);
    const watched = client.exists('/later', true);
    ensemble.settle();
    ensemble.crash(ensemble.leader.sid);
    ensemble.ready();
    const read = client.getData('/');
    const write = client.create('/later');
    ensemble.settle();
    expect([client.err(watched), client.err(read), client.err(write)]).toEqual(['NO_NODE', 'OK', 'OK']);
    expect(client.events).toEqual([`${EventType.nodeCreated} /later`]);
  });

  it('goes on where a write was lost with its leader, on another connection', () => {
    const ensemble = local();
    const [follower] = ensemble.followers;
    const client = ensemble.client(follower!);
    client.create('/never');
    ensemble.crash(ensemble.leader.sid);
    ensemble.ready();
    expect(client.isClosed).toBe(true);
    const again = ensemble.client(follower!, renewal(client.sessionId));
    expect(again.connected?.sessionId).toBe(client.sessionId);
  });

  it('can be ended by hand', () => {
    const ensemble = local();
    const [follower] = ensemble.followers;
    const client = ensemble.client(follower!);
    expect(ensemble.leader.expireSession(client.sessionId)).toBe(false);
    expect(ensemble.leader.expireLocalSession(client.sessionId)).toBe(false);
    expect(follower!.expireLocalSession(client.sessionId)).toBe(true);
    expect(client.isClosed).toBe(true);
    expect(follower!.expireLocalSession(client.sessionId)).toBe(false);
  });

  it('has another id than a session that the ensemble knows, though the wall clock goes back', () => {
    const ensemble = upgrading();
    const { sid } = ensemble.followers[0]!;
    const first = ensemble.client(ensemble.server(sid));
    first.create('/mine', { flags: CreateMode.EPHEMERAL });
    ensemble.settle();
    const wallOrigin = ensemble.clock.wallNow() - ensemble.clock.now();
    ensemble.crash(sid);
    const wallNow = ensemble.clock.wallNow.bind(ensemble.clock);
    ensemble.clock.wallNow = () => wallOrigin;
    ensemble.start(sid);
    ensemble.clock.wallNow = wallNow;
    ensemble.ready();
    const second = ensemble.client(ensemble.server(sid));
    expect(second.sessionId).toBe(first.sessionId + 1n);
  });
});

describe('of an id that the ensemble has meanwhile given out, a local session', () => {
  it.each([
    ['that stays one', CreateMode.PERSISTENT],
    ['that is upgrading', CreateMode.EPHEMERAL],
  ])('%s ends when the leader says so', (_name, flags) => {
    const clock = new VirtualClock();
    const none = (): never => {
      throw new Error('a follower does not propose');
    };
    const requests: Uint8Array[] = [];
    const broadcast = {
      nextZxid: NO_ZXID,
      propose: none,
      answerRevalidate: none,
      revalidate() {},
      sync() {},
      request: (payload: Uint8Array) => requests.push(payload),
    };
    const member = new Member({
      sid: 2,
      broadcast,
      clock,
      ids: new SessionIds({ sid: 2, wallMs: 1 }),
      tickTimeMs: TICK_MS,
      minSessionTimeoutMs: 200,
      maxSessionTimeoutMs: 2_000,
      localSessions: true,
      localSessionsUpgrading: true,
      readOnlyMode: false,
      superDigest: undefined,
      containerCheckIntervalMs: 1,
      containersPerMinuteMax: 1,
      containerNeverUsedMaxMs: 0,
      requestThrottle: undefined,
      connectionThrottle: undefined,
      tree: { digest: true },
      quotas: { enforce: false, onExcess: () => {} },
      onStatus() {},
      onReadOnly() {},
      onFailure: none,
    });
    member.onStatus({ state: 'FOLLOWING', leader: 1, epoch: 1, serving: true, votes: true });
    const client = new RecordedClient(member).connect();
    client.create('/x', { flags });
    expect(requests.length).toBe(1);
    member.onRevalidate(1, encodeSessionMessage({ type: 'taken', session: client.sessionId }));
    expect([client.isClosed, member.front.localSessionCount]).toEqual([true, 0]);
    expect(member.front.expireLocal(client.sessionId)).toBe(false);
  });
});

describe('an upgrade', () => {
  it('is not done by the server of the session where its client ends it', () => {
    const ensemble = upgrading();
    const client = ensemble.client(ensemble.followers[0]!);
    client.create('/e', { flags: CreateMode.EPHEMERAL });
    const close = client.send({ type: OpCode.closeSession });
    ensemble.settle();
    expect([client.err(close), client.isClosed]).toEqual(['OK', true]);
    expect(known(ensemble)).toEqual([]);
    expect(ensemble.leader.tree.find('/e')).toBe(undefined);
  });

  it('makes a session the ensemble’s before its first ephemeral is created, in the order of its requests', () => {
    const ensemble = upgrading();
    for (const server of ensemble.servers.values()) {
      const client = ensemble.client(server);
      const xids = [
        client.create(`/before${server.sid}`),
        client.create(`/e${server.sid}`, { flags: CreateMode.EPHEMERAL }),
        client.create(`/behind${server.sid}`),
        client.create(`/f${server.sid}`, { flags: CreateMode.EPHEMERAL_SEQUENTIAL }),
        client.getData(`/e${server.sid}`),
      ];
      ensemble.settle();
      expect(client.replies.map(({ xid }) => xid)).toEqual(xids);
      expect(xids.map((xid) => client.err(xid))).toEqual(['OK', 'OK', 'OK', 'OK', 'OK']);
      // The second txn of the five is the createSession.
      const counts = client.replies.map(({ zxid }) => counterOf(zxid));
      expect(counts.map((count) => count - counts[0]!)).toEqual([0, 2, 3, 4, 4]);
      expect(known(ensemble)).toContain(client.sessionId);
      expect(server.localSessionCount).toBe(0);
      for (const { tree } of ensemble.servers.values()) expect(tree.ephemeralsOf(client.sessionId).length).toBe(2);
    }
  });

  it('comes with an ephemeral in a multi, even where that fails', () => {
    const ensemble = upgrading();
    const client = ensemble.client(ensemble.followers[0]!);
    const op = { data: NO_DATA, acl: OPEN_ACL_UNSAFE };
    client.send({ type: OpCode.multi, ops: [{ type: OpCode.create, path: '/p', ...op, flags: CreateMode.PERSISTENT }] });
    ensemble.settle();
    expect(known(ensemble)).toEqual([]);
    const failing = client.send({
      type: OpCode.multi,
      ops: [
        { type: OpCode.create, path: '/e', ...op, flags: CreateMode.EPHEMERAL },
        { type: OpCode.check, path: '/none', version: -1 },
      ],
    });
    ensemble.settle();
    expect(client.reply(failing)?.err).toBe(0);
    expect(known(ensemble)).toEqual([client.sessionId]);
    expect(ensemble.leader.tree.find('/e')).toBe(undefined);
  });

  it('lets the session move and expire as any other', () => {
    const ensemble = upgrading();
    const [a, b] = ensemble.followers;
    const old = ensemble.client(a!, { timeOut: 500 });
    old.create('/e', { flags: CreateMode.EPHEMERAL });
    ensemble.settle();
    for (let i = 0; i < 20; i++) {
      old.send({ type: OpCode.ping }, -2);
      ensemble.run(100);
    }
    expect(old.isClosed).toBe(false);
    const moved = ensemble.client(b!, renewal(old.sessionId, 500));
    expect([moved.connected?.sessionId, old.isClosed]).toEqual([old.sessionId, true]);
    ensemble.run(1_000);
    expect(moved.isClosed).toBe(true);
    expect(ensemble.leader.tree.find('/e')).toBe(undefined);
    expect(known(ensemble)).toEqual([]);
  });

  it('leaves none that has ended to come back', () => {
    const ensemble = upgrading();
    const [a] = ensemble.followers;
    const client = ensemble.client(a!);
    client.create('/e', { flags: CreateMode.EPHEMERAL });
    ensemble.settle();
    expect(ensemble.leader.expireSession(client.sessionId)).toBe(true);
    // The end is not applied at the follower yet, which forwards one more write.
    const late = client.create('/late', { flags: CreateMode.EPHEMERAL });
    ensemble.settle();
    expect(client.err(late)).toBe(undefined);
    expect(client.isClosed).toBe(true);
    expect(ensemble.client(a!, renewal(client.sessionId)).connected?.timeOut).toBe(0);
    for (const { tree } of ensemble.servers.values()) {
      expect(tree.find('/e')).toBe(undefined);
      expect(tree.find('/late')).toBe(undefined);
    }
  });

  it('that is lost with its leader leaves a local session', () => {
    const ensemble = upgrading();
    const [a] = ensemble.followers;
    const client = ensemble.client(a!);
    client.create('/e', { flags: CreateMode.EPHEMERAL });
    ensemble.crash(ensemble.leader.sid);
    ensemble.ready();
    expect(client.isClosed).toBe(true);
    expect(a!.localSessionCount).toBe(1);
    const again = ensemble.client(a!, renewal(client.sessionId));
    expect(again.connected?.sessionId).toBe(client.sessionId);
    const xid = again.create('/e', { flags: CreateMode.EPHEMERAL });
    ensemble.settle();
    expect(again.err(xid)).toBe('OK');
    expect(known(ensemble)).toEqual([client.sessionId]);
  });

  it('that is done stays done over a change of leader, and the connection with it', () => {
    const ensemble = upgrading();
    const [a] = ensemble.followers;
    const client = ensemble.client(a!);
    client.create('/e', { flags: CreateMode.EPHEMERAL });
    ensemble.settle();
    ensemble.crash(ensemble.leader.sid);
    ensemble.ready();
    const more = client.create('/f', { flags: CreateMode.EPHEMERAL });
    ensemble.settle();
    expect([client.err(more), client.isClosed]).toEqual(['OK', false]);
    expect(known(ensemble)).toEqual([client.sessionId]);
  });

  it('that is under way goes on over a hand-over', () => {
    for (const lead of [0, 1, 2, 3, 5, 8, 13]) {
      const ensemble = upgrading();
      const [a, b] = ensemble.followers;
      const client = ensemble.client(a!);
      const xids = [
        client.create('/w'),
        client.create('/e', { flags: CreateMode.EPHEMERAL }),
        client.create('/f', { flags: CreateMode.EPHEMERAL }),
      ];
      for (let i = 0; i < lead; i++) ensemble.clock.step();
      expect(ensemble.leader.handOver(b!.sid)).toBe(true);
      ensemble.ready();
      ensemble.settle();
      expect(xids.map((xid) => client.err(xid))).toEqual(['OK', 'OK', 'OK']);
      expect(known(ensemble)).toEqual([client.sessionId]);
      ensemble.run(1_000);
      client.send({ type: OpCode.ping }, -2);
      ensemble.run(1_500);
      expect(client.isClosed).toBe(false);
    }
  });

  it('finishes behind a connection that its client has left', () => {
    const ensemble = upgrading();
    const [a] = ensemble.followers;
    const old = ensemble.client(a!);
    old.create('/e', { flags: CreateMode.EPHEMERAL });
    const again = ensemble.client(a!, renewal(old.sessionId));
    expect([again.connected?.sessionId, old.isClosed]).toEqual([old.sessionId, true]);
    expect(known(ensemble)).toEqual([old.sessionId]);
    expect(a!.localSessionCount).toBe(0);
    const more = again.create('/f', { flags: CreateMode.EPHEMERAL });
    ensemble.settle();
    expect(again.err(more)).toBe('OK');
  });
});
