/** `framed` over a byte network that keeps its contract: the contract of `Transport`. */
import { makeZxid } from '@quorate/protocol';
import { FRAME_BODY_BYTES_MAX, type Message } from '@quorate/zab';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FramedPair, round, Station, sync } from '../support/framed-pair.js';
import * as any from './arbitraries.js';

describe('learner channels', () => {
  test('deliver a prefix, in order, in both directions, and both ends learn of their end', () => {
    const pair = new FramedPair();
    const channel = pair.first.open(2, pair.one.handler('to 2'));
    channel.send(sync(1));
    channel.send(sync(2));
    expect(pair.two.heard).toEqual([]);
    pair.settle();
    pair.two.channels[0]?.send(sync(3));
    pair.settle();
    channel.send(sync(4));
    channel.close();
    channel.send(sync(5));
    pair.two.channels[0]?.send(sync(6));
    pair.settle();
    expect(pair.two.heard).toEqual(['channel of 1', '1: 1', '1: 2', '1: 4', '1 closed']);
    expect(pair.one.heard).toEqual(['to 2: 3']);
    expect([...pair.one.violations, ...pair.two.violations]).toEqual([]);
  });

  test('carry every message, whatever the chunks are', () => {
    fc.assert(
      fc.property(fc.array(any.message, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 20 }), (messages, places) => {
        const pair = new FramedPair();
        pair.network.alter = (chunk) => any.cutAt(chunk, places);
        const received: Message[] = [];
        const channel = pair.first.open(2, pair.one.handler('to 2'));
        pair.two.onChannel = () => ({ onMessage: (message) => received.push(message), onClose: () => {} });
        for (const message of messages) channel.send(message);
        pair.settle();
        expect(received).toEqual(messages);
      }),
      { ...any.run, numRuns: 200 },
    );
  });

  test('may be spoken on first by the one who accepted', () => {
    const pair = new FramedPair();
    pair.two.onChannel = (_, channel) => {
      channel.send(sync(7));
      return pair.two.handler('1');
    };
    pair.first.open(2, pair.one.handler('to 2'));
    pair.settle();
    expect(pair.one.heard).toEqual(['to 2: 7']);
  });

  test('are closed where nobody is there, or nobody any more', () => {
    const pair = new FramedPair();
    pair.first.open(3, pair.one.handler('to 3'));
    pair.first.open(2, pair.one.handler('to 2'));
    expect(pair.one.heard).toEqual([]);
    pair.settle();
    pair.second.stop();
    pair.settle();
    pair.first.open(2, pair.one.handler('to 2 again'));
    pair.settle();
    expect(pair.one.heard).toEqual(['to 3 closed', 'to 2 closed', 'to 2 again closed']);
    expect(pair.two.heard).toEqual(['channel of 1']);
  });

  test('are closed where nobody answers', () => {
    const pair = new FramedPair({ one: { answerTimeoutMs: 300 } });
    pair.network.alter = () => [];
    pair.first.open(2, pair.one.handler('to 2'));
    pair.clock.advance(299);
    expect(pair.one.heard).toEqual([]);
    pair.clock.advance(1);
    expect(pair.one.heard).toEqual(['to 2 closed']);
    expect(pair.network.ends[0]?.far?.isOpen).toBe(false);
    expect(pair.one.rules).toEqual([]);
  });

  test('that are accepted and stay silent are closed', () => {
    const pair = new FramedPair({ two: { answerTimeoutMs: 300 } });
    pair.network.transport(9).open(2, { onBytes: () => {}, onClose: () => {} });
    pair.clock.advance(299);
    expect(pair.network.ends[0]?.far?.isOpen).toBe(true);
    pair.clock.advance(1);
    expect(pair.network.ends[0]?.far?.isOpen).toBe(false);
    expect(pair.two.heard).toEqual([]);
  });

  test('stay open however long they are silent', () => {
    const pair = new FramedPair();
    const channel = pair.first.open(2, pair.one.handler('to 2'));
    pair.clock.advance(1_000_000);
    channel.send(sync(1));
    pair.settle();
    expect(pair.two.heard).toEqual(['channel of 1', '1: 1']);
  });

  test('that end within a frame end before it', () => {
    const pair = new FramedPair();
    const channel = pair.first.open(2, pair.one.handler('to 2'));
    pair.settle();
    pair.network.alter = (chunk) => [chunk.slice(0, -1)];
    channel.send(sync(1));
    channel.close();
    pair.settle();
    expect(pair.two.heard).toEqual(['channel of 1', '1 closed']);
    expect(pair.two.rules).toEqual([]);
  });

  test('give nothing more once their receiver has closed them, within a chunk either', () => {
    const pair = new FramedPair();
    const channel = pair.first.open(2, pair.one.handler('to 2'));
    pair.settle();
    const held: Uint8Array[] = [];
    pair.network.alter = (chunk) => (held.push(chunk) === 2 ? [any.concat(held)] : []);
    pair.two.act = () => pair.two.channels[0]?.close();
    channel.send(sync(1));
    channel.send(sync(2));
    pair.settle();
    expect(pair.two.heard).toEqual(['channel of 1', '1: 1']);
    expect(pair.one.heard).toEqual(['to 2 closed']);
  });

  test('tell of room once there is any: not before the handshake, not after a close, never at once', () => {
    const pair = new FramedPair();
    const rooms: string[] = [];
    pair.network.tellsOfRoomAfterClose = true;
    const channel = pair.first.open(2, pair.one.handler('to 2'));
    pair.network.alter = () => [];
    channel.awaitRoom(() => rooms.push('before the handshake'));
    pair.clock.advance(10);
    expect(rooms).toEqual([]);
    channel.close();
    pair.network.alter = (chunk) => [chunk];
    const open = pair.first.open(2, pair.one.handler('to 2'));
    open.awaitRoom(() => rooms.push('asked early'));
    pair.settle();
    open.awaitRoom(() => rooms.push('asked late'));
    expect(rooms).toEqual(['asked early']);
    pair.settle();
    open.awaitRoom(() => rooms.push('after the close'));
    open.close();
    open.awaitRoom(() => rooms.push('after the close'));
    pair.settle();
    expect(rooms).toEqual(['asked early', 'asked late']);
  });

  test('carry a run in parts where it is large, and a large payload alone', () => {
    const pair = new FramedPair();
    const received: Message[] = [];
    pair.two.onChannel = () => ({ onMessage: (message) => received.push(message), onClose: () => {} });
    const channel = pair.first.open(2, pair.one.handler('to 2'));
    const payloads = [1_100_000, 600_000, 400_000, 100_000, 2_000_000, 5, 6].map((length) => new Uint8Array(length));
    channel.send({ type: 'PROPOSAL', run: { zxid: makeZxid(3, 10), payloads } });
    pair.settle();
    const parts = received.map((message) =>
      message.type === 'PROPOSAL' ? [message.run.zxid, message.run.payloads.map((p) => p.length)] : [],
    );
    expect(parts).toEqual([
      [makeZxid(3, 10), [1_100_000]],
      [makeZxid(3, 11), [600_000, 400_000]],
      [makeZxid(3, 13), [100_000]],
      [makeZxid(3, 14), [2_000_000]],
      [makeZxid(3, 15), [5, 6]],
    ]);
  });

  test('refuse a message that fits into no frame, before the handshake and after it', () => {
    const pair = new FramedPair();
    const channel = pair.first.open(2, pair.one.handler('to 2'));
    const tooLarge: Message = { type: 'REQUEST', payload: new Uint8Array(FRAME_BODY_BYTES_MAX) };
    expect(() => channel.send(tooLarge)).toThrow(RangeError);
    pair.settle();
    expect(() => channel.send(tooLarge)).toThrow(RangeError);
    channel.send(sync(1));
    pair.settle();
    expect(pair.two.heard).toEqual(['channel of 1', '1: 1']);
  });
});

describe('the handshake', () => {
  test('turns away a server of another ensemble, and lets in one that knows none', () => {
    const pair = new FramedPair({ one: { ensembleId: 'shop' }, two: { ensembleId: 'bank' } });
    const [three, third] = pair.join(3);
    pair.first.open(2, pair.one.handler('to 2'));
    third.open(2, three.handler('to 2'));
    pair.settle();
    expect(pair.one.heard).toEqual(['to 2 closed']);
    expect(pair.two.heard).toEqual(['channel of 3']);
    expect(pair.two.violations).toMatchObject([{ rule: 'OTHER_ENSEMBLE', peer: 1, purpose: 'LEARNER' }]);
  });

  test('turns away one who wants another server', () => {
    const pair = new FramedPair();
    const [stranger] = pair.join(9, { sid: 5 });
    pair.first.open(9, pair.one.handler('to 9'));
    pair.settle();
    expect(stranger.rules).toEqual(['WRONG_SERVER']);
    expect(pair.one.heard).toEqual(['to 9 closed']);
    expect(stranger.heard).toEqual([]);
  });

  test('has a limit for names', () => {
    expect(() => new FramedPair({ one: { ensembleId: 'x'.repeat(1025) } })).toThrow(RangeError);
  });
});

describe('notifications', () => {
  test('go over one channel, which is opened for the first of them', () => {
    const pair = new FramedPair();
    expect(pair.network.ends.length).toBe(0);
    for (const epoch of [1, 2, 3]) {
      pair.first.notify(2, round(epoch));
      pair.settle();
    }
    expect(pair.two.heard).toEqual(['round 1 of 1', 'round 2 of 1', 'round 3 of 1']);
    expect(pair.two.notifications[2]).toEqual(round(3));
    expect(pair.network.ends.length).toBe(1);
  });

  test('wait for the channel, the newest alone', () => {
    const pair = new FramedPair();
    for (const epoch of [1, 2, 3]) pair.first.notify(2, round(epoch));
    expect(pair.two.heard).toEqual([]);
    pair.settle();
    expect(pair.two.heard).toEqual(['round 3 of 1']);
  });

  test('wait for the one that is underway, the newest alone', () => {
    const pair = new FramedPair();
    pair.first.notify(2, round(1));
    pair.settle();
    for (const epoch of [2, 3, 4]) pair.first.notify(2, round(epoch));
    pair.settle();
    expect(pair.two.heard).toEqual(['round 1 of 1', 'round 2 of 1', 'round 4 of 1']);
  });

  test('are dropped where nobody is there, and the next tries again', () => {
    const pair = new FramedPair();
    pair.first.notify(3, round(1));
    pair.settle();
    const [three] = pair.join(3);
    pair.settle();
    expect(three.heard).toEqual([]);
    pair.first.notify(3, round(2));
    pair.settle();
    expect(three.heard).toEqual(['round 2 of 1']);
  });

  test('reach a server that has started anew', () => {
    const pair = new FramedPair();
    pair.first.notify(2, round(1));
    pair.settle();
    pair.second.stop();
    pair.settle();
    const [again] = pair.join(2);
    pair.first.notify(2, round(2));
    pair.settle();
    expect(again.heard).toEqual(['round 2 of 1']);
  });

  test('give up a channel that does not acknowledge, and go over a new one', () => {
    const pair = new FramedPair({ one: { answerTimeoutMs: 300 } });
    pair.first.notify(2, round(1));
    pair.settle();
    pair.network.alter = (chunk, way) => (way.connection === 0 ? [] : [chunk]);
    pair.first.notify(2, round(2));
    pair.first.notify(2, round(3));
    pair.clock.advance(299);
    expect(pair.network.ends.length).toBe(1);
    expect(pair.network.ends[0]?.near.isOpen).toBe(true);
    pair.clock.advance(1);
    expect(pair.network.ends[0]?.near.isOpen).toBe(false);
    pair.first.notify(2, round(4));
    pair.settle();
    expect(pair.two.heard).toEqual(['round 1 of 1', 'round 4 of 1']);
    expect(pair.one.rules).toEqual([]);
    pair.clock.advance(1000);
    expect(pair.network.ends[1]?.near.isOpen).toBe(true);
  });

  test('of an older channel are not heard once a newer one is there', () => {
    const pair = new FramedPair();
    const held: Uint8Array[] = [];
    pair.first.notify(2, round(1));
    pair.settle();
    // The opener of the first is gone without a word, as after the loss of power; the same server opens another one.
    const [again, restarted] = pair.join(1);
    pair.network.alter = (chunk, way) => (way.connection === 0 ? (held.push(chunk), []) : [chunk]);
    pair.first.notify(2, round(2));
    restarted.notify(2, round(3));
    pair.settle();
    expect(held.length).toBe(1);
    pair.network.inject(0, 'far', held[0] as Uint8Array);
    expect(pair.two.heard).toEqual(['round 1 of 1', 'round 3 of 1']);
    expect(again.heard).toEqual([]);
  });
});

describe('stop', () => {
  test('closes every channel, reports nothing more, and takes nothing in', () => {
    const pair = new FramedPair();
    const channel = pair.first.open(2, pair.one.handler('to 2'));
    pair.first.notify(2, round(1));
    pair.second.notify(1, round(1));
    pair.settle();
    const before = [...pair.one.heard];
    pair.two.channels[0]?.send(sync(1));
    pair.first.stop();
    channel.send(sync(2));
    pair.first.notify(2, round(2));
    pair.first.notify(9, round(2));
    pair.clock.advance(100_000);
    expect(pair.one.heard).toEqual(before);
    expect(pair.two.heard).toEqual(['channel of 1', 'round 1 of 1', '1 closed']);
    expect(pair.network.ends.every(({ near, far }) => !near.isOpen && far?.isOpen === false)).toBe(true);
    pair.network.inject(0, 'near', Uint8Array.of(1));
    expect(pair.one.rules).toEqual([]);
  });

  test('leaves no timer behind, and no more does a channel that has closed', () => {
    for (const end of ['stop', 'sever'] as const) {
      const pair = new FramedPair();
      pair.first.notify(2, round(1));
      pair.first.open(2, pair.one.handler('to 2'));
      pair.settle();
      pair.network.alter = () => [];
      pair.first.notify(2, round(2));
      pair.first.open(2, pair.one.handler('unanswered'));
      pair.settle();
      expect(pair.clock.nextDue()).toBeDefined();
      if (end === 'stop') for (const transport of [pair.first, pair.second]) transport.stop();
      else for (let connection = 0; connection < pair.network.ends.length; connection++) pair.network.sever(connection);
      pair.settle();
      expect(pair.clock.nextDue()).toBeUndefined();
    }
  });

  test('before anything was sent is nothing', () => {
    const pair = new FramedPair();
    pair.first.stop();
    pair.settle();
    expect(pair.one.heard).toEqual([]);
  });

  test('from within the report of a violation ends that too', () => {
    const pair = new FramedPair();
    pair.first.open(2, pair.one.handler('to 2'));
    pair.settle();
    pair.one.onViolation = () => pair.first.stop();
    pair.network.inject(0, 'near', new Uint8Array(100));
    pair.settle();
    expect(pair.one.rules).toEqual(['CORRUPT_FRAME']);
    expect(pair.one.heard).toEqual([]);
    expect(pair.two.heard).toEqual(['channel of 1', '1 closed']);
  });
});

test('a station is told of nothing while it calls', () => {
  const pair = new FramedPair();
  const quiet = new Station();
  const channel = pair.first.open(2, quiet.handler('to 2'));
  channel.send(sync(1));
  channel.awaitRoom(() => quiet.heard.push('room'));
  pair.first.notify(2, round(1));
  pair.first.open(9, quiet.handler('to 9'));
  expect([...quiet.heard, ...pair.two.heard]).toEqual([]);
  pair.settle();
  expect(quiet.heard.sort()).toEqual(['room', 'to 9 closed']);
});
