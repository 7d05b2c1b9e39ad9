/** What a loop over a znode asks a server for. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { OpCode } from '@quorate/protocol';
import { expect, test } from 'vitest';
import { Client } from '../src/index.js';
import { FakeEnsemble, someStat, zxid } from './fake-ensemble.js';

test('a loop reads once for each change that it is told of, whatever changes meanwhile', async () => {
  const clock = new VirtualClock();
  const ensemble = new FakeEnsemble(clock);
  const client = new Client({ connector: ensemble, clock, random: new SeededRandom(1), firstServer: 0 });
  const { last } = ensemble;
  ensemble.handshake();
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const answer = async (at: number) => {
    await settle();
    last.reply(at, { type: OpCode.getData, data: null, stat: { ...someStat, mzxid: zxid(at) } });
    await settle();
  };
  const loop = client.watchData('/a')[Symbol.asyncIterator]();
  const first = loop.next();
  await answer(1);
  expect((await first).value?.stat.mzxid).toBe(1);
  const second = loop.next();
  last.event('nodeDataChanged', '/a', 2);
  await answer(2);
  expect((await second).value?.stat.mzxid).toBe(2);
  void loop.next();
  await settle();
  expect([last.requests.length, last.unanswered]).toEqual([2, 0]);
});

test('a path or a signal that is none is told at the call', () => {
  const clock = new VirtualClock();
  const client = new Client({ connector: new FakeEnsemble(clock), clock, random: new SeededRandom(1), firstServer: 0 });
  for (const watch of ['watchData', 'watchChildren', 'watchExists'] as const) {
    expect(() => client[watch]('a')).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENTS' }));
    expect(() => client[watch]('/a', { signal: 7 as never })).toThrow(TypeError);
  }
});
