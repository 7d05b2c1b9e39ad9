import { type Acl, OpCode, type Request, type Response } from '@quorate/protocol';
import { describe, expect, it } from 'vitest';
import type { RecordedClient } from './support/recorded-client.ts';
import { TestEnsemble } from './support/test-ensemble.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const SECRET: readonly Acl[] = [{ perms: 31, id: { scheme: 'digest', id: 'alice:hash' } }];

/** One server, and a client that has made `paths`. */
function withZnodes(paths: Record<string, { flags?: number; acl?: readonly Acl[]; data?: string }>) {
  const ensemble = new TestEnsemble(1).ready();
  const client = ensemble.client(ensemble.leader);
  for (const [path, options] of Object.entries(paths)) client.create(path, options);
  ensemble.settle();
  const ask = (request: Request, by: RecordedClient = client): string | Response | undefined => {
    const xid = by.send(request);
    ensemble.settle();
    return by.err(xid) === 'OK' ? by.reply(xid)?.response : by.err(xid);
  };
  return { ensemble, client, ask };
}

describe('multiRead', () => {
  const getData = (path: string) => ({ type: OpCode.getData, path, watch: true }) as const;
  const getChildren = (path: string) => ({ type: OpCode.getChildren, path, watch: true }) as const;

  it('reads each for itself, and leaves no watch', () => {
    const { ensemble, ask } = withZnodes({ '/r': { data: 'hey' }, '/r/k': {}, '/secret': { acl: SECRET } });
    const ops = [getData('/r'), getChildren('/r'), getData('/none'), getChildren('/secret'), getData('/r')];
    const got = ask({ type: OpCode.multiRead, ops });
    const data = { type: OpCode.getData, data: bytes('hey'), stat: expect.objectContaining({ numChildren: 1 }) };
    expect(got).toEqual({
      type: OpCode.multiRead,
      results: [
        data,
        { type: OpCode.getChildren, children: ['k'] },
        { type: OpCode.error, err: -101 },
        { type: OpCode.error, err: -102 },
        data,
      ],
    });
    expect(ensemble.leader.watchCount).toBe(0);
    expect(ask({ type: OpCode.multiRead, ops: [] })).toEqual({ type: OpCode.multiRead, results: [] });
  });

  it('waits for the writes before it', () => {
    const { ensemble, client } = withZnodes({ '/r': {} });
    client.setData('/r', 'new');
    const xid = client.send({ type: OpCode.multiRead, ops: [getData('/r')] });
    ensemble.settle();
    expect(client.reply(xid)?.response).toMatchObject({ results: [{ data: bytes('new') }] });
  });
});

describe('getEphemerals', () => {
  it.each([
    // As ZooKeeper 3.8.0 answers, in an order that can be relied on.
    ['', ['/e', '/r/e3', '/e2']],
    ['/', ['/e', '/r/e3', '/e2']],
    [' / ', ['/e', '/r/e3', '/e2']],
    [' ', ['/e', '/r/e3', '/e2']],
    ['/e', ['/e', '/e2']],
    ['/r', ['/r/e3']],
    ['/r/', ['/r/e3']],
    ['/none', []],
    ['e', []],
    [' /e', []],
  ])('that begin with %j are %j', (prefixPath, ephemerals) => {
    const { ensemble, ask } = withZnodes({ '/r': {}, '/e': { flags: 1 }, '/r/e3': { flags: 1 }, '/e2': { flags: 1 } });
    const request = { type: OpCode.getEphemerals, prefixPath } as const;
    expect(ask(request)).toEqual({ type: OpCode.getEphemerals, ephemerals });
    expect(ask(request, ensemble.client(ensemble.leader))).toEqual({ type: OpCode.getEphemerals, ephemerals: [] });
  });
});

describe('getAllChildrenNumber', () => {
  const paths = { '/r': {}, '/r/a': {}, '/r/a/b': {}, '/r/a/b/c': {}, '/r/d': { flags: 1 }, '/rr': {}, '/secret': { acl: SECRET } };
  it.each([
    ['/', 10],
    ['/r', 4],
    ['/r/a', 2],
    ['/r/d', 0],
    ['/rr', 0],
    ['/zookeeper', 2],
    ['/none', 'NO_NODE'],
    ['', 'NO_NODE'],
    ['r', 'NO_NODE'],
    ['/r/', 'NO_NODE'],
    ['/secret', 'NO_AUTH'],
  ])('below %j is %j', (path, expected) => {
    const { ask } = withZnodes(paths);
    const answer = ask({ type: OpCode.getAllChildrenNumber, path });
    expect(answer).toEqual(typeof expected === 'number' ? { type: OpCode.getAllChildrenNumber, totalNumber: expected } : expected);
  });
});

describe('who a client is', () => {
  const auth = (scheme: string, text: string) => ({ type: OpCode.auth, authType: 0, scheme, auth: bytes(text) }) as const;
  const whoAmI = { type: OpCode.whoAmI } as const;

  it('is its address and what it has proved, without secrets', () => {
    const superDigest = 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=';
    const ensemble = new TestEnsemble(1, { superDigest }).ready();
    const client = ensemble.client(ensemble.leader, {}, { address: '10.0.0.1' });
    client.send(whoAmI);
    client.send(auth('digest', 'bob:pw'), -4);
    client.send(auth('digest', 'super:test'), -4);
    client.send(auth('ip', 'whatever'), -4);
    client.send(whoAmI);
    ensemble.settle();
    const ip = { scheme: 'ip', id: '10.0.0.1' };
    const told = client.replies.filter(({ xid }) => xid > 0).map(({ response }) => response);
    expect(told).toEqual([
      { type: OpCode.whoAmI, clientInfo: [ip] },
      {
        type: OpCode.whoAmI,
        clientInfo: [ip, { scheme: 'digest', id: 'bob' }, { scheme: 'super', id: '' }, { scheme: 'digest', id: 'super' }],
      },
    ]);
    expect(client.replies.filter(({ xid }) => xid === -4).map(({ err }) => err)).toEqual([0, 0, 0]);
  });

  it('decides with its address where an ACL names one, also about writes through another server', () => {
    const ensemble = new TestEnsemble(3).ready();
    const server = ensemble.followers[0]!;
    const [near, far] = ['10.0.0.1', '10.9.0.1'].map((address) => ensemble.client(server, {}, { address }));
    const acl = [{ perms: 31, id: { scheme: 'ip', id: '10.0.0.0/16' } }];
    const made = near!.create('/ip', { acl });
    ensemble.settle();
    const xids = [near!, far!].map((client) => [client.setData('/ip', 'x'), client.getData('/ip')]);
    ensemble.settle();
    expect(near!.err(made)).toBe('OK');
    expect([near!, far!].map((client, i) => xids[i]!.map((xid) => client.err(xid)))).toEqual([
      ['OK', 'OK'],
      ['NO_AUTH', 'NO_AUTH'],
    ]);
  });

  it('has no address in one process, and cannot prove one', () => {
    const ensemble = new TestEnsemble(1).ready();
    const client = ensemble.client(ensemble.leader);
    client.send(auth('ip', '10.0.0.1'), -4);
    ensemble.settle();
    expect([client.err(-4), client.isClosed]).toEqual(['AUTH_FAILED', true]);
  });
});

describe('getACL', () => {
  const digest = { perms: 31, id: { scheme: 'digest', id: 'alice:hash' } };
  const world = (perms: number): Acl => ({ perms, id: { scheme: 'world', id: 'anyone' } });
  const ip = { perms: 31, id: { scheme: 'ip', id: '10.0.0.1' } };
  const masked = { perms: 31, id: { scheme: 'digest', id: 'alice:x' } };

  it.each<[string, readonly Acl[], readonly Acl[] | 'NO_AUTH']>([
    // As ZooKeeper 3.8.0 answers (CVE-2019-0201).
    ['who may read sees no digest', [digest, world(1), ip], [masked, world(1), ip]],
    ['who may administer sees all', [world(16), digest], [world(16), digest]],
    ['who may neither sees nothing', [world(2), digest], 'NO_AUTH'],
  ])('%s', (_name, acl, expected) => {
    const { ask } = withZnodes({ '/a': { acl } });
    const answer = ask({ type: OpCode.getACL, path: '/a' });
    if (expected === 'NO_AUTH') expect(answer).toBe(expected);
    else expect(answer).toMatchObject({ type: OpCode.getACL, acl: expected });
  });
});
