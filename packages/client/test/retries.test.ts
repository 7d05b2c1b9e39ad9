/** Which calls are made again, when, and how often. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { ErrorCode, OpCode } from '@quorate/protocol';
import { describe, expect, test } from 'vitest';
import { type CallOptions, Client, type ClientOptions, type RetryPolicy } from '../src/index.js';
import { FakeEnsemble, someStat } from './fake-ensemble.js';

function setUp(options: Partial<ClientOptions> = {}) {
  const clock = new VirtualClock();
  const ensemble = new FakeEnsemble(clock);
  const client = new Client({ connector: ensemble, clock, random: new SeededRandom(1), firstServer: 0, ...options });
  ensemble.handshake();
  return {
    clock,
    ensemble,
    client,
    /** The connection is lost, there is another one, and so much time has passed. */
    reconnect: (ms = 100) => {
      ensemble.last.cut();
      clock.advance(50);
      ensemble.handshake();
      clock.advance(ms);
    },
  };
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const ignore = () => {};

describe('after a lost connection', () => {
  const calls: [string, boolean, (client: Client, options: CallOptions) => Promise<unknown>][] = [
    ['exists', true, (client, options) => client.exists('/a', options)],
    ['getData', true, (client, options) => client.getData('/a', options)],
    ['getChildren', true, (client, options) => client.getChildren('/a', options)],
    ['getACL', true, (client, options) => client.getACL('/a', options)],
    ['sync', true, (client, options) => client.sync('/', options)],
    ['multiRead', true, (client, options) => client.multiRead([{ op: 'getData', path: '/a' }], options)],
    ['getEphemerals', true, (client, options) => client.getEphemerals('/', options)],
    ['getAllChildrenNumber', true, (client, options) => client.getAllChildrenNumber('/', options)],
    ['whoAmI', true, (client, options) => client.whoAmI(options)],
    ['checkWatches', true, (client, options) => client.checkWatches('/a', options)],
    ['addWatch', true, (client, options) => client.addWatch('/a', options)],
    ['create', false, (client, options) => client.create('/a', '', options)],
    ['delete', false, (client, options) => client.delete('/a', { version: 3, ...options })],
    ['setData', false, (client, options) => client.setData('/a', '', { version: 3, ...options })],
    ['setACL', false, (client, options) => client.setACL('/a', [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }], options)],
    ['multi', false, (client, options) => client.multi([{ op: 'check', path: '/a' }], options)],
  ];

  test.each(calls)('%s is made again: %s', async (_name, again, call) => {
    const { ensemble, client, reconnect } = setUp();
    const error = errorOf(call(client, {}));
    const first = ensemble.last.requests[0]?.request;
    reconnect();
    expect(ensemble.last.requests.map(({ request }) => request)).toEqual(again ? [first] : []);
    if (!again) expect(await error).toMatchObject({ code: 'CONNECTION_LOSS' });
  });

  test.each(calls)('%s is made again where it may be done twice, and not at all where it must not', async (_name, _again, call) => {
    const { ensemble, client, reconnect } = setUp();
    const error = errorOf(call(client, { retry: false, idempotent: true }));
    call(client, { idempotent: true }).catch(ignore);
    reconnect();
    expect([ensemble.last.requests.length, await error]).toMatchObject([1, { code: 'CONNECTION_LOSS' }]);
  });

  test('a read with a watch is one, with its watch', async () => {
    const { ensemble, client, reconnect } = setUp();
    let fired = 0;
    const read = client.getData('/a', { watch: () => fired++ });
    reconnect();
    ensemble.last.reply(2, { type: OpCode.getData, data: null, stat: someStat });
    await read;
    ensemble.last.event('nodeDataChanged', '/a', 3);
    expect(fired).toBe(1);
  });

  test('a client that shall make nothing again does not, unless a call says otherwise', async () => {
    const { ensemble, client, reconnect } = setUp({ retry: false });
    const error = errorOf(client.exists('/a'));
    client.exists('/b', { retry: {} }).catch(ignore);
    reconnect();
    expect(await error).toMatchObject({ code: 'CONNECTION_LOSS' });
    expect(ensemble.last.requests.map(({ request }) => 'path' in request && request.path)).toEqual(['/b']);
  });
});

describe('a call is made again', () => {
  const throttled = (ensemble: FakeEnsemble) => ensemble.last.reply(1, undefined, ErrorCode.THROTTLED_OP);

  /** When a call that is always refused is sent. */
  function times(policy: RetryPolicy): number[] {
    const { clock, ensemble, client } = setUp({ sessionTimeoutMs: 1_000_000 });
    const seen: number[] = [];
    client.setData('/a', '', { retry: policy }).catch(ignore);
    for (let step = 0; step < 2_000; step++) {
      if (ensemble.last.unanswered > 0) {
        seen.push(clock.now());
        throttled(ensemble);
      }
      ensemble.last.replyTo(-2, 0);
      clock.advance(1);
    }
    return seen;
  }

  test('where a server has throttled it, whatever it is, after pauses that grow and have jitter', () => {
    const seen = times({ attemptsMax: 6, pauseMinMs: 100, pauseMaxMs: 300 });
    const pauses = seen.slice(1).map((at, index) => at - (seen[index] as number));
    for (const [index, longest] of [100, 200, 300, 300, 300].entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(longest / 2);
      expect(pauses[index]).toBeLessThanOrEqual(longest + 1);
    }
    expect(new Set(pauses).size).toBeGreaterThan(3);
    expect(pauses.length).toBe(5);
  });

  test('five times in all, and no longer than was said', () => {
    expect(times({ pauseMinMs: 1 }).length).toBe(5);
    const seen = times({ attemptsMax: 1000, pauseMinMs: 100, pauseMaxMs: 100, totalMs: 500 });
    expect(seen.at(-1)).toBeLessThanOrEqual(500);
    expect(seen.length).toBeGreaterThan(4);
  });

  test('and fails with what was said last', async () => {
    const { clock, ensemble, client } = setUp();
    const error = errorOf(client.setData('/a', '', { retry: { attemptsMax: 2 } }));
    throttled(ensemble);
    clock.advance(20);
    ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    expect(await error).toMatchObject({ code: 'NO_NODE' });
  });

  test('not while the client has no room for it: that is what the limit is for', async () => {
    const { clock, client } = setUp({ callsMax: 1 });
    client.sync().catch(ignore);
    const error = errorOf(client.sync());
    clock.advance(0);
    expect(await error).toMatchObject({ code: 'THROTTLED_OP' });
  });

  test('not once its signal is aborted, also in the pause', async () => {
    const { clock, ensemble, client } = setUp();
    const controller = new AbortController();
    const error = errorOf(client.exists('/a', { signal: controller.signal }));
    throttled(ensemble);
    controller.abort('enough');
    expect(await error).toBe('enough');
    clock.advance(100);
    expect(ensemble.last.unanswered).toBe(0);
  });

  test('a watch that stays and was given up in the pause is needed by nobody', async () => {
    const { clock, ensemble, client } = setUp();
    const controller = new AbortController();
    const error = errorOf(client.addWatch('/a', { signal: controller.signal }));
    throttled(ensemble);
    controller.abort('enough');
    expect(await error).toBe('enough');
    clock.advance(100);
    const adding = client.addWatch('/a');
    ensemble.last.reply(1, { type: OpCode.addWatch });
    void (await adding).remove();
    expect(ensemble.take().at(-1)).toMatch(/removeWatches \/a/);
  });

  test('a read that is lost each time says no more than that', async () => {
    const { clock, ensemble, client } = setUp();
    const error = errorOf(client.getData('/a'));
    ensemble.last.cut();
    ensemble.handshake({ timeOut: 0 });
    clock.advance(100);
    expect(await error).toMatchObject({ message: expect.stringMatching(/^getData \/a: SESSION_EXPIRED, the session has ended for good/) });
  });

  test('one whose first performance is unknown says so in the end', async () => {
    const { clock, ensemble, client } = setUp();
    const error = errorOf(client.setData('/a', '', { idempotent: true }));
    ensemble.last.cut();
    ensemble.handshake({ timeOut: 0 });
    clock.advance(100);
    expect(await error).toMatchObject({
      code: 'SESSION_EXPIRED',
      message: expect.stringContaining('what was sent before may have been performed'),
    });
  });
});

test('a policy that makes no sense is refused', async () => {
  expect(() => setUp({ retry: { attemptsMax: 0 } })).toThrow(/retry\.attemptsMax must be a whole number from 1/);
  expect(() => setUp({ retry: { pauseMinMs: 10, pauseMaxMs: 5 } })).toThrow(/retry\.pauseMaxMs must be a whole number from 10/);
  const { client } = setUp();
  expect(await errorOf(client.sync('/', { retry: 3 as never }))).toMatchObject({ message: 'retry must be a RetryPolicy or false, not 3' });
  expect(await errorOf(client.sync('/', { idempotent: 1 as never }))).toMatchObject({ message: 'idempotent must be true or false, not 1' });
});
