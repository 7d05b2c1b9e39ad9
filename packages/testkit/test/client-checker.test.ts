import { ErrorCode, EventType, makeZxid, OpCode, Xid, type Zxid } from '@quorate/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientScript, createRequest, createTxn, freshStat } from './support/client-script.ts';

/** Each property of the client checkers is broken once by hand, and has to be called by its name. */
describe('the checkers of clients', () => {
  let script: ClientScript;
  beforeEach(() => {
    script = new ClientScript();
  });

  it('say nothing where nothing is wrong', () => {
    const first = script.join();
    const created = script.create(first, '/a');
    script.watch(first, '/a', created, freshStat(created));
    const xid = script.send(first, { type: OpCode.setData, path: '/a', data: null, version: 0 });
    const changed = script.commit({ type: OpCode.setData, path: '/a', data: null, version: 1 }, xid);
    script.event(first, EventType.nodeDataChanged, '/a', changed);
    script.reply(first, xid, changed, { response: { type: OpCode.setData, stat: { ...freshStat(created), mzxid: changed, version: 1 } } });
    const missing = script.send(first, { type: OpCode.exists, path: '/b', watch: true });
    script.reply(first, missing, changed, { err: ErrorCode.NO_NODE });
    script.checker.onLost(first);
    const second = script.join({ server: 2, again: true });
    script.send(
      second,
      { type: OpCode.setWatches, relativeZxid: changed, dataWatches: [], existWatches: ['/b'], childWatches: [] },
      Xid.setWatches,
    );
    script.reply(second, Xid.setWatches, changed);
    const refused = script.send(second, createRequest('/a'));
    const error = script.commit({ type: OpCode.error, err: ErrorCode.NODE_EXISTS }, refused);
    script.reply(second, refused, error, { err: ErrorCode.NODE_EXISTS });
    script.checker.finish();
    expect(script.verdict.violation).toBeUndefined();
  });

  describe('SessionLifetime', () => {
    it('a session that has ended changes nothing', () => {
      script.join();
      script.nowMs = 1000;
      script.commit({ type: OpCode.closeSession, paths: [] });
      script.commit(createTxn('/a', 1));
    });
    it('a session is committed before a client has it', () => {
      script.connected(script.dial(1, 0n));
    });
    it('a client gets the session that it asks for', () => {
      script.join();
      script.connected(script.dial(1, 0x77n));
    });
    afterEachExpect(() => script, 'SessionLifetime');
  });

  describe('Integrity', () => {
    it('what is committed was asked for', () => {
      script.join();
      script.commit(createTxn('/a', 1), 7);
    });
    it('what is committed is what was asked for', () => {
      const xid = script.send(script.join(), { type: OpCode.delete, path: '/a', version: -1 });
      script.commit(createTxn('/a', 1), xid);
    });
    afterEachExpect(() => script, 'Integrity');
  });

  describe('AtMostOnce', () => {
    it('a request is committed once', () => {
      const xid = script.send(script.join(), createRequest('/a'));
      script.commit(createTxn('/a', 1), xid);
      script.commit({ type: OpCode.error, err: ErrorCode.NODE_EXISTS }, xid);
    });
    afterEachExpect(() => script, 'AtMostOnce');
  });

  describe('FifoClientOrder', () => {
    it('requests are committed in the order in which they were sent', () => {
      const connection = script.join();
      const first = script.send(connection, createRequest('/a'));
      const second = script.send(connection, createRequest('/b'));
      script.commit(createTxn('/b', 1), second);
      script.commit(createTxn('/a', 2), first);
    });
    it('requests are answered in the order in which they were sent', () => {
      const connection = script.join();
      script.send(connection, { type: OpCode.sync, path: '/' });
      const second = script.send(connection, { type: OpCode.sync, path: '/' });
      script.reply(connection, second, makeZxid(1, 1));
    });
    afterEachExpect(() => script, 'FifoClientOrder');
  });

  describe('Linearizability', () => {
    it('a write does not stand before what had been seen when it was sent', () => {
      const connection = script.join();
      const zxid = script.commit(createTxn('/a', 1));
      const first = script.send(connection, { type: OpCode.sync, path: '/' });
      script.reply(connection, first, zxid);
      const xid = script.send(connection, createRequest('/b'));
      const elsewhere = new ClientScript();
      elsewhere.commit({ type: OpCode.createSession, timeOut: 400 });
      elsewhere.commit(createTxn('/b', 1), xid);
      // It stands where the other txn stood that the client had seen before.
      const [, , forged] = elsewhere.witness.committed;
      if (forged !== undefined) script.checker.onCommitted(forged);
    });
    afterEachExpect(() => script, 'Linearizability');
  });

  describe('SessionExclusivity', () => {
    it('a request of a connection that was left is not committed after the next one is established', () => {
      const xid = script.send(script.join(), createRequest('/a'));
      script.join({ server: 2, again: true });
      script.commit(createTxn('/a', 1), xid);
    });
    afterEachExpect(() => script, 'SessionExclusivity');
  });

  describe('TreeModel', () => {
    it.each([
      ['a znode is created below one that exists', () => createTxn('/a/b', 1)],
      ['the children that are created are counted', () => createTxn('/a', 2)],
      ['a znode that is deleted exists', () => ({ type: OpCode.delete, path: '/a' }) as const],
      ['a znode with children is not deleted', () => ({ type: OpCode.delete, path: '/zookeeper' }) as const],
      ['versions have no holes', () => ({ type: OpCode.setData, path: '/', data: null, version: 7 }) as const],
      ['a session that ends takes nothing but its ephemerals', () => ({ type: OpCode.closeSession, paths: ['/zookeeper/quota'] }) as const],
    ])('%s', (_rule, txn) => {
      script.commit(txn());
    });
    afterEachExpect(() => script, 'TreeModel');
  });

  describe('NoEarlyExpiry', () => {
    it('a session gets its time from the moment at which its leader heard it', () => {
      const connection = script.join({ server: 1 });
      script.nowMs = 900;
      script.checker.onHeard(connection);
      script.nowMs = 1200;
      script.commit({ type: OpCode.closeSession, paths: [] });
    });
    it('a session gets its time from its beginning', () => {
      script.nowMs = 900;
      script.join({ server: 2 });
      script.nowMs = 1200;
      script.commit({ type: OpCode.closeSession, paths: [] });
    });
    afterEachExpect(() => script, 'NoEarlyExpiry');
  });

  describe('ExpiredOnlyWhenClosed', () => {
    it('a client is told of the end of its session when that is committed', () => {
      script.join();
      script.connected(script.dial(2, 0x1234n), 0, 0n);
    });
    afterEachExpect(() => script, 'ExpiredOnlyWhenClosed');
  });

  describe('Durability', () => {
    it('a write that is answered is committed', () => {
      const connection = script.join();
      script.reply(connection, script.send(connection, createRequest('/a')), makeZxid(1, 1));
    });
    afterEachExpect(() => script, 'Durability');
  });

  describe('WriteResult', () => {
    it('a write is answered with its own zxid', () => {
      const connection = script.join();
      const xid = script.send(connection, createRequest('/a'));
      const zxid = script.commit(createTxn('/a', 1), xid);
      script.commit(createTxn('/b', 2));
      script.reply(connection, xid, (zxid + 1) as Zxid, { response: { type: OpCode.create, path: '/a' } });
    });
    it('a write is answered with the error of its txn', () => {
      const connection = script.join();
      const xid = script.send(connection, createRequest('/a'));
      script.reply(connection, xid, script.commit(createTxn('/a', 1), xid), { err: ErrorCode.NODE_EXISTS });
    });
    it('a create is answered with the path of its znode', () => {
      const connection = script.join();
      const xid = script.send(connection, createRequest('/a'));
      script.reply(connection, xid, script.commit(createTxn('/a', 1), xid), { response: { type: OpCode.create, path: '/b' } });
    });
    it('a setData is answered with the Stat that it makes', () => {
      const connection = script.join();
      const created = script.create(connection, '/a');
      const xid = script.send(connection, { type: OpCode.setData, path: '/a', data: null, version: 0 });
      const changed = script.commit({ type: OpCode.setData, path: '/a', data: null, version: 1 }, xid);
      script.reply(connection, xid, changed, { response: { type: OpCode.setData, stat: freshStat(created) } });
    });
    it('a multi is answered with one result for each operation', () => {
      const connection = script.join();
      const xid = script.send(connection, { type: OpCode.multi, ops: [{ type: OpCode.check, path: '/', version: 0 }] });
      const zxid = script.commit({ type: OpCode.multi, txns: [{ type: OpCode.check, path: '/', version: 1 }] }, xid);
      script.reply(connection, xid, zxid, { response: { type: OpCode.multi, results: [] } });
    });
    afterEachExpect(() => script, 'WriteResult');
  });

  describe('CommitConsistency', () => {
    it('nobody is shown what is not committed', () => {
      const connection = script.join();
      script.reply(connection, script.send(connection, { type: OpCode.sync, path: '/' }), makeZxid(1, 9));
    });
    afterEachExpect(() => script, 'CommitConsistency');
  });

  describe('SingleSystemImage', () => {
    it('a session does not go back in time, on whatever server', () => {
      const connection = script.join();
      script.create(connection, '/a');
      const next = script.join({ server: 2, again: true });
      script.reply(next, script.send(next, { type: OpCode.exists, path: '/b', watch: false }), makeZxid(1, 1), { err: ErrorCode.NO_NODE });
    });
    afterEachExpect(() => script, 'SingleSystemImage');
  });

  describe('SyncFreshness', () => {
    it('after a sync a client sees what others had seen before', () => {
      script.create(script.join(), '/a');
      const reader = script.join({ server: 3, again: true });
      if (reader.session !== undefined) reader.session.shown = 0;
      script.reply(reader, script.send(reader, { type: OpCode.sync, path: '/' }), makeZxid(1, 1));
    });
    afterEachExpect(() => script, 'SyncFreshness');
  });

  describe('SequentialRead', () => {
    it('a read shows what is there', () => {
      const connection = script.join();
      const zxid = script.create(connection, '/a');
      script.reply(connection, script.send(connection, { type: OpCode.exists, path: '/a', watch: false }), zxid, {
        err: ErrorCode.NO_NODE,
      });
    });
    it('a read shows the Stat of that moment', () => {
      const connection = script.join();
      const zxid = script.create(connection, '/a');
      const stat = { ...freshStat(zxid), numChildren: 1 };
      const xid = script.send(connection, { type: OpCode.exists, path: '/a', watch: false });
      script.reply(connection, xid, zxid, { response: { type: OpCode.exists, stat } });
    });
    it('a read shows the data of that moment', () => {
      const connection = script.join();
      const zxid = script.create(connection, '/a');
      const xid = script.send(connection, { type: OpCode.getData, path: '/a', watch: false });
      script.reply(connection, xid, zxid, { response: { type: OpCode.getData, data: Uint8Array.of(1), stat: freshStat(zxid) } });
    });
    it('a read shows the children of that moment', () => {
      const connection = script.join();
      const zxid = script.create(connection, '/a');
      const xid = script.send(connection, { type: OpCode.getChildren, path: '/', watch: false });
      script.reply(connection, xid, zxid, { response: { type: OpCode.getChildren, children: ['zookeeper'] } });
    });
    afterEachExpect(() => script, 'SequentialRead');
  });

  describe('WatchOrder', () => {
    it('an event comes before what shows the change', () => {
      const connection = script.join();
      const created = script.create(connection, '/a');
      script.watch(connection, '/a', created, freshStat(created));
      const deleted = script.commit({ type: OpCode.delete, path: '/a' });
      script.reply(connection, script.send(connection, { type: OpCode.exists, path: '/b', watch: false }), deleted, {
        err: ErrorCode.NO_NODE,
      });
    });
    afterEachExpect(() => script, 'WatchOrder');
  });

  describe('WatchNoPhantom', () => {
    it('no event comes without a watch', () => {
      const connection = script.join();
      script.event(connection, EventType.nodeCreated, '/a', script.create(connection, '/a'));
    });
    it('an event is of the change that fired the watch', () => {
      const connection = script.join();
      const created = script.create(connection, '/a');
      script.watch(connection, '/a', created, freshStat(created));
      script.event(connection, EventType.nodeDataChanged, '/a', script.commit({ type: OpCode.delete, path: '/a' }));
    });
    it('a watch fires once', () => {
      const connection = script.join();
      const created = script.create(connection, '/a');
      script.watch(connection, '/a', created, freshStat(created));
      const deleted = script.commit({ type: OpCode.delete, path: '/a' });
      script.event(connection, EventType.nodeDeleted, '/a', deleted);
      script.event(connection, EventType.nodeDeleted, '/a', deleted);
    });
    it('setWatches tells of nothing that has not happened', () => {
      const first = script.join();
      const created = script.create(first, '/a');
      script.watch(first, '/a', created, freshStat(created));
      const second = script.join({ again: true });
      setDataWatch(second, created);
      script.event(second, EventType.nodeDataChanged, '/a', created);
      script.reply(second, Xid.setWatches, created);
    });
    afterEachExpect(() => script, 'WatchNoPhantom');
  });

  describe('WatchExactlyOnce', () => {
    it('a client sets its watches again', () => {
      const first = script.join();
      const created = script.create(first, '/a');
      script.watch(first, '/a', created, freshStat(created));
      script.send(script.join({ again: true }), { type: OpCode.sync, path: '/' });
    });
    it('what has happened meanwhile is told by setWatches', () => {
      const first = script.join();
      const created = script.create(first, '/a');
      script.watch(first, '/a', created, freshStat(created));
      const deleted = script.commit({ type: OpCode.delete, path: '/a' });
      const second = script.join({ again: true });
      setDataWatch(second, created);
      script.reply(second, Xid.setWatches, deleted);
    });
    afterEachExpect(() => script, 'WatchExactlyOnce');
  });

  function setDataWatch(connection: ReturnType<ClientScript['join']>, since: Zxid): void {
    const request = { type: OpCode.setWatches, relativeZxid: since, dataWatches: ['/a'], existWatches: [], childWatches: [] } as const;
    script.send(connection, request, Xid.setWatches);
  }
});

function afterEachExpect(script: () => ClientScript, property: string): void {
  afterEach(() => expect(script().property).toBe(property));
}
