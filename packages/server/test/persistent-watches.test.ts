import { AddWatchMode, EventType, OPEN_ACL_UNSAFE, OpCode, WatcherType, type Zxid } from '@quorate/protocol';
import { describe, expect, it } from 'vitest';
import type { RecordedClient } from './support/recorded-client.ts';
import { TestEnsemble } from './support/test-ensemble.ts';

function solo() {
  const ensemble = new TestEnsemble(1).ready();
  const client = ensemble.client(ensemble.leader);
  const settle = (): void => ensemble.settle();
  return { ensemble, server: ensemble.leader, client, watcher: ensemble.client(ensemble.leader), settle };
}

const addWatch = (client: RecordedClient, path: string, mode: number = AddWatchMode.persistent): number =>
  client.send({ type: OpCode.addWatch, path, mode });
const recursive = AddWatchMode.persistentRecursive;
const getChildren = (client: RecordedClient, path: string): number => client.send({ type: OpCode.getChildren, path, watch: true });
const remove = (client: RecordedClient, path: string, watcherType: number): number =>
  client.send({ type: OpCode.removeWatches, path, watcherType });
const check = (client: RecordedClient, path: string, watcherType: number): number =>
  client.send({ type: OpCode.checkWatches, path, watcherType });
const none = { dataWatches: [], existWatches: [], childWatches: [], persistentWatches: [], persistentRecursiveWatches: [] };

/** Everything that can happen below /a, once. */
function changeAll(client: RecordedClient): void {
  client.create('/a');
  client.create('/a/b');
  client.create('/a/b/c');
  client.setData('/a/b/c', 'x');
  client.setData('/a', 'x');
  client.delete('/a/b/c');
  client.delete('/a/b');
  client.delete('/a');
}

describe('a watch of addWatch', () => {
  it('is set whether there is a znode or not, and answered as the same record', () => {
    const { client, server, settle } = solo();
    const xids = [addWatch(client, '/none'), addWatch(client, '/none'), addWatch(client, '/', recursive)];
    settle();
    for (const xid of xids) expect(client.reply(xid)).toMatchObject({ err: 0, response: { type: OpCode.addWatch } });
    expect(server.watchCount).toBe(2);
  });

  it('persistent: tells of its path and of the children, again and again', () => {
    const { client, watcher, settle } = solo();
    addWatch(watcher, '/a');
    for (let round = 0; round < 2; round++) {
      changeAll(client);
      settle();
    }
    const once = ['1 /a', '4 /a', '3 /a', '4 /a', '2 /a'];
    expect(watcher.events).toEqual([...once, ...once]);
  });

  it('persistent recursive: tells of everything below its path, and never of children (ZOOKEEPER-4475)', () => {
    const { client, watcher, settle } = solo();
    addWatch(watcher, '/a', recursive);
    client.create('/ab');
    for (let round = 0; round < 2; round++) {
      changeAll(client);
      settle();
    }
    const once = ['1 /a', '1 /a/b', '1 /a/b/c', '3 /a/b/c', '3 /a', '2 /a/b/c', '2 /a/b', '2 /a'];
    expect(watcher.events).toEqual([...once, ...once]);
  });

  it('stands beside watches of all kinds at one path, and the connection hears of a change once', () => {
    const { client, watcher, settle } = solo();
    client.create('/a');
    settle();
    watcher.getData('/a', true);
    getChildren(watcher, '/a');
    for (const mode of [AddWatchMode.persistent, recursive]) addWatch(watcher, '/a', mode);
    addWatch(watcher, '/', recursive);
    client.setData('/a', 'x');
    client.create('/a/b');
    client.delete('/a/b');
    client.delete('/a');
    settle();
    expect(watcher.events).toEqual(['3 /a', '1 /a/b', '4 /a', '2 /a/b', '4 /a', '2 /a']);
  });

  it('tells before any reply that shows the change', () => {
    const { client, settle } = solo();
    addWatch(client, '/', recursive);
    client.send({
      type: OpCode.multi,
      ops: [
        { type: OpCode.create, path: '/m', data: null, acl: OPEN_ACL_UNSAFE, flags: 0 },
        { type: OpCode.setData, path: '/m', data: null, version: -1 },
      ],
    });
    settle();
    const order = client.messages.slice(1).map((message) => (message.kind === 'event' ? `${message.type} ${message.path}` : message.kind));
    expect(order).toEqual(['reply', '1 /m', '3 /m', 'reply']);
    expect(new Set(client.messages.slice(2).map((message) => ('zxid' in message ? message.zxid : undefined))).size).toBe(1);
  });

  it('tells nothing of a znode that may not be read, and stays (CVE-2024-23944)', () => {
    const { client, watcher, settle } = solo();
    const secret = [{ perms: 31, id: { scheme: 'digest', id: 'u:h' } }];
    addWatch(watcher, '/', recursive);
    addWatch(watcher, '/secret');
    client.create('/secret', { acl: secret });
    client.delete('/secret');
    client.create('/secret');
    settle();
    expect(watcher.events).toEqual([`${EventType.nodeCreated} /secret`]);
  });

  it('is gone with its connection', () => {
    const { ensemble, server, client, watcher } = solo();
    addWatch(watcher, '/a');
    addWatch(watcher, '/', recursive);
    watcher.drop();
    changeAll(client);
    ensemble.settle();
    expect([server.watchCount, watcher.events]).toEqual([0, []]);
  });
});

describe('removeWatches and checkWatches', () => {
  const { children, data, any, persistent, persistentRecursive } = WatcherType;
  const all = [children, data, any, persistent, persistentRecursive];

  function armed() {
    const world = solo();
    world.client.create('/a');
    world.settle();
    world.watcher.getData('/a', true);
    getChildren(world.watcher, '/a');
    addWatch(world.watcher, '/a');
    addWatch(world.watcher, '/a', recursive);
    return world;
  }

  it.each([
    [children, 'the child watch', [any, data, persistent, persistentRecursive]],
    [data, 'the data watch', [any, children, persistent, persistentRecursive]],
    [persistent, 'the persistent watch', [any, children, data, persistentRecursive]],
    [persistentRecursive, 'the recursive watch', [any, children, data, persistent]],
    [any, 'all watches', []],
  ])('of the type %d takes back %s of its path and no other', (type, _what, left) => {
    const { watcher, settle } = armed();
    const [before, first, second] = [check(watcher, '/a', type), remove(watcher, '/a', type), remove(watcher, '/a', type)];
    const checks = all.map((one) => [one, check(watcher, '/a', one)] as const);
    settle();
    expect([before, first, second].map((xid) => watcher.err(xid))).toEqual(['OK', 'OK', 'NO_WATCHER']);
    expect(checks.filter(([, xid]) => watcher.err(xid) === 'OK').map(([one]) => one)).toEqual([...left].sort());
  });

  it('mean the watches of their own connection, at the very path', () => {
    const { client, watcher, settle } = armed();
    const xids = [remove(client, '/a', any), remove(watcher, '/', any), remove(watcher, '/a/b', any)];
    settle();
    expect([...xids.slice(0, 1).map((xid) => client.err(xid)), ...xids.slice(1).map((xid) => watcher.err(xid))]).toEqual([
      'NO_WATCHER',
      'NO_WATCHER',
      'NO_WATCHER',
    ]);
  });

  it('and addWatch of no known type or mode are answered MARSHALLING_ERROR, and the connection goes on', () => {
    const { watcher, server, settle } = solo();
    const xids = [addWatch(watcher, '/a', 2), remove(watcher, '/a', 0), check(watcher, '/a', 6), watcher.exists('/')];
    settle();
    expect(xids.map((xid) => watcher.err(xid))).toEqual(['MARSHALLING_ERROR', 'MARSHALLING_ERROR', 'MARSHALLING_ERROR', 'OK']);
    expect(server.watchCount).toBe(0);
  });
});

describe('setWatches2', () => {
  it('sets watches that stay again, and tells of nothing that they have missed', () => {
    const { ensemble, server, client, settle } = solo();
    client.create('/a');
    client.create('/b');
    settle();
    const seen = server.lastZxid;
    client.setData('/a', 'x');
    client.create('/a/b');
    client.setData('/b', 'x');
    settle();
    const back = ensemble.client(server);
    const request = { ...none, dataWatches: ['/b'], persistentWatches: ['/a', '/never'], persistentRecursiveWatches: ['/a'] };
    back.send({ type: OpCode.setWatches2, relativeZxid: seen, ...request }, -8);
    settle();
    expect(back.events).toEqual(['3 /b']);
    expect(back.reply(-8)).toMatchObject({ err: 0, response: undefined });
    client.setData('/a/b', 'y');
    client.create('/a/c');
    client.create('/never');
    client.setData('/b', 'y');
    settle();
    expect(back.events.slice(1)).toEqual(['3 /a/b', '1 /a/c', '4 /a', '1 /never']);
  });

  it('without any is setWatches', () => {
    const { ensemble, server, client, settle } = solo();
    client.create('/a');
    settle();
    const back = ensemble.client(server);
    back.send({ type: OpCode.setWatches2, relativeZxid: 0 as Zxid, ...none, existWatches: ['/a', '/b'], childWatches: ['/a'] }, -8);
    settle();
    expect(back.events).toEqual(['1 /a', '4 /a']);
    expect(server.watchCount).toBe(1);
  });
});
