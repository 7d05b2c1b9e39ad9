/** A thousand who wait for one lock: a release wakes one. */
import type { Connection, Connector } from '@quorate/client';
import { OpCode } from '@quorate/protocol';
import { Lock } from '@quorate/recipes';
import { Client, Ensemble } from 'quorate';
import { expect, it } from 'vitest';

const WAITERS = 1_000;
const RELEASES = 20;

/** Counts what passes: events of watches, and requests of the client's own. */
class Counting implements Connector {
  events = 0;
  requests = 0;
  readonly servers: number;
  readonly #inner: Connector;

  constructor(inner: Connector) {
    this.#inner = inner;
    this.servers = inner.servers;
  }

  connect(index: number, handler: Parameters<Connector['connect']>[1]): Connection {
    const connection = this.#inner.connect(index, {
      onOpen: () => handler.onOpen(),
      onMessage: (message) => {
        if (message.kind === 'event') this.events++;
        handler.onMessage(message);
      },
      onClose: (reason) => handler.onClose(reason),
    });
    return {
      send: (message) => {
        // A lease is kept by syncs, as time passes.
        if (message.kind === 'request' && message.xid > 0 && message.request.type !== OpCode.sync) this.requests++;
        connection.send(message);
      },
      close: () => connection.close(),
    };
  }
}

it('wakes one of a thousand waiters', async () => {
  await using ensemble = await Ensemble.start({ servers: 1 });
  const counting = new Counting(ensemble.connector());
  const clients = await Promise.all(Array.from({ length: 10 }, () => Client.connect({ connector: counting })));
  const first = await new Lock(clients[0] as Client, '/locks/a').acquire();
  let woken: () => void = () => {};
  let held = first;
  for (let i = 0; i < WAITERS; i++) {
    const lock = new Lock(clients[i % clients.length] as Client, '/locks/a');
    void lock.acquire().then((hold) => {
      held = hold;
      woken();
    });
  }
  await Promise.all(clients.map((client) => client.sync()));
  // All stand in line and watch: each has asked who is there, and then waits for the one before it.
  const watcher = clients[0] as Client;
  for (let there = 0; there < WAITERS + 1; there = (await watcher.getChildren('/locks/a')).children.length);
  // The last of them have two more answers to wait for.
  for (let round = 0; round < 4; round++) await Promise.all(clients.map((client) => client.sync()));
  counting.events = 0;
  counting.requests = 0;
  for (let i = 0; i < RELEASES; i++) {
    const next = new Promise<void>((resolve) => {
      woken = resolve;
    });
    await held.release();
    await next;
  }
  await Promise.all(clients.map((client) => client.sync()));
  // The event of the next one, and at most that of the holder itself, who watches whether somebody removes its znode.
  expect(counting.events).toBeGreaterThanOrEqual(RELEASES);
  expect(counting.events).toBeLessThanOrEqual(2 * RELEASES);
  // The release; that the one before is gone, and who is first; the watch of its own znode.
  expect(counting.requests).toBe(4 * RELEASES);
});
