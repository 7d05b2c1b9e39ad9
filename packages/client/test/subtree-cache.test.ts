/** What a cache asks for when answers and events cross; packages/quorate has it follow an ensemble. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { ErrorCode, OpCode } from '@quorate/protocol';
import { expect, test } from 'vitest';
import { Client, SubtreeCache } from '../src/index.js';
import { FakeEnsemble, someStat, zxid } from './fake-ensemble.js';

async function opened() {
  const clock = new VirtualClock();
  const ensemble = new FakeEnsemble(clock);
  const client = new Client({ connector: ensemble, clock, random: new SeededRandom(1), firstServer: 0 });
  ensemble.handshake();
  const { last } = ensemble;
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const data = async (at: number) => {
    last.reply(at, { type: OpCode.getData, data: new Uint8Array([at]), stat: { ...someStat, mzxid: zxid(at) } });
    await settle();
  };
  const children = async (...names: string[]) => {
    last.reply(1, { type: OpCode.getChildren2, children: names, stat: someStat });
    await settle();
  };
  const opening = SubtreeCache.open(client, '/r');
  last.reply(1, { type: OpCode.addWatch });
  await settle();
  await children('p');
  await children('x');
  await data(1);
  await children();
  await data(1);
  await data(1);
  const cache = await opening;
  ensemble.take();
  return { ensemble, last, cache, settle, data };
}

test('an event that comes while its znode is being read has it read again', async () => {
  const { ensemble, last, cache, settle, data } = await opened();
  last.event('nodeDataChanged', '/r/p', 5);
  await settle();
  last.event('nodeDataChanged', '/r/p', 6);
  await data(5);
  expect(cache.get('/r/p')?.data).toEqual(new Uint8Array([5]));
  expect([cache.isCurrent, ensemble.take()]).toEqual([false, ['0 send 8 getData /r/p', '0 send 9 getData /r/p']]);
  await data(6);
  expect([cache.isCurrent, cache.get('/r/p')?.data]).toEqual([true, new Uint8Array([6])]);
});

test('what is below a znode that is gone is asked for, and not taken for gone', async () => {
  const { ensemble, last, cache, settle, data } = await opened();
  last.event('nodeDeleted', '/r/p', 5);
  last.reply(7, undefined, ErrorCode.NO_NODE);
  await settle();
  expect([cache.children('/r'), ensemble.take().at(-1)]).toEqual([[], '0 send 9 getData /r/p/x']);
  await data(7);
  expect(cache.get('/r/p/x')?.data).toEqual(new Uint8Array([7]));
});
