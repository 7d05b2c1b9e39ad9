/** Creates that are safe to repeat: what is sent after a lost connection, and what the caller gets. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { CreateMode, ErrorCode, OpCode, type RequestMessage } from '@quorate/protocol';
import { describe, expect, test } from 'vitest';
import { Client, type ClientOptions, type CreateCallOptions } from '../src/index.js';
import { FakeEnsemble, someStat } from './fake-ensemble.js';

const SEQUENTIAL: CreateCallOptions = { mode: CreateMode.EPHEMERAL_SEQUENTIAL, protected: true };

function setUp(options: Partial<ClientOptions> = {}) {
  const clock = new VirtualClock();
  const ensemble = new FakeEnsemble(clock);
  const client = new Client({ connector: ensemble, clock, random: new SeededRandom(1), firstServer: 0, ...options });
  ensemble.handshake();
  /** Lets everything that follows from what has happened be asked. */
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return {
    clock,
    ensemble,
    client,
    settle,
    /** The connection is lost and there is another one. */
    reconnect: async () => {
      ensemble.last.cut();
      clock.advance(100);
      ensemble.handshake();
      await settle();
      clock.advance(200);
      await settle();
    },
    /** The requests of the present connection: their operation and path, the id left out. */
    asked: () =>
      ensemble.last.requests.map(({ request }) => `${nameOf(request.type)} ${pathOf(request).replace(/_c_[0-9a-f]{32}-/, 'ID-')}`),
  };
}

const nameOf = (type: number) => Object.entries(OpCode).find(([, code]) => code === type)?.[0];
const pathOf = (request: RequestMessage['request']) => ('path' in request ? request.path : '');
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

function idIn({ last }: FakeEnsemble): string {
  const path = pathOf((last.requests[0] as RequestMessage).request);
  return path.slice(path.lastIndexOf('/') + 1);
}

describe('a protected create', () => {
  test('has an id of the form of Curator and kazoo, another one each time', async () => {
    const { ensemble, client } = setUp();
    const paths = ['/locks/', '/locks/x-', '/x-'].map((path) => {
      void client.create(path, '', SEQUENTIAL).catch(() => {});
      return pathOf((ensemble.last.requests.at(-1) as RequestMessage).request);
    });
    const shapes = [/^\/locks\/_c_[0-9a-f]{32}-$/, /^\/locks\/_c_[0-9a-f]{32}-x-$/, /^\/_c_[0-9a-f]{32}-x-$/];
    for (const [index, shape] of shapes.entries()) expect(paths[index]).toMatch(shape);
    expect(new Set(paths.map((path) => path.match(/[0-9a-f]{32}/)?.[0])).size).toBe(3);
  });

  test('finds what the lost connection has created', async () => {
    const { ensemble, client, reconnect, settle, asked } = setUp();
    const created = client.create('/locks/x-', '', SEQUENTIAL);
    const name = `${idIn(ensemble)}0000000007`;
    await reconnect();
    expect(asked()).toEqual(['sync /locks']);
    ensemble.last.reply(5, { type: OpCode.sync, path: '/locks' });
    await settle();
    ensemble.last.reply(5, { type: OpCode.getChildren2, children: ['other', name], stat: someStat });
    await settle();
    expect(asked()).toEqual(['sync /locks', 'getChildren2 /locks', 'exists /locks/ID-x-0000000007']);
    ensemble.last.reply(5, { type: OpCode.exists, stat: someStat });
    expect(await created).toEqual({ path: `/locks/${name}`, stat: someStat });
  });

  test('creates again where it finds nothing, by the same id, over any number of losses', async () => {
    const { ensemble, client, reconnect, settle, asked } = setUp();
    const created = client.create('/locks/x-', '', SEQUENTIAL);
    const name = idIn(ensemble);
    await reconnect();
    await reconnect();
    ensemble.last.reply(5, { type: OpCode.sync, path: '/locks' });
    await settle();
    await reconnect();
    ensemble.last.reply(5, { type: OpCode.sync, path: '/locks' });
    await settle();
    ensemble.last.reply(5, { type: OpCode.getChildren2, children: ['_c_0123-x-0000000001'], stat: someStat });
    await settle();
    expect(asked()).toEqual(['sync /locks', 'getChildren2 /locks', 'create2 /locks/ID-x-']);
    expect(pathOf((ensemble.last.requests[2] as RequestMessage).request)).toBe(`/locks/${name}`);
    ensemble.last.reply(6, { type: OpCode.create2, path: `/locks/${name}0000000009`, stat: someStat });
    expect((await created).path).toBe(`/locks/${name}0000000009`);
  });

  test('ends with the session', async () => {
    const { clock, ensemble, client, reconnect, settle } = setUp();
    const error = errorOf(client.create('/locks/x-', '', SEQUENTIAL));
    await reconnect();
    ensemble.last.cut();
    clock.advance(100);
    ensemble.handshake({ timeOut: 0 });
    await settle();
    clock.advance(200);
    await settle();
    // A refusal is told in a turn of its own.
    clock.step();
    expect(await error).toMatchObject({ code: 'SESSION_EXPIRED' });
  });

  test('says that the outcome is unknown where it may not look', async () => {
    const { ensemble, client, reconnect, settle } = setUp();
    const error = errorOf(client.create('/locks/x-', '', SEQUENTIAL));
    await reconnect();
    ensemble.last.reply(5, { type: OpCode.sync, path: '/locks' });
    await settle();
    ensemble.last.reply(5, undefined, ErrorCode.NO_AUTH);
    expect(await error).toMatchObject({ code: 'CONNECTION_LOSS', cause: { code: 'NO_AUTH' } });
  });

  test('is refused as any other', async () => {
    const { ensemble, client } = setUp();
    const error = errorOf(client.create('/locks/x-', '', SEQUENTIAL));
    ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    expect(await error).toMatchObject({ code: 'NO_NODE' });
    expect(await errorOf(client.create('/', '', { protected: true }))).toMatchObject({ code: 'BAD_ARGUMENTS' });
    expect(await errorOf(client.create('/x', '', { protected: 1 as never }))).toMatchObject({
      message: expect.stringMatching(/protected must be true or false, not 1/),
    });
    const inMulti = { op: 'create', path: '/x', protected: true } as never;
    expect(await errorOf(client.multi([inMulti]))).toMatchObject({ message: expect.stringMatching(/cannot be protected/) });
  });
});

describe('an aborted one', () => {
  test('that was not sent is withdrawn', async () => {
    const { ensemble, client, settle, asked } = setUp();
    ensemble.last.cut();
    const controller = new AbortController();
    const error = errorOf(client.create('/locks/x-', '', { ...SEQUENTIAL, signal: controller.signal }));
    controller.abort('enough');
    expect(await error).toBe('enough');
    ensemble.handshake();
    await settle();
    expect(asked()).toEqual([]);
  });

  test('is deleted where it is done all the same', async () => {
    const { ensemble, client, settle, asked, reconnect } = setUp();
    const controller = new AbortController();
    const error = errorOf(client.create('/locks/x-', '', { ...SEQUENTIAL, signal: controller.signal }));
    const path = `/locks/${idIn(ensemble)}0000000001`;
    controller.abort('enough');
    expect(await error).toBe('enough');
    ensemble.last.reply(1, { type: OpCode.create2, path, stat: someStat });
    await settle();
    expect(asked()).toEqual(['create2 /locks/ID-x-', 'delete /locks/ID-x-0000000001']);
    await reconnect();
    expect(asked()).toEqual(['delete /locks/ID-x-0000000001']);
  });

  test('is looked for where its connection was lost, and not created again', async () => {
    const { ensemble, client, settle, asked, reconnect } = setUp();
    const controller = new AbortController();
    const error = errorOf(client.create('/locks/x-', '', { ...SEQUENTIAL, signal: controller.signal }));
    await reconnect();
    controller.abort('enough');
    expect(await error).toBe('enough');
    ensemble.last.reply(1, { type: OpCode.sync, path: '/locks' });
    await settle();
    ensemble.last.reply(1, { type: OpCode.getChildren2, children: [], stat: someStat });
    await settle();
    expect(asked()).toEqual(['sync /locks', 'getChildren2 /locks']);
  });
});
