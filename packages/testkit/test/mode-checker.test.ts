import { CreateMode, ErrorCode, encodeUtf8, OPEN_ACL_UNSAFE, OpCode, type Request, type Txn, type Zxid } from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import { describe, expect, it } from 'vitest';
import type { WireConnection } from '../src/check/client-history.ts';
import { ClientScript, createRequest, createTxn, freshStat } from './support/client-script.ts';

const SESSION = 0x1234n;
const NOWHERE = 0 as Zxid;
const END: Request = { type: OpCode.closeSession };

describe('local sessions', () => {
  /** A server begins, and gives a client a session of which no txn tells. */
  function joined(): { readonly script: ClientScript; readonly client: WireConnection } {
    const script = new ClientScript({ localSessions: true, enforcesQuotas: false });
    script.checker.onBegun(1);
    script.checker.onBegun(2);
    return { script, client: taken(script, 1, 0n) };
  }

  function taken(script: ClientScript, server: Sid, sessionId: bigint): WireConnection {
    const connection = script.dial(server, sessionId);
    script.answerHandshake(connection, 400, NOWHERE);
    script.connected(connection);
    return connection;
  }

  /** An ephemeral that the client asks for, and what is committed of it. */
  function ephemeral(script: ClientScript, client: WireConnection, txn: Txn): void {
    script.commit(txn, script.send(client, createRequest('/a', CreateMode.EPHEMERAL)));
  }

  it('are known to their server, which says so by its own word, and to no other', () => {
    const { script, client } = joined();
    script.create(client, '/a');
    taken(script, 1, SESSION);
    script.answerHandshake(script.dial(2, SESSION), 0, NOWHERE);
    const again = taken(script, 1, SESSION);
    script.reply(again, script.send(again, END), script.last);
    script.answerHandshake(script.dial(1, SESSION), 0, script.last);
    expect(script.verdict.violation).toBeUndefined();
  });

  it('are taken by no other server', () => {
    const { script } = joined();
    taken(script, 2, SESSION);
    expect(script.property).toBe('LocalSession');
  });

  it('end with the life of their server', () => {
    const { script } = joined();
    script.checker.onBegun(1);
    taken(script, 1, SESSION);
    expect(script.property).toBe('LocalSession');
  });

  it('do not come back when they have ended', () => {
    const { script, client } = joined();
    script.create(client, '/a');
    script.reply(client, script.send(client, END), script.last);
    taken(script, 1, SESSION);
    expect(script.property).toBe('LocalSession');
  });

  it('own nothing', () => {
    const { script, client } = joined();
    ephemeral(script, client, { type: OpCode.error, err: ErrorCode.EPHEMERAL_ON_LOCAL_SESSION });
    expect(script.verdict.violation).toBeUndefined();
    ephemeral(script, client, createTxn('/a', 1, true));
    expect(script.property).toBe('RequestModel');
  });

  it('own something once they are the ensemble’s, and are known everywhere then', () => {
    const { script, client } = joined();
    script.commit({ type: OpCode.createSession, timeOut: 400 });
    ephemeral(script, client, createTxn('/a', 1, true));
    taken(script, 2, SESSION);
    expect(script.verdict.violation).toBeUndefined();
    script.answerHandshake(script.dial(1, SESSION), 0, script.last);
    expect(script.property).toBe('ExpiredOnlyWhenClosed');
  });
});

describe('a server that only reads', () => {
  function readOnly(script: ClientScript, sessionId: bigint): WireConnection {
    const connection = script.dial(2, sessionId, { readOnly: true });
    script.answerHandshake(connection, 400, script.last, true);
    script.connected(connection, true);
    return connection;
  }

  it('refuses what it cannot do, and leaves sessions alone', () => {
    const script = new ClientScript();
    const client = script.join();
    const created = script.create(client, '/a');
    const late = script.send(client, createRequest('/b'));
    const reader = readOnly(script, SESSION);
    for (const request of [createRequest('/c'), { type: OpCode.sync, path: '/' } as const, END])
      script.reply(reader, script.send(reader, request), created, { err: ErrorCode.NOT_READ_ONLY });
    const read = script.send(reader, { type: OpCode.exists, path: '/a', watch: false });
    script.reply(reader, read, created, { response: { type: OpCode.exists, stat: freshStat(created) } });
    // What was under way elsewhere may be done yet.
    script.commit(createTxn('/b', 2), late);
    expect(script.verdict.violation).toBeUndefined();
  });

  it('takes nobody who does not put up with it', () => {
    const script = new ClientScript();
    script.answerHandshake(script.dial(2, 0n), 400, NOWHERE, true);
    expect(script.property).toBe('ReadOnly');
  });

  it.each([
    ['a write', createRequest('/b')],
    ['a sync', { type: OpCode.sync, path: '/' } as const],
    ['the end of a session of the ensemble', END],
  ])('does not answer %s', (_name, request) => {
    const script = new ClientScript();
    const created = script.create(script.join(), '/a');
    const reader = readOnly(script, SESSION);
    script.reply(reader, script.send(reader, request), created);
    expect(script.property).toBe('ReadOnly');
  });

  it('has nothing done', () => {
    const script = new ClientScript();
    script.join();
    const reader = readOnly(script, SESSION);
    script.ask(reader, createRequest('/b'), createTxn('/b', 1));
    expect(script.property).toBe('ReadOnly');
  });

  it('is not asked by a server that is led whether its own sessions live', () => {
    const script = new ClientScript();
    script.checker.onBegun(1);
    script.checker.onBegun(2);
    script.commit({ type: OpCode.error, err: ErrorCode.OK }, 0, 0n);
    const reader = readOnly(script, 0n);
    script.reply(reader, script.send(reader, END), script.last);
    script.answerHandshake(script.dial(1, SESSION), 0, script.last);
    expect(script.verdict.violation).toBeUndefined();
    script.answerHandshake(script.dial(1, SESSION), 400, script.last);
    expect(script.property).toBe('LocalSession');
  });
});

describe('quotas', () => {
  const LIMITS = 'count=1,bytes=-1=;byteHardLimit=4;countHardLimit=2';

  /** `/d` with a quota and one child of three bytes, which is all that its byte limit leaves room for. */
  function scene(enforcesQuotas = true): { readonly script: ClientScript; readonly client: WireConnection } {
    const script = new ClientScript({ localSessions: false, enforcesQuotas });
    const client = script.join();
    const commit = (path: string, parentCVersion: number, data: Uint8Array | null): void =>
      void script.commit({ type: OpCode.create, path, data, acl: OPEN_ACL_UNSAFE, ephemeral: false, parentCVersion });
    commit('/zookeeper/quota/d', 1, null);
    commit('/zookeeper/quota/d/zookeeper_limits', 1, encodeUtf8(LIMITS));
    commit('/zookeeper/quota/d/zookeeper_stats', 2, null);
    commit('/d', 1, null);
    commit('/d/a', 1, encodeUtf8('abc'));
    return { script, client };
  }

  function shows(text: string): string | undefined {
    const { script, client } = scene();
    const path = '/zookeeper/quota/d/zookeeper_stats';
    const created = script.witness.committed[4]?.zxid as Zxid;
    const data = encodeUtf8(text);
    const stat = { ...freshStat(created), ctime: 1000, mtime: 1000, dataLength: data.length };
    script.reply(client, script.send(client, { type: OpCode.getData, path, watch: false }), script.last, {
      response: { type: OpCode.getData, data, stat },
    });
    return script.property;
  }

  const create: Request = { ...createRequest('/d/b') };
  const setData = (text: string): Request => ({ type: OpCode.setData, path: '/d/a', data: encodeUtf8(text), version: -1 });
  const changed = (text: string): Txn => ({ type: OpCode.setData, path: '/d/a', data: encodeUtf8(text), version: 1 });
  const exceeded: Txn = { type: OpCode.error, err: ErrorCode.QUOTA_EXCEEDED };

  it('have stats that say what there is', () => {
    expect(shows('count=2,bytes=3')).toBeUndefined();
    expect(shows('count=1,bytes=3')).toBe('SequentialRead');
    expect(shows('count=2,bytes=4')).toBe('SequentialRead');
  });

  it.each<[string, boolean, Request, Txn, string | undefined]>([
    ['refuse one more znode than there may be', true, create, exceeded, undefined],
    ['do not let it pass', true, create, createTxn('/d/b', 2), 'RequestModel'],
    ['let it pass where they are not kept', false, create, createTxn('/d/b', 2), undefined],
    ['refuse nothing there', false, create, exceeded, 'RequestModel'],
    ['bear as much as they say', true, setData('abcd'), changed('abcd'), undefined],
    ['do not bear more', true, setData('abcde'), changed('abcde'), 'RequestModel'],
    ['refuse that', true, setData('abcde'), exceeded, undefined],
    ['say nothing of what is elsewhere', true, createRequest('/e'), createTxn('/e', 2), undefined],
  ])('%s', (_name, enforced, request, txn, property) => {
    const { script, client } = scene(enforced);
    script.ask(client, request, txn);
    expect(script.property).toBe(property);
  });

  it('count what the operations of a multi have changed before', () => {
    const { script, client } = scene();
    const ops = [{ type: OpCode.delete, path: '/d/a', version: -1 } as const, createRequest('/d/b'), createRequest('/d/c')];
    const codes = [ErrorCode.OK, ErrorCode.OK, ErrorCode.QUOTA_EXCEEDED];
    script.ask(client, { type: OpCode.multi, ops }, { type: OpCode.multi, txns: codes.map((err) => ({ type: OpCode.error, err })) });
    expect(script.verdict.violation).toBeUndefined();
  });
});
