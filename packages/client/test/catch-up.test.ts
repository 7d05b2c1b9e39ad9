/** What a watch that catches up makes of answers and events that cross; packages/quorate has it follow an ensemble. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { OpCode } from '@quorate/protocol';
import { expect, test } from 'vitest';
import { Client } from '../src/index.js';
import { FakeEnsemble, someStat, zxid } from './fake-ensemble.js';

/** A watch of `/r`, where `/r/x` is, and the beginning of a comparison after a reconnection. */
async function comparing() {
  const clock = new VirtualClock();
  const ensemble = new FakeEnsemble(clock);
  const client = new Client({ connector: ensemble, clock, random: new SeededRandom(1), firstServer: 0 });
  ensemble.handshake();
  const told: string[] = [];
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const children = (mzxid: number, ...names: string[]) =>
    ensemble.last.reply(1, { type: OpCode.getChildren2, children: names, stat: { ...someStat, mzxid: zxid(mzxid) } });
  const reconnect = async (at: number) => {
    ensemble.last.cut();
    clock.advance(100);
    ensemble.handshake();
    ensemble.last.replyTo(-8, at);
    clock.advance(100);
    await settle();
  };
  const adding = client.addWatch('/r', { recursive: true, catchUp: true, watch: ({ type, path }) => told.push(`${type} ${path}`) });
  ensemble.last.reply(1, { type: OpCode.addWatch });
  await settle();
  children(1, 'x');
  await settle();
  children(1);
  await adding;
  await reconnect(5);
  return { ensemble, told, settle, children, reconnect };
}

test('what was told while it compares is newer than what it reads', async () => {
  const { ensemble, told, settle, children, reconnect } = await comparing();
  children(1, 'x');
  await settle();
  // In one turn: an answer with `/r/x`, that it is gone since then, and that there is another one.
  children(3);
  ensemble.last.event('nodeDeleted', '/r/x', 6);
  ensemble.last.event('nodeCreated', '/r/y', 7);
  await settle();
  expect(told).toEqual(['NODE_DELETED /r/x', 'NODE_CREATED /r/y']);
  // And so it is remembered.
  await reconnect(8);
  children(1, 'x');
  await settle();
  children(8);
  await settle();
  expect(told.slice(2)).toEqual(['NODE_DELETED /r/y', 'NODE_CREATED /r/x']);
});

test('what is missed while it compares is compared too', async () => {
  const { told, settle, children, reconnect } = await comparing();
  children(1, 'x');
  await settle();
  await reconnect(9);
  children(1);
  await settle();
  children(1, 'x');
  await settle();
  children(9);
  await settle();
  expect(told).toEqual(['NODE_DATA_CHANGED /r/x']);
});
