import { AddWatchMode, CreateMode, EventType, NO_ZXID, OPEN_ACL_UNSAFE, OpCode, type Request, type Zxid } from '@quorate/protocol';
import { sessionPassword } from '@quorate/session';
import { describe, expect, it } from 'vitest';
import type { Server } from '../src/index.ts';
import { RecordedClient } from './support/recorded-client.ts';
import { TestEnsemble, TICK_MS } from './support/test-ensemble.ts';

const NO_DATA = new Uint8Array(0);

function renewal(session: bigint, timeOut = 10_000) {
  return { sessionId: session, passwd: sessionPassword(session), timeOut };
}

/** Three servers, one of which is cut off after `/a` was made. */
function cutOff(options = {}): { ensemble: TestEnsemble; alone: Server; heal: () => void } {
  const ensemble = new TestEnsemble(3, { readOnlyMode: true, ...options }).ready();
  const alone = ensemble.followers[0]!;
  const writer = ensemble.client(ensemble.leader);
  writer.create('/a', { data: 'x' });
  ensemble.settle();
  const others = [...ensemble.servers.keys()].filter((sid) => sid !== alone.sid);
  ensemble.network.partition([others, [alone.sid]]);
  return { ensemble, alone, heal: () => ensemble.network.heal() };
}

function runUntil(ensemble: TestEnsemble, condition: () => boolean): void {
  for (let i = 0; i < 100 && !condition(); i++) ensemble.run(TICK_MS / 2);
  expect(condition()).toBe(true);
}

function readOnly() {
  const scene = cutOff();
  runUntil(scene.ensemble, () => scene.alone.isReadOnly);
  return scene;
}

describe('a server without a leader', () => {
  it('waits for one for two ticks before it goes on alone, and then at most one more', () => {
    const { ensemble, alone } = cutOff();
    runUntil(ensemble, () => alone.status.state === 'LOOKING');
    const since = ensemble.clock.now();
    runUntil(ensemble, () => alone.isReadOnly);
    expect(ensemble.clock.now() - since).toBeGreaterThanOrEqual(2 * TICK_MS - TICK_MS / 2);
    expect(ensemble.clock.now() - since).toBeLessThanOrEqual(3 * TICK_MS + TICK_MS / 2);
  });

  it('does not where it was not told to', () => {
    const { ensemble, alone } = cutOff({ readOnlyMode: false });
    ensemble.run(3_000);
    expect(alone.status.state).toBe('LOOKING');
    expect(alone.isReadOnly).toBe(false);
    const client = new RecordedClient(alone).connect({ readOnly: true });
    ensemble.run(100);
    expect(client.connected).toBe(undefined);
  });

  it('reads its store before it goes on alone, and knows its last snapshot then', () => {
    const ensemble = new TestEnsemble(3, { readOnlyMode: true, snapshotEvery: 5 }).ready();
    const client = ensemble.client(ensemble.leader);
    for (let i = 0; i < 12; i++) {
      client.create(`/n${i}`);
      ensemble.settle();
    }
    const { sid } = ensemble.followers[0]!;
    for (const other of [...ensemble.servers.keys()]) ensemble.crash(other);
    const alone = ensemble.start(sid);
    runUntil(ensemble, () => alone.isReadOnly);
    const reader = ensemble.client(alone, { readOnly: true });
    const xids = [reader.exists('/n0'), reader.exists('/n11')];
    ensemble.settle();
    expect(xids.map((xid) => reader.err(xid))).toEqual(['OK', 'NO_NODE']);
    // Who has seen the last one is not taken.
    expect(ensemble.client(alone, { readOnly: true, lastZxidSeen: client.replies.at(-1)!.zxid }).isClosed).toBe(true);
  });
});

describe('read-only mode', () => {
  it('takes those who put up with it, and closes the others', () => {
    const { ensemble, alone } = readOnly();
    const willing = ensemble.client(alone, { readOnly: true, timeOut: 1 });
    expect(willing.connected).toMatchObject({ readOnly: true, timeOut: 2 * TICK_MS, passwd: sessionPassword(willing.sessionId) });
    const other = ensemble.client(alone);
    expect([other.connected, other.isClosed]).toEqual([undefined, true]);
  });

  it('reads, watches and proves, and refuses every write, and sync', () => {
    const { ensemble, alone } = readOnly();
    const client = ensemble.client(alone, { readOnly: true });
    const create = { data: NO_DATA, acl: OPEN_ACL_UNSAFE };
    const before = alone.tree.serialize();
    const answered: Request[] = [
      { type: OpCode.exists, path: '/a', watch: true },
      { type: OpCode.getData, path: '/a', watch: true },
      { type: OpCode.getACL, path: '/a' },
      { type: OpCode.getChildren, path: '/', watch: false },
      { type: OpCode.getChildren2, path: '/', watch: true },
      { type: OpCode.getAllChildrenNumber, path: '/' },
      { type: OpCode.getEphemerals, prefixPath: '/' },
      { type: OpCode.multiRead, ops: [{ type: OpCode.getData, path: '/a', watch: false }] },
      { type: OpCode.whoAmI },
      { type: OpCode.ping },
      { type: OpCode.auth, authType: 0, scheme: 'digest', auth: new TextEncoder().encode('a:b') },
      { type: OpCode.addWatch, path: '/a', mode: AddWatchMode.persistent },
      { type: OpCode.setWatches, relativeZxid: NO_ZXID, dataWatches: [], existWatches: [], childWatches: [] },
    ];
    const refused: Request[] = [
      { type: OpCode.create, path: '/b', ...create, flags: CreateMode.PERSISTENT },
      { type: OpCode.create2, path: '/b', ...create, flags: CreateMode.EPHEMERAL },
      { type: OpCode.createContainer, path: '/b', ...create, flags: CreateMode.CONTAINER },
      { type: OpCode.createTTL, path: '/b', ...create, flags: CreateMode.PERSISTENT_WITH_TTL, ttl: 1 },
      { type: OpCode.delete, path: '/a', version: -1 },
      { type: OpCode.setData, path: '/a', data: NO_DATA, version: -1 },
      { type: OpCode.setACL, path: '/a', acl: OPEN_ACL_UNSAFE, version: -1 },
      { type: OpCode.multi, ops: [] },
      { type: OpCode.check, path: '/a', version: -1 },
      { type: OpCode.sync, path: '/' },
      { type: OpCode.reconfig, joiningServers: '', leavingServers: '', newMembers: '', curConfigId: -1n },
    ];
    const wanted = [...answered.map(() => 'OK'), ...refused.map(() => 'NOT_READ_ONLY')];
    const xids = [...answered, ...refused].map((request) => client.send(request));
    ensemble.settle();
    expect(client.replies.map(({ xid }) => xid)).toEqual(xids);
    expect(xids.map((xid) => client.err(xid))).toEqual(wanted);
    expect(client.isClosed).toBe(false);
    expect(alone.tree.serialize()).toEqual(before);
  });

  it('shows nothing older than what the client has seen, and ends nothing by that', () => {
    const { ensemble, alone } = readOnly();
    const client = ensemble.client(ensemble.leader);
    const xid = client.create('/later');
    ensemble.settle();
    const { zxid } = client.reply(xid)!;
    for (const [seen, taken] of [
      [zxid, false],
      [(zxid - 1) as Zxid, false],
      [alone.lastZxid, true],
      [NO_ZXID, true],
      [-1 as Zxid, true],
    ] as const) {
      const reader = ensemble.client(alone, { readOnly: true, lastZxidSeen: seen });
      expect([reader.connected !== undefined, reader.isClosed]).toEqual([taken, !taken]);
    }
    expect(client.isClosed).toBe(false);
  });

  it('takes a session of the ensemble by its password alone, though it cannot know whether it lives, and leaves it alone', () => {
    const { ensemble, alone } = readOnly();
    const owner = ensemble.client(ensemble.leader);
    owner.create('/mine', { flags: CreateMode.EPHEMERAL });
    ensemble.settle();
    const thief = ensemble.client(alone, { sessionId: owner.sessionId, readOnly: true });
    expect([thief.connected?.timeOut, thief.isClosed]).toEqual([0, true]);
    const reader = ensemble.client(alone, { ...renewal(owner.sessionId), readOnly: true });
    expect(reader.connected).toMatchObject({ sessionId: owner.sessionId, readOnly: true });
    const close = reader.send({ type: OpCode.closeSession });
    ensemble.settle();
    expect([reader.err(close), reader.isClosed]).toEqual(['NOT_READ_ONLY', true]);
    expect(owner.isClosed).toBe(false);
    expect(ensemble.leader.tree.find('/mine')).not.toBe(undefined);
  });

  it('ends a session that has begun here where its client wishes so', () => {
    const { ensemble, alone } = readOnly();
    const client = ensemble.client(alone, { readOnly: true });
    const close = client.send({ type: OpCode.closeSession });
    ensemble.settle();
    expect([client.err(close), client.isClosed]).toEqual(['OK', true]);
  });

  it('has one connection for each session, and ends one that is silent', () => {
    const { ensemble, alone } = readOnly();
    const first = ensemble.client(alone, { readOnly: true, timeOut: 500 });
    const second = ensemble.client(alone, { ...renewal(first.sessionId, 500), readOnly: true });
    expect([first.isClosed, second.isClosed]).toEqual([true, false]);
    const spoken = ensemble.client(alone, { readOnly: true, timeOut: 500 });
    for (let i = 0; i < 8; i++) {
      ensemble.run(100);
      spoken.send({ type: OpCode.ping }, -2);
    }
    expect([second.isClosed, spoken.isClosed]).toEqual([true, false]);
  });

  it('begins and ends with the end of every connection', () => {
    const { ensemble, alone, heal } = cutOff();
    const before = ensemble.client(alone, { readOnly: true });
    const held = new RecordedClient(alone);
    runUntil(ensemble, () => alone.isReadOnly);
    expect([before.isClosed, held.isClosed]).toEqual([true, false]);
    held.connect({ readOnly: true });
    ensemble.settle();
    expect(held.connected?.readOnly).toBe(true);
    heal();
    ensemble.ready();
    expect([alone.isReadOnly, held.isClosed]).toEqual([false, true]);
    // Its session is not known anywhere.
    for (const server of ensemble.servers.values()) expect(ensemble.client(server, renewal(held.sessionId)).connected?.timeOut).toBe(0);
  });

  it('answers a handshake that has waited for it', () => {
    const { ensemble, alone } = cutOff();
    runUntil(ensemble, () => !alone.status.serving);
    const waiting = [new RecordedClient(alone).connect({ readOnly: true }), new RecordedClient(alone).connect()] as const;
    expect(waiting[0].connected).toBe(undefined);
    runUntil(ensemble, () => alone.isReadOnly);
    expect([waiting[0].connected?.readOnly, waiting[1].isClosed]).toEqual([true, true]);
  });

  it('tells a watch of what has changed meanwhile where its client goes on', () => {
    const { ensemble, alone, heal } = readOnly();
    const reader = ensemble.client(alone, { readOnly: true });
    reader.getData('/a', true);
    ensemble.settle();
    const seen = reader.replies.at(-1)!.zxid;
    const writer = ensemble.client(ensemble.leader);
    writer.setData('/a', 'y');
    heal();
    ensemble.ready();
    expect(reader.events).toEqual([]);
    const again = ensemble.client(alone, { lastZxidSeen: seen });
    again.send({ type: OpCode.setWatches, relativeZxid: seen, dataWatches: ['/a'], existWatches: [], childWatches: [] }, -8);
    ensemble.settle();
    expect(again.events).toEqual([`${EventType.nodeDataChanged} /a`]);
  });

  it('keeps a local session of its server alive while its client is heard', () => {
    const { ensemble, alone, heal } = cutOff({ localSessions: true });
    const local = ensemble.client(alone, { timeOut: 1_000 });
    runUntil(ensemble, () => alone.isReadOnly);
    const reader = ensemble.client(alone, { ...renewal(local.sessionId, 1_000), readOnly: true });
    for (let i = 0; i < 20; i++) {
      ensemble.run(100);
      reader.send({ type: OpCode.ping }, -2);
    }
    heal();
    ensemble.ready();
    expect(reader.isClosed).toBe(true);
    expect(ensemble.client(alone, renewal(local.sessionId)).connected?.sessionId).toBe(local.sessionId);
  });
});
