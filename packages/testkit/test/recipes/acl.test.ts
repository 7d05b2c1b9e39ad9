/** The ACL that a recipe is given is that of all that it makes, for however short a time. */
import type { Connector } from '@quorate/client';
import { type Acl, OpCode, type Request } from '@quorate/protocol';
import {
  AckQueue,
  Barrier,
  Counter,
  DelayQueue,
  Discovery,
  DoubleBarrier,
  LeaderLatch,
  LeaderSelector,
  Lease,
  Lock,
  Membership,
  Partitioner,
  PersistentNode,
  PriorityQueue,
  Queue,
  ReadWriteLock,
  Semaphore,
  SharedValue,
  TwoPhaseCommit,
  VersionedConfig,
  Voting,
  type ZnodeOptions,
} from '@quorate/recipes';
import { Client, CREATOR_ALL_ACL, SeededRandom } from 'quorate';
import { expect, it } from 'vitest';
import { virtualEnsemble } from './virtual-ensemble.js';

const place = virtualEnsemble();

/** Uses all of a recipe that makes something. */
type Use = (client: Client, path: string, options: ZnodeOptions) => Promise<unknown>;

const USES: readonly (readonly [name: string, use: Use])[] = [
  ['Lock', (client, path, acl) => new Lock(client, path, acl).run(() => {})],
  [
    'ReadWriteLock',
    async (client, path, acl) => {
      const { read, write } = new ReadWriteLock(client, path, acl);
      await read.run(() => {});
      await write.run(() => {});
    },
  ],
  ['Semaphore', (client, path, acl) => new Semaphore(client, path, { ...acl, permits: 1 }).run(() => {})],
  ['Lease', (client, path, acl) => new Lease(client, path, { ...acl, durationMs: 1000 }).run(() => {})],
  [
    'LeaderLatch',
    async (client, path, acl) => {
      await using latch = new LeaderLatch(client, path, acl).start();
      await latch.leadership();
    },
  ],
  ['LeaderSelector', (client, path, acl) => new LeaderSelector(client, path, async () => {}, { ...acl, requeue: false }).start().ended()],
  ['Barrier', (client, path, acl) => new Barrier(client, path, acl).set()],
  [
    'DoubleBarrier',
    async (client, path, acl) => {
      const barrier = new DoubleBarrier(client, path, { ...acl, members: 1 });
      await barrier.enter();
      await barrier.leave();
    },
  ],
  ['Counter', (client, path, acl) => new Counter(client, path, acl).add(1)],
  ['SharedValue', (client, path, acl) => new SharedValue<number>(client, path, acl).set(1)],
  ['VersionedConfig', (client, path, acl) => new VersionedConfig<number>(client, path, acl).publish(1)],
  ['Queue', async (client, path, acl) => takeOne(new Queue(client, path, acl), (queue) => queue.put('a'))],
  ['PriorityQueue', async (client, path, acl) => takeOne(new PriorityQueue(client, path, acl), (queue) => queue.put('a', { priority: 1 }))],
  ['DelayQueue', async (client, path, acl) => takeOne(new DelayQueue(client, path, acl), (queue) => queue.put('a', { delayMs: 5 }))],
  [
    'AckQueue',
    async (client, path, acl) => {
      const queue = new AckQueue(client, path, acl);
      const delivery = queue.take();
      await queue.put('a');
      await (await delivery).ack();
    },
  ],
  ['Membership', (client, path, acl) => new Membership(client, path, acl).join('a')],
  ['Discovery', (client, path, acl) => new Discovery(client, path, acl).register('mail', { id: 'a', data: 1 })],
  [
    'Partitioner',
    async (client, path, acl) => {
      const stop = new AbortController();
      await new Partitioner(client, path, { ...acl, id: 'a', partitions: ['p'], work: () => stop.abort() }).run({ signal: stop.signal });
    },
  ],
  ['PersistentNode', (client, path, acl) => new PersistentNode(client, path, 'a', acl).start().created()],
  [
    'Voting',
    async (client, path, acl) => {
      const voting = new Voting(client, path, acl);
      await voting.open(['a']);
      await voting.vote('a', 'yes');
    },
  ],
  ['TwoPhaseCommit', (client, path, acl) => new TwoPhaseCommit(client, path, acl).propose(['a'], 'x')],
];

async function takeOne<Q extends { take(): Promise<unknown> }>(queue: Q, put: (queue: Q) => Promise<void>): Promise<void> {
  const take = queue.take();
  await put(queue);
  await take;
}

it.each(USES)('%s', async (_name, use) => {
  const made: { readonly path: string; readonly acl: readonly Acl[] }[] = [];
  const connector = noting(place.ensemble.connector(), (request) => {
    for (const one of request.type === OpCode.multi ? request.ops : [request]) if ('acl' in one && 'flags' in one) made.push(one);
  });
  const client = await place.settled(Client.connect({ connector, clock: place.clock, random: new SeededRandom(2) }));
  await place.settled(client.addAuth('digest', 'app:secret'));
  await place.settled(use(client, '/above/recipe', { acl: CREATOR_ALL_ACL }));
  expect(made.length).toBeGreaterThan(1);
  for (const { path, acl } of made) expect([path, acl]).toEqual([path, CREATOR_ALL_ACL]);
  await place.settled(client.close());
});

/** Shows what is asked for. */
function noting(inner: Connector, note: (request: Request) => void): Connector {
  return {
    servers: inner.servers,
    connect(index, handler) {
      const connection = inner.connect(index, handler);
      return {
        send(message) {
          if (message.kind === 'request') note(message.request);
          connection.send(message);
        },
        close: () => connection.close(),
      };
    },
  };
}
