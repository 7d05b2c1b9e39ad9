/** What queues promise that needs no weather. */
import { decodeUtf8 } from '@quorate/protocol';
import { AckQueue, DelayQueue, type Delivery, PriorityQueue, Queue, type TakingQueue } from '@quorate/recipes';
import { describe, expect, it } from 'vitest';
import { virtualEnsemble } from './virtual-ensemble.js';

const place = virtualEnsemble();

async function takeAll(queue: TakingQueue): Promise<string[]> {
  const taken: string[] = [];
  for (let data = await queue.tryTake(); data !== undefined; data = await queue.tryTake()) taken.push(decodeUtf8(data));
  return taken;
}

/** Until so many stand in line. */
async function untilWaiting(count: number): Promise<void> {
  while (((await place.client.exists('/q/takers'))?.numChildren ?? 0) < count) await place.client.sync();
}

describe('a queue', () => {
  it('gives its items in the order in which they were put, and leaves nothing but its directories', async () => {
    const queue = new Queue(place.client, '/q');
    for (const item of ['a', 'b', 'c']) await place.settled(queue.put(item));
    expect(await place.settled(queue.size())).toBe(3);
    expect(await place.settled(takeAll(queue))).toEqual(['a', 'b', 'c']);
    await place.settled(queue[Symbol.asyncDispose]());
    expect((await place.settled(place.client.getChildren('/q'))).children.sort()).toEqual(['items']);
  });

  it('gives an item to the one who has waited longest, and wakes nobody else', async () => {
    const [first, second] = [new Queue(place.client, '/q'), new Queue(await place.settled(place.ensemble.connect()), '/q')];
    const takes = [first.take()];
    await place.settled(untilWaiting(1));
    takes.push(second.take());
    await place.settled(untilWaiting(2));
    await place.settled(new Queue(place.client, '/q').put('a'));
    expect(decodeUtf8(await place.settled(takes[0] as Promise<Uint8Array>))).toBe('a');
    await place.settled(new Queue(place.client, '/q').put('b'));
    expect(decodeUtf8(await place.settled(takes[1] as Promise<Uint8Array>))).toBe('b');
  });

  it('takes nothing for those who did not wait long enough, or no longer want it', async () => {
    const queue = new Queue(place.client, '/q');
    await expect(place.settled(queue.take({ timeoutMs: 50 }))).rejects.toMatchObject({ code: 'TIMEOUT' });
    const controller = new AbortController();
    const take = queue.take({ signal: controller.signal });
    const mine = new Error('mine');
    controller.abort(mine);
    await expect(place.settled(take)).rejects.toBe(mine);
    await place.settled(queue.put('a'));
    expect(await place.settled(takeAll(queue))).toEqual(['a']);
  });

  it('is full at some point', async () => {
    const queue = new Queue(place.client, '/q', { itemsMax: 2 });
    for (const item of ['a', 'b']) await place.settled(queue.put(item));
    await expect(place.settled(queue.put('c'))).rejects.toMatchObject({ code: 'FULL' });
    expect(() => new Queue(place.client, '/q', { itemsMax: 0 })).toThrow(TypeError);
    expect(() => new Queue(place.client, 'q')).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENTS' }));
  });
});

it('a priority queue gives the lesser numbers first, and equal ones in their order', async () => {
  const queue = new PriorityQueue(place.client, '/q');
  for (const [item, priority] of [
    ['a', 5],
    ['b', 0],
    ['c', 5],
    ['d', 10],
  ] as const)
    await place.settled(queue.put(item, { priority }));
  expect(await place.settled(takeAll(queue))).toEqual(['b', 'a', 'c', 'd']);
  await expect(queue.put('a', { priority: -1 })).rejects.toThrow(TypeError);
});

it('a delay queue keeps an item until its time has come, and wakes who waits for it then', async () => {
  const queue = new DelayQueue(place.client, '/q');
  await place.settled(queue.put('late', { delayMs: 500 }));
  const before = place.clock.now();
  await place.settled(queue.put('early', { delayMs: 100 }));
  expect(await place.settled(queue.tryTake())).toBeUndefined();
  expect(decodeUtf8(await place.settled(queue.take()))).toBe('early');
  expect(place.clock.now() - before).toBeGreaterThanOrEqual(100);
  expect(place.clock.now() - before).toBeLessThan(200);
  expect(decodeUtf8(await place.settled(queue.take()))).toBe('late');
  await expect(queue.put('never', { delayMs: 2 ** 41 })).rejects.toThrow(TypeError);
});

describe('a queue with acknowledgement', () => {
  it('delivers again what was given back or whose consumer is gone, and counts', async () => {
    const other = await place.settled(place.ensemble.connect());
    const [queue, theirs] = [new AckQueue(place.client, '/q'), new AckQueue(other, '/q')];
    await place.settled(queue.put('a'));
    const first = await place.settled(queue.take());
    expect(await place.settled(queue.tryTake())).toBeUndefined();
    await place.settled(first.release());
    expect(first.signal.aborted).toBe(true);
    const second = await place.settled(theirs.take());
    expect([decodeUtf8(second.data), second.attempt, second.id]).toEqual(['a', 2, first.id]);
    const waiting = queue.take();
    await place.settled(place.client.sync());
    place.ensemble.expireSession(other);
    const third = await place.settled(waiting);
    expect(third.attempt).toBe(3);
    await expect(place.settled(second.ack())).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
    await place.settled(third.ack());
    expect(await place.settled(queue.size())).toBe(0);
  });

  it('acknowledges together with what came of the item, or not at all', async () => {
    const queue = new AckQueue(place.client, '/q');
    await place.settled(queue.put('a'));
    const delivery = await place.settled(queue.take());
    await expect(place.settled(delivery.ack([{ op: 'create', path: '/no/parent' }]))).rejects.toMatchObject({
      code: 'NO_NODE',
      path: '/no/parent',
    });
    await place.settled(delivery.ack([{ op: 'create', path: '/result' }]));
    expect(await place.settled(place.client.exists('/result'))).toBeDefined();
    await expect(delivery.ack()).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('tells a consumer whose claim somebody has removed', async () => {
    const queue = new AckQueue(place.client, '/q');
    await place.settled(queue.put('a'));
    const delivery: Delivery = await place.settled(queue.take());
    const [claim] = (await place.settled(place.client.getChildren('/q/claims'))).children;
    await place.settled(place.client.delete(`/q/claims/${claim}`));
    await expect(place.settled(delivery.ack())).rejects.toMatchObject({ code: 'LOST' });
    expect(await place.settled(queue.size())).toBe(1);
  });
});
