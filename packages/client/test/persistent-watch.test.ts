/** Watches that stay: what they are told, when the server is told of them, and what becomes of them over reconnections. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { ErrorCode, OpCode, WatcherType } from '@quorate/protocol';
import { describe, expect, test } from 'vitest';
import { Client, EVENTS_KEPT_MAX, type PersistentWatch, type WatchEvent } from '../src/index.js';
import { FakeEnsemble, someStat } from './fake-ensemble.js';

function setUp() {
  const clock = new VirtualClock();
  const ensemble = new FakeEnsemble(clock);
  const client = new Client({ connector: ensemble, clock, random: new SeededRandom(1), firstServer: 0 });
  ensemble.handshake();
  ensemble.take();
  const told: string[] = [];
  const watch = (event: WatchEvent): void => void told.push(inWords(event));
  /** A watch that the server has set. */
  const add = (path: string, options: { recursive?: boolean; watch?: (event: WatchEvent) => void } = {}): Promise<PersistentWatch> => {
    const adding = client.addWatch(path, options);
    ensemble.last.reply(1, { type: OpCode.addWatch });
    return adding;
  };
  const reconnect = (): void => {
    ensemble.last.cut();
    ensemble.handshake();
  };
  /** What has been sent since the last call, without the handshake. */
  const sent = (): string[] =>
    ensemble
      .take()
      .filter((line) => line.includes('send') && !line.includes('send connect'))
      .map((line) => line.replace(/^\d+ send /, ''));
  return { clock, ensemble, client, told, watch, add, reconnect, sent };
}

const inWords = ({ type, path, zxid }: WatchEvent): string => `${type} ${path} ${zxid}`;

async function collect(events: AsyncIterable<WatchEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) seen.push(inWords(event));
  return seen;
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'OK',
    (error: { code?: unknown; name: string }) => (typeof error.code === 'string' ? error.code : error.name),
  );

describe('a watch that stays', () => {
  test('is told of each event, by loop or callback, until it is taken back', async () => {
    const { ensemble, add, sent, told, watch } = setUp();
    const looped = await add('/a');
    const called = await add('/a', { watch });
    ensemble.last.event('nodeCreated', '/a', 2);
    ensemble.last.event('nodeChildrenChanged', '/a', 3);
    ensemble.last.event('nodeDataChanged', '/a/b', 4);
    ensemble.last.event('nodeDataChanged', '/a', 5);
    const loop = collect(looped);
    await looped.remove();
    ensemble.last.event('nodeDeleted', '/a', 6);
    expect(await loop).toEqual(['NODE_CREATED /a 2', 'NODE_CHILDREN_CHANGED /a 3', 'NODE_DATA_CHANGED /a 5']);
    expect(told).toEqual([...(await loop), 'NODE_DELETED /a 6']);
    // The server has one watch, and loses it with the last of both.
    expect(sent()).toEqual(['1 addWatch /a mode=0', '2 addWatch /a mode=0']);
    const removing = called.remove();
    expect(called.remove()).toEqual(removing);
    expect(sent()).toEqual(['3 removeWatches /a type=4']);
    ensemble.last.event('nodeCreated', '/a', 7);
    ensemble.last.reply(7);
    await removing;
    expect(told).toHaveLength(4);
  });

  test('recursive, is told of everything below it but children, which are for others', async () => {
    const { ensemble, add, told, watch } = setUp();
    await add('/a', { recursive: true, watch });
    ensemble.last.event('nodeCreated', '/a', 2);
    ensemble.last.event('nodeDataChanged', '/a/b/c', 3);
    ensemble.last.event('nodeChildrenChanged', '/a', 4);
    ensemble.last.event('nodeDeleted', '/ab', 5);
    expect(told).toEqual(['NODE_CREATED /a 2', 'NODE_DATA_CHANGED /a/b/c 3']);
  });

  test('leaves one-shot watches what they are, and a function is called once per event', async () => {
    const { ensemble, client, add, told, watch } = setUp();
    void client.exists('/a', { watch });
    ensemble.last.reply(1, { type: OpCode.exists, stat: someStat });
    await add('/', { recursive: true });
    void client.getChildren('/a', { watch });
    ensemble.last.reply(1, { type: OpCode.getChildren2, children: [], stat: someStat });
    ensemble.last.event('nodeDeleted', '/a', 2);
    ensemble.last.event('nodeCreated', '/a', 3);
    expect(told).toEqual(['NODE_DELETED /a 2']);
  });

  test('keeps what comes before its first loop, and tells a loop that lags what it has lost', async () => {
    const { ensemble, add } = setUp();
    const watch = await add('/a');
    for (let zxid = 2; zxid < EVENTS_KEPT_MAX + 4; zxid++) ensemble.last.event('nodeDataChanged', '/a', zxid);
    const loop = watch[Symbol.asyncIterator]();
    const first = [(await loop.next()).value, (await loop.next()).value];
    expect(first.map(inWords)).toEqual(['EVENTS_MISSED /a 3', 'NODE_DATA_CHANGED /a 4']);
    // Another loop begins when it begins.
    const second = collect(watch);
    ensemble.last.event('nodeDeleted', '/a', 9999);
    void watch.remove();
    expect(await second).toEqual(['NODE_DELETED /a 9999']);
  });

  test('is none where the server refuses, the connection ends first, or the arguments are bad', async () => {
    const { ensemble, client, reconnect, sent } = setUp();
    const refused = client.addWatch('/a');
    ensemble.last.reply(1, undefined, ErrorCode.UNIMPLEMENTED);
    const lost = client.addWatch('/a', { retry: false });
    reconnect();
    expect(await Promise.all([refused, lost, client.addWatch('a'), client.addWatch('/a', { watch: 7 as never })].map(codeOf))).toEqual([
      'UNIMPLEMENTED',
      'CONNECTION_LOSS',
      'BAD_ARGUMENTS',
      'TypeError',
    ]);
    expect(sent().slice(2)).toEqual([]);
  });

  test('that is aborted is not left on the server', async () => {
    const { ensemble, client, sent, told, watch } = setUp();
    const abort = new AbortController();
    const adding = codeOf(client.addWatch('/a', { signal: abort.signal, watch }));
    abort.abort();
    expect(await adding).toBe('AbortError');
    ensemble.last.reply(1, { type: OpCode.addWatch });
    expect(sent()).toEqual(['1 addWatch /a mode=0', '2 removeWatches /a type=4']);
    ensemble.last.event('nodeCreated', '/a', 2);
    // One that was not sent is held back.
    ensemble.last.cut();
    const later = new AbortController();
    const waiting = codeOf(client.addWatch('/b', { signal: later.signal }));
    later.abort();
    ensemble.handshake();
    expect(await waiting).toBe('AbortError');
    expect([sent(), told]).toEqual([[], []]);
  });

  test('is not taken back on the server while another one of its path and mode is being set', async () => {
    const { ensemble, client, add, sent } = setUp();
    const first = await add('/a');
    const second = client.addWatch('/a');
    const third = client.addWatch('/a', { recursive: true });
    await first.remove();
    ensemble.last.reply(2, { type: OpCode.addWatch });
    ensemble.last.reply(2, { type: OpCode.addWatch });
    const loop = collect(await second);
    ensemble.last.event('nodeCreated', '/a', 3);
    void (await second).remove();
    expect(await loop).toEqual(['NODE_CREATED /a 3']);
    await third;
    expect(sent().slice(3)).toEqual(['4 removeWatches /a type=4']);
  });

  test('ends with the session, without a word', async () => {
    const { ensemble, client, add, told, watch } = setUp();
    const loop = collect(await add('/a'));
    const called = await add('/b', { watch });
    void client.close();
    ensemble.last.reply(2);
    expect(await loop).toEqual([]);
    await called.remove();
    expect(told).toEqual([]);
  });

  test('can be disposed of', async () => {
    const { ensemble, add, sent } = setUp();
    const watch = await add('/a', { recursive: true });
    sent();
    const disposing = watch[Symbol.asyncDispose]();
    // Apache ZooKeeper before 3.9 does not know the type: it is over all the same.
    ensemble.last.reply(2, undefined, ErrorCode.MARSHALLING_ERROR);
    await disposing;
    expect(sent()).toEqual(['2 removeWatches /a type=5']);
  });
});

describe('on a new connection', () => {
  test('watches that stay are set again by setWatches2, and told that they may have missed something', async () => {
    const { ensemble, client, add, reconnect, sent, told, watch } = setUp();
    await add('/a', { watch });
    await add('/', { recursive: true, watch: (event) => watch({ ...event, path: `below / ${event.path}` }) });
    void client.getData('/a', { watch });
    ensemble.last.reply(2, { type: OpCode.getData, data: null, stat: someStat });
    sent();
    reconnect();
    expect(sent()).toEqual(['setWatches2 since=2 data=/a exist= child= persistent=/a recursive=/']);
    // Before the answer what the one-shot watches have missed is told, and to them alone.
    ensemble.last.event('nodeDataChanged', '/a', 4);
    expect(told.splice(0)).toEqual(['NODE_DATA_CHANGED /a 4']);
    ensemble.last.replyTo(-8, 5);
    ensemble.last.event('nodeDataChanged', '/a', 6);
    expect(told).toEqual(['EVENTS_MISSED /a 5', 'EVENTS_MISSED below / / 5', 'NODE_DATA_CHANGED /a 6', 'NODE_DATA_CHANGED below / /a 6']);
  });

  test('nothing is said where nothing can have been missed', async () => {
    const { ensemble, add, reconnect, told, watch } = setUp();
    await add('/a', { watch });
    reconnect();
    ensemble.last.replyTo(-8, 1);
    ensemble.last.event('nodeCreated', '/a', 2);
    expect(told).toEqual(['NODE_CREATED /a 2']);
  });

  test('a server that knows setWatches alone is asked no more than that while there are one-shot watches alone', async () => {
    const { ensemble, client, add, reconnect, sent } = setUp();
    void client.getData('/a', { watch: () => {} });
    ensemble.last.reply(1, { type: OpCode.getData, data: null, stat: someStat });
    const watch = await add('/a');
    void watch.remove();
    sent();
    reconnect();
    expect(sent()).toEqual(['setWatches since=1 data=/a exist= child=']);
  });

  test('those that were taken back meanwhile, or whose removal was not answered, are not set again', async () => {
    const { ensemble, add, reconnect, sent } = setUp();
    const [a, b] = [await add('/a'), await add('/b')];
    const removing = a.remove();
    ensemble.last.cut();
    await removing;
    await b.remove();
    sent();
    ensemble.handshake();
    expect(sent()).toEqual([]);
    reconnect();
    expect(sent()).toEqual([]);
  });
});

describe('removeWatches', () => {
  test('takes back watches of one type or all, and tells their watchers', async () => {
    const { ensemble, client, add, told, watch, reconnect, sent } = setUp();
    void client.getData('/a', { watch });
    ensemble.last.reply(1, { type: OpCode.getData, data: null, stat: someStat });
    void client.exists('/a', { watch });
    ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    void client.getChildren('/a', { watch });
    ensemble.last.reply(1, { type: OpCode.getChildren2, children: [], stat: someStat });
    const [persistent, recursive] = [await add('/a'), await add('/a', { recursive: true, watch })];
    const loop = collect(persistent);
    const data = client.removeWatches('/a', { type: WatcherType.data });
    ensemble.last.reply(2);
    await data;
    expect(told.splice(0)).toEqual(['DATA_WATCH_REMOVED /a 2']);
    const all = client.removeWatches('/a');
    ensemble.last.event('nodeChildrenChanged', '/a', 3);
    ensemble.last.reply(4);
    await all;
    expect(told.splice(0)).toEqual(['NODE_CHILDREN_CHANGED /a 3', 'PERSISTENT_WATCH_REMOVED /a 4']);
    expect(await loop).toEqual(['NODE_CHILDREN_CHANGED /a 3', 'PERSISTENT_WATCH_REMOVED /a 4']);
    sent();
    await Promise.all([persistent.remove(), recursive.remove()]);
    reconnect();
    expect(sent()).toEqual([]);
  });

  test('rejects where there is none, and for what is no type', async () => {
    const { ensemble, client } = setUp();
    const none = codeOf(client.removeWatches('/a'));
    ensemble.last.reply(1, undefined, ErrorCode.NO_WATCHER);
    expect([await none, await codeOf(client.removeWatches('/a', { type: 9 as never }))]).toEqual(['NO_WATCHER', 'BAD_ARGUMENTS']);
  });

  test('without a server waits for one, or with `local` does without', async () => {
    const { clock, ensemble, client, add, told, watch, sent } = setUp();
    for (const path of ['/a', '/b', '/c']) await add(path, { watch });
    const unanswered = [codeOf(client.removeWatches('/a')), codeOf(client.removeWatches('/b', { local: true }))];
    ensemble.last.cut();
    const local = ['/c', '/none'].map((path) => codeOf(client.removeWatches(path, { local: true })));
    const waits = codeOf(client.removeWatches('/a'));
    expect(await Promise.all([...unanswered, ...local])).toEqual(['CONNECTION_LOSS', 'OK', 'OK', 'NO_WATCHER']);
    clock.advance(0);
    expect(told.splice(0)).toEqual(['PERSISTENT_WATCH_REMOVED /b 1', 'PERSISTENT_WATCH_REMOVED /c 1']);
    sent();
    ensemble.handshake();
    expect(sent()).toEqual(['setWatches2 since=1 data= exist= child= persistent=/a recursive=', '6 removeWatches /a type=3']);
    ensemble.last.replyTo(-8, 1);
    ensemble.last.reply(1);
    expect(await waits).toBe('OK');
    expect(told).toEqual(['PERSISTENT_WATCH_REMOVED /a 1']);
  });
});
