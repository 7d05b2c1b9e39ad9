/** The promise shell: what its callers are given, and what it refuses before anything is sent. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { CREATOR_ALL_ACL, CreateMode, ErrorCode, isZooKeeperError, OPEN_ACL_UNSAFE, OpCode } from '@quorate/protocol';
import { describe, expect, test } from 'vitest';
import { Client, type ClientOptions, MultiError } from '../src/index.js';
import { FakeEnsemble, someStat } from './fake-ensemble.js';

function setUp(options: Partial<ClientOptions> = {}) {
  const clock = new VirtualClock();
  const ensemble = new FakeEnsemble(clock);
  const client = new Client({ connector: ensemble, clock, random: new SeededRandom(1), firstServer: 0, ...options });
  ensemble.handshake();
  ensemble.take();
  return { clock, ensemble, client };
}

/** The error of a promise that must reject. */
function errorOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  return promise.then(
    () => Promise.reject(new Error('it did not reject')),
    (error: Error) => error,
  );
}

describe('results', () => {
  test('of every operation', async () => {
    const { ensemble, client } = setUp();
    const { last } = ensemble;
    const created = client.create('/a-', 'text', { mode: CreateMode.PERSISTENT_SEQUENTIAL });
    const deleted = client.delete('/a', { version: 3 });
    const present = client.exists('/a');
    const absent = client.exists('/b');
    const read = client.getData('/a');
    const empty = client.getData('/a');
    const written = client.setData('/a', new Uint8Array([1, 2]));
    const children = client.getChildren('/');
    const acl = client.getACL('/a');
    const aclSet = client.setACL('/a', OPEN_ACL_UNSAFE);
    const synced = client.sync();
    expect(last.requests.map((message) => message.request)).toEqual([
      { type: OpCode.create2, path: '/a-', data: new Uint8Array([116, 101, 120, 116]), acl: OPEN_ACL_UNSAFE, flags: 2 },
      { type: OpCode.delete, path: '/a', version: 3 },
      { type: OpCode.exists, path: '/a', watch: false },
      { type: OpCode.exists, path: '/b', watch: false },
      { type: OpCode.getData, path: '/a', watch: false },
      { type: OpCode.getData, path: '/a', watch: false },
      { type: OpCode.setData, path: '/a', data: new Uint8Array([1, 2]), version: -1 },
      { type: OpCode.getChildren2, path: '/', watch: false },
      { type: OpCode.getACL, path: '/a' },
      { type: OpCode.setACL, path: '/a', acl: OPEN_ACL_UNSAFE, version: -1 },
      { type: OpCode.sync, path: '/' },
    ]);
    last.reply(1, { type: OpCode.create2, path: '/a-0000000000', stat: someStat });
    last.reply(2);
    last.reply(3, { type: OpCode.exists, stat: someStat });
    last.reply(4, undefined, ErrorCode.NO_NODE);
    last.reply(5, { type: OpCode.getData, data: new Uint8Array([9]), stat: someStat });
    last.reply(6, { type: OpCode.getData, data: null, stat: someStat });
    last.reply(7, { type: OpCode.setData, stat: someStat });
    last.reply(8, { type: OpCode.getChildren2, children: ['a', 'b'], stat: someStat });
    last.reply(9, { type: OpCode.getACL, acl: OPEN_ACL_UNSAFE, stat: someStat });
    last.reply(10, { type: OpCode.setACL, stat: someStat });
    last.reply(11, { type: OpCode.sync, path: '/' });
    expect(await Promise.all([created, deleted, present, absent, read, empty, written, children, acl, aclSet, synced])).toEqual([
      { path: '/a-0000000000', stat: someStat },
      undefined,
      someStat,
      undefined,
      { data: new Uint8Array([9]), stat: someStat },
      { data: new Uint8Array(0), stat: someStat },
      someStat,
      { children: ['a', 'b'], stat: someStat },
      { acl: OPEN_ACL_UNSAFE, stat: someStat },
      someStat,
      undefined,
    ]);
  });

  test('of containers, TTLs and what ZooKeeper has added to its reads', async () => {
    const { ensemble, client } = setUp();
    const { last } = ensemble;
    const container = client.create('/c', '', { mode: CreateMode.CONTAINER });
    const ttl = client.create('/t', '', { mode: CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, ttlMs: 7 });
    const reads = client.multiRead([
      { op: 'getData', path: '/a' },
      { op: 'getChildren', path: '/b' },
      { op: 'getData', path: '/c' },
    ]);
    const mixed = errorOf(client.multiRead([{ op: 'getData', path: '/a' }]));
    const few = errorOf(client.multiRead([{ op: 'getData', path: '/a' }]));
    const ephemerals = client.getEphemerals('/x');
    const number = client.getAllChildrenNumber('/a');
    const self = client.whoAmI();
    const made = { data: new Uint8Array(0), acl: OPEN_ACL_UNSAFE };
    expect(last.requests.map((message) => message.request)).toEqual([
      { type: OpCode.createContainer, path: '/c', ...made, flags: 4 },
      { type: OpCode.createTTL, path: '/t', ...made, flags: 6, ttl: 7 },
      {
        type: OpCode.multiRead,
        ops: [
          { type: OpCode.getData, path: '/a', watch: false },
          { type: OpCode.getChildren, path: '/b', watch: false },
          { type: OpCode.getData, path: '/c', watch: false },
        ],
      },
      { type: OpCode.multiRead, ops: [{ type: OpCode.getData, path: '/a', watch: false }] },
      { type: OpCode.multiRead, ops: [{ type: OpCode.getData, path: '/a', watch: false }] },
      { type: OpCode.getEphemerals, prefixPath: '/x' },
      { type: OpCode.getAllChildrenNumber, path: '/a' },
      { type: OpCode.whoAmI },
    ]);
    last.reply(1, { type: OpCode.createContainer, path: '/c', stat: someStat });
    last.reply(2, { type: OpCode.createTTL, path: '/t0000000000', stat: someStat });
    last.reply(3, {
      type: OpCode.multiRead,
      results: [
        { type: OpCode.getData, data: null, stat: someStat },
        { type: OpCode.getChildren, children: ['k'] },
        { type: OpCode.error, err: ErrorCode.NO_AUTH },
      ],
    });
    last.reply(4, { type: OpCode.multiRead, results: [{ type: OpCode.getChildren, children: [] }] });
    last.reply(5, { type: OpCode.multiRead, results: [] });
    last.reply(6, { type: OpCode.getEphemerals, ephemerals: ['/x1'] });
    last.reply(7, { type: OpCode.getAllChildrenNumber, totalNumber: 3 });
    last.reply(8, { type: OpCode.whoAmI, clientInfo: [{ scheme: 'digest', id: 'bob' }] });
    expect(await Promise.all([container, ttl, ephemerals, number, self])).toEqual([
      { path: '/c', stat: someStat },
      { path: '/t0000000000', stat: someStat },
      ['/x1'],
      3,
      [{ scheme: 'digest', id: 'bob' }],
    ]);
    const [data, children, refused] = await reads;
    expect([data, children]).toEqual([
      { op: 'getData', data: new Uint8Array(0), stat: someStat },
      { op: 'getChildren', children: ['k'] },
    ]);
    expect(refused.error).toMatchObject({ code: 'NO_AUTH', path: '/c', operation: 'getData', message: 'getData /c: NO_AUTH' });
    expect([await mixed, await few]).toMatchObject([{ code: 'MARSHALLING_ERROR' }, { code: 'MARSHALLING_ERROR' }]);
  });

  test('of a container or a TTL that was refused: the operation is create', async () => {
    const { ensemble, client } = setUp();
    const error = errorOf(client.create('/c', '', { mode: CreateMode.CONTAINER }));
    ensemble.last.reply(1, undefined, ErrorCode.NODE_EXISTS);
    expect(await error).toMatchObject({ code: 'NODE_EXISTS', operation: 'create', message: 'create /c: NODE_EXISTS' });
  });

  test('of an operation that was refused: code, path and operation', async () => {
    const { ensemble, client } = setUp();
    const error = errorOf(client.getChildren('/a'));
    ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    expect(await error).toMatchObject({ code: 'NO_NODE', path: '/a', operation: 'getChildren', message: 'getChildren /a: NO_NODE' });
    expect(isZooKeeperError(await error, 'NO_NODE')).toBe(true);
    const unknown = errorOf(client.sync());
    ensemble.last.reply(1, undefined, -999);
    expect(await unknown).toMatchObject({ code: 'SYSTEM_ERROR', message: 'sync /: SYSTEM_ERROR, the server answered -999' });
  });

  test('of a multi, and which operation failed', async () => {
    const { ensemble, client } = setUp();
    const operations = [
      { op: 'check', path: '/a', version: 3 },
      { op: 'create', path: '/a/b', data: 'x', mode: CreateMode.EPHEMERAL },
      { op: 'setData', path: '/a', data: 'y' },
      { op: 'delete', path: '/a/c' },
    ] as const;
    const good = client.multi(operations);
    const bad = errorOf(client.multi(operations));
    ensemble.last.reply(1, {
      type: OpCode.multi,
      results: [
        { type: OpCode.check },
        { type: OpCode.create, path: '/a/b' },
        { type: OpCode.setData, stat: someStat },
        { type: OpCode.delete },
      ],
    });
    ensemble.last.reply(2, { type: OpCode.multi, results: [0, -110, -2, -2].map((err) => ({ type: OpCode.error, err })) });
    // The results have the types of their operations: path and stat need no check.
    const [, { path }, { stat }] = await good;
    expect([path, stat]).toEqual(['/a/b', someStat]);
    const error = await bad;
    expect(error).toBeInstanceOf(MultiError);
    expect(error).toMatchObject({
      code: 'NODE_EXISTS',
      index: 1,
      path: '/a/b',
      operation: 'multi',
      results: ['OK', 'NODE_EXISTS', 'RUNTIME_INCONSISTENCY', 'RUNTIME_INCONSISTENCY'],
    });
    expect(isZooKeeperError(error, 'NODE_EXISTS')).toBe(true);
  });

  test('a loss tells that the outcome is unknown', async () => {
    const { ensemble, client } = setUp();
    const error = errorOf(client.create('/a'));
    ensemble.last.cut();
    expect(await error).toMatchObject({
      code: 'CONNECTION_LOSS',
      message: 'create /a: CONNECTION_LOSS, the connection ended before the answer came: the request may or may not have been performed',
    });
  });
});

describe('data', () => {
  test('of a transaction are those at the step', () => {
    const { ensemble, client } = setUp();
    const bytes = new Uint8Array([1]);
    const begun = client.transaction().setData('/a', bytes).create('/b', bytes);
    bytes.fill(9);
    void begun.commit().catch(() => {});
    const data = new Uint8Array([1]);
    expect(ensemble.last.requests[0]?.request).toMatchObject({ ops: [{ data }, { data }] });
  });

  test('are copied on the way in, whatever kind of array they come in', () => {
    const { ensemble, client } = setUp();
    const bytes = Buffer.from([1, 2, 3]);
    void client.setData('/a', bytes).catch(() => {});
    bytes.fill(9);
    expect(ensemble.last.requests[0]?.request).toMatchObject({ data: new Uint8Array([1, 2, 3]) });
  });

  test('an ACL is the caller’s own', async () => {
    const { ensemble, client } = setUp();
    const shared = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
    const read = client.getACL('/a');
    ensemble.last.reply(1, { type: OpCode.getACL, acl: shared, stat: someStat });
    const { acl } = await read;
    acl[0] = { perms: 0, id: { scheme: '', id: '' } };
    expect(shared[0]?.perms).toBe(31);
  });
});

describe('refused before anything is sent', () => {
  const cases: [string, (client: Client) => Promise<unknown>, string, RegExp][] = [
    // What other clients take in place of options.
    ['a version alone', (client) => client.setData('/a', '', 3 as never), 'TypeError', /options must be an object like .* not 3$/],
    ['a mode alone', (client) => client.create('/a', '', CreateMode.EPHEMERAL as never), 'TypeError', /options must be an object/],
    ['an ACL alone', (client) => client.create('/a', '', CREATOR_ALL_ACL as never), 'TypeError', /options must be an object/],
    ['a watcher alone', (client) => client.getData('/a', (() => {}) as never), 'TypeError', /not a function/],
    ['a signal alone', (client) => client.sync('/', new AbortController().signal as never), 'TypeError', /not the signal itself/],
    ['no options at all', (client) => client.exists('/a', null as never), 'TypeError', /options must be an object/],
    ['a mode alone in a transaction', async (client) => client.transaction().create('/a', '', 1 as never), 'TypeError', /options must be/],
    ['a wait with a number', (client) => client.connected(5 as never), 'TypeError', /options must be an object/],
    ['an end with a number', (client) => client.close(5 as never), 'TypeError', /options must be an object/],
    ['an end with a signal that is none', (client) => client.close({ signal: 5 as never }), 'TypeError', /signal must be an AbortSignal/],
    ['a listener', async (client) => client.onState(5 as never), 'TypeError', /listener must be a function, not 5/],
    [
      'a depth',
      (client) => client.addWatch('/a', { recursive: 'yes' as never }),
      'TypeError',
      /recursive must be true or false, not "yes"/,
    ],
    ['a place', (client) => client.removeWatches('/a', { local: 'no' as never }), 'TypeError', /local must be true or false/],
    ['a mode that is null', (client) => client.create('/a', '', { mode: null as never }), 'BAD_ARGUMENTS', /not null/],
    ['a version that is a bigint', (client) => client.delete('/a', { version: 3n as never }), 'BAD_ARGUMENTS', /not 3n/],
    ['half a character', (client) => client.setData('/a', 'x\ud83d'), 'TypeError', /half of a surrogate pair/],
    [
      'credentials that are not there',
      (client) => client.addAuth('digest', undefined as never),
      'TypeError',
      /auth must be a Uint8Array or a string, not undefined/,
    ],
    [
      'a prefix of paths outside of a chroot',
      (client) => client.getEphemerals('lication'),
      'BAD_ARGUMENTS',
      /"lication": a prefix must start/,
    ],
    ['a hole in a multi', (client) => client.multi(new Array(2) as never), 'TypeError', /^operation 0: op must be/],
    [
      'a version in a multi',
      (client) => client.transaction().check('/a').setData('/b', '', 1.5).commit(),
      'BAD_ARGUMENTS',
      /^operation 1: version must be/,
    ],
    ['an empty path', (client) => client.create(''), 'BAD_ARGUMENTS', /must not be empty/],
    ['a relative path', (client) => client.getData('a'), 'BAD_ARGUMENTS', /start with/],
    ['a path with a slash at its end', (client) => client.exists('/a/'), 'BAD_ARGUMENTS', /not end with/],
    ['a path with ..', (client) => client.delete('/a/../b'), 'BAD_ARGUMENTS', /\.\./],
    ['a path that is no string', (client) => client.sync(7 as never), 'TypeError', /path must be a string, not 7/],
    ['a mode', (client) => client.create('/a', '', { mode: 9 as never }), 'BAD_ARGUMENTS', /one of CreateMode, 0 to 6, not 9/],
    [
      'no TTL',
      (client) => client.create('/a', '', { mode: CreateMode.PERSISTENT_WITH_TTL }),
      'BAD_ARGUMENTS',
      /from 1 to 1099511627775, not undefined/,
    ],
    ['a TTL of 0', (client) => client.create('/a', '', { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 0 }), 'BAD_ARGUMENTS', /not 0/],
    [
      'a TTL that is too long',
      (client) => client.multi([{ op: 'create', path: '/a', mode: CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, ttlMs: 2 ** 40 }]),
      'BAD_ARGUMENTS',
      /not 1099511627776/,
    ],
    [
      'a TTL of another mode',
      (client) => client.create('/a', '', { mode: CreateMode.CONTAINER, ttlMs: 5 }),
      'BAD_ARGUMENTS',
      /ttlMs goes with/,
    ],
    [
      'a write in a multiRead',
      (client) => client.multiRead([{ op: 'setData', path: '/' } as never]),
      'TypeError',
      /'getData' or 'getChildren'/,
    ],
    ['a multiRead of nothing', (client) => client.multiRead({} as never), 'TypeError', /operations must be an array/],
    ['a path in a multiRead', (client) => client.multiRead([{ op: 'getData', path: 'x' }]), 'BAD_ARGUMENTS', /start with/],
    ['a prefix', (client) => client.getEphemerals(5 as never), 'TypeError', /prefix must be a string/],
    ['a path to count below', (client) => client.getAllChildrenNumber('/a/'), 'BAD_ARGUMENTS', /not end with/],
    ['a version', (client) => client.delete('/a', { version: -2 }), 'BAD_ARGUMENTS', /-1, for any, or a whole number/],
    ['a version with a fraction', (client) => client.setData('/a', '', { version: 1.5 }), 'BAD_ARGUMENTS', /not 1.5/],
    ['an aversion', (client) => client.setACL('/a', OPEN_ACL_UNSAFE, { version: 2 ** 31 }), 'BAD_ARGUMENTS', /version/],
    ['data', (client) => client.setData('/a', [1] as never), 'TypeError', /data must be a Uint8Array or a string, not \[object Array\]/],
    ['no data', (client) => client.setData('/a', undefined as never), 'TypeError', /not undefined/],
    ['an empty ACL', (client) => client.setACL('/a', []), 'INVALID_ACL', /at least one/],
    ['perms', (client) => client.create('/a', '', { acl: [{ perms: 32, id: { scheme: '', id: '' } }] }), 'INVALID_ACL', /0 to 31, not 32/],
    ['an ACL entry', (client) => client.create('/a', '', { acl: [{ perms: 1 } as never] }), 'TypeError', /two strings/],
    ['a watch', (client) => client.getData('/a', { watch: true as never }), 'TypeError', /watch must be a function, not true/],
    ['a signal', (client) => client.sync('/', { signal: 'now' as never }), 'TypeError', /signal must be an AbortSignal, not "now"/],
    [
      'an operation',
      (client) => client.multi([{ op: 'move', path: '/' } as never]),
      'TypeError',
      /'create', 'delete', 'setData' or 'check'/,
    ],
    ['a path in a multi', (client) => client.multi([{ op: 'check', path: 'x' }]), 'BAD_ARGUMENTS', /start with/],
    [
      'too much',
      (client) => client.setData('/a', new Uint8Array(0xfffff)),
      'BAD_ARGUMENTS',
      /not be longer than 1048575 bytes .* has 10485\d\d/,
    ],
    [
      'too much together',
      (client) => client.multi([1, 2].map((n) => ({ op: 'create', path: `/${n}`, data: new Uint8Array(600_000) }) as const)),
      'BAD_ARGUMENTS',
      /1048575/,
    ],
  ];
  test.each(cases)('%s', async (_name, call, code, message) => {
    const { ensemble, client } = setUp();
    const error = await errorOf(call(client));
    expect(error.code ?? error.name).toBe(code);
    expect(error.message).toMatch(message);
    expect(ensemble.take()).toEqual([]);
  });

  test('what just fits is sent', () => {
    const { ensemble, client } = setUp();
    // Header 8, path 4 + 2, length of the data 4, version 4.
    void client.setData('/a', new Uint8Array(0xfffff - 22)).catch(() => {});
    expect(ensemble.take()).toEqual(['0 send 1 setData /a']);
  });

  test('options of the client', () => {
    const connector = new FakeEnsemble(new VirtualClock());
    expect(() => new Client(undefined as never)).toThrow(/options must be an object like \{ connector \}, not undefined/);
    expect(() => new Client({} as never)).toThrow(/connector must be a Connector/);
    expect(() => new Client({ connector, sessionTimeout: 5 } as never)).toThrow(
      /sessionTimeout is not an option of a client: these are connector,/,
    );
    expect(() => new Client({ connector, retry: { attempts: 5 } as never })).toThrow(
      /attempts is not an option of retry: these are attemptsMax,/,
    );
    expect(() => new Client({ connector, clock: {} as never })).toThrow(/clock must be a Clock/);
    expect(() => new Client({ connector, random: Math.random as never })).toThrow(/random must be a Random/);
    const password = new Uint8Array(16);
    for (const session of [null, { id: 5, password }, { id: 1n << 70n, password }])
      expect(() => new Client({ connector, session: session as never })).toThrow(/session.id must be a bigint of 64 bits/);
    expect(() => new Client({ connector, session: { id: 5n } as never })).toThrow(
      /session.password must be a Uint8Array or a string, not undefined/,
    );
    expect(() => new Client({ connector, session: { id: 5n, password: 'x' as never } })).toThrow(/session.password must be a Uint8Array/);
    expect(() => new Client({ connector, sessionTimeoutMs: 0 })).toThrow(
      /sessionTimeoutMs must be a whole number from 1 to 2147483647, not 0/,
    );
    expect(() => new Client({ connector, firstServer: 3 })).toThrow(/firstServer must be a whole number from 0 to 2, not 3/);
    expect(() => new Client({ connector, callsMax: 0.5 })).toThrow(/callsMax/);
    expect(() => new Client({ connector, callBytesMax: 0 })).toThrow(/callBytesMax/);
    expect(connector.connections).toEqual([]);
  });
});

describe('signals', () => {
  test('a request that was not sent is withdrawn', async () => {
    const { ensemble, client } = setUp();
    ensemble.last.cut();
    const controller = new AbortController();
    const error = errorOf(client.sync('/', { signal: controller.signal }));
    controller.abort('enough');
    expect(await error).toBe('enough');
    ensemble.take();
    ensemble.handshake();
    expect(ensemble.take().some((line) => line.includes('sync'))).toBe(false);
  });

  test('a request that was sent goes on alone, without its watch', async () => {
    const { ensemble, client } = setUp();
    const controller = new AbortController();
    let fired = 0;
    const error = errorOf(client.getData('/a', { watch: () => fired++, signal: controller.signal }));
    controller.abort();
    expect((await error).name).toBe('AbortError');
    ensemble.last.reply(1, { type: OpCode.getData, data: null, stat: someStat });
    ensemble.last.event('nodeDeleted', '/a', 2);
    expect([fired, client.state]).toEqual([0, 'CONNECTED']);
  });

  test('one signal may be that of many calls', async () => {
    const { client } = setUp();
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on('warning', note);
    const { signal } = new AbortController();
    for (let count = 0; count < 20; count++) {
      client.sync('/', { signal }).catch(() => {});
      client.create('/a', '', { protected: true, signal }).catch(() => {});
      void client.watchData('/a', { signal })[Symbol.asyncIterator]().next();
      void client.close({ signal });
      void client.connected({ signal });
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  test('an aborted signal sends nothing', async () => {
    const { ensemble, client } = setUp();
    expect((await errorOf(client.sync('/', { signal: AbortSignal.abort() }))).name).toBe('AbortError');
    expect(ensemble.take()).toEqual([]);
  });

  test('connect gives up, and the client with it', async () => {
    const clock = new VirtualClock();
    const ensemble = new FakeEnsemble(clock);
    const controller = new AbortController();
    const error = errorOf(Client.connect({ connector: ensemble, clock, signal: controller.signal }));
    controller.abort('too long');
    expect(await error).toBe('too long');
    clock.advance(100_000);
    expect(ensemble.connections.length).toBe(1);
    expect(ensemble.last.closed).toBe(true);
  });

  test('an aborted close ends the client at once', async () => {
    const { client } = setUp();
    const controller = new AbortController();
    const error = errorOf(client.close({ signal: controller.signal }));
    controller.abort('now');
    expect(await error).toBe('now');
    expect(client.state).toBe('CLOSED');
  });
});

describe('the session', () => {
  test('its states, for loops and listeners', async () => {
    const { clock, ensemble, client } = setUp();
    const heard: string[] = [];
    const stop = client.onState((state) => heard.push(state));
    client.onState(() => {
      throw new Error('of a listener');
    });
    const states = client.states[Symbol.asyncIterator]();
    ensemble.last.cut();
    stop();
    expect(() => clock.step()).toThrow('of a listener');
    ensemble.handshake({ timeOut: 0 });
    const seen: string[] = [];
    for (let next = await states.next(); next.done !== true; next = await states.next()) seen.push(next.value);
    expect(seen).toEqual(['CONNECTED', 'CONNECTING', 'EXPIRED']);
    expect(heard).toEqual(['CONNECTING']);
    expect(await errorOf(client.connected())).toMatchObject({
      code: 'SESSION_EXPIRED',
      message: 'the session is gone, for good: go on with a new client',
    });
    const late = errorOf(client.sync());
    expect(() => clock.step()).toThrow('of a listener');
    clock.step();
    expect(await late).toMatchObject({ code: 'SESSION_EXPIRED' });
  });

  test('says why no server is connected, and a call that is lost with one says it too', async () => {
    const { clock, ensemble, client } = setUp();
    expect(client.disconnectReason).toBeUndefined();
    const lost = errorOf(client.setData('/a', 'x'));
    const reason = new Error('reset');
    ensemble.last.handler.onClose(reason);
    expect([client.disconnectReason, (await lost).cause]).toEqual([reason, reason]);
    ensemble.handshake();
    expect(client.disconnectReason).toBeUndefined();
    clock.advance(client.sessionTimeoutMs);
    expect(client.disconnectReason?.message).toMatch(/^no session within \d+ ms$/);
  });

  test('a connector that cannot be used ends the client, once', () => {
    const clock = new VirtualClock();
    const connector = {
      servers: 1,
      connect: () => {
        throw new TypeError('not so');
      },
    };
    expect(() => new Client({ connector, clock })).toThrow('not so');
    clock.advance(100_000);
  });

  test('can be taken up by another client', () => {
    const { clock, ensemble, client } = setUp();
    const { session } = client;
    expect(session).toEqual({ id: 0x77n, password: new Uint8Array(16).fill(7) });
    new Client({ connector: ensemble, clock, session });
    ensemble.last.handler.onOpen();
    expect(ensemble.take().at(-1)).toBe('0 send connect session=119 seen=0 timeout=10000 password=7');
  });

  test('is closed by disposal, and once', async () => {
    const { ensemble, client } = setUp();
    const both = Promise.all([client[Symbol.asyncDispose](), client.close()]);
    expect(ensemble.take()).toEqual(['0 send 1 closeSession']);
    ensemble.last.reply(1);
    await both;
    expect(client.state).toBe('CLOSED');
  });

  test('addAuth resolves when a server has taken it', async () => {
    const { ensemble, client } = setUp();
    const done = client.addAuth('digest', 'user:password');
    expect(ensemble.take()).toEqual(['0 send auth']);
    ensemble.last.replyTo(-4, 0);
    await done;
    const refused = errorOf(client.addAuth('digest', 'x'));
    ensemble.last.replyTo(-4, 0, undefined, ErrorCode.AUTH_FAILED);
    expect(await refused).toMatchObject({ code: 'AUTH_FAILED', operation: 'auth' });
    expect(client.state).toBe('AUTH_FAILED');
  });
});
