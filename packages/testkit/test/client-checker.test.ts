import {
  AddWatchMode,
  CreateMode,
  type CreateTtlTxn,
  type DeleteRequest,
  ErrorCode,
  EventType,
  makeZxid,
  OPEN_ACL_UNSAFE,
  OpCode,
  type Request,
  type SetDataRequest,
  type Txn,
  WatcherType,
  Xid,
  type Zxid,
} from '@quorate/protocol';
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

  it('let containers and znodes with a TTL go when their time has come', () => {
    script.commit(containerTxn('/c', 1));
    script.commit(createTxn('/c/x', 1));
    script.commit({ type: OpCode.delete, path: '/c/x' });
    script.commit({ type: OpCode.deleteContainer, path: '/c' });
    expect(script.verdict.violation).toBeUndefined();
  });

  it('say nothing of what need not come about', () => {
    const first = script.join();
    script.send(first, { type: OpCode.sync, path: '/' });
    script.checker.onLost(first);
    script.checker.calm.begin([{ sid: 1, connections: [first], watchCount: 0, lastZxid: script.last }]);
    script.checker.onHeard(first);
    script.checker.checkAnswered([{ sid: 1, connections: [first], watchCount: 1, lastZxid: script.last }]);
    script.checker.calm.checkExpired();
    expect(script.verdict.violation).toBeUndefined();
  });

  it('let a request be refused that comes behind the end of its session, from where that was before', () => {
    const first = script.join();
    const late = script.send(first, createRequest('/a'));
    const second = script.join({ server: 2, again: true });
    script.ask(second, { type: OpCode.closeSession }, { type: OpCode.closeSession, paths: [] });
    script.commit({ type: OpCode.error, err: ErrorCode.SESSION_EXPIRED }, late);
    expect(script.verdict.violation).toBeUndefined();
  });

  it('let a session end when its time is over', () => {
    const connection = script.join({ server: 1 });
    script.nowMs = 900;
    script.checker.onHeard(connection);
    script.nowMs = 1300;
    script.expire();
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
      ['what goes by itself is a container or has a TTL', () => ({ type: OpCode.deleteContainer, path: '/zookeeper/quota' }) as const],
      ['versions have no holes', () => ({ type: OpCode.setData, path: '/', data: null, version: 7 }) as const],
      ['a session that ends takes nothing but its ephemerals', () => ({ type: OpCode.closeSession, paths: ['/zookeeper/quota'] }) as const],
    ])('%s', (_rule, txn) => {
      script.commit(txn());
    });
    it('a container that has never had a child stays', () => {
      script.commit(containerTxn('/c', 1));
      script.commit({ type: OpCode.deleteContainer, path: '/c' });
    });
    it('a container that has a child stays', () => {
      script.commit(containerTxn('/c', 1));
      script.commit(createTxn('/c/x', 1));
      script.commit({ type: OpCode.deleteContainer, path: '/c' });
    });
    it('a znode stays as long as its TTL says', () => {
      script.commit(ttlTxn('/t', 1));
      script.commit({ type: OpCode.deleteContainer, path: '/t' });
    });
    afterEachExpect(() => script, 'TreeModel');
  });

  describe('NoEarlyExpiry', () => {
    it('a session gets its time from the moment at which its leader heard it', () => {
      const connection = script.join({ server: 1 });
      script.nowMs = 900;
      script.checker.onHeard(connection);
      script.nowMs = 1200;
      script.expire();
    });
    it('a session gets its time from the moment at which its leader was told that another server had heard it', () => {
      script.join({ server: 2 });
      script.nowMs = 900;
      script.checker.onToldOf(1, Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0, 0, 1, 0x90));
      script.nowMs = 1200;
      script.expire();
    });
    it('a session gets its time from its beginning', () => {
      script.nowMs = 900;
      script.join({ server: 2 });
      script.nowMs = 1200;
      script.expire();
    });
    it('the time in which a leader stood still is not charged to sessions', () => {
      script.join({ server: 2 });
      script.nowMs = 900;
      script.checker.onStalled(1);
      script.expire();
    });
    afterEachExpect(() => script, 'NoEarlyExpiry');
  });

  describe('RequestModel', () => {
    const ok = refused(ErrorCode.OK);
    const untried = refused(ErrorCode.RUNTIME_INCONSISTENCY);
    const acl = OPEN_ACL_UNSAFE;
    it.each<[rule: string, request: Request, right: Txn, wrong: Txn]>([
      ['what can be done is not refused', createRequest('/b'), createTxn('/b', 4), refused(ErrorCode.NODE_EXISTS)],
      ['create asks for the parent before the path', createRequest('/b/'), refused(ErrorCode.NO_NODE), refused(ErrorCode.BAD_ARGUMENTS)],
      ['a path does not end with a slash', createRequest('/a/'), refused(ErrorCode.BAD_ARGUMENTS), createTxn('/a/', 2)],
      ['create makes no znode twice', createRequest('/a'), refused(ErrorCode.NODE_EXISTS), createTxn('/a', 4)],
      ['an ephemeral has no children', createRequest('/e/c'), refused(ErrorCode.NO_CHILDREN_FOR_EPHEMERALS), createTxn('/e/c', 1)],
      ['an ACL is not empty', createRequest('/b/c', 0, []), refused(ErrorCode.INVALID_ACL), refused(ErrorCode.NO_NODE)],
      ['a znode gets the ACL that was asked for', createRequest('/b'), createTxn('/b', 4), { ...createTxn('/b', 4), acl: [] } as Txn],
      ['an ephemeral is one', createRequest('/b', CreateMode.EPHEMERAL), createTxn('/b', 4, true), createTxn('/b', 4)],
      [
        'a number is how many children there ever were',
        createRequest('/a/s-', CreateMode.PERSISTENT_SEQUENTIAL),
        createTxn('/a/s-0000000001', 2),
        createTxn('/a/s-0000000000', 2),
      ],
      ['a container is one', { ...createRequest('/b', 4), type: OpCode.createContainer }, containerTxn('/b', 4), containerTxn('/b', 5)],
      [
        'a TTL is as long as was asked for',
        { type: OpCode.createTTL, path: '/b', data: null, acl, flags: CreateMode.PERSISTENT_WITH_TTL, ttl: 50 },
        ttlTxn('/b', 4),
        { ...ttlTxn('/b', 4), ttl: 51 },
      ],
      ['delete asks for the version', deletion('/a', 7), refused(ErrorCode.BAD_VERSION), { type: OpCode.delete, path: '/a' }],
      ['delete needs a znode', deletion('/b', 7), refused(ErrorCode.NO_NODE), refused(ErrorCode.BAD_VERSION)],
      ['delete leaves what has children', deletion('/p', 0), refused(ErrorCode.NOT_EMPTY), refused(ErrorCode.BAD_VERSION)],
      ['delete leaves what is built in', deletion('/zookeeper', 7), refused(ErrorCode.BAD_ARGUMENTS), refused(ErrorCode.BAD_VERSION)],
      ['setData asks for the version', change('/a', 7), refused(ErrorCode.BAD_VERSION), changed('/a', 1)],
      ['setData writes what was sent', change('/a', -1), changed('/a', 1), { ...changed('/a', 1), data: Uint8Array.of(1) } as Txn],
      [
        'setACL asks for the aversion',
        { type: OpCode.setACL, path: '/a', acl, version: 1 },
        refused(ErrorCode.BAD_VERSION),
        refused(ErrorCode.NO_NODE),
      ],
      [
        'setACL raises the aversion',
        { type: OpCode.setACL, path: '/a', acl, version: 0 },
        { type: OpCode.setACL, path: '/a', acl, version: 1 },
        refused(ErrorCode.NO_NODE),
      ],
      [
        'a multi of which one operation fails does nothing',
        { type: OpCode.multi, ops: [change('/a', 0), deletion('/b', -1), deletion('/a', -1)] },
        { type: OpCode.multi, txns: [ok, refused(ErrorCode.NO_NODE), untried] },
        { type: OpCode.multi, txns: [changed('/a', 1), refused(ErrorCode.NO_NODE), untried] },
      ],
      [
        'each operation of a multi sees those before it',
        { type: OpCode.multi, ops: [change('/a', 0), deletion('/a', 1), createRequest('/a')] },
        { type: OpCode.multi, txns: [changed('/a', 1), { type: OpCode.delete, path: '/a' }, createTxn('/a', 4)] },
        { type: OpCode.multi, txns: [ok, refused(ErrorCode.BAD_VERSION), untried] },
      ],
    ])('%s', (_rule, request, right, wrong) => {
      const good = prepared(new ClientScript());
      good.script.ask(good.connection, request, right);
      expect(good.script.verdict.violation).toBeUndefined();
      const bad = prepared(script);
      script.ask(bad.connection, request, wrong);
    });
    it('what comes behind the end of its session is refused', () => {
      const connection = script.join();
      const xid = script.send(connection, createRequest('/zookeeper'));
      script.commit({ type: OpCode.closeSession, paths: [] });
      script.commit(refused(ErrorCode.NODE_EXISTS), xid);
    });
    it('what comes before the end of its session is not refused because of it', () => {
      script.ask(script.join(), createRequest('/a'), refused(ErrorCode.SESSION_EXPIRED));
    });
    afterEachExpect(() => script, 'RequestModel');

    /** /a, which has had a child, the ephemeral /e, and /p, which has a child. */
    function prepared(script: ClientScript): { readonly script: ClientScript; readonly connection: ReturnType<ClientScript['join']> } {
      const connection = script.join();
      script.ask(connection, createRequest('/a'), createTxn('/a', 1));
      script.ask(connection, createRequest('/a/c'), createTxn('/a/c', 1));
      script.ask(connection, deletion('/a/c', -1), { type: OpCode.delete, path: '/a/c' });
      script.ask(connection, createRequest('/e', CreateMode.EPHEMERAL), createTxn('/e', 2, true));
      script.ask(connection, createRequest('/p'), createTxn('/p', 3));
      script.ask(connection, createRequest('/p/c'), createTxn('/p/c', 1));
      return { script, connection };
    }
  });

  describe('Answered', () => {
    it('a request is answered while all is well', () => {
      const connection = script.join();
      script.send(connection, { type: OpCode.sync, path: '/' });
      script.checker.calm.begin([{ sid: 1, connections: [connection], watchCount: 0, lastZxid: script.last }]);
      script.checker.checkAnswered([]);
    });
    afterEachExpect(() => script, 'Answered');
  });

  describe('Expiry', () => {
    it('a session whose client is silent ends', () => {
      script.checker.onHeard(script.join());
      script.checker.calm.begin([]);
      script.checker.calm.checkExpired();
    });
    afterEachExpect(() => script, 'Expiry');
  });

  describe('WatchLeak', () => {
    it('a server keeps no watch of which no client knows', () => {
      const connection = script.join();
      const created = script.create(connection, '/a');
      script.watch(connection, '/a', created, freshStat(created));
      script.checker.checkAnswered([{ sid: 1, connections: [connection], watchCount: 1, lastZxid: script.last }]);
      expect(script.property).toBeUndefined();
      script.checker.checkAnswered([{ sid: 1, connections: [connection], watchCount: 2, lastZxid: script.last }]);
    });
    afterEachExpect(() => script, 'WatchLeak');
  });

  describe('ExpiredOnlyWhenClosed', () => {
    it('a client is told of the end of its session when that is committed', () => {
      script.join();
      script.answerHandshake(script.dial(2, 0x1234n), 0, makeZxid(1, 1));
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
    it('a server that is behind what a client has seen does not take it', () => {
      const created = script.create(script.join(), '/a');
      script.answerHandshake(script.dial(2, 0x1234n, { lastZxidSeen: created }), 400, makeZxid(1, 1));
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

  describe('watches that stay', () => {
    const persistent = AddWatchMode.persistent;
    const recursive = AddWatchMode.persistentRecursive;
    let connection: ReturnType<ClientScript['join']>;
    let created: Zxid;
    beforeEach(() => {
      connection = script.join();
      created = script.create(connection, '/a');
    });
    const setData = (version: number): Zxid => script.commit(changed('/a', version));

    it('are told of each change once, in order, whatever of them it matches', () => {
      script.watch(connection, '/a', created, freshStat(created));
      for (const mode of [persistent, recursive]) script.addWatch(connection, '/a', mode, created);
      script.addWatch(connection, '/', recursive, created);
      const first = setData(1);
      const second = script.commit({
        type: OpCode.multi,
        txns: [changed('/a', 2), createTxn('/a/b', 1), { type: OpCode.delete, path: '/a/b' }],
      });
      script.event(connection, EventType.nodeDataChanged, '/a', first);
      script.event(connection, EventType.nodeDataChanged, '/a', second);
      script.event(connection, EventType.nodeCreated, '/a/b', second);
      script.event(connection, EventType.nodeChildrenChanged, '/a', second);
      script.event(connection, EventType.nodeDeleted, '/a/b', second);
      script.event(connection, EventType.nodeChildrenChanged, '/a', second);
      script.show(connection, second);
      script.checker.checkAnswered([{ sid: 1, connections: [connection], watchCount: 3, lastZxid: script.last }]);
      expect(script.verdict.violation).toBeUndefined();
    });
    it('are armed again on the next connection, and told nothing of what was between', () => {
      script.addWatch(connection, '/a', persistent, created);
      script.addWatch(connection, '/', recursive, created);
      script.checker.onLost(connection);
      const missed = setData(1);
      const second = script.join({ again: true });
      setAgain(second, created, ['/a'], ['/']);
      script.reply(second, Xid.setWatches, missed);
      script.event(second, EventType.nodeDataChanged, '/a', setData(2));
      expect(script.verdict.violation).toBeUndefined();
    });
    it('that were taken back are told nothing more', () => {
      script.addWatch(connection, '/a', persistent, created);
      script.watcher(connection, OpCode.checkWatches, '/a', WatcherType.persistent, created);
      script.watcher(connection, OpCode.removeWatches, '/a', WatcherType.any, created);
      script.watcher(connection, OpCode.removeWatches, '/a', WatcherType.any, created, ErrorCode.NO_WATCHER);
      script.show(connection, setData(1));
      expect(script.verdict.violation).toBeUndefined();
    });
    it('that are being taken back when the connection ends may be set again or not', () => {
      for (const named of [[], ['/a']]) {
        const one = new ClientScript();
        const first = one.join();
        const zxid = one.create(first, '/a');
        one.addWatch(first, '/a', persistent, zxid);
        one.send(first, { type: OpCode.removeWatches, path: '/a', watcherType: WatcherType.persistent });
        one.checker.onLost(first);
        const second = one.join({ again: true });
        if (named.length > 0) {
          one.send(second, { type: OpCode.setWatches2, relativeZxid: zxid, ...NONE, persistentWatches: named }, Xid.setWatches);
          one.reply(second, Xid.setWatches, zxid);
        }
        const next = one.commit(changed('/a', 1));
        if (named.length > 0) one.event(second, EventType.nodeDataChanged, '/a', next);
        one.show(second, next);
        expect(one.verdict.violation).toBeUndefined();
      }
    });

    describe('WatchOrder', () => {
      it('a watch that stays is told before what shows the change', () => {
        script.addWatch(connection, '/', recursive, created);
        script.show(connection, setData(1));
      });
      it('a watch that stays is told again', () => {
        script.addWatch(connection, '/a', persistent, created);
        script.event(connection, EventType.nodeDataChanged, '/a', setData(1));
        script.show(connection, setData(2));
      });
      it('a watch that stays is told in the order of the changes', () => {
        script.addWatch(connection, '/a', persistent, created);
        setData(1);
        script.event(connection, EventType.nodeDataChanged, '/a', setData(2));
      });
      it('a persistent watch is told of children', () => {
        script.addWatch(connection, '/a', persistent, created);
        script.show(connection, script.commit(createTxn('/a/b', 1)));
      });
      it('a watch that stays is armed again by the answer', () => {
        script.addWatch(connection, '/a', persistent, created);
        const second = script.join({ again: true });
        setAgain(second, created, ['/a'], []);
        script.reply(second, Xid.setWatches, created);
        script.show(second, setData(1));
      });
      afterEachExpect(() => script, 'WatchOrder');
    });

    describe('WatchNoPhantom', () => {
      it('an event comes once for all watches that it matches', () => {
        for (const mode of [persistent, recursive]) script.addWatch(connection, '/a', mode, created);
        const zxid = setData(1);
        script.event(connection, EventType.nodeDataChanged, '/a', zxid);
        script.event(connection, EventType.nodeDataChanged, '/a', zxid);
      });
      it('a recursive watch is told nothing of children', () => {
        script.addWatch(connection, '/a', recursive, created);
        const zxid = script.commit(createTxn('/a/b', 1));
        script.event(connection, EventType.nodeCreated, '/a/b', zxid);
        script.event(connection, EventType.nodeChildrenChanged, '/a', zxid);
      });
      it('a persistent watch is told of its own path alone', () => {
        script.addWatch(connection, '/', persistent, created);
        script.event(connection, EventType.nodeDataChanged, '/a', setData(1));
      });
      it('a watch that stays is told nothing of what was before it', () => {
        const zxid = setData(1);
        script.addWatch(connection, '/a', persistent, zxid);
        script.event(connection, EventType.nodeDataChanged, '/a', zxid);
      });
      it('a watch that stays is told nothing of what was between two connections', () => {
        script.addWatch(connection, '/a', persistent, created);
        const missed = setData(1);
        const second = script.join({ again: true });
        setAgain(second, created, ['/a'], []);
        script.event(second, EventType.nodeDataChanged, '/a', missed);
        script.reply(second, Xid.setWatches, missed);
      });
      it('a watch that was taken back is told nothing', () => {
        script.addWatch(connection, '/a', persistent, created);
        script.watcher(connection, OpCode.removeWatches, '/a', WatcherType.persistent, created);
        script.event(connection, EventType.nodeDataChanged, '/a', setData(1));
      });
      afterEachExpect(() => script, 'WatchNoPhantom');
    });

    describe('WatchExactlyOnce', () => {
      it.each([persistent, recursive])('a client sets its watches that stay again, mode %d', (mode) => {
        script.addWatch(connection, '/a', mode, created);
        const second = script.join({ again: true });
        setAgain(second, created, mode === persistent ? [] : ['/a'], mode === persistent ? ['/a'] : []);
        script.reply(second, Xid.setWatches, created);
      });
      afterEachExpect(() => script, 'WatchExactlyOnce');
    });

    describe('WatchRequest', () => {
      it('a watch is set wherever it is asked for', () => {
        const xid = script.send(connection, { type: OpCode.addWatch, path: '/none', mode: persistent });
        script.reply(connection, xid, created, { err: ErrorCode.NO_NODE });
      });
      it('what is set can be taken back', () => {
        script.addWatch(connection, '/a', recursive, created);
        script.watcher(connection, OpCode.removeWatches, '/a', WatcherType.persistentRecursive, created, ErrorCode.NO_WATCHER);
      });
      it('what is not set cannot', () => {
        script.addWatch(connection, '/a', persistent, created);
        script.watcher(connection, OpCode.removeWatches, '/a', WatcherType.data, created);
      });
      it('what is asked for is there', () => {
        script.watch(connection, '/a', created, freshStat(created));
        script.watcher(connection, OpCode.checkWatches, '/a', WatcherType.data, created, ErrorCode.NO_WATCHER);
      });
      afterEachExpect(() => script, 'WatchRequest');
    });

    function setAgain(on: typeof connection, since: Zxid, persistentWatches: string[], persistentRecursiveWatches: string[]): void {
      const request = { type: OpCode.setWatches2, relativeZxid: since, ...NONE, persistentWatches, persistentRecursiveWatches } as const;
      script.send(on, request, Xid.setWatches);
    }
  });

  function setDataWatch(connection: ReturnType<ClientScript['join']>, since: Zxid): void {
    const request = { type: OpCode.setWatches, relativeZxid: since, dataWatches: ['/a'], existWatches: [], childWatches: [] } as const;
    script.send(connection, request, Xid.setWatches);
  }
});

const NONE = { dataWatches: [], existWatches: [], childWatches: [], persistentWatches: [], persistentRecursiveWatches: [] };

function refused(err: number): Txn {
  return { type: OpCode.error, err };
}

function deletion(path: string, version: number): DeleteRequest {
  return { type: OpCode.delete, path, version };
}

function change(path: string, version: number): SetDataRequest {
  return { type: OpCode.setData, path, data: null, version };
}

function changed(path: string, version: number): Txn {
  return { type: OpCode.setData, path, data: null, version };
}

function afterEachExpect(script: () => ClientScript, property: string): void {
  afterEach(() => expect(script().property).toBe(property));
}

function containerTxn(path: string, parentCVersion: number): Txn {
  return { type: OpCode.createContainer, path, data: null, acl: OPEN_ACL_UNSAFE, parentCVersion };
}

function ttlTxn(path: string, parentCVersion: number): CreateTtlTxn {
  return { type: OpCode.createTTL, path, data: null, acl: OPEN_ACL_UNSAFE, parentCVersion, ttl: 50 };
}
