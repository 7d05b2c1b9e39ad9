import { type Acl, EventType, KeeperState, OPEN_ACL_UNSAFE, OpCode, ProtocolError, type ServerMessage } from '@quorate/protocol';
import { sessionPassword } from '@quorate/session';
import { describe, expect, it } from 'vitest';
import { RecordedClient } from './support/recorded-client.ts';
import { TestEnsemble } from './support/test-ensemble.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const auth = (text: string, scheme = 'digest') => ({ type: OpCode.auth, authType: 0, scheme, auth: bytes(text) }) as const;
const creatorOnly: readonly Acl[] = [{ perms: 31, id: { scheme: 'auth', id: '' } }];

/** An ensemble of one: what one server does alone. */
function solo(options = {}) {
  const ensemble = new TestEnsemble(1, options).ready();
  return { ensemble, server: ensemble.leader, client: ensemble.client(ensemble.leader) };
}

describe('the handshake', () => {
  it.each([
    [50, 200],
    [1_000, 1_000],
    [1_000_000, 2_000],
    [-1, 200],
  ])('asked for %d ms, a session gets %d ms: between 2 and 20 ticks', (asked, given) => {
    const { ensemble, server } = solo();
    expect(ensemble.client(server, { timeOut: asked }).connected?.timeOut).toBe(given);
  });

  it('answers once the session is applied here, with an id of this server and the password of that id', () => {
    const { client, server } = solo();
    const { sessionId } = client;
    expect(sessionId >> 56n).toBe(1n);
    expect(client.connected).toEqual({
      kind: 'connected',
      protocolVersion: 0,
      timeOut: 2_000,
      sessionId,
      passwd: sessionPassword(sessionId),
      readOnly: false,
    });
    expect([...server.sessions]).toEqual([[sessionId, 2_000]]);
  });

  it('takes another id where the one is in use', () => {
    // A server that starts twice in the same millisecond counts from the same id.
    const ensemble = new TestEnsemble(1).ready();
    const first = ensemble.client(ensemble.leader);
    ensemble.crash(1);
    const wallOrigin = ensemble.clock.wallNow() - ensemble.clock.now();
    ensemble.clock.wallNow = () => wallOrigin;
    ensemble.start(1);
    ensemble.ready();
    const second = ensemble.client(ensemble.leader);
    expect(second.sessionId).toBe(first.sessionId + 1n);
  });

  it('is the first message and comes once', () => {
    const { ensemble, server, client } = solo();
    const rude = new RecordedClient(server);
    rude.create('/x');
    client.connect();
    ensemble.settle();
    expect([rude.isClosed, client.isClosed]).toEqual([true, true]);
  });

  it('is ended where nothing comes', () => {
    const { ensemble, server } = solo();
    const mute = new RecordedClient(server);
    ensemble.run(1_900);
    expect(mute.isClosed).toBe(false);
    ensemble.run(300);
    expect(mute.isClosed).toBe(true);
  });
});

describe('requests', () => {
  it('are answered in their order, whatever they are', () => {
    const { ensemble, client } = solo();
    const sent = [
      client.create('/a'),
      client.send({ type: OpCode.ping }, -2),
      client.send(auth('a:b'), -4),
      client.create('/a'),
      client.getData('/a', true),
      client.send({ type: OpCode.setWatches, relativeZxid: 0 as never, dataWatches: [], existWatches: [], childWatches: [] }, -8),
      client.send({ type: OpCode.check, path: '/a', version: -1 }),
      client.send({ type: OpCode.sync, path: '/somewhere' }),
      client.setData('/a', 'x', 0),
      client.send({ type: OpCode.getChildren, path: '/', watch: false }),
      client.send({
        type: OpCode.multi,
        ops: [
          { type: OpCode.check, path: '/a', version: 1 },
          { type: OpCode.delete, path: '/a', version: -1 },
        ],
      }),
      client.exists('/a'),
    ];
    ensemble.settle();
    expect(client.replies.map(({ xid }) => xid)).toEqual(sent);
    expect(sent.map((xid) => client.err(xid))).toEqual([
      'OK',
      'OK',
      'OK',
      'NODE_EXISTS',
      'OK',
      'OK',
      'UNIMPLEMENTED',
      'OK',
      'OK',
      'OK',
      'OK',
      'NO_NODE',
    ]);
    const zxids = client.replies.map(({ zxid }) => zxid);
    expect([...zxids].sort((a, b) => a - b)).toEqual(zxids);
    expect(client.replies.at(-3)?.response).toEqual({ type: OpCode.getChildren, children: ['zookeeper', 'a'] });
    expect(client.replies.at(-2)?.response).toEqual({ type: OpCode.multi, results: [{ type: OpCode.check }, { type: OpCode.delete }] });
    expect(client.reply(sent[7]!)?.response).toEqual({ type: OpCode.sync, path: '/somewhere' });
  });

  it('a failed write takes a zxid of its own', () => {
    const { ensemble, client } = solo();
    const [good, bad] = [client.create('/a'), client.delete('/none')];
    ensemble.settle();
    expect(client.reply(bad)?.zxid).toBe(client.reply(good)!.zxid + 1);
  });

  it('a multi that fails is answered by the errors of its operations', () => {
    const { ensemble, client } = solo();
    const ops = [
      { type: OpCode.create, path: '/m', data: bytes(''), acl: OPEN_ACL_UNSAFE, flags: 0 },
      { type: OpCode.check, path: '/none', version: -1 },
      { type: OpCode.delete, path: '/m', version: -1 },
    ] as const;
    const [empty, failed] = [client.send({ type: OpCode.multi, ops: [] }), client.send({ type: OpCode.multi, ops })];
    ensemble.settle();
    expect(client.reply(empty)).toMatchObject({ err: 0, response: { results: [] } });
    expect(client.reply(failed)).toMatchObject({
      err: 0,
      response: { results: [{ err: 0 }, { err: -101 }, { err: -2 }].map((one) => ({ type: -1, ...one })) },
    });
  });

  it('more than may be under way wait, and the link is asked to pause', () => {
    const { ensemble, server } = solo();
    const calls: string[] = [];
    const client = new RecordedClient(server, { pause: () => calls.push('pause'), resume: () => calls.push('resume') }).connect();
    const xids = Array.from({ length: 5_000 }, (_, index) => client.create(`/n${index}`));
    expect(calls).toEqual(['pause']);
    ensemble.settle();
    expect(client.replies.map(({ xid }) => xid)).toEqual(xids);
    expect(calls).toEqual(['pause', 'resume']);
  });

  it('of a link that answers from inside send are taken afterwards, in order', () => {
    const { ensemble, server } = solo();
    const client = new RecordedClient(server);
    let left = 5;
    const order: string[] = [];
    client.onMessage = (message: ServerMessage) => {
      order.push(message.kind === 'event' ? `event ${message.path}` : message.kind);
      if (message.kind !== 'event' && left-- > 0) {
        client.exists(`/x${left}`, true);
        client.create(`/x${left}`);
      }
    };
    client.connect();
    ensemble.settle();
    expect(client.replies.map(({ xid }) => xid)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(client.events).toHaveLength(5);
    expect(client.isClosed).toBe(false);
  });

  it('that cannot be read are answered in order; an unknown opcode ends the connection', () => {
    const { ensemble, client } = solo();
    const first = client.create('/a');
    client.deliver({ kind: 'malformed', xid: 2, type: OpCode.create, error: new ProtocolError('TRUNCATED', 'cut') });
    client.deliver({ kind: 'malformed', xid: 3, type: 4711, error: new ProtocolError('UNKNOWN_OPCODE', 'what?') });
    client.exists('/a');
    ensemble.settle();
    expect(client.replies.map(({ xid }) => [xid, client.err(xid)])).toEqual([
      [first, 'OK'],
      [2, 'MARSHALLING_ERROR'],
      [3, 'UNIMPLEMENTED'],
    ]);
    expect(client.isClosed).toBe(true);
  });
});

describe('reads of what is no path', () => {
  it.each(['', 'a', '/a/', '//', '/./a', '/a\0', '/\u0001'])('find no znode: %j', (path) => {
    const { ensemble, client } = solo();
    client.create('/a');
    const reads = [OpCode.getData, OpCode.getChildren, OpCode.getChildren2].map((type) => client.send({ type, path, watch: true }));
    const [acl, exists] = [client.send({ type: OpCode.getACL, path }), client.exists(path, true)];
    ensemble.settle();
    expect([...reads, acl].map((xid) => client.err(xid))).toEqual(['NO_NODE', 'NO_NODE', 'NO_NODE', 'NO_NODE']);
    // ZooKeeper asks for the NUL, and in exists alone.
    expect(client.err(exists)).toBe(path.includes('\0') ? 'BAD_ARGUMENTS' : 'NO_NODE');
  });
});

describe('addauth', () => {
  it('holds for what comes after it on this connection', () => {
    const { ensemble, server, client } = solo();
    const before = client.create('/a', { acl: creatorOnly });
    client.send(auth('alice:secret'), -4);
    const after = client.create('/a', { acl: creatorOnly });
    const [ownAcl, ownData] = [client.send({ type: OpCode.getACL, path: '/a' }), client.getData('/a')];
    const stranger = ensemble.client(server);
    const theirs = [
      stranger.getData('/a'),
      stranger.exists('/a'),
      stranger.send({ type: OpCode.getACL, path: '/a' }),
      stranger.setData('/a', 'x'),
    ];
    ensemble.settle();
    expect([client.err(before), client.err(after), client.err(ownData)]).toEqual(['INVALID_ACL', 'OK', 'OK']);
    expect(client.reply(ownAcl)?.response).toMatchObject({ acl: [{ perms: 31, id: { scheme: 'digest' } }] });
    expect(theirs.map((xid) => stranger.err(xid))).toEqual(['NO_AUTH', 'NO_AUTH', 'NO_AUTH', 'NO_AUTH']);
  });

  it('does not hold for what came before it and waits', () => {
    const { ensemble, server, client: owner } = solo();
    owner.send(auth('alice:secret'), -4);
    owner.create('/a', { acl: creatorOnly });
    ensemble.settle();
    const client = ensemble.client(server);
    client.create('/b');
    const before = client.getData('/a');
    client.send(auth('alice:secret'), -4);
    const after = client.getData('/a');
    ensemble.settle();
    expect([client.err(before), client.err(after)]).toEqual(['NO_AUTH', 'OK']);
  });

  it('reaches the leader with the requests of a follower', () => {
    const ensemble = new TestEnsemble().ready();
    const client = ensemble.client(ensemble.followers[0]!);
    client.send(auth('alice:secret'), -4);
    const xids = [client.create('/a', { acl: creatorOnly }), client.setData('/a', 'x')];
    ensemble.settle();
    expect(xids.map((xid) => client.err(xid))).toEqual(['OK', 'OK']);
  });

  it.each([
    ['an unknown scheme', auth('x', 'sasl')],
    ['a user that is no UTF-8', { ...auth(''), auth: new Uint8Array([0xff, 0x3a]) }],
  ])('of %s is answered AUTH_FAILED, and the connection ends', (_name, request) => {
    const { ensemble, client } = solo();
    client.create('/a');
    client.send(request, -4);
    ensemble.settle();
    expect(client.replies.map(({ err }) => err)).toEqual([0, -115]);
    expect(client.isClosed).toBe(true);
  });

  it('that cannot be read is answered AUTH_FAILED as well: nobody goes on with less than it believes to have', () => {
    const { ensemble, client } = solo();
    client.deliver({ kind: 'malformed', xid: -4, type: OpCode.auth, error: new ProtocolError('BAD_VALUE', 'the proof is null') });
    client.exists('/a');
    ensemble.settle();
    expect(client.replies.map(({ xid, err }) => [xid, err])).toEqual([[-4, -115]]);
    expect(client.isClosed).toBe(true);
  });

  it('as super may do everything', () => {
    const { ensemble, client } = solo({ superDigest: 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=' });
    client.create('/a', { acl: [{ perms: 0, id: { scheme: 'world', id: 'anyone' } }] });
    client.send(auth('super:test'), -4);
    const xids = [client.setData('/a', 'x'), client.getData('/a'), client.send({ type: OpCode.getACL, path: '/a' }), client.delete('/a')];
    ensemble.settle();
    expect(xids.map((xid) => client.err(xid))).toEqual(['OK', 'OK', 'OK', 'OK']);
  });

  it('without ADMIN an ACL is shown without its hashes', () => {
    const { ensemble, server, client } = solo();
    const reader = ensemble.client(server);
    client.create('/a', {
      acl: [
        { perms: 31, id: { scheme: 'digest', id: 'u:h' } },
        { perms: 1, id: { scheme: 'world', id: 'anyone' } },
      ],
    });
    ensemble.settle();
    const xid = reader.send({ type: OpCode.getACL, path: '/a' });
    expect(reader.reply(xid)?.response).toMatchObject({ acl: [{ id: { id: 'u:x' } }, { id: { id: 'anyone' } }] });
  });
});

describe('watches', () => {
  it('fire before any reply that shows the change, at every server', () => {
    const ensemble = new TestEnsemble().ready();
    for (const server of ensemble.servers.values()) {
      const watcher = ensemble.client(server);
      const path = `/w${server.sid}`;
      watcher.exists(path, true);
      watcher.create(path);
      watcher.getData(path, true);
      watcher.send({ type: OpCode.getChildren, path, watch: true });
      watcher.setData(path, 'x');
      watcher.create(`${path}/child`);
      watcher.getData(path);
      ensemble.settle();
      const order = watcher.messages
        .slice(1)
        .map((message) => (message.kind === 'event' ? `event ${message.type}` : message.kind === 'reply' ? message.xid : ''));
      expect(order).toEqual([1, 'event 1', 2, 3, 4, 'event 3', 5, 'event 4', 6, 7]);
      const events = watcher.messages.filter((message) => message.kind === 'event');
      const shown = [2, 5, 6].map((xid) => watcher.reply(xid)?.zxid);
      expect(events.map(({ zxid, state }) => [zxid, state])).toEqual(shown.map((zxid) => [zxid, KeeperState.syncConnected]));
    }
  });

  it('are one-shot, and gone with their connection', () => {
    const { ensemble, server, client } = solo();
    const other = ensemble.client(server);
    client.create('/a');
    other.getData('/a', true);
    client.getData('/a', true);
    other.drop();
    client.setData('/a', '1');
    client.setData('/a', '2');
    ensemble.settle();
    expect(client.events).toEqual(['3 /a']);
    expect(other.events).toEqual([]);
  });

  it('tell nothing of a znode that may not be read (CVE-2024-23944)', () => {
    const { ensemble, server, client } = solo();
    const watcher = ensemble.client(server);
    const secret = [{ perms: 31, id: { scheme: 'digest', id: 'u:h' } }];
    const readable: readonly Acl[] = [...OPEN_ACL_UNSAFE];
    client.create('/open');
    client.create('/closing');
    ensemble.settle();
    watcher.exists('/secret', true);
    watcher.exists('/visible', true);
    watcher.getData('/closing', true);
    watcher.send({ type: OpCode.getChildren, path: '/open', watch: true });
    client.create('/secret', { acl: secret });
    client.create('/visible', { acl: readable });
    client.create('/open/hidden', { acl: secret });
    client.send({ type: OpCode.setACL, path: '/closing', acl: secret, version: -1 });
    client.delete('/closing');
    ensemble.settle();
    expect(client.replies.every(({ err }) => err === 0)).toBe(true);
    // A child event is judged by the parent; the deleted znode by the ACL that it had.
    expect(watcher.events).toEqual([`${EventType.nodeCreated} /visible`, `${EventType.nodeChildrenChanged} /open`]);
  });

  it('of what one multi creates and deletes are judged by the ACL of each', () => {
    const { ensemble, server, client } = solo();
    const watcher = ensemble.client(server);
    const secret = [{ perms: 31, id: { scheme: 'digest', id: 'u:h' } }];
    client.create('/m');
    ensemble.settle();
    watcher.getData('/m', true);
    const create = (acl: readonly Acl[]) => ({ type: OpCode.create, path: '/m', data: null, acl, flags: 0 }) as const;
    const remove = { type: OpCode.delete, path: '/m', version: -1 } as const;
    client.send({ type: OpCode.multi, ops: [remove, create(secret), remove, create(OPEN_ACL_UNSAFE)] });
    ensemble.settle();
    expect(watcher.events).toEqual([`${EventType.nodeDeleted} /m`]);
    const xid = watcher.getData('/m', true);
    client.send({ type: OpCode.multi, ops: [remove, create(secret)] });
    ensemble.settle();
    expect(watcher.err(xid)).toBe('OK');
    expect(watcher.events).toHaveLength(2);
  });

  it('fire for the ephemerals of a session that ends', () => {
    const { ensemble, server, client } = solo();
    const watcher = ensemble.client(server);
    client.create('/e', { flags: 1 });
    ensemble.settle();
    watcher.exists('/e', true);
    watcher.send({ type: OpCode.getChildren, path: '/', watch: true });
    client.send({ type: OpCode.closeSession });
    ensemble.settle();
    expect(watcher.events).toEqual(['2 /e', '4 /']);
  });

  it('are set again after a reconnection, and what was missed is told', () => {
    const { ensemble, server, client } = solo();
    for (const path of ['/same', '/changed', '/gone', '/parent', '/quiet']) client.create(path);
    ensemble.settle();
    const seen = server.lastZxid;
    client.setData('/changed', 'x');
    client.delete('/gone');
    client.create('/parent/child');
    client.create('/came');
    ensemble.settle();
    const back = ensemble.client(server);
    const xid = back.send(
      {
        type: OpCode.setWatches,
        relativeZxid: seen,
        dataWatches: ['/same', '/changed', '/gone'],
        existWatches: ['/came', '/never'],
        childWatches: ['/parent', '/quiet', '/gone'],
      },
      -8,
    );
    expect(back.events).toEqual(['3 /changed', '2 /gone', '1 /came', '4 /parent', '2 /gone']);
    expect(back.messages.at(-1)).toMatchObject({ kind: 'reply', xid });
    client.setData('/same', 'x');
    client.create('/never');
    client.create('/quiet/child');
    client.setData('/changed', 'y');
    ensemble.settle();
    expect(back.events.slice(5)).toEqual(['3 /same', '1 /never', '4 /quiet']);
  });
});
