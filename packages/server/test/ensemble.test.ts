import { EventType, OpCode } from '@quorate/protocol';
import { sessionPassword } from '@quorate/session';
import { describe, expect, it } from 'vitest';
import { RecordedClient } from './support/recorded-client.ts';
import { TestEnsemble, TICK_MS } from './support/test-ensemble.ts';

function renewal(session: bigint, timeOut = 10_000) {
  return { sessionId: session, passwd: sessionPassword(session), timeOut };
}

describe('three servers', () => {
  it('forward a write of a follower to the leader, apply it everywhere and answer it there', () => {
    const ensemble = new TestEnsemble().ready();
    const [follower, other] = ensemble.followers;
    const client = ensemble.client(follower!);
    const xid = client.create('/a', { data: 'x' });
    ensemble.settle();
    expect(client.err(xid)).toBe('OK');
    const witness = ensemble.client(other!);
    const read = witness.getData('/a');
    ensemble.settle();
    expect(witness.reply(read)?.response).toMatchObject({ type: OpCode.getData, data: new TextEncoder().encode('x') });
    expect(ensemble.leader.lastZxid).toBe(follower!.lastZxid);
  });

  it('pipeline writes and reads of one client in order on each server', () => {
    const ensemble = new TestEnsemble().ready();
    for (const server of ensemble.servers.values()) {
      const client = ensemble.client(server);
      const path = `/p${server.sid}`;
      const xids = [
        client.create(path),
        client.getData(path),
        client.setData(path, '1'),
        client.getData(path),
        client.delete(path),
        client.exists(path),
      ];
      ensemble.settle();
      expect(client.replies.map(({ xid }) => xid)).toEqual(xids);
      expect(xids.map((xid) => client.err(xid))).toEqual(['OK', 'OK', 'OK', 'OK', 'OK', 'NO_NODE']);
      const versions = client.replies.map(({ response }) => (response?.type === OpCode.getData ? response.stat.version : undefined));
      expect(versions).toEqual([undefined, 0, undefined, 1, undefined, undefined]);
      const zxids = client.replies.map(({ zxid }) => zxid);
      expect([...zxids].sort((a, b) => a - b)).toEqual(zxids);
    }
  });

  it('keep clients over the crash of the leader; a write of unknown outcome ends its connection', () => {
    const ensemble = new TestEnsemble().ready();
    const [follower, other] = ensemble.followers;
    const idle = ensemble.client(follower!);
    const busy = ensemble.client(other!);
    const watch = idle.exists('/later', true);
    ensemble.settle();
    expect(idle.err(watch)).toBe('NO_NODE');
    busy.create('/never');
    ensemble.crash(ensemble.leader.sid);
    ensemble.ready();
    expect(busy.isClosed).toBe(true);
    expect(idle.isClosed).toBe(false);
    const xid = idle.create('/later');
    ensemble.settle();
    expect(idle.err(xid)).toBe('OK');
    expect(idle.events).toEqual([`${EventType.nodeCreated} /later`]);
  });

  it('answer what came while no leader was there, as soon as one is', () => {
    const ensemble = new TestEnsemble().ready();
    const [follower] = ensemble.followers;
    const client = ensemble.client(follower!);
    ensemble.crash(ensemble.leader.sid);
    ensemble.run(1);
    expect(follower!.status.serving).toBe(false);
    const xids = [client.create('/held'), client.getData('/held')];
    const late = new RecordedClient(follower!).connect();
    ensemble.ready();
    ensemble.settle();
    expect(xids.map((xid) => client.err(xid))).toEqual(['OK', 'OK']);
    expect(late.connected?.sessionId).toBeDefined();
  });

  it('answer a forwarded write that the synchronized history shows, after a change of leader', () => {
    const ensemble = new TestEnsemble().ready();
    const [follower, other] = ensemble.followers;
    const client = ensemble.client(follower!);
    const xid = client.create('/survives');
    // The leader goes before it hears an ACK: both followers hold the txn, and neither knows whether it is committed.
    let acked = 0;
    ensemble.onEffect = (_sid, effect) => {
      if (effect.type === 'sendToLeader' && effect.message.type === 'ACK') acked++;
    };
    while (acked < 2) ensemble.clock.step();
    expect(client.err(xid)).toBe(undefined);
    ensemble.crash(ensemble.leader.sid);
    ensemble.ready();
    expect(other!.tree.find('/survives')).not.toBe(undefined);
    expect(client.err(xid)).toBe('OK');
    expect(client.isClosed).toBe(false);
    const next = client.getData('/survives');
    ensemble.settle();
    expect(client.err(next)).toBe('OK');
  });

  it('expire a session whose client is silent, and never one that is heard', () => {
    const ensemble = new TestEnsemble().ready();
    const [follower, other] = ensemble.followers;
    const silent = ensemble.client(follower!, { timeOut: 500 });
    const spoken = ensemble.client(other!, { timeOut: 500 });
    silent.create('/silent', { flags: 1 });
    spoken.create('/spoken', { flags: 1 });
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
    for (const server of ensemble.servers.values()) {
      expect(server.tree.find('/silent')).toBe(undefined);
      expect(server.tree.find('/spoken')).not.toBe(undefined);
    }
    const again = ensemble.client(other!, renewal(silent.sessionId));
    expect(again.connected).toMatchObject({ timeOut: 0, sessionId: 0n });
    expect(again.isClosed).toBe(true);
  });

  it('give every session its full time again after an election', () => {
    const ensemble = new TestEnsemble().ready();
    const client = ensemble.client(ensemble.leader, { timeOut: 1_000 });
    client.create('/e', { flags: 1 });
    ensemble.run(700);
    ensemble.crash(ensemble.leader.sid);
    ensemble.ready();
    ensemble.run(700);
    expect(ensemble.leader.tree.find('/e')).not.toBe(undefined);
    ensemble.run(1_000);
    expect(ensemble.leader.tree.find('/e')).toBe(undefined);
  });

  it('end a session at its wish: ephemerals gone, reply, then the link', () => {
    const ensemble = new TestEnsemble().ready();
    for (const server of ensemble.servers.values()) {
      const client = ensemble.client(server);
      client.create('/e', { flags: 1 });
      const xid = client.send({ type: OpCode.closeSession });
      const after = client.create('/f', { flags: 1 });
      ensemble.settle();
      expect(client.err(xid)).toBe('OK');
      expect(client.err(after)).toBe(undefined);
      expect(client.isClosed).toBe(true);
      expect(ensemble.leader.tree.find('/e')).toBe(undefined);
      expect([...ensemble.leader.sessions].length).toBe(0);
    }
  });

  it('move a session: the connection that the client has left is closed, its late writes are not applied', () => {
    const ensemble = new TestEnsemble().ready();
    const [a, b] = ensemble.followers;
    const old = ensemble.client(a!);
    old.create('/mine', { flags: 1 });
    ensemble.settle();
    const moved = ensemble.client(b!, renewal(old.sessionId));
    expect(moved.connected?.sessionId).toBe(old.sessionId);
    expect(old.isClosed).toBe(true);
    expect(b!.tree.find('/mine')).not.toBe(undefined);
    const xid = moved.create('/more', { flags: 1 });
    ensemble.settle();
    expect(moved.err(xid)).toBe('OK');
  });

  it('refuse a write of the old connection that reaches the leader after the move', () => {
    const ensemble = new TestEnsemble().ready();
    const [a, b] = ensemble.followers;
    const old = ensemble.client(a!);
    // Both are under way at once: the renewal is forwarded before the write, and the notice to close comes after both.
    const moved = new RecordedClient(b!).connect(renewal(old.sessionId));
    let asked = false;
    ensemble.onEffect = (sid, effect) => {
      if (sid === b!.sid && effect.type === 'sendToLeader' && effect.message.type === 'REVALIDATE') asked = true;
    };
    while (!asked) ensemble.clock.step();
    old.create('/late');
    ensemble.settle();
    expect(old.isClosed).toBe(true);
    expect(moved.connected?.sessionId).toBe(old.sessionId);
    expect(ensemble.leader.tree.find('/late')).toBe(undefined);
  });

  it('renew at the same server and at the leader; only the newest connection stays', () => {
    const ensemble = new TestEnsemble().ready();
    const first = ensemble.client(ensemble.leader);
    const second = ensemble.client(ensemble.leader, renewal(first.sessionId));
    expect(first.isClosed).toBe(true);
    expect(second.connected?.sessionId).toBe(first.sessionId);
    const third = ensemble.client(ensemble.followers[0]!, renewal(first.sessionId));
    expect(second.isClosed).toBe(true);
    const fourth = ensemble.client(ensemble.leader, renewal(first.sessionId));
    expect(third.isClosed).toBe(true);
    expect(fourth.err(fourth.create('/x'))).toBe(undefined);
    ensemble.settle();
    expect(fourth.isClosed).toBe(false);
  });

  it('keep the newer of two claims to a session after a change of leader, whichever comes first', () => {
    const ensemble = new TestEnsemble(5).ready();
    const [a, b] = ensemble.followers;
    for (const [from, to] of [
      [a!, b!],
      [b!, a!],
    ] as const) {
      const old = ensemble.client(from);
      // The notice to close is lost with the leader.
      const { leader } = ensemble;
      const session = old.sessionId;
      const moved = new RecordedClient(to).connect(renewal(session));
      ensemble.network.partition([[...ensemble.servers.keys()].filter((sid) => sid !== from.sid), [from.sid]]);
      ensemble.run(5);
      expect(moved.connected?.sessionId).toBe(session);
      expect(old.isClosed).toBe(false);
      ensemble.crash(leader.sid);
      ensemble.network.heal();
      ensemble.ready();
      ensemble.settle();
      expect(old.isClosed).toBe(true);
      expect(moved.isClosed).toBe(false);
      const xid = moved.create(`/from${from.sid}`);
      ensemble.settle();
      expect(moved.err(xid)).toBe('OK');
      ensemble.start(leader.sid);
      ensemble.ready();
    }
  });

  it('give a session to its new server only when that has applied what came through the old one', () => {
    const ensemble = new TestEnsemble().ready();
    const [a, b] = ensemble.followers;
    const old = ensemble.client(a!);
    old.create('/through-a');
    let proposed = false;
    ensemble.onEffect = (_sid, effect) => {
      if (effect.type === 'sendToLearner' && effect.message.type === 'PROPOSAL') proposed = true;
    };
    while (!proposed) ensemble.clock.step();
    const moved = new RecordedClient(b!).connect(renewal(old.sessionId));
    while (moved.connected === undefined) ensemble.clock.step();
    expect(b!.tree.find('/through-a')).not.toBe(undefined);
    ensemble.settle();
    expect(moved.isClosed).toBe(false);
  });

  it('give a session at the leader only when what came in the same turn is applied', () => {
    const ensemble = new TestEnsemble().ready();
    const { leader } = ensemble;
    const old = ensemble.client(leader);
    old.create('/just-before');
    const moved = new RecordedClient(leader).connect(renewal(old.sessionId));
    while (moved.connected === undefined) ensemble.clock.step();
    expect(leader.tree.find('/just-before')).not.toBe(undefined);
  });

  it.each([
    ['another server', false],
    ['itself', true],
  ])('give a session by the word of a leader, that was at %s, only while a quorum follows it', (_name, atLeader) => {
    const ensemble = new TestEnsemble().ready();
    const { leader } = ensemble;
    const mover = ensemble.client(atLeader ? leader : ensemble.followers[0]!);
    ensemble.network.partition([ensemble.followers.map(({ sid }) => sid), [leader.sid]]);
    const moved = new RecordedClient(leader).connect(renewal(mover.sessionId));
    while (leader.status.serving) ensemble.clock.step();
    expect(moved.connected).toBe(undefined);
    ensemble.network.heal();
    ensemble.ready();
    ensemble.settle();
    expect(moved.connected?.sessionId).toBe(mover.sessionId);
    expect(mover.isClosed).toBe(true);
  });

  it.each([
    ['busy', true],
    ['idle', false],
  ])('end a %s connection whose session has moved to another server, also where nobody is left who could tell', (_name, busy) => {
    const ensemble = new TestEnsemble(5).ready();
    const [a, b] = ensemble.followers;
    const old = ensemble.client(a!);
    ensemble.network.partition([[...ensemble.servers.keys()].filter((sid) => sid !== a!.sid), [a!.sid]]);
    ensemble.run(5);
    const moved = new RecordedClient(b!).connect(renewal(old.sessionId));
    ensemble.run(5);
    // What the leader has told this server stands before the cut, and is gone with their channel.
    while (a!.status.serving) ensemble.clock.step();
    expect([moved.connected?.sessionId, old.isClosed]).toEqual([old.sessionId, false]);
    ensemble.crash(ensemble.leader.sid);
    ensemble.crash(b!.sid);
    ensemble.network.heal();
    if (busy) old.create('/late');
    ensemble.ready();
    ensemble.settle();
    if (!busy) old.create('/late');
    ensemble.settle();
    expect(old.isClosed).toBe(true);
    expect(ensemble.leader.tree.find('/late')).toBe(undefined);
  });

  it('go on with handshakes and syncs that a change of leader has interrupted', () => {
    const ensemble = new TestEnsemble().ready();
    const [a, b] = ensemble.followers;
    const settled = ensemble.client(a!);
    const mover = ensemble.client(a!);
    const sync = settled.send({ type: OpCode.sync, path: '/x' });
    const fresh = new RecordedClient(b!).connect();
    const renewed = new RecordedClient(b!).connect(renewal(mover.sessionId));
    ensemble.crash(ensemble.leader.sid);
    ensemble.ready();
    ensemble.settle();
    expect(settled.err(sync)).toBe('OK');
    expect(fresh.connected?.timeOut).toBe(2_000);
    expect(renewed.connected?.sessionId).toBe(mover.sessionId);
    expect(mover.isClosed).toBe(true);
  });

  it('do not believe a wrong password, and do not disturb the session by it', () => {
    const ensemble = new TestEnsemble().ready();
    const client = ensemble.client(ensemble.leader);
    const thief = ensemble.client(ensemble.followers[0]!, { sessionId: client.sessionId });
    expect(thief.connected).toMatchObject({ timeOut: 0, sessionId: 0n, passwd: new Uint8Array(16) });
    expect(thief.isClosed).toBe(true);
    expect(client.isClosed).toBe(false);
  });

  it('close a connection of a client that has seen more than the server', () => {
    const ensemble = new TestEnsemble().ready();
    const client = ensemble.client(ensemble.leader, { lastZxidSeen: (ensemble.leader.lastZxid + 1) as never });
    expect(client.isClosed).toBe(true);
    expect(client.messages).toEqual([]);
  });

  it('sync: what was acknowledged elsewhere before is seen afterwards', () => {
    const ensemble = new TestEnsemble().ready();
    const [a, b] = ensemble.followers;
    const writer = ensemble.client(a!);
    const reader = ensemble.client(b!);
    for (let i = 0; i < 5; i++) {
      const write = writer.create(`/s${i}`);
      while (writer.err(write) === undefined) ensemble.clock.step();
      const xids = [
        reader.send({ type: OpCode.sync, path: '/' }),
        reader.exists(`/s${i}`),
        reader.setData(`/s${i}`, 'x'),
        reader.exists(`/s${i}`),
      ];
      ensemble.settle();
      expect(xids.map((xid) => reader.err(xid))).toEqual(['OK', 'OK', 'OK', 'OK']);
      expect(reader.replies.slice(-4).map(({ xid }) => xid)).toEqual(xids);
    }
  });

  it('sync: a write behind it does not overtake the reads between', () => {
    const ensemble = new TestEnsemble().ready();
    for (const server of ensemble.servers.values()) {
      const others = [ensemble.client(server), ensemble.client(server)];
      const client = ensemble.client(server);
      const path = `/behind${server.sid}`;
      // A round of heartbeats is under way, so that the sync of the client has to wait for the next.
      others[0]!.send({ type: OpCode.sync, path: '/' });
      ensemble.clock.step();
      others[1]!.send({ type: OpCode.sync, path: '/' });
      ensemble.clock.step();
      const xids = [client.send({ type: OpCode.sync, path: '/' }), client.exists(path), client.create(path), client.exists(path)];
      ensemble.settle();
      expect(xids.map((xid) => client.err(xid))).toEqual(['OK', 'NO_NODE', 'OK', 'OK']);
    }
  });

  it('close the links of a server that has to take a snapshot', () => {
    const ensemble = new TestEnsemble(3, { snapshotEvery: 50 }).ready();
    const [away] = ensemble.followers;
    const held = ensemble.client(away!);
    held.exists('/n7', true);
    const client = ensemble.client(ensemble.leader);
    ensemble.network.partition([[...ensemble.servers.keys()].filter((sid) => sid !== away!.sid)]);
    for (let i = 0; i < 2_400; i++) client.create(`/n${i}`);
    ensemble.run(1_000);
    expect(held.isClosed).toBe(false);
    ensemble.network.heal();
    ensemble.run(500);
    expect(away!.lastZxid).toBe(ensemble.leader.lastZxid);
    expect(held.isClosed).toBe(true);
    const back = ensemble.client(away!, renewal(held.sessionId));
    back.send({ type: OpCode.setWatches, relativeZxid: 0 as never, dataWatches: [], existWatches: ['/n7'], childWatches: [] }, -8);
    expect(back.events).toEqual([`${EventType.nodeCreated} /n7`]);
  });

  it('restore a snapshot of the leader and go on', () => {
    const ensemble = new TestEnsemble(3, { snapshotEvery: 50 }).ready();
    const away = ensemble.followers[0]!.sid;
    const client = ensemble.client(ensemble.leader);
    ensemble.crash(away);
    for (let i = 0; i < 2_400; i++) client.create(`/n${i}`);
    const keeper = ensemble.client(ensemble.leader);
    keeper.create('/e', { flags: 1 });
    ensemble.settle();
    let restored = false;
    ensemble.onEffect = (sid, effect) => {
      if (sid === away && effect.type === 'restore') restored = true;
    };
    ensemble.start(away);
    ensemble.ready();
    expect(restored).toBe(true);
    expect(ensemble.server(away).tree.serialize()).toEqual(ensemble.leader.tree.serialize());
    expect([...ensemble.server(away).sessions]).toEqual([...ensemble.leader.sessions]);
    const renewed = ensemble.client(ensemble.server(away), renewal(keeper.sessionId));
    expect(renewed.connected?.sessionId).toBe(keeper.sessionId);
  });

  it('expireSession on the leader alone', () => {
    const ensemble = new TestEnsemble().ready();
    const client = ensemble.client(ensemble.followers[0]!);
    expect(ensemble.followers[0]!.expireSession(client.sessionId)).toBe(false);
    expect(ensemble.leader.expireSession(client.sessionId)).toBe(true);
    expect(ensemble.leader.expireSession(client.sessionId)).toBe(false);
    ensemble.settle();
    expect(client.isClosed).toBe(true);
    expect(client.replies).toEqual([]);
  });

  it('close links that wait longer than their session may be silent', () => {
    const ensemble = new TestEnsemble().ready();
    const [follower] = ensemble.followers;
    const client = ensemble.client(follower!, { timeOut: 500 });
    for (const sid of [...ensemble.servers.keys()]) if (sid !== follower!.sid) ensemble.crash(sid);
    ensemble.run(400);
    const waiting = new RecordedClient(follower!).connect({ timeOut: 500 });
    expect(client.isClosed).toBe(false);
    ensemble.run(400);
    expect(client.isClosed).toBe(true);
    expect(waiting.isClosed).toBe(false);
    ensemble.run(400);
    expect(waiting.isClosed).toBe(true);
  });
});
