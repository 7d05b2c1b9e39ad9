/** A client with a chroot: what the server gets, and what the caller. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { CreateMode, ErrorCode, OpCode, type Request } from '@quorate/protocol';
import { describe, expect, test } from 'vitest';
import { Client, type ClientOptions, type WatchEvent } from '../src/index.js';
import { FakeEnsemble, someStat } from './fake-ensemble.js';

function setUp(options: Partial<ClientOptions> = {}) {
  const clock = new VirtualClock();
  const ensemble = new FakeEnsemble(clock);
  const client = new Client({ connector: ensemble, clock, random: new SeededRandom(1), firstServer: 0, chroot: '/app', ...options });
  ensemble.handshake();
  return { clock, ensemble, client };
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const ignore = () => {};

describe('requests', () => {
  const cases: [string, (client: Client) => Promise<unknown>, string[]][] = [
    ['create', (client) => client.create('/a/b'), ['/app/a/b']],
    ['create of the root', (client) => client.create('/'), ['/app']],
    ['sequential create', (client) => client.create('/a-', '', { mode: CreateMode.EPHEMERAL_SEQUENTIAL }), ['/app/a-']],
    // `/app` with a number would be beside the chroot.
    ['sequential create at the root', (client) => client.create('/', '', { mode: CreateMode.PERSISTENT_SEQUENTIAL }), ['/app/']],
    ['container', (client) => client.create('/c', '', { mode: CreateMode.CONTAINER }), ['/app/c']],
    ['TTL', (client) => client.create('/t', '', { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 7 }), ['/app/t']],
    ['delete', (client) => client.delete('/a'), ['/app/a']],
    ['exists', (client) => client.exists('/'), ['/app']],
    ['getData', (client) => client.getData('/a'), ['/app/a']],
    ['setData', (client) => client.setData('/a', ''), ['/app/a']],
    ['getChildren', (client) => client.getChildren('/'), ['/app']],
    ['getACL', (client) => client.getACL('/a'), ['/app/a']],
    ['setACL', (client) => client.setACL('/a', [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }]), ['/app/a']],
    ['sync', (client) => client.sync(), ['/app']],
    ['getAllChildrenNumber', (client) => client.getAllChildrenNumber('/a'), ['/app/a']],
    // `/app` is a prefix of `/application`.
    ['getEphemerals', (client) => client.getEphemerals(), ['/app/']],
    ['getEphemerals of a prefix', (client) => client.getEphemerals('/a'), ['/app/a']],
    ['addWatch', (client) => client.addWatch('/', { recursive: true }), ['/app']],
    ['checkWatches', (client) => client.checkWatches('/a'), ['/app/a']],
    ['removeWatches', (client) => client.removeWatches('/a'), ['/app/a']],
    [
      'multi',
      (client) =>
        client.multi([
          { op: 'check', path: '/' },
          { op: 'create', path: '/', mode: CreateMode.PERSISTENT_SEQUENTIAL },
          { op: 'delete', path: '/b' },
        ]),
      ['/app', '/app/', '/app/b'],
    ],
    ['multiRead', (client) => client.multiRead([{ op: 'getData', path: '/a' }]), ['/app/a']],
  ];
  test.each(cases)('%s', (_name, call, paths) => {
    const { ensemble, client } = setUp();
    call(client).catch(ignore);
    expect(ensemble.last.requests.flatMap(({ request }) => pathsOf(request))).toEqual(paths);
  });

  test('no path leads out', async () => {
    const { ensemble, client } = setUp();
    for (const path of ['/../etc', '/..', '/a/../..', '..', ''])
      expect(await errorOf(client.getData(path)), path).toMatchObject({ code: 'BAD_ARGUMENTS' });
    expect(ensemble.last.requests).toEqual([]);
  });

  test('the length of a request counts with the chroot', async () => {
    const { client } = setUp({ requestBytesMax: 40 });
    client.exists(`/${'a'.repeat(22)}`).catch(ignore);
    expect(await errorOf(client.exists(`/${'a'.repeat(23)}`))).toMatchObject({ code: 'BAD_ARGUMENTS' });
  });
});

describe('answers', () => {
  test('have the paths of the client', async () => {
    const { ensemble, client } = setUp();
    const created = client.create('/', '', { mode: CreateMode.PERSISTENT_SEQUENTIAL });
    const root = client.create('/');
    const ephemerals = client.getEphemerals();
    const multi = client.multi([{ op: 'create', path: '/x' }]);
    ensemble.last.reply(1, { type: OpCode.create2, path: '/app/0000000000', stat: someStat });
    ensemble.last.reply(2, { type: OpCode.create2, path: '/app', stat: someStat });
    ensemble.last.reply(3, { type: OpCode.getEphemerals, ephemerals: ['/app/e', '/app/f/g'] });
    ensemble.last.reply(4, { type: OpCode.multi, results: [{ type: OpCode.create, path: '/app/x' }] });
    expect([(await created).path, (await root).path, await ephemerals, await multi]).toEqual([
      '/0000000000',
      '/',
      ['/e', '/f/g'],
      [{ op: 'create', path: '/x' }],
    ]);
  });

  test('errors too, and say where the chroot itself is missing', async () => {
    const { ensemble, client } = setUp();
    const errors = [client.getData('/a/b'), client.getData('/'), client.create('/a'), client.multi([{ op: 'check', path: '/m' }])].map(
      errorOf,
    );
    for (let index = 0; index < 3; index++) ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    ensemble.last.reply(1, { type: OpCode.multi, results: [{ type: OpCode.error, err: ErrorCode.NO_NODE }] });
    expect(await Promise.all(errors)).toMatchObject([
      { path: '/a/b', message: 'getData /a/b: NO_NODE, below the chroot /app' },
      { path: '/', message: 'getData /: NO_NODE, the chroot /app does not exist: create it first' },
      { path: '/a', message: 'create /a: NO_NODE, the chroot /app does not exist: create it first' },
      { path: '/m' },
    ]);
  });
});

describe('watches', () => {
  test('are told by the paths of the client, set again by those of the server, and nothing of what is beside', async () => {
    const { ensemble, client } = setUp();
    const told: string[] = [];
    const watch = ({ type, path }: WatchEvent) => told.push(`${type} ${path}`);
    client.exists('/a', { watch }).catch(ignore);
    client.exists('/b', { watch }).catch(ignore);
    client.addWatch('/', { recursive: true, watch }).catch(ignore);
    ensemble.last.reply(1, { type: OpCode.exists, stat: someStat });
    ensemble.last.reply(1, { type: OpCode.exists, stat: someStat });
    ensemble.last.reply(1, { type: OpCode.addWatch });
    ensemble.last.event('nodeDataChanged', '/app/a', 2);
    ensemble.last.event('nodeCreated', '/app', 3);
    ensemble.last.event('nodeCreated', '/application', 3);
    expect(told).toEqual(['NODE_DATA_CHANGED /a', 'NODE_DATA_CHANGED /a', 'NODE_CREATED /']);
    ensemble.last.cut();
    ensemble.take();
    ensemble.handshake();
    expect(ensemble.take().at(-1)).toBe('0 send setWatches2 since=1 data=/app/b exist= child= persistent= recursive=/app');
    ensemble.last.replyTo(-8, 4);
    expect(told.at(-1)).toBe('EVENTS_MISSED /');
  });

  test('many are set again in requests that are short enough with the chroot', () => {
    const { ensemble, client } = setUp({ chroot: `/${'c'.repeat(1000)}` });
    for (let index = 0; index < 300; index++) {
      client.exists(`/${index}`, { watch: ignore }).catch(ignore);
      ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    }
    ensemble.last.cut();
    ensemble.take();
    ensemble.handshake();
    expect(ensemble.take().filter((line) => line.includes('setWatches')).length).toBe(3);
  });
});

describe('the chroot', () => {
  test('of the connector, and below it the client its own', () => {
    const clock = new VirtualClock();
    const ensemble = new FakeEnsemble(clock);
    const connector = { servers: 1, chroot: '/app', connect: ensemble.connect.bind(ensemble) };
    expect(new Client({ connector, clock }).chroot).toBe('/app');
    expect(new Client({ connector, clock, chroot: '/sub' }).chroot).toBe('/app/sub');
    expect(new Client({ connector, clock, chroot: '/' }).chroot).toBe('/app');
    expect(new Client({ connector: ensemble, clock, chroot: '/' }).chroot).toBe('/');
  });

  test.each([
    ['app', /chroot "app": a path must start with \//],
    ['/app/', /must not end with \//],
    ['/..', /must not be/],
    [7, /chroot must be a string like '\/app', not 7/],
  ])('is not %j', (chroot, message) => {
    expect(() => setUp({ chroot: chroot as string })).toThrow(message);
  });
});

function pathsOf(request: Request): string[] {
  if (request.type === OpCode.multi || request.type === OpCode.multiRead) return request.ops.map(({ path }) => path);
  if (request.type === OpCode.getEphemerals) return [request.prefixPath];
  return 'path' in request ? [request.path] : [];
}
