import { SeededRandom, VirtualClock } from '@quorate/ports';
import { type Client, Ensemble } from 'quorate';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Message, Partition } from '../../examples/src/messaging/broker.ts';
import { EmbeddedBroker } from '../../examples/src/messaging/embedded-broker.ts';
import { type Delivery, type Handler, type Tries, type WorkOptions, work } from '../../examples/src/messaging/partition-worker.ts';
import { settled } from '../../scripts/numbers/virtual-time.ts';

const partition: Partition = { topic: 'orders', index: 0 };
const progressPath = '/progress';
const TRIES_MAX = 3;

let clock: VirtualClock;
let ensemble: Ensemble;
let publisher: Client;
/** What was put away, with the reason. */
let buried: string[];
let tokens: number;

beforeEach(async () => {
  clock = new VirtualClock();
  ensemble = await settled(clock, Ensemble.start({ servers: 3, clock, random: new SeededRandom(1) }));
  publisher = await settled(clock, ensemble.connect());
  await settled(clock, new EmbeddedBroker(publisher, { root: '/log' }).open(partition.topic, 1));
  buried = [];
  tokens = 0;
});

async function publish(...ids: readonly string[]): Promise<void> {
  const broker = new EmbeddedBroker(publisher, { root: '/log' });
  for (const id of ids) await settled(clock, broker.publish(partition, { id, key: 'k', body: '' }));
}

interface Owner {
  readonly client: Client;
  readonly working: Promise<void>;
  /** Takes the partition away, as a rebalance does. */
  readonly stop: () => Promise<void>;
  /** The process is gone: nothing more is done, and nothing is noted. */
  readonly die: () => Promise<void>;
}

interface Settings extends Tries {
  readonly gate: WorkOptions['gate'];
  /** Called when somebody asks whether the partition is safe. */
  readonly onAsked: (controller: AbortController) => void;
}

/** A consumer, of a client of its own, that is given the partition. */
async function own(handler: Handler, settings: Partial<Settings> = {}): Promise<Owner> {
  const client = await settled(clock, ensemble.connect());
  const controller = new AbortController();
  const working = work({
    client,
    broker: new EmbeddedBroker(client, { root: '/log' }),
    partition,
    progressPath,
    get signal() {
      settings.onAsked?.(controller);
      return controller.signal;
    },
    fencingToken: ++tokens,
    handler,
    tries: () => ({ triesMax: TRIES_MAX, retryMs: 10, ...settings }),
    gate: settings.gate ?? (() => Promise.resolve()),
    bury: (message, reason) => {
      buried.push(`${message.id}: ${reason}`);
      return Promise.resolve();
    },
  });
  working.catch(() => {});
  const end = async (): Promise<void> => {
    controller.abort(new Error('the partition was taken away'));
    await settled(clock, working);
  };
  const die = async (): Promise<void> => {
    ensemble.expireSession(client);
    await run(1_000);
  };
  return { client, working, stop: end, die };
}

async function run(ms: number): Promise<void> {
  await settled(clock, new Promise<void>((resolve) => void clock.setTimer(ms, resolve)));
}

const forever = (): Promise<void> => new Promise(() => {});

describe('a partition worker', () => {
  test('hands on messages one after another, and the next owner goes on where it was noted', async () => {
    const seen: string[] = [];
    const handler = async ({ id }: Message, { attempt, fencingToken }: Delivery): Promise<void> => {
      await run0();
      seen.push(`${fencingToken}.${attempt} ${id}`);
    };
    const run0 = () => new Promise<void>((resolve) => void clock.setTimer(1, resolve));
    await publish('a', 'b', 'c');
    const first = await own(handler);
    await run(100);
    await first.stop();
    await publish('d');
    const second = await own(handler);
    await run(100);
    await second.stop();
    expect(seen).toEqual(['1.1 a', '1.1 b', '1.1 c', '2.1 d']);
  });

  test('what was handled and not noted when its owner died is handled again', async () => {
    const seen: string[] = [];
    await publish('a', 'b');
    const first = await own(({ id }) => {
      seen.push(id);
      // In the turn in which the last one was handled, before that is noted.
      if (id === 'b') ensemble.expireSession(first.client);
    });
    await run(1_000);
    await own(({ id }) => void seen.push(id));
    await run(1_000);
    expect(seen).toEqual(['a', 'b', 'a', 'b']);
  });

  test('tries a message that fails again before any other, and puts it away after so many tries', async () => {
    const seen: string[] = [];
    await publish('a', 'bad', 'c');
    const owner = await own(({ id }, { attempt }) => {
      seen.push(`${id} ${attempt}`);
      if (id === 'bad') throw new Error('no such account');
    });
    await run(1_000);
    expect(seen).toEqual(['a 1', 'bad 1', 'bad 2', 'bad 3', 'c 1']);
    expect(buried).toEqual(['bad: tried 3 times: no such account']);
    await owner.stop();
  });

  test('counts the tries of all owners', async () => {
    const seen: string[] = [];
    await publish('bad', 'b');
    for (let i = 0; i < 2; i++) {
      const owner = await own(({ id }, { attempt }) => {
        seen.push(`${id} ${attempt}`);
        if (id !== 'bad') return;
        if (attempt === 2) return forever();
        throw new Error('no such account');
      });
      await run(1_000);
      await owner.die();
    }
    expect(seen).toEqual(['bad 1', 'bad 2', 'bad 3', 'b 1']);
    expect(buried).toEqual(['bad: tried 3 times: no such account']);
  });

  test('puts away the message that kills its consumers, and no other', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => (i === 13 ? 'deadly' : `m${i}`));
    await publish(...ids);
    const handled = new Set<string>();
    for (let owners = 0; buried.length === 0 && owners < 10; owners++) {
      const owner: Owner = await own(({ id }) => {
        handled.add(id);
        if (id !== 'deadly') return;
        ensemble.expireSession(owner.client);
        return forever();
      });
      await run(1_000);
    }
    await run(1_000);
    expect(buried).toEqual(['deadly: tried 3 times: its consumer has ended while it was handled']);
    expect([...handled].sort()).toEqual(ids.toSorted());
  });

  test('owners that end with nothing in hand do not count as tries of what comes next', async () => {
    for (let i = 0; i < 2 * TRIES_MAX; i++) {
      const owner = await own(() => {});
      await run(100);
      await owner.die();
    }
    await publish('a');
    const attempts: number[] = [];
    const owner = await own((_, { attempt }) => void attempts.push(attempt));
    await run(100);
    await owner.stop();
    expect([attempts, buried]).toEqual([[1], []]);
  });

  test('a failure stays noted when progress before it is noted later', async () => {
    await publish('a', 'bad');
    const attempts: number[] = [];
    const fail = ({ id }: Message, { attempt }: Delivery): void => {
      if (id !== 'bad') return;
      attempts.push(attempt);
      throw new Error('no such account');
    };
    const first = await own(fail, { retryMs: 1_000 });
    await run(500);
    await first.die();
    const second = await own(fail, { retryMs: 1_000 });
    await run(500);
    await second.stop();
    expect(attempts).toEqual([1, 2]);
  });

  test('an owner that ends between two tries has not begun the second', async () => {
    await publish('bad');
    const attempts: number[] = [];
    for (let i = 0; i < TRIES_MAX; i++) {
      const owner = await own(
        (_, { attempt }) => {
          attempts.push(attempt);
          throw new Error('no such account');
        },
        { retryMs: 60_000 },
      );
      await run(500);
      await owner.die();
    }
    const last = await own(() => {});
    await run(100);
    await last.stop();
    expect([attempts, buried]).toEqual([[1, 2, 3], ['bad: tried 3 times: its consumer has ended while it was handled']]);
  });

  test('says how often a message was tried, also where that is more than by now it may be', async () => {
    await publish('bad');
    const settings = { triesMax: 5 };
    const owner = await own((_, { attempt }) => {
      if (attempt === 4) settings.triesMax = 2;
      throw new Error('no such account');
    }, settings);
    await run(1_000);
    await owner.stop();
    expect(buried).toEqual(['bad: tried 4 times: no such account']);
  });

  test('waits between two tries as well, where it is told to', async () => {
    await publish('bad');
    let open = (): void => {};
    const closed = new Promise<void>((resolve) => (open = resolve));
    const attempts: number[] = [];
    const fail = (_: Message, { attempt }: Delivery): void => {
      attempts.push(attempt);
      throw new Error('no such account');
    };
    const owner = await own(fail, { gate: () => (attempts.length === 0 ? Promise.resolve() : closed) });
    await run(1_000);
    expect(attempts).toEqual([1]);
    open();
    await run(1_000);
    expect(attempts).toEqual([1, 2, 3]);
    await owner.stop();
  });

  test('a try that a rebalance has cut short does not count', async () => {
    await publish('a');
    const attempts: number[] = [];
    for (let i = 0; i < 2 * TRIES_MAX; i++) {
      const owner = await own((_, { attempt, signal }) => {
        attempts.push(attempt);
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      });
      await run(100);
      await owner.stop();
    }
    expect(attempts).toEqual(Array.from({ length: 2 * TRIES_MAX }, () => 1));
    expect(buried).toEqual([]);
  });

  test('whoever asks for the signal of a message has the hold look at the clock', async () => {
    await publish('a', 'b');
    let isOver = false;
    const seen: unknown[] = [];
    const handler = ({ id }: Message, delivery: Delivery): void => {
      seen.push(id, delivery.signal.aborted);
      isOver = true;
      seen.push(delivery.signal.aborted);
    };
    const onAsked = (controller: AbortController): void => {
      if (isOver) controller.abort(new Error('the lease is over'));
    };
    await own(handler, { onAsked });
    await run(100);
    expect(seen).toEqual(['a', false, true]);
  });

  test('an owner that was taken for dead notes nothing over its successor', async () => {
    await publish('a', 'b');
    let finish = (): void => {};
    const late = await own(() => new Promise<void>((resolve) => (finish = resolve)));
    await run(100);
    const seen: string[] = [];
    await own(({ id }) => void seen.push(id));
    await run(100);
    const before = await settled(clock, publisher.getData(progressPath));
    finish();
    await run(100);
    finish();
    await run(100);
    await expect(settled(clock, late.working)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await settled(clock, publisher.getData(progressPath))).toEqual(before);
    expect(seen).toEqual(['a', 'b']);
  });
});
