import {
  type Acl,
  AddWatchMode,
  CREATOR_ALL_ACL,
  CreateMode,
  ErrorCode,
  EventType,
  OPEN_ACL_UNSAFE,
  OpCode,
  Permission,
  type ReadResult,
  type Request,
  type Response,
  type Txn,
  WatcherType,
  Xid,
} from '@quorate/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WireConnection } from '../src/check/client-history.ts';
import { ANN, BOB } from '../src/check/identities.ts';
import { txnOf } from '../src/check/request-model.ts';
import type { ZnodeHistory } from '../src/check/znode-history.ts';
import { ClientScript, createRequest, createTxn, freshStat } from './support/client-script.ts';

const { READ, CREATE, ADMIN, ALL } = Permission;
const ANN_ALL: readonly Acl[] = [{ perms: ALL, id: { scheme: 'digest', id: ANN.id } }];
const ANN_ALL_OTHERS_READ: readonly Acl[] = [...ANN_ALL, { perms: READ, id: { scheme: 'world', id: 'anyone' } }];

/** Each property about who may do what, and about what goes by itself, is broken once by hand. */
describe('the checkers of access', () => {
  let script: ClientScript;
  let client: WireConnection;
  beforeEach(() => {
    script = new ClientScript();
    client = script.join();
  });

  /** `/a` with this ACL, made by nobody. */
  function restricted(acl: readonly Acl[]): void {
    script.commit({ ...createTxn('/a', 1), acl } as Txn);
  }

  function answer(request: Request, answered: { readonly err?: number; readonly response?: Response }): void {
    script.reply(client, script.send(client, request), script.last, answered);
  }

  function refuse(request: Request): void {
    const xid = script.send(client, request);
    script.reply(client, xid, script.commit({ type: OpCode.error, err: ErrorCode.NO_AUTH }, xid), { err: ErrorCode.NO_AUTH });
  }
  const watched = (path: string): void => script.addWatch(client, path, AddWatchMode.persistent, script.last);
  const setData = (): ReturnType<ClientScript['commit']> => script.commit({ type: OpCode.setData, path: '/a', data: null, version: 1 });
  const ask = (watcherType: number, err: number): void => script.watcher(client, OpCode.checkWatches, '/a', watcherType, script.last, err);

  describe('say nothing where', () => {
    it('whoever may not is refused, and whoever may is not', () => {
      restricted([...ANN_ALL, { perms: CREATE, id: { scheme: 'world', id: 'anyone' } }]);
      refuse({ type: OpCode.setData, path: '/a', data: null, version: -1 });
      refuse({ type: OpCode.setACL, path: '/a', acl: OPEN_ACL_UNSAFE, version: -1 });
      script.create(client, '/a/b');
      refuse({ type: OpCode.delete, path: '/a/b', version: -1 });
      answer({ type: OpCode.getData, path: '/a', watch: false }, { err: ErrorCode.NO_AUTH });
      script.prove(client, ANN);
      script.ask(
        client,
        { type: OpCode.setData, path: '/a', data: null, version: -1 },
        { type: OpCode.setData, path: '/a', data: null, version: 1 },
      );
      script.ask(client, createRequest('/mine', CreateMode.PERSISTENT, CREATOR_ALL_ACL), { ...createTxn('/mine', 2), acl: ANN_ALL } as Txn);
    });

    it('an event is withheld, and its watch is gone', () => {
      const created = script.create(client, '/a');
      script.watch(client, '/a', created, freshStat(created));
      script.commit({ type: OpCode.setACL, path: '/a', acl: ANN_ALL, version: 1 });
      ask(WatcherType.data, ErrorCode.OK);
      script.show(client, setData());
      ask(WatcherType.data, ErrorCode.NO_WATCHER);
    });

    it('the proof that decides is on its way, whether an event comes or not', () => {
      for (const comes of [true, false]) {
        script = new ClientScript();
        client = script.join();
        restricted(ANN_ALL);
        watched('/a');
        script.claim(client, ANN.auth);
        const changed = setData();
        if (comes) script.event(client, EventType.nodeDataChanged, '/a', changed);
        script.reply(client, Xid.auth, changed);
        expect(script.property).toBeUndefined();
      }
    });

    it('somebody takes a session over, and its client takes it back', () => {
      const stranger = script.dial(2, 0x1234n, { isForeign: true });
      script.answerHandshake(stranger, 400, script.last);
      script.connected(stranger);
      script.checker.onLost(stranger);
      script.join({ server: 1, again: true });
    });

    it('a session is refused to who does not know its password', () => {
      script.answerHandshake(script.dial(2, 0x1234n, { isForeign: true, passwd: new Uint8Array(16).fill(1) }), 0, script.last);
    });

    it('what was over has changed in time', () => {
      script.commit({ type: OpCode.createTTL, path: '/t', data: null, acl: OPEN_ACL_UNSAFE, parentCVersion: 1, ttl: 50 });
      script.commit({ type: OpCode.error, err: ErrorCode.NO_NODE }, 0, 0x1234n, 1051);
      script.checker.calm.begin([]);
      script.commit({ type: OpCode.setData, path: '/t', data: null, version: 1 });
      script.checker.calm.checkSwept();
    });
    afterEach(() => expect(script.property).toBeUndefined());
  });

  describe('RequestModel', () => {
    it('create asks for a permission of the parent', () => {
      restricted(ANN_ALL_OTHERS_READ);
      script.ask(client, createRequest('/a/b'), createTxn('/a/b', 1));
    });
    it('whoever has proved who it is is not refused', () => {
      restricted(ANN_ALL);
      script.prove(client, ANN);
      refuse({ type: OpCode.setData, path: '/a', data: null, version: -1 });
    });
    it('a proof does not hold for what was asked before it', () => {
      restricted(ANN_ALL);
      const xid = script.send(client, { type: OpCode.setData, path: '/a', data: null, version: -1 });
      script.claim(client, ANN.auth);
      script.commit({ type: OpCode.setData, path: '/a', data: null, version: 1 }, xid);
    });
    it('an ACL for its creator is for every identity that it has proved', () => {
      script.prove(client, ANN);
      script.prove(client, BOB);
      const request = createRequest('/a', CreateMode.PERSISTENT, CREATOR_ALL_ACL);
      script.ask(client, request, { ...createTxn('/a', 1), acl: ANN_ALL } as Txn);
    });
    it('an ACL for its creator is none where nothing was proved', () => {
      script.ask(client, createRequest('/a', CreateMode.PERSISTENT, CREATOR_ALL_ACL), { ...createTxn('/a', 1), acl: [] } as Txn);
    });
    it('a TTL is positive', () => {
      const request = { ...createRequest('/a', CreateMode.PERSISTENT_WITH_TTL), type: OpCode.createTTL, ttl: 0 } as const;
      script.ask(client, request, { type: OpCode.createTTL, path: '/a', data: null, acl: OPEN_ACL_UNSAFE, parentCVersion: 1, ttl: 0 });
    });
    it('a create that asks for a container makes one', () => {
      script.ask(client, createRequest('/a', CreateMode.CONTAINER), createTxn('/a', 1));
    });
    afterEach(() => expect(script.property).toBe('RequestModel'));
  });

  it('numbers of children go on behind 2^31 − 1, with a sign', () => {
    const numbered = (cversion: number): string => {
      const parent = { acl: OPEN_ACL_UNSAFE, cversion, childCount: 0, ephemeralOwner: 0n };
      const znodes = { at: (path: string) => (path === '/' ? parent : undefined) } as unknown as ZnodeHistory;
      const request = createRequest('/s-', CreateMode.PERSISTENT_SEQUENTIAL);
      return (
        txnOf(request, { znodes, before: 0, session: 1n, proved: [], isClosed: false, isLocal: false, enforcesQuotas: false }) as {
          readonly path: string;
        }
      ).path;
    };
    expect([7, 2_147_483_647, -2_147_483_648, -7].map(numbered)).toEqual([
      ...['/s-0000000007', '/s-2147483647', '/s--2147483648', '/s--000000007'],
    ]);
  });

  describe('SequentialRead', () => {
    const getData = { type: OpCode.getData, path: '/a', watch: false } as const;
    const shown = (): Response => ({ type: OpCode.getData, data: null, stat: freshStat(script.last) });
    it('what may not be read is not shown', () => {
      restricted(ANN_ALL);
      answer(getData, { response: shown() });
    });
    it('what may be read is shown', () => {
      restricted(ANN_ALL);
      script.prove(client, ANN);
      answer(getData, { err: ErrorCode.NO_AUTH });
    });
    it('digests are shown to those only who may change the ACL', () => {
      restricted(ANN_ALL_OTHERS_READ);
      answer(
        { type: OpCode.getACL, path: '/a' },
        { response: { type: OpCode.getACL, acl: ANN_ALL_OTHERS_READ, stat: freshStat(script.last) } },
      );
    });
    it('whoever may change the ACL sees all of it', () => {
      const acl: readonly Acl[] = [...ANN_ALL, { perms: ADMIN, id: { scheme: 'world', id: 'anyone' } }];
      restricted(acl);
      const masked = acl.map((entry) => (entry.id.scheme === 'digest' ? { ...entry, id: { scheme: 'digest', id: 'ann:x' } } : entry));
      answer({ type: OpCode.getACL, path: '/a' }, { response: { type: OpCode.getACL, acl: masked, stat: freshStat(script.last) } });
    });
    it('each read of a multiRead is refused by itself', () => {
      restricted(ANN_ALL);
      answer({ type: OpCode.multiRead, ops: [getData] }, { response: { type: OpCode.multiRead, results: [shown() as ReadResult] } });
    });
    it('a client is told who it is', () => {
      script.prove(client, ANN);
      answer({ type: OpCode.whoAmI }, { response: { type: OpCode.whoAmI, clientInfo: [{ scheme: 'digest', id: ANN.id }] } });
    });
    it('a client is told of its own ephemerals', () => {
      script.create(client, '/e', true);
      answer({ type: OpCode.getEphemerals, prefixPath: '/' }, { response: { type: OpCode.getEphemerals, ephemerals: [] } });
    });
    it('all znodes below are counted', () => {
      script.create(client, '/a');
      script.commit(createTxn('/a/b', 1));
      answer({ type: OpCode.getAllChildrenNumber, path: '/' }, { response: { type: OpCode.getAllChildrenNumber, totalNumber: 4 } });
    });
    afterEach(() => expect(script.property).toBe('SequentialRead'));
  });

  describe('WatchAcl', () => {
    it('nobody is told of what it may not read', () => {
      restricted(ANN_ALL);
      watched('/a');
      script.event(client, EventType.nodeDataChanged, '/a', setData());
    });
    it('of children is told who may read the parent, whatever the child', () => {
      restricted(ANN_ALL);
      watched('/a');
      script.event(client, EventType.nodeChildrenChanged, '/a', script.commit(createTxn('/a/b', 1)));
    });
    it('what a watch has fired of may not have been readable then', () => {
      const created = script.create(client, '/a');
      script.watch(client, '/a', created, freshStat(created));
      script.commit({ type: OpCode.setACL, path: '/a', acl: ANN_ALL, version: 1 });
      script.event(client, EventType.nodeDeleted, '/a', script.commit({ type: OpCode.delete, path: '/a' }));
    });
    afterEach(() => expect(script.property).toBe('WatchAcl'));
  });

  it('WatchOrder: whoever may read is told', () => {
    restricted(ANN_ALL);
    script.prove(client, ANN);
    watched('/a');
    script.show(client, setData());
    expect(script.property).toBe('WatchOrder');
  });

  it('WatchNoPhantom: setWatches tells nothing of what may not be read', () => {
    const created = script.create(client, '/a');
    script.watch(client, '/a', created, freshStat(created));
    script.checker.onLost(client);
    script.commit({ type: OpCode.setACL, path: '/a', acl: ANN_ALL, version: 1 });
    const changed = setData();
    client = script.join({ server: 2, again: true });
    const request = { type: OpCode.setWatches, relativeZxid: created, dataWatches: ['/a'], existWatches: [], childWatches: [] } as const;
    script.send(client, request, Xid.setWatches);
    script.event(client, EventType.nodeDataChanged, '/a', changed);
    script.reply(client, Xid.setWatches, changed);
    expect(script.property).toBe('WatchNoPhantom');
  });

  it('WatchRequest: a watch that has fired without a word is not there', () => {
    restricted(ANN_ALL_OTHERS_READ);
    answer({ type: OpCode.exists, path: '/a', watch: true }, { response: { type: OpCode.exists, stat: freshStat(script.last) } });
    script.commit({ type: OpCode.setACL, path: '/a', acl: ANN_ALL, version: 1 });
    script.show(client, setData());
    ask(WatcherType.data, ErrorCode.OK);
    expect(script.property).toBe('WatchRequest');
  });

  it('AuthRequest: a proof by a scheme that nobody knows is refused', () => {
    script.claim(client, new Uint8Array(0), 'nobody');
    script.reply(client, Xid.auth, script.last);
    expect(script.property).toBe('AuthRequest');
  });

  it('Password: a session is for who knows its password', () => {
    script.answerHandshake(script.dial(2, 0x1234n, { passwd: new Uint8Array(16).fill(1) }), 400, script.last);
    expect(script.property).toBe('Password');
  });

  it('SessionExclusivity: nothing comes of what was asked before somebody took the session over', () => {
    const xid = script.send(client, createRequest('/a'));
    script.connected(script.dial(2, 0x1234n, { isForeign: true }));
    script.commit(createTxn('/a', 1), xid);
    expect(script.property).toBe('SessionExclusivity');
  });

  it('SessionExclusivity: the connection on which a session was is closed when somebody has taken it over', () => {
    script.checker.calm.begin([{ sid: 1, connections: [client], watchCount: 0, lastZxid: script.last }]);
    script.checker.calm.beginTakeover();
    script.connected(script.dial(2, 0x1234n, { isForeign: true }));
    script.checker.calm.noteTaken();
    expect(script.property).toBeUndefined();
    script.checker.calm.checkTaken();
    expect(script.property).toBe('SessionExclusivity');
  });

  it('Undisturbed: no connection ends while all is well', () => {
    script.checker.calm.begin([{ sid: 1, connections: [client], watchCount: 0, lastZxid: script.last }]);
    script.checker.onLost(client);
    script.checker.checkAnswered([]);
    expect(script.property).toBe('Undisturbed');
  });

  it('Timeliness: who serves has what was committed some time ago', () => {
    const before = script.last;
    script.create(client, '/a');
    script.checker.calm.begin([]);
    script.checker.checkAnswered([{ sid: 1, connections: [], watchCount: 0, lastZxid: before }]);
    expect(script.property).toBe('Timeliness');
  });

  it('Sweep: a container without children goes', () => {
    script.commit({ type: OpCode.createContainer, path: '/c', data: null, acl: OPEN_ACL_UNSAFE, parentCVersion: 1 });
    script.commit(createTxn('/c/x', 1));
    script.commit({ type: OpCode.delete, path: '/c/x' });
    script.checker.calm.begin([]);
    script.checker.calm.checkSwept();
    expect(script.property).toBe('Sweep');
  });
});
